using System.Globalization;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Interop.Onnx;

/// <summary>From a network to a graph of operators.</summary>
internal sealed class OnnxExporter
{
    // Both of 2020, which every runtime reads; nothing newer is needed.
    private const int IrVersion = 7;
    private const int Opset = 13;

    // Protobuf's own limit.
    private const long MaxBytes = int.MaxValue;

    private readonly NetworkSpec spec;
    private readonly NetworkWeights weights;
    private readonly OnnxExport options;
    private readonly IReadOnlyList<float> intervals;
    private readonly ProtobufWriter graph = new();
    private readonly HashSet<string> taken = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly List<string> notes = [];

    // The value that each step gives, and whether it is [batch, numbers]; the image comes first.
    private readonly List<(string Name, bool IsFlat)> given = [];
    private readonly Dictionary<int, string> flattened = [];

    /// <summary>Writes the network into <see cref="Message"/>.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="options">How it is written.</param>
    /// <param name="intervals">The interval of each layer's levels, 0 where it is not known; null where none is.</param>
    /// <exception cref="AdmmKitException">It has a step that ONNX lacks, or is longer than a file may be.</exception>
    public OnnxExporter(NetworkSpec spec, NetworkWeights weights, OnnxExport options, IReadOnlyList<float>? intervals = null)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        if (!spec.Layers.Select(l => (l.WeightCount, l.Rows)).SequenceEqual(
            weights.Weights.Zip(weights.Biases, (w, b) => (w.Length, b.Length))))
        {
            throw new AdmmKitException($"The weights do not fit '{spec.Name}' for {spec.Input} images: it needs {string.Join(", ", spec.Layers.Select(l => $"{l.Name} {l.Shape}"))}.");
        }

        spec.CheckNormalizations(weights.Normalizations);
        (this.spec, this.weights, this.options, this.intervals) = (spec, weights, options, intervals ?? new float[spec.Layers.Count]);
        // Nothing else may be called as the network's own input and output, its layers and their numbers.
        string[] layers = [.. spec.Layers.Select(l => l.Name), .. spec.Normalizations.Select(n => n.Name)];
        taken.UnionWith(layers.SelectMany(l => new[] { l, l + ".weight", l + ".bias", l + ".running_mean", l + ".running_var" }));
        if (!taken.Add(options.InputName) || !taken.Add(options.OutputName))
        {
            throw new AdmmKitException($"Input and output are named '{options.InputName}' and '{options.OutputName}', which are the same, or a layer's: choose other names.");
        }

        given.Add((options.InputName, false));
        WriteSteps();
        WriteEnding();
        Describe(11, options.InputName, [spec.Input.Channels, spec.Input.Height, spec.Input.Width]);
        Describe(12, options.OutputName, [spec.Classes]);
        Message = Model();
        if (Message.Length > MaxBytes)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{spec.Name}' takes {Message.Length} bytes, and an ONNX file has at most {MaxBytes}: write it quantized or sparse, or as safetensors."));
        }
    }

    /// <summary>The ModelProto.</summary>
    public ProtobufWriter Message { get; }

    /// <summary>What could not be written in the form that was asked for.</summary>
    public IReadOnlyList<string> Notes => notes;

    private ProtobufWriter Model()
    {
        var model = new ProtobufWriter();
        model.Varint(1, IrVersion);
        model.Text(2, "AdmmKit");
        model.Text(3, typeof(OnnxExporter).Assembly.GetName().Version?.ToString(3) ?? "");
        graph.Text(2, spec.Name);
        model.Message(7, graph);
        var opset = new ProtobufWriter();
        opset.Text(1, "");
        opset.Varint(2, Opset);
        model.Message(8, opset);
        foreach ((string key, string value) in new[]
        {
            ("architecture", spec.Name), ("input", spec.Input.ToString()), ("classes", spec.Classes.ToString(CultureInfo.InvariantCulture)),
        })
        {
            var entry = new ProtobufWriter();
            entry.Text(1, key);
            entry.Text(2, value);
            model.Message(14, entry);
        }

        return model;
    }

    private void WriteSteps()
    {
        (int layer, int norm) = (0, 0);
        for (int i = 0; i < spec.Nodes.Count; i++)
        {
            IReadOnlyList<int> from = spec.Inputs[i];
            given.Add(spec.Nodes[i] switch
            {
                Node.Convolution c => Convolution(c, from[0], layer++),
                Node.FullyConnected f => Connected(f, from[0], layer++),
                Node.BatchNorm b => Normalization(b, from[0], norm++),
                Node.Relu => (Write("Relu", Named("relu"), [given[from[0] + 1].Name]), given[from[0] + 1].IsFlat),
                Node.Dropout => given[from[0] + 1],
                Node.MaxPool p => (Write("MaxPool", Named("pool"), [Image(from[0])], Windows(p.Window, p.Step, p.Padding)), false),
                Node.AveragePool p => (Write("AveragePool", Named("pool"), [Image(from[0])],
                    [.. Windows(p.Window, p.Step, p.Padding), Int("count_include_pad", p.CountsPadding ? 1 : 0)]), false),
                Node.GlobalAveragePool => (Write("GlobalAveragePool", Named("pool"), [Image(from[0])]), false),
                Node.LocalResponseNorm n => (Write("LRN", Named("norm"), [Image(from[0])],
                    [Int("size", n.Size), Float("alpha", n.Alpha), Float("beta", n.Beta), Float("bias", n.Bias)]), false),
                Node.Standardize s => options.Standardize ? (Standardize(s, from[0]), false) : given[from[0] + 1],
                Node.Shortcut s => (Shortcut(s, from[0]), false),
                Node.Add => Joined("Add", from),
                Node.Concat => Joined("Concat", from, Int("axis", 1)),
                _ => throw new AdmmKitException($"ONNX has no operator for a {spec.Nodes[i].GetType().Name} step of '{spec.Name}': leave the step out, or keep the network as .admm."),
            });
        }
    }

    private (string Name, bool IsFlat) Convolution(Node.Convolution c, int from, int layer)
    {
        LayerInfo info = spec.Layers[layer];
        string weight = Weights(info, [info.Rows, info.InputChannels, info.KernelHeight, info.KernelWidth], layer);
        string[] inputs = c.Biased || Array.Exists(weights.Biases[layer], b => b != 0)
            ? [Image(from), weight, Stored(OnnxWeights.Singles($"{c.Name}.bias", [info.Rows], weights.Biases[layer]), $"{c.Name}.bias")]
            : [Image(from), weight];
        return (Write(
            "Conv", c.Name, inputs, [.. Windows(c.Kernel, c.Stride, c.Padding), Int("group", c.Groups), Ints("dilations", 1, 1)]), false);
    }

    private (string Name, bool IsFlat) Connected(Node.FullyConnected f, int from, int layer)
    {
        LayerInfo info = spec.Layers[layer];
        string weight = Weights(info, [info.Rows, info.Columns], layer);
        string bias = Stored(OnnxWeights.Singles($"{f.Name}.bias", [info.Rows], weights.Biases[layer]), $"{f.Name}.bias");
        return (Write("Gemm", f.Name, [Flat(from), weight, bias], Int("transB", 1)), true);
    }

    private (string Name, bool IsFlat) Normalization(Node.BatchNorm b, int from, int norm)
    {
        int channels = spec.Normalizations[norm].Channels;
        string Part(int part, string name)
        {
            ReadOnlySpan<float> values = weights.Normalizations[norm].AsSpan(part * channels, channels);
            return Stored(OnnxWeights.Singles($"{b.Name}.{name}", [channels], values), $"{b.Name}.{name}");
        }

        return (Write(
            "BatchNormalization", b.Name,
            [given[from + 1].Name, Part(0, "weight"), Part(1, "bias"), Part(2, "running_mean"), Part(3, "running_var")],
            Float("epsilon", Node.BatchNorm.Epsilon)), given[from + 1].IsFlat);
    }

    private string Standardize(Node.Standardize s, int from)
    {
        string Constant(string name, IReadOnlyList<float> values)
        {
            string unique = Named(name);
            return Stored(OnnxWeights.Singles(unique, [1, values.Count, 1, 1], values.ToArray()), unique);
        }

        string centred = Write("Sub", Named("centred"), [Image(from), Constant("mean", s.Means)]);
        return Write("Div", Named("standardized"), [centred, Constant("deviation", s.Deviations)]);
    }

    private string Shortcut(Node.Shortcut s, int from)
    {
        string Constant(string name, params long[] values)
        {
            string unique = Named(name);
            return Stored(OnnxWeights.Longs(unique, values), unique);
        }

        int channels = (from == NetworkSpec.Image ? spec.Input : spec.Shapes[from]).Channels;
        string x = Image(from);
        if (s.Stride > 1 || s.Filters == channels)
        {
            string begin = Constant("starts", 0, 0), end = Constant("ends", int.MaxValue, int.MaxValue);
            x = Write("Slice", Named("slice"), [x, begin, end, Constant("axes", 2, 3), Constant("steps", s.Stride, s.Stride)]);
        }

        int before = (s.Filters - channels) / 2;
        int after = s.Filters - channels - before;
        return s.Filters == channels ? x
            : Write("Pad", Named("shortcut"), [x, Constant("pads", 0, before, 0, 0, 0, after, 0, 0)], Text("mode", "constant"));
    }

    private (string Name, bool IsFlat) Joined(string type, IReadOnlyList<int> from, params ProtobufWriter[] attributes)
    {
        // Outputs of fully connected layers are flat, so their like are single numbers a channel.
        bool flat = from.Any(f => given[f + 1].IsFlat);
        string[] inputs = [.. from.Select(f => flat ? Flat(f) : given[f + 1].Name)];
        // Add is of two; Sum, of any number.
        string written = type == "Add" && inputs.Length > 2 ? "Sum" : type;
        return (Write(written, Named(type == "Add" ? "add" : "concat"), inputs, attributes), flat);
    }

    private void WriteEnding()
    {
        string last = Flat(spec.Nodes.Count - 1);
        (string type, string name, ProtobufWriter[] attributes) = options.Ending switch
        {
            OnnxEnding.Softmax => ("Softmax", "probabilities", [Int("axis", 1)]),
            OnnxEnding.LogSoftmax => ("LogSoftmax", "probabilities", [Int("axis", 1)]),
            _ => ("Identity", "scores", Array.Empty<ProtobufWriter>()),
        };
        WriteNode(type, Named(name), [last], options.OutputName, attributes);
    }

    /// <summary>The name under which the weights of a layer can be read, in the form that was asked for.</summary>
    private string Weights(LayerInfo info, long[] dims, int layer)
    {
        (string name, float[] values) = ($"{info.Name}.weight", weights.Weights[layer]);
        if (options.Form == OnnxForm.Sparse)
        {
            if (OnnxWeights.Sparse(name, dims, values) is { } sparse)
            {
                graph.Message(15, sparse);
                return name;
            }

            notes.Add($"'{info.Name}' is written with all its weights: its survivors with their places would not be shorter.");
        }
        else if (options.Form == OnnxForm.Quantized)
        {
            float q = intervals[layer] > 0 ? intervals[layer] : OnnxWeights.IntervalOf(values);
            if (q > 0)
            {
                Stored(OnnxWeights.Levels(name, dims, values, q), name);
                string scale = Named($"{info.Name}.scale");
                Stored(OnnxWeights.Singles(scale, [], [q]), scale);
                return Write("DequantizeLinear", Named($"{info.Name}.dequantized"), [name, scale]);
            }

            notes.Add($"'{info.Name}' is written in float32: its weights are not levels of one interval, and those of a codebook are not exactly what DequantizeLinear can give.");
        }

        return Stored(OnnxWeights.Singles(name, dims, values), name);
    }

    private string Stored(ProtobufWriter tensor, string name)
    {
        graph.Message(5, tensor);
        return name;
    }

    /// <summary>A step's output as [batch, channels, rows, columns].</summary>
    private string Image(int from)
    {
        (string name, bool flat) = given[from + 1];
        if (!flat)
        {
            return name;
        }

        string axes = Named("axes");
        return Write("Unsqueeze", Named("unsqueeze"), [name, Stored(OnnxWeights.Longs(axes, 2, 3), axes)]);
    }

    /// <summary>A step's output as [batch, numbers].</summary>
    private string Flat(int from)
    {
        (string name, bool flat) = given[from + 1];
        return flat ? name : flattened.TryGetValue(from, out string? before) ? before
            : flattened[from] = Write("Flatten", Named("flatten"), [name], Int("axis", 1));
    }

    private string Write(string type, string name, IReadOnlyList<string> inputs, params ProtobufWriter[] attributes)
    {
        WriteNode(type, name, inputs, name, attributes);
        return name;
    }

    private void WriteNode(string type, string name, IReadOnlyList<string> inputs, string output, IReadOnlyList<ProtobufWriter> attributes)
    {
        var node = new ProtobufWriter();
        foreach (string input in inputs)
        {
            node.Text(1, input);
        }

        node.Text(2, output);
        node.Text(3, name);
        node.Text(4, type);
        foreach (ProtobufWriter attribute in attributes)
        {
            node.Message(5, attribute);
        }

        graph.Message(1, node);
    }

    /// <summary>A ValueInfoProto of float32 numbers; how many images there are is left open.</summary>
    private void Describe(int field, string name, IEnumerable<long> sides)
    {
        (var shape, var batch) = (new ProtobufWriter(), new ProtobufWriter());
        batch.Text(2, "batch");
        shape.Message(1, batch);
        foreach (long side in sides)
        {
            var dimension = new ProtobufWriter();
            dimension.Varint(1, side);
            shape.Message(1, dimension);
        }

        (var tensor, var type, var value) = (new ProtobufWriter(), new ProtobufWriter(), new ProtobufWriter());
        tensor.Varint(1, (long)OnnxType.Float32);
        tensor.Message(2, shape);
        type.Message(1, tensor);
        value.Text(1, name);
        value.Message(2, type);
        graph.Message(field, value);
    }

    /// <summary>A name that nothing else has: "relu1", "relu2".</summary>
    private string Named(string kind)
    {
        while (true)
        {
            int number = numbers[kind] = numbers.GetValueOrDefault(kind) + 1;
            // What belongs to one layer is there once.
            bool once = number == 1 && kind.Contains('.', StringComparison.Ordinal);
            string name = once ? kind : FormattableString.Invariant($"{kind}{number}");
            if (taken.Add(name))
            {
                return name;
            }
        }
    }

    private static ProtobufWriter[] Windows(int window, int stride, int padding) =>
        [Ints("kernel_shape", window, window), Ints("strides", stride, stride), Ints("pads", padding, padding, padding, padding)];

    private static ProtobufWriter Attribute(string name, int type)
    {
        var attribute = new ProtobufWriter();
        attribute.Text(1, name);
        attribute.Varint(20, type);
        return attribute;
    }

    private static ProtobufWriter Int(string name, long value)
    {
        ProtobufWriter attribute = Attribute(name, 2);
        attribute.Varint(3, value);
        return attribute;
    }

    private static ProtobufWriter Ints(string name, params long[] values)
    {
        ProtobufWriter attribute = Attribute(name, 7);
        foreach (long value in values)
        {
            attribute.Varint(8, value);
        }

        return attribute;
    }

    private static ProtobufWriter Float(string name, double value)
    {
        ProtobufWriter attribute = Attribute(name, 1);
        attribute.Single(2, (float)value);
        return attribute;
    }

    private static ProtobufWriter Text(string name, string value)
    {
        ProtobufWriter attribute = Attribute(name, 3);
        attribute.Text(4, value);
        return attribute;
    }
}
