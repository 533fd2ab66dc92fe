using System.Runtime.CompilerServices;
using System.Text.Json;
using AdmmKit.Notebooks.Charts;
using DynamicObj;
using Microsoft.FSharp.Collections;
using Plotly.NET;
using Plotly.NET.LayoutObjects;
using Plotly.NET.TraceObjects;

namespace AdmmKit.Interactive;

/// <summary>Charts of AdmmKit as charts of Plotly.NET.</summary>
public static class PlotlyExtensions
{
    private static readonly ConditionalWeakTable<Trace, IChart> Origins = [];

    /// <summary>
    /// The chart for Plotly.NET: the traces and the layout of <see cref="IChart.ToPlotlyJson"/>, to go on with, as in
    /// <c>chart.ToPlotly().WithSize(Width: 900, Height: 500)</c>.
    /// </summary>
    /// <param name="chart">Any chart.</param>
    /// <exception cref="AdmmKitException">The chart is not complete.</exception>
    public static GenericChart ToPlotly(this IChart chart)
    {
        ArgumentNullException.ThrowIfNull(chart);
        using JsonDocument figure = JsonDocument.Parse(chart.ToPlotlyJson());
        Trace[] traces = [.. figure.RootElement.GetProperty("data").EnumerateArray().Select(TraceOf)];
        foreach (Trace trace in traces)
        {
            Origins.Add(trace, chart);
        }

        return GenericChart.fromFigure(Figure.create(
            ListModule.OfSeq(traces), Filled(new Layout(), figure.RootElement.GetProperty("layout"))));
    }

    /// <summary>The chart that <see cref="ToPlotly"/> made this one of, if no traces of others have come to it; or null.</summary>
    internal static IChart? Origin(GenericChart chart)
    {
        IChart?[] origins =
            [.. GenericChart.getTraces(chart).Select(t => Origins.TryGetValue(t, out IChart? origin) ? origin : null).Distinct()];
        return origins.Length == 1 ? origins[0] : null;
    }

    private static Trace TraceOf(JsonElement json) => Filled(new Trace2D(json.GetProperty("type").GetString()!), json);

    private static T Filled<T>(T made, JsonElement json)
        where T : DynamicObj.DynamicObj
    {
        foreach (JsonProperty property in json.EnumerateObject())
        {
            made.SetValue(property.Name, Value(property.Name, property.Value));
        }

        return made;
    }

    private static object? Value(string name, JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => Filled(Part(name), json),
        JsonValueKind.Array => json.EnumerateArray().Select(e => Value("", e)).ToArray(),
        JsonValueKind.String => json.GetString(),
        JsonValueKind.Number => json.TryGetInt32(out int whole) ? whole : json.GetDouble(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => null,
    };

    // Where Plotly.NET has a type for a part, it looks for that type when it changes the part, and makes a new one if it finds another.
    private static DynamicObj.DynamicObj Part(string name) => name switch
    {
        "title" => new Title(),
        "legend" => new Legend(),
        "line" => new Line(),
        "marker" => new Marker(),
        "pattern" => new Pattern(),
        "error_y" => new Error(),
        "colorbar" => new ColorBar(),
        _ when name.StartsWith("xaxis", StringComparison.Ordinal) || name.StartsWith("yaxis", StringComparison.Ordinal) => new LinearAxis(),
        _ => new DynamicObj.DynamicObj(),
    };
}
