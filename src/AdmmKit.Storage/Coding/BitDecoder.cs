namespace AdmmKit.Storage.Coding;

/// <summary>Reads what <see cref="BitEncoder"/> wrote.</summary>
internal sealed class BitDecoder : BitCoder
{
    private const int WindowBytes = 4;

    private readonly byte[] bytes;
    private int position;
    private uint low;
    private uint range = BitEncoder.Full;

    // The written number less the lower end of the interval.
    private uint code;

    public BitDecoder(byte[] bytes)
    {
        this.bytes = bytes;
        for (int i = 0; i < WindowBytes; i++)
        {
            code = (code << 8) | Next();
        }
    }

    public override bool IsDecoder => true;

    public override bool Bit(bool bit, int probability)
    {
        uint bound = (uint)(((ulong)range * (uint)probability) >> Logistic.ProbabilityBits);
        bool result = code < bound;
        if (result)
        {
            range = bound;
        }
        else
        {
            low += bound;
            code -= bound;
            range -= bound;
        }

        Shift();
        return result;
    }

    public override uint Plain(uint value, int count)
    {
        uint result = 0;
        for (int rest = count; rest > 0;)
        {
            int part = Math.Min(rest, 8);
            rest -= part;
            range >>= part;
            uint bits = code / range;
            // What the division leaves over at the end of the interval is no number that an encoder writes.
            if (bits >> part != 0)
            {
                throw new BadFileException("its code holds a number that nothing stands for");
            }

            low += range * bits;
            code -= range * bits;
            result = (result << part) | bits;
            Shift();
        }

        return result;
    }

    public override void Need(long bits)
    {
        if (bits > 8L * (bytes.Length - position + (2 * WindowBytes)))
        {
            throw new BadFileException("it ends too early");
        }
    }

    /// <summary>Throws unless the code ends here, in the one way in which an encoder ends it.</summary>
    /// <exception cref="BadFileException">It does not.</exception>
    public void Finish()
    {
        int written = position - WindowBytes;
        // The same cases as in the encoder: nothing more, a carry alone, one more byte.
        uint end = 0 - low;
        if (low != 0 && (ulong)low + range <= 1UL << 32)
        {
            written++;
            end = ((low + (1U << BitEncoder.TopShift) - 1) & ~((1U << BitEncoder.TopShift) - 1)) - low;
        }

        if (bytes.Length > written)
        {
            throw new BadFileException(FormattableString.Invariant($"it has {bytes.Length - written} bytes after its last layer"));
        }

        if (bytes.Length < written)
        {
            throw new BadFileException("it ends too early");
        }

        if (code != end)
        {
            throw new BadFileException("its code ends in another way than it is written");
        }
    }

    private void Shift()
    {
        while (range < 1U << BitEncoder.TopShift)
        {
            code = (code << 8) | Next();
            low <<= 8;
            range <<= 8;
        }
    }

    private byte Next()
    {
        if (position < bytes.Length)
        {
            return bytes[position++];
        }

        // Behind the last byte the decoder looks at zeros, but never at more than fill its window.
        return position++ < bytes.Length + WindowBytes ? (byte)0 : throw new BadFileException("it ends too early");
    }
}
