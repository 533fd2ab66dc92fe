using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

/// <summary>
/// The definition of every layer written out in double precision, one image at a time, with nothing shared with the
/// engine: what its outputs and gradients are measured against.
/// </summary>
internal sealed class ReferenceNetwork(NetworkSpec spec)
{
    public double[] Outputs(double[][] weights, double[][] biases, double[] image)
    {
        double[] x = image;
        ImageShape shape = spec.Input;
        int layer = 0;
        foreach (Node node in spec.Nodes)
        {
            ImageShape output = node.OutputShape(shape);
            x = node switch
            {
                Node.Convolution c => Convolve(x, shape, output, c.Kernel, weights[layer], biases[layer++]),
                Node.FullyConnected => Connect(x, weights[layer], biases[layer++]),
                Node.MaxPool p => Pool(x, shape, output, p.Window, v => v.Max()),
                Node.AveragePool p => Pool(x, shape, output, p.Window, v => v.Average()),
                Node.Relu => [.. x.Select(v => Math.Max(v, 0))],
                _ => throw new NotSupportedException(node.ToString()),
            };
            shape = output;
        }

        return x;
    }

    /// <summary>Softmax cross-entropy of one image.</summary>
    public double Loss(double[][] weights, double[][] biases, double[] image, int label)
    {
        double[] y = Outputs(weights, biases, image);
        double max = y.Max();
        return Math.Log(y.Sum(v => Math.Exp(v - max))) + max - y[label];
    }

    public static double[][] ToDouble(IReadOnlyList<float[]> values) => [.. values.Select(v => Array.ConvertAll(v, x => (double)x))];

    private static double[] Convolve(double[] x, ImageShape input, ImageShape output, int kernel, double[] w, double[] b)
    {
        var y = new double[output.Size];
        for (int f = 0; f < output.Channels; f++)
        {
            for (int oy = 0; oy < output.Height; oy++)
            {
                for (int ox = 0; ox < output.Width; ox++)
                {
                    double sum = b[f];
                    for (int c = 0; c < input.Channels; c++)
                    {
                        for (int ky = 0; ky < kernel; ky++)
                        {
                            for (int kx = 0; kx < kernel; kx++)
                            {
                                sum += w[(((((f * input.Channels) + c) * kernel) + ky) * kernel) + kx]
                                    * x[(((c * input.Height) + oy + ky) * input.Width) + ox + kx];
                            }
                        }
                    }

                    y[(((f * output.Height) + oy) * output.Width) + ox] = sum;
                }
            }
        }

        return y;
    }

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

    private static double[] Pool(double[] x, ImageShape input, ImageShape output, int window, Func<IEnumerable<double>, double> reduce)
    {
        var y = new double[output.Size];
        for (int c = 0; c < output.Channels; c++)
        {
            for (int oy = 0; oy < output.Height; oy++)
            {
                for (int ox = 0; ox < output.Width; ox++)
                {
                    y[(((c * output.Height) + oy) * output.Width) + ox] = reduce(
                        from ky in Enumerable.Range(0, window)
                        from kx in Enumerable.Range(0, window)
                        select x[(((c * input.Height) + (oy * window) + ky) * input.Width) + (ox * window) + kx]);
                }
            }
        }

        return y;
    }
}
