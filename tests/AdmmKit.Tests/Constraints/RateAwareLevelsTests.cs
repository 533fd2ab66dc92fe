using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Constraints;

/// <summary>The laws with lambda 0, where the set is that of <see cref="EqualDistanceLevels"/>; what else it does, below.</summary>
public class RateAwareLevelsTests : ProjectionLaws
{
    private const float Rho = 0.003f;

    protected override double Repeatability => 1e-6;

    protected override double Rounding => 1e-6;

    protected override IEnumerable<Case> Large() =>
        from shape in new[] { Shapes[0], Shapes[2] }
        from bits in new[] { 1, 3 }
        from q in new float?[] { 0.3f, null }
        select new Case(shape, new RateAwareLevels(Levels(shape.WeightCount, bits, q), 0));

    protected override IEnumerable<Case> Small()
    {
        foreach (float? q in new float?[] { 0.45f, null })
        {
            yield return new Case(
                FullyConnected(1, 6), new RateAwareLevels(new EqualDistanceLevels([true, true, true, true, true, false], 2, q), 0),
                v => ((double)v[^1] * v[^1]) + BruteForce.OverLevels(v[..^1], [-2, -1, 1, 2], q));
        }
    }

    protected override IEnumerable<float[]> Outside(Case c, float[] z)
    {
        foreach (int at in new[] { Array.IndexOf(z, 0f), Array.FindLastIndex(z, x => x != 0) })
        {
            float[] outside = [.. z];
            outside[at] = z[at] == 0 ? 1 : 0;
            yield return outside;
        }
    }

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
    [
        (FullyConnected(2, 3), () => new RateAwareLevels(new EqualDistanceLevels(new bool[5], 3), 1), ["'fc'", "5", "6"]),
        (FullyConnected(2, 3), () => new RateAwareLevels(new EqualDistanceLevels(new bool[6], 3), -1), ["lambda is -1"]),
        (FullyConnected(2, 3), () => new RateAwareLevels(new EqualDistanceLevels(new bool[6], 3), double.PositiveInfinity), ["lambda"]),
    ];

    [Fact]
    public void Without_a_charge_it_is_the_nearest_level()
    {
        var random = new RandomStream(2, "nearest");
        LayerInfo layer = FullyConnected(20, 30);
        float[] v = [.. Enumerable.Range(0, 600).Select(i => i % 7 == 0 ? 0.45f : (float)random.NextGaussian())];
        EqualDistanceLevels levels = Levels(600, 3, 0.3f);
        Assert.Equal(Project(new Case(layer, levels), v), Project(new Case(layer, new RateAwareLevels(levels, 0)), v));
    }

    [Theory]
    [InlineData(1, 0.45f, 1e-5)]
    [InlineData(2, 0.45f, 1e-4)]
    [InlineData(3, 0.3f, 3e-5)]
    [InlineData(3, null, 3e-5)]
    public void The_objective_is_the_least_over_all_levels(int bits, float? q, double lambda)
    {
        var random = new RandomStream(4, "levels");
        LayerInfo layer = FullyConnected(1, 90);
        EqualDistanceLevels levels = Levels(90, bits, q);
        int most = levels.LevelsPerSign;
        var set = new RateAwareLevels(levels, lambda);
        float[] frozen = [.. Enumerable.Range(0, 90).Select(_ => (float)Math.Abs(random.NextGaussian()))];
        set.Freeze(layer, frozen);
        float qFrozen = levels.IntervalFor(layer, frozen);
        int[] counts = new int[(2 * most) + 1];
        foreach (int i in Enumerable.Range(0, 90).Where(i => i % 3 != 1))
        {
            counts[most + IntervalSearch.NearestLevel(frozen[i], qFrozen, most)]++;
        }

        double Bits(int level) => -Math.Log2((counts[most + level] + 0.5) / (60 + most));
        bool moved = false;
        for (int trial = 0; trial < 5; trial++)
        {
            float[] v = [.. Enumerable.Range(0, 90).Select(_ => (float)random.NextGaussian())];
            var z = new float[90];
            set.Project(layer, v, z, Rho);
            float interval = levels.IntervalFor(layer, v);
            double Cost(float x, int level) => (0.5 * Rho * Math.Pow(x - ((double)interval * level), 2)) + (lambda * Bits(level));
            int[] all = [.. Enumerable.Range(-most, counts.Length).Where(l => l != 0)];
            foreach (int i in Enumerable.Range(0, 90))
            {
                if (i % 3 == 1)
                {
                    Assert.Equal(0, z[i]);
                    continue;
                }

                int level = (int)Math.Round(z[i] / interval);
                Assert.Equal(interval * level, z[i]);
                Assert.Equal(all.Min(l => Cost(v[i], l)), Cost(v[i], level), 1e-12);
                moved |= level != IntervalSearch.NearestLevel(v[i], interval, most);
            }
        }

        Assert.True(moved, "no weight left its nearest level: lambda is too small for this test");
    }

    [Fact]
    public void A_layer_without_survivors_stays_zero()
    {
        var none = new Case(FullyConnected(1, 3), new RateAwareLevels(new EqualDistanceLevels(new bool[3], 2), 1));
        none.Set.Freeze(none.Layer, new float[3]);
        Assert.Equal([0f, 0f, 0f], Project(none, [1f, 2f, 3f]));
    }

    [Fact]
    public void A_constraint_by_layers_passes_on_what_is_frozen()
    {
        LayerInfo layer = FullyConnected(1, 4);
        RateAwareLevels Set() => new(new EqualDistanceLevels([true, true, true, true], 1, 1), 0.01);
        RateAwareLevels direct = Set(), within = Set();
        var perLayer = new PerLayer(new Dictionary<string, IConstraint> { ["fc"] = within });
        float[] mostlyDown = [-1, -1, -1, 1], v = [0.1f, 0.1f, -0.1f, 2];
        direct.Freeze(layer, mostlyDown);
        perLayer.Freeze([layer, layer with { Name = "free" }], [mostlyDown, new float[4]]);
        Assert.Equal(Project(new Case(layer, direct), v), Project(new Case(layer, within), v));
        Assert.NotEqual(Project(new Case(layer, Set()), v), Project(new Case(layer, within), v));
    }

    private static EqualDistanceLevels Levels(int count, int bits, float? q) =>
        new([.. Enumerable.Range(0, count).Select(i => i % 3 != 1)], bits, q);
}
