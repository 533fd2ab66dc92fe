using System.CommandLine;
using System.Globalization;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Pictures;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Tables;
using AdmmKit.Networks;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;

namespace AdmmKit.Cli;

/// <summary>Compresses a network: one in a file of any kind, or one of the library that is trained first.</summary>
internal sealed class CompressCommand
{
    private readonly Argument<string?> model = new("model")
    {
        Description = $"The network to compress: {ModelOptions.Kinds}. Without it one of the library is trained.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> output = new("--out")
    {
        Description = "The compressed file to write; its name says the format: " + string.Join(", ", ExportCommand.WholeFormats) + ".",
        HelpName = "FILE",
        DefaultValueFactory = _ => "model.admm",
    };

    private readonly Option<string?> results = new("--results")
    {
        Description = "A folder for rows, models and manifest beside the file, as 'reproduce' writes them and 'verify' checks them.",
        HelpName = "DIR",
    };

    private readonly Option<string?> recipeFile = new("--recipe")
    {
        Description = "Recipe as JSON; excludes the flags below. --print-recipe shows one, --print-schema says what may stand in it.",
        HelpName = "FILE",
    };

    private readonly Option<bool> print = new("--print-recipe")
    {
        Description = "Prints the recipe that the flags stand for, and does nothing else.",
    };

    private readonly Option<bool> schema = new("--print-schema")
    {
        Description = "Prints the JSON Schema of recipes, and does nothing else.",
    };

    private readonly ModelOptions options = new();
    private readonly SharedOptions shared = new();
    private readonly DropOptions drop = new();
    private readonly DryRun dryRun = new();
    private readonly CompressFlags flags;

    private CompressCommand() => flags = new CompressFlags(options.Architecture, shared.Seed);

    public static Command Create()
    {
        var compress = new CompressCommand();
        var command = new Command(
            "compress", "Compresses a network of your own, or trains and compresses one of the library, on any folder of images.");
        compress.AddTo(command);
        return command;
    }

    private void AddTo(Command command)
    {
        command.Arguments.Add(model);
        foreach (Option option in new Option[] { output, results, recipeFile, print, schema })
        {
            command.Options.Add(option);
        }

        options.AddTo(command);
        flags.AddTo(command);
        dryRun.AddTo(command);
        shared.AddTo(command);
        command.Options.Add(shared.DataSet);
        command.Options.Add(shared.Force);
        drop.AddTo(command, [recipeFile, print, .. flags.Chosen, dryRun.Asked, shared.Force]);
        command.Validators.Add(result =>
        {
            string? file = result.GetResult(model) is { Tokens: [var named] } ? named.Value : null;
            if (file is not null && file.StartsWith('-'))
            {
                // The optional file takes what is no option, a misspelt one too.
                result.AddError(Names.Unknown("option", file, [.. result.Command.Options.Select(o => o.Name)]));
                return;
            }

            bool recipe = result.GetResult(recipeFile) is not null;
            Option[] said = [.. flags.All.Where(o => result.GetResult(o) is { Implicit: false })];
            if (recipe && (said.Length > 0 || (file is null && result.GetResult(options.Architecture) is not null)))
            {
                result.AddError("--recipe says everything: leave out the other flags of the recipe (and --seed), or change the file.");
            }

            bool far = recipe || result.GetResult(drop.MaxDrop) is not null || flags.SayHowFar(result);
            if (file is not null && !far && !result.GetValue(schema))
            {
                result.AddError(
                    $"Say how far '{file}' is to be compressed: by what may be lost (--max-drop 0.5), "
                    + "by what stays (--keep-fraction 0.2), or by a --recipe.");
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation => Run(parsed, cancellation)));
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(schema))
        {
            Console.Write(RecipeSchema.Write());
            return CommandLineTool.Success;
        }

        string target = parsed.GetValue(output)!, format = ExportCommand.FormatOf(target);
        bool trains = !parsed.GetValue(print) && !parsed.GetValue(dryRun.Asked);
        DataSet? data = null;
        (ImageShape, int) Images() => ((data = shared.OpenData(parsed, cancellation)).Training.Shape, data.Training.Classes);
        GivenModel? given = parsed.GetValue(model) is { } file ? GivenModel.Open(options, parsed, file, trains ? Images : null) : null;
        if (!trains)
        {
            Recipe recipe = Recipe(parsed, given);
            if (parsed.GetValue(print))
            {
                if (given is not null && parsed.GetValue(recipeFile) is null)
                {
                    // Layers that flags name are those of the file, or that is said now.
                    CompressionForecast.Of(recipe, given.Spec);
                }

                Console.Write(RecipeJson.Write(recipe));
                return CommandLineTool.Success;
            }

            return dryRun.Show(parsed, recipe, given);
        }

        DateTime started = DateTime.UtcNow;
        string folder = OutputFolder.CheckFile(target);
        if (given is not null && Path.GetFullPath(target) == Path.GetFullPath(given.File))
        {
            throw new AdmmKitException($"'{target}' is the file that is compressed: name another one with --out.");
        }

        if (parsed.GetValue(results) is { } asked)
        {
            OutputFolder.CheckWritable(asked);
        }

        given = given?.WithoutExplanation(Path.Combine(folder, "runs"));
        DropRecipe? within = parsed.GetValue(drop.MaxDrop) is { } points ? flags.Within(parsed, points, given) : null;
        Recipe? chosen = within is null ? Checked(Recipe(parsed, given)) : null;
        data ??= given is null ? shared.OpenData(parsed, cancellation) : shared.OpenDataFor(parsed, given.Spec.Input, cancellation);
        SharedOptions.Announce(data);
        int threads = parsed.GetValue(shared.Threads);
        void Write(CompressedNetwork network) => ExportCommand.Write(format, network, target, given?.Model.Ending ?? default);
        string? promise = null;
        RunResult result;
        if (within is not null)
        {
            (result, promise) = DropOptions.Run(
                within, parsed.GetValue(drop.Objective), data, Write, target, folder, threads, cancellation);
        }
        else
        {
            var runs = new RunStore(Path.Combine(folder, "runs"));
            bool force = parsed.GetValue(shared.Force);
            result = ConsoleObserver.Watch(observer => runs.Execute(chosen!, data, threads, force, observer, cancellation));
            Write(result.Models.Last().Model);
        }

        Manifest manifest = shared.Manifest(parsed, result.Data, result.Recipe) with
        {
            Seed = result.Recipe.Seed,
            StartedUtc = started,
            WallTimeSeconds = Math.Round((DateTime.UtcNow - started).TotalSeconds, 1),
            Runs = [.. RunRecord.Of("compress", result)],
        };
        Finish(result, manifest, target, data, given);
        if (parsed.GetValue(results) is { } keep)
        {
            WriteResults(result, manifest, keep);
        }

        if (promise is not null)
        {
            Console.WriteLine(promise);
        }

        return CommandLineTool.Success;
    }

    private Recipe Recipe(ParseResult parsed, GivenModel? given) => parsed.GetValue(recipeFile) is { } path
        ? given?.Start(path) ?? RecipeJson.Load(path)
        : flags.Says(parsed, given);

    private static Recipe Checked(Recipe recipe) => recipe.Prune.Count > 0 || recipe.Quantize is not null ? recipe
        : throw new AdmmKitException("The recipe neither prunes nor quantizes: give it a prune or a quantize entry.");

    /// <summary>Writes the folder of results: a line a model, from the dense one to the last.</summary>
    private static void WriteResults(RunResult result, Manifest manifest, string folder)
    {
        const string variant = "compress";
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        var experiment = new Experiment(
            name, $"{result.Spec.Name}, compressed", new Dictionary<string, Recipe> { [variant] = result.Recipe },
            [.. result.Models.Select(m => new ExperimentLine($"{result.Spec.Name}, {m.Name}", variant, m.Name))]);
        Reproduction.Write(experiment, new Dictionary<string, IReadOnlyList<RunResult>> { [variant] = [result] }, manifest, folder);
        Console.WriteLine($"Results in '{folder}': 'admmkit verify {folder}' counts again.");
    }

    /// <summary>Writes what belongs to a model that is written, and shows it.</summary>
    private static void Finish(RunResult result, Manifest manifest, string output, DataSet data, GivenModel? given)
    {
        (ModelResult dense, ModelResult last) = (result.Dense, result.Models.Last());
        manifest.Save(Path.ChangeExtension(output, ".manifest.json"));
        RunChart.Create(result).Save(Path.ChangeExtension(output, ".svg"));
        Table layers = ModelTables.BeforeAfter(dense.Model, last.Model);
        layers.SaveCsv(Path.ChangeExtension(output, ".layers.csv"));
        InspectCommand.Show(last.Model);
        Console.WriteLine();
        Console.Write(layers.ToText());
        static string Length(string path) =>
            string.Create(CultureInfo.InvariantCulture, $"'{path}' {new FileInfo(path).Length:#,0} B");
        string before = given is null ? "" : Length(given.File) + ", ";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Files: {before}{Length(output)}; as .admm {last.Model.Size.TotalBytes:#,0} B; ")
            + string.Create(CultureInfo.InvariantCulture, $"weights' compressionRatio {last.Model.CompressionRatio:f1}."));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{data.Name}, {data.Validation.Count} validation images, by which all was chosen: ")
            + string.Create(CultureInfo.InvariantCulture,
                $"before {100 * dense.Validation.Accuracy:f2} %, after {100 * last.Validation.Accuracy:f2} %."));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{data.Name}, {data.Test.Count} test images: dense {100 * dense.Test.Accuracy:f2} %, decoded from '{output}' {100 * last.Test.Accuracy:f2} %."));
    }
}
