using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

public class TrainingTests
{
    private static readonly ImageShape Shape = new(1, 16, 16);
    private static readonly NetworkSpec Spec = new("test", Shape,
        [new Node.Convolution("conv1", 8, 5), new Node.MaxPool(2), new Node.FullyConnected("fc1", 30), new Node.Relu(), new Node.Dropout(0.2), new Node.FullyConnected("fc2", 5)]);

    private static readonly TrainingPhase Phase = new("test", 200, new LearningRate.Cosine(2e-3));

    [Fact]
    public void Training_learns()
    {
        using TrainableNetwork network = Create(threads: 2);
        network.BeginPhase(Phase);
        network.Train(60, null, CancellationToken.None);
        Assert.True(network.Evaluate(DataSplit.Test).Accuracy > 0.95);
    }

    [Fact]
    public void Sgd_learns()
    {
        using TrainableNetwork network = Create(threads: 1, optimizer: new Optimizer.Sgd { Decay = 1e-4f });
        network.BeginPhase(Phase with { LearningRate = new LearningRate.Constant(0.05) });
        network.Train(80, null, CancellationToken.None);
        Assert.True(network.Evaluate(DataSplit.Test).Accuracy > 0.95);
    }

    public static TheoryData<string> KernelNames() => [.. KernelSet.Supported.Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void One_two_and_five_threads_give_the_same_bits(string kernels)
    {
        byte[] StateWith(int threads)
        {
            using TrainableNetwork network = Create(threads, kernels: kernels);
            network.BeginPhase(Phase);
            network.Train(25, null, CancellationToken.None);
            return State(network);
        }

        byte[] one = StateWith(1);
        Assert.Equal(one, StateWith(2));
        Assert.Equal(one, StateWith(5));
    }

    [Fact]
    public void Another_seed_gives_another_network()
    {
        using TrainableNetwork a = Create(threads: 1, seed: 1);
        using TrainableNetwork b = Create(threads: 1, seed: 2);
        Assert.NotEqual(State(a), State(b));
    }

    [Fact]
    public void A_resumed_run_ends_with_the_same_bits()
    {
        using TrainableNetwork whole = Create(threads: 2);
        whole.SetPenalty(1, new Penalty.Quadratic(0.01f, new float[Spec.Layers[1].WeightCount]));
        whole.SetMask(0, Alternating(Spec.Layers[0].WeightCount));
        whole.BeginPhase(Phase);
        whole.Train(33, null, CancellationToken.None);
        byte[] middle = State(whole);
        whole.Train(20, null, CancellationToken.None);

        using TrainableNetwork resumed = Create(threads: 1);
        resumed.BeginPhase(Phase);
        resumed.LoadState(new MemoryStream(middle));
        Assert.Equal(middle, State(resumed));
        resumed.Train(20, null, CancellationToken.None);
        Assert.Equal(State(whole), State(resumed));
    }

    [Fact]
    public void A_truncated_or_foreign_state_is_refused()
    {
        using TrainableNetwork network = Create(threads: 1);
        network.BeginPhase(Phase);
        byte[] state = State(network);
        Assert.Throws<BadFileException>(() => network.LoadState(new MemoryStream(state, 0, state.Length / 2)));
        state[0] ^= 1;
        Assert.Throws<BadFileException>(() => network.LoadState(new MemoryStream(state)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Masked_weights_stay_exactly_zero_whatever_the_optimizer_remembers(bool useAdam)
    {
        using TrainableNetwork network = Create(threads: 2, optimizer: useAdam ? new Optimizer.Adam { Decay = 1e-3f } : new Optimizer.Sgd { Decay = 1e-3f });
        network.BeginPhase(Phase);
        network.Train(5, null, CancellationToken.None);
        bool[] keep = Alternating(Spec.Layers[1].WeightCount);
        network.SetMask(1, keep);
        network.Train(15, null, CancellationToken.None);
        var weights = new float[keep.Length];
        network.CopyWeights(1, weights);
        for (int i = 0; i < keep.Length; i++)
        {
            Assert.Equal(keep[i], weights[i] != 0);
        }

        network.SetWeights(1, Enumerable.Repeat(1f, keep.Length).ToArray());
        network.CopyWeights(1, weights);
        Assert.Equal(keep.Count(k => k), NetworkWeights.CountNonZero(weights));
    }

    [Fact]
    public void Frozen_weights_do_not_move_but_their_biases_do()
    {
        using TrainableNetwork network = Create(threads: 1);
        network.SetFrozen(0, Enumerable.Repeat(true, Spec.Layers[0].WeightCount).ToArray());
        NetworkWeights before = NetworkWeights.CopyFrom(network);
        network.BeginPhase(Phase);
        network.Train(5, null, CancellationToken.None);
        NetworkWeights after = NetworkWeights.CopyFrom(network);
        Assert.Equal(before.Weights[0], after.Weights[0]);
        Assert.NotEqual(before.Biases[0], after.Biases[0]);
        Assert.NotEqual(before.Weights[1], after.Weights[1]);
    }

    [Fact]
    public void A_strong_quadratic_penalty_pulls_the_weights_to_its_target()
    {
        using TrainableNetwork network = Create(threads: 1);
        var target = new float[Spec.Layers[1].WeightCount];
        Array.Fill(target, 0.05f);
        network.SetPenalty(1, new Penalty.Quadratic(100, target));
        network.BeginPhase(new TrainingPhase("pull", 300, new LearningRate.Cosine(5e-3)));
        network.Train(300, null, CancellationToken.None);
        var weights = new float[target.Length];
        network.CopyWeights(1, weights);
        Assert.All(weights, w => Assert.Equal(0.05f, w, 2e-3f));
    }

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void A_target_is_read_where_it_stands_and_nothing_beside_it(string kernels)
    {
        // Three tasks of a layer, the last one shorter and no multiple of a vector; the target begins at no even address.
        var spec = new NetworkSpec("wide", Shape, [new Node.FullyConnected("fc1", 151), new Node.Relu(), new Node.FullyConnected("fc2", 5)]);
        int count = spec.Layers[0].WeightCount;
        NetworkWeights Trained(Memory<float> target)
        {
            for (int i = 0; i < count; i++)
            {
                target.Span[i] = (i % 7) - 3;
            }

            using var network = new TrainableNetwork(
                spec, TestData.BlobData(Shape, 5, 100), new EngineOptions { Threads = 2 }, KernelSet.Supported.First(k => k.Name == kernels));
            network.BeginPhase(Phase);
            long before = GC.GetAllocatedBytesForCurrentThread();
            network.SetPenalty(0, new Penalty.Quadratic(1, target));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, count * sizeof(float) / 2);
            network.Train(3, null, CancellationToken.None);
            return NetworkWeights.CopyFrom(network);
        }

        var surrounded = new float[count + 100];
        Array.Fill(surrounded, float.NaN);
        Assert.Equal(Trained(new float[count]).Weights, Trained(surrounded.AsMemory(1, count)).Weights);
    }

    [Fact]
    public void A_layer_in_training_by_ADMM_takes_seven_arrays_of_its_size()
    {
        // W, its gradient, two moments; Z, U, and the target: VGG-16's 138.3M weights so stay below 4 GB.
        var shape = new ImageShape(1, 48, 48);
        var spec = new NetworkSpec("wide", shape, [new Node.FullyConnected("fc1", 900), new Node.Relu(), new Node.FullyConnected("fc2", 5)]);
        DataSet data = TestData.BlobData(shape, 5, 100);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using var network = new TrainableNetwork(spec, data, new EngineOptions { BatchSize = 8, Threads = 1 });
        var keep = new PerLayer(spec.Layers.ToDictionary(l => l.Name, l => (IConstraint)new Cardinality(l.WeightCount / 20)));
        var trainer = new AdmmTrainer(network, keep, new AdmmOptions { Iterations = 2, StepsPerIteration = 1 });
        trainer.Run();
        double arrays = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)(spec.WeightCount * sizeof(float));
        Assert.InRange(arrays, 7, 7.9);
    }

    [Fact]
    public void An_l1_penalty_shrinks_the_weights()
    {
        double Norm(float lambda)
        {
            using TrainableNetwork network = Create(threads: 1);
            network.SetPenalty(1, new Penalty.L1(lambda));
            network.BeginPhase(Phase);
            network.Train(60, null, CancellationToken.None);
            return NetworkWeights.CopyFrom(network).Weights[1].Sum(w => (double)Math.Abs(w));
        }

        Assert.True(Norm(0.01f) < 0.5 * Norm(1e-9f));
    }

    [Fact]
    public void Adam_takes_the_steps_of_its_paper()
    {
        // Two steps on one fully connected layer, recomputed in double from the gradients that the engine reports.
        var spec = new NetworkSpec("test", new(1, 2, 3), [new Node.FullyConnected("f", 2)]);
        ImageSet images = TestData.Blobs(spec.Input, 2, 8, 1);
        var data = new DataSet("blobs", "", images, images, images, new Dictionary<string, string>());
        using var network = new TrainableNetwork(spec, data, new EngineOptions { BatchSize = 8, Threads = 1 });
        network.BeginPhase(new TrainingPhase("adam", 10, new LearningRate.Constant(0.01)));
        double[] w = [.. NetworkWeights.CopyFrom(network).Weights[0].Select(x => (double)x)];
        (var m, var v) = (new double[w.Length], new double[w.Length]);
        for (int t = 1; t <= 3; t++)
        {
            network.Train(1, null, CancellationToken.None);
            float[] g = network.Network.Parameters[0].WeightGradient.Span.ToArray();
            for (int i = 0; i < w.Length; i++)
            {
                double gradient = g[i] / 8.0;
                m[i] = (0.9 * m[i]) + (0.1 * gradient);
                v[i] = (0.999 * v[i]) + (0.001 * gradient * gradient);
                w[i] -= 0.01 * (m[i] / (1 - Math.Pow(0.9, t))) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.999, t))) + 1e-8);
            }
        }

        float[] actual = NetworkWeights.CopyFrom(network).Weights[0];
        Assert.All(actual.Zip(w), p => Assert.Equal(p.Second, p.First, 1e-5));
    }

    [Fact]
    public void A_loss_that_is_no_number_stops_training_with_advice()
    {
        using TrainableNetwork network = Create(threads: 1);
        network.BeginPhase(Phase with { LearningRate = new LearningRate.Constant(1e30) });
        var e = Assert.Throws<DivergedException>(() => network.Train(50, null, CancellationToken.None));
        Assert.Contains("learning rate", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_does_not_fit_the_network_is_refused()
    {
        var e = Assert.Throws<AdmmKitException>(() => new TrainableNetwork(Spec, TestData.BlobData(new(1, 12, 12), 5, 50), new EngineOptions()));
        Assert.Contains("1x16x16", e.Message, StringComparison.Ordinal);
    }

    private static bool[] Alternating(int count) => [.. Enumerable.Range(0, count).Select(i => i % 3 == 0)];

    private static byte[] State(TrainableNetwork network)
    {
        var stream = new MemoryStream();
        network.SaveState(stream);
        return stream.ToArray();
    }

    private static TrainableNetwork Create(int threads, ulong seed = 7, Optimizer? optimizer = null, string? kernels = null) => new(
        Spec, TestData.BlobData(Shape, 5, 600),
        new EngineOptions { BatchSize = 50, Threads = threads, MaxShift = 1, Seed = seed, Optimizer = optimizer ?? new Optimizer.Adam() },
        KernelSet.Supported.First(k => kernels is null || k.Name == kernels));
}
