using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Results;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Benchmarks;

/// <summary>
/// The mode <c>compare</c>: our <see cref="Job"/> and another program of the same output in turn, each in a process of its
/// own, and a folder of results from it: <c>rounds.jsonl</c>, <c>rows.csv</c>, <c>README.md</c>, <c>manifest.json</c>.
/// </summary>
internal static class Compare
{
    public const string Takes = "[--peer COMMAND] [--rounds N] [--threads N] [--batch N] [--out DIR] [--quick]";

    // Their settings change what is measured. Others may hold folders of the machine.
    private static readonly string[] Settings = ["OMP_", "OPENBLAS_NUM", "MKL_NUM", "DOTNET_Enable", "DOTNET_Tiered"];

    public static void Run(Arguments arguments)
    {
        string? peer = arguments.Text("--peer");
        int rounds = arguments.Count("--rounds", 3);
        string folder = arguments.Text("--out") ?? Path.Combine("out", "performance");
        int threads = arguments.Count("--threads", Environment.ProcessorCount);
        string[] quick = arguments.Has("--quick") ? ["--quick"] : [];
        string[] job = ["job", Text(threads), Text(arguments.Count("--batch", 64)), .. quick];
        Manifest manifest = Describe(arguments, peer) with { Threads = threads };
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var (ours, theirs, lines) = (new List<JsonObject>(), new List<JsonObject>(), new StringBuilder());
        for (int round = 1; round <= rounds; round++)
        {
            ours.Add(Round(round, "AdmmKit", Child.Self(job), lines));
            if (peer is not null)
            {
                theirs.Add(Round(round, "peer", Child.Shell(peer), lines));
            }
        }

        IReadOnlyList<Comparison> comparisons = Comparison.Of(ours, theirs);
        manifest = manifest with { WallTimeSeconds = Math.Round(clock.Elapsed.TotalSeconds, 1) };
        Save("rounds.jsonl", lines.ToString());
        ResultRows.Write(Path.Combine(folder, "rows.csv"), Rows(comparisons, manifest.CommandLine));
        string readme = Readme(comparisons, manifest, ours, theirs, name => File.Exists(Path.Combine(folder, name)));
        Save("README.md", readme);
        manifest.Save(Path.Combine(folder, "manifest.json"));
        Console.Write(readme);

        void Save(string name, string text) => AtomicFile.Write(Path.Combine(folder, name), s => s.Write(Encoding.UTF8.GetBytes(text)));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static JsonObject Round(int round, string system, string output, StringBuilder lines)
    {
        JsonObject found = Child.LastObject(output, system == "peer" ? "--peer" : "job");
        string line = new JsonObject { ["round"] = round, ["system"] = system, ["output"] = found.DeepClone() }.ToJsonString();
        lines.Append(line).Append('\n');
        Console.Error.WriteLine(line);
        return found;
    }

    private static Manifest Describe(Arguments arguments, string? peer)
    {
        DataSet data = Workload.RandomData(NetworkSpec.Mnist, 10, Job.Images);
        var command = new List<string> { "run", "-c", "Release", "--project", "tests/AdmmKit.Benchmarks", "--", "compare" };
        foreach (string name in (string[])["--peer", "--rounds", "--threads", "--batch", "--out", "--quick"])
        {
            if (arguments.Text(name) is { } value)
            {
                command.AddRange(value.Length == 0 ? [name] : [name, name == "--peer" ? WithoutFolders(value) : value]);
            }
        }

        string[] settings = [.. Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .Where(v => Settings.Any(s => ((string)v.Key).StartsWith(s, StringComparison.Ordinal)))
            .Select(v => $"{v.Key}={v.Value}").Order(StringComparer.Ordinal)];
        const string load = "/proc/loadavg";
        string[] busy = File.Exists(load) ? ["load average before: " + string.Join(' ', File.ReadAllText(load).Split(' ').Take(3))] : [];
        return Manifest.Describe("dotnet", command, data: new DataOrigin(data.Name, data.Source, data.Checksums)) with
        {
            Environment = string.Join("; ", [.. settings, FormattableString.Invariant($"{Environment.ProcessorCount} cores"), .. busy]),
        };

        // The peer lies wherever it lies on this machine.
        static string WithoutFolders(string text) =>
            string.Join(' ', text.Split(' ').Select(w => Path.IsPathFullyQualified(w) ? Path.GetFileName(w) : w));
    }

    private static IEnumerable<ResultRow> Rows(IReadOnlyList<Comparison> comparisons, string source)
    {
        foreach (Comparison c in comparisons)
        {
            string what = c.Unit switch { "us" => "Latency", "ms" => "Time", _ => "Throughput" };
            ResultRow Row(string quantity, string unit, IReadOnlyList<double> values) =>
                new(c.Title, quantity, unit, null, Math.Round(Timing.Median([.. values]), 3), null, 0, ResultStatus.None, source);
            yield return Row("our" + what, c.Unit, c.Ours);
            if (c.PeerKey is not null)
            {
                yield return Row("peer" + what, c.Unit, c.Theirs);
                yield return Row("timesPeer", "x", c.TimesPeer);
            }
        }
    }

    private static string Readme(
        IReadOnlyList<Comparison> comparisons, Manifest manifest, List<JsonObject> ours, List<JsonObject> theirs, Func<string, bool> exists)
    {
        var text = new StringBuilder();
        string peer = theirs.Count > 0 ? Name(theirs[0]) : "";
        text.Append(CultureInfo.InvariantCulture, $"""
            # Speed, side by side

            LeNet-5 (Caffe), batch {ours[0]["batch"]}, {ours[0]["threads"]} threads, rounds: {ours.Count}. Each figure is the median over
            the rounds, in brackets the smallest and the largest; that of a round is itself a median (`rounds.jsonl`).

            """);
        text.Append(peer.Length == 0 ? "\n" : """
            In a round both programs run in turn, each in a process of its own. How many times as fast is taken within each round,
            so that what drifts from round to round drops out.


            """);
        text.Append(peer.Length == 0
            ? "| | unit | AdmmKit |\n|---|---|---|\n"
            : $"| | unit | AdmmKit | {peer} | times as fast |\n|---|---|---|---|---|\n");
        foreach (Comparison c in comparisons)
        {
            string format = c.Unit == "images/s" ? "#,0" : "#,0.#";
            text.Append($"| {c.Title} | {c.Unit} | {Cell(c.Ours, format)} |");
            text.Append(peer.Length == 0 ? "\n"
                : c.PeerKey is null ? " | |\n"
                : $" {Cell(c.Theirs, format)} | {Cell(c.TimesPeer, "0.00")} |\n");
        }

        string commit = (manifest.Commit ?? "unknown") + (manifest.Dirty == true ? " with changes" : "");
        string instructions = string.Join(", ", manifest.Instructions);
        string runs = FormattableString.Invariant($"""

            {Name(ours[0])} at commit {commit}; {manifest.Cpu} ({instructions}), {manifest.OperatingSystem}, {manifest.Runtime}.
            {manifest.Environment}.

            ```
            {manifest.CommandLine}
            ```

            """);
        text.Append(runs);
        foreach ((string file, string what) in (ReadOnlySpan<(string, string)>)
            [
                ("roofline.md", "Kernels and training steps against the machine's peak"),
                ("cost.md", "Time and memory of a training step, network by network"),
            ])
        {
            text.Append(exists(file) ? $"\n{what}: [{file}]({file}).\n" : "");
        }

        return text.ToString().ReplaceLineEndings("\n");
    }

    private static string Cell(IReadOnlyList<double> values, string format)
    {
        string F(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        return $"{F(Timing.Median([.. values]))}{(values.Count > 1 ? $" [{F(values.Min())}, {F(values.Max())}]" : "")}";
    }

    /// <summary>What a program calls itself: its first text, with the text's name unless that is "engine".</summary>
    private static string Name(JsonObject output)
    {
        var text = output.FirstOrDefault(p => p.Value?.GetValueKind() == System.Text.Json.JsonValueKind.String);
        return text.Value is null ? "peer" : text.Key == "engine" ? $"{text.Value}" : $"{text.Key} {text.Value}";
    }
}
