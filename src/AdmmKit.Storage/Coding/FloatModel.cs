namespace AdmmKit.Storage.Coding;

/// <summary>Numbers of 32 and of 16 bits.</summary>
internal sealed class FloatModel
{
    private const int ExponentBits = 8;
    private const int MantissaBits = 23;
    private const int Limit = 250;

    // Behind so many numbers exponents are no longer learned: the time counts more.
    private const int Learned = 1 << 22;

    // An interval of half precision, and the part of its mantissa that is often zero.
    private const int HalfProbability = 60_000;
    private const int LowBits = 5;
    private const uint LowMask = (1 << LowBits) - 1;

    private readonly AdaptiveBit[] exponents = new AdaptiveBit[1 << ExponentBits];
    private AdaptiveBit sign = new(Logistic.One / 2, 2);
    private int count;

    public FloatModel() => Array.Fill(exponents, new AdaptiveBit(Logistic.One / 2));

    /// <summary>Codes the bits of a float32: a learned sign, a learned exponent, the other bits as they are.</summary>
    public float Single(BitCoder coder, float value)
    {
        if (count >= Learned)
        {
            return coder.Single(value);
        }

        count++;
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint result = sign.Code(coder, bits >> 31 != 0, Limit) ? 1U : 0;
        int node = 1;
        for (int i = 0; i < ExponentBits; i++)
        {
            node = (node << 1) | (exponents[node].Code(coder, ((bits >> (30 - i)) & 1) != 0, Limit) ? 1 : 0);
        }

        result = (result << ExponentBits) | (uint)(node - (1 << ExponentBits));
        result = (result << MantissaBits) | coder.Plain(bits & ((1 << MantissaBits) - 1), MantissaBits);
        return BitConverter.UInt32BitsToSingle(result);
    }

    /// <summary>
    /// Codes an interval: a positive number, in 11 bits and a few flags where it is half precision with a short mantissa, in 16 where it
    /// is half precision, else as a float32.
    /// </summary>
    /// <exception cref="BadFileException">It is written in more bits than it needs.</exception>
    public static float Interval(BitCoder coder, float value)
    {
        ushort half = BitConverter.HalfToUInt16Bits((Half)value);
        bool isHalf = (float)(Half)value == value && half < 0x8000;
        if (!coder.Bit(isHalf, HalfProbability))
        {
            float single = coder.Single(value);
            return (float)(Half)single != single || single < 0 ? single
                : throw new BadFileException("an interval is written in more bits than it needs");
        }

        uint high = coder.Plain((uint)half >> LowBits, 15 - LowBits);
        uint low = 0;
        if (coder.Bit((half & LowMask) != 0, Logistic.One / 2))
        {
            low = coder.Plain((uint)half & LowMask, LowBits);
            if (low == 0)
            {
                throw new BadFileException("an interval is written in more bits than it needs");
            }
        }

        return (float)BitConverter.UInt16BitsToHalf((ushort)((high << LowBits) | low));
    }
}
