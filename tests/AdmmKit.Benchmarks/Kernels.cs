using AdmmKit.Networks;
using BenchmarkDotNet.Attributes;

namespace AdmmKit.Benchmarks;

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
