using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Engine;

/// <summary>
/// Evaluates a network in one fixed scalar order, so that the number of correct images is the same on every machine:
/// what <c>admmkit verify</c> counts with. It is slow where weights are dense; <see cref="Network"/> is the fast one.
/// </summary>
/// <remarks>
/// <para>The order: a pixel becomes pixel x (1/255) in float32. An output of a layer with weights is the bias, then plus
/// weight x input for each survivor in the order of its row (input channel, kernel row, kernel column), summed in float64
/// and rounded to float32 once. A weight of zero is left out: adding zero changes nothing. An average is the sum of its
/// window, row by row, in float64, divided by the count and rounded to float32. The class is the largest output; of equal
/// ones the lowest index.</para>
/// <para>Why float64: the product of two float32 numbers is exact in it, so that it makes no difference whether a compiler
/// or a processor fuses the multiplication with the addition. Every other operation is one that IEEE 754 defines to the
/// last bit. There is no vector, no exponential, and images alone are computed in parallel.</para>
/// </remarks>
public sealed class ScalarNetwork
{
    // Bytes 0..255 become 0..1, as in Network.
    private const float PixelScale = 1f / 255;
    private const int NotFinite = -1;

    private readonly List<Step> steps = [];

    /// <summary>Takes the survivors out of the weights.</summary>
    /// <param name="spec">What the network computes.</param>
    /// <param name="weights">Arrays of the layers' sizes, such as <see cref="CompressedNetwork.Decode"/> gives.</param>
    /// <exception cref="AdmmKitException">The weights are not those of the network, or a step is unknown.</exception>
    public ScalarNetwork(NetworkSpec spec, NetworkWeights weights)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        if (!spec.Layers.Select(l => (l.WeightCount, l.Rows)).SequenceEqual(weights.Weights.Zip(weights.Biases, (w, b) => (w.Length, b.Length))))
        {
            throw new AdmmKitException($"The weights do not fit '{spec.Name}' for {spec.Input} images: it needs {string.Join(", ", spec.Layers.Select(l => $"{l.Name} {l.Shape}"))}.");
        }

        Spec = spec;
        ImageShape shape = spec.Input;
        int layer = 0;
        foreach (Node node in spec.Nodes)
        {
            ImageShape output = node.OutputShape(shape);
            if (node is not Node.Dropout)
            {
                steps.Add(node switch
                {
                    Node.Convolution => new Convolution(shape, output, node.Layer(shape)!, weights.Weights[layer], weights.Biases[layer++]),
                    Node.FullyConnected => new FullyConnected(shape, output, weights.Weights[layer], weights.Biases[layer++]),
                    Node.MaxPool pool => new MaxPool(shape, output, pool.Window),
                    Node.AveragePool pool => new AveragePool(shape, output, pool.Window),
                    Node.Relu => new Relu(shape, output),
                    _ => throw new AdmmKitException($"The scalar evaluation cannot compute a {node.GetType().Name} step."),
                });
            }

            shape = output;
        }
    }

    /// <summary>What the network computes.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>Decodes a stored network and counts the images that it classifies correctly.</summary>
    /// <param name="model">The network.</param>
    /// <param name="images">Images of the network's input shape.</param>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <param name="cancellation">Stops between two images.</param>
    /// <exception cref="AdmmKitException">The images or classes do not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public static int CountCorrect(CompressedNetwork model, ImageSet images, int threads = 0, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        // Before it is decoded: a short file can name a network of gigabytes, but not one that real images fit.
        Network.CheckFits(model.Spec, images);
        return new ScalarNetwork(model.Spec, model.Decode()).CountCorrect(images, threads, cancellation);
    }

    /// <summary>Counts the images that the network classifies correctly.</summary>
    /// <param name="images">Images of the network's input shape.</param>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <param name="cancellation">Stops between two images.</param>
    /// <exception cref="AdmmKitException">The images or classes do not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public int CountCorrect(ImageSet images, int threads = 0, CancellationToken cancellation = default)
    {
        int[] classes = Classify(images, threads, cancellation);
        int correct = 0;
        for (int i = 0; i < classes.Length; i++)
        {
            correct += classes[i] == images.Labels.Span[i] ? 1 : 0;
        }

        return correct;
    }

    /// <summary>The class of each image: the index of the largest output, the lowest of equal ones.</summary>
    /// <param name="images">Images of the network's input shape.</param>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <param name="cancellation">Stops between two images.</param>
    /// <exception cref="AdmmKitException">The images or classes do not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public int[] Classify(ImageSet images, int threads = 0, CancellationToken cancellation = default)
    {
        Network.CheckFits(Spec, images);
        var classes = new int[images.Count];
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = threads > 0 ? threads : Environment.ProcessorCount,
            CancellationToken = cancellation,
        };
        Parallel.For(0, images.Count, options, () => new Scratch(Spec, steps), (i, _, scratch) =>
        {
            classes[i] = Largest(Run(images, i, scratch));
            return scratch;
        }, _ => { });
        return Array.IndexOf(classes, NotFinite) < 0 ? classes
            : throw new DivergedException("The network's outputs are not finite numbers: its weights are damaged or training diverged.");
    }

    /// <summary>The network's outputs before softmax, for one image of a set.</summary>
    internal float[] Outputs(ImageSet images, int index) => Run(images, index, new Scratch(Spec, steps)).ToArray();

    private static int Largest(ReadOnlySpan<float> outputs)
    {
        int best = 0;
        for (int c = 0; c < outputs.Length; c++)
        {
            if (!float.IsFinite(outputs[c]))
            {
                return NotFinite;
            }

            best = outputs[c] > outputs[best] ? c : best;
        }

        return best;
    }

    private ReadOnlySpan<float> Run(ImageSet images, int index, Scratch scratch)
    {
        ReadOnlySpan<byte> pixels = images.Pixels.Span.Slice(index * Spec.Input.Size, Spec.Input.Size);
        float[] x = scratch.Input;
        for (int i = 0; i < x.Length; i++)
        {
            x[i] = pixels[i] * PixelScale;
        }

        for (int s = 0; s < steps.Count; s++)
        {
            steps[s].Run(x, scratch.Outputs[s], scratch.Sums);
            x = scratch.Outputs[s];
        }

        return x;
    }

    /// <summary>The buffers of one thread.</summary>
    private sealed class Scratch(NetworkSpec spec, IReadOnlyList<Step> steps)
    {
        public float[] Input { get; } = new float[spec.Input.Size];

        public float[][] Outputs { get; } = [.. steps.Select(s => new float[s.Output.Size])];

        public double[] Sums { get; } = new double[steps.Max(s => s.Output.Height * s.Output.Width)];
    }

    private abstract class Step(ImageShape input, ImageShape output)
    {
        public ImageShape Input { get; } = input;

        public ImageShape Output { get; } = output;

        /// <param name="x">The input.</param>
        /// <param name="y">Where the output goes.</param>
        /// <param name="sums">Room for one channel of the output.</param>
        public abstract void Run(float[] x, float[] y, double[] sums);
    }

    private sealed class Convolution(ImageShape input, ImageShape output, LayerInfo layer, float[] weights, float[] biases)
        : Step(input, output)
    {
        private readonly Survivor[][] filters = Rows(weights, biases.Length, column =>
        {
            (int channel, int inKernel) = Math.DivRem(column, layer.KernelHeight * layer.KernelWidth);
            (int ky, int kx) = Math.DivRem(inKernel, layer.KernelWidth);
            return (((channel * input.Height) + ky) * input.Width) + kx;
        });

        // One survivor at a time over the whole channel: each output still gets its terms in the order of the survivors.
        public override void Run(float[] x, float[] y, double[] sums)
        {
            int channel = Output.Height * Output.Width;
            for (int f = 0; f < filters.Length; f++)
            {
                Array.Fill(sums, biases[f], 0, channel);
                foreach (Survivor survivor in filters[f])
                {
                    double weight = survivor.Weight;
                    for (int oy = 0; oy < Output.Height; oy++)
                    {
                        Span<double> sum = sums.AsSpan(oy * Output.Width, Output.Width);
                        ReadOnlySpan<float> row = x.AsSpan(survivor.Offset + (oy * Input.Width), sum.Length);
                        for (int ox = 0; ox < row.Length; ox++)
                        {
                            sum[ox] += weight * row[ox];
                        }
                    }
                }

                for (int i = 0; i < channel; i++)
                {
                    y[(f * channel) + i] = (float)sums[i];
                }
            }
        }
    }

    private sealed class FullyConnected(ImageShape input, ImageShape output, float[] weights, float[] biases) : Step(input, output)
    {
        private readonly Survivor[][] rows = Rows(weights, biases.Length, column => column);

        public override void Run(float[] x, float[] y, double[] sums)
        {
            for (int o = 0; o < rows.Length; o++)
            {
                double sum = biases[o];
                foreach (Survivor survivor in rows[o])
                {
                    sum += (double)survivor.Weight * x[survivor.Offset];
                }

                y[o] = (float)sum;
            }
        }
    }

    private abstract class Pool(ImageShape input, ImageShape output, int window) : Step(input, output)
    {
        public override void Run(float[] x, float[] y, double[] sums)
        {
            int o = 0;
            for (int channel = 0; channel < Output.Channels; channel++)
            {
                for (int oy = 0; oy < Output.Height; oy++)
                {
                    int first = ((channel * Input.Height) + (oy * window)) * Input.Width;
                    for (int ox = 0; ox < Output.Width; ox++)
                    {
                        y[o++] = Reduce(x, first + (ox * window), window);
                    }
                }
            }
        }

        /// <param name="x">The input.</param>
        /// <param name="first">The first value of the window; the next row is as far away as the input is wide.</param>
        /// <param name="window">Rows and columns of the window.</param>
        protected abstract float Reduce(float[] x, int first, int window);
    }

    private sealed class MaxPool(ImageShape input, ImageShape output, int window) : Pool(input, output, window)
    {
        protected override float Reduce(float[] x, int first, int window)
        {
            float largest = x[first];
            for (int row = 0; row < window; row++)
            {
                for (int column = 0; column < window; column++)
                {
                    float value = x[first + (row * Input.Width) + column];
                    largest = value > largest ? value : largest;
                }
            }

            return largest;
        }
    }

    private sealed class AveragePool(ImageShape input, ImageShape output, int window) : Pool(input, output, window)
    {
        protected override float Reduce(float[] x, int first, int window)
        {
            double sum = 0;
            for (int row = 0; row < window; row++)
            {
                for (int column = 0; column < window; column++)
                {
                    sum += x[first + (row * Input.Width) + column];
                }
            }

            return (float)(sum / (window * window));
        }
    }

    private sealed class Relu(ImageShape input, ImageShape output) : Step(input, output)
    {
        public override void Run(float[] x, float[] y, double[] sums)
        {
            for (int i = 0; i < y.Length; i++)
            {
                y[i] = x[i] > 0 ? x[i] : 0;
            }
        }
    }

    /// <summary>The survivors of each row in order.</summary>
    /// <param name="weights">The row-major weights.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="offset">Where the first input of a column lies.</param>
    private static Survivor[][] Rows(float[] weights, int rows, Func<int, int> offset)
    {
        int columns = weights.Length / rows;
        return [.. Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, columns)
            .Where(column => weights[(row * columns) + column] != 0)
            .Select(column => new Survivor(offset(column), weights[(row * columns) + column])).ToArray())];
    }

    /// <summary>A weight that is not zero.</summary>
    /// <param name="Offset">Where its input lies; of a convolution, the input of the first output.</param>
    /// <param name="Weight">The weight.</param>
    private readonly record struct Survivor(int Offset, float Weight);
}
