namespace AdmmKit.Storage.Coding;

/// <summary>
/// One direction of the arithmetic code: encoder, decoder or meter. A model is written once and goes through the same steps in
/// each of them, so that what is read cannot differ from what was written.
/// </summary>
internal abstract class BitCoder
{
    /// <summary>Whether bits come from the coder; otherwise they go into it.</summary>
    public abstract bool IsDecoder { get; }

    /// <summary>All bits so far by -log2 p.</summary>
    public double Cost { get; private protected set; }

    /// <summary>Codes one bit.</summary>
    /// <param name="bit">The bit; a decoder ignores it.</param>
    /// <param name="probability">That it is set, in 1/65,536.</param>
    /// <returns>The bit.</returns>
    public abstract bool Bit(bool bit, int probability);

    /// <summary>Codes bits that are as likely set as not, the highest first.</summary>
    /// <param name="value">The bits; a decoder ignores them.</param>
    /// <param name="count">How many, at most 32.</param>
    /// <returns>The bits.</returns>
    public virtual uint Plain(uint value, int count)
    {
        uint result = 0;
        for (int i = count - 1; i >= 0; i--)
        {
            result = (result << 1) | (Bit(((value >> i) & 1) != 0, Logistic.One / 2) ? 1U : 0);
        }

        return result;
    }

    /// <summary>Throws unless a decoder has so many bits left; to be asked before memory is taken for what cannot cost less.</summary>
    /// <param name="bits">How many.</param>
    /// <exception cref="BadFileException">The code is shorter.</exception>
    public virtual void Need(long bits)
    {
    }

    /// <summary>Codes the bits of a float32.</summary>
    public float Single(float value) => BitConverter.UInt32BitsToSingle(Plain(BitConverter.SingleToUInt32Bits(value), 32));
}

/// <summary>Adds up what bits would cost.</summary>
internal sealed class BitMeter : BitCoder
{
    public override bool IsDecoder => false;

    public override bool Bit(bool bit, int probability)
    {
        Cost += Logistic.Bits(bit ? probability : Logistic.One - probability);
        return bit;
    }

    public override uint Plain(uint value, int count)
    {
        Cost += count;
        return value;
    }
}
