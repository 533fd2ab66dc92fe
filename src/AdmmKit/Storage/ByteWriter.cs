using System.Buffers;
using System.Buffers.Binary;

namespace AdmmKit.Storage;

/// <summary>Appends bytes, little-endian numbers, varints and packed bits (lowest bit of a byte first) to memory.</summary>
internal sealed class ByteWriter
{
    private readonly ArrayBufferWriter<byte> buffer = new();
    private ulong pending;
    private int pendingBits;

    public ReadOnlyMemory<byte> Written => buffer.WrittenMemory;

    public void Byte(byte value) => buffer.Write([value]);

    public void Bytes(ReadOnlySpan<byte> value) => buffer.Write(value);

    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(buffer.GetSpan(4), value);
        buffer.Advance(4);
    }

    public void Single(float value) => UInt32(BitConverter.SingleToUInt32Bits(value));

    /// <summary>Seven bits a byte, lowest first; the top bit says that another byte follows.</summary>
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
    public static int VarintLength(int value)
    {
        int length = 1;
        for (uint rest = (uint)value; rest >= 0x80; rest >>= 7)
        {
            length++;
        }

        return length;
    }

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
