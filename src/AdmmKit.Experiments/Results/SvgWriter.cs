using System.Globalization;
using System.Text;

namespace AdmmKit.Experiments.Results;

/// <summary>Writes a <see cref="LineChart"/> as SVG. Everything but the curves has its own room, so nothing overlaps.</summary>
internal sealed class SvgWriter(LineChart chart)
{
    private const double Width = 720, Margin = 16, TextSize = 12, LabelSize = 11, TitleSize = 15, LineHeight = 17, TickLength = 5;
    private const double Swatch = 22, LegendGap = 18, PanelGap = 26;
    private const int ManyPoints = 80;

    private readonly StringBuilder svg = new();
    private readonly IReadOnlyList<string> names = chart.SeriesNames;
    private readonly double plotHeight = chart.Panels.Count == 1 ? 300 : 200;
    private double left, right;
    private double y = Margin;

    public string Write()
    {
        ChartAxis[] yAxes = [.. chart.Panels.Select(p => new ChartAxis(p.Series.SelectMany(s => s.Y), p.YScale, 7, toTicks: true))];
        left = Margin + TickLength + 6 + yAxes.SelectMany(a => a.Ticks).Max(t => ChartText.Width(t.Label, TextSize));
        right = Width - Margin - 8;
        ChartAxis xAxis = XAxis();
        foreach (string line in ChartText.Wrap(chart.Title, TitleSize, Width - (2 * Margin)))
        {
            y += LineHeight + 2;
            Text(Margin, y - 5, line, TitleSize, "start", bold: true);
        }

        for (int i = 0; i < yAxes.Length; i++)
        {
            y += i == 0 ? 4 : PanelGap;
            Heading(chart.Panels[i]);
            Plot(chart.Panels[i], xAxis, yAxes[i], labelX: i == yAxes.Length - 1);
        }

        foreach (string line in ChartText.Wrap(chart.XTitle, TextSize, right - left))
        {
            y += LineHeight;
            Text((left + right) / 2, y - 4, line, TextSize, "middle");
        }

        return Document(y + Margin - 4);
    }

    private static string N(double value) => Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>As many ticks as their labels leave room for; labels depend on the ticks, so fewer are tried until they fit.</summary>
    private ChartAxis XAxis()
    {
        double[] values = [.. chart.Panels.SelectMany(p => p.Series).SelectMany(s => s.X)];
        ChartAxis axis;
        int maximum = 11;
        do
        {
            axis = new ChartAxis(values, chart.XScale, maximum, toTicks: false);
        }
        while (Crowded(axis) && --maximum >= 2);
        return axis;
    }

    private bool Crowded(ChartAxis axis)
    {
        double free = double.NegativeInfinity;
        foreach (Tick tick in axis.Ticks)
        {
            double x = left + (axis.Place(tick.Value) * (right - left)), half = ChartText.Width(tick.Label, TextSize) / 2;
            if (x - half < free)
            {
                return true;
            }

            free = x + half + 8;
        }

        return false;
    }

    /// <summary>The y axis's title, level so that it is never cut, and below it the legend.</summary>
    private void Heading(ChartPanel panel)
    {
        foreach (string line in ChartText.Wrap(panel.YTitle, TextSize, Width - (2 * Margin)))
        {
            y += LineHeight;
            Text(Margin, y - 4, line, TextSize, "start");
        }

        double x = Margin;
        int rows = 0;
        foreach (ChartSeries series in panel.Series)
        {
            IReadOnlyList<string> lines = ChartText.Wrap(series.Name, TextSize, Width - (2 * Margin) - Swatch - 6);
            double width = Swatch + 6 + lines.Select(l => ChartText.Width(l, TextSize)).DefaultIfEmpty(0).Max();
            if (rows == 0 || x + width > Width - Margin)
            {
                y += rows * LineHeight;
                (x, rows) = (Margin, 0);
            }

            double middle = y + (LineHeight / 2);
            if (series.Style != SeriesStyle.Markers)
            {
                Path($"M{N(x)} {N(middle)}H{N(x + Swatch)}", series);
            }

            if (series.Style != SeriesStyle.Line)
            {
                Marker(x + (Swatch / 2), middle, series);
            }

            for (int i = 0; i < lines.Count; i++)
            {
                Text(x + Swatch + 6, y + ((i + 1) * LineHeight) - 4, lines[i], TextSize, "start");
            }

            rows = Math.Max(rows, Math.Max(1, lines.Count));
            x += width + LegendGap;
        }

        y += (rows * LineHeight) + 8;
    }

    private void Plot(ChartPanel panel, ChartAxis xAxis, ChartAxis yAxis, bool labelX)
    {
        double top = y, bottom = y + plotHeight;
        double AtX(double value) => left + (xAxis.Place(value) * (right - left));
        double AtY(double value) => bottom - (yAxis.Place(value) * plotHeight);
        foreach (Tick tick in yAxis.Ticks)
        {
            Line("grid", left, AtY(tick.Value), right, AtY(tick.Value));
            Text(left - TickLength - 4, AtY(tick.Value) + 4, tick.Label, TextSize, "end");
        }

        foreach (Tick tick in xAxis.Ticks)
        {
            Line("grid", AtX(tick.Value), top, AtX(tick.Value), bottom);
            Line("axis", AtX(tick.Value), bottom, AtX(tick.Value), bottom + TickLength);
            if (labelX)
            {
                Text(AtX(tick.Value), bottom + TickLength + 14, tick.Label, TextSize, "middle");
            }
        }

        Line("axis", left, top, left, bottom);
        Line("axis", left, bottom, right, bottom);
        bool any = false;
        var labels = new PointLabels(left, top, right, bottom, LabelSize);
        foreach (ChartSeries series in panel.Series)
        {
            any |= Curve(series, xAxis, yAxis, AtX, AtY, labels);
        }

        foreach ((double x, double baseline, string text) in labels.Place())
        {
            Text(x, baseline, text, LabelSize, "start", overCurves: true);
        }

        if (!any)
        {
            Text((left + right) / 2, (top + bottom) / 2, "no data", TextSize, "middle");
        }

        y = bottom + (labelX ? TickLength + LineHeight + 2 : TickLength);
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
                points.Add((px, py));
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
        svg.Append("  ").Append(shape).Append(" fill=\"").Append(ChartColours.At(index)).Append("\"/>\n");
    }

    private void Path(string d, ChartSeries series)
    {
        int index = Index(series), round = index / ChartColours.Count;
        string dash = round == 0 ? "" : $" stroke-dasharray=\"{N(6.0 / round)} 3\"";
        svg.Append($"  <path class=\"curve\" d=\"{d}\" stroke=\"{ChartColours.At(index)}\"{dash}/>\n");
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

    private void Line(string style, double x1, double y1, double x2, double y2) =>
        svg.Append($"  <path class=\"{style}\" d=\"M{N(x1)} {N(y1)}L{N(x2)} {N(y2)}\"/>\n");

    private void Text(double x, double baseline, string text, double size, string anchor, bool bold = false, bool overCurves = false) =>
        svg.Append($"  <text{(overCurves ? " class=\"over\"" : "")} x=\"{N(x)}\" y=\"{N(baseline)}\" font-size=\"{N(size)}\" text-anchor=\"{anchor}\"")
            .Append(bold ? " font-weight=\"bold\">" : ">").Append(ChartText.Escape(text)).Append("</text>\n");

    // The background is drawn: a page may be dark where the system is light, and then dark text would stand on it.
    private string Document(double height) => $$"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{N(Width)}} {{N(height)}}" width="{{N(Width)}}" height="{{N(height)}}" role="img" font-family="sans-serif">
          <title>{{ChartText.Escape(chart.Title)}}</title>
          <style>
            .ground { fill: #ffffff } text { fill: #24292f } .grid { stroke: #e3e6ea } .axis { stroke: #6e7781 }
            .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round }
            .over { stroke: #ffffff; stroke-width: 3; paint-order: stroke }
            @media (prefers-color-scheme: dark) {
              .ground { fill: #161b22 } text { fill: #dde3ea } .grid { stroke: #2d343d } .axis { stroke: #8b949e }
              .over { stroke: #161b22 }
            }
          </style>
          <rect class="ground" width="{{N(Width)}}" height="{{N(height)}}"/>
        {{svg.ToString().TrimEnd('\n')}}
        </svg>

        """.ReplaceLineEndings("\n");
}
