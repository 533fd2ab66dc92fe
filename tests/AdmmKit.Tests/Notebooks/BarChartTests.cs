using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Tests.Notebooks;

public class BarChartTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    public static TheoryData<string> Shapes => [.. Charts().Keys];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_chart_is_well_formed_within_its_frame_and_no_two_labels_overlap(string shape)
    {
        using var culture = new CommaCulture();
        string text = Charts()[shape].ToSvg();
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        Assert.DoesNotContain("∞", text, StringComparison.Ordinal);
        XElement svg = XDocument.Parse(text).Root!;
        double width = Number(svg, "width"), height = Number(svg, "height");
        var level = new List<(double Left, double Right, double Baseline)>();
        var turned = new List<double>();
        double lowest = 0;
        foreach (XElement label in svg.Elements(Svg + "text"))
        {
            double size = Number(label, "font-size"), length = ChartText.Width(label.Value, size), x = Number(label, "x"), y = Number(label, "y");
            if (label.Attribute("transform") is not null)
            {
                // Turned by 45 degrees, it ends at (x, y) and begins to the left and below.
                double side = length / Math.Sqrt(2);
                Assert.InRange(x - side, 0, width);
                Assert.InRange(y + side, 0, height);
                Assert.All(turned, other => Assert.True(Math.Abs(other - x) / Math.Sqrt(2) > 12, $"'{label.Value}' is overlapped"));
                turned.Add(x);
                lowest = Math.Max(lowest, y + side);
                continue;
            }

            x -= (string)label.Attribute("text-anchor")! switch { "end" => length, "middle" => length / 2, _ => 0 };
            Assert.True(x >= 0 && x + length <= width + 0.1, $"'{label.Value}' is cut");
            Assert.InRange(y, size * 0.8, height - (size * 0.3));
            Assert.All(level.Where(b => Math.Abs(b.Baseline - y) < 12), b => Assert.True(b.Right <= x || x + length <= b.Left, $"'{label.Value}' is overlapped"));
            level.Add((x, x + length, y));
        }

        double axisEnd = svg.Elements(Svg + "path").Select(Bottom).Max();
        Assert.All(level.Where(l => turned.Count > 0 && l.Baseline > axisEnd + 5), l => Assert.True(l.Baseline - 9 > lowest, "the x title is overlapped"));
        Assert.All(svg.Elements(Svg + "rect"), r =>
        {
            Assert.InRange(Number(r, "width"), 0, width);
            Assert.InRange((r.Attribute("y") is null ? 0 : Number(r, "y")) + Number(r, "height"), 0, height);
        });
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Plotly_gets_the_same_content(string shape)
    {
        using var culture = new CommaCulture();
        BarChart chart = Charts()[shape];
        using JsonDocument json = JsonDocument.Parse(chart.ToPlotlyJson());
        JsonElement[] data = [.. json.RootElement.GetProperty("data").EnumerateArray()];
        Assert.Equal(chart.Series.Count + (chart.Reference is null ? 0 : 1), data.Length);
        foreach ((BarSeries series, JsonElement trace) in chart.Series.Zip(data))
        {
            Assert.Equal("bar", trace.GetProperty("type").GetString());
            Assert.Equal(series.Values.Select(v => double.IsFinite(v) ? v : (double?)null),
                trace.GetProperty("y").EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Null ? null : (double?)v.GetDouble()));
        }

        JsonElement layout = json.RootElement.GetProperty("layout"), axis = layout.GetProperty("xaxis");
        Assert.Equal(chart.Categories.Count, axis.GetProperty("ticktext").GetArrayLength());
        Assert.Equal(chart.Layout == BarLayout.Stacked ? "stack" : "group", layout.GetProperty("barmode").GetString());
        Assert.Equal(chart.YScale == AxisScale.Logarithmic ? "log" : "linear", layout.GetProperty("yaxis").GetProperty("type").GetString());
    }

    [Fact]
    public void Lengths_of_bars_are_their_values()
    {
        XElement[] bars = Bars(new("t", "x", "y", ["a", "b"], [new("s", [2, -1]), new("t", [double.NaN, 4])]));
        Assert.Equal(3, bars.Length);
        double unit = Number(bars[0], "height") / 2;
        Assert.Equal([2.0, 1, 4], bars.Select(b => Math.Round(Number(b, "height") / unit, 2)));
        // The negative one hangs where the positive ones stand.
        Assert.Equal(Number(bars[0], "y") + Number(bars[0], "height"), Number(bars[1], "y"), 0.02);
        Assert.Equal(["#0072B2", "#0072B2", "#D55E00"], bars.Select(b => (string)b.Attribute("fill")!));
        Assert.True(Number(bars[1], "x") + Number(bars[1], "width") <= Number(bars[2], "x"));
    }

    [Fact]
    public void Stacked_bars_stand_on_each_other_in_the_order_of_their_series()
    {
        XElement[] bars = Bars(new("t", "x", "y", ["a"], [new("s", [2]), new("gap", [double.NaN]), new("t", [3])]) { Layout = BarLayout.Stacked });
        Assert.Equal(2, bars.Length);
        Assert.Equal(Number(bars[0], "x"), Number(bars[1], "x"));
        Assert.Equal(Number(bars[0], "y"), Number(bars[1], "y") + Number(bars[1], "height"), 0.02);
        Assert.Equal(1.5, Number(bars[1], "height") / Number(bars[0], "height"), 0.01);
    }

    [Fact]
    public void On_a_logarithmic_axis_equal_ratios_are_equal_lengths_and_the_smallest_bar_is_seen()
    {
        XElement[] bars = Bars(new("t", "x", "y", ["a", "b", "c", "d"], [new("s", [1, 10, 100, 0])]) { YScale = AxisScale.Logarithmic });
        Assert.Equal(3, bars.Length);
        double[] heights = [.. bars.Select(b => Number(b, "height"))];
        Assert.True(heights[0] > 20);
        Assert.Equal(heights[1] - heights[0], heights[2] - heights[1], 0.05);
    }

    [Fact]
    public void The_reference_is_drawn_where_its_value_is_and_named()
    {
        BarChart chart = new("t", "x", "y", ["a"], [new("s", [2])]) { Reference = new(2, "dense & whole") };
        XElement svg = XDocument.Parse(chart.ToSvg()).Root!;
        XElement[] dashed = [.. svg.Elements(Svg + "path").Where(p => p.Attribute("stroke-dasharray") is not null)];
        Assert.Equal(2, dashed.Length);
        Assert.Contains(svg.Elements(Svg + "text"), t => t.Value == "dense & whole");
        Assert.Equal(Number(Bars(chart).Single(), "y"), Bottom(dashed[1]), 0.02);
        using JsonDocument json = JsonDocument.Parse(chart.ToPlotlyJson());
        Assert.Equal([2.0, 2.0], json.RootElement.GetProperty("data")[1].GetProperty("y").EnumerateArray().Select(v => v.GetDouble()));
    }

    [Fact]
    public void After_the_last_colour_the_first_comes_again_with_stripes_and_then_with_a_grid()
    {
        BarChart Of(int count) => new("t", "x", "y", ["a"], [.. Enumerable.Range(0, count).Select(i => new BarSeries("s" + i, [1]))]) { Layout = BarLayout.Stacked };
        XElement[] bars = Bars(Of(13));
        Assert.Equal((string?)bars[0].Attribute("fill"), (string?)bars[6].Attribute("fill"));
        // Each lies right behind its bar, in the legend and in the plot.
        XElement[] stripes = [.. XDocument.Parse(Of(13).ToSvg()).Root!.Elements(Svg + "path").Where(p => (string?)p.Attribute("class") == "stripe")];
        Assert.Equal(2 * 7, stripes.Length);
        Assert.All(stripes.Index(), s => Assert.Equal(s.Index % 7 == 6, ((string)s.Item.Attribute("d")!).Contains('h', StringComparison.Ordinal)));
        Assert.Equal("rect", stripes[0].ElementsBeforeSelf().Last().Name.LocalName);
        Assert.DoesNotContain("stripe", Of(6).ToSvg(), StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(Of(13).ToPlotlyJson());
        string[] shapes = [.. json.RootElement.GetProperty("data").EnumerateArray().Select(t => t.GetProperty("marker").GetProperty("pattern").GetProperty("shape").GetString()!)];
        Assert.Equal(("", "|", "+"), (shapes[5], shapes[6], shapes[12]));
    }

    [Fact]
    public void Light_and_dark_are_those_of_line_charts()
    {
        string bars = new BarChart("t", "x", "y", ["a"], []).ToSvg(), lines = new LineChart("t", "x", [new("y", [])]).ToSvg();
        static string Style(string svg) => (string)XDocument.Parse(svg).Root!.Element(Svg + "style")!;
        Assert.Equal(Style(lines), Style(bars));
        Assert.Contains("prefers-color-scheme: dark", bars, StringComparison.Ordinal);
    }

    [Fact]
    public void Charts_are_saved_with_their_figure_and_bad_ones_are_refused()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            new BarChart("t", "x", "y", ["a"], [new("s", [1])]).Save(Path.Combine(folder, "new", "bars.svg"));
            Assert.True(File.Exists(Path.Combine(folder, "new", "bars.svg")));
            Assert.True(File.Exists(Path.Combine(folder, "new", "bars.plotly.json")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        BarChart chart = new("bad", "x", "y", ["a"], [new("s", [-1])]);
        Refused(chart with { Categories = [] }, "no category");
        Refused(chart with { Series = [new("s", [1, 2])] }, "2 values for 1 categories");
        Refused(chart with { Layout = BarLayout.Stacked }, "negative");
        Refused(chart with { Layout = BarLayout.Stacked, YScale = AxisScale.Logarithmic }, "logarithmic");

        static void Refused(BarChart chart, string words)
        {
            Assert.Contains(words, Assert.Throws<AdmmKitException>(chart.ToSvg).Message, StringComparison.Ordinal);
            Assert.Contains(words, Assert.Throws<AdmmKitException>(chart.ToPlotlyJson).Message, StringComparison.Ordinal);
        }
    }

    private static XElement[] Bars(BarChart chart) => [.. XDocument.Parse(chart.ToSvg()).Root!.Elements(Svg + "rect")
        .Where(r => (string?)r.Attribute("class") == "bar").Skip(chart.Series.Count)];

    private static double Number(XElement element, string attribute) =>
        double.Parse((string)element.Attribute(attribute)!, NumberStyles.Float, CultureInfo.InvariantCulture);

    /// <summary>The largest y of a straight line: "M1 2L3 4" or "M1 2H3".</summary>
    private static double Bottom(XElement path)
    {
        string[] ends = ((string)path.Attribute("d")!).Split('M', 'L', 'H').Where(p => p.Contains(' ', StringComparison.Ordinal)).ToArray();
        return ends.Max(e => double.Parse(e.Split(' ')[1], CultureInfo.InvariantCulture));
    }

    private static Dictionary<string, BarChart> Charts()
    {
        const string words = "a name that goes on and on so that no bar of any chart could ever have room for it";
        BarSeries Series(string name, int count, Func<int, double> value) => new(name, [.. Enumerable.Range(0, count).Select(value)]);
        string[] Names(string name, int count) => [.. Enumerable.Range(1, count).Select(i => name + i)];
        string[] layers = Names("conv", 5);
        return new()
        {
            ["grouped"] = new("Speedup", "layer", "speedup (x)", layers, [Series("printed", 5, i => i + 1), Series("predicted", 5, i => i + 1.2)])
            {
                Reference = new(1, "dense"),
            },
            ["stacked"] = new("Delay", "method", "delay (% of dense)", Names("Method [24], printed ", 9), [.. layers.Select(l => Series(l, 9, i => 20 + i))])
            {
                Layout = BarLayout.Stacked,
                Reference = new(100, "dense"),
            },
            ["logarithmic"] = new("Energy", "layer", "energy (pJ)", layers, [Series("s", 5, i => Math.Pow(10, i)), Series("none", 5, _ => 0)])
            {
                YScale = AxisScale.Logarithmic,
            },
            ["two lines"] = new("Two", "x", "y", ["first of them", "the second one", "the third one"], [Series("s", 3, i => i)]),
            ["one"] = new("One", "x", "y", ["a"], [Series("s", 1, _ => 12345.678)]),
            ["long names"] = new(words, words, words, Names(words + " ", 4), [Series(words, 4, i => i), Series(words + "!", 4, i => -i)]),
            ["no spaces"] = new(new string('W', 200), "x", "y", Names(new string('m', 150), 12), [Series("s", 12, i => i)]),
            ["very many"] = new("Many", "layer", "MACs", Names("res5c_branch2a ", 160), [Series("s", 160, i => i)]),
            ["no series"] = new("None", "x", "y", ["a", "b"], []),
            ["no values"] = new("", "", "", ["", ""], [Series("", 2, _ => double.NaN), Series("i", 2, _ => double.PositiveInfinity)]),
            ["empty logarithm"] = new("Zero", "x", "y", ["a"], [Series("s", 1, _ => 0)]) { YScale = AxisScale.Logarithmic },
            ["extremes"] = new("Extremes", "x", "y", ["a <b>", "c & d"], [new("<s>", [1e-12, 1e299]), new("t", [-1e-9, 1e305])]),
            ["gaps"] = new("Gaps", "x", "y", ["a", "", "b", "", "c"], [new("s", [1, double.NaN, 2, double.NaN, 3])]),
        };
    }
}
