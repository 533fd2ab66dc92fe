namespace AdmmKit.Storage.Coding;

/// <summary>
/// The probability of a bit that is learned as it goes: fast at first, then slower. The n-th bit moves it by 1/(n + 1.5) of the way
/// (Krichevsky and Trofimov's estimate after the first), and never by less than 1/limit.
/// </summary>
internal struct AdaptiveBit
{
    private ushort probability;
    private byte seen;

    /// <param name="probability">At the start, in 1/65,536.</param>
    /// <param name="confidence">Bits that this start counts for.</param>
    public AdaptiveBit(int probability, int confidence = 0)
    {
        this.probability = (ushort)probability;
        seen = (byte)confidence;
    }

    /// <summary>That the bit is set, in 1/65,536.</summary>
    public readonly int Probability => Math.Clamp((int)probability, Logistic.Least, Logistic.One - Logistic.Least);

    /// <summary>Learns a bit.</summary>
    /// <param name="bit">The bit.</param>
    /// <param name="limit">Bits that are remembered, below 256.</param>
    public void Learn(bool bit, int limit)
    {
        int distance = (bit ? Logistic.One - 1 : 0) - probability;
        probability = (ushort)(probability + (2 * distance / ((2 * seen) + 3)));
        if (seen < limit)
        {
            seen++;
        }
    }

    /// <summary>Codes a bit and learns it.</summary>
    public bool Code(BitCoder coder, bool bit, int limit = 255)
    {
        bit = coder.Bit(bit, Probability);
        Learn(bit, limit);
        return bit;
    }
}
