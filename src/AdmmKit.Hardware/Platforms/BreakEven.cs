namespace AdmmKit.Hardware.Platforms;

/// <summary>Where sparse execution is as fast as dense: sec. 5.1 in [Ren2019].</summary>
internal static class BreakEven
{
    // A bisection halves the interval each time: 60 times is the last bit of a double.
    private const int Bisections = 60;

    /// <summary>The largest share of weights at which sparse is not slower; 0 where it never is, 1 where it always is.</summary>
    /// <param name="dense">Delay with all weights, dense.</param>
    /// <param name="sparse">Delay by the share of weights, which it grows with.</param>
    public static double KeepFraction(double dense, Func<double, double> sparse)
    {
        (double low, double high) = (0, 1);
        if (sparse(low) >= dense || sparse(high) <= dense)
        {
            return sparse(low) >= dense ? 0 : 1;
        }

        for (int i = 0; i < Bisections; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = sparse(middle) <= dense ? (middle, high) : (low, middle);
        }

        return low;
    }
}
