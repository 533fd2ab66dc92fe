using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// Every survivor takes one of the M = 2^n levels -M/2 q, ..., -q, q, ..., M/2 q, and pruned weights stay zero: S_i of
/// weight quantization, sec. 3.1 and 3.4.2 in [Ren2019]. Zero is no level: a survivor of value 0 is projected to +q.
/// </summary>
/// <remarks>
/// With q given, the projection takes the nearest level, sec. 3.3. With q searched, it is the projection onto the union of
/// these sets over all q > 0: the q of least squared error over the survivors is found anew at each projection (see
/// <see cref="IntervalSearch"/>), so that q follows the weights while they train.
/// </remarks>
public sealed class EqualDistanceLevels : IConstraint
{
    // A level is q times a whole number, rounded to a float, and a searched q is a rounded quotient.
    private const double Tolerance = 1e-6;
    private readonly bool[] support;

    /// <summary>Sets the levels and the weights that take them.</summary>
    /// <param name="support">True for each surviving weight of the layer, row-major; copied.</param>
    /// <param name="bits">n, 1 to 8: bits to name a level.</param>
    /// <param name="interval">q_i, finite and positive, in units of the weights; null to search it at each projection.</param>
    /// <exception cref="AdmmKitException">bits or interval is out of range.</exception>
    public EqualDistanceLevels(ReadOnlySpan<bool> support, int bits, float? interval = null)
    {
        LevelsPerSign = IntervalSearch.LevelsPerSign(bits);
        Bits = bits;
        Interval = CheckInterval(interval, LevelsPerSign);
        this.support = support.ToArray();
        Survivors = support.Count(true);
    }

    /// <summary>How many weights survive.</summary>
    public int Survivors { get; }

    /// <summary>n: bits to name a level.</summary>
    public int Bits { get; }

    /// <summary>M/2 = 2^(n-1): levels of each sign.</summary>
    public int LevelsPerSign { get; }

    /// <summary>q_i as given, or null where it is searched.</summary>
    public float? Interval { get; }

    /// <inheritdoc/>
    public string Description => FormattableString.Invariant($"{2 * LevelsPerSign} equal-distance levels ({Bits} bits) on ")
        + FormattableString.Invariant($"{Survivors} weights, ")
        + (Interval is { } q ? FormattableString.Invariant($"q = {q}") : "q searched");

    /// <summary>Whether a weight takes a level; one that does not is zero.</summary>
    internal bool Survives(int index) => support[index];

    /// <summary>The support of pruned weights: true where a weight is not zero.</summary>
    /// <param name="weights">The weights of a layer after pruning.</param>
    public static bool[] SupportOf(ReadOnlySpan<float> weights)
    {
        var support = new bool[weights.Length];
        for (int i = 0; i < weights.Length; i++)
        {
            support[i] = weights[i] != 0;
        }

        return support;
    }

    /// <inheritdoc/>
    public void Validate(LayerInfo layer) =>
        Guard.Range(layer, "the length of the support", support.Length, layer.WeightCount, layer.WeightCount);

    /// <summary>The interval with which <see cref="Project"/> quantizes: the given one, or the best for these values.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="v">The values, row-major and finite; those off the support do not count.</param>
    /// <returns>q_i, positive.</returns>
    /// <exception cref="AdmmKitException">A value is not finite, or q is searched and all survivors are zero.</exception>
    public float IntervalFor(LayerInfo layer, ReadOnlySpan<float> v)
    {
        Validate(layer);
        Guard.Weights(layer, v, v);
        if (Interval is { } given)
        {
            return given;
        }

        float q = IntervalSearch.Find(OnSupport(v), 1, LevelsPerSign);
        return q > 0 ? q : throw new AdmmKitException(
            $"Layer '{layer.Name}': all survivors are zero, so no interval q is best. Give q, or prune the whole layer.");
    }

    /// <inheritdoc/>
    public void Project(LayerInfo layer, ReadOnlySpan<float> v, Span<float> z, float rho)
    {
        Validate(layer);
        Guard.Weights(layer, v, z);
        float q = Survivors == 0 ? 1 : IntervalFor(layer, v);
        for (int i = 0; i < v.Length; i++)
        {
            z[i] = support[i] ? q * IntervalSearch.NearestLevel(v[i], q, LevelsPerSign) : 0;
        }
    }

    /// <inheritdoc/>
    public bool Contains(LayerInfo layer, ReadOnlySpan<float> z)
    {
        if (z.Length != support.Length || !SupportOf(z).AsSpan().SequenceEqual(support) || Guard.IndexOfNonFinite(z) >= 0)
        {
            return false;
        }

        return Survivors == 0 || OnLevels(OnSupport(z), IntervalFor(layer, z), 1, LevelsPerSign);
    }

    /// <summary>Whether all values are multiples of q up to rounding, their magnitudes from lowest to highest.</summary>
    internal static bool OnLevels(ReadOnlySpan<float> values, float q, int lowest, int highest)
    {
        foreach (float x in values)
        {
            if (!(Math.Abs(x - ((double)q * IntervalSearch.NearestLevel(x, q, lowest, highest))) <= Tolerance * Math.Abs(x)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>An interval that is absent, or finite and positive, and does not overflow at the largest level.</summary>
    internal static float? CheckInterval(float? interval, int levels) => interval is not { } q || (q > 0 && float.IsFinite(q * levels))
        ? interval
        : throw new AdmmKitException(FormattableString.Invariant(
            $"The interval q is {q}, but must be positive, and {levels} q finite."));

    private float[] OnSupport(ReadOnlySpan<float> v)
    {
        var kept = new float[Survivors];
        int n = 0;
        for (int i = 0; i < support.Length; i++)
        {
            if (support[i])
            {
                kept[n++] = v[i];
            }
        }

        return kept;
    }
}
