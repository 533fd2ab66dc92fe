using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Tables;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Engine;

namespace AdmmKit.Tests.Experiments;

public sealed class RunTests : IDisposable
{
    private static readonly Recipe Small = new()
    {
        Pretrain = new() { Epochs = 2, LearningRate = 2e-3 },
        Prune =
        [
            new()
            {
                Name = "10x",
                Survivors = new Dictionary<string, int> { ["conv1"] = 200, ["conv2"] = 5_000 },
                KeepFraction = new Dictionary<string, double> { ["fc1"] = 0.02, ["fc2"] = 0.2 },
                Admm = new() { Iterations = 2, EpochsPerIteration = 2, RhoGrowth = 2 },
                Retrain = new() { Epochs = 2 },
            },
        ],
        Quantize = new() { Admm = new() { Iterations = 2, RhoGrowth = 5 }, Biases = new() { Epochs = 1 } },
    };

    private static readonly Experiment Table = new("test", "Test", new Dictionary<string, Recipe> { ["lenet5"] = Small },
        [new("Dense", "lenet5", "dense"), new("Pruned 10x", "lenet5", "10x"), new("Quantized", "lenet5", "quantized")]);

    private readonly string folder = Directory.CreateTempSubdirectory("admmkit-test").FullName;
    private readonly DataSet data = TestData.BlobData(NetworkSpec.Mnist, 10, 640);

    [Fact]
    public void A_run_goes_from_data_to_a_file_that_evaluates_as_reported()
    {
        var seen = new Observer();
        RunResult run = new CompressionRun(Small, data).Execute(1, seen);
        Assert.Equal([200, 5_000, 400_000 / 50, 1_000], run.Quantized!.Model.Layers.Select(l => l.Survivors));
        Assert.Equal(200 + 5_000 + 8_000 + 1_000, run.Pruned[0].Model.Survivors);
        Assert.Equal([3, 3, 2, 2], run.Quantized.Model.Layers.Select(l => l.Bits));
        Assert.True(run.Quantized.Test.Accuracy > 0.8);

        // Every epoch is reported, in order, up to the end of the run.
        Assert.Equal([1, 2, 4, 6, 7, 8, 9, 10, 11], run.History.Select(p => p.Epoch));
        Assert.Equal(run.History.Count, seen.Points.Count);
        Assert.Equal(1, seen.Points[^1].Fraction, 1e-9);
        Assert.Equal(11 * 640, run.ImagesSeen);
        Assert.Contains(seen.Milestones, m => m.Contains("quantized", StringComparison.Ordinal));

        // A folder of results holds what was reported, and nothing of an earlier time.
        Reproduction.Write(Table with { Lines = [Table.Lines[1] with { Row = "Old" }] }, Runs(run), Manifest.Describe("admmkit", ["test"]), folder);
        Assert.True(File.Exists(Path.Combine(folder, "Old-seed1.admm")));
        IReadOnlyList<string> files = Reproduction.Write(Table, Runs(run), Manifest.Describe("admmkit", ["test"]), folder);
        Assert.All(files, f => Assert.True(File.Exists(f)));
        string file = Path.Combine(folder, "Quantized-seed1.admm");
        Assert.Equal([Path.Combine(folder, "Pruned-10x-seed1.admm"), file], Directory.GetFiles(folder, "*.admm").Order(StringComparer.Ordinal));
        CompressedNetwork read = CompressedNetwork.Load(file);
        Assert.Equal(run.Quantized.Test.Correct, ScalarNetwork.CountCorrect(read, data.Test));

        IReadOnlyList<ResultRow> rows = ResultRows.Read(Path.Combine(folder, "rows.csv"));
        Assert.Equal(new FileInfo(file).Length, rows.Single(r => r.Row.StartsWith("Quantized", StringComparison.Ordinal) && r.Quantity == "fileBytes").Ours);
        Assert.All(rows, r => Assert.Equal(ResultStatus.Trend, r.Status));
        Assert.All(rows, r => Assert.Contains("blobs", r.Row, StringComparison.Ordinal));
    }

    [Fact]
    public void Several_seeds_give_a_mean_an_interval_and_the_seed_that_validation_chooses()
    {
        RunResult run = new CompressionRun(Small with { Quantize = null }, data).Execute(1);
        RunResult Seed(ulong seed, int validation, int test) => run with
        {
            Recipe = run.Recipe with { Seed = seed },
            Data = run.Data with { Name = "MNIST" },
            Pruned = [run.Pruned[0] with { Validation = new(validation, 5_000, 0), Test = new(test, 10_000, 0) }],
        };
        var line = new ExperimentLine("Pruned", "lenet5", "10x") { Printed = new Dictionary<string, double> { ["top1"] = 99.2, ["survivors"] = 20_000 } };
        var experiment = new Experiment("test", "Test", new Dictionary<string, Recipe> { ["lenet5"] = Small }, [line]);
        IReadOnlyList<ResultRow> Rows(params RunResult[] runs) =>
            Measurements.Rows(experiment, new Dictionary<string, IReadOnlyList<RunResult>> { ["lenet5"] = runs }, "test");

        IReadOnlyList<ResultRow> rows = Rows(Seed(1, 4_950, 9_930), Seed(2, 4_960, 9_920), Seed(3, 4_940, 9_940));
        ResultRow top1 = rows.Single(r => r.Quantity == "top1");
        Assert.Equal((99.3, 3), (top1.Ours, top1.Seeds));
        Assert.Equal(4.303 * 0.1 / Math.Sqrt(3), top1.Spread!.Value, 1e-4);
        Assert.Equal(ResultStatus.Matched, top1.Status);
        ResultRow best = rows.Single(r => r.Quantity == "top1OfBestSeed");
        Assert.Equal(99.2, best.Ours);
        Assert.StartsWith("seed 2, chosen on the validation images", best.Source, StringComparison.Ordinal);
        Assert.Equal(ResultStatus.Beaten, Rows(Seed(1, 4_950, 9_930), Seed(2, 4_950, 9_930)).Single(r => r.Quantity == "top1").Status);
        Assert.Equal(ResultStatus.Missed, Rows(Seed(1, 4_950, 9_919)).Single(r => r.Quantity == "top1").Status);
    }

    [Fact]
    public void The_same_seed_gives_the_same_file_with_one_or_two_threads()
    {
        byte[] FileOf(int threads, ulong seed)
        {
            var bytes = new MemoryStream();
            new CompressionRun(Small with { Seed = seed }, data).Execute(threads).Quantized!.Model.Write(bytes);
            return bytes.ToArray();
        }

        byte[] one = FileOf(1, 5);
        Assert.Equal(one, FileOf(2, 5));
        Assert.NotEqual(one, FileOf(2, 6));
    }

    [Fact]
    public void A_point_with_more_survivors_than_the_papers_does_not_match_it()
    {
        RunResult run = new CompressionRun(Small with { Quantize = null }, data).Execute(1);
        RunResult good = run with { Data = run.Data with { Name = "MNIST" }, Pruned = [run.Pruned[0] with { Test = new(9_990, 10_000, 0) }] };
        Experiment At(double survivors) => Table with
        {
            Lines = [new("Pruned", "lenet5", "10x") { Printed = new Dictionary<string, double> { ["top1"] = 99.2, ["survivors"] = survivors } }],
        };
        string Status(double survivors) => Measurements.Rows(At(survivors), Runs(good), "test").Single(r => r.Quantity == "top1").Status;
        Experiment best = At(14_200) with { BestAt = 99.9, Lines = [At(14_200).Lines[0] with { X = 10 }] };
        ResultRow ratio = Measurements.Rows(best, Runs(good), "test")[^1];
        Assert.Equal(("Best at 99.9 %: Pruned", "compressionRatio"), (ratio.Row, ratio.Quantity));
        Assert.Equal(430_500.0 / 14_200, ratio.Ours!.Value, 1e-6);
        Assert.DoesNotContain(Measurements.Rows(best with { BestAt = 99.91 }, Runs(good), "test"), r => r.Row.StartsWith("Best", StringComparison.Ordinal));
        Assert.Equal(14_200, good.Pruned[0].Model.Survivors);
        Assert.Equal(ResultStatus.Missed, Status(5_060));
        Assert.Equal(ResultStatus.Missed, Status(14_190));
        Assert.Equal(ResultStatus.Matched, Status(14_200));
    }

    [Fact]
    public void Every_experiment_names_models_that_its_recipes_make()
    {
        DataSet colours = TestData.BlobData(NetworkSpec.Cifar, 10, 640);
        foreach (string name in ExperimentCatalogue.Names)
        {
            foreach (bool full in new[] { true, false })
            {
                Experiment experiment = ExperimentCatalogue.Create(name, full);
                foreach (Recipe recipe in experiment.Variants.Values)
                {
                    DataSet fitting = AdmmKit.Experiments.Dense.TrainingRecipe.IsForColour(recipe.Architecture) ? colours : data;
                    Assert.True(new CompressionRun(recipe, fitting).Epochs > 0);
                }

                Assert.All(experiment.Lines, l => Assert.True(
                    l.Model == "dense" || (l.Model == "quantized" ? experiment.Variants[l.Variant].Quantize is not null
                    : experiment.Variants[l.Variant].Prune.Any(p => p.Name == l.Model)), $"{name}: {l.Row}"));
                Assert.Equal(experiment.Lines.Count, experiment.Lines.Select(l => l.Row).Distinct().Count());
            }
        }
    }

    [Theory]
    [InlineData(PruneMethods.Magnitude, QuantizeMethods.Clusters)]
    [InlineData(PruneMethods.L1, QuantizeMethods.Ternary)]
    [InlineData(PruneMethods.Admm, QuantizeMethods.Joint)]
    public void Other_methods_go_from_data_to_a_file_too(string prune, string quantize)
    {
        Recipe recipe = Small with
        {
            Architecture = "lenet-300-100",
            Prune =
            [
                new() { Name = "first", Method = prune, TotalSurvivors = 20_000, Retrain = new() { Epochs = 1 } },
                new() { Name = "second", Method = prune, TotalSurvivors = 10_000, Admm = new() { Iterations = 1 }, Retrain = new() { Epochs = 1 } },
            ],
            Quantize = new()
            {
                Method = quantize,
                Survivors = quantize == QuantizeMethods.Joint ? new Dictionary<string, int> { ["fc1"] = 3_000, ["fc2"] = 2_000, ["fc3"] = 500 } : new Dictionary<string, int>(),
                Admm = new() { Iterations = 2, RhoGrowth = 4 },
                Rounds = quantize == QuantizeMethods.Clusters ? [] : [0.5, 0.9],
                RoundTraining = new() { Epochs = 1 },
            },
        };
        RunResult run = new CompressionRun(recipe, data).Execute(1);
        Assert.InRange(run.Pruned[0].Model.Survivors, 10_000, 20_000);
        Assert.InRange(run.Pruned[1].Model.Survivors, 3_000, 10_000);
        ValueCoding coding = quantize == QuantizeMethods.Clusters ? ValueCoding.Codebook : ValueCoding.Levels;
        Assert.All(run.Quantized!.Model.Layers, l => Assert.Equal((coding, quantize == QuantizeMethods.Ternary ? 1 : 2), (l.Coding, l.Bits)));
        Assert.True(run.Quantized.Model.Survivors <= (quantize == QuantizeMethods.Joint ? 5_500 : run.Pruned[1].Model.Survivors));
        Assert.True(run.Quantized.Test.Accuracy > 0.6, $"{run.Quantized.Test.Accuracy}");
        Assert.Equal(run.History.Count, run.History.DistinctBy(p => p.Epoch).Count());
    }

    [Fact]
    public void Cancelling_stops_the_run()
    {
        using var source = new CancellationTokenSource();
        var observer = new Observer { OnPoint = source.Cancel };
        Assert.Throws<OperationCanceledException>(() => new CompressionRun(Small, data).Execute(1, observer, source.Token));
        Assert.Single(observer.Points);
    }

    private static Dictionary<string, IReadOnlyList<RunResult>> Runs(params RunResult[] runs) => new() { ["lenet5"] = runs };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private sealed class Observer : IRunObserver
    {
        public List<RunProgress> Points { get; } = [];

        public List<string> Milestones { get; } = [];

        public Action? OnPoint { get; init; }

        public void Progress(RunProgress progress) => Assert.InRange(progress.Fraction, 0, 1);

        public void Point(RunProgress progress)
        {
            Points.Add(progress);
            OnPoint?.Invoke();
        }

        public void Milestone(string text) => Milestones.Add(text);
    }
}
