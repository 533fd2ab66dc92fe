using System.Globalization;
using System.Text;
using AdmmKit.Experiments.Results;
using static AdmmKit.Experiments.Report.HtmlReport;

namespace AdmmKit.Experiments.Report;

/// <summary>Writes what a result rests on, folded away.</summary>
internal sealed class HtmlManifest(StringBuilder html, HtmlTables tables)
{
    /// <summary>Writes a manifest.</summary>
    public void Write(Manifest manifest)
    {
        html.Append("<details class=\"manifest\"><summary>Manifest: how this was made</summary>\n<dl>\n");
        Fact("command", manifest.CommandLine);
        Fact("commit", manifest.Commit is { } commit ? commit + (manifest.Dirty == true ? ", with changes that are in no commit" : "") : "unknown");
        Fact("data", manifest.Data is { } data ? $"{data.Name} ({data.Source})" : null);
        foreach ((string file, string checksum) in manifest.Data?.Checksums.OrderBy(c => c.Key, StringComparer.Ordinal) ?? Enumerable.Empty<KeyValuePair<string, string>>())
        {
            Fact(file, checksum);
        }

        Fact("first seed", Text(manifest.Seed));
        Fact("processor", $"{manifest.Cpu}, {Text(manifest.Threads)} threads, {string.Join(' ', manifest.Instructions)}");
        Fact("system", $"{manifest.OperatingSystem}, {manifest.Runtime}");
        Fact("started", manifest.StartedUtc.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC");
        Fact("took", FormattableString.Invariant($"{manifest.WallTimeSeconds:#,##0.#} s"));
        Fact("packages", string.Join(", ", manifest.Packages.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key} {p.Value}")));
        Fact("environment", manifest.Environment);
        html.Append("</dl>\n");
        if (manifest.Models.Count > 0)
        {
            Models(manifest.Models);
        }

        if (manifest.Runs.Count > 0)
        {
            Runs(manifest.Runs);
        }

        if (manifest.Recipe is { } recipe)
        {
            html.Append("<details><summary>Recipe</summary>\n<pre>").Append(Escape(recipe.GetRawText().ReplaceLineEndings("\n"))).Append("</pre></details>\n");
        }

        html.Append("</details>\n");
    }

    private void Models(IReadOnlyList<ModelRecord> models)
    {
        html.Append(CultureInfo.InvariantCulture, $"<details><summary>{models.Count} models</summary>\n");
        tables.Plain(
            "Models",
            [("file", false), ("line", false), ("bytes", true), ("survivors", true), ("correct", true), ("images", true), ("SHA-256", false)],
            models.Select(m => (IReadOnlyList<(string, double?)>)[
                (m.File, null), (m.Row, null), (Text(m.Bytes), m.Bytes), (Text(m.Survivors), m.Survivors), (Text(m.Correct), m.Correct),
                (Text(m.Images), m.Images), (m.Sha256, null)]));
        html.Append("</details>\n");
    }

    private void Runs(IReadOnlyList<RunRecord> runs)
    {
        html.Append(CultureInfo.InvariantCulture, $"<details><summary>{runs.Count} steps of training</summary>\n");
        tables.Plain(
            "Steps of training",
            [("variant", false), ("seed", true), ("step", false), ("images", true), ("seconds", true), ("threads", true), ("commit", false)],
            runs.Select(r => (IReadOnlyList<(string, double?)>)[
                (r.Variant, null), (Text(r.Seed), r.Seed), (r.Step, null), (Text(r.Images), r.Images),
                (r.Seconds is { } seconds ? QuantityText.Ours(seconds, "s") : "", r.Seconds), (Text(r.Threads), r.Threads),
                ((r.Commit ?? "unknown") + (r.Dirty == true ? " (dirty)" : ""), null)]));
        html.Append("</details>\n");
    }

    private void Fact(string name, string? value)
    {
        if (!string.IsNullOrWhiteSpace(value))
        {
            html.Append(CultureInfo.InvariantCulture, $"<dt>{Escape(name)}</dt><dd>{Escape(value)}</dd>\n");
        }
    }

    private static string Text(IFormattable number) => number.ToString("#,##0", CultureInfo.InvariantCulture);
}
