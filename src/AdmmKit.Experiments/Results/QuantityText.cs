using System.Globalization;
using System.Text;

namespace AdmmKit.Experiments.Results;

/// <summary>Quantities of rows as people read them: names in words, numbers with as many digits as tell something.</summary>
public static class QuantityText
{
    private const int Digits = 4;      // of ours: one more than most prints have
    private const int PaperDigits = 6; // all that the paper ever prints

    /// <summary>A quantity's name in words, with its unit: "weightDataCompressionRatio" is "weight data compression ratio (x)".</summary>
    /// <param name="quantity">The name, as in <see cref="ResultRow.Quantity"/>.</param>
    /// <param name="unit">The unit, as in <see cref="ResultRow.Unit"/>; bytes are named in each cell instead, as KB or MB.</param>
    public static string Heading(string quantity, string unit)
    {
        ArgumentNullException.ThrowIfNull(quantity);
        var words = new StringBuilder();
        for (int i = 0; i < quantity.Length; i++)
        {
            char c = quantity[i], before = i > 0 ? quantity[i - 1] : ' ';
            bool begins = char.IsAsciiLetterUpper(c) && (char.IsAsciiLetterLower(before) || char.IsAsciiDigit(before));
            bool isWord = begins && (i + 1 == quantity.Length || !char.IsAsciiLetterUpper(quantity[i + 1]));
            bool isRange = char.IsAsciiDigit(c) && quantity[..i].EndsWith("To", StringComparison.Ordinal); // conv2To5
            words.Append(begins || isRange ? " " : "").Append(isWord ? char.ToLowerInvariant(c) : c);
        }

        words.Replace("top1", "top-1").Replace("top5", "top-5").Replace("Top1", "top-1");
        return unit is "" or "B" or "1" ? words.ToString() : $"{words} ({unit})";
    }

    /// <summary>A value of ours, to four digits; counts below ten million are exact.</summary>
    /// <param name="value">The value.</param>
    /// <param name="unit">Its unit.</param>
    public static string Ours(double value, string unit) => Number(value, unit, Digits, Scale(value, unit));

    /// <summary>A value as the paper prints it.</summary>
    /// <param name="value">The value.</param>
    /// <param name="unit">Its unit.</param>
    public static string Paper(double value, string unit) => Number(value, unit, PaperDigits, Scale(value, unit));

    /// <summary>Half the width of an interval around a value: two digits, in the value's scale, without its letter.</summary>
    /// <param name="spread">The half width.</param>
    /// <param name="value">The value that it is around.</param>
    /// <param name="unit">Their unit.</param>
    public static string Spread(double spread, double value, string unit) =>
        Plain(Rounded.ToDigits(spread / Scale(value, unit).Factor, 2));

    /// <summary>
    /// A whole cell, "99.29 ± 0.19 (99.2) matched": ours, half the width of its 95 % interval, the paper's value in parentheses, the
    /// status. What a row does not have is left out: "± 0" says that all seeds gave the same.
    /// </summary>
    /// <param name="row">The row.</param>
    public static string Cell(ResultRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        string?[] parts = [Measured(row), row.Paper is { } paper ? $"({Paper(paper, row.Unit)})" : null, row.Status.Length > 0 ? row.Status : null];
        return string.Join(' ', parts.Where(p => p is not null));
    }

    /// <summary>Our value with its interval, "99.29 ± 0.19"; null where there is none.</summary>
    /// <param name="row">The row.</param>
    public static string? Measured(ResultRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (row.Ours is not { } ours)
        {
            return null;
        }

        // A quotient of printed numbers is no count: not all of its digits say something.
        string text = Ours(row.Source.Contains("/ printed", StringComparison.Ordinal) ? Rounded.ToDigits(ours, Digits) : ours, row.Unit);
        return row.Spread is { } spread ? WithSpread(text, Spread(spread, ours, row.Unit)) : text;
    }

    // "27.65 KB" and "0.031" are "27.65 ± 0.031 KB".
    private static string WithSpread(string ours, string spread) =>
        ours.IndexOf(' ', StringComparison.Ordinal) is var at and > 0 ? $"{ours[..at]} ± {spread}{ours[at..]}" : $"{ours} ± {spread}";

    private static (double Factor, string Letter) Scale(double value, string unit) => (Math.Abs(value), unit) switch
    {
        ( >= 1e6, "B") => (1e6, " MB"),
        ( >= 1e3, "B") => (1e3, " KB"),
        (_, "B") => (1, " B"),
        ( >= 1e10, _) => (1e9, " G"),
        ( >= 1e7, _) => (1e6, " M"),
        _ => (1, ""),
    };

    private static string Number(double value, string unit, int digits, (double Factor, string Letter) scale)
    {
        double scaled = value / scale.Factor;
        // Survivors and images are counted: their last digit says something.
        bool count = unit.Length == 0 && scale.Factor == 1 && Math.Abs(value) >= 1000;
        return Plain(count ? Math.Round(scaled, 1) : Rounded.ToDigits(scaled, digits)) + scale.Letter;
    }

    private static string Plain(double value) => (Math.Abs(value) is > 0 and < 1e-4)
        ? value.ToString("0.###e-0", CultureInfo.InvariantCulture)
        : value.ToString("#,##0.######", CultureInfo.InvariantCulture);
}
