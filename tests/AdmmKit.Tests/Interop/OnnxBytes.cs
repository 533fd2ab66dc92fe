using AdmmKit.Interop;
using AdmmKit.Interop.Onnx;

namespace AdmmKit.Tests.Interop;

/// <summary>Writes ONNX models operator by operator, also wrong ones.</summary>
internal sealed class OnnxBytes
{
    private readonly ProtobufWriter graph = new();
    private readonly long[] input;
    private int made;

    /// <summary>A model whose input "x" has these dimensions; 0 for one that is open.</summary>
    public OnnxBytes(params long[] input) => this.input = input;

    public long Opset { get; init; } = 13;

    public List<string> Outputs { get; } = [];

    /// <summary>An initializer of 1, 2, 3 ... eighths, or of the values given.</summary>
    public OnnxBytes Floats(string name, long[] dims, params float[] values)
    {
        int count = (int)dims.Aggregate(1L, (a, d) => a * d);
        graph.Message(5, OnnxWeights.Singles(name, dims, values.Length > 0 ? values : [.. Enumerable.Range(1, count).Select(i => i % 17 / 8f)]));
        return this;
    }

    public OnnxBytes Longs(string name, params long[] values)
    {
        graph.Message(5, OnnxWeights.Longs(name, values));
        return this;
    }

    public OnnxBytes Bytes(string name, OnnxType type, long[] dims, params byte[] values)
    {
        graph.Message(5, OnnxWeights.Tensor(name, type, dims, values));
        return this;
    }

    /// <summary>An operator with a name as exporters make them; of attributes whole numbers, lists of them, floats and text are written.</summary>
    public OnnxBytes Node(string type, string[] inputs, string output, params (string Name, object Value)[] attributes) =>
        Named(FormattableString.Invariant($"{type}_{made++}"), type, inputs, output, attributes);

    public OnnxBytes Named(string name, string type, string[] inputs, string output, params (string Name, object Value)[] attributes)
    {
        var node = new ProtobufWriter();
        Array.ForEach(inputs, i => node.Text(1, i));
        node.Text(2, output);
        node.Text(3, name);
        node.Text(4, type);
        foreach ((string key, object value) in attributes)
        {
            var attribute = new ProtobufWriter();
            attribute.Text(1, key);
            switch (value)
            {
                case int i:
                    attribute.Varint(3, i);
                    break;
                case float f:
                    attribute.Single(2, f);
                    break;
                case string s:
                    attribute.Text(4, s);
                    break;
                case int[] list:
                    Array.ForEach(list, v => attribute.Varint(8, v));
                    break;
                case ProtobufWriter tensor:
                    attribute.Message(5, tensor);
                    break;
                default:
                    throw new NotSupportedException(value.ToString());
            }

            node.Message(5, attribute);
        }

        graph.Message(1, node);
        return this;
    }

    /// <summary>Any field of the graph.</summary>
    public OnnxBytes Raw(int field, ProtobufWriter message)
    {
        graph.Message(field, message);
        return this;
    }

    /// <summary>The file; its output is "y" if no others were named.</summary>
    public byte[] File()
    {
        graph.Message(11, Value("x", input));
        foreach (string output in Outputs.DefaultIfEmpty("y"))
        {
            graph.Message(12, Value(output, []));
        }

        (var model, var opset) = (new ProtobufWriter(), new ProtobufWriter());
        opset.Varint(2, Opset);
        model.Message(8, opset);
        model.Message(7, graph);
        using var stream = new MemoryStream();
        model.WriteTo(stream);
        return stream.ToArray();
    }

    public OnnxNetwork Read(OnnxImport? options = null) => OnnxFile.Read(File(), "some.onnx", options);

    public static ProtobufWriter Value(string name, long[] dims, OnnxType element = OnnxType.Float32)
    {
        var shape = new ProtobufWriter();
        foreach (long dim in dims)
        {
            var dimension = new ProtobufWriter();
            if (dim > 0)
            {
                dimension.Varint(1, dim);
            }

            shape.Message(1, dimension);
        }

        (var tensor, var type, var value) = (new ProtobufWriter(), new ProtobufWriter(), new ProtobufWriter());
        tensor.Varint(1, (long)element);
        tensor.Message(2, shape);
        type.Message(1, tensor);
        value.Text(1, name);
        value.Message(2, type);
        return value;
    }
}
