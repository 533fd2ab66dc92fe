using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Constraints;

public class EqualDistanceLevelsTests : ProjectionLaws
{
    // q itself is a rounded float where it is searched.
    protected override double Repeatability => 1e-6;

    protected override double Rounding => 1e-6;

    protected override IEnumerable<Case> Large() =>
        from shape in new[] { Shapes[0], Shapes[1], Shapes[2], Shapes[4] }
        from bits in new[] { 1, 3, 8 }
        from q in new float?[] { 0.3f, null }
        where bits < 8 || shape.WeightCount < 600
        select new Case(shape, new EqualDistanceLevels(Support(shape.WeightCount), bits, q));

    protected override IEnumerable<Case> Small()
    {
        foreach (var (bits, count) in new[] { (1, 8), (2, 6), (3, 5) })
        {
            foreach (float? q in new float?[] { 0.45f, null })
            {
                bool[] support = [.. Enumerable.Repeat(true, count), false];
                int[] levels = [.. Enumerable.Range(-(1 << (bits - 1)), (1 << bits) + 1).Where(l => l != 0)];
                yield return new Case(
                    FullyConnected(1, count + 1),
                    new EqualDistanceLevels(support, bits, q),
                    v => ((double)v[^1] * v[^1]) + BruteForce.OverLevels(v[..^1], levels, q));
            }
        }
    }

    protected override IEnumerable<float[]> Outside(Case c, float[] z)
    {
        var set = (EqualDistanceLevels)c.Set;
        float q = set.IntervalFor(c.Layer, z);
        int off = Array.IndexOf(z, 0f);
        int on = Array.FindLastIndex(z, x => x != 0);
        return new (int At, float Value)[] { (off, q), (on, 0), (on, 1.4f * q), (on, (set.LevelsPerSign + 0.6f) * q) }
            .Where(p => c.Layer.WeightCount > 60 || set.Interval is not null || p.Value == 0)
            .Select(p =>
            {
                float[] outside = [.. z];
                outside[p.At] = p.Value;
                return outside;
            });
    }

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
    [
        (FullyConnected(2, 3), () => new EqualDistanceLevels(new bool[5], 3), ["'fc'", "5", "6"]),
        (FullyConnected(2, 3), () => new EqualDistanceLevels(new bool[6], 0), ["0 bits", "1 to 8"]),
        (FullyConnected(2, 3), () => new EqualDistanceLevels(new bool[6], 9), ["9 bits", "1 to 8"]),
        (FullyConnected(2, 3), () => new EqualDistanceLevels(new bool[6], 3, 0f), ["q is 0", "positive"]),
        (FullyConnected(2, 3), () => new EqualDistanceLevels(new bool[6], 3, -1f), ["q is -1", "positive"]),
        (FullyConnected(2, 3), () => new EqualDistanceLevels(new bool[6], 3, float.NaN), ["NaN", "positive"]),
        (FullyConnected(2, 3), () => new EqualDistanceLevels(new bool[6], 3, float.PositiveInfinity), ["finite"]),
        (FullyConnected(2, 3), () => new EqualDistanceLevels(new bool[6], 3, 2e38f), ["4 q finite"]),
    ];

    [Fact]
    public void Zero_is_no_level_on_the_support_and_the_only_one_off_it()
    {
        var c = new Case(FullyConnected(1, 6), new EqualDistanceLevels([true, true, true, true, false, true], 2, 0.5f));
        Assert.Equal([0.5f, 0.5f, -0.5f, 1f, 0f, -1f], Project(c, [0f, 0.1f, -0.1f, 9f, 9f, -0.8f]));
    }

    [Fact]
    public void A_layer_without_survivors_stays_zero_and_one_of_zeros_has_no_interval()
    {
        var none = new Case(FullyConnected(1, 3), new EqualDistanceLevels(new bool[3], 2));
        Assert.Equal([0f, 0f, 0f], Project(none, [1f, 2f, 3f]));
        Assert.True(none.Set.Contains(none.Layer, new float[3]));
        var zeros = new Case(FullyConnected(1, 3), new EqualDistanceLevels([true, false, true], 2));
        Assert.Contains("'fc'", Assert.Throws<AdmmKitException>(() => Project(zeros, [0f, 1f, 0f])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Levels_per_sign_are_half_of_2_to_the_bits() =>
        Assert.Equal([1, 2, 4, 128], new[] { 1, 2, 3, 8 }.Select(bits => new EqualDistanceLevels(new bool[1], bits, 1).LevelsPerSign));

    [Fact]
    public void The_support_is_copied_and_made_from_what_is_not_zero()
    {
        bool[] support = EqualDistanceLevels.SupportOf([0f, -0f, 1e-45f, -3f]);
        Assert.Equal([false, false, true, true], support);
        var c = new Case(FullyConnected(1, 4), new EqualDistanceLevels(support, 1, 1));
        support[0] = true;
        Assert.Equal([0f, 0f, 1f, 1f], Project(c, [1f, 1f, 1f, 1f]));
    }

    private static bool[] Support(int count) => [.. Enumerable.Range(0, count).Select(i => i % 3 != 1)];
}

public class LevelsWithZeroTests : ProjectionLaws
{
    protected override double Repeatability => 1e-6;

    protected override double Rounding => 1e-6;

    protected override IEnumerable<Case> Large() =>
        from shape in new[] { Shapes[0], Shapes[1], Shapes[2] }
        from levels in new[] { 1, 4 }
        from q in new float?[] { 0.3f, null }
        select new Case(shape, new LevelsWithZero(levels, q));

    protected override IEnumerable<Case> Small() =>
        from size in new[] { (Levels: 1, Count: 9), (Levels: 2, Count: 6), (Levels: 3, Count: 5) }
        from q in new float?[] { 0.45f, null }
        let levels = Enumerable.Range(-size.Levels, (2 * size.Levels) + 1).ToArray()
        select new Case(FullyConnected(1, size.Count), new LevelsWithZero(size.Levels, q), v => BruteForce.OverLevels(v, levels, q));

    protected override IEnumerable<float[]> Outside(Case c, float[] z)
    {
        var set = (LevelsWithZero)c.Set;
        foreach (float level in new[] { 0.4f, 1.4f, set.LevelsPerSign + 0.6f })
        {
            float[] outside = [.. z];
            outside[5] = level * set.IntervalFor(c.Layer, z);
            yield return outside;
        }
    }

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
    [
        (FullyConnected(2, 3), () => new LevelsWithZero(0), ["0 levels", "1 to 128"]),
        (FullyConnected(2, 3), () => new LevelsWithZero(129), ["129 levels", "1 to 128"]),
        (FullyConnected(2, 3), () => new LevelsWithZero(1, 0f), ["q is 0", "positive"]),
    ];

    [Fact]
    public void Searched_ternary_gives_the_largest_magnitudes_their_mean()
    {
        var random = new RandomStream(5, "ternary");
        for (int trial = 0; trial < 32; trial++)
        {
            // The last two are too large to be swept at once.
            var layer = FullyConnected(7, trial < 30 ? 43 : 150_000);
            int power = trial % 2 == 0 ? 1 : 3;
            float[] v = [.. Enumerable.Range(0, layer.WeightCount).Select(_ => (float)Math.Pow(random.NextGaussian(), power))];
            double[] magnitudes = [.. v.Select(x => Math.Abs((double)x)).OrderDescending()];
            var (best, mean, sum) = (0.0, 0.0, 0.0);
            for (int k = 1; k <= magnitudes.Length; k++)
            {
                sum += magnitudes[k - 1];
                (best, mean) = sum * sum / k > best ? (sum * sum / k, sum / k) : (best, mean);
            }

            Assert.Equal(mean, new LevelsWithZero(1).IntervalFor(layer, v), 1e-6 * mean);
        }
    }

    [Fact]
    public void All_zeros_stay_zero() =>
        Assert.Equal([0f, 0f], Project(new Case(FullyConnected(1, 2), new LevelsWithZero(2)), [0f, -0f]));
}
