using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// Equal-distance levels of which the rare ones cost more: a survivor takes the level l that minimises
/// rho/2 (v - l q)^2 + lambda bits(l), where bits(l) = -log2 of the level's share of the survivors, frozen at the last Z
/// update. So values gather at the levels that are common already, and a code for the values becomes shorter.
/// </summary>
/// <remarks>
/// The proximal map of lambda times the bits of all values over the set of <see cref="EqualDistanceLevels"/>: exact where q is
/// given, because the survivors then choose one by one. Where q is searched, it is the q of least squared error without
/// the bits. A level's share is smoothed by half an observation of each, so none is 0. Of equal levels the one nearest to v is
/// taken, then the lower; lambda = 0 is <see cref="EqualDistanceLevels"/> itself.
/// </remarks>
public sealed class RateAwareLevels : IConstraint
{
    private readonly EqualDistanceLevels levels;
    private readonly double lambda;
    private double[]? bits;

    /// <summary>Sets the levels and what a bit costs.</summary>
    /// <param name="levels">The levels, and the support, which stays as it is.</param>
    /// <param name="lambda">Loss a bit, not negative and finite.</param>
    /// <exception cref="AdmmKitException">lambda is out of range.</exception>
    public RateAwareLevels(EqualDistanceLevels levels, double lambda)
    {
        ArgumentNullException.ThrowIfNull(levels);
        this.levels = levels;
        this.lambda = lambda >= 0 && double.IsFinite(lambda) ? lambda : throw new AdmmKitException(FormattableString.Invariant(
            $"Rate-aware levels: lambda is {lambda}, but must be finite and not negative."));
    }

    /// <inheritdoc/>
    public string Description => levels.Description + FormattableString.Invariant($", {lambda:g3} a bit");

    /// <inheritdoc/>
    public void Validate(LayerInfo layer) => levels.Validate(layer);

    /// <inheritdoc/>
    /// <remarks>Values that lie on no level, as before the first projection, count for the nearest one.</remarks>
    public void Freeze(LayerInfo layer, ReadOnlySpan<float> z)
    {
        var counts = new int[1 + (2 * levels.LevelsPerSign)];
        int survivors = 0;
        float q = Interval(layer, z);
        for (int i = 0; i < z.Length; i++)
        {
            if (levels.Survives(i))
            {
                survivors++;
                counts[levels.LevelsPerSign + IntervalSearch.NearestLevel(z[i], q, levels.LevelsPerSign)]++;
            }
        }

        bits = Array.ConvertAll(counts, n => Math.Log2((survivors + levels.LevelsPerSign) / (n + 0.5)));
    }

    /// <inheritdoc/>
    /// <remarks>The costs are those of the last <see cref="Freeze"/>; where there was none, it is done with v.</remarks>
    public void Project(LayerInfo layer, ReadOnlySpan<float> v, Span<float> z, float rho)
    {
        Validate(layer);
        Guard.Weights(layer, v, z);
        if (bits is null)
        {
            Freeze(layer, v);
        }

        float q = Interval(layer, v);
        for (int i = 0; i < v.Length; i++)
        {
            z[i] = levels.Survives(i) ? q * Best(v[i], q, rho) : 0;
        }
    }

    /// <inheritdoc/>
    public bool Contains(LayerInfo layer, ReadOnlySpan<float> z) => levels.Contains(layer, z);

    /// <summary>The interval of these values; 1 where none survives.</summary>
    private float Interval(LayerInfo layer, ReadOnlySpan<float> v) => levels.Survivors == 0 ? 1 : levels.IntervalFor(layer, v);

    private int Best(float v, float q, float rho)
    {
        int best = IntervalSearch.NearestLevel(v, q, levels.LevelsPerSign);
        double least = Cost(best);
        for (int level = -levels.LevelsPerSign; level <= levels.LevelsPerSign; level++)
        {
            if (level != 0 && Cost(level) < least)
            {
                (best, least) = (level, Cost(level));
            }
        }

        return best;

        double Cost(int level)
        {
            double difference = v - ((double)q * level);
            return (0.5 * rho * difference * difference) + (lambda * bits![levels.LevelsPerSign + level]);
        }
    }
}
