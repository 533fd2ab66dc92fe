using System.Buffers;
using System.Buffers.Binary;

namespace AdmmKit.Storage;

/// <summary>Appends bytes, little-endian numbers, varints and packed bits (lowest bit of a byte first) to memory.</summary>
public sealed class ByteWriter
{
    private readonly ArrayBufferWriter<byte> buffer = new();
    private ulong pending;
    private int pendingBits;

    /// <summary>All whole bytes so far.</summary>
    public ReadOnlyMemory<byte> Written => buffer.WrittenMemory;

    /// <summary>All bits so far, also those of a byte that is not full yet.</summary>
    public long BitCount => (buffer.WrittenCount * 8L) + pendingBits;

    /// <summary>Appends one byte; like all but <see cref="Bits"/>, only where a byte begins.</summary>
    /// <param name="value">The byte.</param>
    public void Byte(byte value) => buffer.Write([value]);

    /// <summary>Appends bytes as they are.</summary>
    /// <param name="value">The bytes.</param>
    public void Bytes(ReadOnlySpan<byte> value) => buffer.Write(value);

    /// <summary>Appends four bytes, lowest first.</summary>
    /// <param name="value">The number.</param>
    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.GetSpan(4), value);
        buffer.Advance(4);
    }

    /// <summary>Appends the four bytes of a float32, lowest first.</summary>
    /// <param name="value">The number.</param>
    public void Single(float value) => UInt32(BitConverter.SingleToUInt32Bits(value));

    /// <summary>Appends float32 numbers one after the other.</summary>
    /// <param name="values">The numbers.</param>
    public void Singles(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            Single(value);
        }
    }

    /// <summary>Seven bits a byte, lowest first; the top bit says that another byte follows.</summary>
    /// <param name="value">The number, not negative.</param>
    public void Varint(int value)
    {
        uint rest = (uint)value;
        for (; rest >= 0x80; rest >>= 7)
        {
            Byte((byte)(rest | 0x80));
        }

        Byte((byte)rest);
    }

    /// <summary>Bytes that <see cref="Varint"/> writes.</summary>
    /// <param name="value">The number, not negative.</param>
    public static int VarintLength(int value)
    {
        int length = 1;
        for (uint rest = (uint)value; rest >= 0x80; rest >>= 7)
        {
            length++;
        }

        return length;
    }

    /// <summary>Appends packed bits, the lowest first.</summary>
    /// <param name="value">The bits; none above the width is set.</param>
    /// <param name="width">How many, 0 to 32.</param>
    public void Bits(uint value, int width)
    {
        pending |= (ulong)value << pendingBits;
        for (pendingBits += width; pendingBits >= 8; pendingBits -= 8)
        {
            Byte((byte)pending);
            pending >>= 8;
        }
    }

    /// <summary>Fills the last byte with zero bits.</summary>
    public void Pad()
    {
        if (pendingBits > 0)
        {
            Byte((byte)pending);
        }

        (pending, pendingBits) = (0, 0);
    }
}
