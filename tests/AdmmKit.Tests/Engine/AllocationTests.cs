using AdmmKit.Engine;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

/// <summary>Measures allocations of the whole process, so nothing may run beside it.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public class AllocationTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void No_training_step_allocates_after_warm_up(bool sparse)
    {
        NetworkSpec spec = NetworkSpec.LeNet5(new(1, 16, 16), 5, dropout: 0.5);
        using var network = new TrainableNetwork(spec, TestData.BlobData(spec.Input, 5, 640), new EngineOptions { Threads = 2, MaxShift = 1 });
        network.SetPenalty(2, new Penalty.Quadratic(0.01f, new float[spec.Layers[2].WeightCount]));
        for (int layer = 0; sparse && layer < spec.Layers.Count; layer++)
        {
            network.SetMask(layer, [.. Enumerable.Range(0, spec.Layers[layer].WeightCount).Select(i => i % 11 == 0)]);
            Assert.NotNull(network.Network.Parameters[layer].Sparse);
        }

        network.BeginPhase(new TrainingPhase("allocation", 1000, new LearningRate.Cosine(1e-3)));
        network.Train(network.StepsPerEpoch + 2, null, CancellationToken.None);
        long before = GC.GetTotalAllocatedBytes(precise: true);
        network.Train(6, null, CancellationToken.None);
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        // One allocation a step of even the smallest kind, in each of some twenty jobs, would be above this.
        Assert.True(allocated < 1_500, FormattableString.Invariant($"{allocated} bytes in 6 steps"));
    }
}
