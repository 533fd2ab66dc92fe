using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// Every weight takes one of -L q, ..., -q, 0, q, ..., L q: quantization that may prune; ternary weights for L = 1. It
/// differs from sec. 3.4.2 in [Ren2019], where zero is no level, and is the joint problem of sec. 3.3 without a budget.
/// </summary>
/// <remarks>
/// With q given, the projection takes the nearest level. With q searched, it is the projection onto the union of these sets
/// over all q > 0 (see <see cref="IntervalSearch"/>); for L = 1 that is to keep the k largest magnitudes and give them their
/// mean, where k maximises (sum of these magnitudes)^2 / k.
/// </remarks>
public sealed class LevelsWithZero : IConstraint
{
    /// <summary>Sets the levels.</summary>
    /// <param name="levelsPerSign">L, 1 to 128; 1 is ternary.</param>
    /// <param name="interval">q, finite and positive, in units of the weights; null to search it at each projection.</param>
    /// <exception cref="AdmmKitException">A parameter is out of range.</exception>
    public LevelsWithZero(int levelsPerSign, float? interval = null)
    {
        int most = IntervalSearch.LevelsPerSign(IntervalSearch.MaximumBits);
        if (levelsPerSign < 1 || levelsPerSign > most)
        {
            throw new AdmmKitException(FormattableString.Invariant($"{levelsPerSign} levels of each sign, but must be 1 to {most}."));
        }

        LevelsPerSign = levelsPerSign;
        Interval = EqualDistanceLevels.CheckInterval(interval, levelsPerSign);
    }

    /// <summary>L: levels of each sign.</summary>
    public int LevelsPerSign { get; }

    /// <summary>q as given, or null where it is searched.</summary>
    public float? Interval { get; }

    /// <inheritdoc/>
    public string Description => FormattableString.Invariant($"{(2 * LevelsPerSign) + 1} equal-distance levels with zero, ")
        + (Interval is { } q ? FormattableString.Invariant($"q = {q}") : "q searched");

    /// <inheritdoc/>
    public void Validate(LayerInfo layer)
    {
        // Any layer can be quantized.
    }

    /// <summary>The interval with which <see cref="Project"/> quantizes: the given one, or the best for these values.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="v">The values, row-major and finite.</param>
    /// <returns>q; 0 only where it is searched and all values are zero.</returns>
    /// <exception cref="AdmmKitException">A value is not finite.</exception>
    public float IntervalFor(LayerInfo layer, ReadOnlySpan<float> v)
    {
        Guard.Weights(layer, v, v);
        return Interval ?? IntervalSearch.Find(v, 0, LevelsPerSign);
    }

    /// <inheritdoc/>
    public void Project(LayerInfo layer, ReadOnlySpan<float> v, Span<float> z, float rho)
    {
        Guard.Weights(layer, v, z);
        float q = IntervalFor(layer, v);
        for (int i = 0; i < v.Length; i++)
        {
            z[i] = q == 0 ? 0 : q * IntervalSearch.NearestLevel(v[i], q, 0, LevelsPerSign);
        }
    }

    /// <inheritdoc/>
    public bool Contains(LayerInfo layer, ReadOnlySpan<float> z)
    {
        if (z.Length != layer.WeightCount || Guard.IndexOfNonFinite(z) >= 0)
        {
            return false;
        }

        float q = IntervalFor(layer, z);
        return q == 0 || EqualDistanceLevels.OnLevels(z, q, 0, LevelsPerSign);
    }
}
