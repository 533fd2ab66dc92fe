using System.Globalization;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Storage;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Engine;
using AdmmKit.Tests.Interop;
using AdmmKit.Tests.Runs;
using AdmmKit.Training;

namespace AdmmKit.Tests.Experiments;

/// <summary>The tool on a network that the library has no name for, with residual, depthwise and grouped convolutions and batch normalizations.</summary>
[Collection(nameof(CommandLineTests))]
public sealed class CompressModelTests : IClassFixture<CompressModelTests.Stranger>, IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Stranger stranger;

    public CompressModelTests(Stranger stranger) => this.stranger = stranger;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_network_of_ones_own_is_compressed_within_a_budget_and_evaluated()
    {
        string small = At("small.safetensors");
        string output = Succeeds(
            "compress", stranger.File, "--max-drop", "20", "--objective", "bytes", "--epochs", "15", "--iterations", "8",
            "--data", stranger.Images, "--threads", "1", "--out", small, "--results", At("kept"));
        VerificationReport report = ResultsVerifier.Verify(At("kept"), _ => null);
        Assert.All(report.Problems, p => Assert.Contains("dirty", p, StringComparison.Ordinal));
        Assert.Contains(ResultRows.Read(Path.Combine(At("kept"), "rows.csv")), r => r.Quantity == "top1" && r.Row.StartsWith("stranger, quantized", StringComparison.Ordinal));
        Assert.Contains("Promise kept: ", output, StringComparison.Ordinal);
        Assert.Contains("of 20 points lost on 5000 validation images", output, StringComparison.Ordinal);
        Assert.Contains("'" + stranger.File + "' " + new FileInfo(stranger.File).Length.ToString("#,0", CultureInfo.InvariantCulture) + " B", output, StringComparison.Ordinal);
        string[] rows = File.ReadAllLines(At("small.layers.csv"));
        Assert.Equal("layer,shape,weights,before,survivors,keepFraction,bits,bytes before,bytes,MACs before,MACs", rows[0]);
        Assert.Equal(["stem", "depthwise", "grouped", "fc", "other", "total"], rows.Skip(1).Select(r => r.Split(',')[0]));

        // The written file is a network of its own, and evaluates as the tool said.
        var read = StoredModel.Load(small);
        Assert.True(read.Survivors < 0.9 * read.Spec.WeightCount);
        Assert.Equal(NetworkJson.Write(stranger.Spec), NetworkJson.Write(read.Spec));
        string evaluated = Succeeds("evaluate", small, "--data", stranger.Images, "--threads", "1");
        string correct = evaluated.Split("validation: ")[1].Split(" of 5000")[0];
        Assert.True(int.Parse(correct, CultureInfo.InvariantCulture) >= stranger.Correct - 1000, evaluated);
        Assert.NotNull(Manifest.Load(At("small.manifest.json")));
    }

    [Fact]
    public void Flags_and_recipes_name_the_layers_of_the_file()
    {
        string recipe = At("recipe.json");
        File.WriteAllText(recipe, """
            {
              "$schema": "../docs/recipe.schema.json",
              "prune": [ { "survivors": { "grouped": 64 }, "keepFraction": { "fc": 0.5 }, "admm": { "iterations": 1, "rhoGrowth": 2 }, "retrain": { "epochs": 1 } } ]
            }
            """);
        string output = Succeeds("compress", stranger.File, "--recipe", recipe, "--data", stranger.Images, "--threads", "1", "--out", At("one.admm"));
        Assert.Contains("test images: dense ", output, StringComparison.Ordinal);
        Assert.Equal([72, 72, 64, 40], CompressedNetwork.Load(At("one.admm")).Layers.Select(l => l.Survivors));

        output = Succeeds(
            "compress", stranger.File, "--survivors", "depthwise=18", "--keep-fraction", "0.5", "--conv-bits", "4", "--epochs", "1", "--iterations", "1",
            "--data", stranger.Images, "--threads", "1", "--out", At("two.admm"));
        Assert.Equal([(36, 4), (18, 4), (144, 4), (40, 2)], CompressedNetwork.Load(At("two.admm")).Layers.Select(l => (l.Survivors, l.Bits)));

        // A layer's own share counts before that for all, wherever it stands.
        string printed = Succeeds("compress", stranger.File, "--keep-fraction", "fc=0.5", "--keep-fraction", "0.1", "--print-recipe");
        Assert.Equal([0.1, 0.1, 0.1, 0.5], stranger.Spec.Layers.Select(l => RecipeJson.Parse(printed, "printed").Prune[0].KeepFraction[l.Name]));
        Fails("Did you mean 'fc'?", "compress", stranger.File, "--keep-fraction", "fcc=0.5", "--print-recipe");

        Fails("Did you mean 'depthwise'?", "compress", stranger.File, "--survivors", "depthwize=5", "--data", stranger.Images, "--out", At("x.admm"));
        Fails("Did you mean 'safetensors'?", "compress", stranger.File, "--keep-fraction", "0.5", "--data", stranger.Images, "--out", At("x.safetensor"));
        Fails("is the file that is compressed", "compress", stranger.File, "--keep-fraction", "0.5", "--data", stranger.Images, "--out", stranger.File);
        File.WriteAllText(recipe, """{ "architecture": "pretrained", "pretrained": "other.safetensors", "prune": [ { "keepFraction": { "fc": 0.5 } } ] }""");
        Fails("begins with the network in 'other.safetensors'", "compress", stranger.File, "--recipe", recipe, "--data", stranger.Images, "--out", At("x.admm"));
        File.WriteAllText(recipe, """{ "architecture": "lenet5", "prune": [ { "keepFraction": { "conv1": 0.5 } } ] }""");
        Fails("the recipe and the data ask for a lenet5", "compress", stranger.File, "--recipe", recipe, "--data", stranger.Images, "--out", At("x.admm"));
    }

    [Fact]
    public void An_onnx_file_becomes_a_smaller_one()
    {
        (string before, string after) = Onnx();
        var read = StoredModel.Load(after);
        Assert.Equal([72, 18, 64, 40], read.Decode().Weights.Select(w => NetworkWeights.CountNonZero(w)));
        Assert.Equal(OnnxEnding.Softmax, read.Ending);
        Assert.True(new FileInfo(after).Length < new FileInfo(before).Length);
        Assert.Contains(
            FormattableString.Invariant($"{ScalarNetwork.CountCorrect(read.Compress(), stranger.Data.Test)} of 500 images correct"),
            Succeeds("evaluate", after, "--data", stranger.Images, "--threads", "1"), StringComparison.Ordinal);
    }

    [OnnxRuntimeFact]
    public void Onnxruntime_runs_what_was_compressed_of_an_onnx_file()
    {
        (_, string after) = Onnx();
        ImageSet test = stranger.Data.Test;
        float[][] scores = Assert.Single(OnnxRuntime.Run([(after, test)]));
        int correct = scores.Zip(test.Labels.ToArray()).Count(p => p.First.Index().MaxBy(s => s.Item).Index == p.Second);
        Assert.InRange(correct, ScalarNetwork.CountCorrect(StoredModel.Load(after).Compress(), test) - 1, test.Count);
    }

    [Fact]
    public void Images_that_do_not_fit_and_layers_without_a_graph_are_told()
    {
        using var others = new TemporaryFolder();
        Stranger.WriteImages(others, new ImageShape(1, 10, 10), 20);
        string[] parts = ["1x28x28", "1x10x10", "--data"];
        Assert.All(parts, p => Fails(p, "compress", stranger.File, "--keep-fraction", "0.5", "--data", others.Path, "--out", At("x.admm")));
        Assert.All(parts, p => Fails(p, "evaluate", stranger.File, "--data", others.Path));
        Assert.All(parts, p => Fails(p, "scan", stranger.File, "--data", others.Path, "--out", At("scan")));

        var loose = NetworkSpec.OfLayers("loose", NetworkSpec.Mnist, stranger.Spec.Layers, stranger.Spec.Normalizations);
        string file = At("loose.safetensors");
        var tensors = NetworkTensors.Of(loose, stranger.Weights);
        SafetensorsFile.Write(file, tensors.Tensors, tensors.Metadata);
        Fails("not how they are connected", "compress", file, "--keep-fraction", "0.5", "--dry-run");
        Fails("not how they are connected", "evaluate", file, "--data", stranger.Images);
    }

    [Fact]
    public void The_networks_input_says_which_images_of_a_folder()
    {
        var colour = new NetworkSpec("colour", NetworkSpec.Cifar, [new Node.GlobalAveragePool(), new Node.FullyConnected("fc", 10)]);
        string file = At("colour.safetensors");
        var tensors = NetworkTensors.Of(colour, new([new float[30]], [new float[10]]));
        SafetensorsFile.Write(file, tensors.Tensors, tensors.Metadata);
        Fails("are 1x28x28", "evaluate", file, "--data", stranger.Images);
        // Both are there now, of CIFAR-10 one file of six.
        Stranger.WriteImages(folder, NetworkSpec.Mnist, 20);
        folder.Write("data_batch_1.bin", new byte[3073]);
        Fails("which CIFAR-10 needs", "evaluate", file, "--data", folder.Path);
        Fails("are 1x28x28", "evaluate", file, "--data", folder.Path, "--data-set", "mnist");
        Succeeds("evaluate", stranger.File, "--data", folder.Path, "--threads", "1");
    }

    [Fact]
    public void A_file_that_does_not_say_what_it_is_is_explained_by_flags()
    {
        var lenet = NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10);
        using var network = new TrainableNetwork(lenet, stranger.Data, new EngineOptions { Threads = 1 });
        var tensors = NetworkTensors.Of(lenet, NetworkWeights.CopyFrom(network));
        string file = At("unnamed.safetensors");
        SafetensorsFile.Write(file, tensors.Tensors, new Dictionary<string, string>());
        Fails("--architecture", "compress", file, "--keep-fraction", "0.5", "--dry-run");
        string[] compress =
        [
            "compress", file, "--architecture", "lenet-300-100", "--keep-fraction", "fc1=0.05", "--epochs", "1", "--iterations", "1",
            "--data", stranger.Images, "--threads", "1", "--out", At("small.admm"),
        ];
        Succeeds(compress);
        Assert.Equal(11_760, CompressedNetwork.Load(At("small.admm")).Layers[0].Survivors);
        Assert.Contains("done already", Succeeds(compress), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_predicts_the_size_of_the_real_one()
    {
        string[] flags = [stranger.File, "--keep-fraction", "0.5", "--survivors", "grouped=100", "--epochs", "1", "--iterations", "2"];
        string dry = Succeeds(["compress", .. flags, "--dry-run"]);
        Assert.Contains("prediction", dry, StringComparison.Ordinal);
        Assert.Contains("warning: stem, depthwise, fc: above break-even", dry, StringComparison.Ordinal);
        double predicted = double.Parse(dry.Split("file of about ")[1].Split(" B")[0], NumberStyles.Number, CultureInfo.InvariantCulture);
        Succeeds(["compress", .. flags, "--data", stranger.Images, "--threads", "1", "--out", At("real.admm")]);
        // Small layers: the most that structure and unequal levels have taken off is a seventh.
        Assert.InRange(new FileInfo(At("real.admm")).Length, 0.8 * predicted, 1.05 * predicted);
        Assert.Equal(["runs"], Directory.GetDirectories(folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public void A_scan_is_kept_point_by_point_and_drawn()
    {
        string[] scan = ["scan", stranger.File, "--data", stranger.Images, "--threads", "1", "--out", At("scan"), "--keep-fraction", "0.5", "0.25"];
        string output = Succeeds(scan);
        Assert.Contains("13 points evaluated now", output, StringComparison.Ordinal);
        string[] rows = File.ReadAllLines(At("scan/scan.csv"));
        Assert.Equal(1 + (4 * 4), rows.Length);
        Assert.Contains("<path", File.ReadAllText(At("scan/scan.svg")), StringComparison.Ordinal);
        Assert.Contains("grouped", File.ReadAllText(At("scan/scan.plotly.json")), StringComparison.Ordinal);
        Assert.Contains(" 0 points evaluated now", Succeeds(scan), StringComparison.Ordinal);
        Assert.Contains(" 4 points evaluated now", Succeeds([.. scan, "0.1"]), StringComparison.Ordinal);
        Assert.All(rows, r => Assert.Contains(r, File.ReadAllLines(At("scan/scan.csv"))));
        Fails("1.5", [.. scan, "1.5"]);
    }

    private (string Before, string After) Onnx()
    {
        (string before, string after) = (At("net.onnx"), At("small.onnx"));
        OnnxFile.Write(before, stranger.Spec, stranger.Weights, new OnnxExport { Ending = OnnxEnding.Softmax });
        Succeeds(
            "compress", before, "--survivors", "depthwise=18", "--survivors", "grouped=64", "--survivors", "fc=40", "--epochs", "2", "--iterations", "2",
            "--data", stranger.Images, "--threads", "1", "--out", after);
        return (before, after);
    }

    private string At(string name) => Path.Combine(folder.Path, name);

    private static string Succeeds(params string[] arguments)
    {
        (int code, string output, string error) = CommandLineTests.Run(arguments);
        Assert.True(code == 0, error + output);
        return output;
    }

    private static void Fails(string message, params string[] arguments)
    {
        (int code, _, string error) = CommandLineTests.Run(arguments);
        Assert.Equal(1, code);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    /// <summary>The trained network in a file, and images in a folder.</summary>
    public sealed class Stranger : IDisposable
    {
        private readonly TemporaryFolder folder = new();

        public Stranger()
        {
            WriteDigits(2_000);
            Data = DataSource.Open(new DataRequest { Directory = folder.Path });
            using var network = new TrainableNetwork(Spec, Data, new EngineOptions { Seed = 5, Threads = 1, BatchSize = 32 });
            TrainedNetwork trained = new CompressionPipeline(network).Pretrain(
                new TrainingPhase("train", 40 * network.StepsPerEpoch, new LearningRate.Cosine(4e-3)));
            (Weights, Correct) = (trained.Weights, trained.Validation.Correct);
            // What is near chance would bear any compression.
            Assert.True(trained.Validation.Accuracy > 0.5, $"{trained.Validation}");
            var tensors = NetworkTensors.Of(Spec, Weights);
            SafetensorsFile.Write(File, tensors.Tensors, tensors.Metadata);
        }

        public NetworkSpec Spec { get; } = OwnNetworkTests.Residual();

        public string Images => folder.Path;

        public string File => Path.Combine(folder.Path, "stranger.safetensors");

        public DataSet Data { get; }

        public NetworkWeights Weights { get; }

        public int Correct { get; }

        public void Dispose() => folder.Dispose();

        private void WriteDigits(int training)
        {
            DataSet digits = SyntheticDigits.Create(1, training + 5_000, 500);
            foreach ((string name, ImageSet[] parts) in new[] { ("train", new[] { digits.Training, digits.Validation }), ("t10k", [digits.Test]) })
            {
                int count = parts.Sum(p => p.Count);
                folder.Write($"{name}-images-idx3-ubyte", TemporaryFolder.Idx([.. parts.SelectMany(p => p.Pixels.ToArray())], count, 28, 28));
                folder.Write($"{name}-labels-idx1-ubyte", TemporaryFolder.Idx([.. parts.SelectMany(p => p.Labels.ToArray())], count));
            }
        }

        /// <summary>Writes images to train with, and the 5,000 that are held out of them.</summary>
        internal static void WriteImages(TemporaryFolder folder, ImageShape shape, int training)
        {
            foreach ((string name, int count, ulong seed) in new[] { ("train", training + 5_000, 1UL), ("t10k", 100, 2UL) })
            {
                ImageSet blobs = TestData.Blobs(shape, 10, count, seed);
                folder.Write($"{name}-images-idx3-ubyte", TemporaryFolder.Idx(blobs.Pixels.ToArray(), count, shape.Height, shape.Width));
                folder.Write($"{name}-labels-idx1-ubyte", TemporaryFolder.Idx(blobs.Labels.ToArray(), count));
            }
        }
    }
}
