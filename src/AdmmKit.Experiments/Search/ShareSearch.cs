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
        if (recipe.Network.Prune.Count > 0 || recipe.Network.Quantize is not null)
        {
            throw new AdmmKitException("The recipe of a search says in 'network' how to train, not how to prune or quantize: leave out its prune and quantize; they are what is searched.");
        }

        RunResult dense = store.Execute(recipe.Network, data, threads, observer: observer, cancellation: cancellation);
        observer?.Milestone(Line($"{objective.Name}: dense network {100 * dense.Dense.Validation.Accuracy:f2} % of {dense.Dense.Validation.Count} validation images; a probe may lie {recipe.ProbeBudget} points below"));
        int probeEpochs = (recipe.Probe.Admm.Iterations * recipe.Probe.Admm.EpochsPerIteration) + recipe.Probe.Retrain.Epochs;
        OverallProgress? overall = observer is null ? null : new OverallProgress(observer, ((3 * recipe.Bisections) + 1) * probeEpochs);
        var probes = new Probes(probeFolder, data, threads, overall, cancellation);
        var options = new SearchOptions
        {
            Initial = recipe.InitialKeepFraction,
            InitialKeepFraction = recipe.OtherKeepFraction,
            Held = recipe.Held,
            Budget = recipe.ProbeBudget / 100,
            LargestReduction = recipe.LargestReduction,
            Bisections = recipe.Bisections,
        };
        SearchResult result = CompressionSearch.Run(dense.Spec, dense.Dense.Validation, objective, options, candidate =>
        {
            Training.Evaluation validation = probes.Prune(dense, recipe.Network with
            {
                TrainingImages = recipe.Probe.TrainingImages ?? recipe.Network.TrainingImages,
                Prune = [new() { Name = "probe", KeepFraction = KeepFraction(dense.Spec, candidate), Admm = recipe.Probe.Admm, Retrain = recipe.Probe.Retrain }],
            });
            overall?.Finish(probeEpochs);
            string shares = string.Join(", ", candidate.KeepFraction.Distinct().Order().Select(k => k.ToString("0.####", CultureInfo.InvariantCulture)));
            observer?.Milestone(Line($"{candidate.Step}, reduction {candidate.Reduction:f3}: cost {candidate.Cost:g4} {objective.Unit}, {100 * validation.Accuracy:f2} %; shares {shares}"));
            return validation;
        });
        Recipe full = recipe.Network with
        {
            Prune = [recipe.Final with { Name = Stage, Survivors = new Dictionary<string, int>(), KeepFraction = KeepFraction(dense.Spec, result.Best) }],
        };
        IReadOnlyList<ProbedBits> bits = recipe.Bits is { } b ? SearchBits(full, b, probes) : [];
        if (bits.LastOrDefault(p => p.Accepted) is { } chosen)
        {
            full = full with { Quantize = recipe.Bits!.Final with { ConvolutionBits = chosen.ConvolutionBits, FullyConnectedBits = chosen.FullyConnectedBits } };
        }

        return new FinishedSearch(objective, dense.Spec, result, bits, dense.Dense.Validation, full);
    }

    private IReadOnlyList<ProbedBits> SearchBits(Recipe full, BitsRecipe bits, Probes probes)
    {
        RunResult pruned = store.Execute(full, data, threads, observer: observer, cancellation: cancellation);
        var options = new BitsOptions { MostBits = bits.MostBits, FewestBits = bits.FewestBits, Budget = bits.ProbeBudget / 100 };
        return BitsSearch.Run(pruned.Spec, pruned.Pruned[^1].Validation, options, (convolution, fullyConnected) =>
        {
            Training.Evaluation validation = probes.Quantize(pruned, full with
            {
                TrainingImages = recipe.Probe.TrainingImages ?? recipe.Network.TrainingImages,
                Quantize = bits.Probe with { ConvolutionBits = convolution, FullyConnectedBits = fullyConnected },
            });
            observer?.Milestone(Line($"conv {convolution} b, fc {fullyConnected} b: {100 * validation.Accuracy:f2} %"));
            return validation;
        });
    }

    /// <summary>The shares of the layers that are pruned.</summary>
    private static Dictionary<string, double> KeepFraction(NetworkSpec spec, Candidate candidate) => spec.Layers.Zip(candidate.KeepFraction)
        .Where(p => p.Second < 1).ToDictionary(p => p.First.Name, p => p.Second);

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
