using System.Globalization;
using System.Security;
using System.Security.Cryptography;
using System.Text;
using AdmmKit.Experiments.Results;

namespace AdmmKit.Experiments.Report;

/// <summary>Writes a <see cref="ResultsReport"/> as one page. Whatever comes from files is escaped; the page may load nothing.</summary>
internal sealed class HtmlReport
{
    private const int PicturesAtOnce = 2;
    private const int NoteLinesAtOnce = 30;

    private readonly ResultsReport report;
    private readonly StringBuilder html = new();
    private readonly HtmlTables tables;
    private int pictures;

    private HtmlReport(ResultsReport report) => (this.report, tables) = (report, new HtmlTables(html));

    public static string Write(ResultsReport report)
    {
        var writer = new HtmlReport(report);
        writer.Page();
        return writer.html.ToString();
    }

    /// <summary>Text that a browser reads as text.</summary>
    public static string Escape(string text) => SecurityElement.Escape(text);

    /// <summary>A status as a word on its colour.</summary>
    public static string Chip(string status) => $"<span class=\"status {status}\">{status}</span>";

    private void Page()
    {
        string script = Asset("report.js"), style = Asset("report.css");
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)));
        html.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        // The only script is ours; styles are ours and those of the pictures, which are rewritten; nothing is fetched.
        html.Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; ");
        html.Append(CultureInfo.InvariantCulture, $"style-src 'unsafe-inline'; script-src 'sha256-{hash}'\">\n");
        html.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n");
        html.Append("<title>AdmmKit: results beside the paper</title>\n<style>\n").Append(style).Append("</style>\n</head>\n<body>\n");
        Contents();
        html.Append("<main>\n<h1>AdmmKit: results beside the paper</h1>\n");
        html.Append("<p class=\"about\">Every number of ADMM-NN (Ren et al., ASPLOS 2019) that is reproduced, and what was measured besides. ");
        html.Append("A cell has our value, the mean over seeds with half the width of its 95 % interval, then the paper's value and the status.</p>\n");
        Summary();
        foreach (ReportFolder folder in report.Folders)
        {
            Folder(folder);
        }

        html.Append("</main>\n<script>").Append(script).Append("</script>\n</body>\n</html>\n");
    }

    private void Contents()
    {
        html.Append("<nav aria-label=\"Contents\">\n<h2>Contents</h2>\n<ol>\n");
        foreach (ReportFolder folder in report.Folders)
        {
            html.Append(CultureInfo.InvariantCulture, $"<li data-status=\"{Statuses(folder)}\"><a href=\"#{Anchor(folder)}\">{Escape(folder.Title)}</a>");
            int missed = folder.Rows.Count(r => r.Status == ResultStatus.Missed);
            html.Append(missed > 0 ? FormattableString.Invariant($" <span class=\"status missed\">{missed} missed</span>") : "");
            html.Append(folder.Problems.Count > 0 ? " <span class=\"status missed\">damaged</span>" : "").Append("</li>\n");
        }

        html.Append("</ol>\n</nav>\n");
    }

    private void Summary()
    {
        html.Append("<section id=\"summary\">\n<h2>Summary</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th>status</th><th class=\"n\">values</th><th>meaning</th></tr></thead>\n<tbody>\n");
        foreach ((string status, string meaning) in ReportWords.Meanings)
        {
            string name = status.Length > 0 ? Chip(status) : "none";
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{name}</td><td class=\"n\">{report.Count(status)}</td><td>{meaning}</td></tr>\n");
        }

        html.Append("</tbody>\n</table></div>\n");
        if (report.Overview is { } overview)
        {
            Picture(overview.ToSvg(), OverviewChart.File);
        }

        html.Append("<h3>What is missed</h3>\n");
        if (report.Missed.Count == 0)
        {
            html.Append("<p>Nothing: no value is worse than printed.</p>\n");
        }
        else
        {
            tables.Missed([.. report.Folders.SelectMany(f => f.Rows.Where(r => r.Status == ResultStatus.Missed).Select(r => (Anchor(f), f.Title, r)))]);
        }

        if (report.Problems.Count > 0)
        {
            html.Append("<div class=\"damaged\"><h3>What could not be read</h3>\n<ul>\n");
            foreach (string problem in report.Problems)
            {
                html.Append("<li>").Append(Escape(problem)).Append("</li>\n");
            }

            html.Append("</ul></div>\n");
        }

        html.Append("<fieldset id=\"filter\" hidden>\n<legend>Show lines with a value that is</legend>\n");
        foreach (string status in ReportWords.Meanings.Select(m => m.Status).Where(s => s.Length > 0).Prepend(""))
        {
            string name = status.Length > 0 ? Chip(status) : "all lines", chosen = status.Length > 0 ? "" : " checked";
            html.Append(CultureInfo.InvariantCulture, $"<label><input type=\"radio\" name=\"status\" value=\"{status}\"{chosen}> {name}</label>\n");
        }

        html.Append("</fieldset>\n</section>\n");
    }

    private void Folder(ReportFolder folder)
    {
        html.Append(CultureInfo.InvariantCulture, $"<section class=\"folder\" id=\"{Anchor(folder)}\" data-status=\"{Statuses(folder)}\">\n<h2>{Escape(folder.Title)}</h2>\n<p class=\"about\">");
        html.Append(CultureInfo.InvariantCulture, $"<code>results/{Escape(folder.Name)}</code> ");
        foreach (var group in folder.Rows.Where(r => r.Status.Length > 0).GroupBy(r => r.Status).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            html.Append(CultureInfo.InvariantCulture, $"<span class=\"status {group.Key}\">{group.Count()} {group.Key}</span> ");
        }

        html.Append(folder.Manifest?.Data is { } data ? $"measured on {Escape(data.Name)}" : "").Append("</p>\n");
        foreach (string problem in folder.Problems)
        {
            html.Append("<p class=\"damaged\">").Append(Escape(problem)).Append("</p>\n");
        }

        Values(folder);
        Notes(folder);
        Pictures(folder);
        if (folder.Manifest is { } manifest)
        {
            new HtmlManifest(html, tables).Write(manifest);
        }

        html.Append("</section>\n");
    }

    private void Values(ReportFolder folder)
    {
        ReportSelection selection = ReportSelection.Of(folder);
        string? common = ReportSelection.Common(folder);
        if (selection.First.Values.Count > 0)
        {
            tables.Values(selection.First, folder.Title, common, selection.First.Lines() > ReportSelection.MaxLines
                ? FormattableString.Invariant($"Table of {selection.First.Lines()} lines") : null);
        }

        if (selection.More.Values.Count > 0)
        {
            tables.Values(selection.More, folder.Title + ": more", common, ReportWords.More(selection));
        }
    }

    private void Notes(ReportFolder folder)
    {
        if (folder.Notes is { } notes)
        {
            string open = notes.Count(c => c == '\n') <= NoteLinesAtOnce ? " open" : "";
            html.Append(CultureInfo.InvariantCulture, $"<details class=\"notes fold\"{open}><summary>Notes</summary>\n{NotesHtml.Render(notes)}</details>\n");
        }
    }

    private void Pictures(ReportFolder folder)
    {
        for (int i = 0; i < folder.Pictures.Count; i++)
        {
            if (i == PicturesAtOnce)
            {
                html.Append(CultureInfo.InvariantCulture, $"<details class=\"fold\"><summary>{folder.Pictures.Count - i} more pictures</summary>\n");
            }

            Picture(folder.Pictures[i].Svg, folder.Pictures[i].File);
        }

        html.Append(folder.Pictures.Count > PicturesAtOnce ? "</details>\n" : "");
    }

    private void Picture(string svg, string caption)
    {
        string id = FormattableString.Invariant($"picture{++pictures}");
        html.Append(CultureInfo.InvariantCulture, $"<figure id=\"{id}\">{SafeSvg.Clean(svg, id)}");
        html.Append(CultureInfo.InvariantCulture, $"<figcaption>{Escape(caption)}</figcaption></figure>\n");
    }

    private static string Statuses(ReportFolder folder) =>
        string.Join(' ', folder.Rows.Select(r => r.Status).Where(s => s.Length > 0).Distinct().Order(StringComparer.Ordinal));

    // Names of folders are file names: they may hold anything.
    private static string Anchor(ReportFolder folder) =>
        "results-" + string.Concat(folder.Name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c.ToString() : FormattableString.Invariant($"_{(int)c}")));

    private static string Asset(string name)
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
