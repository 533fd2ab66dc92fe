using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Constraints;

/// <summary>Group sets; for enumeration a subclass says in its own words which supports are feasible.</summary>
public abstract class GroupSparsityTests : ProjectionLaws
{
    /// <summary>2 x 2 x 1 x 3, so 2 x 6: two channels of three columns; and 3 x 4, fully connected.</summary>
    protected static LayerInfo[] TinyShapes { get; } = [Convolution(2, 2, 1, 3), FullyConnected(3, 4), FullyConnected(2, 5)];

    /// <summary>A case whose feasible supports are those where each bucket has at most so many names of groups.</summary>
    /// <param name="name">(bucket, group) of (row, column).</param>
    protected static Case Enumerated(LayerInfo layer, GroupSparsity set, Func<int, int, (int Bucket, int Group)> name) =>
        new(layer, set, BruteForce.OverSupports(layer.WeightCount, kept => Enumerable.Range(0, kept.Length)
            .Where(i => kept[i])
            .Select(i => name(i / layer.Columns, i % layer.Columns))
            .Distinct()
            .GroupBy(g => g.Bucket)
            .All(bucket => bucket.Count() <= set.Keep)));
}

public class FilterSparsityTests : GroupSparsityTests
{
    protected override IEnumerable<Case> Large() =>
        from s in Shapes from keep in new[] { 0, 1, s.Rows - 1 } select new Case(s, new FilterSparsity(keep));

    protected override IEnumerable<Case> Small() =>
        from s in TinyShapes from keep in new[] { 0, 1, 2 } select Enumerated(s, new FilterSparsity(keep), (r, c) => (0, r));

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
        [(Convolution(3, 9, 5, 5), () => new FilterSparsity(4), ["'conv'", "filters", "4", "0 to 3"]),
         (Convolution(3, 9, 5, 5), () => new FilterSparsity(-1), ["-1", "0 to 3"])];

    [Fact]
    public void Of_equal_norms_the_lower_filter_stays() => Assert.Equal(
        [0, 0, 3, 4, 5, 0, 0, 0],
        Project(new Case(FullyConnected(4, 2), new FilterSparsity(2)), [1, 0, 3, 4, 5, 0, 4, 3]));
}

public class ChannelSparsityTests : GroupSparsityTests
{
    protected override IEnumerable<Case> Large() =>
        from s in Shapes from keep in new[] { 0, 1, s.InputChannels - 1 } select new Case(s, new ChannelSparsity(keep));

    protected override IEnumerable<Case> Small() =>
    [
        Enumerated(TinyShapes[0], new ChannelSparsity(1), (r, c) => (0, c < 3 ? 0 : 1)),
        Enumerated(Convolution(1, 3, 2, 2), new ChannelSparsity(2), (r, c) => (0, c < 4 ? 0 : c < 8 ? 1 : 2)),
        Enumerated(TinyShapes[1], new ChannelSparsity(2), (r, c) => (0, c)),
    ];

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
        [(Convolution(9, 3, 5, 5), () => new ChannelSparsity(4), ["'conv'", "input channels", "4", "0 to 3"])];
}

public class ColumnSparsityTests : GroupSparsityTests
{
    protected override IEnumerable<Case> Large() =>
        from s in Shapes from keep in new[] { 0, 1, s.Columns - 1 } select new Case(s, new ColumnSparsity(keep));

    protected override IEnumerable<Case> Small() =>
        from s in TinyShapes from keep in new[] { 0, 1, 4 } select Enumerated(s, new ColumnSparsity(keep), (r, c) => (0, c));

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
        [(Convolution(9, 3, 2, 2), () => new ColumnSparsity(13), ["'conv'", "columns", "13", "0 to 12"])];
}

public class BlockSparsityTests : GroupSparsityTests
{
    protected override IEnumerable<Case> Large() =>
        from s in Shapes
        from block in new[] { (1, 1), (2, 3), (3, 4) }
        from keep in new[] { 0, 2 }
        select new Case(s, new BlockSparsity(block.Item1, block.Item2, keep));

    protected override IEnumerable<Case> Small() =>
    [
        .. from s in TinyShapes
           from keep in new[] { 0, 1, 2 }
           select Enumerated(s, new BlockSparsity(2, 3, keep), (r, c) => (0, ((r < 2 ? 0 : 1) * 100) + (c < 3 ? 0 : 1))),
        Enumerated(TinyShapes[2], new BlockSparsity(1, 1, 3), (r, c) => (0, (100 * r) + c)),
    ];

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
        [(FullyConnected(5, 7), () => new BlockSparsity(2, 3, 10), ["'fc'", "blocks", "10", "0 to 9"]),
         (FullyConnected(5, 7), () => new BlockSparsity(6, 3, 1), ["rows of a block", "6", "1 to 5"]),
         (FullyConnected(5, 7), () => new BlockSparsity(2, 0, 1), ["columns of a block", "0", "1 to 7"])];
}

public class NOfMTests : GroupSparsityTests
{
    protected override IEnumerable<Case> Large() =>
        from s in Shapes
        from nm in new[] { (0, 3), (1, 2), (2, 4), (3, 5) }
        select new Case(s, new NOfM(nm.Item1, nm.Item2));

    protected override IEnumerable<Case> Small() =>
        from s in TinyShapes
        from nm in new[] { (1, 2), (2, 3), (2, 4), (3, 4) }
        select Enumerated(s, new NOfM(nm.Item1, nm.Item2), (r, c) => ((100 * r) + (c / nm.Item2), c));

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
        [(FullyConnected(5, 7), () => new NOfM(5, 4), ["'fc'", "each 4", "5", "0 to 4"]),
         (FullyConnected(5, 7), () => new NOfM(2, 8), ["'fc'", "8", "1 to 7"]),
         (FullyConnected(5, 7), () => new NOfM(0, 0), ["'fc'", "0", "1 to 7"])];

    [Fact]
    public void Runs_end_with_their_row_and_the_last_keeps_n_too() => Assert.Equal(
        [0, 2, 3, 0, 5, 1, 1, 0, 0, 4],
        Project(new Case(FullyConnected(2, 5), new NOfM(2, 4)), [1, 2, 3, 1, 5, 1, 1, 1, 1, 4]));
}

public class CrossbarSparsityTests : GroupSparsityTests
{
    protected override IEnumerable<Case> Large() =>
    [
        .. from s in Shapes
           from keep in new[] { 0, 1, 2 }
           select new Case(s, new CrossbarSparsity(keep, rows: 8, columns: 5)),
        new Case(FullyConnected(100, 130), new CrossbarSparsity(16)),
    ];

    protected override IEnumerable<Case> Small() =>
    [
        // Crossbars of 2 inputs x 2 outputs, and of 4 x 2: the output's weights within one are a group.
        .. from s in TinyShapes select Enumerated(s, new CrossbarSparsity(1, 2, 2), (r, c) => ((100 * (r / 2)) + (c / 2), r)),
        .. from s in TinyShapes select Enumerated(s, new CrossbarSparsity(1, 4, 2), (r, c) => ((100 * (r / 2)) + (c / 4), r)),
        Enumerated(TinyShapes[1], new CrossbarSparsity(2, 3, 64), (r, c) => (c / 3, r)),
    ];

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
        [(FullyConnected(5, 7), () => new CrossbarSparsity(65), ["'fc'", "128x64", "65", "0 to 64"]),
         (FullyConnected(5, 7), () => new CrossbarSparsity(1, 0, 64), ["rows of a crossbar", "0", "at least 1"]),
         (FullyConnected(5, 7), () => new CrossbarSparsity(1, 8, -2), ["columns of a crossbar", "-2", "at least 1"])];
}
