using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Pictures;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Tables;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Hardware.Search;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Search;

/// <summary>What searches for several objectives came to, side by side: rows, pictures and models in a folder of results.</summary>
public static class SearchReport
{
    private const string Dense = "Dense", Least = "Least ";
    private const double NormalQuantile = 1.96;
    private const int Digits = 8;
    private static readonly string[] Patterns = ["path-*.svg", "path-*.plotly.json", "delay-on-*.svg", "delay-on-*.plotly.json", "platform-*.json"];

    /// <summary>The experiment that runs what was found, for one or more seeds: one variant an objective.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="searches">The searches, the one to compare with first.</param>
    /// <param name="beside">Other recipes of the same network to show beside them, by name; the last model of each.</param>
    public static Experiment Experiment(string name, IReadOnlyList<FinishedSearch> searches, IReadOnlyDictionary<string, Recipe> beside)
    {
        ArgumentNullException.ThrowIfNull(searches);
        ArgumentNullException.ThrowIfNull(beside);
        var variants = searches.ToDictionary(s => s.Objective.Name, s => s.Recipe);
        var lines = new List<ExperimentLine> { new(Dense, searches[0].Objective.Name, "dense") };
        foreach (FinishedSearch search in searches)
        {
            lines.Add(new ExperimentLine(Least + search.Objective.Name, search.Objective.Name, ShareSearch.Pruned));
            if (search.Recipe.Quantize is { } q)
            {
                lines.Add(new ExperimentLine(
                    FormattableString.Invariant($"Least {search.Objective.Name}, conv {q.ConvolutionBits} b, fc {q.FullyConnectedBits} b"),
                    search.Objective.Name, "quantized"));
            }
        }

        foreach ((string row, Recipe recipe) in beside)
        {
            variants.Add(row, recipe);
            lines.Add(new ExperimentLine(row, row, recipe.Quantize is null ? recipe.Prune[^1].Name : "quantized"));
        }

        return new Experiment(name, $"Fig. 5: hardware-aware compression of {searches[0].Recipe.Architecture}", variants, lines)
        {
            PublishedBytes = 1_000_000,
        };
    }

    /// <summary>The name of a platform's file beside the results.</summary>
    /// <param name="platform">The platform.</param>
    public static string PlatformFileName(Platform platform) => HardwareQuantities.FileName(platform);

    /// <summary>Asks each platform for each layer, so that what it does not know is told before the search and not after.</summary>
    /// <param name="platforms">The platforms.</param>
    /// <param name="spec">The network.</param>
    /// <exception cref="AdmmKitException">A platform does not know a layer.</exception>
    public static void CheckKnown(IReadOnlyList<Platform> platforms, NetworkSpec spec)
    {
        ArgumentNullException.ThrowIfNull(platforms);
        ArgumentNullException.ThrowIfNull(spec);
        foreach (Platform platform in platforms)
        {
            spec.Layers.ToList().ForEach(l => platform.DenseDelay(l));
        }
    }

    /// <summary>Writes the folder of results.</summary>
    /// <param name="experiment">The experiment, of <see cref="Experiment"/>.</param>
    /// <param name="searches">The searches.</param>
    /// <param name="runs">Its runs, one a seed for each variant.</param>
    /// <param name="platforms">What to tell delays for.</param>
    /// <param name="data">The data.</param>
    /// <param name="manifest">How it was made.</param>
    /// <param name="folder">Where to.</param>
    /// <param name="threads">Threads; 0 means all cores.</param>
    /// <returns>The rows.</returns>
    /// <exception cref="AdmmKitException">A file cannot be written.</exception>
    public static IReadOnlyList<ResultRow> Write(
        Experiment experiment, IReadOnlyList<FinishedSearch> searches, IReadOnlyDictionary<string, IReadOnlyList<RunResult>> runs,
        IReadOnlyList<Platform> platforms, DataSet data, Manifest manifest, string folder, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        ArgumentNullException.ThrowIfNull(searches);
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(platforms);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(manifest);
        experiment = experiment with
        {
            Others = [.. HardwareRows(experiment, runs, platforms, manifest.CommandLine), .. Differences(experiment, runs, data, threads, manifest.CommandLine)],
        };
        // What an earlier search left would pass for this one's. The manifest comes last.
        foreach (string old in Directory.Exists(folder) ? Patterns.SelectMany(p => Directory.GetFiles(folder, p)) : [])
        {
            File.Delete(old);
        }

        Directory.CreateDirectory(folder);
        foreach (FinishedSearch search in searches)
        {
            SearchChart.Create(search.Objective.Name, search.Spec, search.Result, l => search.Objective.Cost(l, 1))
                .Save(Path.Combine(folder, $"path-{PortablePath.FileName(search.Objective.Name)}.svg"));
        }

        foreach (Platform platform in platforms)
        {
            PlatformFile.Save(platform, Path.Combine(folder, PlatformFileName(platform)));
            DelayChart(experiment, runs, platform).Save(Path.Combine(folder, $"delay-on-{PortablePath.FileName(platform.Name)}.svg"));
        }

        SearchRecord.Write(Path.Combine(folder, SearchRecord.FileName), searches.Select(SearchRecord.Of));
        Reproduction.Write(experiment, runs, manifest, folder);
        return Measurements.Rows(experiment, runs, manifest.CommandLine);
    }

    /// <summary>What each platform makes of each line's models; the mean over seeds.</summary>
    private static IEnumerable<ResultRow> HardwareRows(
        Experiment experiment, IReadOnlyDictionary<string, IReadOnlyList<RunResult>> runs, IReadOnlyList<Platform> platforms, string source)
    {
        foreach (ExperimentLine line in experiment.Lines.Where(l => l.Model != "dense"))
        {
            IReadOnlyList<ModelResult> models = Measurements.Models(line, runs[line.Variant]);
            string row = Measurements.RowName(line, runs[line.Variant]);
            foreach (Platform platform in platforms)
            {
                foreach (var quantity in models.SelectMany(m => HardwareQuantities.Of(platform, m.Model)).GroupBy(q => (q.Quantity, q.Unit)))
                {
                    double[] values = [.. quantity.Select(q => q.Value)];
                    double? spread = Measurements.HalfWidth(values) is { } half ? Rounded.ToDigits(half, Digits) : null;
                    yield return new ResultRow(
                        row, quantity.Key.Quantity, quantity.Key.Unit, null, Rounded.ToDigits(values.Average(), Digits), spread, models.Count, ResultStatus.None, source);
                }
            }
        }
    }

    /// <summary>How each line differs from the first compressed one in accuracy on the same validation images, with the 95 % interval.</summary>
    private static IEnumerable<ResultRow> Differences(
        Experiment experiment, IReadOnlyDictionary<string, IReadOnlyList<RunResult>> runs, DataSet data, int threads, string source)
    {
        ExperimentLine[] lines = [.. experiment.Lines.Where(l => l.Model != "dense")];
        using var network = new Network(runs.Values.First()[0].Spec, 256, threads);
        double[] Correct(ExperimentLine line)
        {
            var share = new double[data.Validation.Count];
            IReadOnlyList<ModelResult> models = Measurements.Models(line, runs[line.Variant]);
            foreach (ModelResult model in models)
            {
                network.SetWeights(model.Model.Decode());
                float[][] scores = network.Predict(data.Validation);
                for (int i = 0; i < share.Length; i++)
                {
                    share[i] += Array.IndexOf(scores[i], scores[i].Max()) == data.Validation.Labels.Span[i] ? 1.0 / models.Count : 0;
                }
            }

            return share;
        }

        double[] first = Correct(lines[0]);
        foreach (ExperimentLine line in lines.Skip(1))
        {
            (double mean, double half) = Paired(Correct(line), first);
            yield return new ResultRow(
                Measurements.RowName(line, runs[line.Variant]), "validationTop1Difference", "points", null, Math.Round(mean, 6), Math.Round(half, 6),
                runs[line.Variant].Count, ResultStatus.None, FormattableString.Invariant($"paired with '{lines[0].Row}' on the same {first.Length} validation images, which also chose; interval over images, not over trainings; {source}"));
        }
    }

    /// <summary>The mean difference of paired values in points, and half the width of its 95 % interval.</summary>
    /// <param name="a">Share of the trainings in which an image is correct, 0 to 1, image by image.</param>
    /// <param name="b">The same of what is compared with; at least two.</param>
    internal static (double Mean, double Half) Paired(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        double[] differences = [.. a.Zip(b, (x, y) => 100 * (x - y))];
        double mean = differences.Average();
        double variance = differences.Sum(d => (d - mean) * (d - mean)) / (differences.Length - 1);
        return (mean, NormalQuantile * Math.Sqrt(variance / differences.Length));
    }

    /// <summary>Which layers a platform spends its time on, for each line's model; of the first seed.</summary>
    private static BarChart DelayChart(Experiment experiment, IReadOnlyDictionary<string, IReadOnlyList<RunResult>> runs, Platform platform)
    {
        // Bits change nothing here.
        ExperimentLine[] lines = [.. experiment.Lines.Where(l => l.Model != "quantized")];
        return ModelChart.Delay(platform,
        [
            .. lines.Select(l => (l.Row.Split(',')[0], Measurements.Models(l, runs[l.Variant])[0].Model)),
        ]);
    }
}
