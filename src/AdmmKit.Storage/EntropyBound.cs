using System.Runtime.InteropServices;

namespace AdmmKit.Storage;

/// <summary>What a code needs at least on average, in bits.</summary>
public static class EntropyBound
{
    // Fewer factors than this are multiplied one by one; the series below is accurate to 1e-13 from here on.
    private const int FewFactors = 32;

    /// <summary>log2 of the binomial coefficient C(n, k): what it takes to say which k of n weights survive.</summary>
    /// <param name="n">Number of weights.</param>
    /// <param name="k">Number of survivors, 0 to n.</param>
    /// <remarks>
    /// By Stirling's series for the three factorials. Its large terms are put together as n H(k / n), so that nothing is lost by
    /// taking nearly equal numbers from each other: the relative error stays below 1e-9 up to a thousand million weights.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">k is not between 0 and n.</exception>
    public static double Log2Binomial(long n, long k)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(k);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(k, n);
        long few = Math.Min(k, n - k);
        double bits = 0;
        if (few < FewFactors)
        {
            for (long i = 0; i < few; i++)
            {
                bits += Math.Log2((double)(n - i) / (i + 1));
            }

            return bits;
        }

        double many = n - few;
        double nats = (few * Math.Log(n / (double)few)) + (many * Math.Log(n / many))
            + (0.5 * Math.Log(n / (2 * Math.PI * few * many))) + Correction(n) - Correction(few) - Correction(many);
        return nats / Math.Log(2);
    }

    /// <summary>The zero-order entropy of some values, in bits a value: what a code for single values needs on average.</summary>
    /// <typeparam name="T">Levels or codes.</typeparam>
    /// <param name="values">The values; none at all have the entropy 0.</param>
    public static double ZeroOrder<T>(ReadOnlySpan<T> values)
        where T : notnull
    {
        var counts = new Dictionary<T, int>();
        foreach (T value in values)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(counts, value, out _)++;
        }

        double bits = 0;
        foreach (int count in counts.Values)
        {
            double part = (double)count / values.Length;
            bits -= part * Math.Log2(part);
        }

        return bits;
    }

    // ln x! = x ln x - x + ln(2 pi x) / 2 + 1 / (12 x) - 1 / (360 x^3) + 1 / (1260 x^5) - ...
    private static double Correction(double x) => ((((1 / (1260 * x * x)) - (1.0 / 360)) / (x * x)) + (1.0 / 12)) / x;
}
