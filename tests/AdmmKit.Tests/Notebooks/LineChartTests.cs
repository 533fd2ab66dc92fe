using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Tests.Notebooks;

public class LineChartTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    public static TheoryData<string> Shapes => [.. Charts().Keys];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_chart_is_well_formed_and_within_its_frame(string shape)
    {
        using var culture = new CommaCulture();
        string text = Charts()[shape].ToSvg();
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        Assert.DoesNotContain("∞", text, StringComparison.Ordinal);
        Assert.DoesNotContain('~', text);
        XElement svg = XDocument.Parse(text).Root!;
        double width = Number(svg, "width"), height = Number(svg, "height");
        var boxes = new List<(double Left, double Right, double Baseline)>();
        foreach (XElement label in svg.Elements(Svg + "text"))
        {
            double size = Number(label, "font-size"), length = ChartText.Width(label.Value, size);
            double x = Number(label, "x") - ((string)label.Attribute("text-anchor")! switch { "end" => length, "middle" => length / 2, _ => 0 });
            Assert.True(x >= 0 && x + length <= width + 0.1, $"'{label.Value}' is cut");
            double y = Number(label, "y");
            Assert.InRange(y, size * 0.8, height - (size * 0.3));
            // Two labels on lines closer than a line's height must be side by side.
            Assert.All(boxes.Where(b => Math.Abs(b.Baseline - y) < 12), b => Assert.True(b.Right <= x || x + length <= b.Left, $"'{label.Value}' is overlapped"));
            boxes.Add((x, x + length, y));
        }

        foreach (XElement curve in svg.Elements(Svg + "path").Where(p => (string?)p.Attribute("class") == "curve"))
        {
            double[] numbers = [.. ((string)curve.Attribute("d")!).Split('M', 'L', 'H', ' ').Where(n => n.Length > 0).Select(n => double.Parse(n, CultureInfo.InvariantCulture))];
            Assert.All(numbers, n => Assert.InRange(n, 0, Math.Max(width, height)));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Plotly_gets_the_same_content(string shape)
    {
        using var culture = new CommaCulture();
        LineChart chart = Charts()[shape];
        using JsonDocument json = JsonDocument.Parse(chart.ToPlotlyJson());
        JsonElement[] data = [.. json.RootElement.GetProperty("data").EnumerateArray()];
        ChartSeries[] series = [.. chart.Panels.SelectMany(p => p.Series)];
        Assert.Equal(series.Length, data.Length);
        for (int i = 0; i < series.Length; i++)
        {
            Assert.Equal(series[i].Y.Select(v => double.IsFinite(v) ? v : (double?)null),
                data[i].GetProperty("y").EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Null ? null : (double?)v.GetDouble()));
        }

        Assert.True(json.RootElement.GetProperty("layout").TryGetProperty(chart.Panels.Count == 1 ? "yaxis" : "yaxis2", out _));
    }

    [Fact]
    public void Text_is_escaped_and_a_gap_breaks_the_line()
    {
        var chart = new LineChart("a < b & \"c\" \u0001", "x", [new("y", [new("<s>", [1, 2, 3, 4, 5], [1, 2, double.NaN, 4, 5])])]);
        string svg = chart.ToSvg();
        Assert.Equal("a < b & \"c\" \uFFFD", (string)XDocument.Parse(svg).Root!.Element(Svg + "title")!);
        XElement curve = XDocument.Parse(svg).Root!.Elements(Svg + "path").Last(p => (string?)p.Attribute("class") == "curve");
        Assert.Equal(2, ((string)curve.Attribute("d")!).Count(c => c == 'M'));
        Assert.Contains("&lt;s&gt;", chart.ToPlotlyJson().Replace("\\u0026", "&", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", svg, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1, false, "0|0.2|0.4|0.6|0.8|1.0")]
    [InlineData(0.1, 0.3, false, "0.10|0.15|0.20|0.25|0.30")]
    [InlineData(-3, 11, false, "−5|0|5|10|15")]
    [InlineData(0, 2.5e9, false, "0|5e8|1e9|1.5e9|2e9|2.5e9")]
    [InlineData(0.02, 30, true, "0.01|0.1|1|10|100")]
    [InlineData(2e-9, 0.5, true, "10⁻⁸|10⁻⁶|10⁻⁴|10⁻²|1")]
    [InlineData(2, 7, true, "1|2|5|10")]
    [InlineData(1.2, 54, true, "1|2|5|10|20|50|100")]
    [InlineData(1, 54, true, "0.5|1|2|5|10|20|50|100")]
    public void Ticks_are_round_numbers(double low, double high, bool logarithmic, string expected)
    {
        var axis = new ChartAxis([high, low], logarithmic ? AxisScale.Logarithmic : AxisScale.Linear, 7, toTicks: true);
        Assert.Equal(expected, string.Join('|', axis.Ticks.Select(t => t.Label)));
        Assert.InRange(axis.Place(low), 0, 1);
        Assert.InRange(axis.Place(high), 0, 1);
    }

    [Fact]
    public void Charts_are_saved_with_their_figure_and_bad_ones_are_refused()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            Charts()["two panels"].Save(Path.Combine(folder, "new", "curve.svg"));
            Assert.True(File.Exists(Path.Combine(folder, "new", "curve.svg")));
            Assert.True(File.Exists(Path.Combine(folder, "new", "curve.plotly.json")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Assert.Throws<AdmmKitException>(() => new LineChart("t", "x", []).ToSvg());
        Assert.Throws<AdmmKitException>(() => new LineChart("t", "x", [new("y", [new("s", [1, 2], [1])])]).ToPlotlyJson());
        Assert.Throws<AdmmKitException>(() => new LineChart("t", "x", [new("y", [new("s", [1, 2], [1, 2], Spread: [1])])]).ToSvg());
    }

    [Fact]
    public void Points_are_named_beside_their_markers_and_a_name_without_room_is_left_to_Plotly()
    {
        XElement svg = XDocument.Parse(Named.ToSvg()).Root!;
        XElement[] names = [.. svg.Elements(Svg + "text").Where(t => (string?)t.Attribute("class") == "over")];
        Assert.Contains(names, n => n.Value == "alone");
        Assert.Contains(names, n => n.Value == "at the edge");
        Assert.InRange(names.Count(n => n.Value.StartsWith("crowd", StringComparison.Ordinal)), 3, 29);
        foreach ((double x, double y) in svg.Elements(Svg + "circle").Select(c => (Number(c, "cx"), Number(c, "cy"))))
        {
            Assert.DoesNotContain(names, n => x > Number(n, "x") && x < Number(n, "x") + ChartText.Width(n.Value, 11) && y < Number(n, "y") && y > Number(n, "y") - 8);
        }

        using JsonDocument json = JsonDocument.Parse(Named.ToPlotlyJson());
        JsonElement trace = json.RootElement.GetProperty("data")[0];
        Assert.Equal("markers+text", trace.GetProperty("mode").GetString());
        Assert.Equal("crowd 29", trace.GetProperty("text")[31].GetString());
        Assert.False(json.RootElement.GetProperty("data")[1].TryGetProperty("text", out _));
        ChartSeries short1 = new("s", [1, 2], [1, 2], Labels: ["one"]);
        Assert.Throws<AdmmKitException>(() => new LineChart("t", "x", [new("y", [short1])]).ToSvg());
    }

    [Fact]
    public void A_name_keeps_off_lines_and_intervals_where_it_can()
    {
        // Rising to the right, where names go first.
        ChartSeries line = new("line", [0, 5, 10], [0, 5, 10]), named = new("points", [5], [5], SeriesStyle.Markers, ["name"]);
        (double X, double Y) Place(params ChartSeries[] series)
        {
            XElement text = XDocument.Parse(new LineChart("t", "x", [new("y", series)]).ToSvg()).Root!
                .Elements(Svg + "text").Single(t => (string?)t.Attribute("class") == "over");
            return (Number(text, "x"), Number(text, "y"));
        }

        ChartSeries corners = new("corners", [0, 10], [0, 10], SeriesStyle.Markers);
        (double X, double Y) free = Place(corners, named), pushed = Place(line, named);
        Assert.NotEqual(free, pushed);
        ChartSeries beside = new("beside", [0, 5.4, 10], [0, 2, 10], SeriesStyle.Markers);
        ChartSeries low = named with { Y = [3.5] };
        Assert.NotEqual(Place(beside, low), Place(beside with { Spread = [0, 2, 0] }, low));
        // A band of lines everywhere is no reason to leave the name out.
        ChartSeries[] band = [.. Enumerable.Range(0, 200).Select(i => new ChartSeries($"{i}", [0, 10], [i / 20.0, i / 20.0], SeriesStyle.Line))];
        Assert.Equal(free.X, Place([.. band, named]).X);
    }

    [Fact]
    public void Intervals_reach_as_far_as_their_spread_and_are_part_of_the_figure()
    {
        LineChart chart = new("t", "x", [new("y", [new("s", [1, 2, 3], [5, 6, 7], Spread: [1, double.NaN, 2])])]);
        XElement svg = XDocument.Parse(chart.ToSvg()).Root!;
        string[] intervals = [.. svg.Elements(Svg + "path").Where(p => (string?)p.Attribute("class") == "interval").Select(p => (string)p.Attribute("d")!)];
        Assert.Equal(2, intervals.Length);
        static double Length(string d) => double.Parse(d.Split(' ')[1].Split('V')[0], CultureInfo.InvariantCulture) - double.Parse(d.Split('V')[1].Split('M')[0], CultureInfo.InvariantCulture);
        Assert.Equal(2, Length(intervals[1]) / Length(intervals[0]), 0.01);
        using JsonDocument json = JsonDocument.Parse(chart.ToPlotlyJson());
        JsonElement[] array = [.. json.RootElement.GetProperty("data")[0].GetProperty("error_y").GetProperty("array").EnumerateArray()];
        Assert.Equal((1, JsonValueKind.Null, 2), (array[0].GetDouble(), array[1].ValueKind, array[2].GetDouble()));
    }

    [Fact]
    public void A_reference_is_dashed_named_and_within_its_plot()
    {
        LineChart chart = new("t", "x", [new("y", [new("s", [1, 2], [5, 6])]) { Reference = new(40, "the bound") }, new("z", [new("s", [1, 2], [5, 6])])]);
        XElement svg = XDocument.Parse(chart.ToSvg()).Root!;
        // Once in the plot, once in the legend.
        Assert.Equal(2, svg.Elements(Svg + "path").Count(p => p.Attribute("stroke-dasharray") is not null));
        Assert.Contains(svg.Elements(Svg + "text"), t => t.Value == "the bound");
        Assert.Contains(svg.Elements(Svg + "text"), t => t.Value == "40");
        Assert.Contains("  the bound: 40\n", chart.ToText(), StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(chart.ToPlotlyJson());
        JsonElement level = json.RootElement.GetProperty("data")[1];
        Assert.Equal(("the bound", "y"), (level.GetProperty("name").GetString(), level.GetProperty("yaxis").GetString()));
        Assert.Equal([1.0, 2], level.GetProperty("x").EnumerateArray().Select(x => x.GetDouble()));
    }

    [Fact]
    public void Gaps_are_not_told()
    {
        string text = new LineChart("t", "x", [new("y", [new("s", [1, double.NaN, 3], [5, double.NaN, 7]), new("none", [1], [double.NaN])])]).ToText();
        Assert.Contains("  s: 1: 5, 3: 7\n", text, StringComparison.Ordinal);
        Assert.Contains("  none: no values\n", text, StringComparison.Ordinal);
    }

    private static LineChart Named
    {
        get
        {
            double[] crowd = [.. Enumerable.Range(0, 30).Select(i => 5 + (0.01 * i))];
            return new("Named", "x", [new("y",
            [
                new("points", [1, 10, .. crowd], [1, 9, .. crowd], SeriesStyle.Markers, ["alone", "at the edge", .. crowd.Select((_, i) => "crowd " + i)]),
                new("line", [1, 10], [1, 2], SeriesStyle.Line),
            ])]);
        }
    }

    private static double Number(XElement element, string attribute) =>
        double.Parse((string)element.Attribute(attribute)!, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static Dictionary<string, LineChart> Charts()
    {
        double[] x = [.. Enumerable.Range(1, 40).Select(i => (double)i)];
        ChartSeries Series(string name, Func<double, double> y) => new(name, x, [.. x.Select(y)]);
        const string words = "a name that goes on and on so that no line of any chart could ever hold it without being broken somewhere & <escaped>";
        return new()
        {
            ["two panels"] = new("Accuracy and residuals", "ADMM iteration",
            [
                new("accuracy (%)", [Series("W", i => 99 - (1 / i)), Series("Z", i => i == 7 ? double.NaN : 99 - (50 / i))]),
                new("residual", [Series("W", i => Math.Pow(10, -9 * i / 40)), Series("Z", i => Math.Pow(10, -8 * i / 40))], AxisScale.Logarithmic),
            ]),
            ["one point"] = new("One", "x", [new("y", [new("s", [4], [12345.678])])]),
            ["zero"] = new("Zero", "x", [new("y", [new("s", [0], [0])])], AxisScale.Logarithmic),
            ["empty"] = new("", "", [new("", [new("", [], []), new("gap", [1, 2], [double.NaN, double.PositiveInfinity])])]),
            ["no series"] = new("None", "x", [new("y", [])]),
            ["long names"] = new(words, words, [new(words, [.. Enumerable.Range(0, 14).Select(k => Series((k % 3 == 0 ? words : "Series ") + k, i => Math.Sin(i + k)))])]),
            ["no spaces"] = new(new string('W', 200), "x", [new("y", [Series(new string('m', 150), i => i)])]),
            ["many points"] = new("Fit", "density", [new("speedup",
                [
                    new("fit", [.. Enumerable.Range(1, 500).Select(i => i / 500.0)], [.. Enumerable.Range(1, 500).Select(i => 500.0 / i)], SeriesStyle.Line),
                    new("paper", [0.1, 0.5], [9, 2], SeriesStyle.Markers),
                ], AxisScale.Logarithmic)], AxisScale.Logarithmic),
            ["narrow logarithm"] = new("Narrow", "x", [new("y", [new("s", [0.041, 0.043, 0.045], [1, 2, 3])])], AxisScale.Logarithmic),
            ["tiny and huge"] = new("Extremes", "x", [new("y", [new("s", [-1e12, 3e12], [1e-12, 3e-12])]), new("z", [new("t", [0, 1], [-1e299, 1e305])])]),
            ["named points"] = Named,
            ["nearly equal"] = new("Equal", "x", [new("y", [new("s", [1, 2], [1e9, 1e9 + 1e-7])])]),
        };
    }
}
