using System.Numerics;

namespace AdmmKit.Storage.Coding;

/// <summary>Whole numbers from 0, as Elias codes them: how many bits, then these. The lengths and the first bits are learned.</summary>
internal sealed class NumberModel
{
    private const int MaxBits = 32;
    private const int LearnedBits = 3;
    private const int Limit = 250;

    private readonly AdaptiveBit[] lengths = new AdaptiveBit[MaxBits];
    private readonly AdaptiveBit[] digits = new AdaptiveBit[MaxBits * LearnedBits];

    public NumberModel()
    {
        Array.Fill(lengths, new AdaptiveBit(Logistic.One / 2));
        Array.Fill(digits, new AdaptiveBit(Logistic.One / 2, 2));
    }

    /// <summary>Codes a number.</summary>
    /// <param name="coder">The coder.</param>
    /// <param name="value">The number, not negative; a decoder ignores it.</param>
    /// <exception cref="BadFileException">It is beyond what an int holds.</exception>
    public int Code(BitCoder coder, int value)
    {
        ulong shifted = (uint)value + 1UL;
        int count = BitOperations.Log2(shifted);
        int length = 0;
        while (!lengths[Math.Min(length, MaxBits - 1)].Code(coder, length == count, Limit))
        {
            if (++length >= MaxBits)
            {
                throw new BadFileException("it holds a number that is too large");
            }
        }

        ulong result = 1;
        for (int bit = length - 1; bit >= 0; bit--)
        {
            int depth = length - 1 - bit;
            bool set = ((shifted >> bit) & 1) != 0;
            set = depth < LearnedBits ? digits[(length * LearnedBits) + depth].Code(coder, set, Limit) : coder.Plain(set ? 1U : 0, 1) != 0;
            result = (result << 1) | (set ? 1UL : 0);
        }

        return result - 1 <= int.MaxValue ? (int)(result - 1) : throw new BadFileException("it holds a number that is too large");
    }
}
