using System.Diagnostics;
using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Networks;
using AdmmKit.Training;
using BenchmarkDotNet.Attributes;

namespace AdmmKit.Benchmarks;

/// <summary>Projections of whole layers: conv1 and fc1 of LeNet-5 and fc1 of AlexNet.</summary>
[MemoryDiagnoser]
public class Projections
{
    /// <summary>fc1 of AlexNet: 9216 inputs, 4096 neurons.</summary>
    internal const int Largest = 37_748_736;

    private LayerInfo layer = null!;
    private float[] v = [];
    private float[] z = [];

    /// <summary>Weights of the layer.</summary>
    [Params(500, 400_000, Largest)]
    public int Weights { get; set; }

    /// <summary>Draws the weights.</summary>
    [GlobalSetup]
    public void Setup()
    {
        (layer, v) = Draw(Weights);
        z = new float[v.Length];
    }

    /// <summary>Keeps 2.8 % of the weights, as the paper does in AlexNet's fc1.</summary>
    [Benchmark]
    public void Cardinality() => new Cardinality((int)(0.028 * Weights)).Project(layer, v, z, 1);

    /// <summary>Keeps half of the weights.</summary>
    [Benchmark]
    public void CardinalityHalf() => new Cardinality(Weights / 2).Project(layer, v, z, 1);

    /// <summary>Finds q for 3 bits.</summary>
    [Benchmark]
    public float Interval() => IntervalSearch.Find(v, 3);

    /// <summary>Milliseconds to project <see cref="Largest"/> normal weights onto a cardinality constraint, the median of some runs.</summary>
    /// <param name="keepFraction">Survivors among the weights, 0 to 1.</param>
    /// <param name="runs">How often it is measured, after one run that is not.</param>
    internal static double MedianMilliseconds(double keepFraction = 0.028, int runs = 7)
    {
        (LayerInfo layer, float[] v) = Draw(Largest);
        var z = new float[v.Length];
        var constraint = new Cardinality((int)(keepFraction * v.Length));
        double Once()
        {
            long start = Stopwatch.GetTimestamp();
            constraint.Project(layer, v, z, 1);
            return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        }

        Once();
        return Enumerable.Range(0, runs).Select(_ => Once()).Order().ElementAt(runs / 2);
    }

    internal static (LayerInfo Layer, float[] Weights) Draw(int count)
    {
        var layer = new LayerInfo("fc1", LayerKind.FullyConnected, 4, count / 4, 1, 1, count);
        var random = new RandomStream(1, "benchmark weights");
        var weights = new float[layer.WeightCount];
        foreach (ref float w in weights.AsSpan())
        {
            w = (float)random.NextGaussian();
        }

        return (layer, weights);
    }
}

/// <summary>What an iteration of ADMM does beside training and evaluation, for the four layers of LeNet-5.</summary>
[MemoryDiagnoser]
public class AdmmIterations
{
    private Untrained network = null!;

    /// <summary>Draws the weights.</summary>
    [GlobalSetup]
    public void Setup() => network = new Untrained(NetworkSpec.LeNet5(NetworkSpec.Mnist, 10).Layers);

    /// <summary>One iteration of many: penalties, V = W + U, projection, U, residuals.</summary>
    [Benchmark(OperationsPerInvoke = Untrained.Iterations)]
    public void Iterate()
    {
        var keep = network.Layers.ToDictionary(l => l.Name, l => (IConstraint)new Cardinality(l.WeightCount / 50));
        var options = new AdmmOptions { Iterations = Untrained.Iterations, StepsPerIteration = 1, Evaluate = false };
        new AdmmTrainer(network, new PerLayer(keep), options).Run();
    }

    /// <summary>Weights that stay as they are.</summary>
    private sealed class Untrained(IReadOnlyList<LayerInfo> layers) : ITrainable
    {
        internal const int Iterations = 50;
        private readonly float[][] w = [.. layers.Select(l => Projections.Draw(l.WeightCount).Weights)];

        public IReadOnlyList<LayerInfo> Layers => layers;

        public int StepsPerEpoch => 1;

        public int StepsDone { get; private set; }

        public void CopyWeights(int layer, Span<float> destination) => w[layer].CopyTo(destination);

        public void SetWeights(int layer, ReadOnlySpan<float> source) => source.CopyTo(w[layer]);

        public void CopyBiases(int layer, Span<float> destination) => destination.Clear();

        public void SetBiases(int layer, ReadOnlySpan<float> source)
        {
        }

        public void SetPenalty(int layer, Penalty penalty)
        {
        }

        public void SetMask(int layer, ReadOnlySpan<bool> keep)
        {
        }

        public void SetFrozen(int layer, ReadOnlySpan<bool> frozen)
        {
        }

        public void BeginPhase(TrainingPhase phase) => StepsDone = 0;

        public double Train(int steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
        {
            StepsDone += steps;
            return 0;
        }

        public Evaluation Evaluate(DataSplit split) => new(0, 1, 0);

        public void SaveState(Stream stream)
        {
        }

        public void LoadState(Stream stream)
        {
        }
    }
}
