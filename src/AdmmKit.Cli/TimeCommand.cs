using System.CommandLine;
using System.Globalization;
using AdmmKit.Engine;
using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using AdmmKit.Training;
using Spectre.Console;

namespace AdmmKit.Cli;

/// <summary><c>admmkit time</c>: how long a stored network takes on this machine, dense and pruned.</summary>
internal static class TimeCommand
{
    public static Command Create()
    {
        var files = new Argument<string[]>("file")
        {
            Description = $"Networks: {ModelOptions.Kinds}.",
            Arity = ArgumentArity.OneOrMore,
        };
        var output = new Option<string?>("--out") { Description = "Folder for rows and manifest; without it the times are only shown.", HelpName = "DIR" };
        var platform = new Option<string?>("--platform")
        {
            Description = "Chooses each layer's execution by the times of this platform ('admmkit platform measure'); else the kit's own thresholds do.",
            HelpName = "FILE.json",
        };
        var models = new ModelOptions();
        TimingFlags flags = new();
        var command = new Command("time", "Times a network on this machine: every layer dense, each as it is faster, and all with survivors alone.")
        {
            files, platform, output, flags.Batch, flags.Seconds, flags.Threads,
        };
        models.AddTo(command);
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            DateTime started = DateTime.UtcNow;
            TimingOptions options = flags.Options(parsed);
            Platform? known = parsed.GetValue(platform) is not { } path ? null
                : PlatformFile.Load(path) as MeasuredPlatform ?? throw new AdmmKitException(
                    $"'{path}' says nothing of this machine's times: give a platform that 'admmkit platform measure' wrote.");
            Manifest manifest = Manifest.Describe("admmkit", parsed.Tokens.Select(t => t.Value)) with { StartedUtc = started, Threads = options.ThreadCount };
            if (parsed.GetValue(output) is { } folder)
            {
                OutputFolder.CheckWritable(folder);
                OutputFolder.CheckNotOfOthers(folder, "admmkit time");
            }

            var rows = new List<ResultRow>();
            foreach (string file in parsed.GetValue(files)!.Distinct())
            {
                StoredModel model = models.Load(parsed, file);
                NetworkWeights weights = model.Decode();
                double[] kept = [.. model.Spec.Layers.Select((l, i) => (double)NetworkWeights.CountNonZero(weights.Weights[i]) / l.WeightCount)];
                NetworkTime time = NetworkTimer.Time(model.Spec, weights, known is null ? null : Choose(known, model.Spec, kept), options, cancellation);
                Console.WriteLine(file);
                Show(time, model.Spec, kept, options);
                rows.AddRange(Rows(Path.IsPathFullyQualified(file) ? Path.GetFileName(file) : file.Replace('\\', '/'), time, model.Spec, manifest.CommandLine));
            }

            if (parsed.GetValue(output) is { } to)
            {
                ResultRows.Write(Path.Combine(to, "rows.csv"), rows);
                (manifest with { WallTimeSeconds = Math.Round((DateTime.UtcNow - started).TotalSeconds, 1) }).Save(Path.Combine(to, "manifest.json"));
                Console.WriteLine($"Written: rows.csv and manifest.json in {to}");
            }

            return CommandLineTool.Success;
        }, keeps: false));
        return command;
    }

    private static Execution[] Choose(Platform platform, NetworkSpec spec, double[] kept) =>
    [
        .. spec.Layers.Select((l, i) => platform.SparseDelay(l, kept[i]) < platform.DenseDelay(l) ? Execution.Sparse : Execution.Dense),
    ];

    private static IEnumerable<ResultRow> Rows(string file, NetworkTime time, NetworkSpec spec, string source)
    {
        ResultRow Row(string quantity, string unit, double value) => new(
            file, quantity, unit, null, Rounded.ToDigits(value, 5), null, 0, ResultStatus.None, source);
        yield return Row("denseThroughput", "images/s", 1 / time.DenseSeconds);
        yield return Row("throughput", "images/s", 1 / (time.DenseSeconds * time.ChosenOverDense));
        yield return Row("speedup", "x", 1 / time.ChosenOverDense);
        yield return Row("speedupAllSparse", "x", 1 / time.SparseOverDense);
        foreach (TimedStep step in time.Steps.Where(s => spec.Layers.Any(l => l.Name == s.Name)))
        {
            yield return Row("speedup of " + step.Name, "x", 1 / step.ChosenOverDense);
        }
    }

    private static void Show(NetworkTime time, NetworkSpec spec, double[] kept, TimingOptions options)
    {
        Table table = ConsoleTables.New(
            $"{spec.Name}, input {spec.Input}: time of each step within the network, for one image",
            ["step", "shape", "chosen"],
            ["keepFraction", "dense us", "chosen us", "of dense", "all sparse, of dense"]);
        foreach (TimedStep step in time.Steps)
        {
            int layer = Array.FindIndex([.. spec.Layers], l => l.Name == step.Name);
            table.AddRow(
                step.Name, layer < 0 ? "" : spec.Layers[layer].Shape, layer < 0 ? "" : step.Chosen.ToString(),
                layer < 0 ? "" : Text($"{kept[layer]:f4}"), Microseconds(step.DenseSeconds), Microseconds(step.DenseSeconds * step.ChosenOverDense),
                Text($"{step.ChosenOverDense:f3}"), Text($"{step.SparseOverDense:f3}"));
        }

        ConsoleTables.Write(table);
        Console.WriteLine(Text($"{Network.InstructionSet}, threads: {options.ThreadCount}, batch: {options.Batch}; medians of rounds in which all three took their turn."));
        Console.WriteLine(Text($"Dense: {1 / time.DenseSeconds:#,0} images/s."));
        Console.WriteLine(Text($"As chosen: {1 / (time.DenseSeconds * time.ChosenOverDense):#,0} images/s, {1 / time.ChosenOverDense:f2} times as fast."));
        Console.WriteLine(Text($"All with survivors alone: {1 / (time.DenseSeconds * time.SparseOverDense):#,0} images/s, {1 / time.SparseOverDense:f2} times as fast."));
        TimedStep slowest = time.Steps.Where(s => spec.Layers.Any(l => l.Name == s.Name)).MaxBy(s => s.ChosenOverDense)!;
        Console.WriteLine(Text($"Layer that gains least: {slowest.Name}, {slowest.ChosenOverDense:f3} of its dense time."));
    }

    private static string Microseconds(double seconds) => Text($"{1e6 * seconds:g4}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
