using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Constraints;

public class BlockCirculantTests : ProjectionLaws
{
    // A projection is rounded to float, so a point on the way may be nearer by that much.
    protected override double Rounding => 1e-7;

    protected override IEnumerable<Case> Large() =>
        from s in Shapes from k in new[] { 2, 4, 7, 16 } where k <= Math.Max(s.Rows, s.Columns) select new Case(s, new BlockCirculant(k));

    protected override IEnumerable<Case> Small() =>
        from s in new[] { FullyConnected(4, 4), FullyConnected(5, 7), FullyConnected(3, 8), Convolution(7, 2, 1, 2), FullyConnected(2, 9) }
        from k in new[] { 1, 2, 3, 4, 5, 8 }
        where k <= Math.Max(s.Rows, s.Columns)
        select new Case(s, new BlockCirculant(k), v => BruteForce.ToCirculant(v, s.Rows, s.Columns, k));

    protected override IEnumerable<float[]> Outside(Case c, float[] z)
    {
        float[] outside = [.. z];
        outside[0] += 0.01f;
        yield return outside;
    }

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
        [(FullyConnected(5, 7), () => new BlockCirculant(8), ["'fc'", "8", "1 to 7"]),
         (FullyConnected(5, 7), () => new BlockCirculant(0), ["'fc'", "0", "1 to 7"])];

    [Fact]
    public void Each_row_is_the_one_above_turned_right_and_edges_are_cropped() => Assert.Equal(
        [2, 2.5f, 5, 2, 2.5f, 2, 2, 5, 3, 5, 9, 7],
        Project(new Case(FullyConnected(3, 4), new BlockCirculant(2)), [1, 2, 4, 3, 3, 3, 1, 6, 3, 5, 9, 7]));
}
