using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Scripts;
using AdmmKit.Notebooks;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Experiments;

public sealed class PaperScriptTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;
    private readonly StringWriter output = new(), error = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_table_is_printed_with_its_notes_and_written_with_its_pictures()
    {
        using var culture = new CommaCulture();
        Assert.Equal(0, Run(s => s.Table(AccountingTables.Create("table9")), folder));
        string text = output.ToString();
        Assert.All(["Table 9", "ADMM-NN 1", "13.23 (13.1)", "A layer is restored where", $"Written: {Path.Combine(folder, "delay.svg")}"],
            part => Assert.Contains(part, text, StringComparison.Ordinal));
        Assert.Equal(AccountingTables.Create("table9").Rows, ResultRows.Read(Path.Combine(folder, "table9.csv")));
        Assert.StartsWith("<svg", File.ReadAllText(Path.Combine(folder, "delay.svg")), StringComparison.Ordinal);
    }

    [Fact]
    public void Committed_results_say_how_they_are_made()
    {
        string results = Path.Combine(folder, "results");
        ResultRows.Write(Path.Combine(results, "mine", "rows.csv"),
            [new("a", "top1", "%", 99, 99.5, null, 1, ResultStatus.None, ""), new("a", "fileBytes", "B", null, 1234, null, 1, ResultStatus.None, "")]);
        Manifest.Describe("admmkit", ["reproduce", "mine"]).Save(Path.Combine(results, "mine", "manifest.json"));
        Assert.Equal(0, Run(s => s.Table(CommittedResults.Open("mine", results), "Mine", "top1"), folder));
        Assert.Contains("make it again: admmkit reproduce mine", output.ToString(), StringComparison.Ordinal);
        Assert.Equal("top1", Assert.Single(ResultRows.Read(Path.Combine(folder, "mine.csv"))).Quantity);
        Assert.Equal(1, Run(s => s.Table(CommittedResults.Open("mine", results), "Mine", "top2"), folder));
        Assert.Contains("Did you mean 'top1'?", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_is_told_line_by_line_and_its_last_model_written()
    {
        DataSet data = DataSource.Open(new DataRequest { Synthetic = true, SyntheticTraining = 300, ValidationCount = 100, SyntheticTest = 50 });
        var recipe = new Recipe { Architecture = "lenet-300-100", Pretrain = new() { Epochs = 1 } };
        Assert.Equal(0, Run(s => s.Models(new CompressionRun(recipe, data).Execute(observer: s.Observer), "model.admm"), folder));
        Assert.Contains("pretrain 1 of 1: loss ", output.ToString(), StringComparison.Ordinal);
        var model = CompressedNetwork.Load(Path.Combine(folder, "model.admm"));
        IReadOnlyList<ResultRow> rows = ResultRows.Read(Path.Combine(folder, "rows.csv"));
        Assert.Equal(model.Survivors, rows.Ours("dense", "survivors"));
        Assert.Equal(model.Size.TotalBytes, rows.Ours("dense", "fileBytes"));
        Assert.All(rows, r => Assert.Equal(ResultStatus.Trend, r.Status));
        Assert.True(File.Exists(Path.Combine(folder, "training.svg")));
    }

    [Fact]
    public void A_table_of_any_kind_is_written_as_csv()
    {
        var table = new Table("levels", ["1", "2"], [[0.5, null], ["a,b", 2]]);
        Assert.Equal(0, Run(s => s.Csv("levels.csv", table), folder));
        Assert.Equal("1,2\n0.5,\n\"a,b\",2\n", File.ReadAllText(Path.Combine(folder, "levels.csv")));
    }

    [Fact]
    public void Every_table_and_figure_that_there_is_has_a_script()
    {
        // Fig. 2 is an algorithm, and a notebook's: nothing to print.
        string[] wanted = [.. Enumerable.Range(1, 9).Select(t => FormattableString.Invariant($"table{t}")), "figure1", "figure3", "figure4", "figure5", "section4.3"];
        string scripts = Path.Combine(Path.GetDirectoryName(CommittedResults.FindFolder(null, AppContext.BaseDirectory))!, "notebooks", "scripts");
        string[] files = [.. Directory.EnumerateFiles(scripts).Where(f => f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".fsx", StringComparison.Ordinal))];
        string[] names = [.. files.SelectMany(f => Path.GetFileNameWithoutExtension(f).Split('-'))];
        Assert.All(wanted, w => Assert.Contains(w, names));
        Assert.Equal(2, names.Count(n => n == "quickstart"));
        Assert.All(files.Where(f => !f.EndsWith("admmkit.fsx", StringComparison.Ordinal)), f => Assert.Contains(
            f.EndsWith(".cs", StringComparison.Ordinal) ? "#:project ../../src/AdmmKit.Experiments" : "#load \"admmkit.fsx\"",
            File.ReadAllLines(f)));
    }

    [Fact]
    public void Wrong_use_is_told_in_words()
    {
        Assert.Equal(2, Run(_ => Assert.Fail("must not run"), "--help"));
        Assert.Equal(2, Run(_ => Assert.Fail("must not run"), "a", "b"));
        Assert.Contains("out/scripts/mine", error.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, Run(_ => throw new AdmmKitException("what, where, and what to do"), folder));
        Assert.Contains("what, where, and what to do", error.ToString(), StringComparison.Ordinal);
    }

    private int Run(Action<PaperScript> work, params string[] arguments) => PaperScript.Run("mine", arguments, work, output, error);
}
