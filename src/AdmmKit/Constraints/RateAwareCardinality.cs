using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// Pruning that knows what the file will cost: a survivor is charged the bits of its position, bits_i, which are small in full
/// rows and columns and large in dead ones. Survivors then gather where they are cheap, instead of spreading as they do under
/// <see cref="NetworkCardinality"/>.
/// </summary>
/// <remarks>
/// The costs are frozen (<see cref="Freeze"/>), so each projection below is exact for the costs of the last Z update, sum_i
/// running over all weights, and rho_i being their layer's:
/// <code>
/// ForLambda      argmin_Z  sum_i rho_i/2 (v_i - z_i)^2 + lambda sum_{z_i != 0} bits_i
/// ForSurvivors   the same, over the Z with at most alpha survivors
/// ForBits        argmin_Z  sum_i rho_i/2 (v_i - z_i)^2  over the Z with sum_{z_i != 0} (bits_i + c) at most what is spent
/// </code>
/// A kept weight stays v_i, so keeping i gains rho_i/2 v_i^2 and costs lambda bits_i. The first is the proximal map of the
/// number of bits: keep i iff v_i^2 > (2 lambda / rho_i) bits_i. In the second the alpha largest differences stay, those alone
/// that are positive. The third keeps the most gain a bit, rho_i/2 v_i^2 / (bits_i + c), until the next one does not fit: that
/// is the first one's answer at the lambda of the last survivor, so no Z with as few bits as this one is nearer (H. Everett,
/// Operations Research 11, 1963). A set with exactly the whole budget, less than one survivor's bits more, would be a
/// knapsack's. Of equal weights the earlier layer's is kept, then the lower index; a zero is never chosen.
/// </remarks>
public sealed class RateAwareCardinality : INetworkConstraint
{
    /// <summary>
    /// What the zeros cost, in bits a survivor: -log2(1 - p) summed over all places is log2(e) times the sum of p, where p is
    /// small, and that sum is the number of survivors.
    /// </summary>
    public const double ZeroBits = 1.4426950408889634;

    // Budgets in whole steps of bits add up exactly, in any order.
    private const double StepsPerBit = 1 << 16;

    private readonly ISurvivorCosts costs;
    private readonly double lambda;
    private readonly int? survivors;
    private readonly double? budgetBits;
    private readonly double perSurvivor;
    private float[][]? bits;

    private RateAwareCardinality(ISurvivorCosts costs, double lambda, int? survivors, double? budgetBits, double valueBits)
    {
        ArgumentNullException.ThrowIfNull(costs);
        (this.costs, this.lambda, this.survivors, this.budgetBits) = (costs, lambda, survivors, budgetBits);
        perSurvivor = valueBits + ZeroBits;
        Check("lambda", lambda);
        Check("the bits of a value", valueBits);
        Check("the budget in bits", budgetBits ?? 0);
    }

    /// <summary>The set in a few words.</summary>
    public string Description => budgetBits is { } budget
        ? FormattableString.Invariant($"keeps weights of at most {budget:f0} bits, positions and values together")
        : (survivors is { } alpha ? FormattableString.Invariant($"keeps at most {alpha} weights of the whole network, ") : "")
            + FormattableString.Invariant($"charges {lambda:g3} a bit of position");

    /// <summary>No budget: each survivor pays lambda a bit of its position.</summary>
    /// <param name="costs">What the coder charges.</param>
    /// <param name="lambda">Loss a bit, not negative and finite; 0 keeps everything.</param>
    /// <exception cref="AdmmKitException">lambda is out of range.</exception>
    public static RateAwareCardinality ForLambda(ISurvivorCosts costs, double lambda) => new(costs, lambda, null, null, 0);

    /// <summary>At most so many survivors, which pay lambda a bit besides, so that cheap places are taken first.</summary>
    /// <param name="costs">What the coder charges.</param>
    /// <param name="survivors">alpha: how many weights of the network may stay, 0 to their number.</param>
    /// <param name="lambda">Loss a bit, not negative and finite. 0 is <see cref="NetworkCardinality"/>; where it is large, fewer
    /// than alpha weights are worth their bits.</param>
    /// <exception cref="AdmmKitException">lambda is out of range.</exception>
    public static RateAwareCardinality ForSurvivors(ISurvivorCosts costs, int survivors, double lambda) =>
        new(costs, lambda, survivors, null, 0);

    /// <summary>At most so many bits for positions and values; lambda is found anew in each projection.</summary>
    /// <param name="costs">What the coder charges for a position; each survivor pays <see cref="ZeroBits"/> besides.</param>
    /// <param name="budgetBits">The budget in bits, not negative.</param>
    /// <param name="valueBits">Bits that the value of a survivor takes on average, not negative.</param>
    /// <exception cref="AdmmKitException">A number is out of range.</exception>
    public static RateAwareCardinality ForBits(ISurvivorCosts costs, double budgetBits, double valueBits) =>
        new(costs, 0, null, budgetBits, valueBits);

    /// <inheritdoc/>
    public bool Applies(LayerInfo layer) => true;

    /// <inheritdoc/>
    public void Validate(IReadOnlyList<LayerInfo> layers)
    {
        if (survivors is { } alpha)
        {
            new NetworkCardinality(alpha).Validate(layers);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="AdmmKitException">The costs found are not all finite and positive.</exception>
    public void Freeze(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z)
    {
        if (bits is null || !bits.Select(b => b.Length).SequenceEqual(layers.Select(l => l.WeightCount)))
        {
            bits = [.. layers.Select(l => new float[l.WeightCount])];
        }

        costs.Bits(layers, z, bits);
        for (int i = 0; i < bits.Length; i++)
        {
            int bad = Array.FindIndex(bits[i], b => !(b > 0 && float.IsFinite(b)));
            if (bad >= 0)
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"Layer '{layers[i].Name}': a survivor at index {bad} costs {bits[i][bad]} bits by {costs.GetType().Name}, but must cost a finite and positive number."));
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>The costs are those of the last <see cref="Freeze"/>; where there was none, it is done with v.</remarks>
    /// <exception cref="AdmmKitException">A value is not finite, a rho_i is not positive, or the set does not fit.</exception>
    public void Project(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> v, IReadOnlyList<float[]> z, ReadOnlySpan<float> rho)
    {
        Validate(layers);
        Guard.Network(layers, v, z, rho);
        if (bits is null)
        {
            Freeze(layers, v);
        }

        (ulong threshold, long left) = Threshold(v, rho);
        for (int i = 0; i < v.Count; i++)
        {
            for (int j = 0; j < v[i].Length; j++)
            {
                ulong key = Key(v[i][j], bits![i][j], rho[i]);
                bool kept = key > threshold;
                if (key == threshold && key > 0 && Charge(bits[i][j]) <= left)
                {
                    left -= Charge(bits[i][j]);
                    kept = true;
                }

                z[i][j] = kept ? v[i][j] : 0;
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>Bits are counted as in the next projection.</remarks>
    public bool Contains(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z)
    {
        if (layers.Where((l, i) => z[i].Length != l.WeightCount || Guard.IndexOfNonFinite(z[i]) >= 0).Any())
        {
            return false;
        }

        if (bits is null)
        {
            Freeze(layers, z);
        }

        return z.Select((w, i) => w.Select((x, j) => x != 0 ? Charge(bits![i][j]) : 0).Sum()).Sum() <= Budget;
    }

    private long Budget => budgetBits is { } budget ? (long)Math.Min(budget * StepsPerBit, long.MaxValue / 2) : survivors ?? long.MaxValue;

    /// <summary>What a survivor takes from the budget.</summary>
    private long Charge(float position) => budgetBits is null ? 1 : (long)Math.Round((position + perSurvivor) * StepsPerBit);

    /// <summary>What decides about a weight, as a whole number in the same order; 0 for one that is not worth its bits.</summary>
    private ulong Key(float v, float position, float rho)
    {
        double gain = 0.5 * rho * ((double)v * v);
        double score = budgetBits is null ? gain - (lambda * position) : gain / (position + perSurvivor);
        return score > 0 ? BitConverter.DoubleToUInt64Bits(score) : 0;
    }

    /// <summary>
    /// The key above which all survive, and what the budget then has left for those that have it. Found digit by digit, 16 bits
    /// in a pass: nothing is sorted, and no list of the network's size is made.
    /// </summary>
    private (ulong Key, long Left) Threshold(IReadOnlyList<float[]> v, ReadOnlySpan<float> rho)
    {
        const int DigitBits = 16;
        var charges = new long[1 << DigitBits];
        (ulong found, long left) = (0, Budget);
        for (int shift = 64 - DigitBits; shift >= 0; shift -= DigitBits)
        {
            Array.Clear(charges);
            for (int i = 0; i < v.Count; i++)
            {
                for (int j = 0; j < v[i].Length; j++)
                {
                    ulong key = Key(v[i][j], bits![i][j], rho[i]);
                    if (key > 0 && (shift + DigitBits == 64 || key >> (shift + DigitBits) == found >> (shift + DigitBits)))
                    {
                        charges[(key >> shift) & ((1 << DigitBits) - 1)] += Charge(bits[i][j]);
                    }
                }
            }

            int digit = charges.Length - 1;
            for (; digit > 0 && charges[digit] <= left; digit--)
            {
                left -= charges[digit];
            }

            found |= (ulong)digit << shift;
        }

        return (found, left);
    }

    private static void Check(string what, double value)
    {
        if (!(value >= 0 && double.IsFinite(value)))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"A rate-aware projection: {what} is {value}, but must be finite and not negative."));
        }
    }
}
