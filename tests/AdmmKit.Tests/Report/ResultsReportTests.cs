using System.Text.RegularExpressions;
using AdmmKit.Experiments.Report;
using AdmmKit.Experiments.Results;
using AdmmKit.Tests.Experiments;

namespace AdmmKit.Tests.Report;

// Console output is process-wide.
[Collection(nameof(CommandLineTests))]
public sealed class ResultsReportTests : IDisposable
{
    private const string Hostile = "<img src=x onerror=alert(1)>\"'&|`[x](javascript:alert(1))";
    private const string Svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\" width=\"8\" height=\"8\"><title>t</title><rect width=\"8\" height=\"8\"/></svg>";

    private readonly string directory = Directory.CreateTempSubdirectory("admmkit-report-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private string Folder(string name, IEnumerable<ResultRow>? rows = null, string? notes = null, params (string File, string Svg)[] pictures)
    {
        string folder = Directory.CreateDirectory(Path.Combine(directory, name)).FullName;
        ResultRows.Write(Path.Combine(folder, "rows.csv"), rows ?? [new("85x", "top1", "%", 99.2, 99.29, 0.19, 3, ResultStatus.Matched, "a test")]);
        new Manifest
        {
            CommandLine = "admmkit reproduce " + name,
            Commit = new string('a', 40),
            Dirty = false,
            StartedUtc = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
        }.Save(Path.Combine(folder, "manifest.json"));
        if (notes is not null)
        {
            File.WriteAllText(Path.Combine(folder, "notes.md"), notes);
        }

        foreach ((string file, string svg) in pictures)
        {
            File.WriteAllText(Path.Combine(folder, file), svg);
        }

        return folder;
    }

    [Fact]
    public void Tables_come_first_then_figures_sections_and_the_rest()
    {
        foreach (string name in new[] { "resnet20", "section5.1", "table10", "figure4", "table9", "baselines", "runs" })
        {
            Folder(name);
        }

        Directory.CreateDirectory(Path.Combine(directory, ".hidden"));
        Assert.Equal(["table9", "table10", "figure4", "section5.1", "baselines", "resnet20"], ResultsReport.Load(directory).Names);
    }

    [Fact]
    public void A_page_has_the_values_of_both_sides_the_status_the_notes_the_pictures_and_the_manifest()
    {
        Folder(
            "table1",
            [
                new("85x", "top1", "%", 99.2, 99.29, 0.19, 3, ResultStatus.Matched, "a test"),
                new("85x", "fileBytes", "B", 890, 2100, null, 3, ResultStatus.Missed, "a test"),
            ],
            "# Table 1: pruning\n\nSome *notes*.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
            ("a.svg", Svg));
        string html = ResultsReport.Load(directory).ToHtml();

        Assert.Contains("<h2>Table 1: pruning</h2>", html, StringComparison.Ordinal);
        Assert.Contains("data-value=\"99.29\"", html, StringComparison.Ordinal);
        Assert.Contains("<span>99.29 <span class=\"pm\">± 0.19</span></span><span class=\"paper\">paper 99.2</span><span class=\"status matched\">matched</span>", html, StringComparison.Ordinal);
        Assert.Contains("<tr data-status=\"matched missed\">", html, StringComparison.Ordinal);
        Assert.Contains("Some <em>notes</em>.", html, StringComparison.Ordinal);
        Assert.Contains("<td>2</td>", html, StringComparison.Ordinal);
        Assert.Contains("<figure id=\"picture1\"><svg viewBox=\"0 0 8 8\"", html, StringComparison.Ordinal);
        Assert.Contains("<dd>admmkit reproduce table1</dd>", html, StringComparison.Ordinal);
        Assert.Contains("2026-01-02 03:04 UTC", html, StringComparison.Ordinal);
        // The miss stands at the top, before the folder itself.
        Assert.InRange(html.IndexOf("2.1 KB", StringComparison.Ordinal), html.IndexOf("What is missed", StringComparison.Ordinal), html.IndexOf("class=\"folder\"", StringComparison.Ordinal));
    }

    [Fact]
    public void The_same_results_give_the_same_bytes_in_any_culture()
    {
        Folder("table1", notes: "# T\n\n- x", pictures: ("a.svg", Svg));
        Folder("order", [new("a", "delay", "s", null, 1234.5, null, 0, "", "a test")]);
        ResultsReport report = ResultsReport.Load(directory);
        string html = report.ToHtml(), markdown = report.ToMarkdown();
        using var comma = new CommaCulture();
        ResultsReport again = ResultsReport.Load(directory);
        Assert.Equal(html, again.ToHtml());
        Assert.Equal(markdown, again.ToMarkdown());
        Assert.DoesNotContain("\r", html, StringComparison.Ordinal);
        Assert.DoesNotContain(directory, html, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_from_a_file_runs_or_loads()
    {
        string name = OperatingSystem.IsWindows() ? "a'b" : "a\"><script>alert(1)<";
        Folder(
            name,
            [new(Hostile, "top1" + Hostile, Hostile, 1, 2, null, 3, ResultStatus.Missed, Hostile)],
            $"# {Hostile}\n\n{Hostile}\n\n<script>alert(1)</script>\n\n![x](https://example.com/x.png) [y](javascript:alert(1)) <javascript:alert(1)> [z](https://example.com/)\n",
            ("a.svg", Svg.Replace("<rect", "<script>alert(1)</script><rect onload=\"alert(1)\"", StringComparison.Ordinal)));
        ResultsReport report = ResultsReport.Load(directory);
        string html = report.ToHtml();

        // The only script is the report's own, the last thing in the page.
        Assert.Single(Regex.Matches(html, "<script"));
        Assert.DoesNotContain("<img", html, StringComparison.Ordinal);
        string tags = Regex.Replace(html, "=\"[^\"]*\"", "=''");
        Assert.Empty(Regex.Matches(tags, "<[^>]*\\s(on[a-z]+|style)=", RegexOptions.IgnoreCase));
        Assert.Empty(Regex.Matches(html, "(src|href)=\"(?!#|https://example.com/\")"));
        Assert.Contains("default-src 'none'", html, StringComparison.Ordinal);

        string markdown = report.ToMarkdown("results/");
        Assert.DoesNotContain("<img", markdown, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", markdown, StringComparison.Ordinal);
        Assert.DoesNotContain("[x](javascript", markdown, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_folders_are_named_and_the_rest_is_written()
    {
        Folder("table1");
        File.WriteAllText(Path.Combine(Folder("table2"), "rows.csv"), "row,quantity\nx,y\n");
        File.Delete(Path.Combine(Folder("table3"), "manifest.json"));
        Folder("table4", pictures: ("broken.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"><g></svg>"));
        Directory.CreateDirectory(Path.Combine(directory, "table5"));

        string page = Path.Combine(directory, "page.html"), text = Path.Combine(directory, "tables.md");
        (int code, string output, string error) = Run("report", "--results", directory, "--out", page, "--markdown", text);
        Assert.Equal(1, code);
        foreach (string part in new[] { "table2", "the columns must be", "table3", "manifest.json", "broken.svg", "table5" })
        {
            Assert.Contains(part, error, StringComparison.Ordinal);
        }

        Assert.Contains("5 folders", output, StringComparison.Ordinal);
        string html = File.ReadAllText(page), markdown = File.ReadAllText(text);
        Assert.Contains("What could not be read", html, StringComparison.Ordinal);
        Assert.Contains("What could not be read", markdown, StringComparison.Ordinal);
        Assert.Contains("99.29", html, StringComparison.Ordinal);
        Assert.DoesNotContain(directory, html + markdown, StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_writes_both_and_says_so()
    {
        Folder("table1", pictures: ("a b.svg", Svg));
        string page = Path.Combine(directory, "out", "page.html");
        (int code, string output, string error) = Run("report", "--results", directory, "--out", page);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("1 folders: 1 matched", output, StringComparison.Ordinal);
        Assert.True(File.Exists(page));
        string markdown = File.ReadAllText(Path.Combine(directory, "README.md"));
        Assert.Contains("![Table 1: pruning LeNet-5: a b](table1/a%20b.svg)", markdown, StringComparison.Ordinal);
        Assert.Contains("| 85x | 99.29 ± 0.19 (99.2) matched |", markdown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("none-such")]
    [InlineData("")]
    public void A_folder_without_results_is_an_error_and_writes_nothing(string name)
    {
        string results = name.Length > 0 ? Path.Combine(directory, name) : directory, page = Path.Combine(directory, "page.html");
        (int code, _, string error) = Run("report", "--results", results, "--out", page);
        Assert.Equal(1, code);
        Assert.Contains(results, error, StringComparison.Ordinal);
        Assert.False(File.Exists(page));
    }

    [Fact]
    public void The_committed_README_of_results_is_what_admmkit_report_writes()
    {
        string results = Path.Combine(LayeringTests.Root, "results");
        ResultsReport report = ResultsReport.Load(results);
        Assert.Empty(report.Problems);
        string committed = File.ReadAllText(Path.Combine(results, "README.md"));
        Assert.True(report.ToMarkdown() == committed, "results/README.md is not up to date: run 'admmkit report' and commit it.");
        Assert.True(
            report.Overview!.ToSvg() == File.ReadAllText(Path.Combine(results, OverviewChart.File)),
            "results/overview.svg is not up to date: run 'admmkit report' and commit it.");
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments) => CommandLineTests.Run(arguments);
}
