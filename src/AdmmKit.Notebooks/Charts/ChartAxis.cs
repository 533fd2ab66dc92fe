using System.Globalization;

namespace AdmmKit.Notebooks.Charts;

/// <summary>One labelled position on an axis.</summary>
internal readonly record struct Tick(double Value, string Label);

/// <summary>An axis: which part of the numbers it shows, where each lies on it, and its ticks.</summary>
internal sealed class ChartAxis
{
    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

    // Beyond these, differences of two values overflow; no result of ours is there.
    private const double Largest = 1e300, Smallest = 1e-300;

    private const double EdgeShare = 0.015;

    private readonly bool logarithmic;
    private readonly double low, high;

    /// <param name="values">All numbers to be shown; those that cannot be are passed over.</param>
    /// <param name="scale">How the axis counts.</param>
    /// <param name="maximumTicks">The most ticks that have room, at least 2.</param>
    /// <param name="toTicks">Whether the axis begins and ends at a tick; else a little beyond the values.</param>
    public ChartAxis(IEnumerable<double> values, AxisScale scale, int maximumTicks, bool toTicks)
    {
        logarithmic = scale == AxisScale.Logarithmic;
        double[] shown = [.. values.Where(Shows).Select(Coordinate)];
        (low, high) = shown.Length > 0 ? (shown.Min(), shown.Max()) : (0, 1);
        double resolution = Math.Max(Math.Abs(low), Math.Abs(high)) * 1e-9;
        if (high - low <= resolution)
        {
            double around = logarithmic ? 0.5 : low == 0 ? 1 : Math.Abs(low) * 0.1;
            (low, high) = (low - around, high + around);
        }
        else if (!toTicks)
        {
            double margin = 0.03 * (high - low);
            (low, high) = (low - margin, high + margin);
        }

        if (logarithmic)
        {
            Ticks = LogTicks(ref low, ref high, maximumTicks, toTicks);
        }
        else
        {
            Ticks = LinearTicks(ref low, ref high, maximumTicks, toTicks);
        }
    }

    public IReadOnlyList<Tick> Ticks { get; }

    /// <summary>
    /// A level axis with as many ticks as their labels leave room for; labels depend on the ticks, so fewer are tried until they fit.
    /// </summary>
    /// <param name="values">All numbers to be shown.</param>
    /// <param name="scale">How the axis counts.</param>
    /// <param name="left">Where it begins.</param>
    /// <param name="right">Where it ends.</param>
    public static ChartAxis Fitting(IReadOnlyCollection<double> values, AxisScale scale, double left, double right)
    {
        ChartAxis axis;
        int maximum = 11;
        do
        {
            axis = new ChartAxis(values, scale, maximum, toTicks: false);
        }
        while (axis.Crowded(left, right) && --maximum >= 2);
        return axis;
    }

    /// <summary>The number at the low end of a linear axis.</summary>
    public double Low => low;

    /// <summary>The number at the high end of a linear axis.</summary>
    public double High => high;

    /// <summary>Whether the number can be shown on this axis.</summary>
    public bool Shows(double value) =>
        double.IsFinite(value) && Math.Abs(value) < Largest && (!logarithmic || value > Smallest);

    /// <summary>Where a number lies: 0 at the low end, 1 at the high end.</summary>
    public double Place(double value) => (Coordinate(value) - low) / (high - low);

    private bool Crowded(double left, double right)
    {
        double free = double.NegativeInfinity;
        foreach (Tick tick in Ticks)
        {
            double x = left + (Place(tick.Value) * (right - left)), half = ChartText.Width(tick.Label, SvgCanvas.TextSize) / 2;
            if (x - half < free)
            {
                return true;
            }

            free = x + half + 8;
        }

        return false;
    }

    private double Coordinate(double value) => logarithmic ? Math.Log10(value) : value;

    private static List<Tick> LinearTicks(ref double low, ref double high, int maximum, bool toTicks)
    {
        // The smallest of 1, 2 or 5 times a power of ten that needs few enough ticks.
        double power = Math.Pow(10, Math.Floor(Math.Log10((high - low) / maximum)));
        double step = power;
        foreach (double factor in (ReadOnlySpan<double>)[1, 2, 5, 10, 20])
        {
            step = factor * power;
            if (Last(low, high, step, toTicks) - First(low, high, step, toTicks) + 1 <= maximum)
            {
                break;
            }
        }

        double first = First(low, high, step, toTicks), last = Last(low, high, step, toTicks);
        int decimals = Math.Clamp((int)-Math.Floor(Math.Log10(step) + 1e-9), 0, 15);
        double largest = Math.Max(Math.Abs(first), Math.Abs(last)) * step;
        bool exponent = largest >= 1e7 || largest < 1e-4;
        var ticks = new List<Tick>();
        for (double i = first; i <= last; i++)
        {
            double value = i * step;
            // Rounded to the step's own digits, so that 3 x 0.1 is not written 0.30000000000000004.
            string label = value == 0 ? "0" : exponent
                ? value.ToString("0.######e+0", CultureInfo.InvariantCulture).Replace("e+", "e", StringComparison.Ordinal)
                : value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
            ticks.Add(new Tick(value, label.Replace('-', '−')));
        }

        if (toTicks)
        {
            (low, high) = (first * step, last * step);
        }

        return ticks;
    }

    // The small excess keeps a bound that is a tick, such as 0.3, from missing it by rounding.
    private static double First(double low, double high, double step, bool outside) => outside
        ? Math.Floor((low / step) + 1e-9)
        : Math.Ceiling((low / step) - 1e-9);

    private static double Last(double low, double high, double step, bool outside) => outside
        ? Math.Ceiling((high / step) - 1e-9)
        : Math.Floor((high / step) + 1e-9);

    private static List<Tick> LogTicks(ref double low, ref double high, int maximum, bool toTicks)
    {
        if (toTicks)
        {
            double lowest = low;
            (low, high) = (Math.Floor(low + 1e-9), Math.Ceiling(high - 1e-9));
            // What lies on the edge is hard to see: the axis begins at half of it.
            low -= lowest - low < EdgeShare * (high - low) ? Math.Log10(2) : 0;
        }

        int first = (int)Math.Ceiling(low - 1e-9), last = (int)Math.Floor(high + 1e-9);
        var ticks = new List<Tick>();
        if (last - first > 2 || (last - first == 2 && maximum < 7))
        {
            bool plain = first >= -3 && last <= 4;
            int every = Math.Max(1, (int)Math.Ceiling((last - first + 1) / (double)maximum));
            for (int power = first; power <= last; power++)
            {
                if (power % every == 0)
                {
                    ticks.Add(new Tick(Math.Pow(10, power), plain ? Plain(Math.Pow(10, power)) : Power(power)));
                }
            }

            return ticks;
        }

        // Within a decade or two whole powers are too few to read from.
        double[] factors = maximum >= 7 ? [1, 2, 5] : [1, 3];
        for (int power = first - 1; power <= last; power++)
        {
            foreach (double factor in factors)
            {
                double value = factor * Math.Pow(10, power), place = Math.Log10(value);
                if (place >= low - 1e-9 && place <= high + 1e-9)
                {
                    ticks.Add(new Tick(value, value is >= 1e-3 and < 1e5
                        ? Plain(value)
                        : factor.ToString("0", CultureInfo.InvariantCulture) + "·" + Power(power)));
                }
            }
        }

        if (ticks.Count < 2)
        {
            (double from, double to) = (Math.Pow(10, low), Math.Pow(10, high));
            return LinearTicks(ref from, ref to, maximum, toTicks: false);
        }

        return ticks;
    }

    private static string Plain(double value) => value.ToString("0.#####", CultureInfo.InvariantCulture);

    private static string Power(int exponent) => exponent == 0
        ? "1"
        : "10" + (exponent < 0 ? "⁻" : "") + string.Concat(
            Math.Abs(exponent).ToString(CultureInfo.InvariantCulture).Select(d => Superscripts[d - '0']));
}
