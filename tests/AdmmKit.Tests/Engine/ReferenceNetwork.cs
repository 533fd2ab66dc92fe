using AdmmKit.Networks;

namespace AdmmKit.Tests.Engine;

/// <summary>
/// The definition of every step written out in double precision, with nothing shared with the engine: what its outputs and
/// gradients are measured against. A batch is computed as one, because batch normalization needs it as one.
/// </summary>
internal sealed class ReferenceNetwork(NetworkSpec spec)
{
    /// <summary>The outputs of all images.</summary>
    /// <param name="weights">One array a layer.</param>
    /// <param name="biases">One array a layer.</param>
    /// <param name="normalizations">Scales, shifts, means, variances of each batch normalization.</param>
    /// <param name="images">The batch.</param>
    /// <param name="training">Whether batch normalization takes mean and variance from the batch.</param>
    public double[][] Outputs(double[][] weights, double[][] biases, double[][] normalizations, double[][] images, bool training)
    {
        var outputs = new double[spec.Nodes.Count][][];
        (int layer, int norm) = (0, 0);
        for (int i = 0; i < spec.Nodes.Count; i++)
        {
            double[][][] read = [.. spec.Inputs[i].Select(f => f == NetworkSpec.Image ? images : outputs[f])];
            ImageShape[] shapes = [.. spec.Inputs[i].Select(f => f == NetworkSpec.Image ? spec.Input : spec.Shapes[f])];
            (ImageShape input, ImageShape output, double[][] x) = (shapes[0], spec.Shapes[i], read[0]);
            outputs[i] = spec.Nodes[i] switch
            {
                Node.Convolution c => Each(x, v => Convolve(v, c, input, output, weights[layer], biases[layer])),
                Node.FullyConnected => Each(x, v => Connect(v, weights[layer], biases[layer])),
                Node.MaxPool p => Each(x, v => Pool(v, input, output, p.Window, p.Step, p.Padding, w => w.Max())),
                Node.AveragePool p => Each(x, v => Pool(v, input, output, p.Window, p.Step, p.Padding, w => Mean(w, p.CountsPadding))),
                Node.GlobalAveragePool => Each(x, v => [.. v.Chunk(input.Height * input.Width).Select(c => c.Average())]),
                Node.Relu => Each(x, v => [.. v.Select(n => Math.Max(n, 0))]),
                Node.Standardize s => Each(x, v => [.. v.Select((n, j) => (n - s.Means[j / (input.Height * input.Width)]) / s.Deviations[j / (input.Height * input.Width)])]),
                Node.BatchNorm => Normalize(x, input, normalizations[norm], training),
                Node.LocalResponseNorm n => Each(x, v => RespondLocally(v, input, n)),
                Node.Shortcut s => Each(x, v => Shorten(v, s.Stride, input, output)),
                Node.Add => [.. Enumerable.Range(0, images.Length).Select(n => Enumerable.Range(0, output.Size).Select(j => read.Sum(r => r[n][j])).ToArray())],
                Node.Concat => [.. Enumerable.Range(0, images.Length).Select(n => read.SelectMany(r => r[n]).ToArray())],
                _ => throw new NotSupportedException(spec.Nodes[i].ToString()),
            };
            layer += spec.Nodes[i] is Node.Convolution or Node.FullyConnected ? 1 : 0;
            norm += spec.Nodes[i] is Node.BatchNorm ? 1 : 0;
        }

        return outputs[^1];
    }

    /// <summary>Softmax cross-entropy, summed over the images of a batch in training.</summary>
    public double Loss(double[][] weights, double[][] biases, double[][] normalizations, double[][] images, IReadOnlyList<byte> labels) =>
        Outputs(weights, biases, normalizations, images, training: true).Select((y, i) =>
        {
            double max = y.Max();
            return Math.Log(y.Sum(v => Math.Exp(v - max))) + max - y[labels[i]];
        }).Sum();

    public static double[][] ToDouble(IReadOnlyList<float[]> values) => [.. values.Select(v => Array.ConvertAll(v, x => (double)x))];

    private static double[][] Each(double[][] x, Func<double[], double[]> step) => Array.ConvertAll(x, v => step(v));

    private static double[] Convolve(double[] x, Node.Convolution node, ImageShape input, ImageShape output, double[] w, double[] b)
    {
        var y = new double[output.Size];
        (int kernel, int channels, int filters) = (node.Kernel, input.Channels / node.Groups, node.Filters / node.Groups);
        for (int f = 0; f < output.Channels; f++)
        {
            for (int oy = 0; oy < output.Height; oy++)
            {
                for (int ox = 0; ox < output.Width; ox++)
                {
                    double sum = b[f];
                    for (int c = 0; c < channels; c++)
                    {
                        for (int ky = 0; ky < kernel; ky++)
                        {
                            for (int kx = 0; kx < kernel; kx++)
                            {
                                sum += w[(((((f * channels) + c) * kernel) + ky) * kernel) + kx]
                                    * At(x, input, (f / filters * channels) + c, (oy * node.Stride) + ky - node.Padding, (ox * node.Stride) + kx - node.Padding, 0);
                            }
                        }
                    }

                    y[(((f * output.Height) + oy) * output.Width) + ox] = sum;
                }
            }
        }

        return y;
    }

    private static double At(double[] x, ImageShape shape, int channel, int row, int column, double outside) =>
        row >= 0 && row < shape.Height && column >= 0 && column < shape.Width
            ? x[(((channel * shape.Height) + row) * shape.Width) + column]
            : outside;

    private static double[] Connect(double[] x, double[] w, double[] b)
    {
        var y = new double[b.Length];
        for (int o = 0; o < y.Length; o++)
        {
            y[o] = b[o];
            for (int i = 0; i < x.Length; i++)
            {
                y[o] += w[(o * x.Length) + i] * x[i];
            }
        }

        return y;
    }

    private static double[] Pool(
        double[] x, ImageShape input, ImageShape output, int window, int stride, int padding, Func<IEnumerable<double>, double> reduce) =>
    [
        .. from c in Enumerable.Range(0, output.Channels)
           from oy in Enumerable.Range(0, output.Height)
           from ox in Enumerable.Range(0, output.Width)
           select reduce(
               from ky in Enumerable.Range(0, window)
               from kx in Enumerable.Range(0, window)
               select At(x, input, c, (oy * stride) + ky - padding, (ox * stride) + kx - padding, double.NegativeInfinity)),
    ];

    private static double Mean(IEnumerable<double> window, bool countsPadding)
    {
        double[] covered = [.. window.Where(double.IsFinite)];
        return covered.Sum() / (countsPadding ? window.Count() : covered.Length);
    }

    private static double[][] Normalize(double[][] x, ImageShape shape, double[] normalization, bool training)
    {
        int plane = shape.Height * shape.Width;
        double[][] y = Array.ConvertAll(x, v => new double[v.Length]);
        for (int c = 0; c < shape.Channels; c++)
        {
            double[] values = [.. x.SelectMany(v => v.Skip(c * plane).Take(plane))];
            double mean = training ? values.Average() : normalization[(2 * shape.Channels) + c];
            double variance = training ? values.Average(v => (v - mean) * (v - mean)) : normalization[(3 * shape.Channels) + c];
            for (int n = 0; n < x.Length; n++)
            {
                for (int j = c * plane; j < (c + 1) * plane; j++)
                {
                    y[n][j] = (normalization[c] * (x[n][j] - mean) / Math.Sqrt(variance + 1e-5)) + normalization[shape.Channels + c];
                }
            }
        }

        return y;
    }

    private static double[] RespondLocally(double[] x, ImageShape shape, Node.LocalResponseNorm node)
    {
        int plane = shape.Height * shape.Width;
        return
        [
            .. x.Select((v, j) =>
            {
                int channel = j / plane;
                double squares = Enumerable.Range(channel - (node.Size / 2), node.Size).Where(c => c >= 0 && c < shape.Channels)
                    .Sum(c => Math.Pow(x[(c * plane) + (j % plane)], 2));
                return v / Math.Pow(node.Bias + (node.Alpha / node.Size * squares), node.Beta);
            }),
        ];
    }

    private static double[] Shorten(double[] x, int stride, ImageShape input, ImageShape output) =>
    [
        .. from c in Enumerable.Range(0, output.Channels)
           let channel = c - ((output.Channels - input.Channels) / 2)
           from oy in Enumerable.Range(0, output.Height)
           from ox in Enumerable.Range(0, output.Width)
           select channel >= 0 && channel < input.Channels ? At(x, input, channel, oy * stride, ox * stride, 0) : 0,
    ];
}
