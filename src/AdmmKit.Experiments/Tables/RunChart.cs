using AdmmKit.Admm;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Tables;

/// <summary>The picture of a run: accuracy over epochs above, ADMM residuals below.</summary>
public static class RunChart
{
    /// <summary>Draws a run.</summary>
    /// <param name="run">The run.</param>
    public static LineChart Create(RunResult run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return Create($"{run.Spec.Name} on {run.Data.Name}: {Summary(run)}", run.Spec.Layers, run.History);
    }

    /// <summary>Draws steps that were taken one by one.</summary>
    /// <param name="title">The title.</param>
    /// <param name="layers">The layers of the network.</param>
    /// <param name="history">Epochs and iterations in order.</param>
    public static LineChart Create(string title, IReadOnlyList<LayerInfo> layers, IReadOnlyList<HistoryPoint> history)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(history);
        var plain = history.Where(p => p.Residuals.Count == 0).ToArray();
        var admm = history.Where(p => p.Residuals.Count > 0).ToArray();

        // Lines break between two phases: what is one phase's end is not the next one's beginning.
        ChartSeries Broken(string name, IEnumerable<HistoryPoint> points, Func<HistoryPoint, double> value)
        {
            (var x, var y) = (new List<double>(), new List<double>());
            string? phase = null;
            foreach (HistoryPoint point in points)
            {
                if (phase is not null && phase != point.Phase)
                {
                    x.Add(double.NaN);
                    y.Add(double.NaN);
                }

                phase = point.Phase;
                x.Add(point.Epoch);
                y.Add(value(point));
            }

            return new ChartSeries(name, x, y);
        }

        double Error(HistoryPoint point) => 100 * (1 - point.Validation.Accuracy);
        ChartSeries[] Residual(Func<AdmmLayerResiduals, double> value) => [.. layers.Select(layer => Broken(
            layer.Name, admm, p => p.Residuals.FirstOrDefault(r => r.Layer == layer.Name) is { } r ? value(r) : double.NaN))];
        var panels = new List<ChartPanel>
        {
            new("validation error (%)",
                [Broken("trained network", plain, Error), Broken("projected network (ADMM)", admm, Error)], AxisScale.Logarithmic),
        };
        if (admm.Length > 0)
        {
            panels.Add(new ChartPanel("primal residual ||W - Z|| / ||W||", Residual(r => r.PrimalResidual), AxisScale.Logarithmic));
            panels.Add(new ChartPanel("dual residual rho ||Z(k+1) - Z(k)|| / ||rho U||", Residual(r => r.DualResidual), AxisScale.Logarithmic));
        }

        return new LineChart(title, "epochs over the training images", panels);
    }

    private static string Summary(RunResult run) => run.Quantized is { } q
        ? FormattableString.Invariant($"{q.Model.Survivors} weights, {q.Model.Size.TotalBytes} B, {100 * q.Test.Accuracy:f2} %")
        : run.Pruned.Count > 0
            ? FormattableString.Invariant($"{run.Pruned[^1].Model.Survivors} weights, {100 * run.Pruned[^1].Test.Accuracy:f2} %")
            : FormattableString.Invariant($"dense, {100 * run.Dense.Test.Accuracy:f2} %");
}
