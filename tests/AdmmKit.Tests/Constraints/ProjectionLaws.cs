using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Constraints;

/// <summary>What every projection obeys. A new constraint needs a new subclass here, which says where it is tried.</summary>
public abstract class ProjectionLaws
{
    private const float Rho = 0.003f;

    /// <summary>A set on a layer.</summary>
    /// <param name="Nearest">The squared distance to the set by enumeration, independent of the set's own code.</param>
    /// <param name="Weight">What a squared difference at an index counts; 1 where null.</param>
    public sealed record Case(LayerInfo Layer, IConstraint Set, Func<float[], double>? Nearest = null, double[]? Weight = null)
    {
        public override string ToString() => $"{Set.Description} on {Layer.Shape}";
    }

    /// <summary>Sets on layers of several shapes, each smaller than the whole space.</summary>
    protected abstract IEnumerable<Case> Large();

    /// <summary>Sets on layers so small that all of their points or faces can be enumerated.</summary>
    protected abstract IEnumerable<Case> Small();

    /// <summary>Sets that do not fit a layer, with words that the error must contain.</summary>
    protected abstract IEnumerable<(LayerInfo Layer, Func<IConstraint> Set, string[] Words)> Invalid();

    /// <summary>Points just outside, made from the projection of a Gaussian point. By default, one zero comes alive.</summary>
    protected virtual IEnumerable<float[]> Outside(Case c, float[] z)
    {
        int[] zeros = [.. Enumerable.Range(0, z.Length).Where(i => z[i] == 0)];
        foreach (int i in new[] { zeros[0], zeros[zeros.Length / 2], zeros[^1] })
        {
            float[] outside = [.. z];
            outside[i] = 0.01f;
            yield return outside;
        }
    }

    /// <summary>Relative error allowed to a repeated projection; 0 means the same bits.</summary>
    protected virtual double Repeatability => 0;

    /// <summary>Relative error allowed to a squared distance: its rounding in double.</summary>
    protected virtual double Rounding => 1e-12;

    public static LayerInfo Convolution(int rows, int channels, int height, int width) =>
        new("conv", LayerKind.Convolution, rows, channels, height, width, 1);

    public static LayerInfo FullyConnected(int rows, int columns) => new("fc", LayerKind.FullyConnected, rows, columns, 1, 1, 1);

    protected static LayerInfo[] Shapes { get; } =
    [
        Convolution(12, 5, 3, 3), Convolution(7, 3, 5, 1), FullyConnected(37, 53), FullyConnected(50, 70), FullyConnected(3, 17),
    ];

    [Fact]
    public void Projecting_twice_changes_nothing()
    {
        foreach (var (c, v) in Points(Large().Concat(Small()), 6))
        {
            float[] once = Project(c, v);
            float[] twice = Project(c, once);
            for (int i = 0; i < once.Length; i++)
            {
                double allowed = Repeatability * Math.Abs(once[i]);
                Assert.True(Math.Abs(once[i] - twice[i]) <= allowed, $"{c}: {once[i]:R} then {twice[i]:R} at {i}");
            }
        }
    }

    [Fact]
    public void The_projection_lies_in_the_set()
    {
        foreach (var (c, v) in Points(Large().Concat(Small()), 6))
        {
            float[] z = Project(c, v);
            Assert.True(c.Set.Contains(c.Layer, z), $"{c}");
            Assert.False(c.Set.Contains(c.Layer, z.AsSpan(1)), $"{c}: a point of another length");
            z[0] = float.NaN;
            Assert.False(c.Set.Contains(c.Layer, z), $"{c}: NaN");
        }
    }

    [Fact]
    public void Points_outside_are_told_from_points_inside()
    {
        foreach (var (c, v) in Points(Large(), 1))
        {
            Assert.False(c.Set.Contains(c.Layer, v), $"{c}: a Gaussian point");
            foreach (float[] outside in Outside(c, Project(c, v)))
            {
                Assert.False(c.Set.Contains(c.Layer, outside), $"{c}");
            }
        }
    }

    [Fact]
    public void No_random_feasible_point_is_nearer()
    {
        var random = new RandomStream(3, "feasible");
        float[] noise = [.. Enumerable.Range(0, 100_003).Select(_ => (float)random.NextGaussian())];
        foreach (var (c, v) in Points(Large(), 4))
        {
            float[] z = Project(c, v);
            double nearest = Distance(c, v, z);
            for (int trial = 0; trial < 30; trial++)
            {
                // Other points of the set: far ones, ones near v, and ones near z.
                float[] origin = trial % 3 == 0 ? new float[v.Length] : trial % 3 == 1 ? v : z;
                double scale = trial % 3 == 0 ? 1 : Math.Pow(10, random.NextDouble(-3, 0));
                int start = random.NextInt(noise.Length - v.Length);
                float[] feasible = Project(c, [.. origin.Select((x, i) => x + (float)(scale * noise[start + i]))]);
                double distance = Distance(c, v, feasible);
                Assert.True(nearest <= distance * (1 + Rounding), $"{c}: {distance:R} is nearer than {nearest:R}");
            }
        }
    }

    [Fact]
    public void The_projection_is_the_nearest_of_all_points_by_enumeration()
    {
        foreach (var (c, v) in Points(Small(), 24))
        {
            double distance = Distance(c, v, Project(c, v));
            double nearest = c.Nearest!(v);
            double allowed = (Rounding * nearest) + (1e-12 * v.Sum(x => (double)x * x));
            Assert.True(Math.Abs(distance - nearest) <= allowed, $"{c}: {distance:R}, but {nearest:R} is possible");
        }
    }

    [Fact]
    public void In_place_gives_the_same()
    {
        foreach (var (c, v) in Points(Large().Concat(Small()), 3))
        {
            float[] expected = Project(c, v);
            float[] z = [.. v];
            c.Set.Project(c.Layer, z, z, Rho);
            Assert.Equal(expected, z);
        }
    }

    [Fact]
    public void Numbers_that_are_not_finite_are_refused()
    {
        foreach (var (c, v) in Points(Large(), 1))
        {
            foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            {
                float[] broken = [.. v];
                broken[3] = bad;
                var e = Assert.Throws<AdmmKitException>(() => Project(c, broken));
                Assert.Contains("index 3 ", e.Message, StringComparison.Ordinal);
                Assert.Contains("'", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Arrays_of_the_wrong_length_are_refused()
    {
        foreach (var (c, v) in Points(Large(), 1))
        {
            Assert.Throws<AdmmKitException>(() => c.Set.Project(c.Layer, v.AsSpan(1), new float[v.Length], Rho));
            Assert.Throws<AdmmKitException>(() => c.Set.Project(c.Layer, v, new float[v.Length - 1], Rho));
        }
    }

    [Fact]
    public void Sets_that_do_not_fit_say_what_where_and_the_bound()
    {
        foreach (var (layer, set, words) in Invalid())
        {
            var e = Assert.Throws<AdmmKitException>(() => set().Validate(layer));
            Assert.All(words, word => Assert.Contains(word, e.Message, StringComparison.Ordinal));
            Assert.Throws<AdmmKitException>(() => set().Project(layer, new float[layer.WeightCount], new float[layer.WeightCount], Rho));
        }
    }

    [Fact]
    public void Descriptions_are_short_and_name_no_bare_ratio()
    {
        foreach (Case c in Large())
        {
            Assert.InRange(c.Set.Description.Length, 5, 80);
            Assert.DoesNotContain("ratio", c.Set.Description, StringComparison.OrdinalIgnoreCase);
        }
    }

    protected static float[] Project(Case c, float[] v)
    {
        var z = new float[v.Length];
        c.Set.Project(c.Layer, v, z, Rho);
        return z;
    }

    private static double Distance(Case c, float[] v, float[] z)
    {
        double sum = 0;
        for (int i = 0; i < v.Length; i++)
        {
            double d = (double)v[i] - z[i];
            sum += (c.Weight?[i] ?? 1) * d * d;
        }

        return sum;
    }

    /// <summary>Gaussian points first, then ones with many ties, many zeros, and one outlier.</summary>
    private static IEnumerable<(Case Case, float[] V)> Points(IEnumerable<Case> cases, int count)
    {
        var random = new RandomStream(1, "points");
        foreach (Case c in cases)
        {
            for (int kind = 0; kind < count; kind++)
            {
                var v = new float[c.Layer.WeightCount];
                for (int i = 0; i < v.Length; i++)
                {
                    double x = random.NextGaussian();
                    v[i] = (float)((kind % 4) switch
                    {
                        1 => Math.Round(x),
                        2 => random.NextDouble() < 0.7 ? 0 : x,
                        3 => i == 2 ? 50 * x : x,
                        _ => x,
                    });
                }

                // The search for an interval needs one survivor that is not zero.
                v[0] = v[0] == 0 ? 1 : v[0];
                yield return (c, v);
            }
        }
    }
}
