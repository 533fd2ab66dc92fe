using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Benchmarks;

/// <summary>
/// Whole-job speed of LeNet-5, one JSON object: throughputs in images/s, latencies in microseconds, medians of repeated
/// runs. Run it beside another system in one script, on quiet cores, and compare ratios; the figures by themselves drift.
/// Usage: job [threads] [batch].
/// </summary>
internal static class Job
{
    private const int Images = 6400;

    public static int Run(string[] args)
    {
        int threads = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : Environment.ProcessorCount;
        int batch = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 64;
        NetworkSpec spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        ImageSet images = RandomImages(Images);
        var data = new DataSet("random", "drawn for timing", images, images.Slice(0, 1), images.Slice(0, 1), new Dictionary<string, string>());
        using var network = new TrainableNetwork(spec, data, new EngineOptions { BatchSize = batch, Threads = threads });
        var result = new SortedDictionary<string, object>(StringComparer.Ordinal)
        {
            ["engine"] = "AdmmKit " + Network.InstructionSet,
            ["threads"] = threads,
            ["batch"] = batch,
        };
        network.BeginPhase(new TrainingPhase("timing", int.MaxValue, new LearningRate.Constant(1e-3)));
        result["train_dense"] = TrainingSpeed(network);
        for (int i = 0; i < spec.Layers.Count; i++)
        {
            network.SetPenalty(i, new Penalty.Quadratic(3e-3f, new float[spec.Layers[i].WeightCount]));
        }

        result["train_admm"] = TrainingSpeed(network);
        int[] kept = [100, 2000, 2600, 360];
        for (int i = 0; i < spec.Layers.Count; i++)
        {
            network.SetPenalty(i, Penalty.None);
            var keep = new bool[spec.Layers[i].WeightCount];
            Array.Fill(keep, true, 0, kept[i]);
            new RandomStream(1, "mask", i).Shuffle<bool>(keep);
            network.SetMask(i, keep);
        }

        result["train_masked"] = TrainingSpeed(network);
        using (var inference = new Network(spec, 256, threads))
        {
            inference.SetWeights(NetworkWeights.CopyFrom(network));
            ImageSet some = images.Slice(0, 256);
            result["infer_batch256"] = Math.Round(256 / Median(7, () => Repeat(5, () => inference.Evaluate(some)) / 5));
        }

        using (var inference = new Network(spec, 1, 1))
        {
            inference.SetWeights(NetworkWeights.CopyFrom(network));
            ImageSet one = images.Slice(0, 1);
            result["infer_batch1_us"] = Math.Round(1e6 * Median(7, () => Repeat(200, () => inference.Evaluate(one)) / 200), 1);
        }

        Console.WriteLine(JsonSerializer.Serialize(result));
        return 0;
    }

    internal static ImageSet RandomImages(int count)
    {
        var random = new RandomStream(1, "benchmark images");
        var pixels = new byte[count * 784];
        var labels = new byte[count];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)random.NextInt(256);
        }

        for (int i = 0; i < count; i++)
        {
            labels[i] = (byte)random.NextInt(10);
        }

        return new ImageSet(NetworkSpec.Mnist, 10, pixels, labels);
    }

    private static double TrainingSpeed(TrainableNetwork network)
    {
        void Epoch() => network.Train(network.StepsPerEpoch, null, CancellationToken.None);
        Epoch();
        return Math.Round(Images / Median(5, () => Repeat(1, Epoch)));
    }

    private static double Repeat(int times, Action action)
    {
        var clock = Stopwatch.StartNew();
        for (int i = 0; i < times; i++)
        {
            action();
        }

        return clock.Elapsed.TotalSeconds;
    }

    private static double Median(int runs, Func<double> measure)
    {
        measure();
        double[] values = [.. Enumerable.Range(0, runs).Select(_ => measure()).Order()];
        return values[runs / 2];
    }
}
