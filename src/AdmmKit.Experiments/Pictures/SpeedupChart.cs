using AdmmKit.Hardware.Fitting;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Pictures;

/// <summary>Speedup by the part pruned, as in Fig. 4 of [Ren2019], for any platform.</summary>
public static class SpeedupChart
{
    // Steps of half a percent: no bend of a law can be seen between them.
    private const int Steps = 200;

    /// <summary>A curve a platform, what the paper prints, where asked for, and on top a mark where each curve passes dense.</summary>
    /// <param name="title">The title.</param>
    /// <param name="curves">The platforms, each with a layer and the name of its curve.</param>
    /// <param name="printed">Published points, or none.</param>
    /// <param name="from">Where the curves begin, in % pruned; below 100.</param>
    /// <param name="scale">How speedup is counted: where one layer gains little and another much, logarithmic.</param>
    /// <exception cref="AdmmKitException">A platform knows nothing of its layer.</exception>
    public static LineChart Create(
        string title, IReadOnlyList<(string Name, Platform Platform, LayerInfo Layer)> curves,
        IReadOnlyList<PublishedSpeedup>? printed = null, double from = 0, AxisScale scale = AxisScale.Linear)
    {
        ArgumentNullException.ThrowIfNull(curves);
        // Sparse, as it is at every point: where a platform may run the layer dense, the curve would stop at 1.
        double[] pruned = [.. Enumerable.Range(0, Steps + 1).Select(i => from + ((100 - from) * i / Steps))];
        double Speedup(Platform platform, LayerInfo layer, double percent) =>
            platform.DenseDelay(layer) / platform.SparseDelay(layer, 1 - (percent / 100));
        var even = curves.Select(c => 100 * (1 - c.Platform.BreakEvenKeepFraction(c.Layer))).Where(p => p > from && p < 100).ToArray();
        List<ChartSeries> series = [.. curves.Select(c => new ChartSeries(
            c.Name, pruned, [.. pruned.Select(p => Speedup(c.Platform, c.Layer, p))], SeriesStyle.Line))];
        if (printed is { Count: > 0 })
        {
            series.Add(new ChartSeries(
                "printed (Tables 8 and 9, Fig. 4)", [.. printed.Select(p => 100 * (1 - p.Density))], [.. printed.Select(p => p.Speedup)],
                SeriesStyle.Markers));
        }

        if (even.Length > 0)
        {
            series.Add(new ChartSeries("break-even", even, [.. even.Select(_ => 1.0)], SeriesStyle.Markers));
        }

        return new LineChart(title, "pruned (%)", [new ChartPanel("speedup (x)", series, scale) { Reference = new(1, "as fast as dense") }]);
    }
}
