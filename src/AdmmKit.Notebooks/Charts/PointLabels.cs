namespace AdmmKit.Notebooks.Charts;

/// <summary>
/// Finds room for the names of points in a plot: near the point, inside the plot, on no marker and on no other name. A
/// name for which there is no room is left out; the Plotly figure has it.
/// </summary>
internal sealed class PointLabels(double left, double top, double right, double bottom, double size)
{
    private const double MarkerRadius = 4;

    private readonly double lineHeight = size + 1.5;
    private readonly List<(double X, double Y, string Text)> points = [];
    private readonly List<(double Left, double Top, double Right, double Bottom)> taken = [];

    /// <summary>Adds a point; all of them come before the first is named.</summary>
    public void Add(double x, double y, string text)
    {
        points.Add((x, y, text));
        taken.Add((x - MarkerRadius, y - MarkerRadius, x + MarkerRadius, y + MarkerRadius));
    }

    /// <summary>Where each name goes: the left end of its baseline.</summary>
    public IEnumerable<(double X, double Baseline, string Text)> Place()
    {
        foreach ((double x, double y, string text) in points.Where(p => p.Text.Length > 0))
        {
            double width = ChartText.Width(text, size);
            foreach ((double dx, double dy) in Offsets(width))
            {
                double middle = y + dy;
                (double Left, double Top, double Right, double Bottom) box =
                    (x + dx, middle - (lineHeight / 2), x + dx + width, middle + (lineHeight / 2));
                if (box.Left >= left && box.Right <= right && box.Top >= top && box.Bottom <= bottom &&
                    !taken.Any(t => box.Left < t.Right && t.Left < box.Right && box.Top < t.Bottom && t.Top < box.Bottom))
                {
                    taken.Add(box);
                    yield return (box.Left, middle + (0.35 * size), text);
                    break;
                }
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
