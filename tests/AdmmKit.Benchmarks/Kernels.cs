using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Training;
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
        var random = new RandomStream(1, "benchmark weights");
        v = [.. Enumerable.Range(0, layer.WeightCount).Select(_ => (float)random.NextDouble(-1, 1))];
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
    private TrainableNetwork network = null!;

    /// <summary>Builds the network.</summary>
    [GlobalSetup]
    public void Setup()
    {
        ImageSet images = Job.RandomImages(640);
        var data = new DataSet("random", "drawn for timing", images, images.Slice(0, 1), images.Slice(0, 1), new Dictionary<string, string>());
        network = new TrainableNetwork(NetworkSpec.LeNet5(NetworkSpec.Mnist, 10), data, new EngineOptions());
        network.BeginPhase(new TrainingPhase("timing", int.MaxValue, new LearningRate.Constant(1e-3)));
    }

    /// <summary>Stops the threads.</summary>
    [GlobalCleanup]
    public void Cleanup() => network.Dispose();

    /// <summary>Forward, backward, update.</summary>
    [Benchmark]
    public double Step() => network.Train(1, null, CancellationToken.None);
}
