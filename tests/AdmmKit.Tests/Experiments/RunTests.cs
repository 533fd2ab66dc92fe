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

        IReadOnlyList<string> files = Reproduction.Write("table5", run, Manifest.Describe("admmkit", ["test"]), folder);
        Assert.All(files, f => Assert.True(File.Exists(f)));
        CompressedNetwork read = CompressedNetwork.Load(Path.Combine(folder, "lenet5.admm"));
        using var network = new Network(read.Spec, 32, 1);
        network.SetWeights(read.Decode());
        Assert.Equal(run.Quantized.Test, network.Evaluate(data.Test));

        IReadOnlyList<ResultRow> rows = ResultRows.Read(Path.Combine(folder, "rows.csv"));
        Assert.Equal(new FileInfo(Path.Combine(folder, "lenet5.admm")).Length, rows.Single(r => r.Quantity == "fileBytes" && r.Ours is not null).Ours);
        Assert.All(rows.Where(r => r.Ours is not null), r => Assert.Equal(ResultStatus.Trend, r.Status));
        Assert.Contains("blobs", rows[0].Row, StringComparison.Ordinal);
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
    public void Table_1_compares_with_the_paper_only_on_its_data_and_at_its_points()
    {
        RunResult run = new CompressionRun(Small with { Quantize = null }, data).Execute(1);
        DataOrigin mnist = run.Data with { Name = "MNIST" };
        ModelResult AtPoint(string name, int correct) => run.Pruned[0] with { Name = name, Test = new(correct, 10_000, 0) };

        // 14,200 survivors are too many for the paper's 5,060, whatever the accuracy.
        IReadOnlyList<ResultRow> rows = Reproduction.Rows("table1", run with { Data = mnist, Pruned = [AtPoint("85x", 9_990)] }, "test");
        Assert.Equal(ResultStatus.Missed, rows.First(r => r.Row == "AdmmKit 85x").Status);
        Assert.Equal(99.2, rows.First(r => r.Row == "AdmmKit 85x").Paper);
        Assert.Equal(99.9, rows.First(r => r.Row == "AdmmKit 85x").Ours!.Value, 1e-9);

        RunResult dense = run with { Data = mnist, Dense = run.Dense with { Test = new(9_920, 10_000, 0) } };
        Assert.Equal(ResultStatus.Matched, Reproduction.Rows("table1", dense, "test")[0].Status);
        Assert.Equal(ResultStatus.Missed, Reproduction.Rows("table1", dense with { Dense = run.Dense with { Test = new(9_919, 10_000, 0) } }, "test")[0].Status);
        Assert.Throws<AdmmKitException>(() => Reproduction.Rows("table5", run, "test"));
    }

    [Fact]
    public void Cancelling_stops_the_run()
    {
        using var source = new CancellationTokenSource();
        var observer = new Observer { OnPoint = source.Cancel };
        Assert.Throws<OperationCanceledException>(() => new CompressionRun(Small, data).Execute(1, observer, source.Token));
        Assert.Single(observer.Points);
    }

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
