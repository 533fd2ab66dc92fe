using System.CommandLine;
using System.Globalization;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Search;
using AdmmKit.Experiments.Tables;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;

namespace AdmmKit.Cli;

internal static class CompressCommand
{
    public static Command Create()
    {
        var output = new Option<string>("--out") { Description = "The compressed file to write.", HelpName = "FILE.admm", DefaultValueFactory = _ => "model.admm" };
        var recipeFile = new Option<string?>("--recipe") { Description = "Recipe as JSON; excludes the flags below. --print-recipe shows one.", HelpName = "FILE" };
        var print = new Option<bool>("--print-recipe") { Description = "Prints the recipe that the flags stand for, and does nothing else." };
        var architecture = new Option<string?>("--architecture") { Description = "One of: " + string.Join(", ", NetworkSpec.Architectures) + ". Default lenet5.", HelpName = "NAME" };
        var survivors = new Option<string[]>("--survivors") { Description = "Weights that stay, by layer; repeatable.", HelpName = "LAYER=COUNT" };
        var keep = new Option<string[]>("--keep-fraction") { Description = "Share of the weights that stay, by layer or for all; repeatable.", HelpName = "[LAYER=]F" };
        var convBits = new Option<int?>("--conv-bits") { Description = "Bits a weight of convolutions, 1 to 8. Default 3.", HelpName = "N" };
        var fcBits = new Option<int?>("--fc-bits") { Description = "Bits a weight of fully connected layers, 1 to 8. Default 2.", HelpName = "N" };
        var rho = new Option<float?>("--rho") { Description = "ADMM penalty in the first iteration. Default 0.003.", HelpName = "R" };
        var iterations = new Option<int?>("--iterations") { Description = "ADMM iterations, an epoch each, for pruning and for quantizing. Default 10.", HelpName = "K" };
        var epochs = new Option<int?>("--epochs") { Description = "Epochs of pretraining and of retraining. Default 10.", HelpName = "E" };
        var shared = new SharedOptions();
        var flags = new Flags(architecture, survivors, keep, convBits, fcBits, rho, iterations, epochs, shared.Seed);
        var command = new Command("compress", "Trains and compresses a network on any folder of four IDX files.")
        {
            output, recipeFile, print, architecture, survivors, keep, convBits, fcBits, rho, iterations, epochs,
        };
        shared.AddTo(command);
        command.Options.Add(shared.DataSet);
        command.Options.Add(shared.Force);
        var drop = new DropOptions();
        drop.AddTo(command, [recipeFile, print, survivors, keep, convBits, fcBits, rho, shared.Force]);
        command.Validators.Add(result =>
        {
            if (result.GetValue(recipeFile) is not null && flags.All.Any(o => result.GetResult(o) is { Implicit: false }))
            {
                result.AddError("--recipe says everything: leave out the other flags of the recipe (and --seed), or change the file.");
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            if (parsed.GetValue(drop.MaxDrop) is { } points)
            {
                return RunWithin(parsed, flags.Within(parsed, points), parsed.GetValue(drop.Objective), parsed.GetValue(output)!, shared, cancellation);
            }

            Recipe recipe = parsed.GetValue(recipeFile) is { } file ? RecipeJson.Load(file) : flags.Recipe(parsed);
            if (parsed.GetValue(print))
            {
                Console.Write(RecipeJson.Write(recipe));
                return CommandLineTool.Success;
            }

            return Run(parsed, recipe, parsed.GetValue(output)!, shared, cancellation);
        }));
        return command;
    }

    private static int Run(ParseResult parsed, Recipe recipe, string output, SharedOptions shared, CancellationToken cancellation)
    {
        DateTime started = DateTime.UtcNow;
        if (recipe.Prune.Count == 0 && recipe.Quantize is null)
        {
            throw new AdmmKitException("The recipe neither prunes nor quantizes: give it a prune or a quantize entry.");
        }

        string folder = OutputFolder.CheckFile(output);
        DataSet data = shared.OpenData(parsed, cancellation);
        SharedOptions.Announce(data);
        int threads = parsed.GetValue(shared.Threads);
        var runs = new RunStore(Path.Combine(folder, "runs"));
        RunResult result = ConsoleObserver.Watch(observer => runs.Execute(recipe, data, threads, parsed.GetValue(shared.Force), observer, cancellation));
        CompressedNetwork model = result.Models.Last().Model;
        model.Save(output);
        Finish(parsed, result, model, output, started, shared, data);
        return CommandLineTool.Success;
    }

    private static int RunWithin(
        ParseResult parsed, DropRecipe recipe, string? objective, string output, SharedOptions shared, CancellationToken cancellation)
    {
        DateTime started = DateTime.UtcNow;
        string folder = OutputFolder.CheckFile(output);
        DataSet data = shared.OpenData(parsed, cancellation);
        SharedOptions.Announce(data);
        (RunResult result, CompressedNetwork model, string promise) = DropOptions.Run(
            recipe, objective, data, output, folder, parsed.GetValue(shared.Threads), cancellation);
        Finish(parsed, result, model, output, started, shared, data);
        Console.WriteLine(promise);
        return CommandLineTool.Success;
    }

    /// <summary>Writes what belongs to a model that is written, and shows it.</summary>
    private static void Finish(
        ParseResult parsed, RunResult result, CompressedNetwork model, string output, DateTime started, SharedOptions shared, DataSet data)
    {
        ModelResult last = result.Models.Last();
        Manifest manifest = shared.Manifest(parsed, result.Data, result.Recipe) with
        {
            Seed = result.Recipe.Seed,
            StartedUtc = started,
            WallTimeSeconds = Math.Round((DateTime.UtcNow - started).TotalSeconds, 1),
            Runs = [.. RunRecord.Of("compress", result)],
        };
        manifest.Save(Path.ChangeExtension(output, ".manifest.json"));
        RunChart.Create(result).Save(Path.ChangeExtension(output, ".svg"));
        InspectCommand.Show(model);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{data.Name}, {data.Test.Count} test images: dense {100 * result.Dense.Test.Accuracy:f2} %, decoded from '{output}' {100 * last.Test.Accuracy:f2} %."));
    }

    /// <summary>The flags that stand for a recipe.</summary>
    private sealed record Flags(
        Option<string?> Architecture, Option<string[]> Survivors, Option<string[]> Keep, Option<int?> ConvBits, Option<int?> FcBits,
        Option<float?> Rho, Option<int?> Iterations, Option<int?> Epochs, Option<ulong> Seed)
    {
        public IEnumerable<Option> All => [Architecture, Survivors, Keep, ConvBits, FcBits, Rho, Iterations, Epochs, Seed];

        public Recipe Recipe(ParseResult parsed)
        {
            string architecture = parsed.GetValue(Architecture) ?? "lenet5";
            IReadOnlyList<LayerInfo> layers = NetworkSpec.Create(architecture, NetworkSpec.Mnist, 10).Layers;
            var survivors = new Dictionary<string, int>();
            foreach (string item in parsed.GetValue(Survivors) ?? [])
            {
                (string layer, string value) = Split(item, "--survivors");
                survivors[layer] = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
                    ? count : throw new AdmmKitException($"--survivors {item}: '{value}' is not a whole number of weights. Write conv1=100.");
            }

            var keep = new Dictionary<string, double>();
            foreach (string item in parsed.GetValue(Keep) ?? [])
            {
                (string layer, string value) = Split(item.Contains('=', StringComparison.Ordinal) ? item : "=" + item, "--keep-fraction");
                double fraction = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double f)
                    ? f : throw new AdmmKitException($"--keep-fraction {item}: '{value}' is not a number. Write fc1=0.01.");
                foreach (string name in layer.Length > 0 ? [layer] : layers.Select(l => l.Name).Where(n => !survivors.ContainsKey(n)))
                {
                    keep[name] = fraction;
                }
            }

            if (survivors.Count + keep.Count == 0)
            {
                keep = layers.ToDictionary(l => l.Name, _ => 0.1);
            }

            int iterations = parsed.GetValue(Iterations) ?? 10;
            int epochs = parsed.GetValue(Epochs) ?? 10;
            float rho = parsed.GetValue(Rho) ?? 3e-3f;
            return new Recipe
            {
                Architecture = architecture,
                Seed = parsed.GetValue(Seed),
                Pretrain = new() { Epochs = epochs },
                Prune =
                [
                    new()
                    {
                        Survivors = survivors,
                        KeepFraction = keep,
                        Admm = new() { Iterations = iterations, Rho = rho, RhoGrowth = 1.4f },
                        Retrain = new() { Epochs = epochs, LearningRate = 2e-3 },
                    },
                ],
                Quantize = new()
                {
                    ConvolutionBits = parsed.GetValue(ConvBits) ?? 3,
                    FullyConnectedBits = parsed.GetValue(FcBits) ?? 2,
                    Admm = new() { Iterations = iterations, Rho = rho, RhoGrowth = 1.8f, FinalLearningRate = 1e-5 },
                },
            };
        }

        /// <summary>What --max-drop stands for.</summary>
        public DropRecipe Within(ParseResult parsed, double points)
        {
            DropRecipe recipe = SearchPresets.WithinDrop(parsed.GetValue(Architecture) ?? "lenet5", points, parsed.GetValue(Seed));
            if (parsed.GetValue(Epochs) is { } epochs)
            {
                recipe = recipe with
                {
                    Network = recipe.Network with { Pretrain = recipe.Network.Pretrain with { Epochs = epochs } },
                    Stage = recipe.Stage with { Retrain = recipe.Stage.Retrain with { Epochs = epochs } },
                    FinalTraining = recipe.FinalTraining with { Epochs = epochs },
                };
            }

            return parsed.GetValue(Iterations) is not { } iterations ? recipe : recipe with
            {
                Stage = recipe.Stage with { Admm = recipe.Stage.Admm with { Iterations = iterations } },
                Bits = recipe.Bits with { Final = recipe.Bits.Final with { Admm = recipe.Bits.Final.Admm with { Iterations = iterations } } },
            };
        }

        private static (string Layer, string Value) Split(string item, string option)
        {
            int at = item.IndexOf('=', StringComparison.Ordinal);
            return at >= 0 ? (item[..at], item[(at + 1)..]) : throw new AdmmKitException($"{option} {item}: write LAYER=VALUE, such as conv1=100.");
        }
    }
}
