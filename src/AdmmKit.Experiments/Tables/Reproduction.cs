using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Tables;

/// <summary>
/// Reproduces Tables 1 and 5 of [Ren2019] with one run: dense LeNet-5, pruned in stages, quantized, stored, decoded.
/// </summary>
public static class Reproduction
{
    /// <summary>Tables that can be reproduced.</summary>
    public static IReadOnlyList<string> Tables { get; } = ["table1", "table5"];

    /// <summary>The recipe of the quick mode: every step for real, at a moderate ratio.</summary>
    public static Recipe Quick { get; } = new()
    {
        Pretrain = new() { Epochs = 4 },
        Prune =
        [
            new()
            {
                Name = "quick 40x",
                Survivors = new Dictionary<string, int> { ["conv1"] = 150, ["conv2"] = 4_000, ["fc1"] = 6_000, ["fc2"] = 600 },
                Admm = new() { Iterations = 5, RhoGrowth = 1.7f },
                Retrain = new() { Epochs = 4, LearningRate = 2e-3 },
            },
        ],
        Quantize = new()
        {
            ConvolutionBits = 3,
            FullyConnectedBits = 2,
            Admm = new() { Iterations = 5, FinalLearningRate = 1e-5, RhoGrowth = 3 },
            Biases = new() { Epochs = 1 },
        },
    };

    /// <summary>
    /// The recipe of the full mode: the paper's points, 85x and 167x, approached in stages that keep their zeros, then 3 bits
    /// (conv) and 2 bits (fc). The paper's own split among the layers was never published.
    /// </summary>
    public static Recipe Full { get; } = new()
    {
        Pretrain = new() { Epochs = 8 },
        Prune =
        [
            Stage("40x", 150, 4_000, 6_000, 600, iterations: 8, retrainEpochs: 6),
            Stage("85x", 110, 2_050, 2_560, 340, iterations: 10, retrainEpochs: 12),
            Stage("167x", 82, 1_170, 1_080, 240, iterations: 14, retrainEpochs: 16),
        ],
        Quantize = new()
        {
            ConvolutionBits = 3,
            FullyConnectedBits = 2,
            Admm = new() { Iterations = 14, RhoGrowth = 1.5f, FinalLearningRate = 1e-5 },
            Biases = new() { Epochs = 1 },
        },
    };

    /// <summary>The recipe for some of the tables: Table 1 alone needs no quantization.</summary>
    /// <param name="full">The full mode or the quick one.</param>
    /// <param name="tables">Which tables.</param>
    /// <param name="seed">The seed.</param>
    public static Recipe RecipeFor(bool full, IReadOnlyCollection<string> tables, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(tables);
        foreach (string table in tables)
        {
            if (!Tables.Contains(table))
            {
                throw new AdmmKitException(Names.Unknown("table", table, Tables));
            }
        }

        Recipe recipe = (full ? Full : Quick) with { Seed = seed };
        return tables.Contains("table5") ? recipe : recipe with { Quantize = null };
    }

    /// <summary>The rows of one table: every printed line, ours beside it where the run has one.</summary>
    /// <param name="table">"table1" or "table5".</param>
    /// <param name="run">The run.</param>
    /// <param name="source">What reproduces the rows: the command.</param>
    public static IReadOnlyList<ResultRow> Rows(string table, RunResult run, string source) =>
        table == "table1" ? Table1(run, source) : Table5(run, source);

    /// <summary>Writes everything of one table to a folder: rows, manifest, models, pictures.</summary>
    /// <param name="table">"table1" or "table5".</param>
    /// <param name="run">The run.</param>
    /// <param name="manifest">How it was made.</param>
    /// <param name="folder">Where to; made if missing.</param>
    /// <returns>The files written.</returns>
    /// <exception cref="AdmmKitException">A file cannot be written.</exception>
    public static IReadOnlyList<string> Write(string table, RunResult run, Manifest manifest, string folder)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(manifest);
        var files = new List<string>();
        string At(string name)
        {
            files.Add(Path.Combine(folder, name));
            return files[^1];
        }

        ResultRows.Write(At("rows.csv"), Rows(table, run, manifest.CommandLine));
        manifest.Save(At("manifest.json"));
        RunChart.Create(run).Save(At("convergence.svg"));
        At("convergence.plotly.json");
        if (table == "table5")
        {
            run.Quantized?.Model.Save(At("lenet5.admm"));
        }
        else
        {
            foreach (ModelResult stage in run.Pruned)
            {
                stage.Model.Save(At($"lenet5-{stage.Name.Replace(' ', '-')}.admm"));
            }
        }

        return files;
    }

    private static PruneRecipe Stage(string name, int conv1, int conv2, int fc1, int fc2, int iterations, int retrainEpochs) => new()
    {
        Name = name,
        Survivors = new Dictionary<string, int> { ["conv1"] = conv1, ["conv2"] = conv2, ["fc1"] = fc1, ["fc2"] = fc2 },
        Admm = new() { Iterations = iterations, RhoGrowth = 1.3f },
        Retrain = new() { Epochs = retrainEpochs, LearningRate = 2e-3 },
    };

    /// <summary>Accuracy in %, without the digits that binary fractions add.</summary>
    private static double Percent(Evaluation evaluation) => Math.Round(100 * evaluation.Accuracy, 6);

    private static List<ResultRow> Table1(RunResult run, string source)
    {
        bool mnist = run.Data.Name == "MNIST";
        var rows = new List<ResultRow>();
        void Add(string row, Table1Row? paper, double top1, int survivors)
        {
            double ratio = (double)run.Spec.WeightCount / survivors;
            bool small = survivors <= (paper?.Survivors ?? 0);
            string Status(bool reached) => !mnist ? ResultStatus.Trend
                : paper is null ? ResultStatus.None
                : reached ? ResultStatus.Matched : ResultStatus.Missed;
            rows.Add(new(row, "top1", "%", paper?.Top1, top1, null, 1, Status(small && top1 >= paper?.Top1), source));
            rows.Add(new(row, "survivors", "", paper?.Survivors, survivors, null, 1, Status(small), source));
            rows.Add(new(row, "compressionRatio", "x", paper?.CompressionRatio, ratio, null, 1, Status(small), source));
        }

        string on = mnist ? "" : $" ({run.Data.Name})";
        Add(PaperTables.Dense.Row + on, PaperTables.Dense, Percent(run.Dense.Test), run.Spec.WeightCount);
        foreach (ModelResult stage in run.Pruned)
        {
            Table1Row? paper = PaperTables.Table1.GetValueOrDefault(stage.Name);
            Add((paper?.Row ?? "AdmmKit " + stage.Name) + on, paper, Percent(stage.Test), stage.Model.Survivors);
        }

        foreach (Table1Row other in PaperTables.Table1Others.Concat(PaperTables.Table1.Values.Where(p => rows.All(r => !r.Row.StartsWith(p.Row, StringComparison.Ordinal)))))
        {
            rows.Add(new(other.Row, "top1", "%", other.Top1, null, null, 0, ResultStatus.None, "[Ren2019] Table 1"));
            rows.Add(new(other.Row, "survivors", "", other.Survivors, null, null, 0, ResultStatus.None, "[Ren2019] Table 1"));
            rows.Add(new(other.Row, "compressionRatio", "x", other.CompressionRatio, null, null, 0, ResultStatus.None, "[Ren2019] Table 1"));
        }

        return rows;
    }

    private static List<ResultRow> Table5(RunResult run, string source)
    {
        ModelResult quantized = run.Quantized
            ?? throw new AdmmKitException("Table 5 needs a quantized network, but the recipe has no quantization.");
        bool mnist = run.Data.Name == "MNIST";
        bool papersPoint = mnist && PaperTables.Table1.ContainsKey(run.Recipe.Prune[^1].Name) && quantized.Model.Survivors <= PaperTables.Table5SurvivorsAtMost;
        string row = $"AdmmKit {run.Recipe.Prune[^1].Name}, conv {run.Recipe.Quantize!.ConvolutionBits} b, fc {run.Recipe.Quantize.FullyConnectedBits} b"
            + (mnist ? "" : $" ({run.Data.Name})");
        double denseBytes = run.Spec.WeightCount * 4.0;
        double dataBytes = quantized.Model.WeightDataBits / 8.0;
        double fileBytes = quantized.Model.Size.TotalBytes;
        double degradation = Math.Round(100 * (run.Dense.Test.Accuracy - quantized.Test.Accuracy), 4);
        ResultRow Line(string quantity, string unit, double? paper, double ours, bool smallerIsBetter = true) => new(
            row, quantity, unit, papersPoint ? paper : null, ours, null, 1,
            !mnist ? ResultStatus.Trend
                : paper is not { } p || !papersPoint ? ResultStatus.None
                : (smallerIsBetter ? ours <= p : ours >= p) ? ResultStatus.Matched : ResultStatus.Missed,
            source);

        // The paper prints no accuracy here, so top1 has no printed value beside it. Its size "with index" leaves the 580
        // biases out, on both sides of the ratio; ours counts them on both.
        double denseFile = denseBytes + (run.Spec.BiasCount * 4);
        return
        [
            Line("top1", "%", null, Percent(quantized.Test)),
            Line("accuracyDegradation", "points", PaperTables.Table5Degradation, degradation),
            Line("survivors", "", PaperTables.Table5Survivors, quantized.Model.Survivors) with { Status = papersPoint ? ResultStatus.Matched : mnist ? ResultStatus.None : ResultStatus.Trend },
            Line("weightDataBytes", "B", PaperTables.Table5DataBytes, dataBytes),
            Line("dataCompressionRatio", "x", PaperTables.Table5DataRatio, denseBytes / dataBytes, smallerIsBetter: false),
            Line("fileBytes", "B", PaperTables.Table5BytesWithIndex, fileBytes),
            Line("fileCompressionRatio", "x", PaperTables.Table5RatioWithIndex, denseFile / fileBytes, smallerIsBetter: false),
            new("Iterative pruning [22]", "weightDataBytes", "B", 24_200, null, null, 0, ResultStatus.None, "[Ren2019] Table 5"),
            new("Iterative pruning [22]", "fileBytes", "B", 52_100, null, null, 0, ResultStatus.None, "[Ren2019] Table 5"),
        ];
    }
}
