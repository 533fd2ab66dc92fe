using System.Text.Json;
using AdmmKit.Experiments.Results;

namespace AdmmKit.Benchmarks;

/// <summary>How fast arrays of one size are read and written.</summary>
/// <param name="Level">Where they lie: "L2", "L3" or "memory".</param>
/// <param name="Threads">Threads at work, each with three arrays of its own.</param>
/// <param name="ArrayKib">Size of one array, in units of 1,024 bytes.</param>
/// <param name="Read">s = s + a, in GB/s.</param>
/// <param name="Copy">b = a, in GB/s, both counted.</param>
/// <param name="Triad">c = a + 3 b, in GB/s, all three counted.</param>
internal sealed record Bandwidth(string Level, int Threads, long ArrayKib, double Read, double Copy, double Triad)
{
    /// <summary>The best of the three: the roof of a roofline.</summary>
    public double Best => Math.Max(Read, Math.Max(Copy, Triad));
}

/// <summary>What the machine can do.</summary>
/// <param name="Cpu">The processor's name.</param>
/// <param name="Instructions">The instruction set.</param>
/// <param name="PeakGflops">Multiply-adds of registers in GFLOP/s, by the number of threads.</param>
/// <param name="Bandwidths">Bytes a second.</param>
internal sealed record MachineLimits(
    string Cpu, string Instructions, IReadOnlyDictionary<int, double> PeakGflops, IReadOnlyList<Bandwidth> Bandwidths);

/// <summary>The mode <c>peak</c>.</summary>
internal static class PeakMode
{
    public const string Takes = "[--threads N] [--quick]";

    /// <summary>JSON as all modes write it.</summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Run(Arguments arguments) => Console.WriteLine(JsonSerializer.Serialize(
        Measure(arguments.Count("--threads", Environment.ProcessorCount), arguments.Has("--quick")), Json));

    /// <summary>Measures one thread, and as many as said.</summary>
    public static MachineLimits Measure(int threads, bool quick)
    {
        int[] counts = [.. new[] { 1, threads }.Distinct()];
        int runs = quick ? 3 : 9;
        // L2 is a core's own, at least 512 KiB; the third level and memory are shared. 288 MiB are more than any third level here.
        (string Level, Func<int, long> Bytes)[] levels =
        [
            ("L2", _ => 128 << 10), ("L3", t => (4L << 20) / t), ("memory", t => (quick ? 48L << 20 : 96L << 20) / t),
        ];
        return new MachineLimits(
            Manifest.Describe("peak", []).Cpu,
            Peak.Best.Name,
            counts.ToDictionary(t => t, t => Math.Round(Timing.Median(2 * runs, () => Peak.Best.Gflops(t)), 1)),
            [.. levels.SelectMany(l => counts.Select(t => Measure(l.Level, t, l.Bytes(t), runs)))]);
    }

    private static Bandwidth Measure(string level, int threads, long arrayBytes, int runs)
    {
        // Half a gigabyte a run: some ten milliseconds, so that starting threads does not count.
        (double read, double copy, double triad) = Peak.Best.Bandwidth(threads, arrayBytes, 1L << 29, runs);
        return new(level, threads, arrayBytes >> 10, Math.Round(read, 1), Math.Round(copy, 1), Math.Round(triad, 1));
    }
}
