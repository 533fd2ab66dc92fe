using AdmmKit.Engine;
using AdmmKit.Engine.Kernels;
using AdmmKit.Engine.Layers;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

/// <summary>Masked training with survivors only against the same training on dense arrays.</summary>
public class SparseTrainingTests
{
    private static readonly ImageShape Shape = new(2, 16, 16);

    // Average pooling, because max pooling may choose another of two inputs that differ in their last bit only.
    private static readonly NetworkSpec Spec = new("test", Shape,
        [new Node.Convolution("conv1", 8, 5), new Node.AveragePool(2), new Node.Relu(), new Node.Convolution("conv2", 11, 3), new Node.FullyConnected("fc1", 30), new Node.Relu(), new Node.Dropout(0.2), new Node.FullyConnected("fc2", 5)]);

    private static readonly TrainingPhase Phase = new("test", 200, new LearningRate.Cosine(2e-3));

    private static readonly Dictionary<string, Optimizer> Optimizers = new()
    {
        ["Adam"] = new Optimizer.Adam(),
        ["Adam with decay"] = new Optimizer.Adam { Decay = 1e-3f },
        ["SGD with decay"] = new Optimizer.Sgd { Decay = 1e-3f },
    };

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (string optimizer in Optimizers.Keys)
        {
            foreach (KernelSet kernels in KernelSet.Supported)
            {
                cases.Add(optimizer, kernels.Name);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Sparse_and_dense_training_agree(string optimizer, string kernels)
    {
        NetworkWeights Trained(bool sparse)
        {
            using TrainableNetwork network = Create(sparse, 2, kernels, Optimizers[optimizer]);
            // Masks and penalties come, change and go while the moments are warm; weights are read and set in between.
            network.BeginPhase(Phase);
            network.Train(3, null, CancellationToken.None);
            Mask(network, 0.15);
            network.SetPenalty(0, new Penalty.L1(1e-3f));
            network.SetPenalty(2, new Penalty.Quadratic(0.05f, Numbers(Spec.Layers[2].WeightCount, "target")));
            network.Train(4, null, CancellationToken.None);
            NetworkWeights between = NetworkWeights.CopyFrom(network);
            network.SetFrozen(1, [.. between.Weights[1].Select((_, i) => i % 3 == 0)]);
            network.SetWeights(2, [.. between.Weights[2].Select(w => 0.9f * w)]);
            network.SetPenalty(2, new Penalty.Quadratic(0.02f, Numbers(Spec.Layers[2].WeightCount, "another target")));
            network.Train(4, null, CancellationToken.None);
            network.SetMask(0, []);
            network.SetFrozen(1, []);
            network.Train(3, null, CancellationToken.None);
            Assert.Equal(sparse, network.Network.Parameters[1].Sparse is not null);
            Assert.Null(network.Network.Parameters[0].Sparse);
            return NetworkWeights.CopyFrom(network);
        }

        AssertClose(Trained(sparse: false), Trained(sparse: true));
    }

    [Theory]
    [InlineData("no survivors in the first layer")]
    [InlineData("no survivors in a convolution")]
    [InlineData("no survivors in a fully connected layer")]
    [InlineData("no survivors in the last layer")]
    [InlineData("filters and neurons without survivors")]
    [InlineData("channels and neurons that nobody reads")]
    [InlineData("one full row")]
    [InlineData("one survivor")]
    [InlineData("all survive")]
    public void Extreme_masks_train_as_dense_ones(string mask)
    {
        NetworkWeights Trained(bool sparse)
        {
            using TrainableNetwork network = Create(sparse, 2, optimizer: new Optimizer.Adam { Decay = 1e-3f });
            network.BeginPhase(Phase);
            network.Train(2, null, CancellationToken.None);
            for (int layer = 0; layer < Spec.Layers.Count; layer++)
            {
                int at = layer;
                network.SetMask(layer, [.. Keep(layer, 0.3).Select((keep, i) => Kept(mask, at, i, keep))]);
            }

            network.Train(8, null, CancellationToken.None);
            Assert.Equal(sparse, network.Network.Parameters[3].Sparse is not null);
            double loss = network.Evaluate(DataSplit.Validation).Loss;
            NetworkWeights weights = NetworkWeights.CopyFrom(network);
            network.SetMask(2, []);
            Assert.Equal(loss, network.Evaluate(DataSplit.Validation).Loss, 1e-5);
            return weights;
        }

        AssertClose(Trained(sparse: false), Trained(sparse: true));
    }

    [Theory]
    [InlineData(new[] { true, false, true, false })]
    [InlineData(new[] { false, true, false, true })]
    [InlineData(new[] { false, false, true, true })]
    public void Sparse_and_dense_layers_mix(bool[] sparseLayers)
    {
        NetworkWeights Trained(bool sparse)
        {
            using TrainableNetwork network = Create(sparse: false, 1);
            network.BeginPhase(Phase);
            for (int layer = 0; layer < sparseLayers.Length; layer++)
            {
                network.Network.Parameters[layer].SparseBelow = sparse && sparseLayers[layer] ? 2 : 0;
            }

            // So few survivors that neurons and channels die, also those that a dense layer computes.
            network.Train(3, null, CancellationToken.None);
            Mask(network, 0.03);
            network.Train(8, null, CancellationToken.None);
            Assert.Equal(sparse ? sparseLayers : new bool[4], network.Network.Parameters.Select(p => p.Sparse is not null));
            return NetworkWeights.CopyFrom(network);
        }

        AssertClose(Trained(sparse: false), Trained(sparse: true));
    }

    public static TheoryData<string> KernelNames() => [.. KernelSet.Supported.Select(k => k.Name)];

    [Theory]
    [MemberData(nameof(KernelNames))]
    public void One_two_and_five_threads_give_the_same_bits(string kernels)
    {
        byte[] StateWith(int threads)
        {
            using TrainableNetwork network = Create(sparse: true, threads, kernels);
            Mask(network, 0.1);
            network.BeginPhase(Phase);
            network.Train(20, null, CancellationToken.None);
            return State(network);
        }

        byte[] one = StateWith(1);
        Assert.Equal(one, StateWith(2));
        Assert.Equal(one, StateWith(5));
    }

    [Fact]
    public void A_resumed_run_ends_with_the_same_bits()
    {
        using TrainableNetwork whole = Create(sparse: true, 2);
        whole.SetPenalty(2, new Penalty.Quadratic(0.01f, Numbers(Spec.Layers[2].WeightCount, "target")));
        whole.SetPenalty(1, new Penalty.L1(1e-3f));
        Mask(whole, 0.1);
        whole.SetFrozen(3, [.. Keep(3, 0.5)]);
        whole.BeginPhase(Phase);
        whole.Train(17, null, CancellationToken.None);
        byte[] middle = State(whole);
        whole.Train(13, null, CancellationToken.None);

        // The one that goes on has other masks and moments when it loads.
        using TrainableNetwork resumed = Create(sparse: true, 1);
        Mask(resumed, 0.3);
        resumed.BeginPhase(Phase);
        resumed.Train(2, null, CancellationToken.None);
        resumed.LoadState(new MemoryStream(middle));
        Assert.Equal(middle, State(resumed));
        resumed.Train(13, null, CancellationToken.None);
        Assert.Equal(State(whole), State(resumed));
    }

    [Fact]
    public void A_state_that_breaks_off_leaves_a_network_that_trains()
    {
        using TrainableNetwork network = Create(sparse: true, 1);
        Mask(network, 0.1);
        network.BeginPhase(Phase);
        byte[] state = State(network);
        for (int length = 0; length < state.Length; length += state.Length / 7)
        {
            Assert.Throws<BadFileException>(() => network.LoadState(new MemoryStream(state, 0, length)));
            network.BeginPhase(Phase);
            Assert.True(double.IsFinite(network.Train(2, null, CancellationToken.None)));
        }
    }

    [Fact]
    public void A_layer_runs_sparse_below_its_threshold_and_dense_at_it()
    {
        using TrainableNetwork network = Create(sparse: true, 1);
        Parameters parameters = network.Network.Parameters[2];
        parameters.SparseBelow = 0.25;
        bool[] keep = [.. Enumerable.Range(0, Spec.Layers[2].WeightCount).Select(i => i % 4 == 0)];
        network.SetMask(2, keep);
        Assert.Null(parameters.Sparse);
        keep[0] = false;
        network.SetMask(2, keep);
        Assert.Equal((keep.Length / 4) - 1, parameters.Sparse?.Count);
        network.SetMask(2, []);
        Assert.Null(parameters.Sparse);
    }

    [Fact]
    public void The_masks_of_the_paper_run_sparse_and_others_dense()
    {
        using var network = new TrainableNetwork(NetworkSpec.LeNet5(NetworkSpec.Mnist, 10), TestData.BlobData(NetworkSpec.Mnist, 10, 10), new EngineOptions());
        double[] kept = [0.2, 0.08, 0.0065, 0.072];
        for (int layer = 0; layer < kept.Length; layer++)
        {
            int count = network.Layers[layer].WeightCount;
            network.SetMask(layer, [.. Enumerable.Range(0, count).Select(i => i < kept[layer] * count)]);
            Assert.NotNull(network.Network.Parameters[layer].Sparse);
            network.SetMask(layer, [.. Enumerable.Range(0, count).Select(i => i != 7)]);
            Assert.Null(network.Network.Parameters[layer].Sparse);
        }
    }

    [Fact]
    public void A_new_phase_forgets_the_moments_of_survivors()
    {
        using TrainableNetwork network = Create(sparse: true, 1);
        Mask(network, 0.2);
        NetworkWeights start = NetworkWeights.CopyFrom(network);
        byte[] First()
        {
            network.BeginPhase(Phase);
            for (int layer = 0; layer < Spec.Layers.Count; layer++)
            {
                network.SetWeights(layer, start.Weights[layer]);
                network.SetBiases(layer, start.Biases[layer]);
            }

            network.Train(3, null, CancellationToken.None);
            return State(network);
        }

        Assert.Equal(First(), First());
    }

    /// <summary>
    /// The two paths sum in different orders, so the last bits of gradients differ; after some ten steps the weights, of
    /// about 0.1, differ by 6e-8 at most. A gradient that is wrong moves a weight by about the learning rate, 2e-3, a step.
    /// </summary>
    private static void AssertClose(NetworkWeights dense, NetworkWeights sparse)
    {
        const float Tolerance = 1e-6f;
        for (int layer = 0; layer < dense.Weights.Count; layer++)
        {
            Assert.All(dense.Weights[layer].Zip(sparse.Weights[layer]), w => Assert.Equal(w.First, w.Second, Tolerance));
            Assert.All(dense.Biases[layer].Zip(sparse.Biases[layer]), w => Assert.Equal(w.First, w.Second, Tolerance));
            Assert.Equal(dense.Weights[layer].Select(w => w == 0), sparse.Weights[layer].Select(w => w == 0));
        }
    }

    private static bool Kept(string mask, int layer, int i, bool drawn)
    {
        int columns = Spec.Layers[layer].Columns;
        (int row, int column) = (i / columns, i % columns);
        return mask switch
        {
            "no survivors in the first layer" => layer != 0 && drawn,
            "no survivors in a convolution" => layer != 1 && drawn,
            "no survivors in a fully connected layer" => layer != 2 && drawn,
            "no survivors in the last layer" => layer != 3 && drawn,
            "filters and neurons without survivors" => row % 2 == 1 && drawn,
            "channels and neurons that nobody reads" => column * 3 / columns != 1 && drawn,
            "one full row" => row == 1,
            "one survivor" => i == columns + 2,
            "all survive" => true,
            _ => throw new ArgumentOutOfRangeException(nameof(mask)),
        };
    }

    private static void Mask(TrainableNetwork network, double keepFraction)
    {
        for (int layer = 0; layer < Spec.Layers.Count; layer++)
        {
            network.SetMask(layer, [.. Keep(layer, keepFraction)]);
        }
    }

    private static IEnumerable<bool> Keep(int layer, double keepFraction)
    {
        var random = new RandomStream(5, "mask", layer);
        return Enumerable.Range(0, Spec.Layers[layer].WeightCount).Select(_ => random.NextDouble(0, 1) < keepFraction).ToArray();
    }

    private static float[] Numbers(int count, string name)
    {
        var random = new RandomStream(5, name);
        return [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble(-0.2, 0.2))];
    }

    private static byte[] State(TrainableNetwork network)
    {
        var stream = new MemoryStream();
        network.SaveState(stream);
        return stream.ToArray();
    }

    private static TrainableNetwork Create(bool sparse, int threads, string? kernels = null, Optimizer? optimizer = null)
    {
        // 150 images in batches of 70: two full blocks and part of a third, then ten images in part of one.
        var network = new TrainableNetwork(
            Spec, TestData.BlobData(Shape, 5, 150),
            new EngineOptions { BatchSize = 70, Threads = threads, MaxShift = 1, Seed = 7, Optimizer = optimizer ?? new Optimizer.Adam() },
            KernelSet.Supported.First(k => kernels is null || k.Name == kernels));
        foreach (Parameters parameters in network.Network.Parameters)
        {
            parameters.SparseBelow = sparse ? 2 : 0;
        }

        return network;
    }
}
