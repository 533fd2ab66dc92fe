using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Pictures;

/// <summary>Bar charts of rows of results.</summary>
public static class RowChart
{
    /// <summary>The paper's value beside ours of one quantity, one pair a line; lines without either are left out.</summary>
    /// <param name="title">The title.</param>
    /// <param name="yTitle">What the bars show, with its unit.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="quantity">The quantity.</param>
    /// <param name="unit">How much of the rows' unit is one of the axis, such as 1e6 for MB.</param>
    /// <param name="ours">What our values are called: "recomputed" where they are quotients of what is printed.</param>
    /// <exception cref="AdmmKitException">No line has the quantity; the nearest one is suggested.</exception>
    public static BarChart PaperAndOurs(string title, string yTitle, IEnumerable<ResultRow> rows, string quantity, double unit = 1, string ours = "ours")
    {
        ArgumentNullException.ThrowIfNull(rows);
        ResultRow[] all = [.. rows], shown = [.. all.Where(r => r.Quantity == quantity && (r.Paper ?? r.Ours) is not null)];
        return shown.Length == 0
            ? throw new AdmmKitException(Names.Unknown("quantity", quantity, [.. all.Select(r => r.Quantity).Distinct()]))
            : new BarChart(title, "", yTitle, [.. shown.Select(r => r.Row)],
            [
                new("paper", [.. shown.Select(r => r.Paper / unit ?? double.NaN)]),
                new(ours, [.. shown.Select(r => r.Ours / unit ?? double.NaN)]),
            ]);
    }

    /// <summary>Several quantities of several lines, ours or else the paper's: one bar a line, stacked of the quantities.</summary>
    /// <param name="title">The title.</param>
    /// <param name="yTitle">What the bars show, with its unit.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="lines">The lines, and what stands below their bars.</param>
    /// <param name="parts">The quantities, and their names in the legend.</param>
    /// <param name="unit">How much of the rows' unit is one of the axis.</param>
    /// <param name="reference">A level to compare with, in the axis' unit; or null.</param>
    /// <exception cref="AdmmKitException">A line or quantity is not there, or has no value; the nearest one is suggested.</exception>
    public static BarChart Stacked(
        string title, string yTitle, IReadOnlyList<ResultRow> rows, IReadOnlyList<(string Row, string Label)> lines,
        IReadOnlyList<(string Quantity, string Label)> parts, double unit = 1, ReferenceLine? reference = null) => new(
        title, "", yTitle, [.. lines.Select(l => l.Label)],
        [.. parts.Select(p => new BarSeries(p.Label, [.. lines.Select(l => rows.Known(l.Row, p.Quantity) / unit)]))])
        {
            Layout = BarLayout.Stacked,
            Reference = reference,
        };

    /// <summary>Several quantities of several lines, ours or else the paper's: a group of bars a quantity, one bar a line.</summary>
    /// <param name="title">The title.</param>
    /// <param name="yTitle">What the bars show, with its unit.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="lines">The lines, and their names in the legend.</param>
    /// <param name="parts">The quantities, and what stands below their groups.</param>
    /// <param name="unit">How much of the rows' unit is one of the axis.</param>
    /// <param name="reference">A level to compare with, in the axis' unit; or null.</param>
    /// <exception cref="AdmmKitException">A line or quantity is not there, or has no value; the nearest one is suggested.</exception>
    public static BarChart Grouped(
        string title, string yTitle, IReadOnlyList<ResultRow> rows, IReadOnlyList<(string Row, string Label)> lines,
        IReadOnlyList<(string Quantity, string Label)> parts, double unit = 1, ReferenceLine? reference = null) => new(
        title, "", yTitle, [.. parts.Select(p => p.Label)],
        [.. lines.Select(l => new BarSeries(l.Label, [.. parts.Select(p => rows.Known(l.Row, p.Quantity) / unit)]))])
        {
            Reference = reference,
        };

    /// <summary>What each part is of its bar's whole, in %: where weights are, and where operations are.</summary>
    /// <param name="title">The title.</param>
    /// <param name="parts">The parts, such as layers.</param>
    /// <param name="bars">The bars, and the size of each part in them; none all zero.</param>
    public static BarChart Shares(
        string title, IReadOnlyList<string> parts, IReadOnlyList<(string Label, IReadOnlyList<double> Sizes)> bars) => new(
        title, "", "share (%)", [.. bars.Select(b => b.Label)],
        [.. parts.Select((part, i) => new BarSeries(part, [.. bars.Select(b => 100 * b.Sizes[i] / b.Sizes.Sum())]))])
        {
            Layout = BarLayout.Stacked,
        };
}
