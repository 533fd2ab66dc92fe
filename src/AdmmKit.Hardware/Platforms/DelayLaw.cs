namespace AdmmKit.Hardware.Platforms;

/// <summary>How a layer's delay falls with its survivors: sparse execution as a multiple of dense execution.</summary>
public interface IDelayLaw
{
    /// <summary>Delay with survivors alone, where a dense layer takes 1.</summary>
    /// <param name="keepFraction">Survivors as a share of the weights, in [0, 1].</param>
    double RelativeDelay(double keepFraction);
}

/// <summary>
/// ((d / (A - B ln d))^Q + T^Q)^(1/Q) at the density d: what is left for processing elements shrinks with the survivors, and
/// traffic that does not depend on them sets a floor T. A fit to published points, no derivation from silicon.
/// </summary>
/// <param name="A">Relative throughput of the sparse array on a layer with all its weights; positive.</param>
/// <param name="B">How much it gains as weights go; not negative.</param>
/// <param name="T">The floor; positive.</param>
/// <param name="Q">How sharply the two meet; at least 1.</param>
public sealed record LogarithmicLaw(double A, double B, double T, double Q) : IDelayLaw
{
    /// <inheritdoc/>
    public double RelativeDelay(double keepFraction) => keepFraction <= 0 ? T
        : LinearAreaLaw.Joined(keepFraction / (A - (B * Math.Log(keepFraction))), T, Q);
}

/// <summary>
/// ((d / (A - B d))^Q + T^Q)^(1/Q) at the density d: the area left for processing elements falls in a straight line with the
/// survivors that memory has to hold. Where A - B d is not positive nothing is left, and the layer never ends.
/// </summary>
/// <param name="A">Relative throughput of the sparse array where memory takes nothing; positive.</param>
/// <param name="B">What a layer with all its weights takes of it; not negative.</param>
/// <param name="T">The floor; positive.</param>
/// <param name="Q">How sharply the two meet; at least 1.</param>
public sealed record LinearAreaLaw(double A, double B, double T, double Q) : IDelayLaw
{
    /// <inheritdoc/>
    public double RelativeDelay(double keepFraction)
    {
        double left = A - (B * keepFraction);
        return left <= 0 ? double.PositiveInfinity : Joined(keepFraction / left, T, Q);
    }

    // (x^q + y^q)^(1/q) with the larger of both taken out: a power of 100 of either one can be no double.
    internal static double Joined(double x, double y, double q)
    {
        (double less, double more) = (Math.Min(x, y), Math.Max(x, y));
        return more * Math.Pow(1 + Math.Pow(less / more, q), 1 / q);
    }
}
