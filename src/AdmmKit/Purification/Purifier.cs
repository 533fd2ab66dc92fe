using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Training;

namespace AdmmKit.Purification;

/// <summary>Which outputs and input channels of a layer are near-empty, and what removing them may cost.</summary>
/// <param name="Survivors">An output or input channel with at most so many survivors is near-empty; 0 for none.</param>
/// <param name="NormShare">
/// One whose weights have at most this share of the mean l2 norm among the living ones of its layer is, too; 0 for none.
/// </param>
/// <param name="MaxDrop">Accuracy that may be lost in all, in points on the images that the evaluation takes.</param>
public sealed record PurificationOptions(int Survivors, double NormShare, double MaxDrop)
{
    /// <summary>Removes only what has no effect at all.</summary>
    public static PurificationOptions UnusedAlone { get; } = new(0, 0, 0);

    /// <summary>Refuses numbers out of range.</summary>
    /// <exception cref="AdmmKitException">One is negative or not finite.</exception>
    public void Check()
    {
        if (!(Survivors >= 0 && NormShare >= 0 && double.IsFinite(NormShare) && MaxDrop >= 0 && double.IsFinite(MaxDrop)))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Purification of outputs with up to {Survivors} survivors or {NormShare} of the mean norm, at a cost of {MaxDrop} points: none of the three is negative."));
        }
    }
}

/// <summary>
/// Removes near-empty outputs and input channels while the accuracy bears it, and with them what is then unused. The paths of
/// a network pruned far are thin: a neuron with one survivor mostly costs more in the file than it is worth.
/// </summary>
public static class Purifier
{
    // A network that is wrong as often as right, as one may be between pruning and retraining, does not show what a path is worth.
    private const double LeastAccuracy = 0.5;

    /// <summary>
    /// Removes <see cref="UnusedPaths"/>, then tries near-empty groups, those of least norm first: all at once, or else each
    /// half by itself, down to single ones. What is accepted stays removed, and what this makes near-empty is tried next. No
    /// layer loses its last survivor so, and of a network with less than half of the images correct only unused paths go.
    /// </summary>
    /// <param name="spec">The network.</param>
    /// <param name="weights">Its weights, which stay as they are.</param>
    /// <param name="evaluate">Evaluates weights, on images that choices may be made by.</param>
    /// <param name="options">What is near-empty, and what it may cost.</param>
    /// <param name="cancellation">Stops between two evaluations.</param>
    /// <exception cref="AdmmKitException">The weights are not those of such a network, or an option is out of range.</exception>
    public static PurificationResult Run(
        NetworkSpec spec, NetworkWeights weights, Func<NetworkWeights, Evaluation> evaluate, PurificationOptions options,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(evaluate);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        NetworkWeights now = UnusedPaths.Remove(spec, weights).Weights;
        Evaluation before = evaluate(now), after = before;
        int evaluations = 1;
        int mayLose = (int)Math.Floor((options.MaxDrop * before.Count / 100) + 1e-9);
        LayerReads[] reads = LayerReads.Of(spec);
        var refused = new HashSet<Group>();
        while (before.Accuracy >= LeastAccuracy && Candidates() is { Length: > 0 } candidates)
        {
            // Each is removed or refused, and neither comes up again.
            Try(candidates);
        }

        return new PurificationResult(new PrunedNetwork(now, after), LayerRemoval.Between(spec, weights, now), before, evaluations);

        Group[] Candidates() =>
        [
            .. spec.Layers.SelectMany((layer, i) =>
            {
                // The last step's outputs are the classes.
                bool classes = i == spec.Layers.Count - 1 && spec.Nodes[^1] is Node.FullyConnected or Node.Convolution;
                return NearlyEmpty(i, isRow: true, classes ? 0 : layer.Rows).Concat(NearlyEmpty(i, isRow: false, reads[i].Channels));
            }).Where(c => !refused.Contains(c.Group)).OrderBy(c => c.Norm).Select(c => c.Group),
        ];

        IEnumerable<(Group Group, double Norm)> NearlyEmpty(int layer, bool isRow, int count)
        {
            (Group Group, int Survivors, double Norm)[] living =
            [
                .. Enumerable.Range(0, count).Select(i => new Group(layer, isRow, i))
                    .Select(g => (g, Left: Positions(g).Select(j => (double)now.Weights[layer][j]).Where(w => w != 0).ToArray()))
                    .Where(g => g.Left.Length > 0)
                    .Select(g => (g.g, g.Left.Length, Math.Sqrt(g.Left.Sum(w => w * w)))),
            ];
            double least = living.Length == 0 ? 0 : options.NormShare * living.Average(g => g.Norm);
            return living.Where(g => g.Survivors <= options.Survivors || g.Norm <= least).Select(g => (g.Group, g.Norm));
        }

        void Try(Group[] groups)
        {
            cancellation.ThrowIfCancellationRequested();
            float[][] cut = [.. now.Weights.Select(w => (float[])w.Clone())];
            foreach (Group group in groups)
            {
                foreach (int j in Positions(group))
                {
                    cut[group.Layer][j] = 0;
                }
            }

            NetworkWeights without = UnusedPaths.Remove(spec, now with { Weights = cut }).Weights;
            if (now.Weights.Zip(without.Weights).All(p => HasAny(p.Second) || !HasAny(p.First)) && Affordable(without))
            {
                now = without;
            }
            else if (groups.Length == 1)
            {
                refused.Add(groups[0]);
            }
            else
            {
                Try(groups[..(groups.Length / 2)]);
                Try(groups[(groups.Length / 2)..]);
            }
        }

        bool Affordable(NetworkWeights without)
        {
            Evaluation evaluation = evaluate(without);
            evaluations++;
            bool affordable = before.Correct - evaluation.Correct <= mayLose;
            after = affordable ? evaluation : after;
            return affordable;
        }

        IEnumerable<int> Positions(Group group) =>
            group.IsRow ? reads[group.Layer].OfRow(group.Index) : reads[group.Layer].OfChannel(group.Index);
    }

    private static bool HasAny(float[] weights) => weights.AsSpan().ContainsAnyExcept(0f);

    /// <summary>The weights of an output, or those that read an input channel.</summary>
    private readonly record struct Group(int Layer, bool IsRow, int Index);
}
