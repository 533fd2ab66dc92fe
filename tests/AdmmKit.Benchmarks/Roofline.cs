using System.Globalization;
using System.Text;
using System.Text.Json;
using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;

namespace AdmmKit.Benchmarks;

/// <summary>One measured point of a roofline.</summary>
/// <param name="Kind">What it is a case of.</param>
/// <param name="Name">Which case.</param>
/// <param name="Mflop">Floating-point operations of one call, in millions.</param>
/// <param name="Megabytes">Compulsory traffic of one call, in MB.</param>
/// <param name="Intensity">FLOP a byte.</param>
/// <param name="Microseconds">Median time of one call.</param>
/// <param name="Gflops">GFLOP/s.</param>
/// <param name="PeakGflops">The peak beside it.</param>
/// <param name="PercentOfPeak">Share of the peak beside it.</param>
/// <param name="PercentOfRoof">Share of what peak and memory allow at this intensity; above 100 where the arrays lie in a cache.</param>
internal sealed record RooflinePoint(
    string Kind, string Name, double Mflop, double Megabytes, double Intensity, double Microseconds, double Gflops,
    double PeakGflops, double PercentOfPeak, double PercentOfRoof);

/// <summary>All of a roofline: the file <c>roofline.json</c>.</summary>
/// <param name="Commit">The commit that was measured.</param>
/// <param name="Dirty">Whether the checkout differed from it.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Batch">Images in a batch.</param>
/// <param name="Machine">The roofs.</param>
/// <param name="Points">The points.</param>
internal sealed record RooflineReport(
    string? Commit, bool? Dirty, int Threads, int Batch, MachineLimits Machine, IReadOnlyList<RooflinePoint> Points);

/// <summary>The mode <c>roofline</c>.</summary>
internal static class Roofline
{
    public const string Takes = "[--threads N] [--batch N] [--rounds N] [--out DIR] [--quick]";

    private const string Method = """
        Times are medians over rounds in which kernel and peak take turns; shares are of the peak in the same moments. A
        multiply-accumulate is two FLOP; of an update (Adam) 14 FLOP a weight are counted, of a projection one a weight. Bytes are
        compulsory traffic: what a kernel starts from is read once and what it makes is written once, four bytes a number; of a
        training step only weights, both moments and images count. Memory roofs are the best of read, copy and triad over arrays of
        that level. Points above the roof of memory find their arrays in a cache. The picture shows each share as GFLOP/s of the
        median of all peaks.
        """;

    public static void Run(Arguments arguments)
    {
        int threads = arguments.Count("--threads", Environment.ProcessorCount), batch = arguments.Count("--batch", 64);
        bool quick = arguments.Has("--quick");
        string folder = arguments.Text("--out") ?? Path.Combine("out", "performance");
        if (batch % 32 != 0)
        {
            throw new UsageException(FormattableString.Invariant(
                $"--batch must be a multiple of 32, not {batch}: no lane stays empty then."));
        }

        Manifest checkout = Manifest.Describe("roofline", []);
        MachineLimits machine = PeakMode.Measure(threads, quick);
        var beside = new Beside(threads, arguments.Count("--rounds", quick ? 3 : 15), quick ? 0.01 : 0.04, quick ? 0.1 : 0.5);
        using var kernels = new RooflineKernels(threads, batch, quick);
        var points = new List<RooflinePoint>();
        foreach (RooflineKernel kernel in kernels.All)
        {
            if (beside.Measure(kernel.Flop, kernel.Work, kernel.Less) is not { } m)
            {
                Console.Error.WriteLine(
                    $"{kernel.Kind}, {kernel.Name}: left out, shorter than what is taken off; give more --rounds on quiet cores");
                continue;
            }

            double intensity = kernel.Flop / kernel.Bytes;
            double roof = Math.Min(m.PeakGflops, intensity * Roofs(machine, threads).First(b => b.Level == "memory").Best);
            points.Add(new(
                kernel.Kind, kernel.Name, Round(kernel.Flop / 1e6), Round(kernel.Bytes / 1e6), Round(intensity), Round(1e6 * m.Seconds),
                Round(m.Gflops), Round(m.PeakGflops), Round(m.PercentOfPeak), Round(100 * m.Gflops / roof)));
            Console.Error.WriteLine(FormattableString.Invariant(
                $"{kernel.Kind}, {kernel.Name}: {1e6 * m.Seconds:0} us, {m.Gflops:0.0} GFLOP/s, {m.PercentOfPeak:0.0} % of peak"));
        }

        Write(folder, new(checkout.Commit, checkout.Dirty, threads, batch, machine, points));
    }

    /// <summary>Four digits: more than any of it repeats.</summary>
    private static double Round(double value) =>
        double.Parse(value.ToString("G4", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static IEnumerable<Bandwidth> Roofs(MachineLimits machine, int threads) => machine.Bandwidths.Where(b => b.Threads == threads);

    private static void Write(string folder, RooflineReport report)
    {
        Chart(report).Save(Path.Combine(folder, "roofline.svg"));
        Save("roofline.json", JsonSerializer.Serialize(report, PeakMode.Json) + "\n");
        var csv = new StringBuilder("kind,name,mflop,megabytes,intensity,microseconds,gflops,peakGflops,percentOfPeak,percentOfRoof\n");
        var table = new StringBuilder("| | | FLOP/byte | us | GFLOP/s | % of peak | % of roof |\n|---|---|---|---|---|---|---|\n");
        foreach (RooflinePoint p in report.Points)
        {
            csv.Append(CultureInfo.InvariantCulture, $"{p.Kind},\"{p.Name}\",{p.Mflop},{p.Megabytes},{p.Intensity},{p.Microseconds},");
            csv.Append(CultureInfo.InvariantCulture, $"{p.Gflops},{p.PeakGflops},{p.PercentOfPeak},{p.PercentOfRoof}\n");
            table.Append(CultureInfo.InvariantCulture, $"| {p.Kind} | {p.Name} | {p.Intensity} | {p.Microseconds} ");
            table.Append(CultureInfo.InvariantCulture, $"| {p.Gflops} | {p.PercentOfPeak} | {p.PercentOfRoof} |\n");
        }

        Save("roofline.csv", csv.ToString());
        var levels = new StringBuilder("| | threads | KiB an array | read | copy | triad |\n|---|---|---|---|---|---|\n");
        foreach (Bandwidth b in report.Machine.Bandwidths)
        {
            levels.Append(CultureInfo.InvariantCulture, $"| {b.Level} | {b.Threads} | {b.ArrayKib} | {b.Read} | {b.Copy} | {b.Triad} |\n");
        }

        string commit = (report.Commit ?? "unknown") + (report.Dirty == true ? " with changes" : "");
        string peaks = string.Join(
            ", ", report.Machine.PeakGflops.Select(p => FormattableString.Invariant($"{p.Value} GFLOP/s with threads = {p.Key}")));
        Save("roofline.md", FormattableString.Invariant($"""
            # Roofline

            ![Roofline](roofline.svg)

            {report.Machine.Cpu}, {report.Machine.Instructions}, {report.Threads} threads, batch {report.Batch},
            commit {commit}.

            {table}
            {Method}

            Peak: {peaks}. Bandwidth in GB/s:

            {levels}
            """).ReplaceLineEndings("\n"));

        void Save(string name, string text) => AtomicFile.Write(Path.Combine(folder, name), s => s.Write(Encoding.UTF8.GetBytes(text)));
    }

    private static LineChart Chart(RooflineReport report)
    {
        double peak = report.Points.Count > 0
            ? Timing.Median([.. report.Points.Select(p => p.PeakGflops)])
            : report.Machine.PeakGflops[report.Threads];
        double low = report.Points.Select(p => p.Intensity).Append(0.1).Min() / 2;
        double high = report.Points.Select(p => p.Intensity).Append(10).Max() * 2;
        Bandwidth[] levels = [.. Roofs(report.Machine, report.Threads)];
        IEnumerable<ChartSeries> roofs = levels.Select(b => new ChartSeries(
            FormattableString.Invariant($"{b.Level} {b.Best:0} GB/s"), [low, peak / b.Best], [low * b.Best, peak], SeriesStyle.Line));
        var top = new ChartSeries(
            FormattableString.Invariant($"peak {peak:0} GFLOP/s"), [peak / levels.Max(b => b.Best), high], [peak, peak], SeriesStyle.Line);
        IEnumerable<ChartSeries> points = report.Points.GroupBy(p => p.Kind).Select(g => new ChartSeries(
            g.Key, [.. g.Select(p => p.Intensity)], [.. g.Select(p => p.PercentOfPeak / 100 * peak)], SeriesStyle.Markers, [.. g.Select(p => p.Name)]));
        return new LineChart(
            FormattableString.Invariant($"Roofline of training, {report.Threads} threads, {report.Machine.Instructions}"),
            "FLOP per byte of compulsory traffic",
            [new ChartPanel("GFLOP/s (share of the peak beside it, of the median peak)", [.. points, .. roofs, top], AxisScale.Logarithmic)],
            AxisScale.Logarithmic);
    }
}
