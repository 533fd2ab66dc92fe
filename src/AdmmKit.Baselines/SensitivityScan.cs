using AdmmKit.Constraints;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Training;

namespace AdmmKit.Baselines;

/// <summary>One layer pruned to so many weights while all others are whole.</summary>
/// <param name="Survivors">Weights that stay.</param>
/// <param name="Validation">The network on the validation images.</param>
/// <param name="Cost">Increase of the validation loss over the dense network, in nats, made monotone: the largest of this
/// pruning and all milder ones of the layer, at least 0.</param>
public sealed record SensitivityPoint(int Survivors, Evaluation Validation, double Cost);

/// <summary>What pruning one layer alone costs.</summary>
/// <param name="Layer">The layer.</param>
/// <param name="Points">From all weights (cost 0) down to none.</param>
public sealed record SensitivityCurve(LayerInfo Layer, IReadOnlyList<SensitivityPoint> Points)
{
    /// <summary>The fewest weights whose cost, linear between two points, is still within the tolerance.</summary>
    /// <param name="tolerance">Allowed increase of the validation loss, in nats; below 0 nothing may be pruned.</param>
    public double SurvivorsFor(double tolerance)
    {
        int next = 0;
        while (next < Points.Count && Points[next].Cost <= tolerance)
        {
            next++;
        }

        if (next == 0 || next == Points.Count)
        {
            return next == 0 ? Layer.WeightCount : 0;
        }

        (SensitivityPoint above, SensitivityPoint below) = (Points[next - 1], Points[next]);
        double part = (tolerance - above.Cost) / (below.Cost - above.Cost);
        return above.Survivors + (part * (below.Survivors - above.Survivors));
    }

    /// <summary>How many weights are worth their price: the point of least cost + price x survivors.</summary>
    /// <param name="price">What one survivor costs, in nats; below 0 nothing is pruned.</param>
    public int SurvivorsAtPrice(double price) => Points.MinBy(p => p.Cost + (price * p.Survivors))!.Survivors;
}

/// <summary>What is made equal when a budget of survivors is split among layers.</summary>
public enum SplitRule
{
    /// <summary>Each layer, pruned alone, costs the same: no layer is hurt more than another.</summary>
    EqualCost,

    /// <summary>The last survivor of each layer saves the same: the sum of the layers' costs is the least. The loss of a
    /// layer that is destroyed grows no further, so a very small budget may give up a whole layer: see the minimum.</summary>
    LeastTotalCost,
}

/// <summary>
/// How sensitive each layer is to pruning, and a budget of survivors shared accordingly: the scan of Fig. 6 in [Han2015],
/// whose layer-wise splits sec. 5.1 in [Ren2019] starts from.
/// </summary>
/// <remarks>
/// Each layer alone is pruned by magnitude to a grid of keep fractions, without retraining, and evaluated. The validation
/// loss is what counts: it moves where the number of correct images does not yet. <see cref="Split"/> then finds the
/// tolerance t at which the layers together keep the budget when each, pruned alone, costs t; or the price of a survivor at
/// which they do. The first is closer to [Han2015]; the second lets a small sensitive layer keep nearly all of its weights,
/// which cost the others little, and loses less before retraining where the budget is not very small.
/// <para>[Han2015] gives layer i the threshold s_i sigma_i, a quality factor s_i times the standard deviation sigma_i of its
/// weights, and sets s_i by hand from such curves, low for a sensitive layer. A threshold and a number of survivors are
/// the same choice; here the curves make it for all layers at one t, and s_i follows: the smallest kept magnitude over
/// sigma_i. That costs add up over layers, and that they rank the layers as they would after retraining, is assumed and not
/// true; it is a start for a search, not its end.</para>
/// <para>[Han2015]: see <see cref="MagnitudePruning"/>. [Ren2019]: see <see cref="IConstraint"/>.</para>
/// </remarks>
public sealed class SensitivityScan
{
    // Halving the range of tolerances or prices so often leads from the largest loss to far below any noise.
    private const int Halvings = 100;

    private SensitivityScan(Evaluation dense, IReadOnlyList<SensitivityCurve> curves) => (Dense, Curves) = (dense, curves);

    /// <summary>The keep fractions of the default grid: 2^-1/2, 2^-1, ..., 2^-10.</summary>
    public static IReadOnlyList<double> DefaultKeepFractions { get; } =
        [.. Enumerable.Range(1, 20).Select(j => Math.Pow(2, -0.5 * j))];

    /// <summary>The network that nothing was pruned of, on the validation images.</summary>
    public Evaluation Dense { get; }

    /// <summary>One curve a layer, in the network's order.</summary>
    public IReadOnlyList<SensitivityCurve> Curves { get; }

    /// <summary>Prunes each layer alone to each of the keep fractions, and to nothing, and evaluates.</summary>
    /// <param name="network">The network to evaluate with; it is left with <paramref name="weights"/>.</param>
    /// <param name="weights">The trained weights.</param>
    /// <param name="keepFractions">The grid, each more than 0 and less than 1; null for
    /// <see cref="DefaultKeepFractions"/>.</param>
    /// <param name="around">
    /// Stands around each evaluation, to keep what was found and to say how far the scan is: given the layer (null for the network
    /// that nothing was pruned of), its survivors, and how to evaluate. Null: each is done.
    /// </param>
    /// <param name="cancellation">Stops between two evaluations.</param>
    /// <exception cref="AdmmKitException">A keep fraction is out of range, or a weight is not finite.</exception>
    public static SensitivityScan Run(
        ITrainable network, NetworkWeights weights, IReadOnlyList<double>? keepFractions = null,
        Func<LayerInfo?, int, Func<Evaluation>, Evaluation>? around = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(weights);
        keepFractions ??= DefaultKeepFractions;
        around ??= (_, _, evaluate) => evaluate();
        CheckGrid(keepFractions);
        network.Prepare(weights);
        Evaluation dense = around(null, weights.Survivors, () => network.Evaluate(DataSplit.Validation));
        var curves = new List<SensitivityCurve>();
        foreach ((LayerInfo layer, float[] w) in network.Layers.Zip(weights.Weights))
        {
            var points = new List<SensitivityPoint> { new(layer.WeightCount, dense, 0) };
            var pruned = new float[w.Length];
            foreach (int survivors in Grid(layer, keepFractions))
            {
                cancellation.ThrowIfCancellationRequested();
                Evaluation validation = around(layer, survivors, () =>
                {
                    MagnitudeSelection.Keep(w, pruned, survivors);
                    network.SetWeights(curves.Count, pruned);
                    return network.Evaluate(DataSplit.Validation);
                });
                double cost = Math.Max(points[^1].Cost, validation.Loss - dense.Loss);
                points.Add(new SensitivityPoint(survivors, validation, cost));
            }

            network.SetWeights(curves.Count, w);
            curves.Add(new SensitivityCurve(layer, points));
        }

        return new SensitivityScan(dense, curves);
    }

    /// <summary>Shares a budget among the layers.</summary>
    /// <param name="totalSurvivors">Weights that all layers together keep; met exactly.</param>
    /// <param name="rule">What is made equal.</param>
    /// <param name="minimum">What every layer keeps at least (all of a smaller layer), 1 or more.</param>
    /// <returns>Survivors by layer name.</returns>
    /// <exception cref="AdmmKitException">The total cannot be met.</exception>
    public IReadOnlyDictionary<string, int> Split(int totalSurvivors, SplitRule rule = SplitRule.EqualCost, int minimum = 1)
    {
        Guard.Positive("The number of weights that every layer keeps", minimum);
        int[] least = [.. Curves.Select(c => Math.Min(minimum, c.Layer.WeightCount))];
        long weights = Curves.Sum(c => (long)c.Layer.WeightCount);
        if (totalSurvivors < least.Sum() || totalSurvivors > weights)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"A budget of {totalSurvivors} survivors: it must be {least.Sum()} (at least {minimum} a layer) to {weights}."));
        }

        // The layers' survivors at a tolerance or a price: all below 0, none above the largest cost.
        double[] At(double x) => [.. Curves.Select((c, i) =>
            Math.Max(least[i], rule == SplitRule.EqualCost ? c.SurvivorsFor(x) : c.SurvivorsAtPrice(x)))];
        (double low, double high) = (-1, 1 + Curves.Max(c => c.Points[^1].Cost));
        for (int i = 0; i < Halvings; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = At(middle).Sum() > totalSurvivors ? (middle, high) : (low, middle);
        }

        // Where the survivors jump, between the two ends of what is left of the range, all go the same part of their way.
        (double[] most, double[] fewest) = (At(low), At(high));
        double span = most.Sum() - fewest.Sum();
        double part = span > 0 ? (totalSurvivors - fewest.Sum()) / span : 0;
        return Round([.. fewest.Zip(most, (f, m) => f + (part * (m - f)))], least, totalSurvivors);
    }

    /// <summary>Checks a grid.</summary>
    /// <param name="keepFractions">The keep fractions.</param>
    /// <exception cref="AdmmKitException">One is out of range.</exception>
    public static void CheckGrid(IReadOnlyList<double> keepFractions)
    {
        ArgumentNullException.ThrowIfNull(keepFractions);
        foreach (double keep in keepFractions)
        {
            if (!(keep is > 0 and < 1))
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"The keep fraction {keep} is out of range: it must be more than 0 and less than 1."));
            }
        }
    }

    /// <summary>Numbers of survivors from most to none, each once: what a scan evaluates of a layer.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="keepFractions">The grid.</param>
    public static IEnumerable<int> Grid(LayerInfo layer, IReadOnlyList<double> keepFractions) => keepFractions
        .Select(keep => (int)Math.Round(keep * layer.WeightCount)).Append(0)
        .Where(k => k < layer.WeightCount).Distinct().OrderDescending();

    /// <summary>Rounds down, then gives what is missing to the largest remainders, of equal ones to the earlier layer.</summary>
    private Dictionary<string, int> Round(double[] survivors, int[] least, int total)
    {
        int[] rounded = [.. survivors.Select((k, i) => Math.Clamp((int)k, least[i], Curves[i].Layer.WeightCount))];
        int[] order = [.. Enumerable.Range(0, rounded.Length).OrderByDescending(i => survivors[i] - rounded[i])];
        for (int missing = total - rounded.Sum(), at = 0; missing != 0; at = (at + 1) % order.Length)
        {
            int step = Math.Sign(missing);
            int changed = rounded[order[at]] + step;
            if (changed >= least[order[at]] && changed <= Curves[order[at]].Layer.WeightCount)
            {
                rounded[order[at]] = changed;
                missing -= step;
            }
        }

        return Curves.Select((c, i) => (c.Layer.Name, rounded[i])).ToDictionary(p => p.Name, p => p.Item2);
    }
}
