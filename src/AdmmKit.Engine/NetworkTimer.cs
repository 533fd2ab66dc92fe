using System.Diagnostics;
using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Engine;

/// <summary>One step of a network, timed within it: dense, as chosen, and with survivors alone.</summary>
/// <param name="Name">The layer, or the kind of step where it has no weights.</param>
/// <param name="Chosen">How it is computed in the network as chosen.</param>
/// <param name="DenseSeconds">Seconds for one image in the dense network; a median.</param>
/// <param name="ChosenOverDense">Its time as chosen, as a multiple of the dense time beside it; a median.</param>
/// <param name="SparseOverDense">The same of a network that runs every layer with survivors alone.</param>
public sealed record TimedStep(string Name, Execution Chosen, double DenseSeconds, double ChosenOverDense, double SparseOverDense);

/// <summary>A network with its own weights, timed whole and step by step.</summary>
/// <param name="DenseSeconds">Seconds for one image with every layer dense; the median over all rounds.</param>
/// <param name="ChosenOverDense">The time as chosen, as a multiple of the dense time of the same round; the median.</param>
/// <param name="SparseOverDense">The same of a network that runs every layer with survivors alone.</param>
/// <param name="Steps">All steps, by a clock between them inside the pass.</param>
/// <param name="Executions">How each layer is computed in the network as chosen.</param>
public sealed record NetworkTime(
    double DenseSeconds, double ChosenOverDense, double SparseOverDense, IReadOnlyList<TimedStep> Steps, IReadOnlyList<Execution> Executions);

/// <summary>Times a network on this machine: dense, with the execution chosen for each layer, and all sparse, which take turns.</summary>
public static class NetworkTimer
{
    /// <summary>Times a network on images drawn at random.</summary>
    /// <param name="spec">What it computes.</param>
    /// <param name="weights">Its weights; those of zero are pruned.</param>
    /// <param name="layers">How each layer is computed as chosen; null for the kit's own choice.</param>
    /// <param name="options">Batch, threads, seconds and rounds; null for a batch of 64 on all cores.</param>
    /// <param name="cancellation">Ends it between two rounds.</param>
    /// <exception cref="AdmmKitException">Weights or options do not fit the network.</exception>
    public static NetworkTime Time(
        NetworkSpec spec, NetworkWeights weights, IReadOnlyList<Execution>? layers = null, TimingOptions? options = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        options ??= new();
        options.Check();
        // One set of threads for all: those of another network would look for work while this one computes.
        using var pool = new WorkPool(options.ThreadCount);
        InferenceNetwork Compile(IReadOnlyList<Execution>? executions) => InferenceNetwork.Compile(
            spec, weights, new InferenceOptions { MaxBatch = options.Batch, Layers = executions }, KernelSet.Best, pool);
        IReadOnlyList<Execution> All(Execution execution) => [.. spec.Layers.Select(_ => execution)];
        InferenceNetwork[] networks = [Compile(All(Execution.Dense)), Compile(layers), Compile(All(Execution.Sparse))];
        byte[] pixels = Pixels(spec, options.Batch);
        var scores = new float[options.Batch * spec.Classes];
        Array.ForEach(networks, n => n.Run(pixels, scores));
        Clocks[] clocks = [.. networks.Select(n => new Clocks(n))];
        long start = Stopwatch.GetTimestamp();
        while (clocks[0].Rounds < options.MinRounds || Stopwatch.GetElapsedTime(start).TotalSeconds < options.MinSeconds)
        {
            cancellation.ThrowIfCancellationRequested();
            foreach (Clocks c in clocks)
            {
                c.Run(pixels, scores);
            }
        }

        double Over(Func<Clocks, IReadOnlyList<double>> of, int network) =>
            LayerTimer.Median([.. of(clocks[0]).Zip(of(clocks[network]), (dense, other) => other / dense)]);
        double PerImage(IReadOnlyList<double> seconds) => LayerTimer.Median([.. seconds]) / options.Batch;
        IReadOnlyList<StepTime> steps = networks[1].StepTimes();
        return new NetworkTime(
            PerImage(clocks[0].Whole), Over(c => c.Whole, 1), Over(c => c.Whole, 2),
            [.. steps.Select((s, i) => new TimedStep(
                s.Name, s.Execution, PerImage(clocks[0].Steps[i]), Over(c => c.Steps[i], 1), Over(c => c.Steps[i], 2)))],
            networks[1].Executions);
    }

    private static byte[] Pixels(NetworkSpec spec, int count)
    {
        var random = new RandomStream(1, "timed images");
        var pixels = new byte[count * spec.Input.Size];
        foreach (ref byte pixel in pixels.AsSpan())
        {
            pixel = (byte)random.NextInt(256);
        }

        return pixels;
    }

    /// <summary>The times of one network, round by round, and of its steps.</summary>
    private sealed class Clocks(InferenceNetwork network)
    {
        public List<double> Whole { get; } = [];

        public List<double>[] Steps { get; } = [.. network.StepTimes().Select(_ => new List<double>())];

        public int Rounds => Whole.Count;

        public void Run(byte[] pixels, float[] scores)
        {
            IReadOnlyList<StepTime> before = network.StepTimes();
            long start = Stopwatch.GetTimestamp();
            network.Run(pixels, scores);
            Whole.Add((Stopwatch.GetTimestamp() - start) / (double)Stopwatch.Frequency);
            IReadOnlyList<StepTime> after = network.StepTimes();
            for (int i = 0; i < after.Count; i++)
            {
                Steps[i].Add(after[i].Seconds - before[i].Seconds);
            }
        }
    }
}
