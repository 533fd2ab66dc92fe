using System.Diagnostics;
using System.Globalization;
using AdmmKit.Engine.Kernels;
using AdmmKit.Engine.Layers;
using AdmmKit.Networks;

namespace AdmmKit.Engine;

/// <summary>How layers are timed.</summary>
public sealed record TimingOptions
{
    /// <summary>Images of a pass.</summary>
    public int Batch { get; init; } = 64;

    /// <summary>Threads; 0 means all cores.</summary>
    public int Threads { get; init; }

    /// <summary>Threads that are used.</summary>
    public int ThreadCount => Threads > 0 ? Threads : Environment.ProcessorCount;

    /// <summary>Survivors as shares of the weights, in (0, 1], ascending.</summary>
    public IReadOnlyList<double> KeepFractions { get; init; } = [0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1];

    /// <summary>Seconds that each comparison takes at least, and so many rounds.</summary>
    public double MinSeconds { get; init; } = 0.3;

    /// <summary>Rounds of each comparison, at least; in a round both sides have their turn.</summary>
    public int MinRounds { get; init; } = 7;

    internal void Check()
    {
        if (Batch < 1)
        {
            throw new AdmmKitException(FormattableString.Invariant($"A pass takes at least 1 image, not {Batch}."));
        }

        if (KeepFractions.Count < 2 || KeepFractions.Any(k => k is not (> 0 and <= 1)) || !KeepFractions.SequenceEqual(KeepFractions.Distinct().Order()))
        {
            throw new AdmmKitException(
                $"Layers are timed at two or more shares of their weights, above 0 and up to 1, in ascending order, not at '{string.Join(' ', KeepFractions.Select(k => k.ToString(CultureInfo.InvariantCulture)))}'.");
        }
    }
}

/// <summary>A layer with survivors alone, timed in turn with itself dense.</summary>
/// <param name="KeepFraction">Survivors as a share of the weights.</param>
/// <param name="OverDense">Its time as a multiple of the dense time beside it; the median over the rounds.</param>
/// <param name="Seconds">Seconds for one image: <paramref name="OverDense"/> times the layer's dense time.</param>
public sealed record SparseTime(double KeepFraction, double OverDense, double Seconds);

/// <summary>One kind of layer, timed dense and sparse.</summary>
/// <param name="Layer">The first layer of that kind.</param>
/// <param name="DenseSeconds">Seconds for one image with all weights; the median over all rounds of all densities.</param>
/// <param name="Sparse">With survivors alone, by ascending keepFraction.</param>
public sealed record LayerTime(LayerInfo Layer, double DenseSeconds, IReadOnlyList<SparseTime> Sparse);

/// <summary>
/// Times the engine's own kernels on this machine, layer by layer: each by itself, dense and with survivors at random alone,
/// which take turns, so that what else the machine does falls on both.
/// </summary>
public static class LayerTimer
{
    // Calls are counted and compiled again, optimised, after a tenth of a second: what comes before says nothing.
    private const double WarmUpSeconds = 0.15;

    /// <summary>Times one layer of a network.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="layer">One of its layers.</param>
    /// <param name="options">How; null for a batch of 64 on all cores.</param>
    /// <param name="cancellation">Ends it between two rounds.</param>
    /// <exception cref="AdmmKitException">An option is not usable, or the network has no such layer.</exception>
    public static LayerTime Time(
        NetworkSpec spec, LayerInfo layer, TimingOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(layer);
        options ??= new();
        options.Check();
        int step = spec.Nodes.Index().First(n => n.Item.Layer(InputOf(spec, n.Index))?.Name == spec.Layers[spec.IndexOf(layer.Name)].Name).Index;
        using var pool = new WorkPool(options.ThreadCount);
        KernelSet kernels = KernelSet.Best.For(options.Batch);
        int blocks = (options.Batch + kernels.Block - 1) / kernels.Block;
        ImageShape shape = InputOf(spec, step);
        var input = new FloatBuffer((long)shape.Size * kernels.Block * blocks);
        Fill(input, "timed inputs", 0, 1);
        var context = new LayerContext(kernels, KernelSet.Best, pool, ForTraining: false, blocks);
        Layer dense = Create(spec.Nodes[step], new Source(shape, input, null, Accumulate: false, Shared: true), spec.Shapes[step], context);
        Layer sparse = Create(spec.Nodes[step], new Source(shape, input, null, Accumulate: false, Shared: true), spec.Shapes[step], context);
        Parameters weights = ((IParameterLayer)dense).Parameters;
        Fill(weights.Weights, "timed weights", -0.5, 0.5);
        var pass = new Pass { Images = options.Batch, Blocks = blocks };
        var denseSeconds = new List<double>();
        var overDense = new List<double>();
        foreach (double keepFraction in options.KeepFractions)
        {
            KeepAtRandom(weights, ((IParameterLayer)sparse).Parameters, keepFraction);
            sparse.SetRead([.. Enumerable.Repeat(true, spec.Shapes[step].Channels)]);
            if (overDense.Count == 0)
            {
                WarmUp(() => dense.Forward(pass), () => sparse.Forward(pass));
            }

            (double[] a, double[] b) = Alternate(() => dense.Forward(pass), () => sparse.Forward(pass), options, cancellation);
            denseSeconds.AddRange(a);
            overDense.Add(Median([.. a.Zip(b, (d, s) => s / d)]));
        }

        double seconds = Median(denseSeconds) / options.Batch;
        return new LayerTime(layer, seconds, [.. options.KeepFractions.Zip(overDense, (k, o) => new SparseTime(k, o, o * seconds))]);
    }

    /// <summary>The middle one of some numbers; of an even count the mean of the two in the middle.</summary>
    internal static double Median(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static ImageShape InputOf(NetworkSpec spec, int step) =>
        spec.Inputs[step][0] is var from && from == NetworkSpec.Image ? spec.Input : spec.Shapes[from];

    private static Layer Create(Node node, Source source, ImageShape output, LayerContext context) => node switch
    {
        Node.Convolution convolution => new ConvolutionLayer(convolution, [source], output, context),
        _ => new FullyConnectedLayer((Node.FullyConnected)node, [source], output, context),
    };

    private static void Fill(FloatBuffer buffer, string purpose, double low, double high)
    {
        var random = new RandomStream(1, purpose);
        foreach (ref float value in buffer.Span)
        {
            value = (float)random.NextDouble(low, high);
        }
    }

    private static void KeepAtRandom(Parameters from, Parameters to, double keepFraction)
    {
        var random = new RandomStream(1, "timed mask");
        Span<float> source = from.Weights.Span;
        Span<float> target = to.Weights.Span;
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = random.NextDouble(0, 1) < keepFraction ? source[i] : 0;
        }

        to.SurvivorsAlone = true;
    }

    /// <summary>Seconds of a call of each, in rounds in which both have their turn, after calls that do not count.</summary>
    private static (double[] First, double[] Second) Alternate(Action first, Action second, TimingOptions options, CancellationToken cancellation)
    {
        (var a, var b) = (new List<double>(), new List<double>());
        // As many calls in a turn as take a millisecond: the other side has left the caches in its own state.
        (int callsOfFirst, int callsOfSecond) = (CallsInATurn(first), CallsInATurn(second));
        long start = Stopwatch.GetTimestamp();
        while (a.Count < options.MinRounds || Stopwatch.GetElapsedTime(start).TotalSeconds < options.MinSeconds)
        {
            cancellation.ThrowIfCancellationRequested();
            a.Add(Seconds(first, callsOfFirst));
            b.Add(Seconds(second, callsOfSecond));
        }

        return ([.. a], [.. b]);
    }

    // Doubled, not divided: what one call takes may be less than the clock can tell.
    private static int CallsInATurn(Action work)
    {
        int calls = 1;
        while (calls < 1 << 20 && calls * Seconds(work, calls) < 1e-3)
        {
            calls *= 2;
        }

        return calls;
    }

    private static void WarmUp(Action first, Action second)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < WarmUpSeconds)
        {
            first();
            second();
        }
    }

    private static double Seconds(Action work, int calls)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++)
        {
            work();
        }

        // In the clock's own ticks: a TimeSpan counts only tenths of microseconds.
        return (Stopwatch.GetTimestamp() - start) / (double)Stopwatch.Frequency / calls;
    }
}
