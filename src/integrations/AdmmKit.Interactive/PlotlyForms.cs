using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using Plotly.NET;

namespace AdmmKit.Interactive;

/// <summary>The forms of a chart of Plotly.NET.</summary>
internal static class PlotlyForms
{
    private const string Place = "<!-- Plotly chart will be drawn inside this DIV -->";

    // What Plotly draws comes first in its place, and then hides the picture behind it.
    private const string Style = "<style>.plot-container ~ .admmkit-still { display: none }</style>\n";

    /// <summary>
    /// A page that draws the chart, the figure for viewers that know Plotly, and lines of text. Where no script runs, as in
    /// GitHub's view of a notebook, the page shows the picture of the chart that the chart was made of, or else says what it is.
    /// </summary>
    public static MimeBundle BundleOf(GenericChart chart)
    {
        IChart? origin = PlotlyExtensions.Origin(chart);
        int traces = GenericChart.getTraces(chart).Length;
        string text = FormattableString.Invariant($"A chart of Plotly with {traces} {(traces == 1 ? "trace" : "traces")}.\n");
        string? picture = origin?.ToBundle().Data[MimeTypes.Html];
        string still = picture?.Replace("<figure ", "<figure class=\"admmkit-still\" ", StringComparison.Ordinal)
            ?? $"<p class=\"admmkit-still\">{text.TrimEnd()} It is drawn where scripts run.</p>";
        return new MimeBundle(new Dictionary<string, string>
        {
            [MimeTypes.Html] = Style + GenericChart.toChartHTML(chart).Replace(Place, still + Place, StringComparison.Ordinal),
            [MimeTypes.Plotly] = GenericChart.toFigureJson(chart),
            [MimeTypes.Text] = origin?.ToText() ?? text,
        });
    }
}
