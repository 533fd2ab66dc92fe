using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using static AdmmKit.Notebooks.Charts.SvgCanvas;

namespace AdmmKit.Notebooks.Charts;

/// <summary>Writes a <see cref="Histogram"/> in its forms.</summary>
internal sealed class HistogramWriter(Histogram chart, HistogramBins bins)
{
    private const double PlotHeight = 300, NameGap = 6;
    private const string LevelColour = "#D55E00";

    private string YTitle => chart.WithoutZeros ? "number of values that are not zero" : "number of values";

    private string Note => string.Join(' ', new[]
    {
        FormattableString.Invariant($"{bins.Counted:#,0} values in bins of {NumberText.Short(bins.Width)}."),
        bins.Zeros == 0 ? "" : FormattableString.Invariant($"{bins.Zeros:#,0} zeros are left out."),
        bins.Strange == 0 ? "" : FormattableString.Invariant($"{bins.Strange:#,0} values are no finite numbers."),
    }.Where(s => s.Length > 0));

    public MimeBundle Bundle() => ChartBundle.Of(chart.Title, Svg(), Plotly(), Text());

    public string Svg()
    {
        var canvas = new SvgCanvas(chart.Title);
        bool logarithmic = chart.YScale == AxisScale.Logarithmic;
        // A decade below a count of one, so that one is seen.
        var yAxis = new ChartAxis([.. bins.Counts, logarithmic ? 0.9 : 0], chart.YScale, 7, toTicks: true);
        double left = Margin + TickLength + 6 + yAxis.Ticks.Max(t => ChartText.Width(t.Label, TextSize)), right = Width - Margin - 8;
        double[] ends = [bins.First, bins.First + (bins.Counts.Length * bins.Width)];
        ChartAxis xAxis = ChartAxis.Fitting(ends, AxisScale.Linear, left, right);
        double AtX(double value) => left + (xAxis.Place(value) * (right - left));
        canvas.Title();
        canvas.Y += 4;
        HistogramLevel[] levels = [.. chart.Levels.Where(l => xAxis.Shows(l.Value)).OrderBy(l => l.Value)];
        void Level(double x1, double y1, double x2, double y2) => canvas.Draw(
            $"<path class=\"level\" d=\"M{N(x1)} {N(y1)}L{N(x2)} {N(y2)}\" stroke=\"{LevelColour}\" stroke-dasharray=\"4 3\"/>");
        canvas.Heading(YTitle, levels.Length == 0 ? [] :
        [
            ("values", (x, middle) => Bar(canvas, $"M{N(x + 5)} {N(middle - 6)}h12v12h-12z")),
            (chart.LevelsName, (x, middle) => Level(x, middle, x + Swatch, middle)),
        ]);
        Names(canvas, levels, AtX);
        double top = canvas.Y, bottom = top + PlotHeight;
        double AtY(double value) => bottom - (yAxis.Place(value) * PlotHeight);
        canvas.YGrid(yAxis, left, right, AtY);
        Bars(canvas, yAxis, AtX, AtY, bottom);
        foreach (HistogramLevel level in levels)
        {
            Level(AtX(level.Value), top, AtX(level.Value), bottom);
        }

        canvas.Line("axis", left, top, left, bottom);
        canvas.Line("axis", left, bottom, right, bottom);
        foreach (Tick tick in xAxis.Ticks)
        {
            canvas.Line("axis", AtX(tick.Value), bottom, AtX(tick.Value), bottom + TickLength);
            canvas.Text(AtX(tick.Value), bottom + TickLength + 14, tick.Label, TextSize, "middle");
        }

        if (bins.Counted == 0)
        {
            canvas.Text((left + right) / 2, (top + bottom) / 2, "no data", TextSize, "middle");
        }

        canvas.Y = bottom + TickLength + LineHeight + 2;
        canvas.XTitle(chart.XTitle, left, right);
        canvas.Note(Note);
        return canvas.Document();
    }

    public string Plotly()
    {
        JsonArray shapes = [.. chart.Levels.Where(l => double.IsFinite(l.Value)).Select(l => (JsonNode)new JsonObject
        {
            ["type"] = "line",
            ["x0"] = l.Value,
            ["x1"] = l.Value,
            ["yref"] = "paper",
            ["y0"] = 0,
            ["y1"] = 1,
            ["line"] = new JsonObject { ["color"] = LevelColour, ["dash"] = "dash", ["width"] = 1 },
            ["label"] = new JsonObject { ["text"] = PlotlyWriter.Plain(l.Name), ["textposition"] = "end", ["textangle"] = 0 },
        })];
        var data = new JsonArray(new JsonObject
        {
            ["type"] = "bar",
            ["name"] = "values",
            ["x"] = PlotlyWriter.Numbers([.. bins.Counts.Select((_, i) => bins.First + ((i + 0.5) * bins.Width))]),
            ["y"] = PlotlyWriter.Numbers(bins.Counts),
            ["width"] = bins.Width,
            ["marker"] = new JsonObject { ["color"] = ChartColours.At(0) },
        });
        return PlotlyWriter.Text(data, new JsonObject
        {
            ["title"] = PlotlyWriter.Title(chart.Title),
            ["xaxis"] = PlotlyWriter.Axis(chart.XTitle, AxisScale.Linear, ("anchor", "y")),
            ["yaxis"] = PlotlyWriter.Axis(YTitle, chart.YScale, ("anchor", "x")),
            ["shapes"] = shapes,
        });
    }

    public string Text()
    {
        string range = bins.Counted == 0 ? "no values"
            : $"{NumberText.Short(bins.Low)} to {NumberText.Short(bins.High)}, mean {NumberText.Short(bins.Mean)}";
        string levels = chart.Levels.Count == 0 ? "" : $"  {ChartBundle.Name(chart.LevelsName)}: "
            + $"{NumberText.Short(chart.Levels.Min(l => l.Value))} to {NumberText.Short(chart.Levels.Max(l => l.Value))}\n";
        return $"{ChartBundle.Name(chart.Title)}\n  {ChartBundle.Name(chart.XTitle)}: {range}\n{levels}  {Note}\n";
    }

    /// <summary>Names of levels above their lines; one that would touch the one before is left out.</summary>
    private static void Names(SvgCanvas canvas, HistogramLevel[] levels, Func<double, double> atX)
    {
        double free = 0;
        foreach (HistogramLevel level in levels)
        {
            double half = ChartText.Width(level.Name, TextSize) / 2, x = atX(level.Value);
            if (level.Name.Length > 0 && x - half >= free && x + half <= Width)
            {
                canvas.Text(x, canvas.Y + 10, level.Name, TextSize, "middle");
                free = x + half + NameGap;
            }
        }

        canvas.Y += free > 0 ? LineHeight : 0;
    }

    private void Bars(SvgCanvas canvas, ChartAxis yAxis, Func<double, double> atX, Func<double, double> atY, double bottom)
    {
        var path = new StringBuilder();
        for (int i = 0; i < bins.Counts.Length; i++)
        {
            if (bins.Counts[i] > 0 && yAxis.Shows(bins.Counts[i]))
            {
                double x = atX(bins.First + (i * bins.Width)), width = atX(bins.First + ((i + 1) * bins.Width)) - x;
                double gap = Math.Min(0.5, width / 8), y = Math.Min(atY(bins.Counts[i]), bottom - 1);
                path.Append(CultureInfo.InvariantCulture, $"M{N(x + gap)} {N(bottom)}V{N(y)}h{N(width - (2 * gap))}V{N(bottom)}z");
            }
        }

        if (path.Length > 0)
        {
            Bar(canvas, path.ToString());
        }
    }

    private static void Bar(SvgCanvas canvas, string d) => canvas.Draw($"<path class=\"bar\" d=\"{d}\" fill=\"{ChartColours.At(0)}\"/>");
}
