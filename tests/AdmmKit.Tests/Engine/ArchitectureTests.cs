using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

/// <summary>The networks of the library at work: every step of their graphs, on small images and with fewer channels.</summary>
public class ArchitectureTests
{
    private const int Classes = 10;
    private static readonly TrainingPhase Phase = new("test", 20, new LearningRate.Constant(1e-3));

    public static TheoryData<string, int, int> Architectures() => new()
    {
        // Name, rows and columns of the images, and what the channels are divided by.
        { "alexnet", 67, 8 },
        { "caffenet", 67, 8 },
        { "vgg16", 32, 8 },
        { "vgg-small", 32, 8 },
        { "resnet20", 16, 2 },
        { "resnet50", 32, 8 },
    };

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Every_layer_trains_to_the_same_bits_on_any_number_of_threads(string architecture, int size, int divisor)
    {
        NetworkSpec spec = Narrow(NetworkSpec.Create(architecture, new(3, size, size), Classes), divisor);
        DataSet data = Data(spec.Input);
        byte[] StateWith(int threads)
        {
            using TrainableNetwork network = Create(spec, data, threads);
            NetworkWeights before = NetworkWeights.CopyFrom(network);
            network.BeginPhase(Phase);
            // Before the first update a network guesses.
            Assert.Equal(Math.Log(Classes), network.Train(1, null, CancellationToken.None), 1.0);
            network.Train(1, null, CancellationToken.None);
            NetworkWeights after = NetworkWeights.CopyFrom(network);
            for (int layer = 0; layer < spec.Layers.Count; layer++)
            {
                Assert.NotEqual(before.Weights[layer], after.Weights[layer]);
                Assert.DoesNotContain(after.Weights[layer], w => !float.IsFinite(w));
            }

            return State(network);
        }

        byte[] one = StateWith(1);
        Assert.Equal(one, StateWith(2));
        Assert.Equal(one, StateWith(5));
    }

    [Theory]
    [InlineData("vgg-small", 16, 8)]
    [InlineData("resnet20", 16, 2)]
    [InlineData("resnet50", 32, 8)]
    public void With_batch_normalization_a_resumed_run_ends_with_the_same_bits(string architecture, int size, int divisor)
    {
        NetworkSpec spec = Narrow(NetworkSpec.Create(architecture, new(3, size, size), Classes), divisor);
        DataSet data = Data(spec.Input);
        using TrainableNetwork whole = Create(spec, data, threads: 2);
        whole.BeginPhase(Phase);
        whole.Train(3, null, CancellationToken.None);
        byte[] middle = State(whole);
        whole.Train(2, null, CancellationToken.None);

        using TrainableNetwork resumed = Create(spec, data, threads: 1);
        resumed.BeginPhase(Phase);
        resumed.LoadState(new MemoryStream(middle));
        Assert.Equal(middle, State(resumed));
        resumed.Train(2, null, CancellationToken.None);
        Assert.Equal(State(whole), State(resumed));
        Assert.Equal(whole.Evaluate(DataSplit.Test), resumed.Evaluate(DataSplit.Test));
    }

    [Fact]
    public void Pixels_are_standardized_only_at_the_start()
    {
        var late = new NetworkSpec(
            "test", new(1, 4, 4), [new Node.Relu(), new Node.Standardize([0.5f], [0.5f]), new Node.FullyConnected("f", 2)]);
        var e = Assert.Throws<AdmmKitException>(() => new Network(late));
        Assert.Contains("first step", e.Message, StringComparison.Ordinal);
    }

    /// <summary>The same graph with fewer channels, which is what most of the time goes to.</summary>
    private static NetworkSpec Narrow(NetworkSpec spec, int divisor) => new(spec.Name, spec.Input,
        [.. spec.Nodes.Select((node, i) => node switch
        {
            Node.Convolution c => c with { Filters = c.Filters / divisor },
            Node.Shortcut s => s with { Filters = s.Filters / divisor },
            Node.FullyConnected f when i < spec.Nodes.Count - 1 => f with { Outputs = f.Outputs / divisor },
            _ => node,
        })],
        spec.Inputs);

    private static DataSet Data(ImageShape shape)
    {
        // Batches of 40: one full block of images and part of another.
        ImageSet images = TestData.Blobs(shape, Classes, 80, 4);
        return new DataSet("blobs", "drawn by the test", images, images, images, new Dictionary<string, string>());
    }

    private static TrainableNetwork Create(NetworkSpec spec, DataSet data, int threads) =>
        new(spec, data, new EngineOptions { BatchSize = 40, Threads = threads, MaxShift = 1, Flip = true });

    private static byte[] State(TrainableNetwork network)
    {
        var stream = new MemoryStream();
        network.SaveState(stream);
        return stream.ToArray();
    }
}
