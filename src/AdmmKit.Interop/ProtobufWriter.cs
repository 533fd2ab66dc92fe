using System.Buffers.Binary;
using System.Text;

namespace AdmmKit.Interop;

/// <summary>
/// Writes one protobuf message. Large values, and messages within it, are kept as they are until the whole is written: nothing is
/// copied from one message into the next.
/// </summary>
internal sealed class ProtobufWriter
{
    private readonly List<ReadOnlyMemory<byte>> pieces = [];

    /// <summary>Bytes so far.</summary>
    public long Length { get; private set; }

    /// <summary>A field of whole numbers; a negative one takes ten bytes.</summary>
    public void Varint(int field, long value)
    {
        Number(((ulong)field << 3) | (ulong)WireType.Varint);
        Number((ulong)value);
    }

    /// <summary>A float32 field.</summary>
    public void Single(int field, float value)
    {
        Number(((ulong)field << 3) | (ulong)WireType.Fixed32);
        var bytes = new byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        Append(bytes);
    }

    /// <summary>A field of bytes, which must not change until the message is written.</summary>
    public void Bytes(int field, ReadOnlyMemory<byte> value)
    {
        Header(field, value.Length);
        Append(value);
    }

    /// <summary>A field of text.</summary>
    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    /// <summary>A message within this one.</summary>
    public void Message(int field, ProtobufWriter message)
    {
        Header(field, message.Length);
        pieces.AddRange(message.pieces);
        Length += message.Length;
    }

    /// <summary>Writes all of it.</summary>
    public void WriteTo(Stream stream)
    {
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            stream.Write(piece.Span);
        }
    }

    private void Header(int field, long length)
    {
        Number(((ulong)field << 3) | (ulong)WireType.Bytes);
        Number((ulong)length);
    }

    private void Number(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
        {
            bytes.Add((byte)(value | 0x80));
        }

        bytes.Add((byte)value);
        Append(bytes.ToArray());
    }

    private void Append(ReadOnlyMemory<byte> bytes)
    {
        pieces.Add(bytes);
        Length += bytes.Length;
    }
}
