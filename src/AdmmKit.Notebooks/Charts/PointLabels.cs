namespace AdmmKit.Notebooks.Charts;

/// <summary>
/// Finds room for the names of points in a plot: near the point, inside the plot, on no marker and on no other name, and on no
/// line if that can be. A name for which there is no room is left out; the Plotly figure has it.
/// </summary>
internal sealed class PointLabels(double left, double top, double right, double bottom, double size)
{
    private const double MarkerRadius = 4, LineStep = 4;

    private readonly double lineHeight = size + 1.5;
    private readonly List<(double X, double Y, string Text)> points = [];
    private readonly List<(double Left, double Top, double Right, double Bottom)> taken = [];
    private readonly List<(double X, double Y)> lines = [];

    /// <summary>Adds a point; all of them come before the first is named.</summary>
    public void Add(double x, double y, string text)
    {
        points.Add((x, y, text));
        taken.Add((x - MarkerRadius, y - MarkerRadius, x + MarkerRadius, y + MarkerRadius));
    }

    /// <summary>A piece of a line, which names should not lie on.</summary>
    public void Avoid((double X, double Y) from, (double X, double Y) to)
    {
        int pieces = 1 + (int)(Math.Max(Math.Abs(to.X - from.X), Math.Abs(to.Y - from.Y)) / LineStep);
        lines.AddRange(Enumerable.Range(0, pieces + 1)
            .Select(i => (from.X + ((to.X - from.X) * i / pieces), from.Y + ((to.Y - from.Y) * i / pieces))));
    }

    /// <summary>Where each name goes: the left end of its baseline.</summary>
    public IEnumerable<(double X, double Baseline, string Text)> Place()
    {
        foreach ((double x, double y, string text) in points.Where(p => p.Text.Length > 0))
        {
            double width = ChartText.Width(text, size);
            (double Left, double Top, double Right, double Bottom)[] free = [.. Offsets(width)
                .Select(o => (Left: x + o.X, Top: y + o.Y - (lineHeight / 2), Right: x + o.X + width, Bottom: y + o.Y + (lineHeight / 2)))
                .Where(b => b.Left >= left && b.Right <= right && b.Top >= top && b.Bottom <= bottom
                    && !taken.Any(t => b.Left < t.Right && t.Left < b.Right && b.Top < t.Bottom && t.Top < b.Bottom))];
            if (free.Length > 0)
            {
                var box = free.FirstOrDefault(b => !lines.Any(p => p.X > b.Left && p.X < b.Right && p.Y > b.Top && p.Y < b.Bottom), free[0]);
                taken.Add(box);
                yield return (box.Left, box.Top + (lineHeight / 2) + (0.35 * size), text);
            }
        }
    }

    /// <summary>From the point to the name's left end and middle: beside it, above, below, and then a line further off.</summary>
    private IEnumerable<(double X, double Y)> Offsets(double width)
    {
        double near = MarkerRadius + 3;
        for (int away = 0; away < 3; away++)
        {
            foreach (double dy in away == 0 ? [0, -lineHeight, lineHeight] : new[] { -(away + 1) * lineHeight, (away + 1) * lineHeight })
            {
                yield return (near, dy);
                yield return (-near - width, dy);
                yield return (-width / 2, dy);
            }
        }
    }
}
