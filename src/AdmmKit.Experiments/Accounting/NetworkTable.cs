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
/// follow from kernel, stride, padding and groups. Images are those of ImageNet, 1,000 classes.
/// </summary>
public sealed class NetworkTable
{
    internal NetworkTable(string name, IReadOnlyList<TableLayer> layers, int batchNormParameters)
    {
        Name = name;
        Layers = layers;
        BatchNormParameters = batchNormParameters;
    }

    /// <summary>
    /// AlexNet as Caffe has it, with two groups in conv2, conv4 and conv5. The BVLC model and CaffeNet differ only in whether
    /// pooling or response normalization comes first, so their weights and multiply-accumulates are the same.
    /// </summary>
    public static NetworkTable AlexNet { get; } = BuildAlexNet();

    /// <summary>VGG-16 (configuration D of Simonyan and Zisserman).</summary>
    public static NetworkTable Vgg16 { get; } = BuildVgg16();

    /// <summary>
    /// ResNet-50 of He et al. as published for Caffe ("v1"): a bottleneck strides in its first 1x1 convolution. Convolutions
    /// have no biases; layers are named as in the Caffe model.
    /// </summary>
    public static NetworkTable ResNet50 { get; } = BuildResNet50();

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

    private static NetworkTable BuildAlexNet()
    {
        var net = new NetworkTableBuilder(new ImageShape(3, 227, 227));
        net.Convolution("conv1", 96, kernel: 11, stride: 4);
        net.Pool(3, 2);
        net.Convolution("conv2", 256, kernel: 5, padding: 2, groups: 2);
        net.Pool(3, 2);
        net.Convolution("conv3", 384, kernel: 3, padding: 1);
        net.Convolution("conv4", 384, kernel: 3, padding: 1, groups: 2);
        net.Convolution("conv5", 256, kernel: 3, padding: 1, groups: 2);
        net.Pool(3, 2);
        net.FullyConnected("fc1", 4096);
        net.FullyConnected("fc2", 4096);
        net.FullyConnected("fc3", 1000);
        return net.Build("AlexNet");
    }

    private static NetworkTable BuildVgg16()
    {
        var net = new NetworkTableBuilder(new ImageShape(3, 224, 224));
        int[] filters = [64, 128, 256, 512, 512], convolutions = [2, 2, 3, 3, 3];
        for (int stage = 0; stage < filters.Length; stage++)
        {
            for (int i = 0; i < convolutions[stage]; i++)
            {
                net.Convolution(FormattableString.Invariant($"conv{stage + 1}_{i + 1}"), filters[stage], kernel: 3, padding: 1);
            }

            net.Pool(2, 2);
        }

        net.FullyConnected("fc1", 4096);
        net.FullyConnected("fc2", 4096);
        net.FullyConnected("fc3", 1000);
        return net.Build("VGG-16");
    }

    private static NetworkTable BuildResNet50()
    {
        var net = new NetworkTableBuilder(new ImageShape(3, 224, 224));
        net.NormalizedConvolution("conv1", 64, kernel: 7, stride: 2, padding: 3);
        net.Pool(3, 2);
        int[] width = [64, 128, 256, 512], blocks = [3, 4, 6, 3];
        for (int stage = 0; stage < width.Length; stage++)
        {
            for (int block = 0; block < blocks[stage]; block++)
            {
                string name = FormattableString.Invariant($"res{stage + 2}{(char)('a' + block)}_branch");
                int stride = stage > 0 && block == 0 ? 2 : 1;
                ImageShape input = net.Shape;
                if (block == 0)
                {
                    net.NormalizedConvolution(name + "1", 4 * width[stage], kernel: 1, stride: stride);
                    net.Shape = input;
                }

                net.NormalizedConvolution(name + "2a", width[stage], kernel: 1, stride: stride);
                net.NormalizedConvolution(name + "2b", width[stage], kernel: 3, padding: 1);
                net.NormalizedConvolution(name + "2c", 4 * width[stage], kernel: 1);
            }
        }

        net.Pool(7, 7);
        net.FullyConnected("fc1000", 1000);
        return net.Build("ResNet-50");
    }
}
