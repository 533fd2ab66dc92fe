using System.Globalization;
using System.Text;
using AdmmKit.Experiments.Results;
using static AdmmKit.Experiments.Report.HtmlReport;

namespace AdmmKit.Experiments.Report;

/// <summary>Writes the tables of a page: sortable, scrolled sideways where they are too wide.</summary>
internal sealed class HtmlTables(StringBuilder html)
{
    /// <summary>Writes the values of a folder.</summary>
    /// <param name="table">The values.</param>
    /// <param name="label">Names the table for those who do not see it.</param>
    /// <param name="common">The status of all of them, which is then said once and not in each cell; or null.</param>
    /// <param name="summary">What it is folded under; null where it is open.</param>
    public void Values(ComparisonTable table, string label, string? common, string? summary)
    {
        html.Append(summary is null ? "" : $"<details class=\"fold\"><summary>{Escape(summary)}</summary>\n");
        Begin(label, " values");
        switch (table.Layout)
        {
            case ComparisonLayout.Wide:
                Head([("", false), .. table.Columns.Select(c => (c.Heading, true))]);
                foreach (string row in table.Rows)
                {
                    Line(row, [.. table.Columns.Select(c => table[row, c])], common);
                }

                break;
            case ComparisonLayout.Turned:
                Head([("", false), .. table.Rows.Select(r => (r, true))]);
                foreach (ComparisonColumn column in table.Columns)
                {
                    Line(column.Heading, [.. table.Rows.Select(r => table[r, column])], common);
                }

                break;
            default:
                Head([("", false), ("quantity", false), ("value", true)]);
                foreach (ResultRow value in table.Values)
                {
                    Line(value.Row, [value], common, QuantityText.Heading(value.Quantity, value.Unit));
                }

                break;
        }

        End();
        html.Append(summary is null ? "" : "</details>\n");
    }

    /// <summary>Writes values that are missed, with where they stand.</summary>
    public void Missed(IReadOnlyList<(string Anchor, string Title, ResultRow Row)> values)
    {
        Begin("What is missed", "");
        Head([("where", false), ("line", false), ("quantity", false), ("ours", true), ("paper", true)]);
        foreach ((string anchor, string title, ResultRow row) in values)
        {
            string ours = QuantityText.Measured(row) ?? "", paper = row.Paper is { } p ? QuantityText.Paper(p, row.Unit) : "";
            html.Append(CultureInfo.InvariantCulture, $"<tr><td><a href=\"#{anchor}\">{Escape(title)}</a></td><td>{Escape(row.Row)}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{Escape(QuantityText.Heading(row.Quantity, row.Unit))}</td>");
            html.Append(CultureInfo.InvariantCulture, $"<td class=\"n\"{Key(row.Ours)}>{Escape(ours)}</td><td class=\"n\"{Key(row.Paper)}>{Escape(paper)}</td></tr>\n");
        }

        End();
    }

    /// <summary>Writes a table of text and numbers.</summary>
    /// <param name="label">Names it.</param>
    /// <param name="headings">The headings; whether what stands below is a number.</param>
    /// <param name="lines">Cells, with the number that they are sorted by.</param>
    public void Plain(string label, IReadOnlyList<(string Text, bool Number)> headings, IEnumerable<IReadOnlyList<(string Text, double? Key)>> lines)
    {
        Begin(label, "");
        Head(headings);
        foreach (IReadOnlyList<(string Text, double? Key)> line in lines)
        {
            html.Append("<tr>");
            for (int i = 0; i < line.Count; i++)
            {
                html.Append(CultureInfo.InvariantCulture, $"<td{(headings[i].Number ? " class=\"n\"" : "")}{Key(line[i].Key)}>{Escape(line[i].Text)}</td>");
            }

            html.Append("</tr>\n");
        }

        End();
    }

    private void Line(string name, ResultRow?[] values, string? common, string? quantity = null)
    {
        string statuses = string.Join(' ', values.OfType<ResultRow>().Select(v => v.Status).Where(s => s.Length > 0).Distinct());
        html.Append(CultureInfo.InvariantCulture, $"<tr data-status=\"{statuses}\"><th scope=\"row\">{Words(name)}</th>");
        html.Append(quantity is null ? "" : $"<td>{Escape(quantity)}</td>");
        foreach (ResultRow? value in values)
        {
            Cell(value, common);
        }

        html.Append("</tr>\n");
    }

    private void Cell(ResultRow? value, string? common)
    {
        if (value is null)
        {
            html.Append("<td class=\"n\"></td>");
            return;
        }

        string seeds = value.Seeds > 0 ? FormattableString.Invariant($"{value.Seeds} {(value.Seeds == 1 ? "seed" : "seeds")}; ") : "";
        html.Append(CultureInfo.InvariantCulture, $"<td class=\"n\"{Key(value.Ours ?? value.Paper)} title=\"{Escape(seeds + value.Source)}\">");
        if (QuantityText.Measured(value) is { } ours)
        {
            string text = Escape(ours);
            int at = text.IndexOf(" ± ", StringComparison.Ordinal);
            html.Append("<span>").Append(at < 0 ? text : $"{text[..at]} <span class=\"pm\">{text[(at + 1)..]}</span>").Append("</span>");
        }

        html.Append(value.Paper is { } paper ? $"<span class=\"paper\">paper {Escape(QuantityText.Paper(paper, value.Unit))}</span>" : "");
        html.Append(value.Status.Length > 0 && value.Status != common ? Chip(value.Status) : "").Append("</td>");
    }

    // "top-1" is one word.
    private static string Words(string text) => Escape(text).Replace("top-", "top\u2011", StringComparison.Ordinal);

    private static string Key(double? value) => value is { } v ? FormattableString.Invariant($" data-value=\"{v:R}\"") : "";

    private void Begin(string label, string classes) =>
        html.Append(CultureInfo.InvariantCulture, $"<div class=\"scroll{classes}\" role=\"region\" tabindex=\"0\" aria-label=\"{Escape(label)}\"><table class=\"sortable\">\n");

    private void Head(IReadOnlyList<(string Text, bool Number)> headings)
    {
        html.Append("<thead><tr>");
        foreach ((string text, bool number) in headings)
        {
            string name = text.Length > 0 ? Words(text) : "line";
            html.Append(CultureInfo.InvariantCulture, $"<th scope=\"col\"{(number ? " class=\"n\"" : "")} aria-sort=\"none\"><button type=\"button\">{name}</button></th>");
        }

        html.Append("</tr></thead>\n<tbody>\n");
    }

    private void End() => html.Append("</tbody>\n</table></div>\n");
}
