using System.Diagnostics;

namespace AdmmKit.Benchmarks;

/// <summary>Clocks and medians. Medians, because a virtual machine loses its cores for moments at a time.</summary>
internal static class Timing
{
    /// <summary>Seconds that so many calls take together.</summary>
    public static double Seconds(int times, Action work)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < times; i++)
        {
            work();
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The median of several runs, after one that does not count.</summary>
    public static double Median(int runs, Func<double> measure)
    {
        measure();
        return Median([.. Enumerable.Range(0, runs).Select(_ => measure())]);
    }

    /// <summary>The middle one of some numbers; of an even count the mean of the two in the middle.</summary>
    public static double Median(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Seconds within which a share of single calls was done, for each share asked for.</summary>
    public static double[] Percentiles(int calls, Action work, params double[] shares)
    {
        double[] seconds = [.. Enumerable.Range(0, calls).Select(_ => Seconds(1, work)).Order()];
        return [.. shares.Select(s => seconds[Math.Min(calls - 1, (int)(s * calls))])];
    }

    /// <summary>How many calls take about so long, at least one, found after a time in which the compiler gets to optimise them.</summary>
    public static int CallsIn(double warmUpSeconds, double seconds, Action work)
    {
        double spent = 0, last = 0;
        while (spent < warmUpSeconds)
        {
            last = Seconds(1, work);
            spent += last;
        }

        return Math.Max(1, (int)(seconds / last));
    }

    /// <summary>
    /// Runs work(0) .. work(threads - 1) at once, each on a thread of its own; returns seconds from the first start to the last end.
    /// </summary>
    public static double Together(int threads, Action<int> work)
    {
        var spans = new (long Start, long End)[threads];
        using var gate = new Barrier(threads);
        void Body(int i)
        {
            gate.SignalAndWait();
            long start = Stopwatch.GetTimestamp();
            work(i);
            spans[i] = (start, Stopwatch.GetTimestamp());
        }

        Thread[] others = [.. Enumerable.Range(1, threads - 1).Select(i => new Thread(() => Body(i)))];
        foreach (Thread thread in others)
        {
            thread.Start();
        }

        Body(0);
        foreach (Thread thread in others)
        {
            thread.Join();
        }

        return Stopwatch.GetElapsedTime(spans.Min(s => s.Start), spans.Max(s => s.End)).TotalSeconds;
    }
}
