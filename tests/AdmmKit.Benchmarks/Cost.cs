using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Experiments.Results;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Benchmarks;

/// <summary>What a training step of one network costs.</summary>
/// <param name="Network">The architecture.</param>
/// <param name="Input">Shape of an image.</param>
/// <param name="Classes">Outputs.</param>
/// <param name="Batch">Images in a step.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Weights">Weights of all layers.</param>
/// <param name="GflopPerStep">Arithmetic of a step, see <see cref="Flops"/>, in GFLOP.</param>
/// <param name="MsPerStep">Median time of a step, in ms.</param>
/// <param name="ImagesPerS">Images a second.</param>
/// <param name="Gflops">GFLOP/s.</param>
/// <param name="PeakGflops">The peak beside it.</param>
/// <param name="PercentOfPeak">Share of the peak beside it.</param>
/// <param name="PeakMemoryMb">Most memory that the process had resident, in MB; it trained nothing else.</param>
/// <param name="AdmmPeakMemoryMb">The same after an ADMM iteration that prunes every layer, in MB.</param>
/// <param name="AdmmStateMb">
/// Of that, the arrays of the network's size: weights, gradient, two moments, Z, U and the target Z - U, in MB.
/// </param>
/// <param name="MemoryAtStartMb">Of that, what the process had before the network was built.</param>
internal sealed record CostRow(
    string Network, string Input, int Classes, int Batch, int Threads, int Weights, double GflopPerStep, double MsPerStep,
    double ImagesPerS, double Gflops, double PeakGflops, double PercentOfPeak, double PeakMemoryMb, double AdmmPeakMemoryMb, double AdmmStateMb, double MemoryAtStartMb);

/// <summary>The mode <c>cost</c>: time and memory of a training step, network by network, each in a process of its own.</summary>
internal static class Cost
{
    public const string Takes =
        "[--networks A,B] [--batch N] [--threads N] [--rounds N] [--input CxHxW] [--classes N] [--out DIR] [--quick]";

    private const int AdmmArrays = 7;

    // Where a network has a size of its own; else 28x28 grey, ten classes and 64 images.
    private static readonly Dictionary<string, (ImageShape Input, int Classes, int Batch)> Sizes = new(StringComparer.Ordinal)
    {
        ["resnet20"] = (NetworkSpec.Cifar, 10, 64),
        ["resnet32"] = (NetworkSpec.Cifar, 10, 64),
        ["resnet56"] = (NetworkSpec.Cifar, 10, 64),
        ["vgg-small"] = (NetworkSpec.Cifar, 10, 64),
        ["caffenet"] = (new(3, 227, 227), 1000, 32),
        ["alexnet"] = (new(3, 227, 227), 1000, 32),
        ["vgg16"] = (NetworkSpec.ImageNet, 1000, 8),
        ["resnet50"] = (NetworkSpec.ImageNet, 1000, 32),
    };

    public static void Run(Arguments arguments)
    {
        string[] networks = (arguments.Text("--networks") ?? "lenet5,lenet-300-100").Split(',');
        foreach (string name in networks.Where(n => !NetworkSpec.Architectures.Contains(n)))
        {
            throw new UsageException(Names.Unknown("network", name, NetworkSpec.Architectures));
        }

        // What is wrong with the command line is said here, not by the first process of its own.
        var options = new Options(arguments);
        CostRow[] rows = networks.Length == 1
            ? [Measure(networks[0], options)]
            : [.. networks.Select(n => Parse(Child.Self(["cost", "--networks", n, .. Passed(arguments)])))];
        string json = JsonSerializer.Serialize(rows, PeakMode.Json);
        Console.WriteLine(json);
        if (arguments.Text("--out") is { } folder)
        {
            AtomicFile.Write(Path.Combine(folder, "cost.json"), s => s.Write(Encoding.UTF8.GetBytes(json + "\n")));
            AtomicFile.Write(Path.Combine(folder, "cost.md"), s => s.Write(Encoding.UTF8.GetBytes(Table(rows))));
        }
    }

    private static CostRow Parse(string json) => JsonSerializer.Deserialize<CostRow[]>(json, PeakMode.Json)![0];

    private static IEnumerable<string> Passed(Arguments arguments) =>
        ((string[])["--batch", "--threads", "--rounds", "--input", "--classes", "--quick"])
            .SelectMany(o => arguments.Text(o) is { } value ? value.Length == 0 ? [o] : new[] { o, value } : []);

    private static CostRow Measure(string name, Options options)
    {
        (ImageShape input, int classes, int batch) = Sizes.GetValueOrDefault(name, (NetworkSpec.Mnist, 10, 64));
        batch = options.Batch ?? batch;
        NetworkSpec spec = NetworkSpec.Create(name, options.Input ?? input, options.Classes ?? classes);
        double before = ResidentMegabytes(p => p.WorkingSet64);
        using var work = new Workload(spec, batch, options.Beside.Threads, batch);
        double flop = Flops.Step(spec, batch);
        // Without a part to take off there is always a measurement.
        Measured m = options.Beside.Measure(flop, work.Step)!;
        double peak = ResidentMegabytes(p => p.PeakWorkingSet64);
        AdmmIteration(work.Network);
        return new(
            name, spec.Input.ToString(), spec.Classes, batch, options.Beside.Threads, spec.WeightCount, Round(flop / 1e9),
            Round(1e3 * m.Seconds), Round(batch / m.Seconds), Round(m.Gflops), Round(m.PeakGflops), Round(m.PercentOfPeak),
            Round(peak), Round(ResidentMegabytes(p => p.PeakWorkingSet64)), Round(AdmmArrays * 4.0 * spec.WeightCount / 1e6), Round(before));
    }

    /// <summary>One step of training, then projection and dual update of all layers, each to a tenth of its weights.</summary>
    private static void AdmmIteration(TrainableNetwork network)
    {
        var constraint = new PerLayer(network.Layers.ToDictionary(l => l.Name, l => (IConstraint)new Cardinality((l.WeightCount + 9) / 10)));
        new AdmmTrainer(network, constraint, new AdmmOptions { Iterations = 1, StepsPerIteration = 1, Evaluate = false })
            .Iterate(null, CancellationToken.None);
    }

    private static double ResidentMegabytes(Func<Process, long> which)
    {
        using var process = Process.GetCurrentProcess();
        return which(process) / 1e6;
    }

    private static double Round(double value) => Math.Round(value, 3);

    private static string Table(CostRow[] rows)
    {
        Manifest checkout = Manifest.Describe("cost", []);
        string commit = (checkout.Commit ?? "unknown") + (checkout.Dirty == true ? " with changes" : "");
        var text = new StringBuilder(FormattableString.Invariant($"""
            # Cost of a training step

            {checkout.Cpu}, {rows[0].Threads} threads, {Peak.Best.Name}, commit {commit}.

            Adam, random images; medians. Each network has a process of its own; its memory is the most that was resident, with the
            {rows.Min(r => r.MemoryAtStartMb):0} MB that the process had before. A multiply-accumulate is two FLOP; a layer has three passes,
            the first one two. The peak is measured before and after each run. ADMM prunes every layer; its state is the arrays of the
            network's size: weights, gradient, two moments, Z, U and the target Z - U.

            | | input | batch | weights | GFLOP a step | ms a step | images/s | GFLOP/s | % of peak | peak memory, MB | with ADMM, MB | of that its state, MB |
            |---|---|---|---|---|---|---|---|---|---|---|---|

            """).ReplaceLineEndings("\n"));
        foreach (CostRow r in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {r.Network} | {r.Input} | {r.Batch} | {r.Weights:#,0} | {r.GflopPerStep:0.###} ");
            text.Append(CultureInfo.InvariantCulture, $"| {r.MsPerStep:0.##} | {r.ImagesPerS:#,0} | {r.Gflops:0.#} | {r.PercentOfPeak:0.#} ");
            text.Append(CultureInfo.InvariantCulture, $"| {r.PeakMemoryMb:#,0} | {r.AdmmPeakMemoryMb:#,0} | {r.AdmmStateMb:#,0.#} |\n");
        }

        return text.ToString();
    }

    private sealed class Options(Arguments arguments)
    {
        public ImageShape? Input { get; } = arguments.Text("--input") is { } text ? Shape(text) : null;

        public int? Classes { get; } = arguments.Has("--classes") ? arguments.Count("--classes", 0) : null;

        public int? Batch { get; } = arguments.Has("--batch") ? arguments.Count("--batch", 0) : null;

        public Beside Beside { get; } = new(
            arguments.Count("--threads", Environment.ProcessorCount),
            arguments.Count("--rounds", arguments.Has("--quick") ? 3 : 9),
            arguments.Has("--quick") ? 0.02 : 0.3,
            arguments.Has("--quick") ? 0.1 : 1);

        private static ImageShape Shape(string text)
        {
            int[] sizes =
                [.. text.Split('x').Select(p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : 0)];
            return sizes is [> 0, > 0, > 0]
                ? new(sizes[0], sizes[1], sizes[2])
                : throw new UsageException($"--input must be channels, height and width, such as 3x32x32, not '{text}'.");
        }
    }
}
