using AdmmKit.Engine;
using AdmmKit.Engine.Sparse;
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

    [Fact]
    public void Sparse_inference_allocates_nothing_after_warm_up()
    {
        NetworkSpec spec = NetworkSpec.LeNet5(new(1, 16, 16), 5);
        NetworkWeights weights = new(
            [.. spec.Layers.Select(l => Enumerable.Range(0, l.WeightCount).Select(i => i % 17 == 0 ? 0.1f : 0).ToArray())],
            [.. spec.Layers.Select(l => new float[l.Rows])]);
        SparseNetwork network = SparseNetwork.Compile(spec, weights);
        byte[] pixels = TestData.Blobs(spec.Input, 5, 70, 1).Pixels.ToArray();
        var values = new float[spec.Input.Size];
        var scores = new float[70 * 5];
        var classes = new int[70];
        void Round(int threads)
        {
            network.Classify(pixels.AsSpan(0, spec.Input.Size));
            network.Run(values, scores.AsSpan(0, 5));
            network.Run(pixels, scores, threads);
            network.Classify(pixels, classes, threads);
        }

        for (int i = 0; i < 200; i++)
        {
            Round(1);
            Round(3);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
        {
            Round(1);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        // Helpers' allocations can only be seen in those of the process, in which the test runner's are too, now and then.
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 8; attempt++)
        {
            before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < 200; i++)
            {
                Round(3);
            }

            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        // One allocation a call of even the smallest kind, in 400 calls, would be above this.
        Assert.InRange(least, 0, 5_000);
    }

    [Fact]
    public void Inference_of_any_graph_allocates_nothing_after_warm_up()
    {
        NetworkSpec spec = NetworkSpec.Create("resnet20", new(3, 8, 8), 5);
        NetworkWeights weights = new(
            [.. spec.Layers.Select(l => Enumerable.Range(0, l.WeightCount).Select(i => i % 17 == 0 ? 0.1f : 0).ToArray())],
            [.. spec.Layers.Select(l => new float[l.Rows])])
        {
            Normalizations = [.. spec.Normalizations.Select(n => Enumerable.Repeat(1f, n.Count).ToArray())],
        };
        // One layer of each execution; the threads' allocations cannot be told from those of the test runner.
        Execution[] layers = [.. spec.Layers.Select((_, i) => i % 2 == 0 ? Execution.Sparse : Execution.Dense)];
        using var network = InferenceNetwork.Compile(spec, weights, new() { MaxBatch = 40, Threads = 1, Layers = layers });
        byte[] pixels = TestData.Blobs(spec.Input, 5, 50, 1).Pixels.ToArray();
        var (scores, classes) = (new float[50 * 5], new int[50]);
        void Round()
        {
            network.Run(pixels, scores);
            network.Classify(pixels, classes);
        }

        for (int i = 0; i < 50; i++)
        {
            Round();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
        {
            Round();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
