using System.Text;
using static AdmmKit.Notebooks.Charts.SvgCanvas;

namespace AdmmKit.Notebooks.Charts;

/// <summary>Writes a <see cref="LineChart"/> as SVG. Everything but the curves has its own room, so nothing overlaps.</summary>
internal sealed class SvgWriter(LineChart chart)
{
    private const double LabelSize = 11, PanelGap = 26;
    private const int ManyPoints = 80;

    private readonly SvgCanvas canvas = new(chart.Title);
    private readonly IReadOnlyList<string> names = chart.SeriesNames;
    private readonly double plotHeight = chart.Panels.Count == 1 ? 300 : 200;
    private double left, right;

    public string Write()
    {
        ChartAxis[] yAxes = [.. chart.Panels.Select(p => new ChartAxis(Heights(p), p.YScale, 7, toTicks: true))];
        left = Margin + TickLength + 6 + yAxes.SelectMany(a => a.Ticks).Max(t => ChartText.Width(t.Label, TextSize));
        right = Width - Margin - 8;
        double[] values = [.. chart.Panels.SelectMany(p => p.Series).SelectMany(s => s.X)];
        ChartAxis xAxis = ChartAxis.Fitting(values, chart.XScale, left, right);
        canvas.Title();
        for (int i = 0; i < yAxes.Length; i++)
        {
            canvas.Y += i == 0 ? 4 : PanelGap;
            canvas.Heading(chart.Panels[i].YTitle, Legend(chart.Panels[i]));
            Plot(chart.Panels[i], xAxis, yAxes[i], labelX: i == yAxes.Length - 1);
        }

        canvas.XTitle(chart.XTitle, left, right);
        return canvas.Document();
    }

    /// <summary>All that the y axis has to show: points, the ends of their intervals, the reference.</summary>
    private static IEnumerable<double> Heights(ChartPanel panel) =>
    [
        .. panel.Series.SelectMany(s => s.Y),
        .. panel.Series.SelectMany(s => Enumerable.Range(0, s.Spread?.Count ?? 0).SelectMany(i => new[] { s.Y[i] - s.Spread![i], s.Y[i] + s.Spread[i] })),
        .. panel.Reference is { } r ? [r.Value] : Array.Empty<double>(),
    ];

    private IEnumerable<(string Name, Action<double, double> Draw)> Legend(ChartPanel panel) =>
    [
        .. panel.Series.Select(s => (s.Name, Legend(s))),
        .. panel.Reference is { } r ? [(r.Name, (x, middle) => canvas.Across(x, x + Swatch, middle))] : Array.Empty<(string, Action<double, double>)>(),
    ];

    private Action<double, double> Legend(ChartSeries series) => (x, middle) =>
    {
        if (series.Style != SeriesStyle.Markers)
        {
            Path($"M{N(x)} {N(middle)}H{N(x + Swatch)}", series);
        }

        if (series.Style != SeriesStyle.Line)
        {
            Marker(x + (Swatch / 2), middle, series);
        }
    };

    private void Plot(ChartPanel panel, ChartAxis xAxis, ChartAxis yAxis, bool labelX)
    {
        double top = canvas.Y, bottom = top + plotHeight;
        double AtX(double value) => left + (xAxis.Place(value) * (right - left));
        double AtY(double value) => bottom - (yAxis.Place(value) * plotHeight);
        canvas.YGrid(yAxis, left, right, AtY);
        foreach (Tick tick in xAxis.Ticks)
        {
            canvas.Line("grid", AtX(tick.Value), top, AtX(tick.Value), bottom);
            canvas.Line("axis", AtX(tick.Value), bottom, AtX(tick.Value), bottom + TickLength);
            if (labelX)
            {
                canvas.Text(AtX(tick.Value), bottom + TickLength + 14, tick.Label, TextSize, "middle");
            }
        }

        canvas.Line("axis", left, top, left, bottom);
        canvas.Line("axis", left, bottom, right, bottom);
        if (panel.Reference is { } reference && yAxis.Shows(reference.Value))
        {
            canvas.Across(left, right, AtY(reference.Value));
        }

        bool any = false;
        var labels = new PointLabels(left, top, right, bottom, LabelSize);
        foreach (ChartSeries series in panel.Series)
        {
            any |= Curve(series, xAxis, yAxis, AtX, AtY, labels);
        }

        foreach ((double x, double baseline, string text) in labels.Place())
        {
            canvas.Text(x, baseline, text, LabelSize, "start", attributes: " class=\"over\"");
        }

        if (!any)
        {
            canvas.Text((left + right) / 2, (top + bottom) / 2, "no data", TextSize, "middle");
        }

        canvas.Y = bottom + (labelX ? TickLength + LineHeight + 2 : TickLength);
    }

    private bool Curve(
        ChartSeries series, ChartAxis xAxis, ChartAxis yAxis, Func<double, double> atX, Func<double, double> atY, PointLabels labels)
    {
        var path = new StringBuilder();
        var points = new List<(double X, double Y)>();
        bool pen = false;
        for (int i = 0; i < series.X.Count; i++)
        {
            bool shown = xAxis.Shows(series.X[i]) && yAxis.Shows(series.Y[i]);
            if (shown)
            {
                (double px, double py) = (atX(series.X[i]), atY(series.Y[i]));
                if (pen && series.Style != SeriesStyle.Markers)
                {
                    labels.Avoid(points[^1], (px, py));
                }

                points.Add((px, py));
                if (series.Spread is { } spread && yAxis.Shows(series.Y[i] - spread[i]) && yAxis.Shows(series.Y[i] + spread[i]))
                {
                    Interval(px, atY(series.Y[i] - spread[i]), atY(series.Y[i] + spread[i]), series);
                    labels.Avoid((px, atY(series.Y[i] - spread[i])), (px, atY(series.Y[i] + spread[i])));
                }

                if (series.Labels is { } names)
                {
                    labels.Add(px, py, names[i]);
                }

                path.Append(pen ? 'L' : 'M').Append(N(px)).Append(' ').Append(N(py));
            }

            pen = shown;
        }

        if (series.Style != SeriesStyle.Markers && points.Count > 1)
        {
            Path(path.ToString(), series);
        }

        // A point between two gaps shows only as a marker.
        bool markers = series.Style != SeriesStyle.Line && (points.Count <= ManyPoints || series.Style == SeriesStyle.Markers);
        if (markers || points.Count == 1)
        {
            points.ForEach(p => Marker(p.X, p.Y, series));
        }

        return points.Count > 0;
    }

    private void Interval(double x, double low, double high, ChartSeries series) => canvas.Draw(
        $"<path class=\"interval\" fill=\"none\" stroke=\"{ChartColours.At(Index(series))}\" stroke-opacity=\"0.7\" "
        + $"d=\"M{N(x)} {N(low)}V{N(high)}M{N(x - 3)} {N(low)}h6M{N(x - 3)} {N(high)}h6\"/>");

    /// <summary>Shape and colour both tell the series; when colours come round again the shapes have moved on.</summary>
    private void Marker(double x, double y, ChartSeries series)
    {
        int index = Index(series);
        string shape = ((index + (index / ChartColours.Count)) % 4) switch
        {
            0 => $"<circle cx=\"{N(x)}\" cy=\"{N(y)}\" r=\"3\"",
            1 => $"<rect x=\"{N(x - 2.8)}\" y=\"{N(y - 2.8)}\" width=\"5.6\" height=\"5.6\"",
            2 => $"<path d=\"M{N(x)} {N(y - 3.8)}l3.6 6.2h-7.2z\"",
            _ => $"<path d=\"M{N(x)} {N(y - 4)}l4 4l-4 4l-4 -4z\"",
        };
        canvas.Draw($"{shape} fill=\"{ChartColours.At(index)}\"/>");
    }

    private void Path(string d, ChartSeries series)
    {
        int index = Index(series), round = index / ChartColours.Count;
        string dash = round == 0 ? "" : $" stroke-dasharray=\"{N(6.0 / round)} 3\"";
        canvas.Draw($"<path class=\"curve\" d=\"{d}\" stroke=\"{ChartColours.At(index)}\"{dash}/>");
    }

    private int Index(ChartSeries series)
    {
        int index = 0;
        while (names[index] != series.Name)
        {
            index++;
        }

        return index;
    }
}
