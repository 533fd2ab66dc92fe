using System.Text.Json;
using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Tests.Notebooks;
using Plotly.NET;
using Plotly.NET.LayoutObjects;

namespace AdmmKit.Interactive.Tests;

public class PlotlyTests
{
    public static TheoryData<string> Charts => [.. Shown.All.Where(s => s.Value() is IChart).Select(s => s.Key)];

    [Fact]
    public void Every_kind_of_chart_is_among_them()
    {
        IEnumerable<Type> kinds = new[] { typeof(IChart).Assembly, typeof(ResultRow).Assembly }.SelectMany(a => a.GetExportedTypes())
            .Where(t => t.IsClass && t.IsAssignableTo(typeof(IChart)));
        Assert.Equal(kinds.ToHashSet(), Shown.All.Values.Select(s => s()).OfType<IChart>().Select(c => c.GetType()).ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Charts))]
    public void The_figure_of_every_chart_is_ours(string name)
    {
        var chart = (IChart)Shown.All[name]();
        using JsonDocument ours = JsonDocument.Parse(chart.ToPlotlyJson());
        using JsonDocument theirs = JsonDocument.Parse(GenericChart.toFigureJson(chart.ToPlotly()));
        Assert.Equal("", Difference("figure", ours.RootElement.GetProperty("data"), theirs.RootElement.GetProperty("data")));
        Assert.Equal("", Difference("figure", ours.RootElement.GetProperty("layout"), theirs.RootElement.GetProperty("layout")));
    }

    [Theory]
    [InlineData("""{"a": 1}""", """{"a": 1.5}""", "x.a")]
    [InlineData("""{"a": [1, 2]}""", """{"a": [1]}""", "x.a")]
    [InlineData("""{"a": 1, "b": 2}""", """{"a": 1}""", "x")]
    [InlineData("""{"a": null}""", """{"a": "null"}""", "x.a")]
    public void A_difference_is_found(string a, string b, string place)
    {
        using JsonDocument first = JsonDocument.Parse(a), second = JsonDocument.Parse(b);
        Assert.StartsWith(place + ":", Difference("x", first.RootElement, second.RootElement), StringComparison.Ordinal);
        Assert.Equal("", Difference("x", first.RootElement, first.RootElement));
    }

    [Fact]
    public void Parts_are_of_Plotlys_own_types_so_that_it_can_change_them()
    {
        GenericChart chart = new BarChart("Bars", "layer", "share", ["a", "b"], [new("s", [1, 2])]).ToPlotly();
        GenericChart wider = chart.WithSize(900, 500);
        Layout layout = GenericChart.getLayout(wider);
        Assert.Equal("layer", Inner(Typed<LinearAxis>(layout, "xaxis"), "title"));
        Assert.Equal("Bars", Inner(layout, "title"));
        Assert.Equal(900, Typed<int>(layout, "width"));

        static string Inner(DynamicObj.DynamicObj part, string name) => Typed<string>(Typed<Title>(part, name), "text");
        static T Typed<T>(DynamicObj.DynamicObj part, string name) => part.TryGetTypedValue<T>(name).Value;
    }

    private static string Difference(string place, JsonElement a, JsonElement b)
    {
        if (a.ValueKind == JsonValueKind.Object && b.ValueKind == JsonValueKind.Object)
        {
            string[] names = [.. a.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal)];
            string[] others = [.. b.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal)];
            return !names.SequenceEqual(others) ? $"{place}: {string.Join(' ', names)} | {string.Join(' ', others)}"
                : names.Select(n => Difference($"{place}.{n}", a.GetProperty(n), b.GetProperty(n))).FirstOrDefault(d => d.Length > 0, "");
        }

        if (a.ValueKind == JsonValueKind.Array && b.ValueKind == JsonValueKind.Array && a.GetArrayLength() == b.GetArrayLength())
        {
            return a.EnumerateArray().Zip(b.EnumerateArray()).Select((p, i) => Difference($"{place}[{i}]", p.First, p.Second))
                .FirstOrDefault(d => d.Length > 0, "");
        }

        bool same = a.ValueKind == b.ValueKind && a.ValueKind switch
        {
            JsonValueKind.Number => a.GetDouble() == b.GetDouble(),
            JsonValueKind.String => a.GetString() == b.GetString(),
            JsonValueKind.Array => false,
            _ => true,
        };
        return same ? "" : $"{place}: {a} | {b}";
    }
}
