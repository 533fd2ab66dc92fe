using AdmmKit.Networks;

namespace AdmmKit.Experiments.Accounting;

/// <summary>One layer with weights, as accounting and hardware models need it.</summary>
/// <param name="Layer">Name, kind, shape of the weights and multiply-accumulates for one image.</param>
/// <param name="Groups">Groups of a convolution; a filter reads the input channels of its group only.</param>
/// <param name="Input">What the layer reads for one image.</param>
/// <param name="Output">What it writes for one image.</param>
/// <param name="Biases">Number of biases; 0 where batch normalization follows.</param>
public sealed record TableLayer(LayerInfo Layer, int Groups, ImageShape Input, ImageShape Output, int Biases)
{
    /// <summary>Operations for one image as Table 8 of [Ren2019] prints them: two for each multiply-accumulate.</summary>
    public long Operations => 2 * Layer.Macs;
}

/// <summary>
/// The layers of a network that is counted here and trained nowhere: weights, biases, output sizes and multiply-accumulates
/// follow from its description in the library. Images are those of ImageNet, 1,000 classes.
/// </summary>
public sealed class NetworkTable
{
    internal NetworkTable(string name, NetworkSpec spec)
    {
        Name = name;
        Layers = [.. spec.Nodes.Index().Select(n => Row(spec, n.Index, n.Item)).OfType<TableLayer>()];
        BatchNormParameters = spec.Normalizations.Sum(n => 2 * n.Channels);
    }

    /// <summary>
    /// AlexNet as Caffe has it, with two groups in conv2, conv4 and conv5. The BVLC model and CaffeNet differ only in whether
    /// pooling or response normalization comes first, so their weights and multiply-accumulates are the same.
    /// </summary>
    public static NetworkTable AlexNet { get; } = new("AlexNet", NetworkLibrary.AlexNet(new ImageShape(3, 227, 227), 1000));

    /// <summary>VGG-16 (configuration D of Simonyan and Zisserman).</summary>
    public static NetworkTable Vgg16 { get; } = new("VGG-16", NetworkLibrary.Vgg16(NetworkSpec.ImageNet, 1000));

    /// <summary>
    /// ResNet-50 of He et al. as published for Caffe ("v1"): a bottleneck strides in its first 1x1 convolution. Convolutions
    /// have no biases; layers are named as in the Caffe model.
    /// </summary>
    public static NetworkTable ResNet50 { get; } = new("ResNet-50", NetworkLibrary.ResNet50(NetworkSpec.ImageNet, 1000));

    /// <summary>The network's name.</summary>
    public string Name { get; }

    /// <summary>Layers with weights, in order.</summary>
    public IReadOnlyList<TableLayer> Layers { get; }

    /// <summary>Scales and shifts of batch normalization, two a channel; running statistics are not counted.</summary>
    public int BatchNormParameters { get; }

    /// <summary>Weights of all layers, without biases and batch normalization.</summary>
    public long WeightCount => Layers.Sum(l => (long)l.Layer.WeightCount);

    /// <summary>Biases of all layers.</summary>
    public int BiasCount => Layers.Sum(l => l.Biases);

    /// <summary>Multiply-accumulates for one image.</summary>
    public long Macs => Layers.Sum(l => l.Layer.Macs);

    /// <summary>Weights of the convolutions or of the fully connected layers.</summary>
    /// <param name="kind">Which.</param>
    public long WeightsOf(LayerKind kind) => Layers.Where(l => l.Layer.Kind == kind).Sum(l => (long)l.Layer.WeightCount);

    /// <summary>Multiply-accumulates of the convolutions or of the fully connected layers.</summary>
    /// <param name="kind">Which.</param>
    public long MacsOf(LayerKind kind) => Layers.Where(l => l.Layer.Kind == kind).Sum(l => l.Layer.Macs);

    /// <summary>The layer of that name.</summary>
    /// <param name="name">Such as "conv1".</param>
    /// <exception cref="AdmmKitException">There is no such layer; the nearest name is suggested.</exception>
    public TableLayer this[string name] => Layers.FirstOrDefault(l => l.Layer.Name == name)
        ?? throw new AdmmKitException(Names.Unknown("layer", name, [.. Layers.Select(l => l.Layer.Name)]));

    private static TableLayer? Row(NetworkSpec spec, int step, Node node)
    {
        int from = spec.Inputs[step][0];
        ImageShape input = from == NetworkSpec.Image ? spec.Input : spec.Shapes[from];
        return (node.Layer(input), node) switch
        {
            ({ } layer, Node.Convolution c) => new(layer, c.Groups, input, spec.Shapes[step], c.Biased ? layer.Rows : 0),
            ({ } layer, _) => new(layer, 1, input, spec.Shapes[step], layer.Rows),
            _ => null,
        };
    }
}
