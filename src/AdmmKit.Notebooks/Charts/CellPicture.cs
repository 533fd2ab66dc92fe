using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using static AdmmKit.Notebooks.Charts.SvgCanvas;

namespace AdmmKit.Notebooks.Charts;

/// <summary>Names that stand at equal distances along cells.</summary>
/// <param name="Count">How many.</param>
/// <param name="First">Where the first is, in cells from the border.</param>
/// <param name="Distance">Cells from one to the next.</param>
/// <param name="Each">What the number of one is counted in.</param>
internal readonly record struct CellIndex(int Count, double First, double Distance, int Each = 1)
{
    /// <summary>Every 1st, 2nd, 5th, 10th ... name, so far apart that all have room.</summary>
    public IEnumerable<(double Cell, string Label)> Labels(Func<string, double, bool> hasRoom)
    {
        if (Count == 0)
        {
            yield break;
        }

        string longest = Label((Count - 1) * Each);
        long every = 1;
        foreach (int factor in Enumerable.Range(0, 24).Select(i => i % 3 == 1 ? 5 : 2))
        {
            if (hasRoom(longest, every * Distance) || every >= Count)
            {
                break;
            }

            every = factor == 5 ? every / 2 * 5 : every * factor;
        }

        for (long i = 0; i < Count; i += every)
        {
            yield return (First + (i * Distance), Label(i * Each));
        }
    }

    public static string Label(long index) => index.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A picture of cells, each of which has the colour of its number; what heat maps and grids of kernels come down to.</summary>
/// <param name="Title">The title.</param>
/// <param name="XTitle">What the columns are.</param>
/// <param name="YTitle">What the rows are.</param>
/// <param name="Unit">What the numbers are.</param>
/// <param name="Rows">Rows of cells.</param>
/// <param name="Columns">Columns of cells.</param>
/// <param name="Values">The numbers, row by row; NaN has no colour.</param>
/// <param name="Range">How numbers become colours.</param>
/// <param name="X">Names of columns.</param>
/// <param name="Y">Names of rows.</param>
internal sealed record CellPicture(
    string Title, string XTitle, string YTitle, string Unit, int Rows, int Columns, float[] Values, ColourRange Range,
    CellIndex X, CellIndex Y)
{
    private const double LargestCell = 26, LargestHeight = 560, SmallestSide = 90, ShortestTitle = 160;

    /// <summary>The ends of the colours; null: those of the numbers.</summary>
    public (double Low, double High)? Ends { get; init; }

    /// <summary>Frames around parts, in cells.</summary>
    public IReadOnlyList<(int X, int Y, int Width, int Height)> Frames { get; init; } = [];

    /// <summary>What a cell without colour is, or null where there is none.</summary>
    public string? Absent { get; init; }

    /// <summary>A line below.</summary>
    public string Note { get; init; } = "";

    /// <summary>Whether the numbers are written into their cells, if they have room.</summary>
    public bool ShowValues { get; init; }

    private ColourScale Scale => Ends is { } ends ? new(ends.Low, ends.High, Range) : new(
        Values.Where(float.IsFinite).DefaultIfEmpty(1).Min(), Values.Where(float.IsFinite).DefaultIfEmpty(0).Max(), Range);

    public MimeBundle Bundle() => ChartBundle.Of(Title, Svg(), Plotly(), Text());

    public string Svg()
    {
        var canvas = new SvgCanvas(Title);
        ColourScale scale = Scale;
        canvas.Style = scale.Css() + (ShowValues ? ColourScale.InkCss : "");
        canvas.Title();
        canvas.Y += 4;
        scale.Draw(canvas, Unit, Absent);
        canvas.Heading(YTitle, []);
        string last = CellIndex.Label(Math.Max(1, Y.Count) * (long)Y.Each);
        double left = Margin + TickLength + 6 + ChartText.Width(last, TextSize);
        (double width, double height) = CellSize(Width - Margin - 8 - left);
        double top = canvas.Y, right = left + (Columns * width), bottom = top + (Rows * height);
        Cells(canvas, scale, left, top, width, height);
        if (Frames.Count == 0)
        {
            canvas.Draw($"<path class=\"frame axis\" d=\"M{N(left)} {N(top)}H{N(right)}V{N(bottom)}H{N(left)}z\"/>");
        }

        foreach ((double cell, string label) in Y.Labels((_, distance) => distance * height >= LineHeight))
        {
            canvas.Text(left - TickLength, top + (cell * height) + 4, label, TextSize, "end");
        }

        double lowest = bottom + TickLength;
        foreach ((double cell, string label) in X.Labels((longest, distance) => distance * width >= ChartText.Width(longest, TextSize) + 8))
        {
            canvas.Text(left + (cell * width), bottom + TickLength + 12, label, TextSize, "middle");
            lowest = bottom + TickLength + LineHeight;
        }

        if (ShowValues)
        {
            Numbers(canvas, scale, left, top, width, height);
        }

        canvas.Y = lowest;
        canvas.XTitle(XTitle, left, Math.Max(right, left + ShortestTitle));
        canvas.Note(Note);
        return canvas.Document();
    }

    public string Plotly()
    {
        (JsonArray colours, double low, double high) = Scale.Plotly();
        var data = new JsonArray(new JsonObject
        {
            ["type"] = "heatmap",
            ["z"] = new JsonArray([.. Enumerable.Range(0, Rows).Select(r => (JsonNode)new JsonArray(
                [.. Values.Skip(r * Columns).Take(Columns).Select(v => float.IsFinite(v) ? (JsonNode?)JsonValue.Create(v) : null)]))]),
            ["zmin"] = low,
            ["zmax"] = high,
            ["colorscale"] = colours,
            ["colorbar"] = new JsonObject { ["title"] = PlotlyWriter.Title(Unit) },
            ["hoverongaps"] = false,
        });
        return PlotlyWriter.Text(data, new JsonObject
        {
            ["title"] = PlotlyWriter.Title(Title),
            ["xaxis"] = Axis(XTitle, X, "y"),
            ["yaxis"] = Axis(YTitle, Y, "x", ("autorange", "reversed")),
        }, indented: false);
    }

    public string Text()
    {
        float[] shown = [.. Values.Where(float.IsFinite)];
        string range = shown.Length == 0 ? "no numbers"
            : $"{NumberText.Short(shown.Min())} to {NumberText.Short(shown.Max())}, mean {NumberText.Short(shown.Average(v => (double)v))}";
        string note = Note.Length == 0 ? "" : Note + "\n";
        string size = FormattableString.Invariant($"{Rows} x {Columns} cells");
        return $"{ChartBundle.Name(Title)}\n{ChartBundle.Heading(YTitle, XTitle)}: {size}\n  {ChartBundle.Name(Unit)}: {range}\n{note}";
    }

    private static JsonObject Axis(string title, CellIndex index, string anchor, params (string Name, string Value)[] more)
    {
        JsonObject axis = PlotlyWriter.Axis(title, AxisScale.Linear, ("anchor", anchor));
        // A dozen names have room in any figure. Plotly counts cells from the middle of the first.
        (double Cell, string Label)[] labels = [.. index.Labels((_, distance) => distance * 12 >= index.Count * index.Distance)];
        axis["tickmode"] = "array";
        axis["tickvals"] = new JsonArray([.. labels.Select(l => (JsonNode)(l.Cell - 0.5))]);
        axis["ticktext"] = new JsonArray([.. labels.Select(l => (JsonNode)l.Label)]);
        foreach ((string name, string value) in more)
        {
            axis[name] = value;
        }

        return axis;
    }

    /// <summary>Cells are square, unless there are so few in a row or column that nobody would see them.</summary>
    private (double Width, double Height) CellSize(double room)
    {
        double widest = ShowValues ? Values.Max(v => ChartText.Width(NumberText.Short(v), TextSize)) + 10 : 0;
        double side = Math.Min(Math.Min(room / Columns, LargestHeight / Rows), Math.Max(LargestCell, widest));
        return ShowValues && widest * Columns <= room
            ? (widest, Math.Min(LargestCell, LargestHeight / Rows))
            : (Math.Max(side, SmallestSide / Columns), Math.Max(side, SmallestSide / 2 / Rows));
    }

    private void Cells(SvgCanvas canvas, ColourScale scale, double left, double top, double width, double height)
    {
        // One path a colour, and neighbours of one colour in one piece: a tenth of what a rectangle for each would take.
        var paths = new SortedDictionary<int, StringBuilder>();
        for (int y = 0; y < Rows; y++)
        {
            for (int x = 0, next; x < Columns; x = next)
            {
                int? step = scale.Step(Values[(y * Columns) + x]);
                next = x + 1;
                while (next < Columns && scale.Step(Values[(y * Columns) + next]) == step)
                {
                    next++;
                }

                if (step is { } s)
                {
                    (paths.TryGetValue(s, out StringBuilder? path) ? path : paths[s] = new())
                        .Append(CultureInfo.InvariantCulture, $"M{x} {y}h{next - x}v1h-{next - x}z");
                }
            }
        }

        string Fine(double v) => v.ToString("0.####", CultureInfo.InvariantCulture);
        canvas.Draw($"<g transform=\"translate({N(left)} {N(top)}) scale({Fine(width)} {Fine(height)})\" shape-rendering=\"crispEdges\">");
        foreach ((int step, StringBuilder path) in paths)
        {
            canvas.Draw($"<path class=\"{scale.Class(step)}\" d=\"{path}\"/>");
        }

        canvas.Draw("</g>");
        var frames = new StringBuilder();
        foreach ((int x, int y, int w, int h) in Frames)
        {
            (string fw, string fh) = (N((w * width) + 1), N((h * height) + 1));
            frames.Append(CultureInfo.InvariantCulture, $"M{N(left + (x * width) - 0.5)} {N(top + (y * height) - 0.5)}h{fw}v{fh}h-{fw}z");
        }

        if (Frames.Count > 0)
        {
            canvas.Draw($"<path class=\"frame grid\" d=\"{frames}\"/>");
        }
    }

    private void Numbers(SvgCanvas canvas, ColourScale scale, double left, double top, double width, double height)
    {
        foreach ((int i, float value) in Values.Index())
        {
            string text = NumberText.Short(value).Replace('-', '−');
            if (scale.Step(value) is { } step && ChartText.Width(text, TextSize) < width && height >= LineHeight)
            {
                double x = left + (((i % Columns) + 0.5) * width), y = top + (((i / Columns) + 0.5) * height);
                canvas.Text(x, y + 4, text, TextSize, "middle", attributes: $" class=\"{scale.Ink(step)}\"");
            }
        }
    }
}
