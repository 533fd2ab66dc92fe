using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Networks;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Engine;

namespace AdmmKit.Tests.Runs;

/// <summary>What is cut off goes on to the same bits, and what is done is not done again.</summary>
public sealed class RunStoreTests : IDisposable
{
    private static readonly Recipe Small = new()
    {
        Architecture = "lenet-300-100",
        BatchSize = 32,
        Pretrain = new() { Epochs = 2 },
        Prune =
        [
            new()
            {
                Name = "5x",
                KeepFraction = new Dictionary<string, double> { ["fc1"] = 0.2, ["fc2"] = 0.2 },
                Admm = new() { Iterations = 2, EpochsPerIteration = 2, RhoGrowth = 2 },
                Retrain = new() { Epochs = 2 },
            },
        ],
        Quantize = new() { Admm = new() { Iterations = 2, RhoGrowth = 5 }, Biases = new() { Epochs = 1 } },
    };

    private readonly TemporaryFolder folder = new();
    private readonly DataSet data = TestData.BlobData(NetworkSpec.Mnist, 10, 320);
    private readonly List<string> lines = [];

    private string Home => Path.Combine(folder.Path, RunStore.Key(Small, data));

    /// <summary>Those of the step that is at work; each step of a recipe has its own folder.</summary>
    private string Checkpoints => Directory.GetDirectories(folder.Path, "checkpoints", SearchOption.AllDirectories).Single();

    private string RunAtWork => Path.GetFileName(Path.GetDirectoryName(Checkpoints))!;

    [Theory]
    [InlineData(1)] // at each epoch and iteration
    [InlineData(3)]
    [InlineData(0)] // anywhere, as the clock will have it
    public void A_run_cut_off_again_and_again_ends_with_the_same_bits(int reportsAtATime)
    {
        RunResult whole = new CompressionRun(Small, data).Execute(2);
        var store = new RunStore(folder.Path);
        RunResult? resumed = null;
        int cuts = 0;
        while (resumed is null)
        {
            using var source = new CancellationTokenSource();
            var observer = new Observer(lines) { ReportsLeft = reportsAtATime, OnLastReport = source.Cancel };
            if (reportsAtATime == 0)
            {
                // Even a call that is cancelled before its first step must leave what there is as it is.
                if (cuts == 0)
                {
                    source.Cancel();
                }
                else
                {
                    source.CancelAfter(TimeSpan.FromMilliseconds(5 * cuts));
                }
            }

            try
            {
                resumed = store.Execute(Small, data, 1, observer: observer, cancellation: source.Token);
            }
            catch (OperationCanceledException)
            {
                cuts++;
                Assert.InRange(Directory.GetFiles(folder.Path, "*.checkpoint", SearchOption.AllDirectories).Length, 1, 6);
            }

            Assert.InRange(cuts, 0, 500);
        }

        // A fast machine may be done before the clock cuts it off a second time.
        Assert.True(cuts >= (reportsAtATime == 0 ? 1 : 2), $"cut off {cuts} times");
        AssertSame(whole, resumed);
        Assert.Empty(Directory.GetDirectories(folder.Path, "checkpoints", SearchOption.AllDirectories));
        Assert.DoesNotContain(lines, l => l.Contains("warning", StringComparison.Ordinal));
    }

    [Fact]
    public void Costs_that_were_frozen_are_the_same_after_a_cut()
    {
        // Weights of the wider layers are smaller: with one rho for all they would lose every survivor.
        var admm = new AdmmRecipe { Iterations = 4, RhoPerLayer = new Dictionary<string, float> { ["fc1"] = 0.024f, ["fc2"] = 0.01f } };
        var rate = new RateRecipe { Lambda = 1e-7 };
        Recipe recipe = Small with
        {
            Prune = [new() { NetworkSurvivors = 50_000, Rate = rate, Admm = admm, Retrain = new() { Epochs = 2 } }],
            Quantize = Small.Quantize! with { LevelRate = 1e-5, Admm = new() { Iterations = 4 } },
        };
        RunResult whole = new CompressionRun(recipe, data).Execute(1);
        RunResult nearest = new CompressionRun(recipe with { Quantize = recipe.Quantize with { LevelRate = 0 } }, data).Execute(1);
        Assert.NotEqual(nearest.Quantized!.Model.Decode().Weights[0], whole.Quantized!.Model.Decode().Weights[0]);
        RunResult? resumed = null;
        for (int cuts = 0; resumed is null; cuts++)
        {
            using var source = new CancellationTokenSource();
            try
            {
                var observer = new Observer(lines) { ReportsLeft = 1, OnLastReport = source.Cancel };
                resumed = new RunStore(folder.Path).Execute(recipe, data, 1, observer: observer, cancellation: source.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.InRange(cuts, 0, 100);
            }
        }

        AssertSame(whole, resumed);
    }

    [Theory]
    [InlineData("soft targets")]
    [InlineData("purification")]
    public void With_what_is_off_by_default_too(string what)
    {
        Dictionary<string, int> few = new() { ["fc1"] = 400, ["fc2"] = 60, ["fc3"] = 30 };
        Recipe plain = Small with { Prune = [Small.Prune[0] with { KeepFraction = new Dictionary<string, double>(), Survivors = few }] };
        Recipe other = what == "soft targets" ? plain with { SoftTargets = new() { Weight = 0.7, Temperature = 3 } }
            : plain with { Prune = [plain.Prune[0] with { RemoveUnused = true, Purify = new() { MaxDrop = 2 } }] };
        RunResult whole = new CompressionRun(other, data).Execute(2);
        var store = new RunStore(folder.Path);
        RunResult? resumed = null;
        int cuts = 0;
        while (resumed is null)
        {
            using var source = new CancellationTokenSource();
            try
            {
                var observer = new Observer(lines) { ReportsLeft = 1, OnLastReport = source.Cancel };
                resumed = store.Execute(other, data, 1, observer: observer, cancellation: source.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.InRange(++cuts, 1, 500);
            }
        }

        Assert.InRange(cuts, 5, 500);
        AssertSame(whole, resumed);
        // Without it another network comes out from the first pruning on; the dense one is the same run, so these are five.
        RunResult without = store.Execute(plain, data, 1);
        Assert.Equal(whole.Dense.Validation, without.Dense.Validation);
        Assert.NotEqual(whole.Pruned[0].Validation.Loss, without.Pruned[0].Validation.Loss);
        Assert.Equal(5, Directory.GetDirectories(folder.Path).Length);
        int removed = without.Pruned[0].Model.Survivors - whole.Pruned[0].Model.Survivors;
        Assert.InRange(removed, what == "purification" ? 1 : 0, what == "purification" ? 489 : 0);
        Assert.Equal(what == "purification", lines.Any(l => l.Contains("5x, after retraining: ", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_damaged_checkpoint_is_told_and_the_one_before_it_leads_to_the_same_bits()
    {
        RunResult whole = new CompressionRun(Small, data).Execute(1);
        Cut(reports: 6);
        string newest = Directory.GetFiles(Checkpoints).Order(StringComparer.Ordinal).Last();
        byte[] bytes = File.ReadAllBytes(newest);
        bytes[bytes.Length / 2] ^= 4;
        File.WriteAllBytes(newest, bytes);
        AssertSame(whole, new RunStore(folder.Path).Execute(Small, data, 1, observer: new Observer(lines)));
        Assert.Contains(lines, l => l.Contains("checksum", StringComparison.Ordinal) && l.Contains(newest, StringComparison.Ordinal));
    }

    [Fact]
    public void A_clock_that_goes_back_does_no_harm()
    {
        Cut(reports: 6);
        foreach ((string file, int i) in Directory.GetFiles(Checkpoints).Order(StringComparer.Ordinal).Select((f, i) => (f, i)))
        {
            File.SetLastWriteTimeUtc(file, new DateTime(1980, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddDays(-i));
        }

        AssertSame(new CompressionRun(Small, data).Execute(1), new RunStore(folder.Path).Execute(Small, data, 1));
    }

    [Fact]
    public void A_run_that_is_done_is_taken_from_its_folder_unless_forced()
    {
        var store = new RunStore(folder.Path);
        RunResult first = store.Execute(Small, data, 1);
        var observer = new Observer(lines);
        RunResult second = store.Execute(Small, data, 1, observer: observer);
        Assert.Equal(0, observer.Reports);
        Assert.Contains(lines, l => l.Contains("--force", StringComparison.Ordinal));
        AssertSame(first, second);
        Assert.Equal(first.Models.Select(m => m.Seconds), second.Models.Select(m => m.Seconds));

        var again = new RunStore(folder.Path);
        RunResult third = again.Execute(Small, data, 1, force: true, observer);
        Assert.True(observer.Reports >= 11, $"{observer.Reports} reports: all steps should have run again");
        AssertSame(first, third);

        // What one command has done again it does not do a third time for another table.
        int reports = observer.Reports;
        again.Execute(Small, data, 1, force: true, observer);
        Assert.Equal(reports, observer.Reports);
    }

    [Fact]
    public void A_finished_run_that_is_damaged_is_an_error_that_says_what_to_do()
    {
        new RunStore(folder.Path).Execute(Small, data, 1);
        foreach (string content in new[] { "", "null", "{}", """{"recipe":null}""" })
        {
            File.WriteAllText(Path.Combine(Home, "run.json"), content);
            var e = Assert.Throws<AdmmKitException>(() => new RunStore(folder.Path).Execute(Small, data, 1));
            Assert.Contains($"'{Home}'", e.Message, StringComparison.Ordinal);
            Assert.Contains("Delete that folder", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Recipes_that_begin_alike_share_their_first_steps()
    {
        var store = new RunStore(folder.Path);
        store.Execute(Small, data, 1);
        var observer = new Observer(lines);
        Recipe other = Small with { Quantize = Small.Quantize! with { ConvolutionBits = 4, FullyConnectedBits = 4 } };
        RunResult shared = store.Execute(other, data, 1, observer: observer);
        Assert.InRange(observer.Reports, 3, 8);
        AssertSame(new CompressionRun(other, data).Execute(1), shared);
    }

    [Fact]
    public void Two_at_once_on_one_run_do_not_harm_each_other()
    {
        string? message = null;
        var observer = new Observer(lines)
        {
            ReportsLeft = 1,
            OnLastReport = () => message = Assert.Throws<AdmmKitException>(() => new RunStore(folder.Path).Execute(Small, data, 1)).Message,
        };
        RunResult result = new RunStore(folder.Path).Execute(Small, data, 1, observer: observer);
        Assert.Contains("Another process is working on this very run", message, StringComparison.Ordinal);
        AssertSame(new CompressionRun(Small, data).Execute(1), result);
        // Another seed is another run, which need not wait.
        new RunStore(folder.Path).Execute(Small with { Seed = 2, Prune = [], Quantize = null }, data, 1);
    }

    [Fact]
    public void A_run_goes_on_where_no_checkpoint_can_be_saved()
    {
        Directory.CreateDirectory(Home);
        File.WriteAllText(Path.Combine(Home, "checkpoints"), "a file where the folder should be");
        RunResult result = new RunStore(folder.Path).Execute(Small, data, 1, observer: new Observer(lines));
        AssertSame(new CompressionRun(Small, data).Execute(1), result);
        Assert.Contains(lines, l => l.Contains("no checkpoint could be saved", StringComparison.Ordinal));
    }

    [Fact]
    public void A_state_just_saved_stays_although_later_ones_are_damaged()
    {
        Cut(reports: 5);
        string[] damaged = Directory.GetFiles(Checkpoints);
        Assert.True(damaged.Length > 1);
        foreach (string file in damaged)
        {
            File.WriteAllBytes(file, File.ReadAllBytes(file)[..^1]);
        }

        Cut(reports: 1);
        CheckpointFile.Read(Assert.Single(Directory.GetFiles(Checkpoints)), RunAtWork);
        AssertSame(new CompressionRun(Small, data).Execute(1), new RunStore(folder.Path).Execute(Small, data, 1));
    }

    [Fact]
    public void On_a_full_disk_the_second_to_last_state_makes_room_for_something_better()
    {
        Cut(reports: 5);
        string[] before = [.. Directory.GetFiles(Checkpoints).Order(StringComparer.Ordinal)];
        Assert.Equal(2, before.Length);
        var checkpoints = new CheckpointFolder(Checkpoints, RunAtWork, lines.Add);
        checkpoints.Resume("the first phase", state => state.Position = state.Length);
        int writes = 0;
        void Full()
        {
            if (++writes == 1)
            {
                throw new AdmmKitException("No space left on device.");
            }
        }

        checkpoints.MakingRoom(Full);
        Assert.Equal(2, writes);
        Assert.Equal(before[1..], Directory.GetFiles(Checkpoints));
        // With one left, which may be all there is, nothing is given up.
        writes = 0;
        Assert.Throws<AdmmKitException>(() => checkpoints.MakingRoom(Full));
        Assert.Equal(before[1..], Directory.GetFiles(Checkpoints));
    }

    [Fact]
    public void What_a_killed_process_left_behind_is_removed()
    {
        Cut(reports: 6);
        File.WriteAllText(Path.Combine(Home, ".0123.tmp"), "half a model");
        File.WriteAllText(Path.Combine(Checkpoints, ".4567.tmp"), "half a state");
        Cut(reports: 1);
        Assert.Empty(Directory.GetFiles(folder.Path, "*.tmp", SearchOption.AllDirectories));
        new RunStore(folder.Path).Execute(Small, data, 1);
        // Killed when the run was done but its checkpoints were still there.
        string ofNoUse = Path.Combine(Home, "checkpoints");
        Directory.CreateDirectory(ofNoUse);
        File.WriteAllText(Path.Combine(ofNoUse, "000-000000001.checkpoint"), "of no use any more");
        new RunStore(folder.Path).Execute(Small, data, 1);
        Assert.False(Directory.Exists(ofNoUse));
    }

    [Fact]
    public void A_finished_run_in_the_folder_of_another_is_not_taken_for_it()
    {
        Recipe dense = Small with { Prune = [], Quantize = null }, other = dense with { Seed = 2 };
        var store = new RunStore(folder.Path);
        store.Execute(dense, data, 1);
        Directory.Move(Path.Combine(folder.Path, RunStore.Key(dense, data)), Path.Combine(folder.Path, RunStore.Key(other, data)));
        var e = Assert.Throws<AdmmKitException>(() => store.Execute(other, data, 1));
        Assert.Contains("another run", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sound_checkpoint_of_another_program_is_refused()
    {
        Cut(reports: 3);
        foreach (string file in Directory.GetFiles(Checkpoints))
        {
            CheckpointFile.Write(file, RunAtWork, TimeSpan.Zero, s => s.Write([1, 2, 3, 4, 5, 6, 7, 8]));
        }

        var e = Assert.Throws<AdmmKitException>(() => new RunStore(folder.Path).Execute(Small, data, 1));
        Assert.Contains($"Delete the folder '{Path.GetDirectoryName(e.Message.Split('\'')[1])}'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_name_of_a_run_follows_from_what_it_depends_on()
    {
        string key = RunStore.Key(Small, data);
        Recipe reread = RecipeJson.Parse(RecipeJson.Write(Small), "again");
        Recipe reordered = Small with
        {
            Prune = [Small.Prune[0] with { KeepFraction = new Dictionary<string, double> { ["fc2"] = 0.2, ["fc1"] = 0.2 } }],
        };
        Assert.Equal(key, RunStore.Key(reread, data));
        Assert.Equal(key, RunStore.Key(reordered, data with { Name = "elsewhere", Source = "another folder" }));
        Assert.NotEqual(key, RunStore.Key(Small with { Seed = 2 }, data));
        Assert.NotEqual(key, RunStore.Key(Small, data with { Checksums = new Dictionary<string, string> { ["images"] = "other" } }));
        Assert.NotEqual(key, RunStore.Key(Small with { Prune = [Small.Prune[0] with { Rate = new() }] }, data));
        Assert.NotEqual(key, RunStore.Key(Small with { Quantize = Small.Quantize! with { LevelRate = 1 } }, data));
        Assert.NotEqual(key, RunStore.Key(Small with { Quantize = Small.Quantize! with { BiasBits = 6 } }, data));
    }

    [Fact]
    public void What_older_recipes_did_not_have_is_not_in_the_names_of_their_runs()
    {
        System.Text.Json.Nodes.JsonObject json = RunStore.Portable(Small);
        Assert.Equal(["architecture", "seed", "batchSize", "maxShift", "pretrain", "prune", "quantize"], json.Select(m => m.Key));
        Assert.Equal(
            ["name", "method", "survivors", "keepFraction", "totalSurvivors", "admm", "l1", "retrain"],
            json["prune"]![0]!.AsObject().Select(m => m.Key));
        PruneRecipe purified = Small.Prune[0] with { RemoveUnused = true, Purify = new() };
        Assert.Equal(10, RunStore.Portable(Small with { Prune = [purified] })["prune"]![0]!.AsObject().Count);
        Assert.Equal(8, RunStore.Portable(Small with { SoftTargets = new() }).Count);
        Assert.Equal(7, RunStore.Portable(Small with { Prune = [], Quantize = null, SoftTargets = new() }).Count);
    }

    public void Dispose() => folder.Dispose();

    private static void AssertSame(RunResult expected, RunResult actual)
    {
        Assert.Equal(expected.Models.Select(Bytes), actual.Models.Select(Bytes));
        Assert.Equal(expected.Models.Select(m => (m.Name, m.Validation, m.Test)), actual.Models.Select(m => (m.Name, m.Validation, m.Test)));
        Assert.Equal(expected.ImagesSeen, actual.ImagesSeen);
        // Records hold lists, which compare by reference: as text they compare by what they hold, to the last bit.
        Assert.Equal(expected.History.Select(Text), actual.History.Select(Text));

        static byte[] Bytes(ModelResult model)
        {
            var stream = new MemoryStream();
            model.Model.Write(stream);
            return stream.ToArray();
        }

        static string Text(HistoryPoint point) => System.Text.Json.JsonSerializer.Serialize(point);
    }

    private void Cut(int reports)
    {
        using var source = new CancellationTokenSource();
        var observer = new Observer(lines) { ReportsLeft = reports, OnLastReport = source.Cancel };
        Assert.Throws<OperationCanceledException>(() => new RunStore(folder.Path).Execute(Small, data, 1, observer: observer, cancellation: source.Token));
    }

    /// <summary>Counts reports of training, one an epoch at least, and does something at one of them.</summary>
    private sealed class Observer(List<string> lines) : IRunObserver
    {
        public int ReportsLeft { get; set; } = int.MaxValue;

        public int Reports { get; private set; }

        public Action? OnLastReport { get; init; }

        public void Progress(RunProgress progress)
        {
            Reports++;
            if (--ReportsLeft == 0)
            {
                OnLastReport?.Invoke();
            }
        }

        public void Point(RunProgress progress)
        {
        }

        public void Milestone(string text) => lines.Add(text);
    }
}
