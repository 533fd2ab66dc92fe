using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// At most alpha weights of the layer are not zero, and each of these takes one of the M = 2^n levels -M/2 q, ..., -q, q,
/// ..., M/2 q: pruning and quantization in one set, the joint problem of sec. 3.3 in [Ren2019].
/// </summary>
/// <remarks>
/// To keep v at its nearest level instead of zero gains g(v) = v^2 - (|v| - l q)^2 = max over l of 2 |v| l q - l^2 q^2. As a
/// maximum of rising lines g rises with |v|, and it is positive just where |v| > q/2. So whatever q is, the most gain is
/// had by keeping the alpha largest magnitudes, of equal ones the lower index, except those nearer to zero than to +-q:
/// the projection is that onto <see cref="Cardinality"/> followed by that of the kept weights onto
/// <see cref="LevelsWithZero"/>. Because the alpha candidates do not depend on q, the q of least error is that of the
/// second step alone, so with q searched this is the exact projection onto the union over all q > 0 too (as far as
/// <see cref="IntervalSearch"/> is exact).
/// <para>Sec. 3.3 in [Ren2019] prunes first and quantizes afterwards because the choice between zero and a level makes the
/// joint problem harder. For equal-distance levels that is not true of the projection; it stays true of the training, in
/// which a weight that lost its place to a level has to win it back across q/2.</para>
/// </remarks>
public sealed class SparseLevels : IConstraint
{
    private readonly Cardinality cardinality;

    /// <summary>Sets budget and levels.</summary>
    /// <param name="survivors">alpha: how many weights may stay, 0 to the layer's number of weights.</param>
    /// <param name="bits">n, 1 to 8: bits to name a level; 1 is ternary with a budget.</param>
    /// <param name="interval">q, finite and positive, in units of the weights; null to search it at each projection.</param>
    /// <exception cref="AdmmKitException">bits or interval is out of range.</exception>
    public SparseLevels(int survivors, int bits, float? interval = null)
    {
        cardinality = new Cardinality(survivors);
        LevelsPerSign = IntervalSearch.LevelsPerSign(bits);
        Bits = bits;
        Interval = EqualDistanceLevels.CheckInterval(interval, LevelsPerSign);
    }

    /// <summary>alpha: how many weights may stay.</summary>
    public int Survivors => cardinality.Survivors;

    /// <summary>n: bits to name a level.</summary>
    public int Bits { get; }

    /// <summary>M/2 = 2^(n-1): levels of each sign.</summary>
    public int LevelsPerSign { get; }

    /// <summary>q as given, or null where it is searched.</summary>
    public float? Interval { get; }

    /// <inheritdoc/>
    public string Description => FormattableString.Invariant($"keeps at most {Survivors} weights ")
        + FormattableString.Invariant($"at {2 * LevelsPerSign} levels ({Bits} bits), ")
        + (Interval is { } q ? FormattableString.Invariant($"q = {q}") : "q searched");

    /// <inheritdoc/>
    public void Validate(LayerInfo layer) => cardinality.Validate(layer);

    /// <summary>The interval with which <see cref="Project"/> quantizes: the given one, or the best for these values.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="v">The values, row-major and finite; only the <see cref="Survivors"/> largest magnitudes count.</param>
    /// <returns>q; 0 only where it is searched and all that may stay are zero.</returns>
    /// <exception cref="AdmmKitException">A value is not finite, or the set does not fit the layer.</exception>
    public float IntervalFor(LayerInfo layer, ReadOnlySpan<float> v)
    {
        var kept = new float[v.Length];
        cardinality.Project(layer, v, kept, 1);
        return IntervalOf(kept);
    }

    /// <inheritdoc/>
    public void Project(LayerInfo layer, ReadOnlySpan<float> v, Span<float> z, float rho)
    {
        cardinality.Project(layer, v, z, rho);
        float q = IntervalOf(z);
        for (int i = 0; i < z.Length; i++)
        {
            z[i] = q == 0 ? 0 : q * IntervalSearch.NearestLevel(z[i], q, 0, LevelsPerSign);
        }
    }

    /// <inheritdoc/>
    public bool Contains(LayerInfo layer, ReadOnlySpan<float> z)
    {
        if (!cardinality.Contains(layer, z))
        {
            return false;
        }

        float q = IntervalOf(z);
        return q == 0 || EqualDistanceLevels.OnLevels(z, q, 0, LevelsPerSign);
    }

    /// <summary>The interval for candidates chosen already. Zeros count for nothing and would only slow the search.</summary>
    private float IntervalOf(ReadOnlySpan<float> kept) =>
        Interval ?? IntervalSearch.Find(IntervalSearch.NonZero(kept), 0, LevelsPerSign);
}
