using System.CommandLine;
using System.Globalization;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Tables;
using Spectre.Console;

namespace AdmmKit.Cli;

internal static class ReproduceCommand
{
    public static Command Create()
    {
        var tables = new Argument<string[]>("tables")
        {
            Description = "table1, table5 or all.",
            Arity = ArgumentArity.ZeroOrMore,
            DefaultValueFactory = _ => ["all"],
        };
        var quick = new Option<bool>("--quick") { Description = "Every step for real at a moderate ratio; minutes. The default." };
        var full = new Option<bool>("--full") { Description = "The paper's ratios, 85x and 167x." };
        var output = new Option<string>("--out") { Description = "Folder for the results.", DefaultValueFactory = _ => "out", HelpName = "DIR" };
        var shared = new SharedOptions();
        var command = new Command("reproduce", "Trains, prunes, quantizes and stores LeNet-5, and puts Tables 1 and 5 of the paper beside it.")
        {
            tables, quick, full, output,
        };
        shared.AddTo(command);
        command.Options.Add(shared.Force);
        command.Validators.Add(result =>
        {
            if (result.GetValue(quick) && result.GetValue(full))
            {
                result.AddError("--quick and --full exclude each other.");
            }

            foreach (string table in result.GetValue(tables) ?? [])
            {
                if (table != "all" && !Reproduction.Tables.Contains(table))
                {
                    result.AddError(table.StartsWith('-')
                        ? Names.Unknown("option", table, [.. result.Command.Options.Select(o => o.Name)])
                        : Names.Unknown("table", table, [.. Reproduction.Tables, "all"]));
                }
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation => Run(
            parsed, parsed.GetValue(tables)!, parsed.GetValue(full), parsed.GetValue(output)!, shared, cancellation)));
        return command;
    }

    private static int Run(ParseResult parsed, string[] tables, bool full, string output, SharedOptions shared, CancellationToken cancellation)
    {
        DateTime started = DateTime.UtcNow;
        string[] chosen = tables.Contains("all") ? [.. Reproduction.Tables] : [.. tables.Distinct()];
        Recipe recipe = Reproduction.RecipeFor(full, chosen, parsed.GetValue(shared.Seed));
        OutputFolder.CheckWritable(output);
        DataSet data = shared.OpenData(parsed, cancellation);
        int threads = parsed.GetValue(shared.Threads);
        SharedOptions.Announce(data);
        Console.WriteLine(full ? "Full mode: the paper's ratios." : "Quick mode: a moderate ratio; --full takes the paper's.");
        var runs = new RunStore(Path.Combine(output, "runs"));
        RunResult result = ConsoleObserver.Watch(observer => runs.Execute(recipe, data, threads, parsed.GetValue(shared.Force), observer, cancellation));
        Manifest manifest = shared.Manifest(parsed, result, started);
        foreach (string table in chosen)
        {
            string folder = Path.Combine(output, table);
            IReadOnlyList<string> files = Reproduction.Write(table, result, manifest, folder);
            Show(table, Reproduction.Rows(table, result, manifest.CommandLine));
            Console.WriteLine("Written: " + string.Join(", ", files));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Data: {data.Name}. {result.ImagesSeen / 1e6:f2} million training images in {result.WallTime.TotalSeconds:f0} s. One seed: accuracies differ by about 0.1 points between seeds."));
        return CommandLineTool.Success;
    }

    private static void Show(string table, IReadOnlyList<ResultRow> rows)
    {
        var view = new Table().Title(table == "table1" ? "Table 1: pruning LeNet-5" : "Table 5: size of LeNet-5").Border(TableBorder.Simple);
        foreach (string column in new[] { "row", "quantity", "paper", "ours", "status" })
        {
            view.AddColumn(new TableColumn(column) { NoWrap = true, Alignment = column is "paper" or "ours" ? Justify.Right : Justify.Left });
        }

        string previous = "";
        foreach (ResultRow row in rows)
        {
            string unit = row.Unit.Length > 0 ? " " + row.Unit : "";
            view.AddRow(
                Markup.Escape(row.Row == previous ? "" : row.Row), row.Quantity, Number(row.Paper, row.Quantity, unit), Number(row.Ours, row.Quantity, unit), row.Status);
            previous = row.Row;
        }

        ConsoleTables.Write(view);
    }

    private static string Number(double? value, string quantity, string unit) => value is not { } v ? "-"
        : quantity is "top1" or "accuracyDegradation" ? v.ToString("f2", CultureInfo.InvariantCulture) + unit
        : quantity.EndsWith("Ratio", StringComparison.Ordinal) ? v.ToString("#,0.#", CultureInfo.InvariantCulture) + unit
        : v.ToString("#,0", CultureInfo.InvariantCulture) + unit;
}
