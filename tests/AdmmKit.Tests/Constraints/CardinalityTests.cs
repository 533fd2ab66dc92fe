using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Constraints;

public class CardinalityTests : ProjectionLaws
{
    // The last shape is conv2 of LeNet-5.
    protected override IEnumerable<Case> Large() =>
        from shape in Shapes.Append(Convolution(50, 20, 5, 5))
        from part in new[] { 0.0, 0.02, 0.5, 0.99 }
        where shape.WeightCount < 10_000 || part == 0.02
        select new Case(shape, new Cardinality((int)(part * (shape.WeightCount - 1))));

    protected override IEnumerable<Case> Small() =>
        from k in new[] { 0, 1, 4, 8, 9 }
        select new Case(FullyConnected(3, 3), new Cardinality(k), BruteForce.OverSupports(9, kept => kept.Count(x => x) <= k));

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
    [
        (FullyConnected(3, 4), () => new Cardinality(13), ["'fc'", "13", "0 to 12", "3x4"]),
        (FullyConnected(3, 4), () => new Cardinality(-1), ["'fc'", "-1", "0 to 12"]),
    ];

    [Fact]
    public void Exactly_alpha_survive_ties_and_the_lower_index_stays()
    {
        var c = new Case(FullyConnected(2, 3), new Cardinality(3));
        Assert.Equal([0, 2, -2, 0, 2, 0], Project(c, [1, 2, -2, 1, 2, -2]));
        Assert.Equal([0, 0, 5, 0, 0, 0], Project(c, [0, 0, 5, 0, 0, 0]));
    }
}

public class PerLayerTests
{
    private static readonly LayerInfo[] Layers =
        [new("conv1", LayerKind.Convolution, 1, 1, 1, 3, 1), new("fc1", LayerKind.FullyConnected, 1, 2, 1, 1, 1)];

    [Fact]
    public void A_layer_without_a_constraint_is_copied()
    {
        var set = new PerLayer(new Dictionary<string, IConstraint> { ["conv1"] = new Cardinality(1) });
        float[][] z = [new float[3], new float[2]];
        Assert.False(set.Contains(Layers, [[1f, 2f, 3f], [4f, 5f]]));
        set.Project(Layers, [[1f, -3f, 2f], [4f, 5f]], z, [1f, 1f]);
        Assert.Equal([0f, -3f, 0f], z[0]);
        Assert.Equal([4f, 5f], z[1]);
        Assert.True(set.Contains(Layers, z));
        Assert.Equal((true, false), (set.Applies(Layers[0]), set.Applies(Layers[1])));
    }

    [Fact]
    public void A_name_that_matches_no_layer_is_an_error_that_suggests_one()
    {
        var set = new PerLayer(new Dictionary<string, IConstraint> { ["conv2"] = new Cardinality(1) });
        var e = Assert.Throws<AdmmKitException>(() => set.Validate(Layers));
        Assert.Contains("Did you mean 'conv1'?", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_that_does_not_fit_its_layer_is_an_error()
    {
        var set = new PerLayer(new Dictionary<string, IConstraint> { ["fc1"] = new Cardinality(3) });
        Assert.Contains("'fc1'", Assert.Throws<AdmmKitException>(() => set.Validate(Layers)).Message, StringComparison.Ordinal);
    }
}

public class NetworkCardinalityTests : ProjectionLaws
{
    private static readonly LayerInfo[] Net = [Named("a", 20, 30), Named("b", 7, 11), Named("c", 3, 5)];
    private static readonly LayerInfo[] Tiny = [Named("a", 2, 2), Named("b", 1, 4), Named("c", 1, 2)];
    private static readonly float[] Rho = [0.5f, 0.003f, 1.5f];

    protected override IEnumerable<Case> Large() =>
    [
        Joined(Net, new NetworkCardinality(300)),
        Joined(Net, new NetworkCardinality(0)),
        Joined(Net, new NetworkCardinality(40, ["b", "c"])),
        Joined(Net, new NetworkCardinality(600, ["a", "c"])),
    ];

    protected override IEnumerable<Case> Small() =>
    [
        Joined(Tiny, new NetworkCardinality(0)),
        Joined(Tiny, new NetworkCardinality(5)),
        Joined(Tiny, new NetworkCardinality(10)),
        Joined(Tiny, new NetworkCardinality(3, ["a", "c"])),
    ];

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
    [
        (FullyConnected(1, 10), () => Joined(Tiny, new NetworkCardinality(11)).Set, ["11", "0 to 10", "a, b, c"]),
        (FullyConnected(1, 10), () => Joined(Tiny, new NetworkCardinality(5, ["b"])).Set, ["5", "0 to 4", "of b"]),
        (FullyConnected(1, 10), () => Joined(Tiny, new NetworkCardinality(1, ["d"])).Set, ["'d'", "a, b, c"]),
    ];

    [Fact]
    public void Large_rho_keeps_small_weights()
    {
        var set = new NetworkCardinality(1);
        LayerInfo[] layers = [Named("a", 1, 1), Named("b", 1, 1)];
        float[][] z = [new float[1], new float[1]];
        set.Project(layers, [[2f], [1f]], z, [1f, 3.9f]);
        Assert.Equal((2f, 0f), (z[0][0], z[1][0]));
        set.Project(layers, [[2f], [1f]], z, [1f, 4.1f]);
        Assert.Equal((0f, 1f), (z[0][0], z[1][0]));
        set.Project(layers, [[2f], [-2f]], z, [1f, 1f]);
        Assert.Equal((2f, 0f), (z[0][0], z[1][0]));
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(-1f)]
    [InlineData(float.NaN)]
    public void Rho_must_be_positive(float rho)
    {
        float[][] v = [[1f], [1f]];
        LayerInfo[] layers = [Named("a", 1, 1), Named("b", 1, 1)];
        var e = Assert.Throws<AdmmKitException>(() => new NetworkCardinality(1).Project(layers, v, v, [1f, rho]));
        Assert.Contains("'b'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1f, 1f, 1f)]
    [InlineData(0.5f, 0.003f, 1.5f)]
    [InlineData(1e-30f, 1e30f, 1f)]
    public void Large_layers_agree_with_a_stable_sort(float a, float b, float c)
    {
        LayerInfo[] layers = [Named("a", 200, 300), Named("b", 7, 11), Named("c", 300, 100)];
        float[] rho = [a, b, c];
        var random = new RandomStream(6, "network");
        foreach (bool ties in new[] { false, true })
        {
            float[][] v = [.. layers.Select(l => Enumerable.Range(0, l.WeightCount)
                .Select(_ => ties ? random.NextInt(7) - 3 : (float)random.NextGaussian()).ToArray())];
            (int Layer, int Index)[] order = [.. layers.SelectMany((l, i) => Enumerable.Range(0, l.WeightCount).Select(j => (Layer: i, Index: j)))
                .OrderByDescending(p => (double)v[p.Layer][p.Index] * v[p.Layer][p.Index] * rho[p.Layer])];
            foreach (int k in new[] { 1, 3000, 50_000, order.Length })
            {
                float[][] expected = [.. v.Select(x => new float[x.Length])];
                foreach ((int layer, int index) in order.Take(k))
                {
                    expected[layer][index] = v[layer][index];
                }

                float[][] z = [.. v.Select(x => new float[x.Length])];
                new NetworkCardinality(k).Project(layers, v, z, rho);
                Assert.Equal(expected, z);
            }
        }
    }

    private static LayerInfo Named(string name, int rows, int columns) => FullyConnected(rows, columns) with { Name = name };

    private static Case Joined(LayerInfo[] layers, NetworkCardinality set)
    {
        double[] weights = [.. layers.SelectMany((l, i) => Enumerable.Repeat((double)Rho[i], l.WeightCount))];
        bool[] applies = [.. layers.SelectMany(l => Enumerable.Repeat(set.Applies(l), l.WeightCount))];
        return new Case(
            FullyConnected(1, weights.Length),
            new JoinedSet(layers, set, set.Description, Rho),
            weights.Length > 10 ? null : BruteForce.OverSupports(weights.Length, kept => Feasible(kept, applies, set.Survivors), weights),
            weights);
    }

    // What is free stays whole, and what is not keeps to the budget.
    private static bool Feasible(bool[] kept, bool[] applies, int budget) =>
        kept.Zip(applies).All(p => p.First || p.Second) && kept.Zip(applies).Count(p => p.First && p.Second) <= budget;
}
