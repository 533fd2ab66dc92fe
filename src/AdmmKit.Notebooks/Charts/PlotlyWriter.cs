using System.Text.Json;
using System.Text.Json.Nodes;

namespace AdmmKit.Notebooks.Charts;

/// <summary>Writes a <see cref="LineChart"/> as a figure for Plotly (plotly.js, Plotly.NET, plotly.py).</summary>
internal static class PlotlyWriter
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, NewLine = "\n" };

    public static string Write(LineChart chart)
    {
        IReadOnlyList<string> names = chart.SeriesNames;
        var data = new JsonArray();
        var drawn = new HashSet<string>();
        int panels = chart.Panels.Count;
        var layout = new JsonObject
        {
            ["title"] = Title(chart.Title),
            ["xaxis"] = Axis(chart.XTitle, chart.XScale, ("anchor", panels == 1 ? "y" : $"y{Text(panels)}")),
            ["legend"] = Legend(),
        };
        for (int i = 0; i < panels; i++)
        {
            string suffix = i == 0 ? "" : Text(i + 1);
            JsonObject axis = Axis(chart.Panels[i].YTitle, chart.Panels[i].YScale, ("anchor", "x"));
            // Plotly counts from the bottom; a little room stays between the panels.
            double gap = i == 0 ? 0 : 0.08;
            axis["domain"] = new JsonArray(1 - ((i + 1.0) / panels), 1 - ((double)i / panels) - (gap / panels));
            layout["yaxis" + suffix] = axis;
            foreach (ChartSeries series in chart.Panels[i].Series)
            {
                string mode = series.Style switch { SeriesStyle.Line => "lines", SeriesStyle.Markers => "markers", _ => "lines+markers" };
                var trace = new JsonObject
                {
                    ["type"] = "scatter",
                    ["mode"] = series.Labels is null ? mode : mode + "+text",
                    ["name"] = Plain(series.Name),
                    ["legendgroup"] = series.Name,
                    ["showlegend"] = drawn.Add(series.Name),
                    ["x"] = Numbers(series.X),
                    ["y"] = Numbers(series.Y),
                    ["xaxis"] = "x",
                    ["yaxis"] = "y" + suffix,
                    ["line"] = new JsonObject { ["color"] = Colour(names, series) },
                    ["marker"] = new JsonObject { ["color"] = Colour(names, series) },
                };
                if (series.Labels is { } labels)
                {
                    trace["text"] = new JsonArray([.. labels.Select(l => (JsonNode)Plain(l))]);
                    trace["textposition"] = "top center";
                }

                if (series.Spread is { } spread)
                {
                    trace["error_y"] = new JsonObject { ["type"] = "data", ["array"] = Numbers(spread), ["visible"] = true };
                }

                data.Add(trace);
            }

            if (chart.Panels[i].Reference is { } reference)
            {
                double[] x = [.. chart.Panels.SelectMany(p => p.Series).SelectMany(s => s.X).Where(double.IsFinite)];
                JsonObject level = Level(reference, x.DefaultIfEmpty(0).Min(), x.DefaultIfEmpty(1).Max());
                level["yaxis"] = "y" + suffix;
                data.Add(level);
            }
        }

        return Text(data, layout);
    }

    /// <summary>A level to compare with, dashed as in the SVG.</summary>
    public static JsonObject Level(ReferenceLine reference, double from, double to) => new()
    {
        ["type"] = "scatter",
        ["mode"] = "lines",
        ["name"] = Plain(reference.Name),
        ["x"] = Numbers([from, to]),
        ["y"] = Numbers([reference.Value, reference.Value]),
        ["line"] = new JsonObject { ["color"] = "#6e7781", ["dash"] = "dash" },
    };

    public static string Text(JsonArray data, JsonObject layout, bool indented = true) =>
        new JsonObject { ["data"] = data, ["layout"] = layout }.ToJsonString(indented ? Options : null) + "\n";

    /// <summary>Legends stand above the plot, as in the SVG.</summary>
    public static JsonObject Legend() => new() { ["orientation"] = "h", ["yanchor"] = "bottom", ["y"] = 1.02, ["x"] = 0 };

    public static JsonObject Axis(string title, AxisScale scale, (string Name, string Value) more) => new()
    {
        ["title"] = Title(title),
        ["type"] = scale == AxisScale.Logarithmic ? "log" : "linear",
        [more.Name] = more.Value,
    };

    public static JsonObject Title(string text) => new() { ["text"] = Plain(text) };

    // Plotly reads a few HTML tags in its texts.
    public static string Plain(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal)
        .Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    // JSON knows no NaN; Plotly takes null for a gap.
    public static JsonArray Numbers(IReadOnlyList<double> values) =>
        [.. values.Select(v => double.IsFinite(v) ? (JsonNode?)JsonValue.Create(v) : null)];

    private static string Colour(IReadOnlyList<string> names, ChartSeries series) =>
        ChartColours.At(names.Select((name, i) => (name, i)).First(n => n.name == series.Name).i);

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
