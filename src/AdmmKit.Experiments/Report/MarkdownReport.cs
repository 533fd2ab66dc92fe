using System.Globalization;
using System.Text;
using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks;

namespace AdmmKit.Experiments.Report;

/// <summary>Writes a <see cref="ResultsReport"/> as GitHub's Markdown: <c>results/README.md</c>.</summary>
internal static class MarkdownReport
{
    private const int PicturesAtOnce = 2;

    private const string Head = """
        # Results

        One folder an experiment: `rows.csv` (the paper's value, ours as the mean over seeds, half the width of its 95 % interval, the
        status), `manifest.json` (commit, command, recipes, runs, machine, data checksums, and of every model its SHA-256 and its count
        of correct test images), pictures, and the compressed models themselves. Tables by accounting have `notes.md`, which explains
        every difference from the print.

        This file is written by `admmkit report`, which also writes all of it as one page, `out/report.html`. The results come from

        ```
        admmkit reproduce table1 table5 baselines --full --replicates 3 --out results
        admmkit reproduce rho order moderate --full --out results
        admmkit reproduce table2 table3 table4 table6 table7 table8 table9 section4.3 figure4 hardware-fit simulator --out results
        admmkit platform measure --architecture lenet5 --architecture resnet20 --architecture alexnet --out results/cpu-platform
        admmkit search lenet5 --platform admm-nn-40nm --platform results/cpu-platform/cpu.json --objective survivors --objective delay --objective energy --replicates 3 --out results/figure5-lenet5
        admmkit search resnet20 --objective survivors --objective delay --out results/figure5-resnet20
        admmkit time results/figure5-lenet5/...-seed1.admm results/figure5-resnet20/...-seed1.admm --platform results/cpu-platform/cpu.json --seconds 5 --out results/cpu-time
        admmkit reproduce section5.1 --full --replicates 3 --out results
        admmkit verify results --data DIR
        ```

        The first two take about an hour and a half of two quiet cores and can be cut off at any time. The last decodes every model, counts
        its correct images again, computes the tables without training and the platforms' delays again, and compares all of it with the rows; without the data it still checks the rest.
        A folder that is not here has not been run for publication.

        """;

    public static string Write(ResultsReport report, string toResults)
    {
        var text = new StringBuilder(Head.ReplaceLineEndings("\n"));
        if (report.Overview is { } overview)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n!{Link(overview.Title, toResults + OverviewChart.File)}\n");
        }

        Summary(report, toResults, text);
        foreach (ReportFolder folder in report.Folders)
        {
            Folder(folder, toResults, text);
        }

        return text.ToString();
    }

    private static void Summary(ResultsReport report, string toResults, StringBuilder text)
    {
        text.Append("\n## Summary\n\n| status | values | meaning |\n|---|---:|---|\n");
        foreach ((string status, string meaning) in ReportWords.Meanings)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {(status.Length > 0 ? $"**{status}**" : "none")} | {report.Count(status)} | {meaning} |\n");
        }

        text.Append("\n### What is missed\n\n");
        if (report.Missed.Count == 0)
        {
            text.Append("Nothing: no value is worse than printed.\n");
        }
        else
        {
            text.Append("| where | line | quantity | ours | paper |\n|---|---|---|---:|---:|\n");
            foreach ((string folder, ResultRow row) in report.Missed)
            {
                text.Append(CultureInfo.InvariantCulture, $"| {Link(folder, toResults + folder)} | {Escape(row.Row)} | {Escape(QuantityText.Heading(row.Quantity, row.Unit))} ");
                text.Append(CultureInfo.InvariantCulture, $"| {QuantityText.Measured(row)} | {(row.Paper is { } paper ? QuantityText.Paper(paper, row.Unit) : "")} |\n");
            }
        }

        if (report.Problems.Count > 0)
        {
            text.Append("\n### What could not be read\n\n");
            foreach (string problem in report.Problems)
            {
                text.Append(CultureInfo.InvariantCulture, $"- {Escape(problem)}\n");
            }
        }

        text.Append("\nIn the tables below a cell has our value, half the width of its 95 % interval, the paper's value in parentheses, and the status.\n");
    }

    private static void Folder(ReportFolder folder, string toResults, StringBuilder text)
    {
        string way = toResults + folder.Name;
        text.Append(CultureInfo.InvariantCulture, $"\n## {Escape(folder.Title)}\n\nFolder: {Link(folder.Name, way)}");
        text.Append(folder.Notes is null ? "" : $"; {Link("notes", way + "/notes.md")}");
        text.Append(folder.Manifest?.Data is { } data ? $"; measured on {Escape(data.Name)}" : "").Append(".\n\n");
        ReportSelection selection = ReportSelection.Of(folder);
        Table(selection.First, selection.First.Lines() > ReportSelection.MaxLines
            ? FormattableString.Invariant($"Table of {selection.First.Lines()} lines") : null, text);
        Table(selection.More, ReportWords.More(selection), text);
        for (int i = 0; i < folder.Pictures.Count; i++)
        {
            string picture = folder.Pictures[i].File;
            text.Append(i < PicturesAtOnce ? $"!{Link($"{folder.Title}: {Path.GetFileNameWithoutExtension(picture)}", $"{way}/{picture}")}\n\n"
                : i == PicturesAtOnce ? $"More pictures: {Link(picture, $"{way}/{picture}")}"
                : $", {Link(picture, $"{way}/{picture}")}");
        }

        text.Append(folder.Pictures.Count > PicturesAtOnce ? ".\n" : "");
        while (text[^1] == '\n' && text[^2] == '\n')
        {
            text.Length--;
        }
    }

    private static void Table(ComparisonTable values, string? summary, StringBuilder text)
    {
        if (values.Values.Count == 0)
        {
            return;
        }

        // The title stands above, and what a cell has at the top.
        string table = (values.ToTable() with { Title = null, Note = null }).ToMarkdown();
        text.Append(summary is null ? table : $"<details><summary>{Escape(summary)}</summary>\n\n{table}\n</details>\n").Append('\n');
    }

    private static string Link(string words, string way) =>
        $"[{Escape(words)}]({string.Join('/', way.Split('/').Select(Uri.EscapeDataString)).Replace("(", "%28", StringComparison.Ordinal).Replace(")", "%29", StringComparison.Ordinal)})";

    private static string Escape(string words)
    {
        var text = new StringBuilder();
        foreach (char c in words)
        {
            text.Append(c switch
            {
                '<' => "&lt;",
                '&' => "&amp;",
                '\\' or '`' or '*' or '_' or '[' or ']' or '|' or '~' or '$' or '!' => $"\\{c}",
                _ when char.IsControl(c) => " ",
                _ => c.ToString(),
            });
        }

        return text.ToString();
    }
}
