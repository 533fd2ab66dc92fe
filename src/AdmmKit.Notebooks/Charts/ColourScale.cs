using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using static AdmmKit.Notebooks.Charts.SvgCanvas;

namespace AdmmKit.Notebooks.Charts;

/// <summary>How numbers become colours.</summary>
public enum ColourRange
{
    /// <summary>Diverging where some value is negative, else sequential.</summary>
    Automatic,

    /// <summary>From pale to dark (on a dark ground: to bright), from zero or the smallest value to the largest.</summary>
    Sequential,

    /// <summary>Blue below zero, orange above, grey at zero, as far to each side.</summary>
    Diverging,
}

/// <summary>
/// Colours of numbers, in so many steps that their borders are not seen. Blue and orange are told apart with any kind of
/// colour blindness, and the ground of the page is never one of the colours, so that "nothing there" is seen as such.
/// </summary>
internal sealed class ColourScale
{
    private const int Steps = 33;
    private const double BarWidth = 300, BarHeight = 10;

    private static readonly int[] DivergingLight = [0x00497A, 0x4A90C2, 0xDADADA, 0xE8925A, 0xA83C00];
    private static readonly int[] DivergingDark = [0x7CC4F5, 0x3A82B5, 0x414953, 0xC46A2E, 0xFFA662];
    private static readonly int[] SequentialLight = [0xDFE8F0, 0x5A9BC8, 0x003A63];
    private static readonly int[] SequentialDark = [0x2B3643, 0x3A82B5, 0xBFE3FA];

    private readonly bool diverging;
    private readonly ChartAxis axis;

    /// <param name="low">The smallest number, or more than <paramref name="high"/> where there is none.</param>
    /// <param name="high">The largest number.</param>
    /// <param name="range">How they become colours.</param>
    public ColourScale(double low, double high, ColourRange range)
    {
        diverging = range == ColourRange.Diverging || (range == ColourRange.Automatic && low < 0);
        double most = Math.Max(Math.Abs(low), Math.Abs(high));
        double[] ends = low > high ? [] : diverging ? [-most, most] : [Math.Min(low, 0), high];
        int ticks = 6;
        do
        {
            axis = new ChartAxis(ends, AxisScale.Linear, ticks, toTicks: false);
        }
        while (axis.Ticks.Sum(t => ChartText.Width(t.Label, TextSize) + 8) > BarWidth && --ticks >= 2);
    }

    private int[] Light => diverging ? DivergingLight : SequentialLight;

    private int[] Dark => diverging ? DivergingDark : SequentialDark;

    /// <summary>The step of a number, or null where it has no colour.</summary>
    public int? Step(double value) =>
        axis.Shows(value) ? (int)Math.Round(Math.Clamp(axis.Place(value), 0, 1) * (Steps - 1)) : null;

    /// <summary>The class of a step; different scales have different ones, because they may share a page.</summary>
    public string Class(int step) => (diverging ? "d" : "s") + step.ToString(CultureInfo.InvariantCulture);

    /// <summary>What each class looks like, on light and dark.</summary>
    public string Css()
    {
        var css = new StringBuilder();
        Classes(Light);
        css.Append("\n    @media (prefers-color-scheme: dark) {");
        Classes(Dark);
        return css.Append(" }").ToString();

        void Classes(int[] colours)
        {
            for (int i = 0; i < Steps; i++)
            {
                css.Append(i % 5 == 0 ? "\n    " : " ").Append($".admmkit .{Class(i)} {{ fill: {Colour(colours, i)} }}");
            }
        }
    }

    /// <summary>The class of a number that is written on a step: dark or white, whichever is read better, on light and on dark.</summary>
    public string Ink(int step) => (IsDim(Light, step) ? "w" : "b") + (IsDim(Dark, step) ? "w" : "b");

    /// <summary>What the classes of numbers look like: the first letter is for light, the second for dark.</summary>
    public const string InkCss = "\n    .admmkit .ww, .admmkit .wb { fill: #ffffff } .admmkit .bb, .admmkit .bw { fill: #101418 }"
        + "\n    @media (prefers-color-scheme: dark) { .admmkit .ww, .admmkit .bw { fill: #ffffff } .admmkit .bb, .admmkit .wb { fill: #101418 } }";

    /// <summary>The scale as Plotly takes it, with the ends of the numbers.</summary>
    public (JsonArray Colours, double Low, double High) Plotly()
    {
        double last = Light.Length - 1;
        JsonArray colours = [.. Light.Select((_, i) => (JsonNode)new JsonArray(i / last, Colour(Light, (int)((Steps - 1) * i / last))))];
        return (colours, axis.Low, axis.High);
    }

    /// <summary>Draws the colours with their numbers, and beside them what has no colour.</summary>
    /// <param name="canvas">Where.</param>
    /// <param name="unit">What the numbers are.</param>
    /// <param name="absent">What has no colour, or null where all have one.</param>
    public void Draw(SvgCanvas canvas, string unit, string? absent)
    {
        canvas.Heading(unit, []);
        double left = Margin + (axis.Ticks.Max(t => ChartText.Width(t.Label, TextSize)) / 2), top = canvas.Y - 4;
        for (int i = 0; i < Steps; i++)
        {
            string x = N(left + (i * BarWidth / Steps)), width = N((BarWidth / Steps) + 0.3);
            canvas.Draw($"<rect class=\"{Class(i)}\" x=\"{x}\" y=\"{N(top)}\" width=\"{width}\" height=\"{N(BarHeight)}\"/>");
        }

        foreach (Tick tick in axis.Ticks)
        {
            double x = left + (axis.Place(tick.Value) * BarWidth);
            canvas.Line("axis", x, top + BarHeight, x, top + BarHeight + 3);
            canvas.Text(x, top + BarHeight + 15, tick.Label, TextSize, "middle");
        }

        if (absent is not null)
        {
            double x = left + BarWidth + 50;
            canvas.Draw($"<rect class=\"ground axis\" x=\"{N(x)}\" y=\"{N(top - 1)}\" width=\"12\" height=\"12\"/>");
            canvas.Text(x + 18, top + 10, absent, TextSize, "start");
        }

        canvas.Y = top + BarHeight + 26;
    }

    private static string Colour(int[] colours, int step)
    {
        (int r, int g, int b) = Channels(colours, step);
        return FormattableString.Invariant($"#{r:x2}{g:x2}{b:x2}");
    }

    // White has more contrast than black on what has less than this relative luminance (WCAG 2.1).
    private static bool IsDim(int[] colours, int step)
    {
        static double Linear(int channel) => Math.Pow(channel / 255.0, 2.2);
        (int r, int g, int b) = Channels(colours, step);
        return (0.2126 * Linear(r)) + (0.7152 * Linear(g)) + (0.0722 * Linear(b)) < 0.18;
    }

    private static (int R, int G, int B) Channels(int[] colours, int step)
    {
        double place = (double)step / (Steps - 1) * (colours.Length - 1);
        int from = Math.Min((int)place, colours.Length - 2);
        int Channel(int shift)
        {
            int a = (colours[from] >> shift) & 255, b = (colours[from + 1] >> shift) & 255;
            return (int)Math.Round(a + ((b - a) * (place - from)));
        }

        return (Channel(16), Channel(8), Channel(0));
    }
}
