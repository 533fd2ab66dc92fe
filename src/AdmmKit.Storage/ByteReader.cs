using System.Buffers.Binary;

namespace AdmmKit.Storage;

/// <summary>Reads what <see cref="ByteWriter"/> wrote. Trusts nothing: whatever is not there or not canonical is an error.</summary>
/// <param name="bytes">What is read.</param>
public ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> bytes = bytes;
    private int position;
    private ulong pending;
    private int pendingBits;

    /// <summary>Whole bytes not yet touched.</summary>
    public readonly int Remaining => bytes.Length - position;

    /// <summary>Bits not yet read.</summary>
    public readonly long RemainingBits => (Remaining * 8L) + pendingBits;

    /// <summary>The next byte; like all but <see cref="Bits"/>, only where a byte begins.</summary>
    /// <exception cref="BadFileException">The bytes end before.</exception>
    public byte Byte() => Bytes(1)[0];

    /// <summary>The next bytes as they are.</summary>
    /// <param name="count">How many.</param>
    /// <exception cref="BadFileException">The bytes end before.</exception>
    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > Remaining)
        {
            throw new BadFileException("it ends too early");
        }

        position += count;
        return bytes.Slice(position - count, count);
    }

    /// <summary>The next float32.</summary>
    /// <exception cref="BadFileException">The bytes end before.</exception>
    public float Single() => BinaryPrimitives.ReadSingleLittleEndian(Bytes(4));

    /// <summary>The next float32 numbers; memory is taken only if so many are left.</summary>
    /// <param name="count">How many.</param>
    /// <param name="what">What they are, for the error.</param>
    /// <exception cref="BadFileException">The bytes end before.</exception>
    public float[] Singles(int count, string what)
    {
        Need(count * 32L, what);
        var values = new float[count];
        foreach (ref float value in values.AsSpan())
        {
            value = Single();
        }

        return values;
    }

    /// <summary>The next number of <see cref="ByteWriter.Varint"/>.</summary>
    /// <param name="what">What it is, for the error.</param>
    /// <exception cref="BadFileException">The bytes end before, or are not the one way to write a number.</exception>
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
    /// <param name="bits">How many.</param>
    /// <param name="what">What they are, for the error.</param>
    /// <exception cref="BadFileException">The bytes end before.</exception>
    public readonly void Need(long bits, string what)
    {
        if (bits > RemainingBits)
        {
            throw new BadFileException($"it ends before its {what}");
        }
    }

    /// <summary>The next packed bits, the lowest first.</summary>
    /// <param name="width">How many, 0 to 32.</param>
    /// <exception cref="BadFileException">The bytes end before.</exception>
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
    /// <exception cref="BadFileException">It is not.</exception>
    public void Pad()
    {
        if (pending != 0)
        {
            throw new BadFileException("the padding after a layer's weights is not zero");
        }

        pendingBits = 0;
    }
}
