using System.Globalization;
using System.Text;
using static AdmmKit.Notebooks.Charts.SvgCanvas;

namespace AdmmKit.Notebooks.Charts;

/// <summary>Writes a <see cref="BarChart"/> as SVG. Names of categories never overlap: they are broken, turned or left out.</summary>
internal sealed class BarChartSvg(BarChart chart)
{
    private const double PlotHeight = 300, LabelGap = 6, BarShare = 0.78;
    private const double Turn = 45, LongestTurned = 190;
    private const double StripeDistance = 5, FirstStripe = 3.5;

    private readonly SvgCanvas canvas = new(chart.Title);
    private double left, right;

    private double Slot => (right - left) / chart.Categories.Count;

    public string Write()
    {
        ChartAxis axis = YAxis();
        left = Margin + TickLength + 6 + axis.Ticks.Max(t => ChartText.Width(t.Label, TextSize));
        right = Width - Margin - 8;
        IReadOnlyList<string>[]? level = LevelLabels();
        string[] turned = [.. chart.Categories.Select(c => Shortened(c, LongestTurned))];
        if (level is null)
        {
            MakeRoom(turned);
        }

        if (BarChart.Round(chart.Series.Count - 1) > 0)
        {
            canvas.Style = ".admmkit .stripe { fill: none; stroke: #ffffff; stroke-width: 1.8 } "
                + "@media (prefers-color-scheme: dark) { .admmkit .stripe { stroke: #161b22 } }";
        }

        canvas.Title();
        canvas.Y += 4;
        canvas.Heading(chart.YTitle, Legend());
        double top = canvas.Y, bottom = top + PlotHeight;
        double At(double value) => bottom - (axis.Place(value) * PlotHeight);
        canvas.YGrid(axis, left, right, At);
        canvas.Line("axis", left, top, left, bottom);
        bool any = Bars(axis, At, bottom);
        double zero = axis.Shows(0) ? At(0) : bottom;
        canvas.Line("axis", left, zero, right, zero);
        if (chart.Reference is { } reference && axis.Shows(reference.Value))
        {
            canvas.Across(left, right, At(reference.Value));
        }

        if (!any)
        {
            canvas.Text((left + right) / 2, (top + bottom) / 2, "no data", TextSize, "middle");
        }

        canvas.Y = bottom + (level is null ? Turned(turned, bottom) : Level(level, bottom));
        canvas.XTitle(chart.XTitle, left, right);
        return canvas.Document();
    }

    private ChartAxis YAxis()
    {
        bool stacked = chart.Layout == BarLayout.Stacked;
        IEnumerable<double> values = stacked
            ? chart.Categories.Select((_, c) => chart.Series.Select(s => s.Values[c]).Where(double.IsFinite).Sum())
            : chart.Series.SelectMany(s => s.Values);
        double[] all = [.. values, .. chart.Reference is { } r ? [r.Value] : Array.Empty<double>()];
        bool logarithmic = chart.YScale == AxisScale.Logarithmic;
        // A bar whose value is the low end of the axis would have no length: a decade begins below the smallest.
        double[] start = !logarithmic ? [0] : [.. all.Where(v => double.IsFinite(v) && v > 0).Select(v => v * 0.99)];
        return new ChartAxis([.. all, .. start], chart.YScale, 7, toTicks: true);
    }

    private IEnumerable<(string Name, Action<double, double> Draw)> Legend()
    {
        foreach ((int index, BarSeries series) in chart.Series.Index())
        {
            yield return (series.Name, (x, middle) => Rectangle(index, x + 5, middle - 6, 12, 12));
        }

        if (chart.Reference is { } reference)
        {
            yield return (reference.Name, (x, middle) => canvas.Across(x, x + Swatch, middle));
        }
    }

    private bool Bars(ChartAxis axis, Func<double, double> at, double bottom)
    {
        bool stacked = chart.Layout == BarLayout.Stacked, any = false;
        double width = Slot * BarShare / (stacked ? 1 : Math.Max(1, chart.Series.Count));
        for (int c = 0; c < chart.Categories.Count; c++)
        {
            double x = left + (c * Slot) + (Slot * (1 - BarShare) / 2), sum = 0;
            foreach ((int index, BarSeries series) in chart.Series.Index())
            {
                double value = series.Values[c];
                if (axis.Shows(value))
                {
                    double from = stacked ? at(sum) : axis.Shows(0) ? at(0) : bottom, to = at(sum + value);
                    Rectangle(index, x, Math.Min(from, to), width, Math.Abs(from - to));
                    any = true;
                }

                sum += stacked && double.IsFinite(value) ? value : 0;
                x += stacked ? 0 : width;
            }
        }

        return any;
    }

    // Half a pixel of the background parts neighbours, so that equal colours stay apart.
    private void Rectangle(int series, double x, double y, double width, double height)
    {
        double gap = Math.Min(0.5, width / 4);
        canvas.Draw($"<rect class=\"bar\" x=\"{N(x + gap)}\" y=\"{N(y)}\" width=\"{N(width - (2 * gap))}\" height=\"{N(height)}\" "
            + $"fill=\"{ChartColours.At(series)}\"/>");
        var stripes = new StringBuilder();
        for (double at = FirstStripe; BarChart.Round(series) > 0 && at < width - 1; at += StripeDistance)
        {
            stripes.Append(CultureInfo.InvariantCulture, $"M{N(x + at)} {N(y)}v{N(height)}");
        }

        for (double at = FirstStripe; BarChart.Round(series) > 1 && at < height - 1; at += StripeDistance)
        {
            stripes.Append(CultureInfo.InvariantCulture, $"M{N(x)} {N(y + at)}h{N(width)}");
        }

        if (stripes.Length > 0)
        {
            canvas.Draw($"<path class=\"stripe\" d=\"{stripes}\"/>");
        }
    }

    /// <summary>Names in level lines under their categories; null where a word is wider than a category, or lines are many.</summary>
    private IReadOnlyList<string>[]? LevelLabels()
    {
        double room = Slot - LabelGap;
        bool fits = chart.Categories.SelectMany(c => c.Split(' ')).All(word => ChartText.Width(word, TextSize) <= room);
        IReadOnlyList<string>[] lines = [.. chart.Categories.Select(c => ChartText.Wrap(c, TextSize, Math.Max(room, 1)))];
        return fits && lines.Max(l => l.Count) <= 3 ? lines : null;
    }

    private double Level(IReadOnlyList<string>[] labels, double bottom)
    {
        foreach ((int c, IReadOnlyList<string> lines) in labels.Index())
        {
            foreach ((int i, string line) in lines.Index())
            {
                canvas.Text(left + ((c + 0.5) * Slot), bottom + 16 + (i * LineHeight), line, TextSize, "middle");
            }
        }

        return 7 + (labels.Max(l => l.Count) * LineHeight);
    }

    /// <summary>Turned names end below their category and reach to the left: the plot begins where the first ones have room.</summary>
    private void MakeRoom(string[] labels)
    {
        double cosine = Math.Cos(Turn * Math.PI / 180);
        foreach ((int c, string label) in labels.Index())
        {
            // Where the middle of category c has to be; moving the left end moves it by less the further right it is.
            double middle = Margin + ((ChartText.Width(label, TextSize) + TextSize) * cosine), part = (c + 0.5) / labels.Length;
            left = Math.Max(left, (middle - (right * part)) / (1 - part));
        }
    }

    private double Turned(string[] labels, double bottom)
    {
        double sine = Math.Sin(Turn * Math.PI / 180);
        // Turned lines are as far apart as the categories, foreshortened. Where that is too near, only each so many-th is named.
        int every = (int)Math.Ceiling(LineHeight / (Slot * sine));
        double longest = 0;
        foreach ((int c, string label) in labels.Index().Where(l => l.Index % every == 0 && l.Item.Length > 0))
        {
            double x = left + ((c + 0.5) * Slot) + (TextSize / 3), y = bottom + TextSize;
            canvas.Text(x, y, label, TextSize, "end", attributes: $" transform=\"rotate({N(-Turn)} {N(x)} {N(y)})\"");
            longest = Math.Max(longest, ChartText.Width(label, TextSize));
        }

        return TextSize + (longest * sine) + 8;
    }

    private static string Shortened(string label, double width)
    {
        string whole = string.Join(' ', label.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        if (ChartText.Width(whole, TextSize) <= width)
        {
            return whole;
        }

        var start = new StringBuilder();
        foreach (Rune rune in whole.EnumerateRunes())
        {
            if (ChartText.Width($"{start}{rune}…", TextSize) > width)
            {
                break;
            }

            start.Append(rune.ToString());
        }

        return start.ToString() + "…";
    }
}
