using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Tables;

/// <summary>Runs an experiment for several seeds and writes its folder of results.</summary>
public static class Reproduction
{
    /// <summary>Does all runs of an experiment, or takes them from the store: each variant, each seed.</summary>
    /// <param name="experiment">The experiment.</param>
    /// <param name="store">Where runs are kept.</param>
    /// <param name="data">What to learn from.</param>
    /// <param name="firstSeed">The first seed; the others follow it.</param>
    /// <param name="replicates">Number of seeds, at least 1.</param>
    /// <param name="threads">Threads; 0 means all cores.</param>
    /// <param name="force">Does again what is done already.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    /// <param name="cancellation">Saves a checkpoint and stops.</param>
    /// <returns>The runs of each variant, one a seed.</returns>
    /// <exception cref="AdmmKitException">A recipe does not fit the data, or a run failed.</exception>
    public static IReadOnlyDictionary<string, IReadOnlyList<RunResult>> Execute(
        Experiment experiment, RunStore store, DataSet data, ulong firstSeed, int replicates, int threads = 0, bool force = false,
        IRunObserver? observer = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        ArgumentNullException.ThrowIfNull(store);
        var runs = experiment.Variants.Keys.ToDictionary(v => v, _ => new List<RunResult>());
        OverallProgress? overall = observer is null ? null
            : new OverallProgress(observer, replicates * experiment.Variants.Values.Sum(r => (double)RecipeFlow.Epochs(r)));
        for (int i = 0; i < replicates; i++)
        {
            foreach ((string variant, Recipe recipe) in experiment.Variants)
            {
                ulong seed = firstSeed + (ulong)i;
                observer?.Milestone(FormattableString.Invariant($"{experiment.Name}: {variant}, seed {seed} ({i + 1} of {replicates})"));
                runs[variant].Add(store.Execute(recipe with { Seed = seed }, data, threads, force, overall, cancellation));
                overall?.Finish(RecipeFlow.Epochs(recipe));
            }
        }

        return runs.ToDictionary(r => r.Key, r => (IReadOnlyList<RunResult>)r.Value);
    }

    /// <summary>Writes the folder of an experiment: rows, models, pictures, and the manifest last.</summary>
    /// <param name="experiment">The experiment.</param>
    /// <param name="runs">Its runs.</param>
    /// <param name="manifest">How they were made; models and runs are added to it.</param>
    /// <param name="folder">Where to; made if missing. Models and pictures that its manifest names are removed first.</param>
    /// <returns>The files written.</returns>
    /// <exception cref="AdmmKitException">A file cannot be written.</exception>
    public static IReadOnlyList<string> Write(
        Experiment experiment, IReadOnlyDictionary<string, IReadOnlyList<RunResult>> runs, Manifest manifest, string folder)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(manifest);
        RemoveEarlier(folder);
        var files = new List<string>();
        string At(string name)
        {
            files.Add(Path.Combine(folder, name));
            return files[^1];
        }

        IReadOnlyList<ResultRow> rows = Measurements.Rows(experiment, runs, manifest.CommandLine);
        ResultRows.Write(At("rows.csv"), rows);
        var models = new List<ModelRecord>();
        bool Small(ExperimentLine line) =>
            line.Model != "dense" && Measurements.Models(line, runs[line.Variant]).All(m => m.Model.Size.TotalBytes <= experiment.PublishedBytes);
        foreach (ExperimentLine line in experiment.Lines.Where(Small))
        {
            foreach ((ModelResult model, RunResult run) in Measurements.Models(line, runs[line.Variant]).Zip(runs[line.Variant]))
            {
                string file = FormattableString.Invariant($"{PortablePath.FileName(line.Row)}-seed{run.Recipe.Seed}.admm");
                model.Model.Save(At(file));
                models.Add(ModelRecord.Of(file, model.Model, Measurements.RowName(line, runs[line.Variant]), model.Test));
            }
        }

        foreach ((string variant, IReadOnlyList<RunResult> own) in runs.Where(r => r.Value[0].History.Any(p => p.Residuals.Count > 0)))
        {
            Chart(RunChart.Create(own[0]), runs.Count == 1 ? "convergence" : "convergence-" + PortablePath.FileName(variant));
        }

        if (experiment.XTitle is not null)
        {
            Chart(AccuracyChart.Create(experiment, runs), "accuracy");
        }

        if (experiment.FrontierTitle is { } title)
        {
            // Files of float32 are three times as long and would fill half of the picture.
            string[] floats = [.. experiment.Lines.Where(l => l.Model != "quantized").Select(l => Measurements.RowName(l, runs[l.Variant]))];
            Chart(FrontierChart.Create(title, [.. rows.Where(r => !floats.Contains(r.Row))]), "frontier");
        }

        (manifest with
        {
            Models = models,
            Runs = [.. runs.SelectMany(v => v.Value.SelectMany(r => RunRecord.Of(v.Key, r)))],
        }).Save(At("manifest.json"));
        return files;

        void Chart(LineChart chart, string name)
        {
            chart.Save(At(name + ".svg"));
            At(name + ".plotly.json");
        }
    }

    // What an earlier recipe left behind would pass for a result of this one. Files of others are left alone.
    private static void RemoveEarlier(string folder)
    {
        string path = Path.Combine(folder, "manifest.json");
        if (!File.Exists(path))
        {
            return;
        }

        try
        {
            string[] pictures = [.. Directory.EnumerateFiles(folder, "convergence*").Concat(Directory.EnumerateFiles(folder, "accuracy.*"))
                .Concat(Directory.EnumerateFiles(folder, "frontier.*"))];
            foreach (string old in Manifest.Load(path).Models.Select(m => Path.Combine(folder, Path.GetFileName(m.File))).Concat(pictures))
            {
                File.Delete(old);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not replace the results in '{folder}': {e.Message.TrimEnd('.')}. Change its rights, or choose another folder with --out.", e);
        }
    }
}
