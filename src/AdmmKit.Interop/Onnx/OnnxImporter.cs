using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Interop.Onnx;

/// <summary>
/// From a graph of operators to a network. Operators are taken in the order of the file, in which each comes after those that it
/// reads; those that the output does not depend on are left out.
/// </summary>
internal sealed partial class OnnxImporter
{
    private const int OldestOpset = 7;

    // The newest whose operators were compared with what is read here.
    private const int NewestOpset = 23;

    // Numbers of one output, and each number that says how an operator walks over it: sums and products of them fit into an int.
    private const long MaxSize = 1 << 28;
    private const int MaxSide = 1 << 15;

    private static readonly string[] Supported =
    [
        "Add", "AveragePool", "BatchNormalization", "Concat", "Constant", "Conv", "DequantizeLinear", "Div", "Dropout", "Flatten", "Gemm",
        "GlobalAveragePool", "Identity", "LRN", "LogSoftmax", "MatMul", "MaxPool", "Mul", "Pad", "QuantizeLinear", "ReduceMean", "Relu",
        "Reshape", "Slice", "Softmax", "Squeeze", "Sub", "Sum", "Unsqueeze",
    ];

    private readonly OnnxModel model;
    private readonly OnnxImport options;
    private readonly string file;
    private readonly OnnxNames names = new();
    private readonly List<Step> steps = [];
    private readonly List<string> notes = [];
    private readonly HashSet<string> weightsUsed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OnnxValue> values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> readers = new(StringComparer.Ordinal);

    // What a Slice or a Pad reads.
    private readonly HashSet<string> sliced = new(StringComparer.Ordinal);
    private long fixedBatch;
    private long weightCount;
    private OnnxEnding ending;

    /// <summary>Prepares the import.</summary>
    /// <param name="model">The file's message.</param>
    /// <param name="file">What the file is called in errors.</param>
    /// <param name="options">What it does not say itself.</param>
    public OnnxImporter(OnnxModel model, string file, OnnxImport options) => (this.model, this.file, this.options) = (model, file, options);

    private OnnxGraph Graph => model.Graph;

    /// <summary>One step of the network, with its numbers.</summary>
    private sealed class Step(Node node, int[] from, ImageShape shape)
    {
        public Node Node { get; set; } = node;

        public int[] From { get; } = from;

        public ImageShape Shape { get; } = shape;

        /// <summary>Row-major, as the network has them.</summary>
        public OnnxNumbers? Weights { get; init; }

        /// <summary>One a row; null where all are zero.</summary>
        public float[]? Biases { get; set; }

        public float[]? Normalization { get; init; }
    }

    /// <summary>The network.</summary>
    /// <param name="name">What it is called where the file has no name for it.</param>
    /// <exception cref="BadFileException">The file is damaged.</exception>
    /// <exception cref="AdmmKitException">It computes something that is not supported.</exception>
    public OnnxNetwork Import(string name)
    {
        if (model.Opset < OldestOpset)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{file}' uses version {model.Opset} of ONNX's operators (0 where it does not say one), and those from {OldestOpset} on are read: convert it (in Python: onnx.version_converter.convert_version(onnx.load(path), 13))."));
        }

        if (model.Opset > NewestOpset)
        {
            notes.Add(FormattableString.Invariant($"It uses version {model.Opset} of ONNX's operators, newer than {NewestOpset}: compare the outputs with those of the program that wrote it."));
        }

        if (Graph.Outputs is not [var output])
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{file}' has {Graph.Outputs.Count} outputs ({ShownNames(Graph.Outputs)}), and a network here has one, the scores of the classes: export it with that output alone."));
        }

        string input = TakeImage();
        HashSet<OnnxNode> needed = Needed(input, output);
        foreach (OnnxNode node in Graph.Nodes.Where(needed.Contains))
        {
            Guarded(node, () => Convert(node));
        }

        if (!values.TryGetValue(output, out OnnxValue? last) || AsActivation(last, output) is not OnnxActivation { Step: >= 0 } result
            || !steps.Exists(s => s.Weights is not null))
        {
            throw new AdmmKitException($"'{file}' computes its output {ForeignFile.Shown(output)} without a layer that has weights: there is nothing to compress.");
        }

        NetworkSpec spec = Build(name, result);
        Step[] layers = [.. steps.Where(s => s.Weights is not null)];
        float[][] normalizations = [.. steps.Select(s => s.Normalization).OfType<float[]>()];
        spec.CheckNormalizations(normalizations);
        return new OnnxNetwork(file, spec, [.. layers.Select(s => s.Weights!.Q)], () => new NetworkWeights(
            [.. layers.Select(s => s.Weights!.Read())], [.. spec.Layers.Zip(layers, (l, s) => s.Biases ?? new float[l.Rows])])
        {
            Normalizations = normalizations,
        })
        {
            Ending = ending,
            InputName = input,
            OutputName = output,
            Notes = notes,
        };
    }

    private NetworkSpec Build(string name, OnnxActivation result)
    {
        // Whatever else the output does not depend on was left out, so that the last step is the output.
        if (result.Step != steps.Count - 1)
        {
            throw new AdmmKitException($"'{file}': {steps[^1].Node} comes after the output, which does not depend on it.");
        }

        var builder = new NetworkBuilder(name, InputShape);
        foreach (Step step in steps)
        {
            builder.Add(step.Node, step.From);
        }

        try
        {
            return builder.Build();
        }
        catch (AdmmKitException e)
        {
            throw new AdmmKitException($"'{file}': {e.Message}", e);
        }
    }

    private ImageShape InputShape { get; set; }

    /// <summary>Finds the input that is the image, and returns its name.</summary>
    private string TakeImage()
    {
        OnnxInput[] inputs = [.. Graph.Inputs.Where(i => !Graph.Initializers.ContainsKey(i.Name))];
        if (inputs is not [var image])
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{file}' has {inputs.Length} inputs ({ShownNames(inputs.Select(i => i.Name))}), and a network here has one, the image: export it with that input alone."));
        }

        if (image.Type is not (OnnxType.Float32 or OnnxType.Float16 or OnnxType.Float64))
        {
            throw new AdmmKitException($"'{file}': its input {ForeignFile.Shown(image.Name)} is not of float32 numbers: export the network with such an input.");
        }

        if (image.Shape is not { Count: 2 or 4 } shape)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{file}': its input {ForeignFile.Shown(image.Name)} has {image.Shape?.Count ?? 0} dimensions, and those of images are read: [batch, channels, rows, columns], or [batch, numbers]. Export the network for one of them."));
        }

        (fixedBatch, bool flat) = (shape[0], shape.Count == 2);
        ImageShape? said = shape.Skip(1).All(d => d is > 0 and <= MaxSize)
            ? flat ? new ImageShape((int)shape[1], 1, 1) : new ImageShape((int)shape[1], (int)shape[2], (int)shape[3]) : null;
        string open = string.Join('x', shape.Skip(1).Select(d => d > 0 ? FormattableString.Invariant($"{d}") : "?"));
        ImageShape? given = said is null || flat ? options.Input?.Invoke() : null;
        InputShape = given ?? said ?? throw new AdmmKitException(
            $"'{file}' leaves the shape of its input {ForeignFile.Shown(image.Name)} open ({open}): say what shape the images have, such as 3x224x224.");
        int[] sides = flat ? [] : [InputShape.Channels, InputShape.Height, InputShape.Width];
        bool fits = (said is not { } known || Size(known) == Size(InputShape))
            && sides.Index().All(s => shape[s.Index + 1] <= 0 || shape[s.Index + 1] == s.Item);
        if (!fits || Size(InputShape) > MaxSize || Math.Min(Math.Min(InputShape.Channels, InputShape.Height), InputShape.Width) < 1)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{file}' reads images of {open}, and was given {InputShape}, or an image has more than {MaxSize} numbers: give images of that shape."));
        }

        values[image.Name] = new OnnxActivation(NetworkSpec.Image, InputShape, flat);
        if (options.Standardize is { } s)
        {
            IReadOnlyList<float> Each(IReadOnlyList<float> numbers) => numbers.Count == 1 ? Repeated(numbers[0], InputShape.Channels) : numbers;
            values[image.Name] = Guarded(null, () => Added(
                new Node.Standardize(Each(s.Means), Each(s.Deviations)), flat, new OnnxActivation(NetworkSpec.Image, InputShape, flat)));
        }

        return image.Name;
    }

    /// <summary>The nodes that the output depends on; counts who reads what.</summary>
    private HashSet<OnnxNode> Needed(string input, string output)
    {
        var makers = new Dictionary<string, OnnxNode>(StringComparer.Ordinal);
        foreach (OnnxNode node in Graph.Nodes)
        {
            foreach (string name in node.Outputs.Where(n => n.Length > 0))
            {
                if (!makers.TryAdd(name, node) || Graph.Initializers.ContainsKey(name) || name == input)
                {
                    throw new BadFileException($"'{file}': {node.Shown} gives {ForeignFile.Shown(name)}, which something else gives, too. Export it again.");
                }
            }
        }

        // By identity: two nodes may say the same.
        var needed = new HashSet<OnnxNode>(ReferenceEqualityComparer.Instance);
        var open = new Stack<string>([output]);
        readers[output] = 1;
        while (open.TryPop(out string? name))
        {
            if (!makers.TryGetValue(name, out OnnxNode? node) || !needed.Add(node))
            {
                continue;
            }

            foreach (string read in node.Inputs.Where(n => n.Length > 0))
            {
                readers[read] = readers.GetValueOrDefault(read) + 1;
                open.Push(read);
            }

            if (node is { Operator: "Slice" or "Pad", Inputs.Count: > 0 })
            {
                sliced.Add(node.Inputs[0]);
            }
        }

        return needed;
    }

    /// <summary>Adds a step that reads outputs of others.</summary>
    private OnnxActivation Added(Node node, bool flat, params OnnxActivation[] from) => Added(new Step(
        node, [.. from.Select(f => f.Step)], Bounded(node.OutputShape([.. from.Select(f => f.Shape)]))), flat);

    private OnnxActivation Added(Step step, bool flat)
    {
        if (steps.Count == NetworkJson.MaxSteps)
        {
            throw new AdmmKitException(FormattableString.Invariant($"it is beyond the {NetworkJson.MaxSteps} steps that a network may have."));
        }

        steps.Add(step);
        return new OnnxActivation(steps.Count - 1, step.Shape, flat);
    }

    private static ImageShape Bounded(ImageShape shape) => Size(shape) <= MaxSize ? shape : throw new AdmmKitException(
        FormattableString.Invariant($"its output of {shape} has more than {MaxSize} numbers"));

    private static long Size(ImageShape shape) =>
        Math.Max(shape.Channels, Math.Max(shape.Height, shape.Width)) <= MaxSize && (long)shape.Channels * shape.Height <= MaxSize
        ? (long)shape.Channels * shape.Height * shape.Width : long.MaxValue;

    /// <summary>Puts the file and the node before a message that does not know them.</summary>
    private T Guarded<T>(OnnxNode? node, Func<T> convert)
    {
        try
        {
            return convert();
        }
        catch (BadFileException e)
        {
            throw new BadFileException(Located(node, e.Message), e);
        }
        catch (AdmmKitException e)
        {
            throw new AdmmKitException(Located(node, e.Message), e);
        }
    }

    private string Located(OnnxNode? node, string message) => $"'{file}': {(node is null ? "" : node.Shown + ": ")}{message}";

    private static string ShownNames(IEnumerable<string> all) =>
        string.Join(", ", all.Take(9).Select(ForeignFile.Shown)) is { Length: > 0 } shown ? shown : "none";
}
