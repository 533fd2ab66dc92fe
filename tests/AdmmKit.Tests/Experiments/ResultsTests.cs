using AdmmKit.Experiments.Results;

namespace AdmmKit.Tests.Experiments;

/// <summary>What results/ claims, checked against the committed models themselves, as <c>admmkit verify</c> does.</summary>
public class ResultsTests
{
    private static string Results => Path.Combine(LayeringTests.Root, "results");

    [Fact]
    public void Committed_results_hold()
    {
        // All but the count of correct images, which takes a minute: 'admmkit verify results' does that too.
        VerificationReport report = ResultsVerifier.Verify(Results, _ => null);
        Assert.Empty(report.Problems);
        Assert.True(report.Models > 0);
    }

    [Fact]
    public void Every_result_names_a_command_and_a_picture_of_its_convergence()
    {
        foreach (string table in new[] { "table1", "table5" })
        {
            Assert.True(File.Exists(Path.Combine(Results, table, "convergence.svg")));
        }

        foreach (string file in Directory.EnumerateFiles(Results, "rows.csv", SearchOption.AllDirectories))
        {
            Assert.All(ResultRows.Read(file).Where(r => r.Ours is not null), r => Assert.NotEqual("", r.Source));
        }
    }
}
