using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Training;
using BenchmarkDotNet.Attributes;

namespace AdmmKit.Benchmarks;

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
