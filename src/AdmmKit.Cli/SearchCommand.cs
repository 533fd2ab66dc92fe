using System.CommandLine;
using System.Diagnostics;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Search;
using AdmmKit.Experiments.Tables;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Hardware.Search;
using AdmmKit.Networks;

namespace AdmmKit.Cli;

/// <summary>Hardware-aware compression, Fig. 5 in [Ren2019].</summary>
internal static class SearchCommand
{
    private const string DefaultPlatform = "admm-nn-40nm";

    private static readonly string[] Objectives = ["delay", "energy", "survivors", "bytes"];

    public static Command Create()
    {
        var preset = new Argument<string>("preset")
        {
            Description = "A search that comes with the kit: " + string.Join(", ", SearchPresets.Names) + ". Leave it out with --recipe.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var recipeFile = new Option<string?>("--recipe") { Description = "Recipe of the search as JSON, in place of a preset. --print-recipe shows one.", HelpName = "FILE" };
        var print = new Option<bool>("--print-recipe") { Description = "Prints the recipe, and does nothing else." };
        var platforms = new Option<string[]>("--platform")
        {
            Description = "Platform to search for, by name or file; repeatable. Default " + DefaultPlatform + ".",
            HelpName = "NAME|FILE",
        };
        var objectives = new Option<string[]>("--objective")
        {
            Description = "What to make small: " + string.Join(", ", Objectives) + "; repeatable, delay and energy for each platform. Default survivors and delay, side by side.",
            HelpName = "NAME",
        };
        var pretrained = new Option<string?>("--pretrained") { Description = "File with the dense network, in place of what the recipe says.", HelpName = "FILE" };
        var replicates = new Option<int>("--replicates") { Description = "Seeds of the full compression; the search itself takes the first.", DefaultValueFactory = _ => 1, HelpName = "R" };
        var output = new Option<string>("--out") { Description = "Folder for the results.", DefaultValueFactory = _ => "out/search", HelpName = "DIR" };
        var shared = new SharedOptions();
        var command = new Command("search", "Chooses how far to prune each layer for given hardware: Fig. 5 of the paper, with ADMM in every probe.")
        {
            preset, recipeFile, print, platforms, objectives, pretrained, replicates, output,
        };
        shared.AddTo(command);
        command.Validators.Add(result =>
        {
            string? name = result.GetValue(preset);
            if ((name is null) == (result.GetValue(recipeFile) is null))
            {
                result.AddError("Give a preset (" + string.Join(", ", SearchPresets.Names) + ") or --recipe FILE, one of them.");
            }
            else if (name is not null && !SearchPresets.Names.Contains(name))
            {
                result.AddError(Names.Unknown("preset", name, SearchPresets.Names));
            }

            foreach (string objective in result.GetValue(objectives) ?? [])
            {
                if (!Objectives.Contains(objective))
                {
                    result.AddError(Names.Unknown("objective", objective, Objectives));
                }
            }

            if (result.GetResult(replicates) is { Implicit: false, Tokens: [var token] } && int.TryParse(token.Value, out int count) && count is < 1 or > 100)
            {
                result.AddError("--replicates must be 1 to 100.");
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            SearchRecipe recipe = parsed.GetValue(recipeFile) is { } file ? RecipeJson.LoadSearch(file) : SearchPresets.Create(parsed.GetValue(preset)!);
            recipe = recipe with
            {
                Network = recipe.Network with
                {
                    Seed = parsed.GetResult(shared.Seed) is { Implicit: false } ? parsed.GetValue(shared.Seed) : recipe.Network.Seed,
                    Pretrained = parsed.GetValue(pretrained) ?? recipe.Network.Pretrained,
                },
            };
            if (parsed.GetValue(print))
            {
                Console.Write(RecipeJson.Write(recipe));
                return CommandLineTool.Success;
            }

            string[] names = parsed.GetValue(platforms) is { Length: > 0 } given ? given : [DefaultPlatform];
            Platform[] found = [.. names.Distinct().Select(PlatformLibrary.Find)];
            string[] asked = parsed.GetValue(objectives) is { Length: > 0 } chosen ? [.. chosen.Distinct()] : ["survivors", "delay"];
            return Run(parsed, parsed.GetValue(recipeFile) is null ? parsed.GetValue(preset) : null, recipe, found, asked, parsed.GetValue(replicates), parsed.GetValue(output)!, shared, cancellation);
        }));
        return command;
    }

    private static int Run(
        ParseResult parsed, string? preset, SearchRecipe recipe, Platform[] platforms, string[] asked, int replicates, string folder, SharedOptions shared,
        CancellationToken cancellation)
    {
        if (platforms.GroupBy(SearchReport.PlatformFileName, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } same)
        {
            throw new AdmmKitException($"Two platforms are named '{same.First().Name}', or nearly so: results could not tell them apart. Give one of the files another \"name\".");
        }

        DateTime started = DateTime.UtcNow;
        var clock = Stopwatch.StartNew();
        OutputFolder.CheckWritable(folder);
        OutputFolder.CheckNotOfOthers(folder, "admmkit search");
        DataSet data = shared.OpenDataFor(parsed, recipe.Network.Architecture, cancellation);
        SharedOptions.Announce(data);
        int threads = parsed.GetValue(shared.Threads);
        var store = new RunStore(Path.Combine(folder, "runs"));
        IReadOnlyDictionary<string, Recipe> beside = SearchPresets.Beside(preset);
        (Experiment experiment, FinishedSearch[] searches, var runs) = ConsoleObserver.Watch(observer =>
        {
            var search = new ShareSearch(recipe, data, store, Path.Combine(folder, "probes"), threads, observer, cancellation);
            IObjective[] objectives = [.. asked.SelectMany(o => Create(o, recipe, data, platforms))];
            SearchReport.CheckKnown(platforms, RecipeNetwork.Of(recipe.Network, data));
            FinishedSearch[] finished = [.. objectives.Select(search.Run)];
            Experiment found = SearchReport.Experiment(Path.GetFileName(folder), finished, beside);
            return (found, finished, Reproduction.Execute(found, store, data, recipe.Network.Seed, replicates, threads, observer: observer, cancellation: cancellation));
        });
        Manifest manifest = shared.Manifest(parsed, new DataOrigin(data.Name, data.Source, data.Checksums), recipe) with
        {
            Seed = recipe.Network.Seed,
            StartedUtc = started,
            WallTimeSeconds = Math.Round(clock.Elapsed.TotalSeconds, 1),
        };
        IReadOnlyList<ResultRow> rows = SearchReport.Write(experiment, searches, runs, platforms, data, manifest, folder, threads);
        ReproduceCommand.Show(experiment.Title, rows);
        foreach (FinishedSearch search in searches)
        {
            string restored = search.Result.Restored.Count > 0 ? "restored dense: " + string.Join(", ", search.Result.Restored) : "no layer had to be restored";
            Console.WriteLine(FormattableString.Invariant(
                $"Least {search.Objective.Name}: {100 * search.Result.Best.Cost / search.Result.DenseCost:f1} % of dense after {search.Result.Path.Count} probes; {restored}."));
        }

        Console.WriteLine($"Written to {folder}.");
        return CommandLineTool.Success;
    }

    private static IEnumerable<IObjective> Create(string objective, SearchRecipe recipe, DataSet data, Platform[] platforms) => objective switch
    {
        "survivors" => [new SurvivorsObjective()],
        "bytes" => [new BytesObjective()],
        "energy" => WithEnergies(platforms).Select(p => new EnergyObjective(p, RecipeNetwork.Of(recipe.Network, data))),
        _ => platforms.Select(p => new DelayObjective(p)),
    };

    private static IEnumerable<Platform> WithEnergies(Platform[] platforms) => platforms.Any(p => p.Energy is not null)
        ? platforms.Where(p => p.Energy is not null)
        : throw new AdmmKitException(
            $"Energies are not known for {string.Join(", ", platforms.Select(p => $"'{p.Name}'"))}: add energyPicojoules to the file, or search for another objective.");
}
