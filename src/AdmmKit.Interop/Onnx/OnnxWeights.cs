using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace AdmmKit.Interop.Onnx;

/// <summary>Numbers as tensors of a file.</summary>
internal static class OnnxWeights
{
    // Of the places in a sparse tensor, beside four for the value.
    private const int IndexBytes = sizeof(long);

    // Twice that of levels of 8 bits.
    private const int MaxLevel = 256;

    /// <summary>A TensorProto.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">The type of its values.</param>
    /// <param name="dims">Its dimensions; none for a single number.</param>
    /// <param name="raw">Its values, little-endian.</param>
    public static ProtobufWriter Tensor(string name, OnnxType type, IEnumerable<long> dims, ReadOnlyMemory<byte> raw)
    {
        var tensor = new ProtobufWriter();
        foreach (long dim in dims)
        {
            tensor.Varint(1, dim);
        }

        tensor.Varint(2, (long)type);
        tensor.Text(8, name);
        tensor.Bytes(9, raw);
        return tensor;
    }

    public static ProtobufWriter Singles(string name, IEnumerable<long> dims, ReadOnlySpan<float> values) =>
        Tensor(name, OnnxType.Float32, dims, Bytes(values));

    public static ProtobufWriter Longs(string name, params long[] values) =>
        Tensor(name, OnnxType.Int64, [values.Length], Bytes((ReadOnlySpan<long>)values));

    /// <summary>A SparseTensorProto of the values that are not zero; null where it would not be shorter than all of them.</summary>
    public static ProtobufWriter? Sparse(string name, IEnumerable<long> dims, ReadOnlySpan<float> values)
    {
        (var places, var survivors) = (new List<long>(), new List<float>());
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i] != 0)
            {
                places.Add(i);
                survivors.Add(values[i]);
            }
        }

        if (survivors.Count == 0 || (long)survivors.Count * (sizeof(float) + IndexBytes) >= (long)values.Length * sizeof(float))
        {
            return null;
        }

        var sparse = new ProtobufWriter();
        sparse.Message(1, Singles(name, [survivors.Count], CollectionsMarshal.AsSpan(survivors)));
        sparse.Message(2, Longs("", [.. places]));
        foreach (long dim in dims)
        {
            sparse.Varint(3, dim);
        }

        return sparse;
    }

    /// <summary>An interval of which all values are whole multiples, to the last bit; 0 where none is found.</summary>
    /// <param name="values">The values.</param>
    public static float IntervalOf(ReadOnlySpan<float> values)
    {
        var different = new HashSet<float>();
        foreach (float value in values)
        {
            if (value != 0 && different.Add(MathF.Abs(value)) && different.Count > MaxLevel)
            {
                return 0;
            }
        }

        float largest = different.Count > 0 ? different.Max() : 0;
        for (int level = 1; level <= MaxLevel && largest > 0; level++)
        {
            // The largest value is rounded from level x q, so that the quotient may be one step beside q.
            float near = largest / level;
            float[] candidates = [near, MathF.BitDecrement(near), MathF.BitIncrement(near)];
            float q = Array.Find(candidates, q => different.All(v => q > 0 && MathF.Round(v / q) * q == v));
            if (q > 0)
            {
                return q;
            }
        }

        return 0;
    }

    /// <summary>Values as levels of an interval: in 8 bits where they fit, else in 32.</summary>
    public static ProtobufWriter Levels(string name, IEnumerable<long> dims, ReadOnlySpan<float> values, float q)
    {
        var levels = new int[values.Length];
        (int least, int most) = (0, 0);
        for (int i = 0; i < levels.Length; i++)
        {
            levels[i] = (int)MathF.Round(values[i] / q);
            (least, most) = (Math.Min(least, levels[i]), Math.Max(most, levels[i]));
        }

        return least >= sbyte.MinValue && most <= sbyte.MaxValue
            ? Tensor(name, OnnxType.Int8, dims, Array.ConvertAll(levels, l => (byte)l))
            : Tensor(name, OnnxType.Int32, dims, Bytes((ReadOnlySpan<int>)levels));
    }

    private static byte[] Bytes(ReadOnlySpan<float> values)
    {
        var bytes = new byte[values.Length * sizeof(float)];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), values[i]);
        }

        return bytes;
    }

    private static byte[] Bytes(ReadOnlySpan<int> values)
    {
        var bytes = new byte[values.Length * sizeof(int)];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(i * sizeof(int)), values[i]);
        }

        return bytes;
    }

    private static byte[] Bytes(ReadOnlySpan<long> values)
    {
        var bytes = new byte[values.Length * sizeof(long)];
        for (int i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), values[i]);
        }

        return bytes;
    }
}
