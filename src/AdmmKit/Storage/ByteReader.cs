using System.Buffers.Binary;

namespace AdmmKit.Storage;

/// <summary>Reads what <see cref="ByteWriter"/> wrote. Trusts nothing: whatever is not there or not canonical is an error.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> bytes = bytes;
    private int position;
    private ulong pending;
    private int pendingBits;

    /// <summary>Whole bytes not yet touched.</summary>
    public readonly int Remaining => bytes.Length - position;

    public byte Byte() => Bytes(1)[0];

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > Remaining)
        {
            throw new BadFileException("it ends too early");
        }

        position += count;
        return bytes.Slice(position - count, count);
    }

    public float Single() => BinaryPrimitives.ReadSingleLittleEndian(Bytes(4));

    public int Varint(string what)
    {
        ulong value = 0;
        for (int shift = 0; shift < 35; shift += 7)
        {
            byte b = Byte();
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80)
            {
                // A last byte of zero would be a second way to write the same number.
                return value <= int.MaxValue && (b != 0 || shift == 0)
                    ? (int)value
                    : throw new BadFileException($"its {what} is not a valid number");
            }
        }

        throw new BadFileException($"its {what} is not a valid number");
    }

    /// <summary>Throws unless that many bits are left; to be asked before memory is taken for them.</summary>
    public readonly void Need(long bits, string what)
    {
        if (bits > (Remaining * 8L) + pendingBits)
        {
            throw new BadFileException($"it ends before its {what}");
        }
    }

    public uint Bits(int width)
    {
        while (pendingBits < width)
        {
            pending |= (ulong)Byte() << pendingBits;
            pendingBits += 8;
        }

        uint value = (uint)(pending & ((1UL << width) - 1));
        pending >>= width;
        pendingBits -= width;
        return value;
    }

    /// <summary>Leaves the last byte of packed bits; what fills it must be zero.</summary>
    public void Pad()
    {
        if (pending != 0)
        {
            throw new BadFileException("the padding after a layer's weights is not zero");
        }

        pendingBits = 0;
    }
}
