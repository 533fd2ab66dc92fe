using System.Buffers.Binary;

namespace AdmmKit.Interop;

/// <summary>How a field of a protobuf message is written; the two kinds of groups, long out of use, are not read.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// <summary>
/// Goes through the fields of one protobuf message (the wire format of version 2 and 3). Takes no memory; a message within it is a
/// part of the same bytes, for a reader of its own.
/// </summary>
/// <param name="bytes">The message.</param>
internal ref struct ProtobufReader(ReadOnlySpan<byte> bytes)
{
    private const int MaxVarintBytes = 10;

    private readonly ReadOnlySpan<byte> bytes = bytes;
    private int position;

    /// <summary>The number of the field that <see cref="Next"/> came to.</summary>
    public int Field { get; private set; }

    /// <summary>How it is written.</summary>
    public WireType Type { get; private set; }

    /// <summary>Goes to the next field, whose value must then be read or skipped; false at the end.</summary>
    /// <exception cref="BadFileException">There is neither a field nor the end.</exception>
    public bool Next()
    {
        if (position == bytes.Length)
        {
            return false;
        }

        ulong tag = Number();
        (ulong field, Type) = (tag >> 3, (WireType)(tag & 7));
        if (field is 0 or > (1 << 29) - 1 || !Enum.IsDefined(Type))
        {
            throw new BadFileException(FormattableString.Invariant($"where a field should begin there is none ({tag})"));
        }

        Field = (int)field;
        return true;
    }

    /// <summary>The value of a field of whole numbers; a negative one is above 2^63.</summary>
    /// <param name="what">What it is, for the error.</param>
    /// <exception cref="BadFileException">It is no such field, or the message ends within it.</exception>
    public ulong Varint(string what)
    {
        Expect(WireType.Varint, what);
        return Number();
    }

    /// <summary>The value of a float32 field.</summary>
    /// <param name="what">What it is, for the error.</param>
    /// <exception cref="BadFileException">It is no such field, or the message ends within it.</exception>
    public float Single(string what)
    {
        Expect(WireType.Fixed32, what);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(sizeof(float)));
    }

    /// <summary>The bytes of a text, of a message within this one, or of packed numbers.</summary>
    /// <param name="what">What it is, for the error.</param>
    /// <exception cref="BadFileException">It is no such field, or the message ends within it.</exception>
    public ReadOnlySpan<byte> Bytes(string what)
    {
        Expect(WireType.Bytes, what);
        return Value();
    }

    /// <summary>The bytes of any value; of a whole number those that it is written with.</summary>
    /// <exception cref="BadFileException">The message ends within it.</exception>
    public ReadOnlySpan<byte> Value()
    {
        switch (Type)
        {
            case WireType.Fixed32:
                return Take(sizeof(float));
            case WireType.Fixed64:
                return Take(sizeof(double));
            case WireType.Bytes:
                return Take(Number());
            default:
                int begin = position;
                Number();
                return bytes[begin..position];
        }
    }

    /// <summary>A whole number as it stands next, as in packed fields.</summary>
    /// <exception cref="BadFileException">The message ends within it, or it has more than 64 bits.</exception>
    public ulong Number()
    {
        ulong value = 0;
        for (int i = 0; i < MaxVarintBytes && position < bytes.Length; i++)
        {
            byte b = bytes[position++];
            value |= (ulong)(b & 0x7F) << (7 * i);
            if (b < 0x80)
            {
                return value;
            }
        }

        throw new BadFileException("it ends within a number, or a number has more than 64 bits");
    }

    /// <summary>Whether nothing is left.</summary>
    public readonly bool AtEnd => position == bytes.Length;

    /// <summary>Bytes of the message that are behind it: right after a value, where that ends.</summary>
    public readonly int Position => position;

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(bytes.Length - position))
        {
            throw new BadFileException(FormattableString.Invariant(
                $"a field has {count} bytes by its own word, but only {bytes.Length - position} follow"));
        }

        position += (int)count;
        return bytes.Slice(position - (int)count, (int)count);
    }

    private readonly void Expect(WireType type, string what)
    {
        if (Type != type)
        {
            throw new BadFileException($"its {what} is not written as one ({Type} in place of {type})");
        }
    }
}
