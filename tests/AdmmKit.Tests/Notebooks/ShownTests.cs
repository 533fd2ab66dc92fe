using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Tests.Notebooks;

/// <summary>Laws of whatever can be shown, in each of its forms.</summary>
public class ShownTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    public static TheoryData<string> Names => [.. Shown.All.Keys];

    public static TheoryData<string> ChartNames => [.. Shown.All.Where(s => s.Value() is IChart).Select(s => s.Key)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_form_is_complete_bounded_escaped_and_the_same_in_every_culture(string name)
    {
        IDisplayable shown = Shown.All[name]();
        IReadOnlyDictionary<string, string> data = shown.ToBundle().Data;
        using (new CommaCulture())
        {
            Assert.Equal(data, shown.ToBundle().Data);
        }

        Assert.Contains(MimeTypes.Text, data.Keys);
        Assert.InRange(Encoding.UTF8.GetByteCount(data[MimeTypes.Text]), 1, 8_000);
        Assert.EndsWith("\n", data[MimeTypes.Text], StringComparison.Ordinal);
        Assert.DoesNotContain('\r', string.Concat(data.Values));
        Assert.DoesNotContain("<script", data[MimeTypes.Html], StringComparison.OrdinalIgnoreCase);
        // Well formed, whatever stands in it.
        XElement html = XElement.Parse("<body>" + data[MimeTypes.Html] + "</body>");
        Assert.DoesNotContain(html.Descendants(), e => e.Attributes().Any(a => a.Name.LocalName.StartsWith("on", StringComparison.Ordinal)));
        Assert.Empty(html.Descendants().Attributes("id"));
        if (data.TryGetValue(MimeTypes.Markdown, out string? markdown))
        {
            Assert.DoesNotContain("<script", markdown, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [MemberData(nameof(ChartNames))]
    public void Every_drawing_stays_in_its_frame_and_no_two_labels_overlap(string name)
    {
        string text = ((IChart)Shown.All[name]()).ToSvg();
        Assert.InRange(Encoding.UTF8.GetByteCount(text), 100, 300_000);
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
        Assert.DoesNotContain("∞", text, StringComparison.Ordinal);
        XElement svg = XDocument.Parse(text).Root!;
        Assert.Empty(svg.DescendantsAndSelf().Attributes("id"));
        double width = Number(svg, "width"), height = Number(svg, "height");
        Assert.InRange(height, 50, 1500);
        var boxes = new List<(double Left, double Right, double Baseline)>();
        foreach (XElement label in svg.Descendants(Svg + "text").Where(t => t.Attribute("transform") is null))
        {
            double size = Number(label, "font-size"), length = ChartText.Width(label.Value, size), y = Number(label, "y");
            double x = Number(label, "x") - ((string)label.Attribute("text-anchor")! switch { "end" => length, "middle" => length / 2, _ => 0 });
            Assert.True(x >= 0 && x + length <= width + 0.1, $"'{label.Value}' is cut");
            Assert.InRange(y, size * 0.8, height - (size * 0.3));
            Assert.All(boxes.Where(b => Math.Abs(b.Baseline - y) < 12), b => Assert.True(b.Right <= x || x + length <= b.Left, $"'{label.Value}' is overlapped"));
            boxes.Add((x, x + length, y));
        }

        Assert.All(svg.Descendants(Svg + "rect"), r => Assert.InRange(Number(r, "width"), 0, width));
        foreach (XElement group in svg.Elements(Svg + "g"))
        {
            double[] t = Numbers((string)group.Attribute("transform")!, "translate()scale ");
            foreach (XElement path in group.Elements(Svg + "path"))
            {
                string d = (string)path.Attribute("d")!;
                foreach (string cells in d.Split('z', StringSplitOptions.RemoveEmptyEntries))
                {
                    double[] n = Numbers(cells, "Mhv ");
                    Assert.InRange(t[0] + ((n[0] + n[2]) * t[2]), t[0], width);
                    Assert.InRange(t[1] + ((n[1] + 1) * t[3]), t[1], height);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(ChartNames))]
    public void A_page_shows_the_drawing_as_an_image_and_Plotly_gets_a_figure(string name)
    {
        IReadOnlyDictionary<string, string> data = Shown.All[name]().ToBundle().Data;
        string source = (string)XElement.Parse(data[MimeTypes.Html]).Element("img")!.Attribute("src")!;
        Assert.StartsWith("data:image/svg+xml;base64,", source, StringComparison.Ordinal);
        Assert.Equal(data[MimeTypes.Svg], Encoding.UTF8.GetString(Convert.FromBase64String(source[(source.IndexOf(',', StringComparison.Ordinal) + 1)..])));
        using JsonDocument figure = JsonDocument.Parse(data[MimeTypes.Plotly]);
        Assert.NotEqual(0, figure.RootElement.GetProperty("data").GetArrayLength());
        Assert.InRange(data[MimeTypes.Plotly].Length, 100, 300_000);
    }

    private static double Number(XElement element, string attribute) =>
        double.Parse((string)element.Attribute(attribute)!, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static double[] Numbers(string text, string separators) =>
        [.. text.Split(separators.ToCharArray(), StringSplitOptions.RemoveEmptyEntries).Select(n => double.Parse(n, CultureInfo.InvariantCulture))];
}
