namespace AdmmKit.Networks;

/// <summary>
/// What a network computes, without any weights: the description that training engines build from, accounting counts
/// with, and a compressed file names. Ends in one output a class; softmax belongs to the loss.
/// </summary>
public sealed class NetworkSpec
{
    /// <summary>28 x 28 grey: MNIST.</summary>
    public static readonly ImageShape Mnist = new(1, 28, 28);

    /// <summary>32 x 32 colour: CIFAR-10.</summary>
    public static readonly ImageShape Cifar = new(3, 32, 32);

    /// <summary>224 x 224 colour: ImageNet, as VGG-16 and ResNet-50 read it; AlexNet reads 227 x 227.</summary>
    public static readonly ImageShape ImageNet = new(3, 224, 224);

    /// <summary>What stands in <see cref="Inputs"/> for the image.</summary>
    public const int Image = -1;

    private const int MaxSize = int.MaxValue;

    private static readonly Dictionary<string, Func<ImageShape, int, NetworkSpec>> Builders = new(StringComparer.Ordinal)
    {
        ["lenet5"] = (input, classes) => LeNet5(input, classes),
        ["lenet5-relu"] = (input, classes) => LeNet5(input, classes, relu: true),
        ["lenet-300-100"] = LeNet300100,
        ["alexnet"] = (input, classes) => NetworkLibrary.AlexNet(input, classes),
        ["caffenet"] = (input, classes) => NetworkLibrary.AlexNet(input, classes, caffeNet: true),
        ["vgg16"] = NetworkLibrary.Vgg16,
        ["vgg-small"] = NetworkLibrary.VggSmall,
        ["resnet20"] = (input, classes) => NetworkLibrary.ResNet(20, input, classes),
        ["resnet32"] = (input, classes) => NetworkLibrary.ResNet(32, input, classes),
        ["resnet56"] = (input, classes) => NetworkLibrary.ResNet(56, input, classes),
        ["resnet50"] = NetworkLibrary.ResNet50,
    };

    /// <summary>Describes a chain: each step reads the output of the one before, the first one the image.</summary>
    /// <param name="name">The architecture's name.</param>
    /// <param name="input">Shape of one image.</param>
    /// <param name="nodes">Its steps in order.</param>
    /// <exception cref="AdmmKitException">A step does not fit its input, or two layers share a name.</exception>
    public NetworkSpec(string name, ImageShape input, IReadOnlyList<Node> nodes)
        : this(name, input, nodes, [.. Enumerable.Range(-1, nodes?.Count ?? 0).Select(i => new[] { i })])
    {
    }

    /// <summary>Describes a graph. <see cref="NetworkBuilder"/> is the comfortable way to make one.</summary>
    /// <param name="name">The architecture's name.</param>
    /// <param name="input">Shape of one image.</param>
    /// <param name="nodes">Its steps, each after those that it reads; the last one is the output.</param>
    /// <param name="inputs">For each step the positions of the steps that it reads; <see cref="Image"/> for the image.</param>
    /// <exception cref="AdmmKitException">A step does not fit its inputs or comes before one, or two layers share a name.</exception>
    public NetworkSpec(string name, ImageShape input, IReadOnlyList<Node> nodes, IReadOnlyList<IReadOnlyList<int>> inputs)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        ArgumentNullException.ThrowIfNull(inputs);
        (Name, Input, Nodes, Inputs) = (name, input, nodes, inputs);
        if (nodes.Count == 0 || inputs.Count != nodes.Count || inputs.Where((from, i) => from.Count == 0 || from.Any(f => f < Image || f >= i)).Any())
        {
            throw new AdmmKitException($"'{name}' is not a network: each step reads the image or steps before it, and there is at least one step.");
        }

        HashSet<int> steps = [.. inputs.SelectMany(from => from)];
        int unread = Enumerable.Range(0, nodes.Count - 1).FirstOrDefault(i => !steps.Contains(i), -1);
        if (unread >= 0)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Nobody reads step {unread} of '{name}', {nodes[unread]}: leave it out, or let a later step read it. The last step is the output."));
        }

        (var shapes, var layers, var normalizations) = (new List<ImageShape>(), new List<LayerInfo>(), new List<NormalizationInfo>());
        for (int i = 0; i < nodes.Count; i++)
        {
            ImageShape[] read = [.. inputs[i].Select(f => f == Image ? input : shapes[f])];
            shapes.Add(nodes[i].OutputShape(read));
            CheckSize(i, shapes[i].Channels, shapes[i].Height, shapes[i].Width);
            if (nodes[i].Layer(read[0]) is { } layer)
            {
                CheckSize(i, layer.Rows, layer.InputChannels, (long)layer.KernelHeight * layer.KernelWidth);
                layers.Add(layer);
            }
            else if (nodes[i].Normalization(read[0]) is { } norm)
            {
                normalizations.Add(norm);
            }
        }

        if (layers.Select(l => l.Name).Concat(normalizations.Select(n => n.Name)).GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new AdmmKitException($"Two layers of '{name}' are named '{twice.Key}': give each its own name.");
        }

        (Shapes, Layers, Normalizations) = (shapes, layers, normalizations);
        Classes = shapes[^1].Size;
    }

    /// <summary>
    /// A network of which only the layers are known, not how they are connected: what can be pruned, quantized and stored of a module
    /// of another library. No engine of this one computes it.
    /// </summary>
    /// <param name="name">The network's name.</param>
    /// <param name="input">Shape of one image.</param>
    /// <param name="layers">The layers with weights, in order; the last one gives a class a row.</param>
    /// <param name="normalizations">The batch normalizations, in order.</param>
    /// <exception cref="AdmmKitException">There is no layer, one has no weights, or two share a name.</exception>
    public static NetworkSpec OfLayers(
        string name, ImageShape input, IReadOnlyList<LayerInfo> layers, IReadOnlyList<NormalizationInfo> normalizations)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(normalizations);
        return new NetworkSpec(name, input,
        [
            .. normalizations.Select(n => new Node.LooseNormalization(n.Name, n.Channels)),
            .. layers.Select(l => new Node.LooseLayer(l.Name, l.Kind, l.Rows, l.InputChannels, l.KernelHeight, l.KernelWidth, l.Macs)),
        ]);
    }

    /// <summary>Whether it is known how the layers are connected; else only their program can compute them.</summary>
    public bool HasGraph => !Nodes.Any(n => n is Node.LooseLayer or Node.LooseNormalization);

    /// <summary>Names that <see cref="Create"/> knows.</summary>
    public static IReadOnlyCollection<string> Architectures => Builders.Keys;

    /// <summary>The architecture's name, such as "lenet5".</summary>
    public string Name { get; }

    /// <summary>Shape of one input image.</summary>
    public ImageShape Input { get; }

    /// <summary>Outputs of the network, one a class.</summary>
    public int Classes { get; }

    /// <summary>The steps in order.</summary>
    public IReadOnlyList<Node> Nodes { get; }

    /// <summary>For each step the positions of the steps that it reads; <see cref="Image"/> for the image.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Inputs { get; }

    /// <summary>For each step the shape of its output.</summary>
    public IReadOnlyList<ImageShape> Shapes { get; }

    /// <summary>The layers with weights, in order.</summary>
    public IReadOnlyList<LayerInfo> Layers { get; }

    /// <summary>The batch normalizations, in order.</summary>
    public IReadOnlyList<NormalizationInfo> Normalizations { get; }

    /// <summary>Weights of all layers; biases are not counted, as in the paper.</summary>
    public int WeightCount => Layers.Sum(l => l.WeightCount);

    /// <summary>Biases of all layers.</summary>
    public int BiasCount => Layers.Sum(l => l.Rows);

    /// <summary>Checks that the network can be computed, or followed from layer to layer.</summary>
    /// <exception cref="AdmmKitException">Only its layers are known.</exception>
    public void CheckGraph()
    {
        if (!HasGraph)
        {
            throw new AdmmKitException(
                $"Of '{Name}' the layers are known, but not how they are connected: only the program that it came from can compute it. Copy the weights back there, or give it a graph (NetworkSpec) with layers of these names.");
        }
    }

    /// <summary>Checks the numbers of all batch normalizations.</summary>
    /// <param name="values">One array a normalization, in the order of <see cref="NormalizationInfo.Count"/>.</param>
    /// <exception cref="AdmmKitException">They are too many or too few, not finite, or a variance is negative.</exception>
    public void CheckNormalizations(IReadOnlyList<float[]> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (!Normalizations.Select(n => n.Count).SequenceEqual(values.Select(v => v.Length)))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{Name}' has {Normalizations.Count} batch normalizations of {Normalizations.Sum(n => n.Count)} numbers in all, but {values.Count} of {values.Sum(v => v.Length)} were given."));
        }

        foreach ((NormalizationInfo norm, float[] numbers) in Normalizations.Zip(values))
        {
            if (numbers.Index().FirstOrDefault(n => !float.IsFinite(n.Item) || (n.Index >= 3 * norm.Channels && n.Item < 0), (-1, 0)) is { Index: >= 0 } wrong)
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"Batch normalization '{norm.Name}' has {wrong.Item} at index {wrong.Index}: all its numbers are finite, and variances, which begin at index {3 * norm.Channels}, not negative."));
            }
        }
    }

    /// <summary>Builds a network of the library by name.</summary>
    /// <param name="architecture">One of <see cref="Architectures"/>.</param>
    /// <param name="input">Shape of one image.</param>
    /// <param name="classes">Number of classes, at least 2.</param>
    /// <exception cref="AdmmKitException">The name is unknown, or the images are too small for the network.</exception>
    public static NetworkSpec Create(string architecture, ImageShape input, int classes)
    {
        if (!Builders.TryGetValue(architecture, out var build))
        {
            throw new AdmmKitException(Names.Unknown("architecture", architecture, Architectures));
        }

        if (classes < 2)
        {
            throw new AdmmKitException(FormattableString.Invariant($"A classifier needs at least 2 classes, not {classes}."));
        }

        return build(input, classes);
    }

    /// <summary>
    /// LeNet-5 as Caffe defines it and the paper counts it: 430,500 weights on MNIST. Caffe's only ReLU is after fc1.
    /// </summary>
    /// <param name="input">Shape of one image; <see cref="Mnist"/> in the paper.</param>
    /// <param name="classes">Number of classes; 10 in the paper.</param>
    /// <param name="dropout">Probability of dropping an output of fc1 in training.</param>
    /// <param name="relu">
    /// Whether a ReLU follows each pooling too: the architecture "lenet5-relu". The authors' public TensorFlow code has these
    /// (before the pooling, which computes the same), their Caffe code has not; the weights are as many.
    /// </param>
    public static NetworkSpec LeNet5(ImageShape input, int classes, double dropout = 0, bool relu = false)
    {
        Node[] afterPooling = relu ? [new Node.Relu()] : [];
        Node[] inTraining = dropout > 0 ? [new Node.Dropout(dropout)] : [];
        return new NetworkSpec(relu ? "lenet5-relu" : "lenet5", input,
        [
            new Node.Convolution("conv1", 20, 5),
            new Node.MaxPool(2),
            .. afterPooling,
            new Node.Convolution("conv2", 50, 5),
            new Node.MaxPool(2),
            .. afterPooling,
            new Node.FullyConnected("fc1", 500),
            new Node.Relu(),
            .. inTraining,
            new Node.FullyConnected("fc2", classes),
        ]);
    }

    /// <summary>LeNet-300-100: three fully connected layers, 266,200 weights on MNIST.</summary>
    /// <param name="input">Shape of one image.</param>
    /// <param name="classes">Number of classes.</param>
    public static NetworkSpec LeNet300100(ImageShape input, int classes) => new("lenet-300-100", input,
    [
        new Node.FullyConnected("fc1", 300),
        new Node.Relu(),
        new Node.FullyConnected("fc2", 100),
        new Node.Relu(),
        new Node.FullyConnected("fc3", classes),
    ]);

    /// <summary>Position of a layer by name.</summary>
    /// <param name="layerName">The layer's name.</param>
    /// <exception cref="AdmmKitException">There is no such layer; the nearest name is suggested.</exception>
    public int IndexOf(string layerName)
    {
        for (int i = 0; i < Layers.Count; i++)
        {
            if (Layers[i].Name == layerName)
            {
                return i;
            }
        }

        throw new AdmmKitException(Names.Unknown("layer", layerName, Layers.Select(l => l.Name).ToArray()));
    }

    // What is multiplied as an int elsewhere, one factor at a time so that nothing overflows here.
    private void CheckSize(int step, long a, long b, long c)
    {
        bool fits = a is > 0 and <= MaxSize && b is > 0 and <= MaxSize && a * b <= MaxSize && c is > 0 and <= MaxSize && a * b * c <= MaxSize;
        if (!fits)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Step {step} of '{Name}', {Nodes[step]}, would have {a} x {b} x {c} outputs or weights: at least 1 and at most {MaxSize} are possible."));
        }
    }
}
