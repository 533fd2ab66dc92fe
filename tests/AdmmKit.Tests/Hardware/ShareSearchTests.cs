using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Search;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Hardware.Search;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Hardware;

/// <summary>The search with real training in every probe: kept, resumed, and the same bits.</summary>
public sealed class ShareSearchTests : IDisposable
{
    private static readonly SearchRecipe Small = new()
    {
        Network = new() { Architecture = "lenet-300-100", BatchSize = 32, Pretrain = new() { Epochs = 3 } },
        InitialKeepFraction = new Dictionary<string, double> { ["fc1"] = 0.7 },
        ProbeBudget = 10,
        Bisections = 2,
        Probe = new() { TrainingImages = 160, Admm = new() { Iterations = 2, RhoGrowth = 5 }, Retrain = new() { Epochs = 1 } },
        Final = new() { Admm = new() { Iterations = 2, RhoGrowth = 5 }, Retrain = new() { Epochs = 1 } },
        Bits = new()
        {
            MostBits = 4,
            FewestBits = 3,
            ProbeBudget = 20,
            Probe = new() { Admm = new() { Iterations = 1 }, Biases = null },
            Final = new() { Admm = new() { Iterations = 1 }, Biases = null },
        },
    };

    private static readonly DelayObjective Delay = new(new LawPlatform { Name = "fitted", Law = new LogarithmicLaw(0.036, 0.573, 0.110, 1.23) });

    private readonly TemporaryFolder folder = new();
    private readonly DataSet data = TestData.BlobData(NetworkSpec.Mnist, 10, 320);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_search_cut_off_again_and_again_ends_as_one_that_was_not()
    {
        FinishedSearch whole = Search("whole", null, default).Run(Delay);
        FinishedSearch? resumed = null;
        int cuts = 0;
        while (resumed is null)
        {
            using var source = new CancellationTokenSource();
            int left = 6;
            var observer = new Watcher(() =>
            {
                if (--left == 0)
                {
                    source.Cancel();
                }
            });
            try
            {
                resumed = Search("cut", observer, source.Token).Run(Delay);
            }
            catch (OperationCanceledException)
            {
                cuts++;
                Assert.InRange(cuts, 1, 50);
            }
        }

        Assert.True(cuts >= 2, $"only {cuts} cuts");
        AssertSame(whole, resumed);
    }

    [Fact]
    public void What_was_searched_is_not_trained_again_and_ends_in_a_recipe_that_runs()
    {
        FinishedSearch first = Search("kept", null, default).Run(Delay);
        int points = 0;
        FinishedSearch again = Search("kept", new Watcher(() => points++), default).Run(Delay);
        Assert.Equal(0, points);
        AssertSame(first, again);

        Assert.NotNull(first.Recipe.Quantize);
        RunResult result = new RunStore(Path.Combine(folder.Path, "kept")).Execute(first.Recipe, data);
        CompressedNetwork pruned = result.Pruned.Single().Model;
        foreach ((CompressedLayer layer, double keep) in pruned.Layers.Zip(first.Result.Best.KeepFraction))
        {
            Assert.Equal(Math.Round(keep * layer.Layer.WeightCount), layer.Survivors);
        }
    }

    [Fact]
    public void A_probe_that_was_changed_by_hand_is_refused()
    {
        Search("changed", null, default).Run(Delay);
        string file = Directory.GetFiles(Path.Combine(folder.Path, "changed", "probes"))[0];
        string text = File.ReadAllText(file);
        foreach (string wrong in new[] { "{", "null", text.Replace("\"count\": 100", "\"count\": 99", StringComparison.Ordinal), text.Replace("\"key\": \"", "\"key\": \"0", StringComparison.Ordinal) })
        {
            File.WriteAllText(file, wrong);
            var e = Assert.Throws<AdmmKitException>(() => Search("changed", null, default).Run(Delay));
            Assert.Contains(Path.GetFileName(file), e.Message, StringComparison.Ordinal);
            Assert.Contains("Delete that file", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_network_that_says_how_to_prune_is_refused()
    {
        SearchRecipe wrong = Small with { Network = Small.Network with { Prune = [new()] } };
        var e = Assert.Throws<AdmmKitException>(() => new ShareSearch(wrong, data, new RunStore(folder.Path), folder.Path).Run(Delay));
        Assert.Contains("leave out its prune", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_with_the_recipe_is_told_before_anything_is_trained()
    {
        void Refused(SearchRecipe wrong, string text)
        {
            string to = Path.Combine(folder.Path, "wrong");
            var e = Assert.Throws<AdmmKitException>(() => new ShareSearch(wrong, data, new RunStore(to), Path.Combine(to, "probes")).Run(Delay));
            Assert.Contains(text, e.Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(to), "something was trained");
        }

        Refused(Small with { Held = ["fc9"] }, "fc9");
        Refused(Small with { ProbeBudget = -1 }, "budget");
        Refused(Small with { Final = Small.Final with { KeepFraction = new Dictionary<string, double> { ["fc1"] = 0.5 } } }, "leave out survivors");
        Refused(Small with { Final = Small.Final with { TotalSurvivors = 10 } }, "leave out survivors");
        Refused(Small with { Final = Small.Final with { Admm = new() { Iterations = 0 } } }, "iterations");
        Refused(Small with { Probe = Small.Probe with { Retrain = new() { Epochs = -1 } } }, "epochs");
        Refused(Small with { Bits = Small.Bits! with { MostBits = 9 } }, "bits are 1 to 8");
        Refused(Small with { Bits = Small.Bits! with { Final = new() { Method = "level" } } }, "Did you mean 'levels'");
        Refused(Small with { Probe = Small.Probe with { TrainingImages = 321 } }, "321");
    }

    [Fact]
    public void A_finished_run_is_known_again_when_the_pretrained_file_has_moved()
    {
        NetworkSpec spec = NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10);
        using var network = new TrainableNetwork(spec, data, new EngineOptions { Seed = 5 });
        NetworkTensors tensors = NetworkTensors.Of(spec, NetworkWeights.CopyFrom(network));
        string a = Path.Combine(folder.Path, "a.safetensors"), b = Path.Combine(folder.Path, "b.safetensors");
        SafetensorsFile.Write(a, tensors.Tensors, tensors.Metadata);
        Recipe recipe = Small.Network with
        {
            Pretrained = a,
            Prune = [new() { Name = "p", KeepFraction = new Dictionary<string, double> { ["fc1"] = 0.5 }, Admm = new() { Iterations = 1 }, Retrain = new() { Epochs = 1 } }],
        };
        var store = new RunStore(Path.Combine(folder.Path, "store"));
        RunResult first = store.Execute(recipe, data);
        File.Move(a, b);
        int points = 0;
        RunResult again = store.Execute(recipe with { Pretrained = b }, data, observer: new Watcher(() => points++));
        Assert.Equal(0, points);
        Assert.Equal(first.Pruned[0].Validation, again.Pruned[0].Validation);
    }

    [Fact]
    public void Paired_differences_have_the_interval_of_their_mean()
    {
        // Differences of 100, 0, 0 and -100 points: mean 0, variance 20000 / 3, error of the mean sqrt(20000 / 12).
        (double mean, double half) = SearchReport.Paired([1, 1, 0, 0], [0, 1, 0, 1]);
        Assert.Equal(0, mean, 1e-12);
        Assert.Equal(1.96 * Math.Sqrt(20000.0 / 12), half, 1e-9);
        (mean, half) = SearchReport.Paired([1, 0.5], [0.5, 0]);
        Assert.Equal((50, 0), (mean, half));
    }

    [Fact]
    public void A_recipe_begins_with_the_network_of_a_file_and_knows_it_by_its_content()
    {
        NetworkSpec spec = NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10);
        using var network = new TrainableNetwork(spec, data, new EngineOptions { Seed = 5 });
        NetworkWeights weights = NetworkWeights.CopyFrom(network);
        string Stored(string name)
        {
            string file = Path.Combine(folder.Path, name);
            NetworkTensors tensors = NetworkTensors.Of(spec, weights);
            SafetensorsFile.Write(file, tensors.Tensors, tensors.Metadata);
            return file;
        }

        Recipe Of(string file) => Small.Network with { Pretrained = file };
        string a = Stored("a.safetensors"), b = Stored("b.safetensors");
        RunResult dense = new CompressionRun(Of(a), data).Execute();
        Assert.Equal(weights.Weights, dense.Dense.Model.Decode().Weights);
        Assert.Equal(0, dense.ImagesSeen);
        Assert.Equal(RunStore.Key(Of(a), data), RunStore.Key(Of(b), data));
        weights.Weights[0][7] += 1;
        Stored("b.safetensors");
        Assert.NotEqual(RunStore.Key(Of(a), data), RunStore.Key(Of(b), data));

        Recipe other = Of(a) with { Architecture = "lenet5" };
        Assert.Contains("lenet-300-100", Assert.Throws<AdmmKitException>(() => new CompressionRun(other, data).Execute()).Message, StringComparison.Ordinal);
        Assert.Contains("nowhere.safetensors", Assert.Throws<AdmmKitException>(() => RunStore.Key(Of("nowhere.safetensors"), data)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_images_are_as_many_as_the_recipe_says()
    {
        Recipe part = Small.Network with { TrainingImages = 96, Pretrain = new() { Epochs = 2 } };
        Assert.Equal(2 * 96, new CompressionRun(part, data).Execute().ImagesSeen);
        Assert.NotEqual(RunStore.Key(part, data), RunStore.Key(part with { TrainingImages = null }, data));
        Assert.Contains("321", Assert.Throws<AdmmKitException>(() => new CompressionRun(part with { TrainingImages = 321 }, data)).Message, StringComparison.Ordinal);
        Assert.Contains("trainingImages", Assert.Throws<AdmmKitException>(() => new CompressionRun(part with { TrainingImages = 5 }, data)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Recipes_of_searches_survive_the_round_trip_and_unknown_keys_are_refused()
    {
        foreach (SearchRecipe recipe in SearchPresets.Names.Select(SearchPresets.Create).Append(Small))
        {
            string file = Path.Combine(folder.Path, "recipe.json");
            File.WriteAllText(file, RecipeJson.Write(recipe));
            Assert.Equal(RecipeJson.Write(recipe), RecipeJson.Write(RecipeJson.LoadSearch(file)));
            File.WriteAllText(file, RecipeJson.Write(recipe).Replace("\"trainingImages\"", "\"trainingImage\"", StringComparison.Ordinal));
            Assert.Contains("Did you mean 'trainingImages'", Assert.Throws<BadFileException>(() => RecipeJson.LoadSearch(file)).Message, StringComparison.Ordinal);
        }
    }

    private ShareSearch Search(string name, IRunObserver? observer, CancellationToken cancellation) => new(
        Small, data, new RunStore(Path.Combine(folder.Path, name)), Path.Combine(folder.Path, name, "probes"), 1, observer, cancellation);

    private static void AssertSame(FinishedSearch a, FinishedSearch b)
    {
        Assert.Equal(a.Result.Path.Select(p => (p.Candidate.Step, p.Candidate.Cost, p.Validation, p.Accepted)), b.Result.Path.Select(p => (p.Candidate.Step, p.Candidate.Cost, p.Validation, p.Accepted)));
        Assert.Equal(a.Bits, b.Bits);
        Assert.Equal(RecipeJson.Write(a.Recipe), RecipeJson.Write(b.Recipe));
        Assert.NotEmpty(a.Bits);
    }

    private sealed class Watcher(Action point) : IRunObserver
    {
        public void Progress(RunProgress progress)
        {
        }

        public void Point(RunProgress progress) => point();

        public void Milestone(string text)
        {
        }
    }
}
