using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AdmmKit.Engine;
using AdmmKit.Experiments.Hardware;
using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;
using Spectre.Console;

namespace AdmmKit.Cli;

/// <summary><c>admmkit platform measure</c>: this machine as a platform.</summary>
internal static class PlatformMeasureCommand
{
    public static Command Create()
    {
        var architectures = new Option<string[]>("--architecture")
        {
            Description = "A network whose layers are timed, repeatable: " + string.Join(", ", NetworkSpec.Architectures) + ".",
            DefaultValueFactory = _ => ["lenet5"],
            HelpName = "NAME",
        };
        var output = new Option<string>("--out")
        {
            Description = "Folder for the platform (NAME.json), its picture, rows and manifest.",
            DefaultValueFactory = _ => "out/cpu",
            HelpName = "DIR",
        };
        var name = new Option<string>("--name") { Description = "What the platform and its file are called.", DefaultValueFactory = _ => "cpu", HelpName = "NAME" };
        TimingFlags flags = new();
        var command = new Command("measure", "Times this machine's dense and sparse kernels, layer by layer, and writes them as a platform.")
        {
            architectures, output, name, flags.Batch, flags.Seconds, flags.Threads,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(name) is { Implicit: false, Tokens: [{ Value: var called }] }
                && (called is "" or "manifest" || called.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))))
            {
                result.AddError($"--name '{called}' is also the name of a file: letters, digits, '-', '_' and '.', and not 'manifest'.");
            }

            foreach (string unknown in (result.GetResult(architectures)?.Tokens ?? []).Select(t => t.Value).Except(NetworkSpec.Architectures))
            {
                result.AddError(Names.Unknown("architecture", unknown, NetworkSpec.Architectures));
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            DateTime started = DateTime.UtcNow;
            string folder = parsed.GetValue(output)!;
            OutputFolder.CheckWritable(folder);
            OutputFolder.CheckNotOfOthers(folder, "admmkit platform measure");
            string path = Path.Combine(folder, parsed.GetValue(name) + ".json");
            NetworkSpec[] networks = [.. parsed.GetValue(architectures)!.Select(UsualInputs.Network)];
            var clock = Stopwatch.StartNew();
            MeasuredPlatform platform = PlatformMeasurement.Measure(
                networks, parsed.GetValue(name)!, flags.Options(parsed),
                (layer, done, of) => Console.Error.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{done + 1} of {of}: {layer.Name} {layer.Shape}, {clock.Elapsed.TotalSeconds:f0} s so far")),
                cancellation);
            PlatformFile.Save(platform, path);
            string picture = Path.ChangeExtension(path, ".svg");
            PlatformMeasurement.Chart(platform, PlatformMeasurement.Kinds(networks)).Save(picture);
            TimingOptions options = flags.Options(parsed);
            Manifest manifest = Manifest.Describe("admmkit", parsed.Tokens.Select(t => t.Value)) with
            {
                StartedUtc = started,
                WallTimeSeconds = Math.Round(clock.Elapsed.TotalSeconds, 1),
                Threads = options.ThreadCount,
            };
            ResultRows.Write(Path.Combine(folder, "rows.csv"), PlatformMeasurement.Rows(platform, PlatformMeasurement.Kinds(networks), manifest.CommandLine));
            manifest.Save(Path.Combine(folder, "manifest.json"));
            Console.WriteLine(platform.Description);
            ConsoleTables.Write(Show(platform, networks));
            Console.WriteLine($"Written: {path}, {picture}, and rows.csv and manifest.json beside them");
            return CommandLineTool.Success;
        }, keeps: false));
        return command;
    }

    /// <summary>How many times as fast as dense each layer is, by its survivors, and where the two are equal.</summary>
    private static Table Show(MeasuredPlatform platform, NetworkSpec[] networks)
    {
        Table table = ConsoleTables.New(
            "Times as fast as dense, by keepFraction; where both take as long, as keepFraction and as compressionRatio",
            ["layer", "shape"],
            ["dense us", .. platform.Layers[0].Points.Select(p => Text($"{p.KeepFraction:0.##}")), "break-even", "compressionRatio"]);
        // There are many columns.
        foreach (TableColumn column in table.Columns)
        {
            column.PadLeft(0);
        }

        foreach ((TimedLayer layer, LayerInfo info) in platform.Layers.Zip(PlatformMeasurement.Kinds(networks), (t, k) => (t, k.Layer)))
        {
            double breakEven = platform.BreakEvenKeepFraction(info);
            table.AddRow(
            [
                layer.Name, layer.Shape, Text($"{1e6 * layer.DenseSeconds:g4}"),
                .. layer.Points.Select(p => Text($"{layer.DenseSeconds / p.Seconds:g3}")),
                Text($"{breakEven:f3}"), breakEven > 0 ? Text($"{1 / breakEven:f2}") : "never",
            ]);
        }

        return table;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
