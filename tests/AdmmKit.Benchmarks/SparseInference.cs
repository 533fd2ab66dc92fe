using System.Diagnostics;
using System.Text.Json;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Sparse;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;
using BenchmarkDotNet.Attributes;

namespace AdmmKit.Benchmarks;

/// <summary>Inference of LeNet-5 pruned 85x: the compiled sparse network beside the dense one.</summary>
public class SparseInference
{
    internal const string Takes = "[threads] [batch] [--model FILE.admm]";

    private readonly byte[] pixels = Workload.RandomImages(NetworkSpec.Mnist, 10, 256).Pixels.ToArray();
    private readonly float[] scores = new float[2560];
    private SparseNetwork sparse = null!;

    /// <summary>Compiles the network.</summary>
    [GlobalSetup]
    public void Setup() => sparse = SparseNetwork.Compile(Spec, RandomWeights());

    /// <summary>One image.</summary>
    [Benchmark]
    public void One() => sparse.Run(pixels.AsSpan(0, 784), scores.AsSpan(0, 10));

    /// <summary>256 images on all cores.</summary>
    [Benchmark(OperationsPerInvoke = 256)]
    public void Batch() => sparse.Run(pixels, scores);

    private static NetworkSpec Spec => NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);

    /// <summary>
    /// Sparse and dense alternately, one JSON object: latencies of single calls in microseconds (p50 and p99), throughputs in
    /// images/s of calls with a batch (median and best), and the median of the rounds' ratios.
    /// </summary>
    internal static void Run(Arguments arguments)
    {
        string? model = arguments.Text("--model");
        (NetworkSpec spec, NetworkWeights weights) = model is null ? (Spec, RandomWeights()) : Load(model);
        SortedDictionary<string, object> result = Measure(
            spec, weights, arguments.Count("threads", Environment.ProcessorCount), arguments.Count("batch", 256));
        result["model"] = Path.GetFileName(model) ?? "survivors at random";
        Console.WriteLine(JsonSerializer.Serialize(result));
    }

    /// <summary>Measures a network on random images of 28 x 28.</summary>
    /// <param name="spec">What it computes.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="threads">Threads for the batch; single images take one.</param>
    /// <param name="batch">Images of a batch.</param>
    internal static SortedDictionary<string, object> Measure(NetworkSpec spec, NetworkWeights weights, int threads, int batch)
    {
        const int Calls = 100_000;
        const int Rounds = 100;
        ImageSet images = Workload.RandomImages(NetworkSpec.Mnist, 10, batch);
        ImageSet one = images.Slice(0, 1);
        SparseNetwork sparse = SparseNetwork.Compile(spec, weights);
        using var denseOne = new Network(spec, 1, 1);
        using var denseBatch = new Network(spec, batch, threads);
        denseOne.SetWeights(weights);
        denseBatch.SetWeights(weights);
        var classes = new int[batch];
        void SparseOne() => sparse.Classify(one.Pixels.Span);
        void SparseBatch() => sparse.Classify(images.Pixels.Span, classes, threads);

        // A round of each in turn, so that whatever else the machine does falls on both.
        var sparseTimes = new double[Calls];
        var denseTimes = new double[Calls / 20];
        var sparseBatches = new double[Rounds * 9];
        var denseBatches = new double[Rounds * 3];
        var speedups = new double[Rounds];
        Time(new double[20_000], SparseOne);
        Time(new double[200], () => denseOne.Evaluate(one));
        Time(new double[100], SparseBatch);
        Time(new double[20], () => denseBatch.Evaluate(images));
        for (int round = 0; round < Rounds; round++)
        {
            Time(sparseTimes.AsSpan(round * (Calls / Rounds), Calls / Rounds), SparseOne);
            Time(denseTimes.AsSpan(round * (denseTimes.Length / Rounds), denseTimes.Length / Rounds), () => denseOne.Evaluate(one));
            Span<double> sparseRound = sparseBatches.AsSpan(round * 9, 9);
            Span<double> denseRound = denseBatches.AsSpan(round * 3, 3);
            Time(sparseRound, SparseBatch);
            Time(denseRound, () => denseBatch.Evaluate(images));
            speedups[round] = Quantile(denseRound, 0.5) / Quantile(sparseRound, 0.5);
        }

        return new SortedDictionary<string, object>(StringComparer.Ordinal)
        {
            ["engine"] = "AdmmKit " + Network.InstructionSet,
            ["batch"] = batch,
            ["threads"] = threads,
            ["multiply_adds"] = sparse.MultiplyAdds,
            ["sparse_batch1_p50_us"] = Math.Round(1e6 * Quantile(sparseTimes, 0.5), 2),
            ["sparse_batch1_p99_us"] = Math.Round(1e6 * Quantile(sparseTimes, 0.99), 2),
            ["dense_batch1_p50_us"] = Math.Round(1e6 * Quantile(denseTimes, 0.5), 1),
            ["dense_batch1_p99_us"] = Math.Round(1e6 * Quantile(denseTimes, 0.99), 1),
            ["sparse_batch"] = Math.Round(batch / Quantile(sparseBatches, 0.5)),
            ["dense_batch"] = Math.Round(batch / Quantile(denseBatches, 0.5)),
            // On a busy machine the fastest call says more than the median.
            ["sparse_batch_best"] = Math.Round(batch / sparseBatches.Min()),
            ["dense_batch_best"] = Math.Round(batch / denseBatches.Min()),
            ["batch_speedup"] = Math.Round(Quantile(speedups, 0.5), 2),
        };
    }

    /// <summary>Survivors as in the paper's 85x: 100, 2000, 2600 and 360, spread evenly over each layer.</summary>
    internal static NetworkWeights RandomWeights()
    {
        int[] kept = [100, 2000, 2600, 360];
        var weights = new float[4][];
        var biases = new float[4][];
        for (int i = 0; i < 4; i++)
        {
            var random = new RandomStream(1, "sparse benchmark", i);
            weights[i] = new float[Spec.Layers[i].WeightCount];
            for (int k = 0; k < kept[i]; k++)
            {
                weights[i][k] = (float)random.NextDouble(-0.5, 0.5);
            }

            random.Shuffle<float>(weights[i]);
            biases[i] = new float[Spec.Layers[i].Rows];
        }

        return new NetworkWeights(weights, biases);
    }

    private static (NetworkSpec, NetworkWeights) Load(string path)
    {
        CompressedNetwork model = CompressedNetwork.Load(path);
        return (model.Spec, model.Decode());
    }

    private static void Time(Span<double> seconds, Action call)
    {
        for (int i = 0; i < seconds.Length; i++)
        {
            long start = Stopwatch.GetTimestamp();
            call();
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    private static double Quantile(ReadOnlySpan<double> values, double q)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        return sorted[(int)(q * (sorted.Length - 1))];
    }
}
