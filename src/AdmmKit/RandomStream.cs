using System.Numerics;
using System.Text;

namespace AdmmKit;

/// <summary>
/// A stream of random numbers derived from (seed, purpose, epoch), so that any part of a run can be replayed by itself.
/// The generator is xoshiro256** by Blackman and Vigna (2018), seeded by SplitMix64; its output is part of what a result
/// rests on, which is why it does not come from <see cref="Random"/>.
/// </summary>
public sealed class RandomStream
{
    private ulong s0, s1, s2, s3;

    /// <summary>Opens the stream of one purpose.</summary>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="purpose">What the numbers are for, such as "shuffle"; different purposes give unrelated streams.</param>
    /// <param name="epoch">The epoch, step or replicate within the purpose.</param>
    public RandomStream(ulong seed, string purpose, long epoch = 0)
    {
        ulong state = Key(seed, purpose, epoch);
        s0 = SplitMix(ref state);
        s1 = SplitMix(ref state);
        s2 = SplitMix(ref state);
        s3 = SplitMix(ref state);
    }

    /// <summary>64 well-mixed bits that name the stream: equal for equal (seed, purpose, epoch).</summary>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="purpose">What the numbers are for.</param>
    /// <param name="epoch">The epoch, step or replicate within the purpose.</param>
    public static ulong Key(ulong seed, string purpose, long epoch = 0)
    {
        ArgumentNullException.ThrowIfNull(purpose);
        ulong state = seed;
        ulong key = SplitMix(ref state);
        foreach (byte b in Encoding.UTF8.GetBytes(purpose))
        {
            state = key ^ b;
            key = SplitMix(ref state);
        }

        state = key ^ (ulong)epoch;
        return SplitMix(ref state);
    }

    /// <summary>Mixes one 64-bit number into another that looks random: the finaliser of SplitMix64.</summary>
    /// <param name="value">Any number.</param>
    public static ulong Mix(ulong value) => SplitMix(ref value);

    /// <summary>The next 64 random bits.</summary>
    public ulong NextUInt64()
    {
        ulong result = BitOperations.RotateLeft(s1 * 5, 7) * 9;
        ulong t = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = BitOperations.RotateLeft(s3, 45);
        return result;
    }

    /// <summary>A whole number uniform in [0, <paramref name="exclusiveMaximum"/>).</summary>
    /// <param name="exclusiveMaximum">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The maximum is below 1.</exception>
    public int NextInt(int exclusiveMaximum)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(exclusiveMaximum, 1);
        // The high half of a 64 x 64-bit product: biased by less than 2^-32, and always one draw, so streams stay aligned.
        return (int)Math.BigMul(NextUInt64(), (ulong)exclusiveMaximum, out _);
    }

    /// <summary>A number uniform in [0, 1).</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    /// <param name="low">The lower end.</param>
    /// <param name="high">The upper end.</param>
    public double NextDouble(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>A normally distributed number, mean 0, variance 1 (Box and Muller).</summary>
    public double NextGaussian()
    {
        double u = 1.0 - NextDouble();
        double v = NextDouble();
        return Math.Sqrt(-2.0 * Math.Log(u)) * Math.Cos(2.0 * Math.PI * v);
    }

    /// <summary>Shuffles in place (Fisher and Yates).</summary>
    /// <typeparam name="T">What is shuffled.</typeparam>
    /// <param name="items">The items.</param>
    public void Shuffle<T>(Span<T> items)
    {
        for (int i = items.Length - 1; i > 0; i--)
        {
            int j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    private static ulong SplitMix(ref ulong state)
    {
        ulong z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
