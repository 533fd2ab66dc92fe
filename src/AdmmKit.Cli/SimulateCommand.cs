using System.CommandLine;
using System.Globalization;
using AdmmKit.Experiments.Hardware;
using AdmmKit.Hardware.Simulation;
using AdmmKit.Networks;
using AdmmKit.Storage;
using Spectre.Console;

namespace AdmmKit.Cli;

internal static class SimulateCommand
{
    public static Command Create()
    {
        var file = new Argument<string?>("file") { Description = "A compressed network (.admm).", Arity = ArgumentArity.ZeroOrOne };
        var architecture = new Option<string?>("--architecture")
        {
            Description = "Instead of a file, random masks: " + string.Join(", ", NetworkSpec.Architectures) + ".",
            HelpName = "NAME",
        };
        var keep = new Option<double>("--keep-fraction")
        {
            Description = "Share of weights that survive in each layer of --architecture.",
            DefaultValueFactory = _ => 0.1,
            HelpName = "D",
        };
        var active = new Option<double>("--activation-density")
        {
            Description = "Share of input activations that are not zero, at random places.",
            DefaultValueFactory = _ => 1,
            HelpName = "A",
        };
        var array = new Option<string>("--array")
        {
            Description = "The array: " + string.Join(", ", PeArray.Presets) + ".",
            DefaultValueFactory = _ => "scnn",
            HelpName = "NAME",
        };
        var shared = new SharedOptions();
        var command = new Command("simulate", "Counts the cycles of a sparse array of processing elements, and what they are lost to.")
        {
            file, architecture, keep, active, array, shared.Seed, shared.Threads,
        };
        command.Validators.Add(result =>
        {
            // The optional file takes what is no option, a misspelt one too.
            if (result.GetResult(file) is { Tokens: [var named] } && named.Value.StartsWith('-'))
            {
                result.AddError(Names.Unknown("option", named.Value, [.. result.Command.Options.Select(o => o.Name)]));
            }
            else if (result.GetResult(file) is { Tokens.Count: 1 } == result.GetResult(architecture) is not null)
            {
                result.AddError("Give a compressed network or --architecture, one of them.");
            }

            if (result.GetResult(keep) is { Implicit: false } && result.GetResult(architecture) is null)
            {
                result.AddError("--keep-fraction goes with --architecture; a compressed network has its own survivors.");
            }

            Known(result.GetResult(architecture)?.Tokens, "architecture", NetworkSpec.Architectures);
            Known(result.GetResult(array)?.Tokens, "array", PeArray.Presets);

            void Known(IReadOnlyList<System.CommandLine.Parsing.Token>? tokens, string what, IReadOnlyCollection<string> names)
            {
                if (tokens is [var token] && !names.Contains(token.Value))
                {
                    result.AddError(Names.Unknown(what, token.Value, names));
                }
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            ulong seed = parsed.GetValue(shared.Seed);
            double density = parsed.GetValue(active), keepFraction = parsed.GetValue(keep);
            (NetworkSpec spec, Func<int, LayerInfo, bool[]> masks) = parsed.GetValue(file) is { } path
                ? Stored(CompressedNetwork.Load(path)) : Drawn(parsed.GetValue(architecture)!, keepFraction, seed);
            PeArray chosen = PeArray.Preset(parsed.GetValue(array)!);
            var results = new List<SimulationResult>();
            foreach (SimulatedLayer layer in SimulatedLayer.Of(spec, masks, Activations(density, seed)))
            {
                cancellation.ThrowIfCancellationRequested();
                results.Add(ArraySimulator.Run(chosen, layer, parsed.GetValue(shared.Threads)));
            }

            Show(spec.Name, chosen, results);
            return CommandLineTool.Success;
        }));
        return command;
    }

    public static void Show(string network, PeArray array, IReadOnlyList<SimulationResult> results)
    {
        SimulationResult[] lines = [.. results, SimulationResult.Sum("total", results)];
        string[] causes = [.. lines[0].Lost.Causes.Select(c => c.Cause)];
        Table cycles = ConsoleTables.New(
            $"{network} on '{array.Name}'", ["layer"], ["cycles", "dense", "speedup", "useful %", .. causes.Select(c => c + " %")]);
        Table traffic = ConsoleTables.New(
            "Words between buffer and array", ["layer"], ["useful MACs", "weights", "index bits", "activations", "index bits", "outputs"]);
        foreach (SimulationResult line in lines)
        {
            string speedup = double.IsFinite(line.Speedup) ? line.Speedup.ToString("0.00", CultureInfo.InvariantCulture) : "-";
            string[] shares = [.. line.Lost.Causes.Select(c => Share(c.Slots, line))];
            string name = Markup.Escape(line.Layer);
            cycles.AddRow([name, Count(line.Cycles), Count(line.DenseCycles), speedup, Share(line.UsefulMacs, line), .. shares]);
            Traffic t = line.Traffic;
            traffic.AddRow(
                name, Count(line.UsefulMacs), Count(t.WeightWords), Count(t.WeightIndexBits), Count(t.ActivationWords),
                Count(t.ActivationIndexBits), Count(t.OutputWords));
        }

        ConsoleTables.Write(cycles);
        ConsoleTables.Write(traffic);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{array.Description}; {array.Multipliers:#,0} multipliers. Shares are of cycles x multipliers; \"dense\" is an array of "
            + $"as many PEs and multipliers that computes dot products. \"zeros\": stored placeholders and zeros that are not skipped; "
            + $"\"edges\": products beyond the plane; \"fragments\": vectors not full; \"conflicts\": banks of accumulators; \"fifo\": the "
            + $"next vector is held up by a slower PE; \"imbalance\": waiting at the end of a group of output channels; \"delivery\": "
            + $"operands come too slowly."));
    }

    private static (NetworkSpec Spec, Func<int, LayerInfo, bool[]> Masks) Stored(CompressedNetwork model) =>
        (model.Spec, (layer, info) => SimulatedLayer.Mask(info.WeightCount, model.Layers[layer].Positions));

    private static (NetworkSpec Spec, Func<int, LayerInfo, bool[]> Masks) Drawn(string architecture, double keepFraction, ulong seed) => (
        UsualInputs.Network(architecture),
        (layer, info) => SimulatedLayer.UniformMask(info.WeightCount, keepFraction, new RandomStream(seed, "simulated weights", layer)));

    private static Func<int, ImageShape, bool[]?> Activations(double density, ulong seed) => (layer, input) => density == 1 ? null
        : SimulatedLayer.UniformMask(input.Size, density, new RandomStream(seed, "simulated activations", layer));

    private static string Count(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Share(long slots, SimulationResult line) =>
        line.Slots == 0 ? "-" : (100.0 * slots / line.Slots).ToString("0.0", CultureInfo.InvariantCulture);
}
