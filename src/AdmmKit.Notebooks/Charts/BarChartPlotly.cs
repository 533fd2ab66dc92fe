using System.Text.Json.Nodes;

namespace AdmmKit.Notebooks.Charts;

/// <summary>Writes a <see cref="BarChart"/> as a figure for Plotly.</summary>
internal static class BarChartPlotly
{
    public static string Write(BarChart chart)
    {
        int count = chart.Categories.Count;
        // Categories are numbered and named by ticks: Plotly would put two of the same name into one place.
        JsonArray Places() => PlotlyWriter.Numbers([.. Enumerable.Range(0, count).Select(c => (double)c)]);
        var data = new JsonArray();
        foreach ((int index, BarSeries series) in chart.Series.Index())
        {
            data.Add(new JsonObject
            {
                ["type"] = "bar",
                ["name"] = PlotlyWriter.Plain(series.Name),
                ["x"] = Places(),
                ["y"] = PlotlyWriter.Numbers(series.Values),
                ["marker"] = new JsonObject
                {
                    ["color"] = ChartColours.At(index),
                    ["pattern"] = new JsonObject { ["shape"] = BarChart.Round(index) switch { 0 => "", 1 => "|", _ => "+" }, ["solidity"] = 0.6 },
                },
            });
        }

        if (chart.Reference is { } reference)
        {
            data.Add(PlotlyWriter.Level(reference, -0.5, count - 0.5));
        }

        JsonObject categories = PlotlyWriter.Axis(chart.XTitle, AxisScale.Linear, ("anchor", "y"));
        categories["tickmode"] = "array";
        categories["tickvals"] = Places();
        categories["ticktext"] = new JsonArray([.. chart.Categories.Select(c => (JsonNode)PlotlyWriter.Plain(c))]);
        return PlotlyWriter.Text(data, new JsonObject
        {
            ["title"] = PlotlyWriter.Title(chart.Title),
            ["barmode"] = chart.Layout == BarLayout.Stacked ? "stack" : "group",
            ["xaxis"] = categories,
            ["yaxis"] = PlotlyWriter.Axis(chart.YTitle, chart.YScale, ("anchor", "x")),
            ["legend"] = PlotlyWriter.Legend(),
        });
    }
}
