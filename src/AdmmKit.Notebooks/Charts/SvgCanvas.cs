using System.Globalization;
using System.Text;

namespace AdmmKit.Notebooks.Charts;

/// <summary>
/// What all charts have in common as SVG: the document with its colours for light and dark, fonts, title, legends, and what is
/// drawn on it. Text is set from top to bottom; <see cref="Y"/> is where the next line begins.
/// </summary>
/// <param name="title">The chart's title.</param>
internal sealed class SvgCanvas(string title)
{
    public const double Width = 720, Margin = 16, TextSize = 12, LineHeight = 17, TickLength = 5, Swatch = 22;
    private const double TitleSize = 15, NoteSize = 11, LegendGap = 18;

    private readonly StringBuilder svg = new();

    public double Y { get; set; } = Margin;

    /// <summary>Styles beside those of all charts.</summary>
    public string Style { get; set; } = "";

    public static string N(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);

    public void Title()
    {
        foreach (string line in ChartText.Wrap(title, TitleSize, Width - (2 * Margin)))
        {
            Y += LineHeight + 2;
            Text(Margin, Y - 5, line, TitleSize, "start", bold: true);
        }
    }

    /// <summary>The y axis's title, level so that it is never cut, and below it the legend.</summary>
    /// <param name="yTitle">The title.</param>
    /// <param name="entries">Names, and what draws the swatch of each from its left end and middle.</param>
    public void Heading(string yTitle, IEnumerable<(string Name, Action<double, double> Draw)> entries)
    {
        foreach (string line in ChartText.Wrap(yTitle, TextSize, Width - (2 * Margin)))
        {
            Y += LineHeight;
            Text(Margin, Y - 4, line, TextSize, "start");
        }

        double x = Margin;
        int rows = 0;
        foreach ((string name, Action<double, double> draw) in entries)
        {
            IReadOnlyList<string> lines = ChartText.Wrap(name, TextSize, Width - (2 * Margin) - Swatch - 6);
            double width = Swatch + 6 + lines.Select(l => ChartText.Width(l, TextSize)).DefaultIfEmpty(0).Max();
            if (rows == 0 || x + width > Width - Margin)
            {
                Y += rows * LineHeight;
                (x, rows) = (Margin, 0);
            }

            draw(x, Y + (LineHeight / 2));
            for (int i = 0; i < lines.Count; i++)
            {
                Text(x + Swatch + 6, Y + ((i + 1) * LineHeight) - 4, lines[i], TextSize, "start");
            }

            rows = Math.Max(rows, Math.Max(1, lines.Count));
            x += width + LegendGap;
        }

        Y += (rows * LineHeight) + 8;
    }

    /// <summary>Grid lines and labels of a y axis.</summary>
    public void YGrid(ChartAxis axis, double left, double right, Func<double, double> atY)
    {
        foreach (Tick tick in axis.Ticks)
        {
            Line("grid", left, atY(tick.Value), right, atY(tick.Value));
            Text(left - TickLength - 4, atY(tick.Value) + 4, tick.Label, TextSize, "end");
        }
    }

    public void XTitle(string xTitle, double left, double right)
    {
        foreach (string line in ChartText.Wrap(xTitle, TextSize, right - left))
        {
            Y += LineHeight;
            Text((left + right) / 2, Y - 4, line, TextSize, "middle");
        }
    }

    /// <summary>What has to be said below a picture, in small letters.</summary>
    public void Note(string text)
    {
        foreach (string line in ChartText.Wrap(text, NoteSize, Width - (2 * Margin)))
        {
            Y += LineHeight;
            Text(Margin, Y - 2, line, NoteSize, "start");
        }
    }

    public void Line(string style, double x1, double y1, double x2, double y2) =>
        Draw($"<path class=\"{style}\" d=\"M{N(x1)} {N(y1)}L{N(x2)} {N(y2)}\"/>");

    /// <summary>A dashed level to compare with. On the colours of bars it is seen by a rim of the background.</summary>
    public void Across(double from, double to, double y)
    {
        Line("over", from, y, to, y);
        Draw($"<path class=\"axis\" d=\"M{N(from)} {N(y)}H{N(to)}\" stroke-width=\"1.6\" stroke-dasharray=\"6 4\"/>");
    }

    public void Text(double x, double baseline, string text, double size, string anchor, bool bold = false, string attributes = "") =>
        Draw($"<text{attributes} x=\"{N(x)}\" y=\"{N(baseline)}\" font-size=\"{N(size)}\" text-anchor=\"{anchor}\""
            + (bold ? " font-weight=\"bold\">" : ">") + ChartText.Escape(text) + "</text>");

    public void Draw(string element) => svg.Append("  ").Append(element).Append('\n');

    // Styles name their own class, because within a page they apply to all of it. The background is drawn: a page may be dark
    // where the system is light, and then dark text would stand on it.
    public string Document()
    {
        double height = Y + Margin - 4;
        return $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{N(Width)}} {{N(height)}}" width="{{N(Width)}}" height="{{N(height)}}" role="img" class="admmkit" font-family="sans-serif">
              <title>{{ChartText.Escape(title)}}</title>
              <style>
                .admmkit .ground { fill: #ffffff } .admmkit text { fill: #24292f } .admmkit .grid { stroke: #e3e6ea }
                .admmkit .axis { stroke: #6e7781 } .admmkit .over { stroke: #ffffff; stroke-width: 3; paint-order: stroke }
                .admmkit .frame { fill: none } .admmkit .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round }
                @media (prefers-color-scheme: dark) {
                  .admmkit .ground { fill: #161b22 } .admmkit text { fill: #dde3ea } .admmkit .grid { stroke: #2d343d }
                  .admmkit .axis { stroke: #8b949e } .admmkit .over { stroke: #161b22 }
                }{{(Style.Length > 0 ? "\n    " : "") + Style}}
              </style>
              <rect class="ground" width="{{N(Width)}}" height="{{N(height)}}"/>
            {{svg.ToString().TrimEnd('\n')}}
            </svg>

            """.ReplaceLineEndings("\n");
    }
}
