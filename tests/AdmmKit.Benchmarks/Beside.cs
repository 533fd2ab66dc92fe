namespace AdmmKit.Benchmarks;

/// <summary>A time, and the share of the machine's peak in the same moments.</summary>
/// <param name="Seconds">Median of one call.</param>
/// <param name="Gflops">GFLOP/s at that time.</param>
/// <param name="PeakGflops">Median of the peaks measured before and after each run.</param>
/// <param name="PercentOfPeak">Median over the runs of each one's share of the peak beside it.</param>
internal sealed record Measured(double Seconds, double Gflops, double PeakGflops, double PercentOfPeak);

/// <summary>
/// Measures work and peak alternately. The peak of a virtual machine drifts within minutes by as much as tens of percent;
/// a share of a peak that was measured at another time says nothing.
/// </summary>
/// <param name="Threads">Threads of the work, and of the peak.</param>
/// <param name="Rounds">Runs of the work, each between two of the peak.</param>
/// <param name="RunSeconds">How long one run takes, at least one call.</param>
/// <param name="WarmUpSeconds">How long the work runs before.</param>
internal sealed record Beside(int Threads, int Rounds, double RunSeconds, double WarmUpSeconds)
{
    /// <summary>Measures one piece of work.</summary>
    /// <param name="flop">Floating-point operations of one call.</param>
    /// <param name="work">The work.</param>
    /// <param name="less">A part of the work whose time, measured in each round, is taken off; or null.</param>
    /// <returns>The measurement, or null where the work took no longer than the part that was taken off.</returns>
    public Measured? Measure(double flop, Action work, Action? less = null)
    {
        int calls = Timing.CallsIn(WarmUpSeconds, RunSeconds, work);
        if (less is not null)
        {
            Timing.CallsIn(WarmUpSeconds, RunSeconds, less);
        }

        var seconds = new List<double>();
        var peaks = new List<double>();
        var shares = new List<double>();
        double before = Peak.Best.Gflops(Threads);
        for (int round = 0; round < Rounds; round++)
        {
            double time = Timing.Seconds(calls, work) / calls;
            if (less is not null)
            {
                time -= Timing.Seconds(calls, less) / calls;
            }

            double after = Peak.Best.Gflops(Threads), peak = (before + after) / 2;
            seconds.Add(time);
            peaks.Add(peak);
            shares.Add(100 * flop / time / 1e9 / peak);
            before = after;
        }

        double median = Timing.Median(seconds);
        return median <= 0 ? null : new(median, flop / median / 1e9, Timing.Median(peaks), Timing.Median(shares));
    }
}
