using System.Diagnostics;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Kernels;
using AdmmKit.Engine.Layers;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Engine;

/// <summary>How a layer is computed.</summary>
public enum Execution
{
    /// <summary>As it is faster by the kit's own thresholds.</summary>
    Auto,

    /// <summary>With all weights, zeros too.</summary>
    Dense,

    /// <summary>With its survivors alone.</summary>
    Sparse,
}

/// <summary>How a network is compiled for inference.</summary>
public sealed record InferenceOptions
{
    /// <summary>Images that one pass takes at most. They go in blocks of 32, of 8 where there are no more than 8.</summary>
    public int MaxBatch { get; init; } = 64;

    /// <summary>Threads to compute with; 0 means all cores. The result does not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>How each layer is computed, in the network's order; null for <see cref="Execution.Auto"/> throughout.</summary>
    public IReadOnlyList<Execution>? Layers { get; init; }
}

/// <summary>Time of one layer within a network.</summary>
/// <param name="Name">The layer, or the kind of step where it has no weights.</param>
/// <param name="Execution">How it is computed; <see cref="Execution.Dense"/> where it has no weights.</param>
/// <param name="Seconds">Seconds in all passes so far.</param>
public sealed record StepTime(string Name, Execution Execution, double Seconds);

/// <summary>
/// Any network, compiled for inference on the CPU, each layer dense or with its survivors alone: <see cref="Sparse.SparseNetwork"/> is for
/// single images and chains, this for many images at a time and any graph. Batch normalizations are taken into the
/// convolutions before them. A call takes no memory. Not thread-safe.
/// </summary>
/// <remarks>
/// An image's scores depend neither on the other images of a call nor on the number of threads. They are those of
/// <see cref="Network"/> up to rounding.
/// </remarks>
/// <example>
/// <code>
/// using var network = InferenceNetwork.Compile(model.Spec, model.Decode(), new() { MaxBatch = 256 });
/// network.Classify(pixels, classes);
/// </code>
/// </example>
public sealed class InferenceNetwork : IDisposable
{
    // Below the least break-even that 'admmkit platform measure' gave on AVX-512 with one thread and batch 64, where convolutions of
    // ResNet-20 and LeNet-5 broke even at 54 to 100 % of their weights, and fully connected layers at 29 to 33 %.
    private const double SparseConvolutionBelow = 0.5;
    private const double SparseFullyConnectedBelow = 0.25;

    private readonly Network network;
    private readonly WorkPool? owned;

    private InferenceNetwork(NetworkSpec spec, NetworkWeights weights, InferenceOptions options, KernelSet kernels, WorkPool? shared)
    {
        Network.CheckFits(spec, weights);
        spec.CheckNormalizations(weights.Normalizations);
        if (options.Layers is { } given && given.Count != spec.Layers.Count)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{spec.Name}' has {spec.Layers.Count} layers, but an execution is given for {given.Count}: give one a layer, or none."));
        }

        if (options.MaxBatch < 1)
        {
            throw new AdmmKitException(FormattableString.Invariant($"A pass takes at least 1 image, not {options.MaxBatch}."));
        }

        Spec = spec;
        MaxBatch = options.MaxBatch;
        Executions = [.. spec.Layers.Select((l, i) => options.Layers?[i] is Execution.Dense or Execution.Sparse ? options.Layers[i]
            : Choose(l, (double)NetworkWeights.CountNonZero(weights.Weights[i]) / l.WeightCount))];
        (NetworkSpec folded, NetworkWeights numbers) = NormalizationFolding.Fold(spec, weights);
        owned = shared is null ? new WorkPool(options.Threads > 0 ? options.Threads : Environment.ProcessorCount) : null;
        network = new Network(folded, MaxBatch, (owned ?? shared)!, kernels, forTraining: false);
        network.SetWeights(numbers);
        for (int i = 0; i < Executions.Count; i++)
        {
            network.Parameters[i].SurvivorsAlone = Executions[i] == Execution.Sparse;
        }

        network.FollowSurvivors();
    }

    /// <summary>What the network computes.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>Images that one pass takes at most.</summary>
    public int MaxBatch { get; }

    /// <summary>How each layer is computed: <see cref="Execution.Dense"/> or <see cref="Execution.Sparse"/>.</summary>
    public IReadOnlyList<Execution> Executions { get; }

    /// <summary>Compiles a network.</summary>
    /// <param name="spec">What it computes.</param>
    /// <param name="weights">Arrays of the layers' sizes; a weight of zero is a pruned one.</param>
    /// <param name="options">How; null for a batch of 64 on all cores, each layer by the kit's own thresholds.</param>
    /// <exception cref="AdmmKitException">Weights or options do not fit the network, or there is a step that the engine does not know.</exception>
    public static InferenceNetwork Compile(NetworkSpec spec, NetworkWeights weights, InferenceOptions? options = null) =>
        Compile(spec, weights, options ?? new(), KernelSet.Best);

    /// <summary>Compiles for one instruction set, on threads that others use too, or on its own.</summary>
    internal static InferenceNetwork Compile(
        NetworkSpec spec, NetworkWeights weights, InferenceOptions options, KernelSet kernels, WorkPool? shared = null)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        return new InferenceNetwork(spec, weights, options, kernels, shared);
    }

    /// <summary>The kit's own choice for a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="keepFraction">Survivors as a share of its weights, in [0, 1].</param>
    public static Execution Choose(LayerInfo layer, double keepFraction)
    {
        ArgumentNullException.ThrowIfNull(layer);
        double below = layer.Kind == LayerKind.Convolution ? SparseConvolutionBelow : SparseFullyConnectedBelow;
        return keepFraction < below ? Execution.Sparse : Execution.Dense;
    }

    /// <summary>The network's outputs before softmax.</summary>
    /// <param name="pixels">Images one after the other, bytes 0..255, each channel by channel, row by row; any number of them.</param>
    /// <param name="scores">Where one row of class scores an image goes.</param>
    /// <exception cref="AdmmKitException">A length does not fit the network.</exception>
    public void Run(ReadOnlySpan<byte> pixels, Span<float> scores)
    {
        int count = CountImages(pixels.Length, scores.Length, Spec.Classes, "scores");
        for (int first = 0; first < count; first += MaxBatch)
        {
            int images = Infer(pixels, first, count);
            for (int i = 0; i < images * Spec.Classes; i++)
            {
                scores[(first * Spec.Classes) + i] = network.Score(i / Spec.Classes, i % Spec.Classes);
            }
        }
    }

    /// <summary>The class of each image: the index of the largest output, the lowest of equal ones.</summary>
    /// <param name="pixels">Images one after the other, bytes 0..255, each channel by channel, row by row; any number of them.</param>
    /// <param name="classes">Where one class an image goes.</param>
    /// <exception cref="AdmmKitException">A length does not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public void Classify(ReadOnlySpan<byte> pixels, Span<int> classes)
    {
        int count = CountImages(pixels.Length, classes.Length, 1, "classes");
        for (int first = 0; first < count; first += MaxBatch)
        {
            int images = Infer(pixels, first, count);
            for (int i = 0; i < images; i++)
            {
                classes[first + i] = Best(first, i);
            }
        }
    }

    /// <summary>Counts the images of a set that the network classifies correctly.</summary>
    /// <param name="images">Images of the network's input shape.</param>
    /// <exception cref="AdmmKitException">The images or classes do not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public int CountCorrect(ImageSet images)
    {
        Network.CheckFits(Spec, images);
        var classes = new int[images.Count];
        if (classes.Length > 0)
        {
            Classify(images.Pixels.Span, classes);
        }

        return classes.Where((c, i) => c == images.Labels.Span[i]).Count();
    }

    /// <summary>
    /// Time that each step took in all passes so far, by a clock between them; a step that another one takes over (a ReLU, a batch
    /// normalization) is in the time of that.
    /// </summary>
    public IReadOnlyList<StepTime> StepTimes()
    {
        var times = new List<StepTime>();
        int layer = 0;
        foreach ((Layer step, long ticks) in network.Layers.Zip(network.LayerTicks))
        {
            bool weighted = step is IParameterLayer;
            times.Add(new(
                weighted ? Spec.Layers[layer].Name : step.GetType().Name[..^"Layer".Length],
                weighted ? Executions[layer] : Execution.Dense,
                (double)ticks / Stopwatch.Frequency));
            layer += weighted ? 1 : 0;
        }

        return times;
    }

    /// <inheritdoc/>
    public void Dispose() => owned?.Dispose();

    private int Infer(ReadOnlySpan<byte> pixels, int first, int count)
    {
        int images = Math.Min(MaxBatch, count - first);
        network.Infer(pixels.Slice(first * Spec.Input.Size, images * Spec.Input.Size));
        return images;
    }

    private int Best(int first, int image)
    {
        int best = 0;
        for (int c = 0; c < Spec.Classes; c++)
        {
            float score = network.Score(image, c);
            if (!float.IsFinite(score))
            {
                throw new DivergedException(FormattableString.Invariant(
                    $"The network's outputs for image {first + image} are not finite numbers: its weights are damaged."));
            }

            best = score > network.Score(image, best) ? c : best;
        }

        return best;
    }

    private int CountImages(int inputs, int outputs, int outputsPerImage, string what)
    {
        (int count, int rest) = Math.DivRem(inputs, Spec.Input.Size);
        if (rest != 0 || inputs == 0)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{inputs} values were given, but an image of this {Spec.Name} has {Spec.Input.Size} ({Spec.Input}): give one or more whole images."));
        }

        return outputs == (long)count * outputsPerImage ? count : throw new AdmmKitException(FormattableString.Invariant(
            $"There is room for {outputs} {what}, but {count} images of this {Spec.Name} have {(long)count * outputsPerImage}: give just as much."));
    }
}
