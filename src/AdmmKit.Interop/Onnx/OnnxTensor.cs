using System.Buffers.Binary;

namespace AdmmKit.Interop.Onnx;

/// <summary>
/// A stored tensor. Its values stay where they are in the file until they are asked for; a sparse one takes the memory of all its
/// values only then.
/// </summary>
internal sealed class OnnxTensor
{
    private readonly IReadOnlyList<ReadOnlyMemory<byte>> chunks;
    private readonly bool varints;

    /// <summary>A dense tensor.</summary>
    /// <param name="name">Its name, often none in an attribute.</param>
    /// <param name="dims">Its dimensions, the last one running fastest; none for a single number.</param>
    /// <param name="type">The type of its values.</param>
    /// <param name="chunks">Its values, of their own size and little-endian, or varints.</param>
    /// <param name="varints">Whether they are varints.</param>
    /// <exception cref="BadFileException">There are more or fewer values than the dimensions say.</exception>
    public OnnxTensor(string name, int[] dims, OnnxType type, IReadOnlyList<ReadOnlyMemory<byte>> chunks, bool varints)
    {
        (Name, Dims, Type, this.chunks, this.varints) = (name, dims, type, chunks, varints);
        long count = varints ? chunks.Sum(c => CountVarints(c.Span)) : chunks.Sum(c => (long)c.Length) / Math.Max(1, SizeOf(type));
        bool whole = varints || SizeOf(type) == 0 || chunks.All(c => c.Length % SizeOf(type) == 0);
        if (SizeOf(type) > 0 && (!whole || count != ForeignFile.Product(dims)))
        {
            throw new BadFileException(FormattableString.Invariant($"tensor {ForeignFile.Shown(name)} of {Shown(dims)} has {count} values"));
        }

        Count = (int)count;
    }

    private OnnxTensor(OnnxTensor values, int[] dims, int[] places)
    {
        (Name, Dims, Type, chunks, varints) = (values.Name, dims, values.Type, values.chunks, values.varints);
        (Count, Places) = ((int)ForeignFile.Product(dims), places);
    }

    public string Name { get; }

    public int[] Dims { get; }

    public OnnxType Type { get; }

    /// <summary>Number of values; of a sparse tensor with its zeros.</summary>
    public int Count { get; }

    /// <summary>Where each stored value belongs; null where all are stored.</summary>
    public int[]? Places { get; }

    public bool IsFloat => Type is OnnxType.Float32 or OnnxType.Float16 or OnnxType.Float64 or OnnxType.BFloat16;

    public bool IsInteger => Type is OnnxType.Int8 or OnnxType.UInt8 or OnnxType.Int16 or OnnxType.UInt16 or OnnxType.Int32
        or OnnxType.UInt32 or OnnxType.Int64;

    /// <summary>The tensor that a SparseTensorProto describes.</summary>
    /// <param name="values">Its values, in one dimension.</param>
    /// <param name="indices">Where they belong: one number each, or one a dimension.</param>
    /// <param name="dims">All dimensions.</param>
    /// <exception cref="BadFileException">They do not fit each other.</exception>
    public static OnnxTensor Sparse(OnnxTensor values, OnnxTensor indices, int[] dims)
    {
        string where = $"sparse tensor {ForeignFile.Shown(values.Name)} of {Shown(dims)}";
        long size = ForeignFile.Product(dims);
        int rank = indices.Dims.Length == 2 ? indices.Dims[1] : 1;
        if (values.Dims.Length != 1 || indices.Type != OnnxType.Int64 || size is < 0 || indices.Dims.Length is not (1 or 2)
            || indices.Dims[0] != values.Count || (indices.Dims.Length == 2 && rank != dims.Length))
        {
            throw new BadFileException($"{where} has no list of values with an index for each");
        }

        long[] all = indices.ToIntegers();
        var places = new int[values.Count];
        long last = -1;
        for (int i = 0; i < places.Length; i++)
        {
            long place = 0;
            for (int d = 0; d < rank; d++)
            {
                long index = all[(i * rank) + d], side = rank == 1 && indices.Dims.Length == 1 ? size : dims[d];
                place = index >= 0 && index < side ? (place * side) + index
                    : throw new BadFileException($"{where} has an index outside of it");
            }

            places[i] = place > last ? (int)place : throw new BadFileException($"{where} has indices that do not increase");
            last = place;
        }

        return new OnnxTensor(values, dims, places);
    }

    public static string Shown(IReadOnlyList<int> dims) => dims.Count == 0 ? "a single number" : string.Join('x', dims.Take(9));

    /// <summary>Bytes of one value; 0 for a type that is not read.</summary>
    public static int SizeOf(OnnxType type) => type switch
    {
        OnnxType.UInt8 or OnnxType.Int8 or OnnxType.Bool => 1,
        OnnxType.UInt16 or OnnxType.Int16 or OnnxType.Float16 or OnnxType.BFloat16 => 2,
        OnnxType.Float32 or OnnxType.Int32 or OnnxType.UInt32 => 4,
        OnnxType.Float64 or OnnxType.Int64 or OnnxType.UInt64 => 8,
        _ => 0,
    };

    /// <summary>Whether all its values are finite in float32, as far as they are floats at all.</summary>
    public bool IsFinite()
    {
        bool finite = true;
        Each((_, bits) => finite &= !IsFloat || float.IsFinite(Single(bits)));
        return finite;
    }

    /// <summary>The values in float32, in which integers up to 2^24 are exact.</summary>
    public float[] ToSingles()
    {
        var all = new float[Count];
        Each((i, bits) => all[Places?[i] ?? i] = IsFloat ? Single(bits) : Integer(bits));
        return all;
    }

    /// <summary>The values as whole numbers.</summary>
    public long[] ToIntegers()
    {
        var all = new long[Count];
        Each((i, bits) => all[Places?[i] ?? i] = Integer(bits));
        return all;
    }

    private static int CountVarints(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        int count = 0;
        for (; !reader.AtEnd; count++)
        {
            reader.Number();
        }

        return count;
    }

    private float Single(ulong bits) => Type switch
    {
        OnnxType.Float32 => BitConverter.UInt32BitsToSingle((uint)bits),
        OnnxType.Float64 => (float)BitConverter.UInt64BitsToDouble(bits),
        OnnxType.Float16 => (float)BitConverter.UInt16BitsToHalf((ushort)bits),
        _ => BitConverter.UInt32BitsToSingle((uint)bits << 16),
    };

    private long Integer(ulong bits) => Type switch
    {
        OnnxType.Int8 => (sbyte)bits,
        OnnxType.Int16 => (short)bits,
        OnnxType.Int32 => (int)bits,
        OnnxType.UInt8 => (byte)bits,
        OnnxType.UInt16 => (ushort)bits,
        OnnxType.UInt32 => (uint)bits,
        _ => (long)bits,
    };

    /// <summary>Goes through the stored values: each one's number, and its bits.</summary>
    private void Each(Action<int, ulong> take)
    {
        (int i, int size) = (0, SizeOf(Type));
        foreach (ReadOnlyMemory<byte> chunk in chunks)
        {
            if (varints)
            {
                var reader = new ProtobufReader(chunk.Span);
                while (!reader.AtEnd)
                {
                    take(i++, reader.Number());
                }

                continue;
            }

            ReadOnlySpan<byte> bytes = chunk.Span;
            for (int at = 0; at < bytes.Length; at += size)
            {
                take(i++, size switch
                {
                    1 => bytes[at],
                    2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]),
                    4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]),
                    _ => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]),
                });
            }
        }
    }
}
