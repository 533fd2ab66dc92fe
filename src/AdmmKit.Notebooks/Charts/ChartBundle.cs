using System.Text;

namespace AdmmKit.Notebooks.Charts;

/// <summary>All forms of a chart, and what their texts have in common.</summary>
internal static class ChartBundle
{
    private const int ManyPoints = 12, ManySeries = 12;

    /// <summary>
    /// In a page the SVG is an image of its own: its style cannot touch the page, nor another chart's, and viewers that strip
    /// styles and drawings from pages, as GitHub's does, still show images.
    /// </summary>
    public static MimeBundle Of(string title, string svg, string plotly, string text) => new(new Dictionary<string, string>
    {
        [MimeTypes.Html] = $"<figure style=\"margin:0\"><img alt=\"{ChartText.Escape(title)}\" style=\"max-width:100%;height:auto\" "
            + $"src=\"data:{MimeTypes.Svg};base64,{Convert.ToBase64String(Encoding.UTF8.GetBytes(svg))}\"/></figure>\n",
        [MimeTypes.Svg] = svg,
        [MimeTypes.Plotly] = plotly,
        [MimeTypes.Text] = text,
    });

    /// <summary>Text of at most so many characters in one line.</summary>
    public static string Name(string text) => Displays.OneLine(text, 80);

    /// <summary>What the lines that follow show.</summary>
    public static string Heading(string yTitle, string xTitle) => $"{Name(yTitle)} by {Name(xTitle)}";

    /// <summary>One series: its name and its numbers.</summary>
    public static string Line(string name, IReadOnlyList<double> values, Func<int, string> nameOf) =>
        $"  {Name(name)}: {Numbers(values, nameOf)}";

    /// <summary>As many lines as can be read, and how many there would be.</summary>
    public static IEnumerable<string> Lines(IReadOnlyCollection<string> lines) => lines.Count <= ManySeries
        ? lines
        : [.. lines.Take(ManySeries), FormattableString.Invariant($"  ... {lines.Count - ManySeries} more")];

    /// <summary>Few numbers with their names; of many their number, range and the last. Gaps are left out.</summary>
    private static string Numbers(IReadOnlyList<double> values, Func<int, string> nameOf)
    {
        (int Index, double Value)[] finite = [.. values.Index().Where(v => double.IsFinite(v.Item))];
        string Named((int Index, double Value) v) => $"{nameOf(v.Index)}: {NumberText.Short(v.Value)}";
        return finite.Length == 0 ? "no values"
            : finite.Length <= ManyPoints ? string.Join(", ", finite.Select(Named))
            : FormattableString.Invariant($"{finite.Length} values, ")
                + $"{NumberText.Short(finite.Min(v => v.Value))} to {NumberText.Short(finite.Max(v => v.Value))}, last {Named(finite[^1])}";
    }
}
