using AdmmKit.Hardware.Search;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Search;

/// <summary>The picture of a search: accuracy, cost and shares of the layers, probe by probe.</summary>
public static class SearchChart
{
    // So many layers have room in one picture.
    private const int MostLayers = 6;

    /// <summary>Draws a search.</summary>
    /// <param name="objective">What was made small.</param>
    /// <param name="spec">The network.</param>
    /// <param name="result">Which shares were tried.</param>
    /// <param name="cost">What a dense layer costs: tells the costliest one of a deep network; null for its multiply-accumulates.</param>
    /// <param name="leastAccuracy">The least validation accuracy that was accepted, 0 to 1: the budget; or null.</param>
    /// <exception cref="AdmmKitException">The result is of a network with another number of layers.</exception>
    public static LineChart Create(
        string objective, NetworkSpec spec, SearchResult result, Func<LayerInfo, double>? cost = null, double? leastAccuracy = null)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(result);
        ProbedCandidate[] path = [.. result.Path];
        IReadOnlyList<LayerInfo> layers = spec.Layers;
        if (path.FirstOrDefault(p => p.Candidate.KeepFraction.Count != layers.Count) is { } other)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The search is of a network of {other.Candidate.KeepFraction.Count} layers, '{spec.Name}' has {layers.Count}: name the network that was searched."));
        }

        double[] number = [.. Enumerable.Range(1, path.Length).Select(i => (double)i)];
        ChartSeries Marked(string name, Func<ProbedCandidate, bool> which, Func<ProbedCandidate, double> value) =>
            new(name, number, [.. path.Select(p => which(p) ? value(p) : double.NaN)], SeriesStyle.Markers);
        double Accuracy(ProbedCandidate p) => 100 * p.Validation.Accuracy;
        double Cost(ProbedCandidate p) => 100 * p.Candidate.Cost / result.DenseCost;
        // Of a deep network: the first and last layer, the costliest, and those that are restored.
        int costliest = Enumerable.Range(0, layers.Count).MaxBy(i => cost?.Invoke(layers[i]) ?? layers[i].Macs);
        bool Representative(int i) => i == 0 || i == layers.Count - 1 || i == costliest || path.Any(c => c.Candidate.KeepFraction[i] >= 1);
        ChartSeries[] shares = [.. layers.Select((l, i) => (l, i)).Where(p => layers.Count <= MostLayers || Representative(p.i))
            .Select(p => new ChartSeries(p.l.Name, number, [.. path.Select(c => 100 * c.Candidate.KeepFraction[p.i])]))];
        return new LineChart($"Search for the least {objective}", "probe",
        [
            new ChartPanel("validation accuracy (%)",
                [Marked("accepted", p => p.Accepted, Accuracy), Marked("refused", p => !p.Accepted, Accuracy)])
            {
                Reference = leastAccuracy is { } least ? new(100 * least, "dense less the budget") : null,
            },
            new ChartPanel("cost (% of dense)", [Marked("accepted", p => p.Accepted, Cost), Marked("refused", p => !p.Accepted, Cost)]),
            new ChartPanel("keepFraction (%)", shares, AxisScale.Logarithmic),
        ]);
    }
}
