using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp.Tests;

/// <summary>The whole way: a module of another library, compressed, saved, and put back.</summary>
public class CompressionTests(ITestOutputHelper output)
{
    private static readonly DataSet Data = TorchNetworkTests.Digits(3000, validation: 500);

    [Fact]
    public void A_network_that_AdmmKit_has_never_seen_is_compressed_within_its_budget()
    {
        using var module = new ResidualModule();
        using var network = new TorchNetwork(module, new ImageData(Data) { BatchSize = 32 });
        network.BeginPhase(new TrainingPhase("dense", 6 * network.StepsPerEpoch, new LearningRate.Cosine(4e-3)));
        network.Train(6 * network.StepsPerEpoch, null, default);
        Evaluation dense = network.Evaluate(DataSplit.Validation);
        Assert.InRange(dense.Accuracy, 0.85, 1);

        var lines = new List<string>();
        TorchCompression result = network.CompressWithin(2, Short, new Lines(lines.Add));

        string told = string.Join("\n", lines);
        output.WriteLine(told);
        Assert.Equal(dense, result.Steps.Dense.Validation);
        Assert.InRange(result.DropPoints, -100, 2);
        Assert.Equal(result.DropPoints, 100.0 * (dense.Correct - result.Validation.Correct) / dense.Count, 1e-9);
        Assert.True(result.Model.CompressionRatio > 2, told);
        Assert.Equal("quantized", result.Steps.Result.Name);
        Assert.True(result.Model.Size.TotalBytes < 4 * network.Spec.WeightCount / 8, told);
        // The module itself has these weights now, and does as is said.
        Assert.Equal(result.Validation, network.Evaluate(DataSplit.Validation));
        AssertSame(result.Model.Decode(), NetworkWeights.CopyFrom(network));

        // From the files into modules made anew, to the last bit.
        string folder = Directory.CreateTempSubdirectory("admmkit-torch-").FullName;
        try
        {
            string admm = Path.Combine(folder, "x.admm"), safetensors = Path.Combine(folder, "x.safetensors");
            result.Save(admm);
            result.SaveSafetensors(safetensors);
            foreach (string file in (string[])[admm, safetensors])
            {
                using var other = new ResidualModule(5);
                other.LoadCompressed(file);
                using var again = new TorchNetwork(other, Data);
                AssertSame(result.Model.Decode(), NetworkWeights.CopyFrom(again));
                Assert.Equal(result.Validation, again.Evaluate(DataSplit.Validation));
            }

            using var third = new ResidualModule(6);
            result.CopyTo(third);
            using var network3 = new TorchNetwork(third, Data);
            AssertSame(result.Model.Decode(), NetworkWeights.CopyFrom(network3));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void With_its_graph_given_a_modules_file_runs_in_the_engine()
    {
        using var module = new ResidualModule();
        using var network = new TorchNetwork(module, Data, new TorchOptions { Spec = ResidualModule.Graph });
        TorchCompression result = network.Compress(new Recipe
        {
            Pretrain = new() { Epochs = 2 },
            Prune =
            [
                new PruneRecipe
                {
                    TotalSurvivors = 5000,
                    Method = PruneMethods.Magnitude,
                    Retrain = new() { Epochs = 1 },
                    RemoveUnused = true,
                },
            ],
            Quantize = new() { ConvolutionBits = 6, FullyConnectedBits = 5, Admm = new() { Iterations = 2 } },
        });
        Assert.True(result.Model.Spec.HasGraph);
        var bytes = new MemoryStream();
        result.Model.Write(bytes);
        CompressedNetwork read = CompressedNetwork.Read(bytes.ToArray(), "x.admm");
        using var engine = new Network(read.Spec);
        engine.SetWeights(read.Decode());
        Evaluation ours = engine.Evaluate(Data.Test), theirs = network.Evaluate(DataSplit.Test);
        Assert.InRange(ours.Correct, theirs.Correct - 1, theirs.Correct + 1); // roundings
        Assert.Equal(theirs.Loss, ours.Loss, 1e-4);
        Assert.InRange(ScalarNetwork.CountCorrect(read, Data.Test), theirs.Correct - 1, theirs.Correct + 1);
    }

    [Fact]
    public void A_graph_that_is_not_the_modules_is_refused()
    {
        using var module = new ResidualModule();
        var other = NetworkSpec.Create("lenet5", NetworkSpec.Mnist, 10);
        Assert.Contains(
            "There is no layer 'conv1'", Error(() => new TorchNetwork(module, Data, new TorchOptions { Spec = other }).Dispose()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_recipe_runs_on_a_module()
    {
        using var module = new ResidualModule();
        using var network = new TorchNetwork(module, Data);
        TorchCompression result = network.Compress(new Recipe
        {
            Seed = 3,
            BatchSize = 50,
            MaxShift = 1,
            TrainingImages = 1000,
            Pretrain = new() { Epochs = 3 },
            Prune =
            [
                new PruneRecipe
                {
                    Name = "first",
                    KeepFraction = new Dictionary<string, double> { ["block.grouped"] = 0.5, ["classifier"] = 0.25 },
                    Admm = new() { Iterations = 2 },
                    Retrain = new() { Epochs = 1 },
                },
                new PruneRecipe { Name = "second", TotalSurvivors = 2000, Method = PruneMethods.Magnitude, Retrain = new() { Epochs = 1 } },
            ],
            Quantize = new() { ConvolutionBits = 4, FullyConnectedBits = 3, Admm = new() { Iterations = 2 }, BiasBits = 8 },
        });
        Assert.Equal(["dense", "first", "second", "quantized"], result.Steps.Stages.Select(s => s.Name));
        Assert.Equal([13128, 3876, 2000, 2000], result.Steps.Stages.Select(s => s.Model.Survivors));
        Assert.Equal([4, 4, 4, 4, 3], result.Model.Layers.Select(l => l.Bits));
        Assert.Equal(3 + 2 + 1 + 1 + 2 + 1, result.Steps.History.Count);
        Assert.Equal(47, network.StepsPerEpoch); // the network's own batches again
    }

    [Fact]
    public void A_budget_that_cannot_be_kept_is_an_error_and_not_a_result()
    {
        using var module = new ResidualModule();
        using var network = new TorchNetwork(module, Data);
        string message = Assert.Throws<AdmmKitException>(
            () => network.CompressWithin(0, Short with { MostStages = 0, Quantize = null })).Message;
        Assert.Contains("Nothing smaller than the dense network was found within 0 points", message, StringComparison.Ordinal);
        Assert.Contains("allow a larger drop", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_that_does_not_fit_a_file_is_told_and_left_as_it_is()
    {
        using var module = new LeNet5Module();
        using var network = new TorchNetwork(module, Data);
        CompressedNetwork model = CompressedNetwork.FromWeights(
            network.Spec, NetworkWeights.CopyFrom(network), new float[4], [32, 32, 32, 32]);
        using var residual = new ResidualModule();
        float[] before = TorchNetworkTests.Floats(residual.get_parameter("stem.weight")!);
        Assert.Contains("There is no layer 'conv1'", Error(() => model.CopyTo(residual)), StringComparison.Ordinal);
        using var larger = nn.Sequential(
            ("conv1", nn.Conv2d(1, 20, 5)), ("conv2", nn.Conv2d(20, 50, 5)), ("fc1", nn.Linear(800, 400)), ("fc2", nn.Linear(500, 10)));
        Assert.Contains("Layer 'fc1' of the module is 400x800, but 500x800 is given", Error(() => model.CopyTo(larger)), StringComparison.Ordinal);
        using var more = nn.Sequential(
            ("conv1", nn.Conv2d(1, 20, 5)), ("conv2", nn.Conv2d(20, 50, 5)), ("fc1", nn.Linear(800, 500)), ("fc2", nn.Linear(500, 10)),
            ("fc3", nn.Linear(10, 10)));
        Assert.Contains("has layers that 'lenet5-relu' has not: fc3", Error(() => model.CopyTo(more)), StringComparison.Ordinal);

        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".safetensors");
        try
        {
            new TorchCompression(new NetworkCompression([new CompressionStage("dense", model, new Evaluation(0, 1, 0))], [])).SaveSafetensors(file);
            Assert.Contains("There is no tensor 'stem.weight'", Error(() => residual.LoadCompressed(file)), StringComparison.Ordinal);
            Assert.Contains("'fc1.weight' is 500x800, but 400x800 in the module", Error(() => larger.LoadCompressed(file)), StringComparison.Ordinal);
            using var fewer = nn.Sequential(("conv1", nn.Conv2d(1, 20, 5)), ("conv2", nn.Conv2d(20, 50, 5)));
            Assert.Contains("There is no tensor 'fc1.weight'", Error(() => fewer.LoadCompressed(file)), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }

        Assert.Equal(before, TorchNetworkTests.Floats(residual.get_parameter("stem.weight")!));
    }

    private static BudgetOptions Short => new()
    {
        KeepFraction = 0.4,
        BackOffs = 1,
        MostStages = 3,
        Admm = new() { Iterations = 3, LearningRate = 2e-3, RhoGrowth = 2 },
        Retrain = new() { Epochs = 2, LearningRate = 2e-3 },
        Quantize = new() { Admm = new() { Iterations = 2, FinalLearningRate = 1e-5, RhoGrowth = 2 } },
        Bits = new() { MostBits = 5, FewestBits = 4 },
    };

    private static string Error(Action action) => Assert.ThrowsAny<AdmmKitException>(action).Message;

    private static void AssertSame(NetworkWeights expected, NetworkWeights actual)
    {
        Assert.Equal(expected.Weights, actual.Weights);
        Assert.Equal(expected.Biases, actual.Biases);
        Assert.Equal(expected.Normalizations, actual.Normalizations);
    }

    private sealed class Lines(Action<string> add) : IRunObserver
    {
        public void Progress(RunProgress progress)
        {
        }

        public void Point(RunProgress progress)
        {
        }

        public void Milestone(string text) => add(text);
    }
}
