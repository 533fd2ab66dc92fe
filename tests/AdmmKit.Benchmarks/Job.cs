using System.Diagnostics;
using System.Text.Json.Nodes;
using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Sparse;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Benchmarks;

/// <summary>
/// The mode <c>job</c>: whole-job speed of LeNet-5, one JSON object on one line. Training and batches in images/s, single
/// images in microseconds (<c>_us</c>), projections in milliseconds (<c>_ms</c>), medians of repeated runs. Run it beside
/// another system (<see cref="Compare"/>) and compare ratios; the figures by themselves drift.
/// </summary>
internal sealed class Job
{
    public const string Takes = "[threads] [batch] [--quick]";

    /// <summary>Images that all training and inference here is measured on.</summary>
    public const int Images = 6400;

    // An 85x split: 5,060 of 430,500 weights, the paper's Table 1.
    private static readonly int[] Kept = [100, 2000, 2600, 360];

    private readonly NetworkSpec spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
    private readonly JsonObject result = [];
    private readonly int threads;
    private readonly int batch;
    private readonly bool quick;
    private readonly Workload work;

    private Job(Arguments arguments)
    {
        threads = arguments.Count("threads", Environment.ProcessorCount);
        batch = arguments.Count("batch", 64);
        quick = arguments.Has("--quick");
        work = new Workload(spec, batch, threads, quick ? Images / 10 : Images);
    }

    private TrainableNetwork Network => work.Network;

    private int Runs => quick ? 1 : 5;

    public static void Run(Arguments arguments)
    {
        var job = new Job(arguments);
        using (job.work)
        {
            Console.WriteLine(job.Measure().ToJsonString());
        }
    }

    private JsonObject Measure()
    {
        result["engine"] = "AdmmKit " + Engine.Network.InstructionSet;
        result["threads"] = threads;
        result["batch"] = batch;
        DenseTraining();
        AdmmTraining();
        MaskedTraining();
        DenseInference();
        SparseInference();
        Projection();
        return result;
    }

    private void DenseTraining() => result["train_dense"] = EpochSpeed();

    /// <summary>What a user runs: the penalty on all layers, and after 500 steps a projection and dual update of all of them.</summary>
    private void AdmmTraining()
    {
        int steps = quick ? 20 : 500;
        var constraint = new PerLayer(
            spec.Layers.Zip(Kept).ToDictionary(l => l.First.Name, l => (IConstraint)new Cardinality(l.Second)));
        var admm = new AdmmTrainer(
            Network, constraint, new AdmmOptions { Iterations = Runs + 1, StepsPerIteration = steps, Evaluate = false });
        double seconds = Timing.Median(Runs, () => Timing.Seconds(1, () => admm.Iterate(null, CancellationToken.None)));
        result["train_admm"] = Math.Round(steps * batch / seconds);
        for (int i = 0; i < spec.Layers.Count; i++)
        {
            Network.SetPenalty(i, Penalty.None);
        }
    }

    private void MaskedTraining()
    {
        for (int i = 0; i < spec.Layers.Count; i++)
        {
            var keep = new bool[spec.Layers[i].WeightCount];
            Array.Fill(keep, true, 0, Kept[i]);
            new RandomStream(1, "mask", i).Shuffle<bool>(keep);
            Network.SetMask(i, keep);
        }

        // Retraining takes thousands of steps. By the 800th the optimizer's moments of pruned weights have decayed to numbers so
        // small that a processor may be slow with them; measured earlier it would look faster than it is.
        Network.Train(quick ? 20 : 1000, null, CancellationToken.None);
        result["train_masked"] = EpochSpeed();
    }

    private void DenseInference()
    {
        using var many = new Network(spec, 256, threads);
        using var single = new Network(spec, 1, 1);
        many.SetWeights(NetworkWeights.CopyFrom(Network));
        single.SetWeights(NetworkWeights.CopyFrom(Network));
        Throughput("infer_batch256", some => many.Evaluate(some));
        Latency("infer_batch1_us", one => single.Evaluate(one));
    }

    /// <summary>The masked network compiled to its survivors.</summary>
    private void SparseInference()
    {
        SparseNetwork sparse = SparseNetwork.Compile(spec, NetworkWeights.CopyFrom(Network));
        var classes = new int[256];
        Throughput("infer_sparse_batch256", some => sparse.Classify(some.Pixels.Span, classes, threads));
        Latency("infer_sparse_batch1_us", one => sparse.Classify(one.Pixels.Span), calls: 100_000);
    }

    /// <summary>The largest layer of AlexNet, fc1, to one weight in 36.</summary>
    private void Projection()
    {
        int weights = quick ? 1_000_000 : 37_748_736;
        int survivors = (int)(weights * 1_060_000L / 37_748_736);
        var layer = new LayerInfo("fc1", LayerKind.FullyConnected, 1, weights, 1, 1, weights);
        float[] v = Workload.RandomWeights(weights), z = new float[weights];
        var set = new Cardinality(survivors);
        double seconds = Timing.Median(quick ? 1 : 3, () => Timing.Seconds(1, () => set.Project(layer, v, z, 1)));
        result[FormattableString.Invariant($"top_k_{weights / 1e6:0.0}M_projection_ms")] = Math.Round(1e3 * seconds, 1);
    }

    private double EpochSpeed()
    {
        void Epoch() => Network.Train(Network.StepsPerEpoch, null, CancellationToken.None);
        double seconds = Timing.Median(Runs, () => Timing.Seconds(1, Epoch));
        return Math.Round(work.Images.Count / seconds);
    }

    /// <summary>Batches of 256 images, in images/s.</summary>
    private void Throughput(string name, Action<ImageSet> infer)
    {
        ImageSet some = work.Images.Slice(0, 256);
        WarmUp(() => infer(some));
        result[name] = Math.Round(256 / Timing.Median(quick ? 1 : 7, () => Timing.Seconds(5, () => infer(some)) / 5));
    }

    /// <summary>One image at a time: the median of means over 200 as at the peer's, and percentiles of single calls.</summary>
    private void Latency(string name, Action<ImageSet> infer, int calls = 5000)
    {
        ImageSet one = work.Images.Slice(0, 1);
        WarmUp(() => infer(one));
        double Micros(double seconds) => Math.Round(1e6 * seconds, 1);
        result[name] = Micros(Timing.Median(quick ? 1 : 7, () => Timing.Seconds(200, () => infer(one)) / 200));
        double[] percentiles = Timing.Percentiles(quick ? 200 : calls, () => infer(one), 0.5, 0.99);
        (result[name + "_p50"], result[name + "_p99"]) = (Micros(percentiles[0]), Micros(percentiles[1]));
    }

    /// <summary>Until the runtime has compiled for speed what is measured.</summary>
    private void WarmUp(Action work)
    {
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalSeconds < (quick ? 0.05 : 1))
        {
            work();
        }
    }
}
