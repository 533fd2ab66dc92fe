using System.Numerics;
using System.Runtime.InteropServices;

namespace AdmmKit.Constraints;

/// <summary>
/// Finds the interval q_i of equal-distance levels, sec. 3.4.2 in [Ren2019]: the q that minimises
/// E(q) = sum |w - f(w)|^2 over the surviving weights, f(w) being the level nearest to w.
/// </summary>
/// <remarks>
/// E is piecewise quadratic in q and has many local minima, so it is swept whole. As q falls, a weight moves from level l
/// to l + 1 at q = |w| / (l + 1/2). With A = sum l |w| and B = sum l^2 over the weights, the best q for given levels is
/// A / B with error sum w^2 - A^2 / B; the largest A^2 / B met on the way down is therefore the global minimum of E. The
/// paper asks for "an effective manner" and gives none. This one is exact where there are at most <see cref="ExactSteps"/>
/// steps; beyond, the sweep of a histogram of the weights says where to sweep the weights themselves.
/// </remarks>
public static class IntervalSearch
{
    /// <summary>Largest number of bits a weight: 128 levels of each sign.</summary>
    public const int MaximumBits = 8;

    /// <summary>Steps that are sorted at once: about half a second and 12 MB.</summary>
    internal const int ExactSteps = 1 << 20;

    /// <summary>Histogram bins are 1/512 wide, so the minimum lies well within this part of what they give.</summary>
    private const double Window = 1.0 / 256;

    /// <summary>Number of levels of each sign, M/2 = 2^(bits-1).</summary>
    /// <param name="bits">n, 1 to 8.</param>
    /// <exception cref="AdmmKitException">The number of bits is out of range.</exception>
    public static int LevelsPerSign(int bits) => bits is >= 1 and <= MaximumBits
        ? 1 << (bits - 1)
        : throw new AdmmKitException(FormattableString.Invariant($"{bits} bits a weight, but must be 1 to {MaximumBits}."));

    /// <summary>The interval q_i with the least squared error.</summary>
    /// <param name="survivors">The weights; zeros are pruned ones and are skipped.</param>
    /// <param name="bits">n, 1 to 8: levels are +-q, +-2q ... +-2^(n-1) q.</param>
    /// <returns>q_i, positive, in units of the weights.</returns>
    /// <exception cref="AdmmKitException">A weight is not finite, all are zero, or bits is out of range.</exception>
    public static float Find(ReadOnlySpan<float> survivors, int bits)
    {
        int levels = LevelsPerSign(bits);
        int bad = Guard.IndexOfNonFinite(survivors);
        if (bad >= 0)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The weight at index {bad} is {survivors[bad]}: an interval can be found only for finite weights."));
        }

        float[] kept = NonZero(survivors);
        return kept.Length > 0 ? Find(kept, 1, levels) : throw new AdmmKitException("All weights are zero: no interval is best.");
    }

    /// <summary>The values that are not zero, in order.</summary>
    internal static float[] NonZero(ReadOnlySpan<float> values)
    {
        var kept = new float[values.Length - values.Count(0f)];
        int n = 0;
        foreach (float x in values)
        {
            if (x != 0)
            {
                kept[n++] = x;
            }
        }

        return kept;
    }

    /// <summary>E(q): the sum of squared distances from the survivors to their nearest levels.</summary>
    /// <param name="survivors">The weights; zeros are pruned ones and are skipped.</param>
    /// <param name="bits">n, 1 to 8.</param>
    /// <param name="q">The interval, positive.</param>
    /// <exception cref="AdmmKitException">The number of bits is out of range.</exception>
    public static double SquaredError(ReadOnlySpan<float> survivors, int bits, float q)
    {
        int levels = LevelsPerSign(bits);
        double error = 0;
        foreach (float w in survivors)
        {
            double d = w == 0 ? 0 : w - ((double)q * NearestLevel(w, q, levels));
            error += d * d;
        }

        return error;
    }

    /// <summary>The level nearest to a weight, as a multiple of q; never 0. Halfway goes to the larger, 0 to +1.</summary>
    /// <param name="w">The weight.</param>
    /// <param name="q">The interval, positive.</param>
    /// <param name="levelsPerSign">M/2.</param>
    /// <returns>-M/2 to -1 or 1 to M/2.</returns>
    public static int NearestLevel(float w, float q, int levelsPerSign) => NearestLevel(w, q, 1, levelsPerSign);

    /// <summary>The same for levels whose magnitude is from <paramref name="lowest"/>, 0 or 1, to <paramref name="highest"/>.</summary>
    internal static int NearestLevel(float w, float q, int lowest, int highest)
    {
        int level = (int)Math.Clamp(Math.Floor((Math.Abs((double)w) / q) + 0.5), lowest, highest);
        return w < 0 ? -level : level;
    }

    /// <summary>
    /// The best interval for levels whose magnitude is from <paramref name="lowest"/>, 0 or 1, to <paramref name="highest"/>.
    /// Zeros take part here: where 0 is no level they cost q^2. Returns 0 only where all values are zero.
    /// </summary>
    internal static float Find(ReadOnlySpan<float> values, int lowest, int highest)
    {
        var (low, high) = (0.0, double.PositiveInfinity);
        if ((long)values.Length * (highest - lowest) > ExactSteps)
        {
            var (means, counts) = Histogram(values);
            double near = Sweep<double>(means, counts, lowest, highest, low, high);
            (low, high) = near > 0 ? (near * (1 - Window), near * (1 + Window)) : (low, high);
        }

        float q = (float)Sweep(values, [], lowest, highest, low, high);
        return q == 0 && values.ContainsAnyExcept(0f) ? float.Epsilon : q;
    }

    /// <summary>The best q = A / B met while q falls from high to low, for values that occur so many times (empty: once).</summary>
    private static double Sweep<T>(ReadOnlySpan<T> values, int[] counts, int lowest, int highest, double low, double high)
        where T : INumber<T>
    {
        var steps = new List<double>();
        var movers = new List<int>();
        double a = 0, b = 0;
        for (int i = 0; i < values.Length; i++)
        {
            // Rounds half down: a weight that moves at "high" itself has not yet moved.
            double magnitude = double.CreateTruncating(T.Abs(values[i]));
            int level = (int)Math.Clamp(Math.Ceiling((magnitude / high) - 0.5), lowest, highest);
            double count = counts.Length == 0 ? 1 : counts[i];
            a += count * level * magnitude;
            b += count * level * level;
            for (; level < highest && magnitude > 0 && magnitude / (level + 0.5) >= low; level++)
            {
                steps.Add(-magnitude / (level + 0.5));
                movers.Add(i);
            }
        }

        CollectionsMarshal.AsSpan(steps).Sort(CollectionsMarshal.AsSpan(movers));
        var (best, q) = b > 0 ? (a * a / b, a / b) : (0, 0);
        for (int k = 0; k < movers.Count; k++)
        {
            double magnitude = double.CreateTruncating(T.Abs(values[movers[k]]));
            double count = counts.Length == 0 ? 1 : counts[movers[k]];
            // It moves from l to l + 1, where -step is magnitude / (l + 1/2).
            int level = (int)(magnitude / -steps[k]);
            a += count * magnitude;
            b += count * ((2 * level) + 1);
            if (a * a > best * b)
            {
                (best, q) = (a * a / b, a / b);
            }
        }

        return q;
    }

    /// <summary>Mean and number of the magnitudes in each bin that is not empty; 512 bins to a factor of 2.</summary>
    private static (double[] Means, int[] Counts) Histogram(ReadOnlySpan<float> values)
    {
        const int DroppedBits = 14;
        var sums = new double[1 << (31 - DroppedBits)];
        var counts = new int[sums.Length];
        foreach (float x in values)
        {
            uint bin = (BitConverter.SingleToUInt32Bits(x) & 0x7FFF_FFFF) >> DroppedBits;
            sums[bin] += Math.Abs(x);
            counts[bin]++;
        }

        int[] used = [.. Enumerable.Range(0, sums.Length).Where(bin => counts[bin] > 0)];
        return ([.. used.Select(bin => sums[bin] / counts[bin])], [.. used.Select(bin => counts[bin])]);
    }
}
