using System.CommandLine;
using System.Globalization;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Search;
using AdmmKit.Hardware.Search;
using AdmmKit.Storage;

namespace AdmmKit.Cli;

/// <summary>The options of <c>compress --max-drop</c>: the user says what may be lost, and everything else is chosen.</summary>
internal sealed class DropOptions
{
    private static readonly string[] Objectives = ["survivors", "bytes"];

    public Option<double?> MaxDrop { get; } = new("--max-drop")
    {
        Description = "Compresses as far as this many points of validation accuracy allow, such as 0.2, and chooses all else. "
            + "Of the flags above it takes --architecture, --epochs, --iterations and --training-images alone.",
        HelpName = "POINTS",
    };

    public Option<string?> Objective { get; } = new("--objective")
    {
        Description = "With --max-drop, what to make small: " + string.Join(" or ", Objectives) + ". Default " + Objectives[0] + ".",
        HelpName = "NAME",
    };

    /// <summary>Adds the options and what they exclude.</summary>
    public void AddTo(Command command, IReadOnlyList<Option> excluded)
    {
        command.Options.Add(MaxDrop);
        command.Options.Add(Objective);
        command.Validators.Add(result =>
        {
            if (result.GetValue(Objective) is { } name && !Objectives.Contains(name))
            {
                result.AddError(Names.Unknown("objective", name, Objectives));
            }

            if (result.GetResult(MaxDrop) is not { Tokens: [var token] })
            {
                if (result.GetResult(Objective) is not null)
                {
                    result.AddError("--objective says what --max-drop makes small: give --max-drop too, such as --max-drop 0.2.");
                }

                return;
            }

            bool number = double.TryParse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double drop);
            if (number && !(drop >= 0 && drop < 100))
            {
                result.AddError(
                    "--max-drop must be 0 or more points, and less than 100; 0.2 allows 99.1 % where the dense network has 99.3 %.");
            }

            string[] both = [.. excluded.Where(o => result.GetResult(o) is { Implicit: false }).Select(o => o.Name)];
            if (both.Length > 0)
            {
                result.AddError($"--max-drop chooses what {string.Join(", ", both)} would say: leave out one or the other.");
            }
        });
    }

    /// <summary>Searches and compresses; the promise is checked again on the file as it is read back.</summary>
    public static (RunResult Result, string Promise) Run(
        DropRecipe recipe, string? objective, DataSet data, Action<CompressedNetwork> write, string output, string folder, int threads,
        CancellationToken cancellation)
    {
        var store = new RunStore(Path.Combine(folder, "runs"));
        FinishedDrop found = ConsoleObserver.Watch(observer =>
            new DropSearch(recipe, data, store, Path.Combine(folder, "probes"), threads, observer, cancellation)
                .Run(objective == "bytes" ? new BytesObjective() : new SurvivorsObjective()));
        write(found.Run.Models.Last().Model);
        SearchRecord.Write(Path.ChangeExtension(output, ".search.json"), found.Searches);
        int correct = ScalarNetwork.CountCorrect(StoredModel.Load(output).Compress(), data.Validation, threads, cancellation);
        if (correct != found.Validation.Correct)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{output}' does not give back the network that was written: {correct} correct validation images, ")
                + FormattableString.Invariant($"{found.Validation.Correct} before. Check the disk, and give the same command again."));
        }

        (double dense, double file) = (100 * found.Dense.Accuracy, 100 * found.Validation.Accuracy);
        return (found.Run, FormattableString.Invariant(
            $"Promise kept: {Math.Max(found.Drop, 0):f2} of {recipe.MaxDrop} points lost on {found.Dense.Count} validation images ")
            + FormattableString.Invariant($"({dense:f2} % dense, {file:f2} % decoded from '{output}')."));
    }
}
