using System.CommandLine;
using System.Globalization;
using AdmmKit.Baselines;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Search;
using AdmmKit.Networks;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Training;
using Spectre.Console;
using Table = AdmmKit.Notebooks.Table;

namespace AdmmKit.Cli;

/// <summary>How sensitive each layer of a network is to pruning.</summary>
internal static class ScanCommand
{
    // What the table shows of each layer, in points of accuracy.
    private static readonly double[] Drops = [0.5, 1, 2, 5];

    public static Command Create()
    {
        var file = new Argument<string>("model") { Description = $"A network: {ModelOptions.Kinds}." };
        var keep = new Option<double[]>("--keep-fraction")
        {
            Description = "A share of the weights to keep, above 0 and below 1; repeatable. Default 2^-1/2, 2^-1, ... down to 2^-10.",
            HelpName = "F",
            AllowMultipleArgumentsPerToken = true,
        };
        var output = new Option<string>("--out")
        {
            Description = "Folder for the picture and the table.",
            DefaultValueFactory = _ => "out/scan",
            HelpName = "DIR",
        };
        var options = new ModelOptions();
        var shared = new SharedOptions();
        var command = new Command("scan", "Shows how much each layer bears: accuracy over keepFraction, layer by layer, without retraining.")
        {
            file, keep, output,
        };
        options.AddTo(command);
        shared.AddTo(command);
        command.Options.Add(shared.DataSet);
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            string folder = parsed.GetValue(output)!, path = parsed.GetValue(file)!;
            DateTime started = DateTime.UtcNow;
            DataSet? data = null;
            (ImageShape, int) Images() => ((data = shared.OpenData(parsed, cancellation)).Validation.Shape, data.Validation.Classes);
            var given = GivenModel.Open(options, parsed, path, Images);
            OutputFolder.CheckWritable(folder);
            OutputFolder.CheckNotOfOthers(folder, "admmkit scan");
            data ??= shared.OpenDataFor(parsed, given.Spec.Input, cancellation);
            SharedOptions.Announce(data);
            double[]? grid = parsed.GetValue(keep) is { Length: > 0 } chosen ? chosen : null;
            NetworkWeights weights = given.Model.Decode();
            LayerScan scan = Watch(progress => LayerScan.Run(
                given.Spec, weights, data, Path.Combine(folder, "runs"), grid, parsed.GetValue(shared.Threads), progress, cancellation));
            scan.Points().SaveCsv(Path.Combine(folder, "scan.csv"));
            scan.Chart().Save(Path.Combine(folder, "scan.svg"));
            Manifest manifest = shared.Manifest(parsed, new DataOrigin(data.Name, data.Source, data.Checksums)) with
            {
                StartedUtc = started,
                WallTimeSeconds = Math.Round((DateTime.UtcNow - started).TotalSeconds, 1),
            };
            manifest.Save(Path.Combine(folder, "manifest.json"));
            Show(scan);
            Console.WriteLine($"Written to {folder}: scan.svg, scan.plotly.json and scan.csv.");
            return CommandLineTool.Success;
        }));
        return command;
    }

    private static void Show(LayerScan scan)
    {
        Evaluation dense = scan.Scan.Dense;
        object?[] Row(SensitivityCurve curve) =>
            [curve.Layer.Name, curve.Layer.WeightCount, .. Drops.Select(d => (object?)scan.LeastKeepFraction(curve, d))];
        Console.Write(new Table(
            $"{scan.Network} on {scan.Data}: the smallest keepFraction of each layer alone that loses no more than so many points",
            ["layer", "weights", .. Drops.Select(d => FormattableString.Invariant($"{d} points"))],
            [.. scan.Scan.Curves.Select(Row)]).ToText());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Nothing pruned: {100 * dense.Accuracy:f2} % of {dense.Count} validation images. ")
            + FormattableString.Invariant($"{scan.Evaluated} points evaluated now, the others were known."));
    }

    /// <summary>Runs a scan with a line in place on a terminal, else with a line a layer.</summary>
    private static LayerScan Watch(Func<Action<ScanProgress>, LayerScan> scan)
    {
        static string Left(ScanProgress p) => string.Create(
            CultureInfo.InvariantCulture, $"{p.Done} of {p.Points} points, {p.TimeLeft:h\\:mm\\:ss} left");
        if (Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Interactive)
        {
            ScanProgress? last = null;
            return scan(progress =>
            {
                if (last is not null && (last.Layer != progress.Layer || progress.Done == progress.Points))
                {
                    Console.WriteLine($"{(progress.Done == progress.Points ? progress : last).Layer ?? "nothing pruned"}: {Left(progress)}");
                }

                last = progress;
            });
        }

        return AnsiConsole.Progress().AutoClear(true)
            .Columns(new ProgressBarColumn { Width = 20 }, new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .Start(context =>
            {
                ProgressTask task = context.AddTask("starting", maxValue: 1);
                return scan(progress =>
                {
                    task.Value = (double)progress.Done / progress.Points;
                    task.Description = Markup.Escape($"{progress.Layer}: {Left(progress)}");
                });
            });
    }
}
