using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Pipeline;

namespace AdmmKit.Tests.Notebooks;

public class HistogramTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Every_value_is_counted_once_and_zeros_only_if_asked_for()
    {
        float[] weights = Shown.Weights(10_000, 0.2);
        Histogram all = new("t", "x", weights);
        Assert.Equal(10_000, Bins(all).Sum(b => b.Count));
        Assert.Equal(2000, Bins(all with { WithoutZeros = true }).Sum(b => b.Count));
        Assert.Contains("2,000 values in bins of ", (all with { WithoutZeros = true }).ToText(), StringComparison.Ordinal);
        Assert.Contains("8,000 zeros are left out.", (all with { WithoutZeros = true }).ToText(), StringComparison.Ordinal);
        float[] strange = [1, float.NaN, float.PositiveInfinity, 2];
        Assert.Equal(2, Bins(new Histogram("t", "x", strange)).Sum(b => b.Count));
        Assert.Contains("2 values are no finite numbers.", new Histogram("t", "x", strange).ToText(), StringComparison.Ordinal);
    }

    [Fact]
    public void Bins_are_centred_on_the_levels_so_that_snapped_weights_stand_on_their_lines()
    {
        const float q = 0.04f;
        float[] snapped = [.. Enumerable.Range(0, 800).Select(i => q * (new[] { -4, -3, -2, -1, 1, 2, 3, 4 }[i % 8]))];
        Histogram histogram = Histogram.OfSurvivors("t", snapped, new LayerLevels(3, q));
        Assert.Equal(["−4q", "−3q", "−2q", "−q", "q", "2q", "3q", "4q"], histogram.Levels.Select(l => l.Name));
        (double Centre, double Count)[] filled = [.. Bins(histogram).Where(b => b.Count > 0)];
        Assert.All(filled, b => Assert.Equal(100, b.Count));
        Assert.All(filled.Zip(histogram.Levels), p => Assert.Equal(p.Second.Value, p.First.Centre, 1e-8));
        Assert.Equal(8, filled.Length);

        XElement svg = XDocument.Parse(histogram.ToSvg()).Root!;
        Assert.All(histogram.Levels, l => Assert.Contains(svg.Elements(Svg + "text"), t => t.Value == l.Name));
        double[] lines = [.. svg.Elements(Svg + "path").Where(p => (string?)p.Attribute("class") == "level").Skip(1).Select(p => First((string)p.Attribute("d")!))];
        double[] names = [.. svg.Elements(Svg + "text").Where(t => t.Value.EndsWith('q')).Select(t => double.Parse((string)t.Attribute("x")!, CultureInfo.InvariantCulture))];
        Assert.Equal(lines, names);
        // Where the numbers go, so do the lines.
        Assert.Equal(2 * (lines[1] - lines[0]), lines[4] - lines[3], 0.05);
        Assert.Contains("8 levels, 3 bits, interval q = 0.04", svg.Elements(Svg + "text").Select(t => t.Value));
        using JsonDocument figure = JsonDocument.Parse(histogram.ToPlotlyJson());
        Assert.Equal(8, figure.RootElement.GetProperty("layout").GetProperty("shapes").GetArrayLength());
    }

    [Fact]
    public void Bins_are_bounded_whatever_the_levels()
    {
        Histogram far = new("t", "x", new float[] { 0, 1e6f }) { Levels = [new(1, "a"), new(1.001, "b")] };
        Assert.InRange(Bins(far).Length, 10, 400);
        Assert.Equal(2, Bins(far).Sum(b => b.Count));
        Assert.Equal(3, Bins(new Histogram("t", "x", new float[] { 7, 7, 7 })).Sum(b => b.Count));
        Assert.Contains("no data", XDocument.Parse(new Histogram("t", "x", Array.Empty<float>()).ToSvg()).Root!.Elements(Svg + "text").Select(t => t.Value));
    }

    [Fact]
    public void On_a_logarithmic_axis_a_single_value_is_seen()
    {
        float[] values = [.. Enumerable.Repeat(0f, 1000), 5];
        XElement svg = XDocument.Parse((new Histogram("t", "x", values) { YScale = AxisScale.Logarithmic }).ToSvg()).Root!;
        string bars = (string)svg.Elements(Svg + "path").Single(p => (string?)p.Attribute("class") == "bar").Attribute("d")!;
        double[][] corners = [.. bars.Split('M', StringSplitOptions.RemoveEmptyEntries).Select(b =>
            b.Split([' ', 'V', 'h', 'z'], StringSplitOptions.RemoveEmptyEntries).Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray())];
        Assert.Equal(2, corners.Length);
        // Heights of 1000 and 1 over 0.1: four decades and one.
        Assert.Equal(4, (corners[0][1] - corners[0][2]) / (corners[1][1] - corners[1][2]), 0.01);
    }

    private static double First(string d) => double.Parse(d[1..d.IndexOf(' ', StringComparison.Ordinal)], CultureInfo.InvariantCulture);

    private static (double Centre, double Count)[] Bins(Histogram histogram)
    {
        using JsonDocument figure = JsonDocument.Parse(histogram.ToPlotlyJson());
        JsonElement trace = figure.RootElement.GetProperty("data")[0];
        return [.. trace.GetProperty("x").EnumerateArray().Zip(trace.GetProperty("y").EnumerateArray(), (x, y) => (x.GetDouble(), y.GetDouble()))];
    }
}
