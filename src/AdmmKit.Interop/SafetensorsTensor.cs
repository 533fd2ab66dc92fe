using System.Runtime.InteropServices;
using static System.Buffers.Binary.BinaryPrimitives;

namespace AdmmKit.Interop;

/// <summary>
/// One named tensor: values of one type in row-major order, the last dimension running fastest. It holds no copy: its bytes
/// are those of the file that was read, or of the array that it was made from.
/// </summary>
public sealed class SafetensorsTensor
{
    private readonly ReadOnlyMemory<byte> bytes;
    private readonly ReadOnlyMemory<float> singles;

    /// <summary>Names values that are bytes already.</summary>
    /// <param name="name">The name.</param>
    /// <param name="type">The type of the values.</param>
    /// <param name="shape">The dimensions, none for a single value; a tensor with a dimension of 0 is empty.</param>
    /// <param name="bytes">The values, each little-endian.</param>
    /// <exception cref="AdmmKitException">The type is none, a dimension is negative, or shape and bytes do not fit.</exception>
    public SafetensorsTensor(string name, SafetensorsType type, IReadOnlyList<int> shape, ReadOnlyMemory<byte> bytes)
        : this(name, type, shape, bytes.Length) => this.bytes = bytes;

    /// <summary>Names float32 values, which are not copied.</summary>
    /// <param name="name">The name.</param>
    /// <param name="shape">The dimensions, none for a single value.</param>
    /// <param name="values">The values.</param>
    /// <exception cref="AdmmKitException">A dimension is negative, or the values are not as many as the shape needs.</exception>
    public SafetensorsTensor(string name, IReadOnlyList<int> shape, ReadOnlyMemory<float> values)
        : this(name, SafetensorsType.F32, shape, (long)sizeof(float) * values.Length) => singles = values;

    private SafetensorsTensor(string name, SafetensorsType type, IReadOnlyList<int> shape, long length)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(shape);
        (Name, Type, Shape) = (name, type, [.. shape]);
        if (!Enum.IsDefined(type))
        {
            throw new AdmmKitException(
                $"Tensor '{name}': there is no type {type}. Use one of {string.Join(", ", SafetensorsTypes.Names)}.");
        }

        if (SizeOf(type, shape) is not { } size || size != length)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Tensor '{name}' has {length} bytes, which are not {ShapeText(shape)} values of {SafetensorsTypes.NameOf(type)}: ")
                + "give values and a shape that belong together.");
        }
    }

    /// <summary>The name, unique in its file.</summary>
    public string Name { get; }

    /// <summary>The type of the values.</summary>
    public SafetensorsType Type { get; }

    /// <summary>The dimensions; none where the tensor is a single value.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>Number of values.</summary>
    public int Count => Bytes.Length / SafetensorsTypes.SizeOf(Type);

    /// <summary>The values, each little-endian: as in the file, and as this kit's machines hold a float.</summary>
    public ReadOnlySpan<byte> Bytes => singles.IsEmpty ? bytes.Span : MemoryMarshal.AsBytes(singles.Span);

    /// <summary>
    /// The values as float32. F16, BF16, F32 and whole numbers up to 2^24 are exact; others are rounded to the nearest float32.
    /// </summary>
    public float[] ToSingles()
    {
        var values = new float[Count];
        CopySingles(values);
        return values;
    }

    /// <summary>Copies the values as float32 to where they are wanted; see <see cref="ToSingles"/>.</summary>
    /// <param name="destination">As long as the tensor has values.</param>
    /// <exception cref="AdmmKitException">It has another length.</exception>
    public void CopySingles(Span<float> destination)
    {
        if (destination.Length != Count)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Tensor '{Name}' has {Count} values, {ShapeText(Shape)}, but there is room for {destination.Length}: ")
                + "check which tensor belongs where.");
        }

        ReadOnlySpan<byte> source = Bytes;
        int size = SafetensorsTypes.SizeOf(Type);
        for (int i = 0; i < destination.Length; i++)
        {
            ReadOnlySpan<byte> value = source.Slice(i * size, size);
            destination[i] = Type switch
            {
                SafetensorsType.Bool or SafetensorsType.U8 => value[0],
                SafetensorsType.I8 => (sbyte)value[0],
                SafetensorsType.U16 => ReadUInt16LittleEndian(value),
                SafetensorsType.I16 => ReadInt16LittleEndian(value),
                SafetensorsType.F16 => (float)ReadHalfLittleEndian(value),
                SafetensorsType.BF16 => BitConverter.UInt32BitsToSingle((uint)ReadUInt16LittleEndian(value) << 16),
                SafetensorsType.U32 => ReadUInt32LittleEndian(value),
                SafetensorsType.I32 => ReadInt32LittleEndian(value),
                SafetensorsType.F32 => ReadSingleLittleEndian(value),
                SafetensorsType.U64 => ReadUInt64LittleEndian(value),
                SafetensorsType.I64 => ReadInt64LittleEndian(value),
                _ => (float)ReadDoubleLittleEndian(value),
            };
        }
    }

    /// <summary>Bytes that a shape needs, or null where a dimension is negative or the product is no number of bytes.</summary>
    internal static long? SizeOf(SafetensorsType type, IReadOnlyList<int> shape)
    {
        long size = SafetensorsTypes.SizeOf(type);
        foreach (int dimension in shape)
        {
            // The product so far is below 2^31 and the factor too: a long cannot overflow before the check.
            size *= dimension;
            if (dimension < 0 || size > int.MaxValue)
            {
                return null;
            }
        }

        return size;
    }

    internal static string ShapeText(IReadOnlyList<int> shape) =>
        "[" + string.Join(", ", shape.Select(d => d.ToString(System.Globalization.CultureInfo.InvariantCulture))) + "]";
}
