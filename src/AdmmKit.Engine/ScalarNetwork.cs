using AdmmKit.Engine.Data;
using AdmmKit.Engine.Scalar;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Engine;

/// <summary>
/// Evaluates a network in one fixed scalar order, so that the number of correct images is the same on every machine:
/// what <c>admmkit verify</c> counts with. <see cref="Network"/> is the fast one.
/// </summary>
/// <remarks>
/// <para>The order: a pixel becomes pixel x (1/255) in float32. An output of a layer with weights is the bias, then plus
/// weight x input for each survivor in the order of its row (input channel, kernel row, kernel column), summed in float64
/// and rounded to float32 once. A weight of zero is left out: adding zero changes nothing. A convolution's border is zeros,
/// which are multiplied and added like any input. An average is the sum of its window, or of its channel, row by row, in
/// float64, divided by the count and rounded to float32. The class is the largest output; of equal ones the lowest index.</para>
/// <para>A batch normalization is factor x input + shift in float64, rounded to float32 once. Factor = scale / sqrt(variance +
/// 1e-5) and shift = shift - mean x factor are computed in float64 and rounded to float32 once, the factor first. Standardizing
/// is (input - mean) / deviation, and a sum of steps their sum in the order in which they are named, each in float64 and
/// rounded once. A local response normalization sums the squares channel by channel in float64, rounds (alpha / size) x sum to
/// float32, adds the bias in float64, and divides the input by the power of that, rounded once; v^0.75 is sqrt(v) x
/// sqrt(sqrt(v)), v^0.5 is sqrt(v), and other exponents than these and 1 are refused. A maximum leaves out what lies around the
/// input; a shortcut and a concatenation only copy.</para>
/// <para>Why float64: the product of two float32 numbers is exact in it, so that it makes no difference whether a compiler
/// or a processor fuses the multiplication with the addition; wherever a product is added, both factors are float32, or the
/// product is rounded to it before. Every other operation is one that IEEE 754 defines to the last bit, and there is no
/// exponential. Vectors hold neighbouring outputs of a convolution, never parts of one sum, and images alone are computed in
/// parallel.</para>
/// </remarks>
public sealed class ScalarNetwork
{
    // Bytes 0..255 become 0..1, as in Network.
    private const float PixelScale = 1f / 255;
    private const int NotFinite = -1;

    // What each step reads: 0 is the image, n the output of the n-th step.
    private readonly List<(ScalarStep Step, int[] From)> steps = [];

    /// <summary>Takes the survivors out of the weights.</summary>
    /// <param name="spec">What the network computes.</param>
    /// <param name="weights">Arrays of the layers' sizes, such as <see cref="CompressedNetwork.Decode"/> gives.</param>
    /// <exception cref="AdmmKitException">The weights are not those of the network, or a step has no fixed order.</exception>
    public ScalarNetwork(NetworkSpec spec, NetworkWeights weights)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        spec.CheckGraph();
        Network.CheckFits(spec, weights);
        spec.CheckNormalizations(weights.Normalizations);
        Spec = spec;
        // Where each step of the network is in the values; dropout does nothing here, so its output is its input.
        var places = new int[spec.Nodes.Count];
        (int layer, int norm) = (0, 0);
        for (int i = 0; i < places.Length; i++)
        {
            int[] from = [.. spec.Inputs[i].Select(f => f == NetworkSpec.Image ? 0 : places[f])];
            if (spec.Nodes[i] is Node.Dropout)
            {
                places[i] = from[0];
                continue;
            }

            int first = spec.Inputs[i][0];
            (ImageShape input, ImageShape output) = (first == NetworkSpec.Image ? spec.Input : spec.Shapes[first], spec.Shapes[i]);
            ScalarStep step = spec.Nodes[i] switch
            {
                Node.Convolution c => new ScalarConvolution(c, input, output, weights.Weights[layer], weights.Biases[layer++]),
                Node.FullyConnected => new ScalarFullyConnected(output, weights.Weights[layer], weights.Biases[layer++]),
                Node.MaxPool pool => new ScalarMaxPool(pool, input, output),
                Node.AveragePool pool => new ScalarAveragePool(pool, input, output),
                Node.GlobalAveragePool => new ScalarGlobalAveragePool(input, output),
                Node.Relu => new ScalarRelu(output),
                Node.BatchNorm => new ScalarBatchNorm(output, weights.Normalizations[norm++]),
                Node.LocalResponseNorm n => new ScalarResponseNorm(n, output),
                Node.Standardize s => new ScalarStandardize(s, output),
                Node.Shortcut s => new ScalarShortcut(s, input, output),
                Node.Add => new ScalarAdd(output),
                Node.Concat => new ScalarConcat(output),
                _ => throw new AdmmKitException($"The scalar evaluation cannot compute a {spec.Nodes[i].GetType().Name} step."),
            };
            steps.Add((step, from));
            places[i] = steps.Count;
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
        return CountCorrect(model.Spec, model.Decode, images, threads, cancellation);
    }

    /// <summary>Counts the images that a network classifies correctly, whose weights are asked for only if the images fit it.</summary>
    /// <param name="spec">What the network computes.</param>
    /// <param name="decode">Gives its weights.</param>
    /// <param name="images">Images of the network's input shape.</param>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <param name="cancellation">Stops between two images.</param>
    /// <exception cref="AdmmKitException">The images or classes do not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public static int CountCorrect(
        NetworkSpec spec, Func<NetworkWeights> decode, ImageSet images, int threads = 0, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(decode);
        // First: a short file can name a network of gigabytes, but not one that real images fit.
        Network.CheckFits(spec, images);
        return new ScalarNetwork(spec, decode()).CountCorrect(images, threads, cancellation);
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
        float[] image = scratch.Values[0];
        for (int i = 0; i < image.Length; i++)
        {
            image[i] = pixels[i] * PixelScale;
        }

        for (int s = 0; s < steps.Count; s++)
        {
            steps[s].Step.Run(scratch.Read[s], scratch.Values[s + 1], scratch.Room);
        }

        return scratch.Values[^1];
    }

    /// <summary>The buffers of one thread.</summary>
    private sealed class Scratch
    {
        public Scratch(NetworkSpec spec, IReadOnlyList<(ScalarStep Step, int[] From)> steps)
        {
            Values = [new float[spec.Input.Size], .. steps.Select(s => new float[s.Step.Output.Size])];
            Read = [.. steps.Select(s => Array.ConvertAll(s.From, f => Values[f]))];
            Room = new double[steps.Max(s => s.Step.Room)];
        }

        /// <summary>The image, then the output of each step.</summary>
        public float[][] Values { get; }

        /// <summary>The inputs of each step, which are among the values.</summary>
        public float[][][] Read { get; }

        public double[] Room { get; }
    }
}
