using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Constraints;

public class SparseLevelsTests : ProjectionLaws
{
    // q itself is a rounded float where it is searched.
    protected override double Repeatability => 1e-6;

    protected override double Rounding => 1e-6;

    protected override IEnumerable<Case> Large() =>
        from shape in new[] { Shapes[0], Shapes[1], Shapes[2] }
        from bits in new[] { 1, 3 }
        from q in new float?[] { 0.3f, null }
        select new Case(shape, new SparseLevels(shape.WeightCount / 4, bits, q));

    protected override IEnumerable<Case> Small() =>
        from size in new[] { (Bits: 1, Count: 8), (Bits: 2, Count: 6), (Bits: 3, Count: 4) }
        from survivors in new[] { 1, 3, size.Count }
        from q in new float?[] { 0.45f, null }
        let largest = 1 << (size.Bits - 1)
        let levels = Enumerable.Range(-largest, (2 * largest) + 1).ToArray()
        select new Case(
            FullyConnected(1, size.Count), new SparseLevels(survivors, size.Bits, q), v => BruteForce.OverLevels(v, levels, q, survivors));

    protected override IEnumerable<float[]> Outside(Case c, float[] z)
    {
        var set = (SparseLevels)c.Set;
        float q = set.IntervalFor(c.Layer, z);
        int on = Array.FindIndex(z, x => x != 0);
        int off = Array.IndexOf(z, 0f);
        List<(int At, float Value)> points = [(on, 0.4f * q), (on, 1.4f * q), (on, (set.LevelsPerSign + 0.6f) * q)];
        if (z.Count(x => x != 0) == set.Survivors)
        {
            points.Add((off, q));
        }

        return points.Select(p =>
        {
            float[] outside = [.. z];
            outside[p.At] = p.Value;
            return outside;
        });
    }

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
    [
        (FullyConnected(2, 3), () => new SparseLevels(7, 3), ["'fc'", "7", "0 to 6"]),
        (FullyConnected(2, 3), () => new SparseLevels(-1, 3), ["'fc'", "-1", "0 to 6"]),
        (FullyConnected(2, 3), () => new SparseLevels(2, 9), ["9 bits", "1 to 8"]),
        (FullyConnected(2, 3), () => new SparseLevels(2, 3, 0f), ["q is 0", "positive"]),
    ];

    [Fact]
    public void Weights_nearer_to_zero_than_to_a_level_go_even_within_the_budget()
    {
        var c = new Case(FullyConnected(1, 6), new SparseLevels(5, 2, 1f));
        Assert.Equal([1f, 0f, -2f, 0f, -1f, 0f], Project(c, [0.6f, 0.4f, -9f, -0.4f, -0.6f, 0f]));
    }

    [Fact]
    public void Ties_go_to_the_lower_index_also_where_both_reach_the_last_level()
    {
        Assert.Equal([0f, 1f, 1f, 0f], Project(new Case(FullyConnected(1, 4), new SparseLevels(2, 1, 1f)), [2f, 3f, 3f, 3f]));
    }

    [Fact]
    public void It_is_never_further_than_pruning_first_and_quantizing_the_survivors_afterwards()
    {
        var random = new RandomStream(7, "two steps");
        LayerInfo layer = FullyConnected(10, 30);
        bool nearer = false;
        for (int trial = 0; trial < 20; trial++)
        {
            float[] v = [.. Enumerable.Range(0, 300).Select(_ => (float)random.NextGaussian())];
            float[] pruned = Project(new Case(layer, new Cardinality(200)), v);
            float[] twoSteps = Project(new Case(layer, new EqualDistanceLevels(EqualDistanceLevels.SupportOf(pruned), 2)), pruned);
            float[] joint = Project(new Case(layer, new SparseLevels(200, 2)), v);
            Assert.True(Squared(v, joint) <= Squared(v, twoSteps) * (1 + 1e-6));
            nearer |= Squared(v, joint) < 0.99 * Squared(v, twoSteps);
        }

        Assert.True(nearer);
        static double Squared(float[] a, float[] b) => a.Zip(b, (x, y) => Math.Pow((double)x - y, 2)).Sum();
    }

    [Fact]
    public void Zeros_and_no_budget_stay_zero()
    {
        Assert.Equal([0f, 0f], Project(new Case(FullyConnected(1, 2), new SparseLevels(2, 2)), [0f, -0f]));
        Assert.Equal([0f, 0f], Project(new Case(FullyConnected(1, 2), new SparseLevels(0, 2)), [5f, 1f]));
        Assert.True(new SparseLevels(0, 2).Contains(FullyConnected(1, 2), [0f, 0f]));
    }
}
