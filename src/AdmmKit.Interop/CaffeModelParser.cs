using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace AdmmKit.Interop;

/// <summary>
/// Reads Caffe's NetParameter message, of which nothing is believed before it is checked. Fields that are not needed are skipped.
/// </summary>
internal static class CaffeModelParser
{
    // Far above the about 1,000 layers of the largest networks that Caffe is used for, and so few that empty ones take little memory.
    private const int MaxLayers = 10_000;
    private const int MaxBlobs = 10_000;

    // As many as Caffe itself allows.
    private const int MaxDimensions = 32;

    // The numbers of fields that differ between the two messages for a layer.
    private static readonly Fields Layer = new(Name: 1, Type: 2, Blobs: 7, Transform: 100);
    private static readonly Fields OldLayer = new(Name: 4, Type: 5, Blobs: 6, Transform: 36);

    // Types were numbers in the older message; those that a classifier is made of.
    private static readonly Dictionary<ulong, string> OldTypes = new()
    {
        [1] = "Accuracy",
        [3] = "Concat",
        [4] = "Convolution",
        [5] = "Data",
        [6] = "Dropout",
        [8] = "Flatten",
        [9] = "HDF5Data",
        [12] = "ImageData",
        [14] = "InnerProduct",
        [15] = "LRN",
        [17] = "Pooling",
        [18] = "ReLU",
        [19] = "Sigmoid",
        [20] = "Softmax",
        [21] = "SoftmaxWithLoss",
        [22] = "Split",
        [23] = "TanH",
        [25] = "Eltwise",
        [39] = "Deconvolution",
    };

    private sealed record Fields(int Name, int Type, int Blobs, int Transform);

    /// <summary>Reads the message.</summary>
    /// <param name="bytes">All its bytes.</param>
    /// <exception cref="BadFileException">Something is wrong; the message says what and where, not in which file.</exception>
    public static (string Name, List<CaffeLayer> Layers) Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        (string name, var layers, int blobs) = ("", new List<CaffeLayer>(), 0);
        while (reader.Next())
        {
            // "layers" is the older field, "layer" the newer one.
            if (reader.Field is 2 or 100)
            {
                if (layers.Count == MaxLayers)
                {
                    throw new BadFileException(FormattableString.Invariant($"it has more than {MaxLayers} layers"));
                }

                layers.Add(ParseLayer(reader.Bytes("layer"), layers.Count, reader.Field == 2, ref blobs));
            }
            else if (reader.Field == 1)
            {
                name = Text(reader.Bytes("name"));
            }
            else
            {
                reader.Value();
            }
        }

        return layers.Count > 0 ? (name, layers) : throw new BadFileException("it has no layers");
    }

    private static CaffeLayer ParseLayer(ReadOnlySpan<byte> bytes, int number, bool old, ref int blobCount)
    {
        var reader = new ProtobufReader(bytes);
        (string name, string type, CaffeTransform? transform, var blobs) = ("", "", null, new List<CaffeBlob>());
        Fields fields = old ? OldLayer : Layer;
        string Where() => name.Length > 0 ? "layer " + ForeignFile.Shown(name) : FormattableString.Invariant($"layer {number}");
        while (reader.Next())
        {
            if (reader.Field == fields.Name)
            {
                name = Text(reader.Bytes("layer's name"));
            }
            else if (reader.Field == fields.Type)
            {
                type = old ? TypeOf(reader.Varint("layer's type")) : Text(reader.Bytes("layer's type"));
            }
            else if (reader.Field == fields.Transform)
            {
                transform = ParseTransform(reader.Bytes("transform_param"));
            }
            else if (reader.Field == fields.Blobs)
            {
                if (blobCount++ == MaxBlobs)
                {
                    throw new BadFileException(FormattableString.Invariant($"its layers have more than {MaxBlobs} blobs"));
                }

                blobs.Add(ParseBlob(reader.Bytes("blob"), Where()));
            }
            else if (old && reader.Field == 1)
            {
                throw new BadFileException($"{Where()} is written as before 2014: let Caffe's upgrade_net_proto_binary write it anew");
            }
            else
            {
                reader.Value();
            }
        }

        return new CaffeLayer(name, type, blobs, transform);
    }

    private static CaffeTransform ParseTransform(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        (float scale, bool mean) = (1, false);
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                scale = reader.Single("scale");
            }
            else
            {
                // mean_file and mean_value; cropping and mirroring leave the values alone.
                mean |= reader.Field is 4 or 5;
                reader.Value();
            }
        }

        return new CaffeTransform(scale, mean);
    }

    private static CaffeBlob ParseBlob(ReadOnlySpan<byte> bytes, string where)
    {
        var reader = new ProtobufReader(bytes);
        (var shape, int[]? old) = (new List<int>(), null);
        while (reader.Next())
        {
            if (reader.Field == 7)
            {
                ParseShape(reader.Bytes("shape"), shape, where);
            }
            else if (reader.Field is >= 1 and <= 4)
            {
                // num, channels, height and width, as long as there was no shape.
                old ??= new int[4];
                old[reader.Field - 1] = Dimension(reader.Varint("dimension"), where);
            }
            else
            {
                reader.Value();
            }
        }

        IReadOnlyList<int> dimensions = old is null || shape.Count > 0 ? shape : old;
        // Single precision, which Caffe writes unless it was built for double.
        (int field, int size) = Numbers(bytes, 5, sizeof(float), default, where) > 0 ? (5, sizeof(float)) : (8, sizeof(double));
        int count = Numbers(bytes, field, size, default, where);
        if (ForeignFile.Product(dimensions) != count)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"{where} has a blob of {string.Join("x", dimensions)} with {count} values"));
        }

        var values = new float[count];
        Numbers(bytes, field, size, values, where);
        return new CaffeBlob(dimensions, values);
    }

    private static void ParseShape(ReadOnlySpan<byte> bytes, List<int> shape, string where)
    {
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            if (reader.Field != 1)
            {
                reader.Value();
                continue;
            }

            var numbers = new ProtobufReader(reader.Type == WireType.Varint ? reader.Value() : reader.Bytes("dimensions"));
            while (!numbers.AtEnd)
            {
                if (shape.Count == MaxDimensions)
                {
                    throw new BadFileException(FormattableString.Invariant($"{where} has a blob of more than {MaxDimensions} dimensions"));
                }

                shape.Add(Dimension(numbers.Number(), where));
            }
        }
    }

    /// <summary>Counts the numbers of a repeated field, packed, single, or both, and writes them where there is room for them.</summary>
    private static int Numbers(ReadOnlySpan<byte> message, int field, int size, Span<float> to, string where)
    {
        var reader = new ProtobufReader(message);
        int count = 0;
        while (reader.Next())
        {
            bool wanted = reader.Field == field;
            bool fits = reader.Type == WireType.Bytes || reader.Type == (size == sizeof(float) ? WireType.Fixed32 : WireType.Fixed64);
            ReadOnlySpan<byte> bytes = reader.Value();
            if (!wanted)
            {
                continue;
            }

            if (!fits || bytes.Length % size != 0)
            {
                throw new BadFileException(FormattableString.Invariant($"{where} has a blob whose values are not numbers of {size} bytes"));
            }

            for (int i = 0; i < bytes.Length && !to.IsEmpty; i += size)
            {
                to[count + (i / size)] = size == sizeof(float)
                    ? BinaryPrimitives.ReadSingleLittleEndian(bytes[i..]) : (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[i..]);
            }

            count += bytes.Length / size;
        }

        return count;
    }

    private static int Dimension(ulong value, string where) => value <= int.MaxValue ? (int)value
        : throw new BadFileException(FormattableString.Invariant($"{where} has a blob with a dimension of {(long)value}"));

    private static string TypeOf(ulong number) =>
        OldTypes.GetValueOrDefault(number) ?? "type " + number.ToString(CultureInfo.InvariantCulture);

    // What is not UTF-8 becomes a sign that says so: such a name can still be shown, and asked for by nobody.
    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
