using AdmmKit.Constraints;

namespace AdmmKit.Tests.Constraints;

public class IntervalSearchTests
{
    // A 4 x 4 matrix in the manner of Fig. 3; the residuals are chosen so that 0.5 is the best interval.
    private static readonly float[] Matrix =
    [
        0.54f, 0f, 0f, -0.97f,
        0f, 2.02f, -0.46f, 0f,
        1.52f, 0f, 1.03f, 0f,
        0f, -1.98f, 0f, 0.44f,
    ];

    [Fact]
    public void A_matrix_like_that_of_Fig_3_has_interval_one_half()
    {
        float q = IntervalSearch.Find(Matrix, 3);
        Assert.Equal(0.5, q, 1e-6);
        int[] levels = [.. Matrix.Where(w => w != 0).Select(w => IntervalSearch.NearestLevel(w, q, 4))];
        Assert.Equal([1, -2, 4, -1, 3, 2, -4, 1], levels);
        Assert.Equal(0.0098, IntervalSearch.SquaredError(Matrix, 3, q), 1e-6);
    }

    [Fact]
    public void Pruned_weights_do_not_count()
    {
        float[] padded = [.. Matrix, .. new float[10_000]];
        Assert.Equal(IntervalSearch.Find(Matrix, 3), IntervalSearch.Find(padded, 3));
        Assert.Equal(IntervalSearch.SquaredError(Matrix, 3, 0.4f), IntervalSearch.SquaredError(padded, 3, 0.4f));
    }

    [Theory]
    [InlineData("gaussian")]
    [InlineData("bimodal")]
    [InlineData("few values")]
    [InlineData("outlier")]
    [InlineData("heavy tails")]
    public void The_interval_has_the_least_error_of_all(string kind)
    {
        var random = new RandomStream(4, kind);
        (int, int, int)[] sizes =
            [(1, 3, 5), (2, 2, 20), (7, 3, 20), (50, 1, 5), (50, 3, 10), (200, 2, 5), (200, 3, 5), (200, 5, 2), (40, 8, 1)];
        foreach (var (n, bits, repeats) in sizes)
        {
            for (int repeat = 0; repeat < repeats; repeat++)
            {
                float[] w = Sample(kind, n, random);
                double found = IntervalSearch.SquaredError(w, bits, IntervalSearch.Find(w, bits));
                double least = LeastError(w, 1 << (bits - 1));
                double allowed = (1e-6 * least) + (1e-12 * w.Sum(x => (double)x * x));
                Assert.True(Math.Abs(found - least) <= allowed, $"{n} {kind} weights, {bits} bits: {found:R}, but {least:R} is possible");
            }
        }
    }

    [Theory]
    [InlineData("gaussian", 4)]
    [InlineData("bimodal", 3)]
    [InlineData("outlier", 4)]
    public void Layers_too_large_to_sort_at_once_lose_nothing(string kind, int bits)
    {
        int levels = 1 << (bits - 1);
        float[] w = Sample(kind, (IntervalSearch.ExactSteps / (levels - 1)) + 1000, new RandomStream(6, kind));
        double found = IntervalSearch.SquaredError(w, bits, IntervalSearch.Find(w, bits));

        double least = LeastErrorOfMany(w, levels);
        Assert.True(Math.Abs(found - least) <= 1e-6 * least, $"{found:R}, but {least:R} is possible");
    }

    [Theory]
    [InlineData(0.74f, 1)]
    [InlineData(0.76f, 2)]
    [InlineData(0.75f, 2)]
    [InlineData(-0.76f, -2)]
    [InlineData(0f, 1)]
    [InlineData(-0.01f, -1)]
    [InlineData(99f, 4)]
    [InlineData(-3e38f, -4)]
    public void The_nearest_level_is_never_zero_and_never_beyond_the_last(float w, int level) =>
        Assert.Equal(level, IntervalSearch.NearestLevel(w, 0.5f, 4));

    [Fact]
    public void What_cannot_be_searched_is_refused()
    {
        Assert.Throws<AdmmKitException>(() => IntervalSearch.Find([0f, 0f], 3));
        Assert.Throws<AdmmKitException>(() => IntervalSearch.Find([], 3));
        Assert.Throws<AdmmKitException>(() => IntervalSearch.Find([1f], 0));
        Assert.Throws<AdmmKitException>(() => IntervalSearch.Find([1f], 9));
        var e = Assert.Throws<AdmmKitException>(() => IntervalSearch.Find([1f, float.NaN], 3));
        Assert.Contains("index 1 ", e.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// The global minimum: between two neighbouring breakpoints |w| / (l + 1/2) the error is one parabola, whose least value
    /// on that piece is at its vertex or at an end.
    /// </summary>
    private static double LeastError(float[] w, int levels)
    {
        double[] magnitudes = [.. w.Select(x => Math.Abs((double)x))];
        List<double> breaks = [.. from m in magnitudes from l in Enumerable.Range(1, levels - 1) select m / (l + 0.5)];
        breaks.AddRange([magnitudes.Min() / levels / 4, magnitudes.Max() * 2]);
        breaks.Sort();
        double least = double.PositiveInfinity;
        for (int i = 0; i + 1 < breaks.Count; i++)
        {
            double middle = (breaks[i] + breaks[i + 1]) / 2;
            double a = 0, b = 0, c = 0;
            foreach (double m in magnitudes)
            {
                double l = Math.Clamp(Math.Round(m / middle), 1, levels);
                (a, b, c) = (a + (l * m), b + (l * l), c + (m * m));
            }

            double q = Math.Clamp(a / b, breaks[i], breaks[i + 1]);
            least = Math.Min(least, c - (2 * q * a) + (q * q * b));
        }

        return least;
    }

    /// <summary>The same for many weights: the parabola is carried along from piece to piece.</summary>
    private static double LeastErrorOfMany(float[] w, int levels)
    {
        var breaks = new double[w.Length * (levels - 1)];
        var moving = new double[breaks.Length];
        double a = 0, c = 0;
        for (int i = 0, n = 0; i < w.Length; i++)
        {
            double m = Math.Abs((double)w[i]);
            a += m * levels;
            c += m * m;
            for (int l = 1; l < levels; l++, n++)
            {
                (breaks[n], moving[n]) = (m / (l + 0.5), l + 0.5);
            }
        }

        // Upwards from q = 0, where all are on the last level.
        Array.Sort(breaks, moving);
        double b = (double)w.Length * levels * levels;
        double least = double.PositiveInfinity;
        for (int i = 0; i < breaks.Length; i++)
        {
            double q = Math.Clamp(a / b, i == 0 ? 0 : breaks[i - 1], breaks[i]);
            least = Math.Min(least, c - (2 * q * a) + (q * q * b));
            a -= breaks[i] * moving[i];
            b -= 2 * moving[i];
        }

        return least;
    }

    private static float[] Sample(string kind, int n, RandomStream random) => [.. Enumerable.Range(0, n).Select(i =>
    {
        double x = random.NextGaussian();
        double value = kind switch
        {
            "bimodal" => Math.Sign(x) * (1 + (0.2 * random.NextGaussian())),
            "few values" => (random.NextInt(3) + 1) * 0.37 * Math.Sign(x),
            "outlier" => i == 0 ? 40 : x,
            "heavy tails" => x * x * x,
            _ => x,
        };
        return value == 0 ? 1f : (float)value;
    })];
}
