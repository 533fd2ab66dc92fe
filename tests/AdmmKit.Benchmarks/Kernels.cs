using AdmmKit.Constraints;
using AdmmKit.Networks;
using BenchmarkDotNet.Attributes;

namespace AdmmKit.Benchmarks;

/// <summary>Projections of whole layers: fc1 of LeNet-5 and fc1 of AlexNet.</summary>
public class Projections
{
    private LayerInfo layer = null!;
    private float[] v = [];
    private float[] z = [];

    /// <summary>Weights of the layer.</summary>
    [Params(400_000, 37_748_736)]
    public int Weights { get; set; }

    /// <summary>Draws the weights.</summary>
    [GlobalSetup]
    public void Setup()
    {
        layer = new LayerInfo("fc1", LayerKind.FullyConnected, Weights / 1024, 1024, 1, 1, Weights);
        v = Workload.RandomWeights(layer.WeightCount);
        z = new float[v.Length];
    }

    /// <summary>Keeps 3 % of the weights.</summary>
    [Benchmark]
    public void Cardinality() => new Cardinality(layer.WeightCount / 35).Project(layer, v, z, 1);

    /// <summary>Finds q for 3 bits.</summary>
    [Benchmark]
    public float Interval() => IntervalSearch.Find(v, 3);
}

/// <summary>One training step of LeNet-5, batch 64, all cores.</summary>
public class TrainingSteps
{
    private Workload work = null!;

    /// <summary>Builds the network.</summary>
    [GlobalSetup]
    public void Setup() => work = new Workload(NetworkSpec.LeNet5(NetworkSpec.Mnist, 10), 64, Environment.ProcessorCount, 640);

    /// <summary>Stops the threads.</summary>
    [GlobalCleanup]
    public void Cleanup() => work.Dispose();

    /// <summary>Forward, backward, update.</summary>
    [Benchmark]
    public void Step() => work.Step();
}
