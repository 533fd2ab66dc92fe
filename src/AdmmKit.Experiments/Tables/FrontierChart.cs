using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Tables;

/// <summary>Test error over the bytes of the complete file: ours, as written and decoded, and what others published.</summary>
public static class FrontierChart
{
    /// <summary>Draws the picture from rows alone, so that it says what the results say.</summary>
    /// <param name="title">Its title.</param>
    /// <param name="rows">Rows with "top1" (%) and "fileBytes" (B) of a model each.</param>
    public static LineChart Create(string title, IReadOnlyList<ResultRow> rows)
    {
        ArgumentNullException.ThrowIfNull(title);
        ArgumentNullException.ThrowIfNull(rows);
        Point[] ours = Points(rows, r => r.Ours), published = Points(rows, r => r.Paper);
        IEnumerable<ChartSeries> curves = ours.GroupBy(p => ExperimentLine.CurveOf(p.Row)).Select(curve => new ChartSeries(
            curve.Key, [.. curve.Select(p => p.Bytes)], [.. curve.Select(p => p.Error)], SeriesStyle.LineAndMarkers, Spread: [.. curve.Select(p => p.Spread)]));
        var others = new ChartSeries(
            "published", [.. published.Select(p => p.Bytes)], [.. published.Select(p => p.Error)], SeriesStyle.Markers, [.. published.Select(p => p.Row)]);
        return new LineChart(
            title, "complete file (B)", [new ChartPanel("test error (%)", [.. curves, .. published.Length > 0 ? [others] : Array.Empty<ChartSeries>()])],
            AxisScale.Logarithmic);
    }

    private sealed record Point(string Row, double Bytes, double Error, double Spread);

    private static Point[] Points(IEnumerable<ResultRow> rows, Func<ResultRow, double?> value) =>
    [
        .. from line in rows.GroupBy(r => r.Row)
           let accuracy = line.FirstOrDefault(r => r.Quantity == "top1")
           let bytes = line.FirstOrDefault(r => r.Quantity == "fileBytes")
           where accuracy is not null && bytes is not null
           let a = value(accuracy)
           let b = value(bytes)
           where a is not null && b is not null
           orderby b
           select new Point(line.Key, b.Value, 100 - a.Value, accuracy.Spread ?? double.NaN),
    ];
}
