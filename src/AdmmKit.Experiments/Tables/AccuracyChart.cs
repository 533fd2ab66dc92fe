using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Tables;

/// <summary>The picture of an experiment: test error over what its lines differ in, the mean over seeds.</summary>
public static class AccuracyChart
{
    /// <summary>Draws an experiment.</summary>
    /// <param name="experiment">The experiment; lines without an x are left out.</param>
    /// <param name="runs">Its runs.</param>
    public static LineChart Create(Experiment experiment, IReadOnlyDictionary<string, IReadOnlyList<RunResult>> runs)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        ArgumentNullException.ThrowIfNull(runs);
        var series = new List<ChartSeries>();
        foreach (var curve in experiment.Lines.Where(l => l.X is not null).GroupBy(l => l.Curve))
        {
            ExperimentLine[] lines = [.. curve.OrderBy(l => l.X)];
            double[][] errors = [.. lines.Select(l => Measurements.Models(l, runs[l.Variant]).Select(m => 100 * (1 - m.Test.Accuracy)).ToArray())];
            series.Add(new ChartSeries(curve.Key, [.. lines.Select(l => l.X!.Value)], [.. errors.Select(e => e.Average())]));
        }

        RunResult first = runs.Values.First()[0];
        int seeds = runs.Values.First().Count;
        return new LineChart(
            FormattableString.Invariant($"{experiment.Title} ({first.Data.Name}, mean of {seeds} {(seeds == 1 ? "seed" : "seeds")})"), experiment.XTitle!,
            [new ChartPanel("test error (%)", series, AxisScale.Logarithmic)], AxisScale.Logarithmic);
    }
}
