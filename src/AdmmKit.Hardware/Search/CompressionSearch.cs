using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Hardware.Search;

/// <summary>How a search goes.</summary>
public sealed record SearchOptions
{
    /// <summary>
    /// alpha_i before any reduction, as shares of the layers' weights, by layer: those of earlier work, which tell how sensitive
    /// each layer is (sec. 5.2 in [Ren2019]).
    /// </summary>
    public IReadOnlyDictionary<string, double> Initial { get; init; } = new Dictionary<string, double>();

    /// <summary>alpha_i before any reduction of layers that <see cref="Initial"/> does not name, in (0, 1].</summary>
    public double InitialKeepFraction { get; init; } = 0.5;

    /// <summary>
    /// Layers that keep their initial alpha_i, whatever their break-even: fully connected ones that are pruned moderately, to hold
    /// the accuracy.
    /// </summary>
    public IReadOnlyList<string> Held { get; init; } = [];

    /// <summary>How far a probe's accuracy may lie below that of the dense network, as a share of the images; not negative.</summary>
    public double Budget { get; init; } = 0.01;

    /// <summary>The largest reduction that is tried: the costliest layer then has exp(-this) of its initial weights.</summary>
    public double LargestReduction { get; init; } = 3;

    /// <summary>Probes of each binary search.</summary>
    public int Bisections { get; init; } = 5;

    /// <summary>
    /// Probes after the binary searches, at most, that push single layers further: the one with most to save first. The binary
    /// searches then take half of the budget, and the layers that are cheap to push the rest.
    /// </summary>
    public int Refinements { get; init; }

    /// <summary>
    /// Whether C_i is what a layer costs at its initial share, and not dense: for a network that is pruned already, whose layers are
    /// no longer as large as they were.
    /// </summary>
    public bool CostAtInitial { get; init; }

    /// <summary>Decimals of the shares, 1 to 9.</summary>
    public int Decimals { get; init; } = 4;
}

/// <summary>A way to prune the network, to be tried.</summary>
/// <param name="Step">Which step of the search asks.</param>
/// <param name="Reduction">How far the layers' shares are reduced; 0 is the initial ones.</param>
/// <param name="KeepFraction">alpha_i as a share of each layer's weights, in the order of the layers; 1 where the layer stays dense.</param>
/// <param name="Cost">What the objective says.</param>
public sealed record Candidate(string Step, double Reduction, IReadOnlyList<double> KeepFraction, double Cost);

/// <summary>A candidate and what came of it.</summary>
/// <param name="Candidate">The candidate.</param>
/// <param name="Validation">Its accuracy after a short compression, on the validation images.</param>
/// <param name="Accepted">Whether that is within the budget.</param>
public sealed record ProbedCandidate(Candidate Candidate, Evaluation Validation, bool Accepted);

/// <summary>What a search found.</summary>
/// <param name="Best">The cheapest accepted candidate without a layer above its break-even; the dense network where there is none.</param>
/// <param name="Path">All candidates in the order in which they were tried.</param>
/// <param name="Restored">Names of layers whose structure was restored, because they cannot surpass their break-even.</param>
/// <param name="DenseCost">What the objective says of the dense network.</param>
public sealed record SearchResult(
    Candidate Best, IReadOnlyList<ProbedCandidate> Path, IReadOnlyList<string> Restored, double DenseCost);

/// <summary>
/// Chooses alpha_i for every layer: Fig. 5 in [Ren2019]. From initial shares, reductions proportional to what each layer costs
/// (C_i, the amount of computation, where the objective is delay), by binary search on how far they can go under an accuracy
/// constraint; then layers that do not surpass their break-even are restored, and the margin goes to the others by another
/// binary search. With an objective that has no break-even, such as survivors, only the first half is left.
/// </summary>
/// <remarks>
/// In the paper each iteration reduces alpha_i by an amount proportional to C_i. Many small iterations, each in proportion to
/// what is left of the layer so that none vanishes, come to alpha_i = alpha_i(0) exp(-s C_i / max C): s is the reduction that is
/// searched. And layers above their break-even are not only restored, with the margin given to the others: it is also tried
/// what the others must give back when these layers are pruned to half of their break-even. The cheaper of the two is taken.
/// <para>A common reduction follows what a layer costs and not how much accuracy its weights are worth. With
/// <see cref="SearchOptions.Refinements"/> each layer therefore goes on alone, the one with most to save first: it is halved as
/// long as that is within the budget, then tried with half such steps, and left where a quarter of one is too much.</para>
/// </remarks>
public sealed class CompressionSearch
{
    /// <summary>The step of candidates that are tried as a start: the initial shares, or milder ones where these are too much.</summary>
    public const string Start = "initial";

    // Below its break-even by so much a layer gains enough to be worth the accuracy.
    private const double Below = 0.5;

    // The share of the budget that a common reduction takes where single layers are pushed after it.
    private const double CommonPart = 0.5;

    // How far a single layer is pushed at first, and the least that is tried, as reductions of its own.
    private static readonly double FirstPush = Math.Log(2);
    private static readonly double LeastPush = FirstPush / 4;

    // A start that is already too much is made milder so often.
    private const int MilderStarts = 3;

    private readonly IReadOnlyList<LayerInfo> layers;
    private readonly IObjective objective;
    private readonly SearchOptions options;
    private readonly Func<Candidate, Evaluation> probe;
    private readonly Evaluation dense;
    private readonly double leastAccuracy;
    private readonly double commonAccuracy;
    private readonly double[] share;
    private readonly List<ProbedCandidate> path = [];
    private readonly double?[] settled;
    private double[] start;

    private CompressionSearch(
        NetworkSpec spec, Evaluation dense, IObjective objective, SearchOptions options, Func<Candidate, Evaluation> probe)
    {
        (layers, this.objective, this.options, this.probe) = (spec.Layers, objective, options, probe);
        Check(spec, options);
        this.dense = dense;
        leastAccuracy = dense.Accuracy - options.Budget;
        commonAccuracy = dense.Accuracy - (options.Budget * (options.Refinements > 0 ? CommonPart : 1));
        start = [.. layers.Select(l => options.Initial.TryGetValue(l.Name, out double keep) ? keep : options.InitialKeepFraction)];
        double[] cost = [.. layers.Select((l, i) => objective.Cost(l, options.CostAtInitial ? start[i] : 1))];
        share = [.. cost.Select((c, i) => options.Held.Contains(layers[i].Name) ? 0 : c / cost.Max())];
        settled = new double?[layers.Count];
    }

    /// <summary>Finds what is wrong with options before anything is probed.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="options">The options.</param>
    /// <exception cref="AdmmKitException">One is out of range, or names no layer.</exception>
    public static void Check(NetworkSpec spec, SearchOptions options)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(options);
        foreach (string name in options.Initial.Keys.Concat(options.Held))
        {
            spec.IndexOf(name);
        }

        foreach ((string name, double keep) in options.Initial.Append(new("of the layers that are not named", options.InitialKeepFraction)))
        {
            if (!(keep > 0 && keep <= 1))
            {
                throw new AdmmKitException(FormattableString.Invariant($"The initial keepFraction {name} is {keep}: it must be above 0 and at most 1."));
            }
        }

        string? wrong = options switch
        {
            _ when !(options.Budget >= 0 && options.Budget < 1) => FormattableString.Invariant($"the budget {options.Budget} is not a share of images, 0 or more and below 1"),
            _ when !(options.LargestReduction > 0 && options.LargestReduction <= 20) => FormattableString.Invariant($"the largest reduction {options.LargestReduction} is not above 0 and at most 20"),
            { Bisections: < 1 or > 30 } => FormattableString.Invariant($"{options.Bisections} bisections are not 1 to 30"),
            { Refinements: < 0 or > 1000 } => FormattableString.Invariant($"{options.Refinements} refinements are not 0 to 1000"),
            { Decimals: < 1 or > 9 } => FormattableString.Invariant($"{options.Decimals} decimals are not 1 to 9"),
            _ => null,
        };
        if (wrong is not null)
        {
            throw new AdmmKitException($"The search cannot be done: {wrong}.");
        }
    }

    /// <summary>Searches.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="dense">The dense network's accuracy on the validation images.</param>
    /// <param name="objective">What is to become small.</param>
    /// <param name="options">How.</param>
    /// <param name="probe">Prunes shortly and says the accuracy on the validation images; always the same for the same candidate.</param>
    /// <exception cref="AdmmKitException">An option is out of range or names no layer, or even mild pruning is beyond the budget.</exception>
    public static SearchResult Run(
        NetworkSpec spec, Evaluation dense, IObjective objective, SearchOptions options, Func<Candidate, Evaluation> probe)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(dense);
        ArgumentNullException.ThrowIfNull(objective);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(probe);
        return new CompressionSearch(spec, dense, objective, options, probe).Run();
    }

    private SearchResult Run()
    {
        FindStart();
        double reduction = Bisect("reduce", 0, options.LargestReduction);
        bool[] above = [.. At(reduction).Select((keep, i) => IsAbove(i, keep))];
        if (above.Contains(true))
        {
            for (int i = 0; i < layers.Count; i++)
            {
                settled[i] = above[i] ? 1 : null;
            }

            // Both ways leave or cost the others a margin, so each searches their reduction anew.
            int before = path.Count;
            Bisect("restore, and reduce the others", 0, options.LargestReduction);
            if (!path.Skip(before).Any(p => p.Accepted))
            {
                Try("restore", reduction);
            }

            for (int i = 0; i < layers.Count; i++)
            {
                double breakEven = objective.BreakEvenKeepFraction(layers[i]);
                settled[i] = above[i] && breakEven > 0 ? Below * breakEven : settled[i];
            }

            if (settled.Any(s => s < 1))
            {
                Bisect("below break-even, and reduce the others", 0, options.LargestReduction);
            }
        }

        Refine();

        // What is within the budget but has a layer that pays less than it costs is no answer; the dense network always is one.
        double denseCost = layers.Sum(l => objective.Cost(l, 1));
        Candidate best = path.Where(p => p.Accepted && !p.Candidate.KeepFraction.Where((keep, i) => IsAbove(i, keep)).Any())
            .OrderBy(p => p.Candidate.Cost).ThenByDescending(p => p.Validation.Correct)
            .FirstOrDefault()?.Candidate ?? new Candidate("dense", 0, [.. layers.Select(_ => 1.0)], denseCost);
        string[] restored = [.. layers.Where((_, i) => above[i] && best.KeepFraction[i] >= 1).Select(l => l.Name)];
        return new SearchResult(best, path, restored, denseCost);
    }

    /// <summary>Whether a layer is pruned, but not enough to pay. Layers that are held were decided by the user.</summary>
    private bool IsAbove(int layer, double keep) =>
        keep < 1 && !options.Held.Contains(layers[layer].Name) && keep > objective.BreakEvenKeepFraction(layers[layer]);

    private void FindStart()
    {
        for (int milder = 0; !Accepts(Start, 0, At(0)); milder++)
        {
            if (milder == MilderStarts)
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"Even the mildest start, {100 * path[^1].Candidate.KeepFraction.Min():f0} % of the most pruned layer, has a validation accuracy of {100 * path[^1].Validation.Accuracy:f2} %, below the {100 * leastAccuracy:f2} % of the budget: allow more with the budget, let probes train longer, or give a milder initial keepFraction."));
            }

            start = [.. start.Select((keep, i) => options.Held.Contains(layers[i].Name) ? keep : Math.Sqrt(keep))];
        }
    }

    /// <summary>Pushes one layer after another, from the cheapest candidate that leaves a margin, or else the cheapest at all.</summary>
    private void Refine()
    {
        ProbedCandidate best = path.Where(p => p.Accepted)
            .OrderBy(p => p.Validation.Accuracy < commonAccuracy).ThenBy(p => p.Candidate.Cost).First();
        double[] keep = [.. best.Candidate.KeepFraction];
        double[] push = [.. keep.Select((k, i) => k < 1 && !options.Held.Contains(layers[i].Name) ? FirstPush : 0)];
        for (int left = options.Refinements; left > 0; left--)
        {
            double Pushed(int i) => Rounded(layers[i], keep[i] * Math.Exp(-push[i]));
            double Saved(int i) => push[i] < LeastPush ? 0 : objective.Cost(layers[i], keep[i]) - objective.Cost(layers[i], Pushed(i));
            int next = Enumerable.Range(0, keep.Length).MaxBy(Saved);
            if (!(Saved(next) > 0))
            {
                return;
            }

            double before = keep[next];
            keep[next] = Pushed(next);
            if (!Accepts("push " + layers[next].Name, best.Candidate.Reduction, [.. keep]))
            {
                (keep[next], push[next]) = (before, push[next] / 2);
            }
        }
    }

    /// <summary>The largest reduction whose probe is accepted, to so many halvings; <paramref name="low"/> is taken for accepted.</summary>
    private double Bisect(string step, double low, double high)
    {
        for (int i = 0; i < options.Bisections; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = Try(step, middle) ? (middle, high) : (low, middle);
        }

        return low;
    }

    private bool Try(string step, double reduction)
    {
        Accepts(step, reduction, At(reduction));
        return path[^1].Validation.Accuracy >= commonAccuracy;
    }

    private bool Accepts(string step, double reduction, double[] keep)
    {
        var candidate = new Candidate(step, reduction, keep, layers.Select((l, i) => objective.Cost(l, keep[i])).Sum());
        Evaluation validation = keep.All(k => k >= 1) ? dense : probe(candidate);
        path.Add(new ProbedCandidate(candidate, validation, validation.Accuracy >= leastAccuracy));
        return path[^1].Accepted;
    }

    // Rounded to what a recipe says, and never fewer than one weight.
    private double[] At(double reduction) => [.. layers.Select((l, i) => settled[i] switch
    {
        1 => 1,
        { } pushed => Rounded(l, Math.Min(pushed, Reduced(i, reduction))),
        null => Rounded(l, Reduced(i, reduction)),
    })];

    private double Reduced(int layer, double reduction) => start[layer] * Math.Exp(-reduction * share[layer]);

    private double Rounded(LayerInfo layer, double keep) => Math.Max(Math.Round(keep, options.Decimals), 1.0 / layer.WeightCount);
}
