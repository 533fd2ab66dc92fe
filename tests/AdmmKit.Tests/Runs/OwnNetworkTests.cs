using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Runs;

/// <summary>Compression of a network that the library has no name for.</summary>
public sealed class OwnNetworkTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly DataSet data = TestData.BlobData(NetworkSpec.Mnist, 10, 320);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_residual_network_of_a_file_is_pruned_quantized_stored_and_read_back()
    {
        string file = Write(Residual());
        Recipe recipe = Compress(file);
        var store = new RunStore(Path.Combine(folder.Path, "runs"));
        RunResult run = store.Execute(recipe, data);
        Assert.Equal("stranger", run.Spec.Name);
        Assert.Equal([72, 18, 64, 40], run.Quantized!.Model.Layers.Select(l => l.Survivors));

        string stored = Path.Combine(folder.Path, "small.admm");
        run.Quantized.Model.Save(stored);
        var read = StoredModel.Load(stored);
        Assert.Equal(NetworkJson.Write(Residual()), NetworkJson.Write(read.Spec));
        Assert.Equal(run.Quantized.Test.Correct, ScalarNetwork.CountCorrect(read.Compress(), data.Test));
        // Taken from the folder the second time.
        Assert.Equal(run.Quantized.Test, store.Execute(recipe, data).Quantized!.Test);
    }

    [Fact]
    public void The_file_must_be_there_and_fit_the_data()
    {
        string file = Write(Residual());
        Refused(Compress(file) with { Pretrained = null }, data, "name one with pretrained");
        Refused(Compress(file), TestData.BlobData(new ImageShape(1, 20, 20), 10, 64), "1x28x28", "1x20x20");
        Refused(Compress(file), TestData.BlobData(NetworkSpec.Mnist, 4, 64), "10 classes", "in 4");
        Refused(Compress(file) with { Prune = [new() { KeepFraction = new Dictionary<string, double> { ["depth"] = 0.5 } }] }, data, "Did you mean 'depthwise'?");
    }

    private static void Refused(Recipe recipe, DataSet data, params string[] parts)
    {
        var e = Assert.Throws<AdmmKitException>(() => new CompressionRun(recipe, data));
        Assert.All(parts, p => Assert.Contains(p, e.Message, StringComparison.Ordinal));
    }

    private static Recipe Compress(string file) => new()
    {
        Architecture = RecipeNetwork.OfFile,
        Pretrained = file,
        BatchSize = 32,
        Prune =
        [
            new()
            {
                Survivors = new Dictionary<string, int> { ["depthwise"] = 18, ["grouped"] = 64, ["fc"] = 40 },
                Admm = new() { Iterations = 2, RhoGrowth = 5 },
                Retrain = new() { Epochs = 1 },
            },
        ],
        Quantize = new() { Admm = new() { Iterations = 1 }, Biases = null },
    };

    private string Write(NetworkSpec spec)
    {
        using var network = new TrainableNetwork(spec, data, new EngineOptions { Seed = 5 });
        NetworkTensors tensors = NetworkTensors.Of(spec, NetworkWeights.CopyFrom(network));
        string file = Path.Combine(folder.Path, "stranger.safetensors");
        SafetensorsFile.Write(file, tensors.Tensors, tensors.Metadata);
        return file;
    }

    /// <summary>Residual, depthwise and grouped convolutions, and batch normalizations, as no named network has them.</summary>
    internal static NetworkSpec Residual()
    {
        var net = new NetworkBuilder("stranger", NetworkSpec.Mnist);
        net.Add(new Node.Convolution("stem", 8, 3, 2, 1, Biased: false));
        net.Add(new Node.BatchNorm("bn1"));
        int before = net.Add(new Node.Relu());
        net.Add(new Node.Convolution("depthwise", 8, 3, 1, 1, Groups: 8, Biased: false));
        net.Add(new Node.BatchNorm("bn2"));
        net.Add(new Node.Relu());
        int body = net.Add(new Node.Convolution("grouped", 8, 3, 1, 1, Groups: 2));
        net.Add(new Node.Add(), body, before);
        net.Add(new Node.Relu());
        net.Add(new Node.MaxPool(2));
        net.Add(new Node.GlobalAveragePool());
        net.Add(new Node.FullyConnected("fc", 10));
        return net.Build();
    }
}
