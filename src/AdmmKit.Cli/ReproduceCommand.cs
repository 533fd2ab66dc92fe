using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Dense;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Tables;
using Spectre.Console;

namespace AdmmKit.Cli;

internal static class ReproduceCommand
{
    private static readonly string[] Names = [.. AccountingTables.Names, .. ExperimentCatalogue.Names];

    public static Command Create()
    {
        var tables = new Argument<string[]>("tables")
        {
            Description = "Tables and claims: " + string.Join(", ", Names.Order(StringComparer.Ordinal)) + ", or all. Default: table1 table5.",
            Arity = ArgumentArity.ZeroOrMore,
            DefaultValueFactory = _ => ["table1", "table5"],
        };
        var quick = new Option<bool>("--quick") { Description = "Every step for real, but short and at a moderate ratio; minutes. The default." };
        var full = new Option<bool>("--full") { Description = "The paper's ratios, 85x and 167x; recipes as in results/." };
        var output = new Option<string>("--out") { Description = "Folder for the results.", DefaultValueFactory = _ => "out", HelpName = "DIR" };
        var replicates = new Option<int>("--replicates")
        {
            Description = "Seeds to run, from --seed upwards; rows give mean and 95 % interval.",
            DefaultValueFactory = _ => 1,
            HelpName = "R",
        };
        var shared = new SharedOptions();
        var command = new Command("reproduce", "Trains, prunes, quantizes and stores LeNet-5, and puts the paper's tables beside it; recomputes its other tables.")
        {
            tables, quick, full, replicates, output,
        };
        shared.AddTo(command);
        command.Options.Add(shared.Force);
        command.Validators.Add(result =>
        {
            if (result.GetValue(quick) && result.GetValue(full))
            {
                result.AddError("--quick and --full exclude each other.");
            }

            if (result.GetResult(replicates) is { Implicit: false, Tokens: [var token] } && int.TryParse(token.Value, out int count) && count is < 1 or > 100)
            {
                result.AddError("--replicates must be 1 to 100.");
            }

            foreach (string table in result.GetValue(tables) ?? [])
            {
                if (table != "all" && !Names.Contains(table))
                {
                    result.AddError(table.StartsWith('-')
                        ? AdmmKit.Names.Unknown("option", table, [.. result.Command.Options.Select(o => o.Name)])
                        : AdmmKit.Names.Unknown("table", table, [.. Names, "all"]));
                }
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            string[] asked = parsed.GetValue(tables)!;
            string[] chosen = asked.Contains("all") ? Names : [.. asked.Distinct()];
            string folder = parsed.GetValue(output)!;
            OutputFolder.CheckWritable(folder);
            chosen.Select(table => Path.Combine(folder, table)).Where(Directory.Exists).ToList().ForEach(OutputFolder.CheckWritable);
            foreach (string table in chosen.Intersect(AccountingTables.Names))
            {
                Account(parsed, table, Path.Combine(folder, table), shared);
            }

            string[] trained = [.. chosen.Intersect(ExperimentCatalogue.Names)];
            if (trained.Length > 0)
            {
                Train(parsed, trained, asked.Contains("all"), parsed.GetValue(full), parsed.GetValue(replicates), folder, shared, cancellation);
            }

            return CommandLineTool.Success;
        }));
        return command;
    }

    /// <summary>A table that follows from architectures: nothing is trained, no data are needed.</summary>
    private static void Account(ParseResult parsed, string table, string folder, SharedOptions shared)
    {
        AccountingTable accounting = AccountingTables.Create(table);
        IReadOnlyList<string> files = accounting.Write(folder);
        shared.Manifest(parsed, null).Save(Path.Combine(folder, "manifest.json"));
        Show(accounting.Title, accounting.Rows);
        Console.WriteLine($"Differences from the print are explained in {files[1]}.");
    }

    private static void Train(
        ParseResult parsed, string[] names, bool all, bool full, int replicates, string output, SharedOptions shared, CancellationToken cancellation)
    {
        DateTime started = DateTime.UtcNow;
        var opened = new Dictionary<bool, DataSet>();
        Console.WriteLine(full ? "Full mode: the paper's ratios." : "Quick mode: a moderate ratio; --full takes the paper's.");
        var store = new RunStore(Path.Combine(output, "runs"));
        foreach (string name in names)
        {
            var clock = Stopwatch.StartNew();
            Experiment experiment = ExperimentCatalogue.Create(name, full);
            string architecture = experiment.Variants.Values.First().Architecture;
            if (!opened.TryGetValue(TrainingRecipe.IsForColour(architecture), out DataSet? data))
            {
                bool colour = TrainingRecipe.IsForColour(architecture);
                data = !colour || !all ? shared.OpenDataFor(parsed, architecture, cancellation)
                    : parsed.GetValue(shared.Synthetic) ? null : shared.OpenFiles(parsed, "cifar10", cancellation);
                if (data is null)
                {
                    Console.WriteLine($"{name} is left out: it learns from CIFAR-10, and neither --data nor ADMMKIT_DATA names a folder with it.");
                    continue;
                }

                opened.Add(TrainingRecipe.IsForColour(architecture), data);
                SharedOptions.Announce(data);
            }

            IReadOnlyDictionary<string, IReadOnlyList<RunResult>> runs = ConsoleObserver.Watch(observer => Reproduction.Execute(
                experiment, store, data, parsed.GetValue(shared.Seed), replicates, parsed.GetValue(shared.Threads), parsed.GetValue(shared.Force), observer, cancellation));
            Manifest manifest = shared.Manifest(parsed, new DataOrigin(data.Name, data.Source, data.Checksums), experiment.Variants) with { StartedUtc = started };
            manifest = manifest with { WallTimeSeconds = Math.Round(clock.Elapsed.TotalSeconds, 1) };
            IReadOnlyList<string> files = Reproduction.Write(experiment, runs, manifest, Path.Combine(output, name));
            Show(experiment.Title, Measurements.Rows(experiment, runs, manifest.CommandLine));
            Console.WriteLine("Written: " + string.Join(", ", files));
            string seeds = replicates == 1 ? "One seed: accuracies differ by about 0.1 points between seeds; --replicates 3 gives mean and interval."
                : string.Create(CultureInfo.InvariantCulture, $"{replicates} seeds: mean and half-width of the 95 % interval.");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Data: {data.Name}. {clock.Elapsed.TotalSeconds:f0} s. {seeds}"));
        }
    }

    public static void Show(string title, IReadOnlyList<ResultRow> rows)
    {
        var view = new Table().Title(Markup.Escape(title)).Border(TableBorder.Simple);
        foreach (string column in new[] { "", "paper", "ours", "status" })
        {
            // Names may be longer than a terminal is wide; numbers must not be broken.
            view.AddColumn(new TableColumn(column) { NoWrap = column.Length > 0, Alignment = column is "paper" or "ours" ? Justify.Right : Justify.Left });
        }

        string? previous = null;
        foreach (ResultRow row in rows)
        {
            if (row.Row != previous)
            {
                view.AddRow($"[bold]{Markup.Escape(row.Row)}[/]", "", "", "");
                previous = row.Row;
            }

            string unit = row.Unit is not ("" or "1") ? " " + row.Unit : "";
            string spread = row.Spread is { } s ? " ±" + Number(s, row) : "";
            view.AddRow(
                "  " + Markup.Escape(row.Quantity), Number(row.Paper, row) + (row.Paper is null ? "" : unit),
                Number(row.Ours, row) + (row.Ours is null ? "" : spread + unit), row.Status);
        }

        ConsoleTables.Write(view);
    }

    private static string Number(double? value, ResultRow row) => value is not { } v ? "-" : v.ToString(
        row.Unit is "%" or "points" ? "f2"
        : row.Quantity == "primalResidual" ? "g2"
        : row.Unit == "x" && v >= 10 ? "#,0.#"
        : row.Unit == "1" ? "g4" : "#,0.##", CultureInfo.InvariantCulture);
}
