using AdmmKit.Admm;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Tables;

/// <summary>Turns the runs of an experiment, one a seed, into rows: mean, 95 % interval, and what the paper prints.</summary>
public static class Measurements
{
    // Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom, to three decimals.
    private static readonly double[] StudentT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

    /// <summary>The rows of all lines.</summary>
    /// <param name="experiment">The experiment.</param>
    /// <param name="runs">The runs of each variant, one a seed.</param>
    /// <param name="source">What reproduces the rows: the command.</param>
    public static IReadOnlyList<ResultRow> Rows(
        Experiment experiment, IReadOnlyDictionary<string, IReadOnlyList<RunResult>> runs, string source)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        ArgumentNullException.ThrowIfNull(runs);
        ResultRow[] lines = [.. experiment.Lines.SelectMany(line => Rows(line, runs[line.Variant], source))];
        return [.. lines, .. Best(experiment, runs, lines), .. experiment.Others];
    }

    /// <summary>The model of a line in each run.</summary>
    /// <param name="line">The line.</param>
    /// <param name="runs">The runs of its variant.</param>
    public static IReadOnlyList<ModelResult> Models(ExperimentLine line, IReadOnlyList<RunResult> runs)
    {
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(runs);
        return [.. runs.Select(r => r.Models.Single(m => m.Name == line.Model))];
    }

    /// <summary>The line's name in tables; on a stand-in it says so.</summary>
    /// <param name="line">The line.</param>
    /// <param name="runs">The runs of its variant.</param>
    public static string RowName(ExperimentLine line, IReadOnlyList<RunResult> runs)
    {
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(runs);
        return line.Row + (IsMnist(runs) ? "" : $" ({runs[0].Data.Name})");
    }

    /// <summary>The unit of a quantity.</summary>
    /// <param name="quantity">Its name.</param>
    public static string Unit(string quantity)
    {
        ArgumentNullException.ThrowIfNull(quantity);
        return quantity.StartsWith("top1", StringComparison.Ordinal) || quantity == "validationTop1" ? "%"
            : quantity == "accuracyDegradation" ? "points"
            : quantity.EndsWith("Bytes", StringComparison.Ordinal) ? "B"
            : quantity.EndsWith("Ratio", StringComparison.Ordinal) ? "x"
            : quantity == "secondsFromPretrained" ? "s" : "";
    }

    /// <summary>Half the width of the 95 % interval of the mean; null for a single value.</summary>
    /// <param name="values">One value a seed.</param>
    public static double? HalfWidth(IReadOnlyList<double> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        int freedom = values.Count - 1;
        if (freedom < 1)
        {
            return null;
        }

        double mean = values.Average();
        double deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / freedom);
        return StudentT[Math.Min(freedom, StudentT.Length) - 1] * deviation / Math.Sqrt(values.Count);
    }

    /// <summary>Up to which compressionRatio each curve reaches the accuracy that is asked for; nothing where it never does.</summary>
    private static IEnumerable<ResultRow> Best(
        Experiment experiment, IReadOnlyDictionary<string, IReadOnlyList<RunResult>> runs, ResultRow[] rows)
    {
        if (experiment.BestAt is not { } accuracy)
        {
            yield break;
        }

        foreach (var curve in experiment.Lines.Where(l => l.X is not null).GroupBy(l => l.Curve))
        {
            ResultRow Of(ExperimentLine line, string quantity) =>
                rows.Single(r => r.Row == RowName(line, runs[line.Variant]) && r.Quantity == quantity);
            ResultRow[] reached = [.. curve.Where(l => Of(l, "top1").Ours >= accuracy).Select(l => Of(l, "compressionRatio"))];
            if (reached.MaxBy(r => r.Ours) is { } best)
            {
                yield return best with
                {
                    Row = FormattableString.Invariant($"Best at {accuracy} %: {RowName(curve.First() with { Row = curve.Key }, runs[curve.First().Variant])}"),
                    Paper = null,
                    Spread = null,
                    Status = best.Status == ResultStatus.Trend ? ResultStatus.Trend : ResultStatus.None,
                    Source = "chosen among the rows above by their mean on the test images; " + best.Source,
                };
            }
        }
    }

    private static bool IsMnist(IReadOnlyList<RunResult> runs) => runs[0].Data.Name == "MNIST";

    private static IEnumerable<ResultRow> Rows(ExperimentLine line, IReadOnlyList<RunResult> runs, string source)
    {
        IReadOnlyList<ModelResult> models = Models(line, runs);
        string row = RowName(line, runs);
        var rows = new List<ResultRow>();
        void Add(string quantity, Func<int, double> value)
        {
            double[] values = [.. Enumerable.Range(0, runs.Count).Select(value)];
            double? spread = HalfWidth(values) is { } half ? Math.Round(half, 6) : null;
            double? printed = line.Printed.TryGetValue(quantity, out double p) ? p : null;
            rows.Add(new ResultRow(row, quantity, Unit(quantity), printed, Math.Round(values.Average(), 6), spread, runs.Count, ResultStatus.None, source));
        }

        static double Percent(Training.Evaluation e) => 100.0 * e.Correct / e.Count;
        Add("top1", i => Percent(models[i].Test));
        Add("validationTop1", i => Percent(models[i].Validation));
        if (runs.Count > 1)
        {
            // What one would take home: the seed is chosen on the validation images, its accuracy is that on the test images.
            int best = Enumerable.Range(0, runs.Count).MaxBy(i => (models[i].Validation.Correct, -models[i].Validation.Loss));
            rows.Add(new ResultRow(row, "top1OfBestSeed", "%", null, Math.Round(Percent(models[best].Test), 6), null, 1, ResultStatus.None,
                FormattableString.Invariant($"seed {runs[best].Recipe.Seed}, chosen on the validation images; {source}")));
        }

        Add("survivors", i => models[i].Model.Survivors);
        Add("compressionRatio", i => models[i].Model.CompressionRatio);
        if (line.Model != "dense")
        {
            Add("accuracyDegradation", i => Percent(runs[i].Dense.Test) - Percent(models[i].Test));
            ModelSizes[] sizes = [.. models.Select(m => ModelSizes.Of(m.Model))];
            double dense = 4.0 * models[0].Model.Spec.WeightCount;
            Add("weightDataBytes", i => sizes[i].WeightDataBits / 8.0);
            Add("paperBytes", i => sizes[i].PaperBits / 8.0);
            Add("relativeBytes", i => sizes[i].RelativeBits / 8.0);
            Add("fileBytes", i => sizes[i].FileBits / 8.0);
            Add("boundBytes", i => sizes[i].BoundBits / 8.0);
            Add("weightDataCompressionRatio", i => dense / (sizes[i].WeightDataBits / 8.0));
            Add("paperCompressionRatio", i => dense / (sizes[i].PaperBits / 8.0));
            Add("fileCompressionRatio", i => (dense + (4.0 * models[i].Model.Spec.BiasCount)) / (sizes[i].FileBits / 8.0));
            Add("imagesFromPretrained", i => models[i].ImagesSeen - runs[i].Dense.ImagesSeen);
            if (runs.All(r => UpTo(r, line.Model).All(m => m.Seconds is not null)))
            {
                Add("secondsFromPretrained", i => Math.Round(UpTo(runs[i], line.Model).Sum(m => m.Seconds!.Value), 1));
            }

            if (runs.All(r => Residuals(r, line.Model).Count > 0))
            {
                Add("primalResidual", i => Residuals(runs[i], line.Model).Max(r => r.PrimalResidual));
            }
        }

        bool mnist = IsMnist(runs);
        return rows.Select(r => r with { Status = mnist ? Status(r, rows) : ResultStatus.Trend });
    }

    /// <summary>The models that a run made from the dense one to a certain one.</summary>
    private static IEnumerable<ModelResult> UpTo(RunResult run, string model) =>
        run.Models.Skip(1).TakeWhile(m => m.Name != model).Append(run.Models.Single(m => m.Name == model));

    /// <summary>The residuals of the layers when the ADMM phase ended that led to a model.</summary>
    private static IReadOnlyList<AdmmLayerResiduals> Residuals(RunResult run, string model) =>
        run.History.LastOrDefault(p => p.Phase == (model == "quantized" ? "ADMM quantize" : "ADMM prune " + model))?.Residuals ?? [];

    private static string Status(ResultRow row, IReadOnlyList<ResultRow> rows)
    {
        if (row.Paper is null)
        {
            return ResultStatus.None;
        }

        // An accuracy or a size with more survivors than the paper's is another point, however good.
        ResultRow survivors = rows.Single(r => r.Quantity == "survivors");
        double lead = RowChecks.Lead(row);
        if (double.IsNaN(lead))
        {
            return ResultStatus.None;
        }

        bool comparable = survivors.Paper is null || RowChecks.Lead(survivors) >= -RowChecks.Slack(survivors);
        return !comparable || lead < -RowChecks.Slack(row) ? ResultStatus.Missed
            : row.Quantity is "top1" or "accuracyDegradation" && row.Spread is { } half && lead > half ? ResultStatus.Beaten
            : ResultStatus.Matched;
    }
}
