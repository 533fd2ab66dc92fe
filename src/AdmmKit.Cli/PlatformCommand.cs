using System.CommandLine;
using System.Globalization;
using AdmmKit.Experiments.Hardware;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using Spectre.Console;

namespace AdmmKit.Cli;

internal static class PlatformCommand
{
    private const string WhereToFind = "A platform that comes with the kit ('admmkit platform list'), or a file as in docs/platforms.md.";

    public static Command Create() => new(
        "platform", "Shows and checks descriptions of hardware: delays, dense and sparse, and break-even pruning.")
    {
        List(),
        Show(),
        Check(),
        PlatformMeasureCommand.Create(),
    };

    private static Command List()
    {
        var command = new Command("list", "Lists the platforms that come with the kit.");
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            foreach (string name in PlatformLibrary.Presets)
            {
                Console.WriteLine($"{name}: {PlatformLibrary.Find(name).Description}");
            }

            return CommandLineTool.Success;
        }));
        return command;
    }

    private static Command Show()
    {
        var platform = new Argument<string>("platform") { Description = WhereToFind };
        var architecture = new Option<string>("--architecture")
        {
            Description = "The network whose layers are shown: " + string.Join(", ", NetworkSpec.Architectures) + ".",
            DefaultValueFactory = _ => "lenet5",
            HelpName = "NAME",
        };
        var command = new Command("show", "Shows each layer's dense delay and break-even on a platform; of a law, its curve too.")
        {
            platform, architecture,
        };
        command.Validators.Add(result =>
        {
            // A missing value is reported by the parser itself.
            if (result.GetResult(architecture) is { Tokens: [var token] } && !NetworkSpec.Architectures.Contains(token.Value))
            {
                result.AddError(Names.Unknown("architecture", token.Value, NetworkSpec.Architectures));
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            Platform found = PlatformLibrary.Find(parsed.GetValue(platform)!);
            NetworkSpec network = UsualInputs.Network(parsed.GetValue(architecture)!);
            Describe(found);
            if (found is LawPlatform law)
            {
                ConsoleTables.Write(Curve(law));
            }

            (Table table, IReadOnlyList<string> unknown) = Layers(found, network);
            ConsoleTables.Write(table);
            unknown.ToList().ForEach(Console.WriteLine);
            return CommandLineTool.Success;
        }));
        return command;
    }

    private static Command Check()
    {
        var file = new Argument<string>("file") { Description = "A platform as in docs/platforms.md." };
        var command = new Command("check", "Checks a platform file field by field.") { file };
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            string path = parsed.GetValue(file)!;
            Platform platform = PlatformFile.Load(path);
            Console.WriteLine($"{path}: valid. {Kind(platform)}");
            return CommandLineTool.Success;
        }));
        return command;
    }

    private static void Describe(Platform platform)
    {
        Console.WriteLine(Kind(platform));
        foreach (string line in new[] { platform.Description, platform.Source }.Where(l => l.Length > 0))
        {
            Console.WriteLine(line);
        }
    }

    private static string Kind(Platform platform) => platform switch
    {
        LawPlatform { Law: LogarithmicLaw l } => Law(platform.Name, Text($"{l.A} - {l.B} ln d"), l.T, l.Q),
        LawPlatform { Law: LinearAreaLaw l } => Law(platform.Name, Text($"{l.A} - {l.B} d"), l.T, l.Q),
        StructuralPlatform { Structure: var s } =>
            Text($"{platform.Name}, known by its parts: {s.AreaMm2} mm2, index of {platform.Resources.IndexBits} bits."),
        MeasuredPlatform m => Text($"{platform.Name}, measured: {m.Layers.Count} layers, {m.Layers.Sum(l => l.Points.Count)} points."),
        _ => platform.Name,
    };

    private static string Law(string name, string throughput, double t, double q) =>
        Text($"{name}, a law: delay ((d / ({throughput}))^{q} + {t}^{q})^(1/{q}) at the density d, dense = 1.");

    private static Table Curve(LawPlatform platform)
    {
        Table table = ConsoleTables.New("Speedup of a layer by its survivors", [], ["pruned", "keepFraction", "relative delay", "speedup"]);
        for (int percent = 0; percent <= 90; percent += 10)
        {
            double keepFraction = 1 - (percent / 100.0), delay = platform.Law.RelativeDelay(keepFraction);
            table.AddRow(Text($"{percent} %"), Text($"{keepFraction:f1}"), Text($"{delay:f3}"), Text($"{1 / delay:f3}"));
        }

        return table;
    }

    /// <summary>A row for each layer, and what the platform says of those it has no delay for.</summary>
    private static (Table Table, IReadOnlyList<string> Unknown) Layers(Platform platform, NetworkSpec network)
    {
        bool seconds = platform.DelayUnit == "s";
        Table table = ConsoleTables.New(
            Text($"{network.Name}, input {network.Input}, on {platform.Name}"),
            ["layer", "shape"],
            ["MACs", seconds ? "dense us" : $"dense {platform.DelayUnit}", "at 10 % left", "break-even keepFraction", "compressionRatio"]);
        var unknown = new List<AdmmKitException>();
        foreach (LayerInfo layer in network.Layers)
        {
            string[] known = ["-", "-", "-", "-"];
            try
            {
                double keepFraction = platform.BreakEvenKeepFraction(layer), dense = platform.DenseDelay(layer);
                known =
                [
                    seconds ? Text($"{dense * 1e6:#,0.###}") : Text($"{dense:#,0}"), Text($"{platform.Speedup(layer, 0.1):0.##}x"),
                    Text($"{keepFraction:f4}"), keepFraction > 0 ? Text($"{1 / keepFraction:f2}") : "never",
                ];
            }
            catch (AdmmKitException e)
            {
                unknown.Add(e);
            }

            table.AddRow([layer.Name, layer.Shape, Text($"{layer.Macs:#,0}"), .. known]);
        }

        // Some layers may be too large or not timed; a platform that knows none of them is the wrong one.
        return unknown.Count < network.Layers.Count ? (table, [.. unknown.Select(e => e.Message)]) : throw unknown[0];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
