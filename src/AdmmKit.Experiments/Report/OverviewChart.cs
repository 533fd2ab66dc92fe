using System.Text.RegularExpressions;
using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Report;

/// <summary>One picture of Table 1 and of the methods that ADMM is compared with: test error over compressionRatio, ours and printed.</summary>
public static partial class OverviewChart
{
    /// <summary>The picture's name in the directory of results.</summary>
    public const string File = "overview.svg";

    // Below this the methods do not differ, and the picture would be mostly empty.
    private const double LeastCompressionRatio = 5;

    /// <summary>Draws the picture from rows alone, so that it says what the results say.</summary>
    /// <param name="table1">Rows of Table 1.</param>
    /// <param name="baselines">Rows of the baselines; may be empty.</param>
    /// <returns>The chart, or null where there is nothing of ours to draw.</returns>
    public static LineChart? Create(IReadOnlyList<ResultRow> table1, IReadOnlyList<ResultRow> baselines)
    {
        ArgumentNullException.ThrowIfNull(table1);
        ArgumentNullException.ThrowIfNull(baselines);
        Point[] measured = [.. Points(table1, r => r.Ours), .. Points(baselines, r => r.Ours).Where(p => !p.Row.StartsWith("ADMM ", StringComparison.Ordinal))];
        ChartSeries[] curves = [.. measured.GroupBy(p => Method(p.Row)).Where(g => g.Count() > 1).Select(g => Series(g.Key, g, SeriesStyle.LineAndMarkers) with { Spread = [.. g.OrderBy(p => p.CompressionRatio).Select(p => p.Spread)] })];
        if (curves.Length == 0)
        {
            return null;
        }

        Point[] printed = [.. Points(table1, r => r.Paper)];
        ChartSeries published = Series("printed in the paper", printed, SeriesStyle.Markers) with
        {
            Labels = [.. printed.OrderBy(p => p.CompressionRatio).Select(p => p.Row.Replace("AdmmKit", "ADMM-NN", StringComparison.Ordinal))],
        };
        (int fewest, int most) = (measured.Min(p => p.Seeds), measured.Max(p => p.Seeds));
        string seeds = fewest == most ? FormattableString.Invariant($"{most}") : FormattableString.Invariant($"{fewest} to {most}");
        return new LineChart(
            FormattableString.Invariant($"LeNet-5 on MNIST: pruned this far, wrong this often (ours: mean of {seeds} seeds, 95 % intervals)"),
            "compressionRatio (weights / survivors)", [new ChartPanel("test error (%)", [.. curves, published])], AxisScale.Logarithmic);
    }

    private sealed record Point(string Row, double CompressionRatio, double Error, double Spread, int Seeds);

    private static IEnumerable<Point> Points(IEnumerable<ResultRow> rows, Func<ResultRow, double?> value) =>
        from line in rows.GroupBy(r => r.Row)
        let accuracy = line.FirstOrDefault(r => r.Quantity == "top1")
        let compression = line.FirstOrDefault(r => r.Quantity == "compressionRatio")
        where accuracy is not null && compression is not null
        let a = value(accuracy)
        let c = value(compression)
        where a is not null && c >= LeastCompressionRatio
        select new Point(line.Key, c.Value, 100 - a.Value, accuracy.Spread ?? double.NaN, accuracy.Seeds);

    private static ChartSeries Series(string name, IEnumerable<Point> points, SeriesStyle style)
    {
        Point[] ordered = [.. points.OrderBy(p => p.CompressionRatio)];
        return new ChartSeries(name, [.. ordered.Select(p => p.CompressionRatio)], [.. ordered.Select(p => p.Error)], style);
    }

    /// <summary>"ADMM, split by the scan, 85x" without its last word, which says how far.</summary>
    private static string Method(string row) => HowFar().Replace(row, "") is { Length: > 0 } method && method != "AdmmKit" ? method : "ADMM";

    [GeneratedRegex(",? [0-9.]+x$")]
    private static partial Regex HowFar();
}
