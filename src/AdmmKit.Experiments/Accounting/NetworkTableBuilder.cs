using AdmmKit.Networks;

namespace AdmmKit.Experiments.Accounting;

/// <summary>Lays layers one behind the other and follows the shape of what flows between them.</summary>
internal sealed class NetworkTableBuilder(ImageShape input)
{
    private readonly List<TableLayer> layers = [];
    private int batchNormParameters;

    /// <summary>What the next layer reads; set back to begin a branch.</summary>
    public ImageShape Shape { get; set; } = input;

    /// <summary>A convolution with biases.</summary>
    public void Convolution(string name, int filters, int kernel, int stride = 1, int padding = 0, int groups = 1) =>
        Add(name, filters, kernel, stride, padding, groups, biases: filters);

    /// <summary>A convolution without biases, batch normalization after it.</summary>
    public void NormalizedConvolution(string name, int filters, int kernel, int stride = 1, int padding = 0)
    {
        Add(name, filters, kernel, stride, padding, groups: 1, biases: 0);
        batchNormParameters += 2 * filters;
    }

    /// <summary>A fully connected layer with biases.</summary>
    public void FullyConnected(string name, int outputs)
    {
        var layer = new LayerInfo(name, LayerKind.FullyConnected, outputs, Shape.Size, 1, 1, (long)outputs * Shape.Size);
        var output = new ImageShape(outputs, 1, 1);
        layers.Add(new TableLayer(layer, 1, Shape, output, outputs));
        Shape = output;
    }

    /// <summary>Pooling as Caffe does it: a last window that is not full counts, so sizes round up.</summary>
    public void Pool(int window, int stride)
    {
        int Pooled(int size) => ((size - window + stride - 1) / stride) + 1;
        Shape = new ImageShape(Shape.Channels, Pooled(Shape.Height), Pooled(Shape.Width));
    }

    public NetworkTable Build(string name) => new(name, layers, batchNormParameters);

    private void Add(string name, int filters, int kernel, int stride, int padding, int groups, int biases)
    {
        int Convolved(int size) => ((size + (2 * padding) - kernel) / stride) + 1;
        var output = new ImageShape(filters, Convolved(Shape.Height), Convolved(Shape.Width));
        int channels = Shape.Channels / groups;
        long macs = (long)output.Size * channels * kernel * kernel;
        layers.Add(new TableLayer(
            new LayerInfo(name, LayerKind.Convolution, filters, channels, kernel, kernel, macs), groups, Shape, output, biases));
        Shape = output;
    }
}
