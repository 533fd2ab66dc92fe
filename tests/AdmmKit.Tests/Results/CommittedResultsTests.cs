using AdmmKit.Experiments.Results;
using AdmmKit.Storage;
using AdmmKit.Tests.Storage;

namespace AdmmKit.Tests.Results;

public sealed class CommittedResultsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;
    private readonly string results;

    public CommittedResultsTests()
    {
        results = Path.Combine(folder, "checkout", "results");
        ResultRows.Write(Path.Combine(results, "table1", "rows.csv"),
        [
            new("AdmmKit 85x", "survivors", "", 5_060, 5_059, 1, 3, ResultStatus.Matched, "command"),
            new("Net-Trim [3]", "survivors", "", 9_400, null, null, 0, ResultStatus.None, "paper"),
            new("Net-Trim [3]", "top1", "%", null, null, null, 0, ResultStatus.None, "paper"),
        ]);
        ResultRows.Write(Path.Combine(results, "table10", "rows.csv"), []);
        Manifest.Describe("admmkit", ["reproduce", "table1"]).Save(Path.Combine(results, "table1", "manifest.json"));
        Directory.CreateDirectory(Path.Combine(results, "runs"));
        Directory.CreateDirectory(Path.Combine(folder, "checkout", "notebooks", "scripts", "results"));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Results_are_found_upwards_and_other_folders_of_that_name_are_passed_over()
    {
        Assert.Equal(results, CommittedResults.FindFolder(null, Path.Combine(folder, "checkout", "notebooks", "scripts")));
        Assert.Equal(results, CommittedResults.FindFolder("", Path.Combine(folder, "checkout")));
        Assert.Equal(results, CommittedResults.FindFolder(results, Path.GetTempPath()));
        Assert.Equal(["table1", "table10"], CommittedResults.Names(results));
    }

    [Fact]
    public void Rows_manifest_and_models_are_read()
    {
        CompressedNetwork model = RandomNetworks.Create(1);
        model.Save(Path.Combine(results, "table1", "AdmmKit-85x-seed1.admm"));
        var table = CommittedResults.Open("table1", results);
        Assert.Equal("table1", table.Name);
        Assert.Equal(3, table.Rows.Count);
        Assert.Equal(5_059, table.Rows.Ours("AdmmKit 85x", "survivors"));
        Assert.Equal(9_400, table.Rows.Known("Net-Trim [3]", "survivors"));
        Assert.Equal("admmkit reproduce table1", table.Manifest.CommandLine);
        Assert.Equal(model.Survivors, table.Model("AdmmKit-85x-seed1.admm").Survivors);
    }

    [Fact]
    public void What_is_not_there_is_said_with_the_nearest_name()
    {
        Says(() => CommittedResults.Open("tabel1", results), "folder of results 'tabel1'", "Did you mean 'table1'?", "Valid: table1, table10.");
        var table = CommittedResults.Open("table1", results);
        Says(() => table.Rows.Find("AdmmKit 58x", "survivors"), "row named 'AdmmKit 58x'", "Did you mean 'AdmmKit 85x'?");
        Says(() => table.Rows.Find("AdmmKit 85x", "survivor"), "quantity of 'AdmmKit 85x' named 'survivor'", "Did you mean 'survivors'?");
        Says(() => table.Rows.Ours("Net-Trim [3]", "survivors"), "'Net-Trim [3]'", "paper's value alone");
        Says(() => table.Rows.Known("Net-Trim [3]", "top1"), "'top1' of 'Net-Trim [3]'", "neither");
        Says(() => table.Model("manifest.admm"), "file in the results of 'table1' named 'manifest.admm'", "manifest.json, rows.csv");
        Says(() => table.PathOf("../table10/rows.csv"), "file in the results of 'table1'");
        Says(() => _ = CommittedResults.Open("table10", results).Manifest, "manifest.json", "Check the name");
    }

    [Fact]
    public void Without_results_the_message_says_where_they_were_looked_for()
    {
        Says(() => CommittedResults.FindFolder(null, Path.Combine(folder, "elsewhere")), Path.Combine(folder, "elsewhere"), "ADMMKIT_RESULTS");
        Says(() => CommittedResults.FindFolder(Path.Combine(results, "runs"), folder), "ADMMKIT_RESULTS is '", "rows.csv");
        Says(() => CommittedResults.FindFolder(Path.Combine(results, "no"), folder), Path.Combine(results, "no"), "Check the name");
        Says(() => CommittedResults.Open("table1", Path.Combine(folder, "no")), Path.Combine(folder, "no"), "Check the name");
    }

    private static void Says(Action action, params string[] parts)
    {
        string message = Assert.Throws<AdmmKitException>(action).Message;
        Assert.All(parts, p => Assert.Contains(p, message, StringComparison.Ordinal));
    }
}
