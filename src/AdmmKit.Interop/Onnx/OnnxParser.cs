using System.Buffers.Binary;
using System.Text;

namespace AdmmKit.Interop.Onnx;

/// <summary>
/// Reads ONNX's ModelProto message, of which nothing is believed before it is checked. Fields that are not needed are skipped,
/// graphs within a node among them: nothing is read to any depth.
/// </summary>
internal static class OnnxParser
{
    // Far above networks that anybody prunes, and so few that empty ones take little memory.
    private const int MaxNodes = 20_000;
    private const int MaxTensors = 50_000;
    private const int MaxDimensions = 32;

    // Of lists in attributes, which are kernels, paddings and small constants.
    private const int MaxList = 10_000;

    /// <summary>Reads the message.</summary>
    /// <param name="file">All its bytes, which must not change as long as a tensor of it is used.</param>
    /// <exception cref="BadFileException">Something is wrong; the message says what and where, not in which file.</exception>
    public static OnnxModel Parse(ReadOnlyMemory<byte> file)
    {
        var reader = new ProtobufReader(file.Span);
        (OnnxGraph? graph, long opset, int entries) = (null, 0, 0);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 7:
                    graph = graph is null ? ParseGraph(Part(file, ref reader, "graph")) : throw new BadFileException("it has two graphs");
                    break;
                case 8:
                    (string domain, long version) = ParseOpset(reader.Bytes("opset_import"));
                    opset = domain is "" or "ai.onnx" ? version : opset;
                    break;
                case 14 when entries++ < MaxList:
                    (string key, string value) = ParseEntry(reader.Bytes("metadata_props"));
                    metadata[key] = value;
                    break;
                default:
                    reader.Value();
                    break;
            }
        }

        return graph is not null ? new OnnxModel(opset, metadata, graph) : throw new BadFileException("it has no graph");
    }

    private static OnnxGraph ParseGraph(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtobufReader(message.Span);
        string name = "";
        (var nodes, var inputs, var outputs) = (new List<OnnxNode>(), new List<OnnxInput>(), new List<string>());
        var initializers = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    Limit(nodes.Count, MaxNodes, "operators");
                    nodes.Add(ParseNode(Part(message, ref reader, "node"), nodes.Count));
                    break;
                case 2:
                    name = Text(reader.Bytes("graph's name"));
                    break;
                case 5 or 15:
                    Limit(initializers.Count, MaxTensors, "initializers");
                    bool sparse = reader.Field == 15;
                    ReadOnlyMemory<byte> part = Part(message, ref reader, "initializer");
                    OnnxTensor tensor = sparse ? ParseSparse(part) : ParseTensor(part);
                    if (tensor.Name.Length == 0 || !initializers.TryAdd(tensor.Name, tensor))
                    {
                        throw new BadFileException($"an initializer has no name, or that of another one: {ForeignFile.Shown(tensor.Name)}");
                    }

                    break;
                case 11:
                    Limit(inputs.Count, MaxTensors, "inputs");
                    inputs.Add(ParseInput(reader.Bytes("input")));
                    break;
                case 12:
                    Limit(outputs.Count, MaxTensors, "outputs");
                    outputs.Add(ParseInput(reader.Bytes("output")).Name);
                    break;
                default:
                    reader.Value();
                    break;
            }
        }

        return new OnnxGraph(name, nodes, initializers, inputs, outputs);
    }

    private static OnnxNode ParseNode(ReadOnlyMemory<byte> message, int number)
    {
        var reader = new ProtobufReader(message.Span);
        (string name, string type, string domain) = ("", "", "");
        (List<string> inputs, List<string> outputs, Dictionary<string, OnnxAttribute>? attributes) = (new(2), new(1), null);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    inputs.Add(Text(reader.Bytes("input's name")));
                    break;
                case 2:
                    outputs.Add(Text(reader.Bytes("output's name")));
                    break;
                case 3:
                    name = Text(reader.Bytes("node's name"));
                    break;
                case 4:
                    type = Text(reader.Bytes("op_type"));
                    break;
                case 5:
                    (string attribute, OnnxAttribute value) = ParseAttribute(Part(message, ref reader, "attribute"));
                    attributes ??= new(StringComparer.Ordinal);
                    attributes[attribute] = attributes.ContainsKey(attribute)
                        ? throw new BadFileException(FormattableString.Invariant($"node {number} has two attributes {ForeignFile.Shown(attribute)}")) : value;
                    break;
                case 7:
                    domain = Text(reader.Bytes("domain"));
                    break;
                default:
                    reader.Value();
                    break;
            }
        }

        return type.Length > 0
            ? new OnnxNode(number, name, type, domain == "ai.onnx" ? "" : domain, inputs, outputs, attributes ?? NoAttributes)
            : throw new BadFileException(FormattableString.Invariant($"node {number} does not say what it computes"));
    }

    private static readonly Dictionary<string, OnnxAttribute> NoAttributes = [];

    private static (string Name, OnnxAttribute Value) ParseAttribute(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtobufReader(message.Span);
        (string name, string text, float single, long number, OnnxTensor? tensor) = ("", "", 0, 0, null);
        (List<long>? ints, List<float>? floats) = (null, null);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    name = Text(reader.Bytes("attribute's name"));
                    break;
                case 2:
                    single = reader.Single("attribute f");
                    break;
                case 3:
                    number = (long)reader.Varint("attribute i");
                    break;
                case 4:
                    text = Text(reader.Bytes("attribute s"));
                    break;
                case 5:
                    tensor = ParseTensor(Part(message, ref reader, "attribute t"));
                    break;
                case 7:
                    floats ??= [];
                    Singles(ref reader, floats);
                    break;
                case 8:
                    ints ??= [];
                    Numbers(ref reader, ints, "attribute ints");
                    break;
                case 22:
                    tensor = ParseSparse(Part(message, ref reader, "attribute sparse_tensor"));
                    break;
                default:
                    reader.Value();
                    break;
            }
        }

        return name.Length > 0 ? (name, new OnnxAttribute(number, single, text, ints?.ToArray() ?? [], floats?.ToArray() ?? [], tensor))
            : throw new BadFileException("an attribute has no name");
    }

    private static OnnxTensor ParseTensor(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtobufReader(message.Span);
        (string name, ulong type, bool external) = ("", 0, false);
        var dims = new List<long>();
        // Of one tensor only one of these fields is used: 9 raw bytes, 4 and 10 floats, 5, 7 and 11 varints.
        (var chunks, int field) = (new List<ReadOnlyMemory<byte>>(1), 0);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    Numbers(ref reader, dims, "dimensions");
                    break;
                case 2:
                    type = reader.Varint("data_type");
                    break;
                case 4 or 5 or 7 or 9 or 10 or 11:
                    if (field != 0 && (field != reader.Field || field == 9))
                    {
                        throw new BadFileException($"tensor {ForeignFile.Shown(name)} has its values twice");
                    }

                    (field, int length) = (reader.Field, reader.Value().Length);
                    chunks.Add(message.Slice(reader.Position - length, length));
                    break;
                case 8:
                    name = Text(reader.Bytes("tensor's name"));
                    break;
                case 14:
                    external = reader.Varint("data_location") == 1;
                    break;
                default:
                    reader.Value();
                    break;
            }
        }

        if (external)
        {
            throw new BadFileException(
                $"tensor {ForeignFile.Shown(name)} is in a file of its own, which is not read: save the network as one file (in Python: onnx.save_model(onnx.load(path), path, save_as_external_data=False))");
        }

        OnnxType known = type <= (ulong)OnnxType.BFloat16 ? (OnnxType)type : OnnxType.Undefined;
        if (field != 0 && field != 9 && !Fits(known, field))
        {
            throw new BadFileException($"tensor {ForeignFile.Shown(name)} has values of another type than its own");
        }

        return new OnnxTensor(name, Dimensions(dims, name), known, chunks, varints: field is 5 or 7 or 11);
    }

    private static bool Fits(OnnxType type, int field) => field switch
    {
        4 => type == OnnxType.Float32,
        10 => type == OnnxType.Float64,
        7 => type == OnnxType.Int64,
        11 => type is OnnxType.UInt32 or OnnxType.UInt64,
        _ => OnnxTensor.SizeOf(type) is 1 or 2 || type == OnnxType.Int32,
    };

    private static OnnxTensor ParseSparse(ReadOnlyMemory<byte> message)
    {
        var reader = new ProtobufReader(message.Span);
        (OnnxTensor? values, OnnxTensor? indices, var dims) = (null, null, new List<long>());
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    values = ParseTensor(Part(message, ref reader, "values"));
                    break;
                case 2:
                    indices = ParseTensor(Part(message, ref reader, "indices"));
                    break;
                case 3:
                    Numbers(ref reader, dims, "dimensions");
                    break;
                default:
                    reader.Value();
                    break;
            }
        }

        return values is not null && indices is not null ? OnnxTensor.Sparse(values, indices, Dimensions(dims, values.Name))
            : throw new BadFileException("a sparse tensor has no values or no indices");
    }

    private static OnnxInput ParseInput(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        (string name, OnnxType type, List<long>? shape) = ("", OnnxType.Undefined, null);
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                name = Text(reader.Bytes("input's name"));
            }
            else if (reader.Field == 2 && TensorType(reader.Bytes("input's type")) is { IsEmpty: false } tensor)
            {
                var fields = new ProtobufReader(tensor);
                while (fields.Next())
                {
                    if (fields.Field == 1)
                    {
                        ulong known = fields.Varint("elem_type");
                        type = known <= (ulong)OnnxType.BFloat16 ? (OnnxType)known : OnnxType.Undefined;
                    }
                    else if (fields.Field == 2)
                    {
                        shape = ParseShape(fields.Bytes("input's shape"));
                    }
                    else
                    {
                        fields.Value();
                    }
                }
            }
            else
            {
                reader.Value();
            }
        }

        return new OnnxInput(name, type, shape);
    }

    private static ReadOnlySpan<byte> TensorType(ReadOnlySpan<byte> type)
    {
        var reader = new ProtobufReader(type);
        ReadOnlySpan<byte> tensor = default;
        while (reader.Next())
        {
            ReadOnlySpan<byte> value = reader.Value();
            tensor = reader is { Field: 1, Type: WireType.Bytes } ? value : tensor;
        }

        return tensor;
    }

    private static List<long> ParseShape(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        var shape = new List<long>();
        while (reader.Next())
        {
            if (reader.Field != 1)
            {
                reader.Value();
                continue;
            }

            Limit(shape.Count, MaxDimensions, "dimensions of an input");
            var dimension = new ProtobufReader(reader.Bytes("dimension"));
            long size = 0;
            while (dimension.Next())
            {
                bool isNumber = dimension is { Field: 1, Type: WireType.Varint };
                ReadOnlySpan<byte> value = dimension.Value();
                size = isNumber ? (long)new ProtobufReader(value).Number() : size;
            }

            shape.Add(size);
        }

        return shape;
    }

    private static (string Domain, long Version) ParseOpset(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        (string domain, long version) = ("", 0);
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                domain = Text(reader.Bytes("domain"));
            }
            else if (reader.Field == 2)
            {
                version = (long)reader.Varint("version");
            }
            else
            {
                reader.Value();
            }
        }

        return (domain, version);
    }

    private static (string Key, string Value) ParseEntry(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        (string key, string value) = ("", "");
        while (reader.Next())
        {
            string text = Text(reader.Value());
            (key, value) = reader.Field switch { 1 => (text, value), 2 => (key, text), _ => (key, value) };
        }

        return (key, value);
    }

    /// <summary>The numbers of a repeated field, packed or single.</summary>
    private static void Numbers(ref ProtobufReader reader, List<long> to, string what)
    {
        var numbers = new ProtobufReader(reader.Type == WireType.Varint ? reader.Value() : reader.Bytes(what));
        while (!numbers.AtEnd)
        {
            Limit(to.Count, MaxList, what);
            to.Add((long)numbers.Number());
        }
    }

    private static void Singles(ref ProtobufReader reader, List<float> to)
    {
        ReadOnlySpan<byte> bytes = reader.Type == WireType.Fixed32 ? reader.Value() : reader.Bytes("attribute floats");
        for (; bytes.Length >= sizeof(float); bytes = bytes[sizeof(float)..])
        {
            Limit(to.Count, MaxList, "attribute floats");
            to.Add(BinaryPrimitives.ReadSingleLittleEndian(bytes));
        }
    }

    private static int[] Dimensions(List<long> dims, string name) =>
        dims.Count <= MaxDimensions && dims.TrueForAll(d => d is >= 0 and <= int.MaxValue)
        ? [.. dims.Select(d => (int)d)]
        : throw new BadFileException(FormattableString.Invariant(
            $"tensor {ForeignFile.Shown(name)} has a dimension that is negative or above {int.MaxValue}, or more than {MaxDimensions} of them"));

    private static ReadOnlyMemory<byte> Part(ReadOnlyMemory<byte> message, ref ProtobufReader reader, string what)
    {
        int length = reader.Bytes(what).Length;
        return message.Slice(reader.Position - length, length);
    }

    private static void Limit(int count, int most, string what)
    {
        if (count >= most)
        {
            throw new BadFileException(FormattableString.Invariant($"it has more than {most} {what}"));
        }
    }

    // What is not UTF-8 becomes a sign that says so: such a name can still be shown, and asked for by nobody.
    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
