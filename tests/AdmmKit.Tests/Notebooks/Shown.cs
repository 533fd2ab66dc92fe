using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Tests.Notebooks;

/// <summary>One of each kind that can be shown.</summary>
internal static class Shown
{
    public static IEnumerable<IDisplayable> All =>
    [
        new LineChart("Lines", "x", [new("y", [new("s", [1, 2], [3, 4])])]),
        new BarChart("Bars", "x", "y", ["a", "b"], [new("s", [1, 2])]),
        new Table("Table", ["a", "b"], [["x", 1.5]]),
    ];
}
