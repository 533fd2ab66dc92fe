using System.Globalization;

namespace AdmmKit.Experiments.Results;

/// <summary>One quantity of one line of a table, the paper's value beside ours: a line of <c>rows.csv</c>.</summary>
/// <param name="Row">The table's line, such as "AdmmKit 85x".</param>
/// <param name="Quantity">What is measured: "top1", "survivors", "compressionRatio", "fileBytes", ...</param>
/// <param name="Unit">Its unit, such as "%" or "B"; empty for a count or ratio.</param>
/// <param name="Paper">The printed value, if there is one.</param>
/// <param name="Ours">Our value, the mean over seeds; none where the row was not run.</param>
/// <param name="Spread">Half the width of the 95 % interval of our value, where several seeds were run.</param>
/// <param name="Seeds">Number of seeds behind our value; 0 where nothing is random.</param>
/// <param name="Status">One of <see cref="ResultStatus.All"/>.</param>
/// <param name="Source">The file or command that reproduces it.</param>
public sealed record ResultRow(
    string Row, string Quantity, string Unit, double? Paper, double? Ours, double? Spread, int Seeds, string Status, string Source);

/// <summary>Numbers of rows.</summary>
public static class Rounded
{
    /// <summary>A number with so many significant digits: of microseconds or millions of operations digits count, not places.</summary>
    /// <param name="value">The number.</param>
    /// <param name="digits">How many, 1 to 17.</param>
    public static double ToDigits(double value, int digits) => double.Parse(
        value.ToString("g" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}

/// <summary>What a row says about the paper's value.</summary>
public static class ResultStatus
{
    /// <summary>The mean over seeds reaches the printed accuracy, with at most the printed survivors or bytes.</summary>
    public const string Matched = "matched";

    /// <summary>Better by more than the 95 % interval.</summary>
    public const string Beaten = "beaten";

    /// <summary>Measured on a stand-in, which is named.</summary>
    public const string Trend = "trend";

    /// <summary>Recomputed from the architecture; nothing was trained.</summary>
    public const string Accounting = "accounting";

    /// <summary>Worse than printed; our figure is given.</summary>
    public const string Missed = "missed";

    /// <summary>No statement: there is no printed value, or no value of ours.</summary>
    public const string None = "";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Matched, Beaten, Trend, Accounting, Missed, None];
}
