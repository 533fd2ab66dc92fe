using System.Globalization;

namespace AdmmKit.Experiments.Accounting;

/// <summary>
/// A positive number with the bounds that the rounding of printed inputs leaves open. "3.9M" is 3.9 million, and anything
/// from 3.85 to 3.95 million may stand behind it; what is computed from it carries such bounds too.
/// </summary>
/// <param name="Value">The number.</param>
/// <param name="Low">The least that it may be.</param>
/// <param name="High">The most.</param>
internal readonly record struct Bounded(double Value, double Low, double High)
{
    // Suffixes as the paper prints them. Bytes are decimal: facts about Table 6 that are not are explained where they stand.
    private static readonly (string Suffix, double Unit)[] Units =
        [("KB", 1e3), ("MB", 1e6), ("K", 1e3), ("M", 1e6), ("x", 1), ("%", 1), ("b", 1)];

    /// <summary>A number that nothing was rounded in.</summary>
    public static implicit operator Bounded(double value) => new(value, value, value);

    public static Bounded operator /(Bounded a, Bounded b) => new(a.Value / b.Value, a.Low / b.High, a.High / b.Low);

    public static Bounded operator *(Bounded a, Bounded b) => new(a.Value * b.Value, a.Low * b.Low, a.High * b.High);

    public static Bounded operator -(Bounded a, Bounded b) => new(a.Value - b.Value, a.Low - b.High, a.High - b.Low);

    public static Bounded operator +(Bounded a, Bounded b) => new(a.Value + b.Value, a.Low + b.Low, a.High + b.High);

    /// <summary>A printed number, such as "60.9M", "24x", "2.45MB" or "1,332M": half a unit of the last digit to either side.</summary>
    /// <exception cref="FormatException">The text is no such number.</exception>
    public static Bounded Printed(string text)
    {
        (string suffix, double unit) = Units.FirstOrDefault(u => text.EndsWith(u.Suffix, StringComparison.Ordinal));
        string digits = suffix is null ? text : text[..^suffix.Length];
        // Decimal, not double: 1.06MB is to be 1,060,000 exactly.
        decimal scale = suffix is null ? 1 : (decimal)unit;
        decimal value = decimal.Parse(digits, NumberStyles.AllowDecimalPoint | NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        int point = digits.IndexOf('.', StringComparison.Ordinal), decimals = point < 0 ? 0 : digits.Length - point - 1;
        decimal half = 0.5m * (decimal)Math.Pow(10, -decimals);
        return new((double)(value * scale), (double)((value - half) * scale), (double)((value + half) * scale));
    }

    /// <summary>Whether some number lies in the bounds of both. The last bits of a binary fraction decide nothing.</summary>
    public bool Meets(Bounded other) => Low <= other.High * (1 + 1e-12) && other.Low <= High * (1 + 1e-12);

    /// <summary>The value alone, as if nothing were rounded.</summary>
    public Bounded Point => Value;
}
