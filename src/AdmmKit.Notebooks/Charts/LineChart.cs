using System.Text;
using AdmmKit.Storage;

namespace AdmmKit.Notebooks.Charts;

/// <summary>How an axis counts.</summary>
public enum AxisScale
{
    /// <summary>Equal steps are equal differences.</summary>
    Linear,

    /// <summary>Equal steps are equal ratios; values that are not positive are left out.</summary>
    Logarithmic,
}

/// <summary>What is drawn at the points of a series.</summary>
public enum SeriesStyle
{
    /// <summary>A line, and a marker at each point unless there are very many.</summary>
    LineAndMarkers,

    /// <summary>A line only.</summary>
    Line,

    /// <summary>Markers only: points with no order, such as measurements beside a fitted curve.</summary>
    Markers,
}

/// <summary>A series of points. A coordinate that is not a finite number leaves a gap.</summary>
/// <param name="Name">Its name in the legend. Series of the same name in several panels share their colour.</param>
/// <param name="X">Where the points are.</param>
/// <param name="Y">Their values, as many.</param>
/// <param name="Style">Line, markers or both.</param>
/// <param name="Labels">Names of the points, as many, written beside them; or null.</param>
/// <param name="Spread">Half the width of each point's interval, as many, drawn as error bars; NaN where there is none; or null.</param>
public sealed record ChartSeries(
    string Name, IReadOnlyList<double> X, IReadOnlyList<double> Y, SeriesStyle Style = SeriesStyle.LineAndMarkers,
    IReadOnlyList<string>? Labels = null, IReadOnlyList<double>? Spread = null);

/// <summary>One plot of a chart.</summary>
/// <param name="YTitle">What the y axis shows, with its unit: "accuracy (%)".</param>
/// <param name="Series">The series.</param>
/// <param name="YScale">How the y axis counts.</param>
public sealed record ChartPanel(string YTitle, IReadOnlyList<ChartSeries> Series, AxisScale YScale = AxisScale.Linear)
{
    /// <summary>A level to compare with; or none.</summary>
    public ReferenceLine? Reference { get; init; }
}

/// <summary>A picture that is written as SVG, which reads in light and dark, and as a Plotly figure of the same content.</summary>
public interface IChart : IDisplayable
{
    /// <summary>The chart as a stand-alone SVG document.</summary>
    /// <exception cref="AdmmKitException">The chart is not complete.</exception>
    string ToSvg();

    /// <summary>The chart as a Plotly figure: {"data": [...], "layout": {...}}.</summary>
    /// <exception cref="AdmmKitException">The chart is not complete.</exception>
    string ToPlotlyJson();

    /// <summary>The title and the numbers, or what can be said of many, in a few lines.</summary>
    /// <exception cref="AdmmKitException">The chart is not complete.</exception>
    string ToText();
}

/// <summary>What can be done with every chart.</summary>
public static class ChartFiles
{
    /// <summary>Writes the SVG, and the Plotly figure beside it with the ending <c>.plotly.json</c>.</summary>
    /// <param name="chart">The chart.</param>
    /// <param name="svgPath">The SVG file.</param>
    /// <exception cref="AdmmKitException">The chart is not complete, or a file cannot be written.</exception>
    public static void Save(this IChart chart, string svgPath)
    {
        ArgumentNullException.ThrowIfNull(chart);
        (string svg, string json) = (chart.ToSvg(), chart.ToPlotlyJson());
        AtomicFile.Write(svgPath, s => s.Write(Encoding.UTF8.GetBytes(svg)));
        AtomicFile.Write(Path.ChangeExtension(svgPath, ".plotly.json"), s => s.Write(Encoding.UTF8.GetBytes(json)));
    }
}

/// <summary>
/// A line chart of one or several plots, one below the other over the same x axis (accuracy above, residuals below).
/// It is written as SVG that reads in light and dark, and as a Plotly figure of the same content.
/// </summary>
/// <param name="Title">The title.</param>
/// <param name="XTitle">What the x axis shows, with its unit.</param>
/// <param name="Panels">The plots from top to bottom, at least one.</param>
/// <param name="XScale">How the x axis counts.</param>
[TypeFormatterSource(typeof(ChartForms))]
public sealed record LineChart(string Title, string XTitle, IReadOnlyList<ChartPanel> Panels, AxisScale XScale = AxisScale.Linear) : IChart
{
    /// <summary>Points alone, with their labels where they have some: measurements, or methods by accuracy and size.</summary>
    /// <param name="title">The title.</param>
    /// <param name="xTitle">What the x axis shows, with its unit.</param>
    /// <param name="yTitle">What the y axis shows, with its unit.</param>
    /// <param name="series">The points.</param>
    public static LineChart Scatter(string title, string xTitle, string yTitle, params IReadOnlyList<ChartSeries> series) =>
        new(title, xTitle, [new ChartPanel(yTitle, [.. series.Select(s => s with { Style = SeriesStyle.Markers })])]);

    /// <summary>The chart as a stand-alone SVG document.</summary>
    /// <exception cref="AdmmKitException">There is no panel, or a series has not as many x as y, or as labels or spreads.</exception>
    public string ToSvg() => new SvgWriter(Checked()).Write();

    /// <summary>The chart as a Plotly figure: {"data": [...], "layout": {...}}.</summary>
    /// <exception cref="AdmmKitException">As for <see cref="ToSvg"/>.</exception>
    public string ToPlotlyJson() => PlotlyWriter.Write(Checked());

    /// <summary>The title and each series in a line.</summary>
    /// <exception cref="AdmmKitException">As for <see cref="ToSvg"/>.</exception>
    public string ToText()
    {
        IEnumerable<string> Lines(ChartPanel panel) =>
            ChartBundle.Lines(
                [
                    .. panel.Series.Select(s => ChartBundle.Line(s.Name, s.Y, i => PointName(s, i))),
                    .. panel.Reference is { } r ? [$"  {ChartBundle.Name(r.Name)}: {NumberText.Short(r.Value)}"] : Array.Empty<string>(),
                ])
                .Prepend(ChartBundle.Heading(panel.YTitle, XTitle));
        return string.Join('\n', [ChartBundle.Name(Title), .. Checked().Panels.SelectMany(Lines), ""]);
    }

    /// <inheritdoc/>
    public MimeBundle ToBundle() => ChartBundle.Of(Title, ToSvg(), ToPlotlyJson(), ToText());

    private static string PointName(ChartSeries series, int index) =>
        series.Labels is { } labels ? ChartBundle.Name(labels[index]) : NumberText.Short(series.X[index]);

    /// <summary>Names of all series in order of appearance; the place in it chooses the colour.</summary>
    internal IReadOnlyList<string> SeriesNames => [.. Panels.SelectMany(p => p.Series).Select(s => s.Name).Distinct()];

    private LineChart Checked()
    {
        if (Panels.Count == 0)
        {
            throw new AdmmKitException($"The chart '{Title}' has no panel: give it at least one.");
        }

        ChartSeries? bad = Panels.SelectMany(p => p.Series)
            .FirstOrDefault(s => new[] { s.Y.Count, s.Labels?.Count, s.Spread?.Count }.Any(n => n is { } count && count != s.X.Count));
        return bad is null ? this : throw new AdmmKitException(FormattableString.Invariant(
            $"Series '{bad.Name}' of the chart '{Title}' has {bad.X.Count} x, {bad.Y.Count} y, {bad.Labels?.Count ?? 0} labels and ")
            + FormattableString.Invariant($"{bad.Spread?.Count ?? 0} spreads: give as many of each, or no labels and no spreads."));
    }
}

/// <summary>
/// The colours of Okabe and Ito (2008), told apart with any kind of colour blindness, in an order whose first ones differ
/// most. Black and yellow are left out: each vanishes on one of the two backgrounds.
/// </summary>
internal static class ChartColours
{
    private static readonly string[] All = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];

    public static int Count => All.Length;

    public static string At(int series) => All[series % All.Length];
}
