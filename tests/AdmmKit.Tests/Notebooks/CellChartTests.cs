using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Tests.Notebooks;

public class CellChartTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void Cells_have_the_colours_of_their_values_and_what_is_no_number_has_none()
    {
        HeatMap map = new("t", 2, 3, new float[] { -2, 0, 2, float.NaN, 1, 1 });
        Dictionary<(int X, int Y), int> cells = Cells(map, 'd');
        // The scale goes a little beyond the values, as far to each side: grey, in the middle, is zero.
        Assert.Equal(16, cells[(1, 0)]);
        Assert.Equal(32, cells[(0, 0)] + cells[(2, 0)]);
        Assert.InRange(cells[(2, 0)], 29, 32);
        Assert.Equal(cells[(1, 1)], cells[(2, 1)]);
        Assert.InRange(cells[(1, 1)], 22, 25);
        Assert.False(cells.ContainsKey((0, 1)));
        Assert.Contains(Texts(map), t => t == "no value");
        Assert.DoesNotContain(Texts(map with { Values = new float[6] }), t => t == "no value");
        Assert.Equal(5, Cells(map with { Colours = ColourRange.Sequential }, 's').Count);
        // Pictures to be compared have the same ends.
        Assert.InRange(Cells(map with { Ends = (-20, 20) }, 'd')[(2, 0)], 17, 18);
    }

    [Theory]
    [InlineData(500, 800)]
    [InlineData(3000, 7)]
    [InlineData(1, 1000)]
    [InlineData(161, 161)]
    public void A_large_matrix_is_pooled_to_means_which_the_picture_says(int rows, int columns)
    {
        float[] values = Shown.Weights(rows * columns);
        HeatMap map = new("t", rows, columns, values);
        double[][] z = Z(map);
        Assert.InRange(z.Length * z[0].Length, 100, 10_000);
        int most = (int)(Math.Ceiling(rows / (double)z.Length) * Math.Ceiling(columns / (double)z[0].Length));
        Assert.InRange(rows * columns, z.Length * z[0].Length, z.Length * z[0].Length * most);
        Assert.Equal(values.Average(), z.SelectMany(r => r).Average(), 0.003);
        // The first cell, of as many values as its border says.
        int high = (int)Math.Ceiling(rows / (double)z.Length), wide = (int)Math.Ceiling(columns / (double)z[0].Length);
        double mean = Enumerable.Range(0, high).SelectMany(r => values.Skip(r * columns).Take(wide)).Average(v => (double)v);
        Assert.Equal(mean, z[0][0], 1e-6);
        string note = FormattableString.Invariant($"Each cell is the mean of up to {high} x {wide} values of {rows} x {columns}.");
        Assert.Contains(note, Texts(map));
        Assert.EndsWith(note + "\n", map.ToText(), StringComparison.Ordinal);
        Assert.DoesNotContain(Texts(new HeatMap("t", 9, 8, new float[72])), t => t.StartsWith("Each cell", StringComparison.Ordinal));
    }

    [Fact]
    public void A_mean_is_of_the_numbers_alone()
    {
        float[] values = [.. Enumerable.Range(0, 400 * 400).Select(i => i % 4 == 0 ? 3f : float.NaN)];
        Assert.All(Z(new HeatMap("t", 400, 400, values)), r => Assert.All(r, v => Assert.True(v == 3)));
    }

    [Fact]
    public void A_mask_shows_the_survivors()
    {
        float[] weights = Shown.Weights(25_000, 0.12);
        HeatMap mask = HeatMap.OfMask(Shown.Convolution, weights);
        Assert.Equal("conv2, 50x20x5x5: 3,000 survivors of 25,000 weights", mask.Title);
        Assert.Equal(0.12, Z(mask).SelectMany(r => r).Average(), 0.001);
        HeatMap whole = HeatMap.OfMask(Shown.Convolution, Shown.Weights(25_000));
        Assert.All(Z(whole), r => Assert.All(r, v => Assert.True(v == 1)));
    }

    [Fact]
    public void Values_are_written_into_cells_that_have_room()
    {
        HeatMap map = new("t", 1, 3, new float[] { 1.5f, -0.25f, float.NaN }) { ShowValues = true };
        Assert.Contains("1.5", Texts(map));
        Assert.Contains("−0.25", Texts(map));
        Assert.DoesNotContain("NaN", Texts(map));
        Assert.DoesNotContain("1.5", Texts(map with { ShowValues = false }));
        // White on what is dark and dark on what is bright, in light (first letter) and dark, and no rim.
        string Ink(HeatMap m, string text) => (string)XDocument.Parse(m.ToSvg()).Root!.Elements(Svg + "text").Single(t => t.Value == text && t.Attribute("class") is not null).Attribute("class")!;
        Assert.Equal("wb", Ink(map, "1.5"));
        Assert.Equal("bw", Ink(map with { Values = new float[] { 2, 0, -2 } }, "0"));
        Assert.DoesNotContain("class=\"over\"", map.ToSvg(), StringComparison.Ordinal);
    }

    [Fact]
    public void Kernels_stand_by_filter_and_channel_and_a_pruned_weight_is_an_empty_place()
    {
        // Filter f, channel c, at kernel row r and column k: its own number; one weight is pruned, one nearly zero.
        float[] weights = [.. Enumerable.Range(1, 3 * 5 * 2 * 2).Select(i => (float)i)];
        (weights[0], weights[1]) = (0, 1e-9f);
        KernelGrid grid = new("t", 3, 5, 2, 2, weights);
        double[][] z = Z(grid);
        Assert.Equal(8, z.Length);
        Assert.Equal(14, z[0].Length);
        Assert.True(double.IsNaN(z[0][0]));
        Assert.Equal(1e-9, z[0][1], 1e-12);
        // Filter 2, channel 3, the kernel's last weight.
        Assert.Equal(weights[(((2 * 5) + 3) * 4) + 3], z[7][10]);
        Assert.All(z, r => Assert.True(double.IsNaN(r[2])));
        Dictionary<(int X, int Y), int> cells = Cells(grid, 'd');
        Assert.Equal(59, cells.Count);
        Assert.Equal(16, cells[(1, 0)]);
        Assert.Contains("59 of 60 weights survive.", Texts(grid));
        Assert.Contains("pruned (exactly zero)", Texts(grid));
        XElement frames = XDocument.Parse(grid.ToSvg()).Root!.Elements(Svg + "path").Single(p => (string?)p.Attribute("class") == "frame grid");
        Assert.Equal(15, ((string)frames.Attribute("d")!).Count(c => c == 'z'));
        // Filters of few channels stand side by side.
        Assert.Equal(2, Z(new KernelGrid("t", 4, 1, 2, 2, new float[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 })).Length);
        Assert.Contains("3,000 of 25,000 weights survive. Shown are the first 20 of 50 filters.",
            Texts(KernelGrid.Of(Shown.Convolution, Shown.Weights(25_000, 0.12))));
    }

    [Fact]
    public void Wrong_sizes_are_refused_in_words()
    {
        Refused(new HeatMap("t", 2, 3, new float[5]), "5 values for 2 rows by 3 columns");
        Refused(new HeatMap("t", 0, 3, Array.Empty<float>()), "0 rows");
        Refused(new HeatMap("t", 65536, 65536, Array.Empty<float>()), "65536 rows");
        Refused(new KernelGrid("t", 2, 1, 3, 3, new float[17]), "17 weights for 2 filters");
        Refused(new KernelGrid("t", 1, 1, 61, 1, new float[61]), "at most 60 x 60");
        Refused(new Histogram("t", "x", new float[1]) { Levels = [.. Enumerable.Range(0, 257).Select(i => new HistogramLevel(i, ""))] }, "257 levels");

        static void Refused(IChart chart, string words)
        {
            Assert.Contains(words, Assert.Throws<AdmmKitException>(chart.ToSvg).Message, StringComparison.Ordinal);
            Assert.Contains(words, Assert.Throws<AdmmKitException>(chart.ToPlotlyJson).Message, StringComparison.Ordinal);
            Assert.Contains(words, Assert.Throws<AdmmKitException>(chart.ToBundle).Message, StringComparison.Ordinal);
        }
    }

    private static List<string> Texts(IChart chart) => [.. XDocument.Parse(chart.ToSvg()).Root!.Elements(Svg + "text").Select(t => t.Value)];

    private static double[][] Z(IChart chart)
    {
        using JsonDocument figure = JsonDocument.Parse(chart.ToPlotlyJson());
        return [.. figure.RootElement.GetProperty("data")[0].GetProperty("z").EnumerateArray().Select(r => r.EnumerateArray()
            .Select(v => v.ValueKind == JsonValueKind.Null ? double.NaN : v.GetDouble()).ToArray())];
    }

    /// <summary>The steps of the colours of all cells that are drawn.</summary>
    private static Dictionary<(int X, int Y), int> Cells(IChart chart, char scale)
    {
        var cells = new Dictionary<(int, int), int>();
        foreach (XElement path in XDocument.Parse(chart.ToSvg()).Root!.Element(Svg + "g")!.Elements(Svg + "path"))
        {
            string style = (string)path.Attribute("class")!;
            Assert.Equal(scale, style[0]);
            foreach (string piece in ((string)path.Attribute("d")!).Split('z', StringSplitOptions.RemoveEmptyEntries))
            {
                int[] n = [.. piece.Split(['M', ' ', 'h', 'v'], StringSplitOptions.RemoveEmptyEntries).Select(s => int.Parse(s, CultureInfo.InvariantCulture))];
                for (int x = n[0]; x < n[0] + n[2]; x++)
                {
                    cells.Add((x, n[1]), int.Parse(style[1..], CultureInfo.InvariantCulture));
                }
            }
        }

        return cells;
    }
}
