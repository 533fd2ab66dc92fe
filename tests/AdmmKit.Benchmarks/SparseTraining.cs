using System.Diagnostics;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Layers;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Benchmarks;

/// <summary>
/// What training with survivors alone saves: LeNet-5 at 85x against itself dense, and for each kind of layer the kept
/// fraction at which a step takes as long sparse as dense, which <see cref="Parameters"/> switches at. The two are timed by
/// turns, so that the ratios hold on a busy machine.
/// </summary>
internal static class SparseTraining
{
    private const int Rounds = 9;

    private static readonly double[] KeepFractions = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1];

    // A layer at work with little beside it: the layer below has a handful of survivors, but its gradient is asked for.
    private static readonly Dictionary<string, NetworkSpec> Kinds = new()
    {
        ["convolution of images, 20x1x5x5 at 24x24"] = new("images", NetworkSpec.Mnist,
            [new Node.Convolution("layer", 20, 5), new Node.MaxPool(2), new Node.FullyConnected("above", 2)]),
        ["convolution, 50x20x5x5 at 8x8"] = new("convolution", new(20, 12, 12),
            [new Node.Convolution("below", 20, 1), new Node.Convolution("layer", 50, 5), new Node.MaxPool(2), new Node.FullyConnected("above", 2)]),
        ["convolution, 64x64x3x3 at 12x12"] = new("many channels", new(64, 14, 14),
            [new Node.Convolution("below", 64, 1), new Node.Convolution("layer", 64, 3), new Node.MaxPool(2), new Node.FullyConnected("above", 2)]),
        ["fully connected, 500x800"] = new("fully connected", new(50, 4, 4),
            [new Node.Convolution("below", 50, 1), new Node.FullyConnected("layer", 500), new Node.FullyConnected("above", 2)]),
        ["fully connected, 2048x2048"] = new("large", new(128, 4, 4),
            [new Node.Convolution("below", 128, 1), new Node.FullyConnected("layer", 2048), new Node.FullyConnected("above", 2)]),
    };

    public const string Takes = "[threads] [batch]";

    public static void Run(Arguments arguments)
    {
        (int threads, int batch) = (arguments.Count("threads", Environment.ProcessorCount), arguments.Count("batch", 64));
        Console.WriteLine(FormattableString.Invariant($"{Network.InstructionSet}, {threads} threads, batch {batch}"));
        WholeNetwork(threads, batch);
        foreach ((string kind, NetworkSpec spec) in Kinds)
        {
            SwitchOver(kind, spec, threads, batch);
        }
    }

    private static void WholeNetwork(int threads, int batch)
    {
        NetworkSpec spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        using TrainableNetwork dense = Create(spec, threads, batch);
        using TrainableNetwork maskedDense = Create(spec, threads, batch);
        using TrainableNetwork masked = Create(spec, threads, batch);
        int[] kept = [100, 2000, 2600, 360];
        for (int layer = 0; layer < kept.Length; layer++)
        {
            double keepFraction = kept[layer] / (double)spec.Layers[layer].WeightCount;
            Mask(maskedDense, layer, keepFraction, sparse: false);
            Mask(masked, layer, keepFraction, sparse: true);
        }

        double[] seconds = Alternate(100, dense, maskedDense, masked);
        Console.WriteLine(FormattableString.Invariant(
            $"LeNet-5 at 85x, images/s: dense {batch / seconds[0]:f0}, masked on dense arrays {batch / seconds[1]:f0}, survivors alone {batch / seconds[2]:f0}: {seconds[0] / seconds[2]:f2} times dense"));
    }

    private static void SwitchOver(string kind, NetworkSpec spec, int threads, int batch)
    {
        Console.WriteLine(kind);
        int layer = spec.IndexOf("layer");
        using TrainableNetwork dense = Create(spec, threads, batch);
        using TrainableNetwork sparse = Create(spec, threads, batch);
        for (int below = 0; below < layer; below++)
        {
            foreach (TrainableNetwork network in (TrainableNetwork[])[dense, sparse])
            {
                Mask(network, below, 1.0 / spec.Layers[below].Columns, sparse: true);
            }
        }

        double? switchOver = null;
        (double Fraction, double Ratio) last = (0, 0);
        foreach (double keepFraction in KeepFractions)
        {
            Mask(dense, layer, keepFraction, sparse: false);
            Mask(sparse, layer, keepFraction, sparse: true);
            double[] seconds = Alternate(10, dense, sparse);
            double ratio = seconds[1] / seconds[0];
            if (ratio > 1 && switchOver is null)
            {
                switchOver = last.Fraction + ((keepFraction - last.Fraction) * (1 - last.Ratio) / (ratio - last.Ratio));
            }

            last = (keepFraction, ratio);
            Console.WriteLine(FormattableString.Invariant(
                $"  kept {keepFraction,4:p0}: dense {1e6 * seconds[0],7:f0} us a step, sparse {1e6 * seconds[1],7:f0} us, {1 / ratio:f2} times as fast"));
        }

        Console.WriteLine(switchOver is { } at ? FormattableString.Invariant($"  equal at {at:p0}") : "  sparse is faster throughout");
    }

    private static TrainableNetwork Create(NetworkSpec spec, int threads, int batch)
    {
        var random = new RandomStream(1, "benchmark images");
        var pixels = new byte[10 * batch * spec.Input.Size];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)random.NextInt(256);
        }

        var images = new ImageSet(spec.Input, spec.Classes, pixels, new byte[10 * batch]);
        var data = new DataSet("random", "drawn for timing", images, images, images, new Dictionary<string, string>());
        var network = new TrainableNetwork(spec, data, new EngineOptions { BatchSize = batch, Threads = threads });
        network.BeginPhase(new TrainingPhase("timing", int.MaxValue, new LearningRate.Constant(1e-4)));
        return network;
    }

    private static void Mask(TrainableNetwork network, int layer, double keepFraction, bool sparse)
    {
        var keep = new bool[network.Layers[layer].WeightCount];
        Array.Fill(keep, true, 0, (int)Math.Round(keepFraction * keep.Length));
        new RandomStream(1, "mask", layer).Shuffle<bool>(keep);
        network.Network.Parameters[layer].SparseBelow = sparse ? 2 : 0;
        network.SetMask(layer, keep);
    }

    /// <summary>Seconds of a step of each network: medians over rounds in which all take their turn.</summary>
    private static double[] Alternate(int steps, params TrainableNetwork[] networks)
    {
        var seconds = new double[networks.Length][];
        for (int i = 0; i < networks.Length; i++)
        {
            seconds[i] = new double[Rounds];
            networks[i].Train(steps, null, CancellationToken.None);
        }

        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < networks.Length; i++)
            {
                var clock = Stopwatch.StartNew();
                networks[i].Train(steps, null, CancellationToken.None);
                seconds[i][round] = clock.Elapsed.TotalSeconds / steps;
            }
        }

        return Array.ConvertAll(seconds, s => s.Order().ElementAt(Rounds / 2));
    }
}
