using System.Globalization;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Hardware.Search;
using AdmmKit.Networks;

namespace AdmmKit.Experiments.Search;

/// <summary>A search that is done: the way it went, and the recipe that it came to.</summary>
/// <param name="Objective">What was made small.</param>
/// <param name="Spec">The network.</param>
/// <param name="Result">Which shares were tried, and the best.</param>
/// <param name="Bits">Which bits were tried; empty where nothing is quantized.</param>
/// <param name="Dense">The dense network on the validation images.</param>
/// <param name="Recipe">The full compression with the best of them.</param>
public sealed record FinishedSearch(
    IObjective Objective, NetworkSpec Spec, SearchResult Result, IReadOnlyList<ProbedBits> Bits, Training.Evaluation Dense, Recipe Recipe);

/// <summary>
/// Hardware-aware compression, Fig. 5 in [Ren2019]: searches the layers' shares for an objective with ADMM in every probe, prunes
/// in full with the best of them, then searches the bits, convolutions first. Probes and runs are kept, so that the same search
/// goes on where it was cut off.
/// </summary>
/// <param name="recipe">How.</param>
/// <param name="data">What to learn from.</param>
/// <param name="store">Where full runs are kept.</param>
/// <param name="probeFolder">Where probes are kept.</param>
/// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
/// <param name="observer">Told how it goes, or null.</param>
/// <param name="cancellation">Stops between two training steps.</param>
public sealed class ShareSearch(
    SearchRecipe recipe, DataSet data, RunStore store, string probeFolder, int threads = 0, IRunObserver? observer = null,
    CancellationToken cancellation = default)
{
    private const string Stage = "searched";

    /// <summary>The name of the pruning in the recipe that a search comes to.</summary>
    public static string Pruned => Stage;

    /// <summary>Searches for an objective.</summary>
    /// <param name="objective">What is to become small.</param>
    /// <exception cref="AdmmKitException">The recipe is out of range, or the budget cannot be kept.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the same call goes on from there.</exception>
    public FinishedSearch Run(IObjective objective)
    {
        ArgumentNullException.ThrowIfNull(objective);
        NetworkSpec spec = RecipeNetwork.Of(recipe.Network, data);
        SearchOptions options = Check(spec, objective);
        RunResult dense = store.Execute(recipe.Network, data, threads, observer: observer, cancellation: cancellation);
        observer?.Milestone(Line(
            $"{objective.Name}: dense network {100 * dense.Dense.Validation.Accuracy:f2} % of {dense.Dense.Validation.Count} validation images; a probe may lie {recipe.ProbeBudget} points below"));
        int probeEpochs = (recipe.Probe.Admm.Iterations * recipe.Probe.Admm.EpochsPerIteration) + recipe.Probe.Retrain.Epochs;
        OverallProgress? overall = observer is null ? null : new OverallProgress(observer, ((3 * recipe.Bisections) + 1) * probeEpochs);
        var probes = new Probes(probeFolder, data, threads, overall, cancellation);
        SearchResult result = CompressionSearch.Run(dense.Spec, dense.Dense.Validation, objective, options, candidate =>
        {
            Training.Evaluation validation = probes.Prune(dense, Probe(KeepFraction(dense.Spec, candidate)));
            overall?.Finish(probeEpochs);
            string shares = string.Join(", ", candidate.KeepFraction.Distinct().Order().Select(k => k.ToString("0.####", CultureInfo.InvariantCulture)));
            observer?.Milestone(Line($"{candidate.Step}, reduction {candidate.Reduction:f3}: cost {candidate.Cost:g4} {objective.Unit}, {100 * validation.Accuracy:f2} %; shares {shares}"));
            return validation;
        });
        Dictionary<string, double> best = KeepFraction(dense.Spec, result.Best);
        Recipe full = best.Count > 0 ? Final(best) : throw new AdmmKitException(
            $"Nothing can be pruned for the least {objective.Name} within a budget of {Line($"{recipe.ProbeBudget}")} points: every layer would keep more than its break-even, so the dense network is the answer. Allow a larger probeBudget, or let probes train longer.");
        IReadOnlyList<ProbedBits> bits = [];
        if (recipe.Bits is { } b)
        {
            RunResult pruned = store.Execute(full, data, threads, observer: observer, cancellation: cancellation);
            bits = BitsPath(pruned, b, ProbeImages, probes, observer);
        }

        if (bits.LastOrDefault(p => p.Accepted) is { } chosen)
        {
            full = full with { Quantize = recipe.Bits!.Final with { ConvolutionBits = chosen.ConvolutionBits, FullyConnectedBits = chosen.FullyConnectedBits } };
        }

        return new FinishedSearch(objective, dense.Spec, result, bits, dense.Dense.Validation, full);
    }

    /// <summary>The search for the bits of a pruned network.</summary>
    private static IReadOnlyList<ProbedBits> BitsPath(
        RunResult pruned, BitsRecipe bits, int? images, Probes probes, IRunObserver? observer) =>
        BitsSearch.Run(pruned.Spec, pruned.Pruned[^1].Validation, Options(bits), (convolution, fullyConnected) =>
        {
            Training.Evaluation validation = ProbeBits(pruned, bits, convolution, fullyConnected, images, probes);
            observer?.Milestone(Line($"conv {convolution} b, fc {fullyConnected} b: {100 * validation.Accuracy:f2} %"));
            return validation;
        });

    /// <summary>The fewest bits within the budget; null where not even the most are.</summary>
    internal static ProbedBits? SearchBits(RunResult pruned, BitsRecipe bits, int? images, Probes probes, IRunObserver? observer)
    {
        double least = pruned.Pruned[^1].Validation.Accuracy - Options(bits).Budget;
        return ProbeBits(pruned, bits, bits.MostBits, bits.MostBits, images, probes).Accuracy < least
            ? null : BitsPath(pruned, bits, images, probes, observer).Last(p => p.Accepted);
    }

    private static Training.Evaluation ProbeBits(
        RunResult pruned, BitsRecipe bits, int convolution, int fullyConnected, int? images, Probes probes) =>
        probes.Quantize(pruned, pruned.Recipe with
        {
            TrainingImages = images,
            Quantize = bits.Probe with { ConvolutionBits = convolution, FullyConnectedBits = fullyConnected },
        });

    /// <summary>A probe never sees more images than the network does.</summary>
    internal static int? Fewer(int? probe, int? network) => probe is { } images && images < (network ?? int.MaxValue) ? images : network;

    private int? ProbeImages => Fewer(recipe.Probe.TrainingImages, recipe.Network.TrainingImages);

    private Recipe Probe(Dictionary<string, double> keepFraction) => recipe.Network with
    {
        TrainingImages = ProbeImages,
        Prune = [new() { Name = "probe", KeepFraction = keepFraction, Admm = recipe.Probe.Admm, Retrain = recipe.Probe.Retrain }],
    };

    private Recipe Final(Dictionary<string, double> keepFraction) => recipe.Network with
    {
        Prune = [recipe.Final with { Name = Stage, KeepFraction = keepFraction }],
    };

    internal static BitsOptions Options(BitsRecipe bits) =>
        new() { MostBits = bits.MostBits, FewestBits = bits.FewestBits, Budget = bits.ProbeBudget / 100 };

    /// <summary>What is wrong with the recipe is told before hours of training, not after.</summary>
    private SearchOptions Check(NetworkSpec spec, IObjective objective)
    {
        if (recipe.Network.Prune.Count > 0 || recipe.Network.Quantize is not null)
        {
            throw new AdmmKitException("The recipe of a search says in 'network' how to train, not how to prune or quantize: leave out its prune and quantize; they are what is searched.");
        }

        if (recipe.Final.Survivors.Count + recipe.Final.KeepFraction.Count > 0 || recipe.Final.TotalSurvivors is not null
            || recipe.Bits is { } b && b.Probe.Bits.Count + b.Final.Bits.Count > 0)
        {
            throw new AdmmKitException("The recipe of a search says in 'final' and 'bits' how to prune and quantize, not how far: leave out survivors, keepFraction, totalSurvivors and bits by layer; they are what is searched.");
        }

        var options = new SearchOptions
        {
            Initial = recipe.InitialKeepFraction,
            InitialKeepFraction = recipe.OtherKeepFraction,
            Held = recipe.Held,
            Budget = recipe.ProbeBudget / 100,
            LargestReduction = recipe.LargestReduction,
            Bisections = recipe.Bisections,
        };
        CompressionSearch.Check(spec, options);
        spec.Layers.ToList().ForEach(l => objective.Cost(l, 1));
        Dictionary<string, double> example = spec.Layers.ToDictionary(l => l.Name, _ => 1.0);
        RecipeChecks.Check(Probe(example), spec);
        RecipeChecks.Check(Final(example), spec);
        CompressionRun.Part(data, ProbeImages);
        if (recipe.Bits is { } bits)
        {
            BitsSearch.Check(Options(bits));
            RecipeChecks.Check(Final(example) with { Quantize = bits.Probe }, spec);
            RecipeChecks.Check(Final(example) with { Quantize = bits.Final }, spec);
        }

        return options;
    }

    /// <summary>The shares of the layers that are pruned.</summary>
    private static Dictionary<string, double> KeepFraction(NetworkSpec spec, Candidate candidate) => spec.Layers.Zip(candidate.KeepFraction)
        .Where(p => p.Second < 1).ToDictionary(p => p.First.Name, p => p.Second);

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
