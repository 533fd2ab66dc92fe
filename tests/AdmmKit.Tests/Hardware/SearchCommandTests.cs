using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Experiments;

namespace AdmmKit.Tests.Hardware;

/// <summary>The command, as a person uses it on hardware of their own.</summary>
[Collection(nameof(CommandLineTests))]
public sealed class SearchCommandTests : IDisposable
{
    private const string Platform = """
        { "kind": "law", "name": "mine", "law": { "form": "logarithmic", "a": 0.036, "b": 0.573, "t": 0.11, "q": 1.23 } }
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_search_writes_results_that_pass_their_own_check()
    {
        string platform = Path.Combine(folder.Path, "mine.json"), recipe = Path.Combine(folder.Path, "recipe.json"), to = Path.Combine(folder.Path, "out");
        File.WriteAllText(platform, Platform);
        File.WriteAllText(recipe, RecipeJson.Write(new SearchRecipe
        {
            Network = new() { Architecture = "lenet5-relu", TrainingImages = 1_000, Pretrain = new() { Epochs = 2 } },
            InitialKeepFraction = new Dictionary<string, double> { ["conv1"] = 0.66 },
            ProbeBudget = 20,
            Bisections = 1,
            Probe = new() { TrainingImages = 500, Admm = new() { Iterations = 1 }, Retrain = new() { Epochs = 1 } },
            Final = new() { Admm = new() { Iterations = 1 }, Retrain = new() { Epochs = 1 } },
        }));
        (int code, string output, string error) = CommandLineTests.Run(["search", "--recipe", recipe, "--platform", platform, "--synthetic", "--out", to]);
        Assert.True(code == 0, error);
        Assert.Contains("Least delay on mine", output, StringComparison.Ordinal);
        IReadOnlyList<ResultRow> rows = ResultRows.Read(Path.Combine(to, "rows.csv"));
        Assert.Contains(rows, r => r.Row.StartsWith("Least delay on mine", StringComparison.Ordinal) && r.Quantity == "speedup on mine" && r.Ours > 1);
        Assert.Contains(rows, r => r.Quantity == "validationTop1Difference" && r.Spread > 0);
        Assert.All(["path-survivors.svg", "path-delay-on-mine.svg", "search.json", "manifest.json"], f => Assert.True(File.Exists(Path.Combine(to, f)), f));
        VerificationReport report = ResultsVerifier.Verify(to, _ => null);
        Assert.All(report.Problems, p => Assert.Contains("dirty", p, StringComparison.Ordinal));
        Assert.True(report.Evaluated >= 2);

        // What a platform is said to make of a model is computed again.
        ResultRow told = rows.First(r => r.Quantity == "slowest layer's speedup on mine");
        ResultRows.Write(Path.Combine(to, "rows.csv"), rows.Select(r => r == told ? r with { Ours = r.Ours * 1.01 } : r));
        Assert.Contains(ResultsVerifier.Verify(to, _ => null).Problems, p => p.Contains("slowest layer's speedup on mine", StringComparison.Ordinal));
    }

    [Fact]
    public void A_table_that_rests_on_no_training_is_computed_again()
    {
        (int code, _, string error) = CommandLineTests.Run(["reproduce", "table8", "hardware-fit", "--out", folder.Path]);
        Assert.True(code == 0, error);
        string file = Path.Combine(folder.Path, "table8", "rows.csv");
        IReadOnlyList<ResultRow> rows = ResultRows.Read(file);
        string[] Problems() => [.. ResultsVerifier.Verify(folder.Path, _ => null).Problems.Where(p => !p.Contains("dirty", StringComparison.Ordinal))];
        Assert.Empty(Problems());
        ResultRows.Write(file, rows.Select((r, i) => i == 3 ? r with { Ours = r.Ours + 1 } : r).Skip(1).Append(rows[0] with { Row = "invented" }));
        string[] found = Problems();
        Assert.Contains(found, p => p.Contains("comes out as", StringComparison.Ordinal));
        Assert.Contains(found, p => p.Contains("is missing", StringComparison.Ordinal));
        Assert.Contains(found, p => p.Contains("'invented'", StringComparison.Ordinal));
    }

    [Fact]
    public void Platforms_of_one_name_and_the_results_of_others_are_refused()
    {
        string a = Path.Combine(folder.Path, "a.json"), b = Path.Combine(folder.Path, "b.json"), to = Path.Combine(folder.Path, "out");
        File.WriteAllText(a, Platform);
        File.WriteAllText(b, Platform);
        (int code, _, string error) = CommandLineTests.Run(["search", "lenet5", "--platform", a, "--platform", b, "--synthetic", "--out", to]);
        Assert.Equal(1, code);
        Assert.Contains("Two platforms are named 'mine'", error, StringComparison.Ordinal);
        CommandLineTests.Run(["reproduce", "table7", "--out", to]);
        (code, _, error) = CommandLineTests.Run(["search", "lenet5", "--platform", a, "--synthetic", "--out", Path.Combine(to, "table7")]);
        Assert.Equal(1, code);
        Assert.Contains("reproduce table7", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "Did you mean 'lenet5'", "search", "lenet6")]
    [InlineData(2, "Give a preset", "search")]
    [InlineData(2, "one of them", "search", "lenet5", "--recipe", "x.json")]
    [InlineData(2, "Did you mean 'delay'", "search", "lenet5", "--objective", "delays")]
    [InlineData(2, "--replicates", "search", "lenet5", "--replicates", "0")]
    [InlineData(1, "Did you mean 'admm-nn-40nm'", "search", "lenet5", "--platform", "admm-nn-45nm", "--synthetic")]
    [InlineData(1, "energyPicojoules", "search", "lenet5", "--objective", "energy", "--platform", "docs/platforms/example-processor.json", "--synthetic")]
    [InlineData(1, "nowhere.json", "search", "--recipe", "nowhere.json")]
    [InlineData(1, "CIFAR-10", "search", "resnet20", "--synthetic")]
    public void Wrong_use_is_told_in_words(int code, string message, params string[] arguments)
    {
        (int exit, _, string error) = CommandLineTests.Run([.. arguments.Select(a => a.StartsWith("docs/", StringComparison.Ordinal) ? Path.Combine(LayeringTests.Root, a) : a)]);
        Assert.Equal(code, exit);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }
}
