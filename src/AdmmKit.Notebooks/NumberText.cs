using System.Globalization;

namespace AdmmKit.Notebooks;

/// <summary>Numbers as people read them, the same in every culture: few digits, and thousands apart from ten thousand on.</summary>
internal static class NumberText
{
    private const int Digits = 4;

    // Beyond these a number is written with an exponent.
    private const double Largest = 1e15, Smallest = 1e-4;

    // From here on thousands are set apart.
    private const double Grouped = 1e4;

    /// <summary>Whether a value is a number.</summary>
    public static bool IsNumber(object? value) => value is double or float or Half or int or long or decimal or short or byte
        or sbyte or ushort or uint or ulong or nint or nuint or Int128 or UInt128 or System.Numerics.BigInteger;

    /// <summary>A number as double; large whole ones are rounded.</summary>
    public static double Value(object number) => number switch
    {
        double d => d,
        Half h => (double)h,
        nint i => i,
        nuint i => i,
        Int128 i => (double)i,
        UInt128 i => (double)i,
        System.Numerics.BigInteger i => (double)i,
        _ => ((IConvertible)number).ToDouble(CultureInfo.InvariantCulture),
    };

    /// <summary>A number with four digits that count, or all of a whole one.</summary>
    public static string Short(double value)
    {
        double size = Math.Abs(value);
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "NaN" : value > 0 ? "∞" : "-∞";
        }

        if (size == 0)
        {
            return "0";
        }

        if (size is >= Largest or < Smallest)
        {
            return value.ToString("0.###e+0", CultureInfo.InvariantCulture).Replace("e+", "e", StringComparison.Ordinal);
        }

        int decimals = Math.Max(0, Digits - 1 - (int)Math.Floor(Math.Log10(size)));
        return Fixed(value, decimals, trim: true, grouped: size >= Grouped);
    }

    /// <summary>How the numbers of one column are written: as many decimals each, where that shows all of them.</summary>
    public static Func<double, string> Column(IEnumerable<double> values)
    {
        double[] sizes = [.. values.Where(v => double.IsFinite(v) && v != 0).Select(Math.Abs)];
        double largest = sizes.Append(0).Max(), smallest = sizes.Append(largest).Min();
        int decimals = largest == 0 || sizes.All(double.IsInteger) ? 0 : Digits - 1 - (int)Math.Floor(Math.Log10(largest));
        int needed = sizes.All(double.IsInteger) ? 0 : 1 - (int)Math.Floor(Math.Log10(smallest));
        bool alike = largest < Largest && decimals is >= 0 and <= 7 && decimals >= Math.Min(needed, Digits);
        return v => alike && double.IsFinite(v) ? Fixed(v, decimals, trim: false, grouped: largest >= Grouped) : Short(v);
    }

    private static string Fixed(double value, int decimals, bool trim, bool grouped)
    {
        string whole = grouped ? "#,0" : "0";
        string format = decimals == 0 ? whole : $"{whole}.{new string(trim ? '#' : '0', decimals)}";
        string text = value.ToString(format, CultureInfo.InvariantCulture);
        return text.AsSpan().Trim("-0.").IsEmpty ? text.TrimStart('-') : text;
    }
}
