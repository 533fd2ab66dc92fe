namespace AdmmKit.Networks;

/// <summary>
/// What a network computes, without any weights: the description that training engines build from, accounting counts
/// with, and a compressed file names. Ends in one output a class; softmax belongs to the loss.
/// </summary>
public sealed class NetworkSpec
{
    /// <summary>28 x 28 grey: MNIST.</summary>
    public static readonly ImageShape Mnist = new(1, 28, 28);

    private static readonly Dictionary<string, Func<ImageShape, int, NetworkSpec>> Builders = new(StringComparer.Ordinal)
    {
        ["lenet5"] = (input, classes) => LeNet5(input, classes),
        ["lenet5-relu"] = (input, classes) => LeNet5(input, classes, relu: true),
        ["lenet-300-100"] = LeNet300100,
    };

    /// <summary>Describes a network.</summary>
    /// <param name="name">The architecture's name.</param>
    /// <param name="input">Shape of one image.</param>
    /// <param name="nodes">Its steps in order.</param>
    /// <exception cref="AdmmKitException">A step does not fit its input, or two layers share a name.</exception>
    public NetworkSpec(string name, ImageShape input, IReadOnlyList<Node> nodes)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        Name = name;
        Input = input;
        Nodes = nodes;
        var layers = new List<LayerInfo>();
        ImageShape shape = input;
        foreach (Node node in nodes)
        {
            if (node.Layer(shape) is { } layer)
            {
                if (layers.Any(l => l.Name == layer.Name))
                {
                    throw new AdmmKitException($"Two layers of '{name}' are named '{layer.Name}': give each its own name.");
                }

                layers.Add(layer);
            }

            shape = node.OutputShape(shape);
        }

        Layers = layers;
        Classes = shape.Size;
    }

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

    /// <summary>The layers with weights, in order.</summary>
    public IReadOnlyList<LayerInfo> Layers { get; }

    /// <summary>Weights of all layers; biases are not counted, as in the paper.</summary>
    public int WeightCount => Layers.Sum(l => l.WeightCount);

    /// <summary>Biases of all layers.</summary>
    public int BiasCount => Layers.Sum(l => l.Rows);

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
}
