using System.Globalization;
using System.Text;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Notebooks;

/// <summary>Writes a <see cref="Table"/> in its forms.</summary>
internal sealed class TableWriter
{
    // Colours are see-through, so that they suit the page's own light or dark background; the text keeps the page's colour.
    private const string Style = """
        <style>
        .admmkit-table { border-collapse: collapse; margin: .5em 0 }
        .admmkit-table caption { caption-side: top; text-align: left; font-weight: bold; padding: .3em 0; color: inherit }
        .admmkit-table th, .admmkit-table td { padding: .2em .7em; text-align: left; vertical-align: top }
        .admmkit-table td { border-bottom: 1px solid rgba(128,128,128,.35) }
        .admmkit-table th { border-bottom: 2px solid rgba(128,128,128,.6) }
        .admmkit-table .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
        .admmkit-table .strong { font-weight: bold } .admmkit-table .muted { opacity: .65 }
        .admmkit-table .good { background: rgba(0,158,115,.18) } .admmkit-table .notice { background: rgba(230,159,0,.2) }
        .admmkit-table .bad { background: rgba(213,94,0,.25) } .admmkit-table .note { border: 0; opacity: .75 }
        </style>
        """;

    private const string MarkdownSpecials = "\\`*_[]|~$";

    private readonly Table table;
    private readonly IReadOnlyList<string> headers;
    private readonly string[][] texts;
    private readonly bool[] right;
    private readonly string? note;

    public TableWriter(Table table)
    {
        this.table = table;
        IReadOnlyList<TableCell>[] rows = [.. table.Rows.Take(Table.ShownRows)];
        headers = [.. table.Headers.Select(h => Displays.OneLine(h))];
        texts = [.. rows.Select(_ => new string[headers.Count])];
        right = new bool[headers.Count];
        for (int c = 0; c < headers.Count; c++)
        {
            IEnumerable<object?> numbers = rows.Select(r => r[c].Value).Where(NumberText.IsNumber);
            Func<double, string> number = NumberText.Column(numbers.Select(v => NumberText.Value(v!)));
            for (int r = 0; r < rows.Length; r++)
            {
                texts[r][c] = rows[r][c].Value switch
                {
                    null => "",
                    { } v when NumberText.IsNumber(v) => NumberText.Value(v) is var d && double.IsNaN(d) ? "" : number(d),
                    { } v => Displays.OneLine(Displays.TextOf(v)),
                };
            }

            string[] filled = [.. texts.Select(t => t[c]).Where(t => t.Length > 0)];
            right[c] = filled.Length > 0 && filled.All(LooksLikeNumber);
        }

        string? cut = table.Rows.Count > rows.Length
            ? FormattableString.Invariant($"The first {rows.Length} of {table.Rows.Count} rows.") : null;
        note = (table.Note, cut) is (null, null) ? null : Displays.OneLine($"{table.Note} {cut}");
    }

    public string Html()
    {
        var html = new StringBuilder(Style.ReplaceLineEndings("\n")).Append("\n<table class=\"admmkit-table\">\n");
        if (table.Title is { } title)
        {
            html.Append("<caption>").Append(ChartText.Escape(title)).Append("</caption>\n");
        }

        html.Append("<thead><tr>");
        for (int c = 0; c < headers.Count; c++)
        {
            html.Append(right[c] ? "<th class=\"n\" align=\"right\">" : "<th>").Append(ChartText.Escape(headers[c])).Append("</th>");
        }

        html.Append("</tr></thead>\n<tbody>\n");
        for (int r = 0; r < texts.Length; r++)
        {
            html.Append("<tr>");
            for (int c = 0; c < headers.Count; c++)
            {
                CellStyle style = table.Rows[r][c].Style;
                string names = $"{(right[c] ? "n" : "")} {Name(style)}".Trim();
                html.Append("<td").Append(names.Length > 0 ? $" class=\"{names}\"" : "").Append(right[c] ? " align=\"right\">" : ">")
                    .Append(ChartText.Escape(texts[r][c])).Append("</td>");
            }

            html.Append("</tr>\n");
        }

        html.Append("</tbody>\n");
        if (note is not null)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tfoot><tr><td class=\"note\" colspan=\"{Math.Max(1, headers.Count)}\">")
                .Append(ChartText.Escape(note)).Append("</td></tr></tfoot>\n");
        }

        return html.Append("</table>\n").ToString();
    }

    public string Markdown()
    {
        var text = new StringBuilder();
        text.Append(table.Title is { } title ? $"**{Escaped(Displays.OneLine(title))}**\n\n" : "");
        Row(headers.Select(Escaped));
        Row(right.Select(r => r ? "---:" : "---"));
        for (int r = 0; r < texts.Length; r++)
        {
            Row(texts[r].Select((t, c) => table.Rows[r][c].Style == CellStyle.Strong && t.Length > 0 ? $"**{Escaped(t)}**" : Escaped(t)));
        }

        return text.Append(note is null ? "" : $"\n{Escaped(note)}\n").ToString();

        void Row(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    public string Text()
    {
        int[] widths = [.. headers.Select((h, c) => texts.Select(t => t[c].Length).Append(h.Length).Max())];
        var text = new StringBuilder();
        text.Append(table.Title is { } title ? Displays.OneLine(title) + "\n" : "");
        Row(headers);
        Row(widths.Select(w => new string('-', w)));
        foreach (string[] row in texts)
        {
            Row(row);
        }

        return text.Append(note is null ? "" : note + "\n").ToString();

        void Row(IEnumerable<string> cells) => text.Append(
            string.Join("  ", cells.Select((t, c) => right[c] ? t.PadLeft(widths[c]) : t.PadRight(widths[c]))).TrimEnd()).Append('\n');
    }

    public static string Csv(Table table)
    {
        var csv = new StringBuilder();
        Row(table.Headers);
        foreach (IReadOnlyList<TableCell> row in table.Rows)
        {
            Row(row.Select(c => c.Value));
        }

        return csv.ToString();

        void Row(IEnumerable<object?> values) => csv.AppendJoin(',', values.Select(Field)).Append('\n');
    }

    private static string Field(object? value)
    {
        if (value is null || (NumberText.IsNumber(value) && double.IsNaN(NumberText.Value(value))))
        {
            return "";
        }

        string text = Displays.TextOf(value, Displays.ShownCharacters);
        return text.AsSpan().ContainsAny(",\"\n\r") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }

    // Also "12 %", "1,200 KB", "9x" and "-3": a quantity and its unit.
    private static bool LooksLikeNumber(string text) =>
        text.TrimStart('-', '+', '−', '≤', '≥', '<', '>', '~', '≈', ' ') is { Length: > 0 } rest
        && (char.IsAsciiDigit(rest[0]) || rest is "∞" or "–");

    private static string Name(CellStyle style) => style switch
    {
        CellStyle.Strong => "strong",
        CellStyle.Good => "good",
        CellStyle.Notice => "notice",
        CellStyle.Bad => "bad",
        CellStyle.Muted => "muted",
        _ => "",
    };

    private static string Escaped(string text)
    {
        var escaped = new StringBuilder();
        foreach (char c in text)
        {
            escaped.Append(c switch
            {
                '<' => "&lt;",
                '&' => "&amp;",
                _ when MarkdownSpecials.Contains(c, StringComparison.Ordinal) => $"\\{c}",
                _ => c.ToString(),
            });
        }

        return escaped.ToString();
    }
}
