using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Hardware.Search;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Search;

/// <summary>A compression that keeps its promise.</summary>
/// <param name="Run">The whole run; its recipe does it again without a search.</param>
/// <param name="Dense">The dense network on the validation images.</param>
/// <param name="Validation">The decoded file on the same images, counted by <see cref="ScalarNetwork"/>.</param>
/// <param name="Searches">How each stage's shares were found.</param>
public sealed record FinishedDrop(RunResult Run, Evaluation Dense, Evaluation Validation, IReadOnlyList<SearchRecord> Searches)
{
    /// <summary>How many points the decoded file lies below the dense network; negative where it lies above.</summary>
    public double Drop => 100.0 * (Dense.Correct - Validation.Correct) / Dense.Count;
}

/// <summary>
/// Compresses as far as an allowed drop of validation accuracy goes, and chooses everything else: alpha_i of each stage by
/// <see cref="CompressionSearch"/>, with probes that begin at the stage before; stages of rising compression by ADMM, each in full
/// and with the zeros of those before, until one loses too much even at a milder step; then bits by <see cref="BitsSearch"/>.
/// What loses more than the promise is not returned: more bits, or the stage before, take its place.
/// </summary>
/// <param name="recipe">How.</param>
/// <param name="data">What to learn from. Choices are made by its validation images alone.</param>
/// <param name="store">Where full runs are kept.</param>
/// <param name="probeFolder">Where probes are kept.</param>
/// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
/// <param name="observer">Told how it goes, or null.</param>
/// <param name="cancellation">Stops between two training steps.</param>
public sealed class DropSearch(
    DropRecipe recipe, DataSet data, RunStore store, string probeFolder, int threads = 0, IRunObserver? observer = null,
    CancellationToken cancellation = default)
{
    // A stage that saves less than this share is not worth its training.
    private const double LeastSaved = 0.05;

    // Bits that are added, to all layers, before a network is given up for a larger one.
    private const int MoreBits = 2;

    private readonly List<SearchRecord> searches = [];

    /// <summary>Searches, prunes and quantizes.</summary>
    /// <param name="objective">What is to become small.</param>
    /// <exception cref="AdmmKitException">The recipe is out of range, or the promise cannot be kept.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the same call goes on from there.</exception>
    public FinishedDrop Run(IObjective objective)
    {
        ArgumentNullException.ThrowIfNull(objective);
        Check(RecipeNetwork.Of(recipe.Network, data));
        searches.Clear();
        RunResult dense = Execute(recipe.Network);
        Evaluation start = dense.Dense.Validation;
        Say($"{objective.Name}: dense network {Percent(start)} of {start.Count} validation images; the file may lie {recipe.MaxDrop} points below");
        List<RunResult> stages = Stages(dense, objective);
        for (int i = stages.Count - 1; i >= 0; i--)
        {
            RunResult trained = Trained(stages[i]);
            if (Quantized(trained, start) is { } done)
            {
                return new FinishedDrop(done.Run, start, done.Validation, [.. searches]);
            }

            Say($"{trained.Pruned[^1].Name}: quantized, it loses more than {recipe.MaxDrop} points; the stage before takes its place");
        }

        throw new AdmmKitException(FormattableString.Invariant(
            $"No network smaller than the dense one was found within {recipe.MaxDrop} points of its {Percent(start)} ")
            + "on the validation images: allow a larger drop, or train longer.");
    }

    /// <summary>The full stages that lose little enough, in rising compression.</summary>
    private List<RunResult> Stages(RunResult dense, IObjective objective)
    {
        var stages = new List<RunResult>();
        RunResult last = dense;
        double Initial(LayerInfo layer) => recipe.InitialKeepFraction.GetValueOrDefault(layer.Name, recipe.OtherKeepFraction);
        double[] shares = [.. dense.Spec.Layers.Select(Initial)];
        double cost = Cost(dense.Spec, [.. shares.Select(_ => 1.0)], objective);
        while (stages.Count < recipe.MostStages && Shares(last, shares, dense.Dense.Validation, objective) is { } next)
        {
            int tries = 0;
            RunResult? run = null;
            if (stages.Count == 0)
            {
                // What the search began with: milder than the recipe says, where that was too much.
                shares = [.. searches[^1].Result.Path.Last(p => p.Candidate.Step == CompressionSearch.Start).Candidate.KeepFraction];
            }

            // Back off half of the way, to the geometric mean: what is half as far loses less than half.
            for (; run is null && tries <= recipe.BackOffs && Cost(dense.Spec, next, objective) <= (1 - LeastSaved) * cost; tries++)
            {
                run = Stage(last, next, stages.Count + 1, dense.Dense.Validation);
                next = run is null ? [.. next.Zip(shares, (to, from) => Rounded(Math.Sqrt(to * from)))] : next;
            }

            if (run is null)
            {
                break;
            }

            stages.Add(run);
            (last, shares, cost) = (run, next, Cost(dense.Spec, next, objective));
            if (tries > 1)
            {
                break; // The limit lies between this stage and the one that failed.
            }
        }

        return stages;
    }

    /// <summary>One search for the next stage's shares; null where even the network as it is has no probe within the budget.</summary>
    private double[]? Shares(RunResult last, double[] shares, Evaluation dense, IObjective objective)
    {
        NetworkSpec spec = last.Spec;
        bool first = last.Pruned.Count == 0;
        int epochs = (recipe.Probe.Admm.Iterations * recipe.Probe.Admm.EpochsPerIteration) + recipe.Probe.Retrain.Epochs;
        var overall = observer is null ? null : new OverallProgress(observer, (1 + recipe.Bisections + recipe.Refinements) * epochs);
        Probes probes = ProbesTelling(overall);
        SearchOptions options = Options(spec, shares, first);
        int budgeted = Least(dense, 100 * options.Budget);
        if (!first && probes.Prune(last, Probe(spec, shares)).Correct < budgeted)
        {
            return null;
        }

        SearchResult found = CompressionSearch.Run(spec, dense, objective, options, candidate =>
        {
            Evaluation validation = probes.Prune(last, Probe(spec, candidate.KeepFraction));
            overall?.Finish(epochs);
            string all = string.Join(", ", candidate.KeepFraction.Select(k => FormattableString.Invariant($"{k:0.####}")));
            Say($"stage {last.Pruned.Count + 1}, {candidate.Step}: cost {candidate.Cost:g4} {objective.Unit}, {Percent(validation)}; shares {all}");
            return validation;
        });
        searches.Add(new SearchRecord(objective.Name, objective.Unit, dense, found, []));
        return [.. found.Best.KeepFraction];
    }

    private RunResult? Stage(RunResult last, double[] shares, int number, Evaluation dense)
    {
        PruneRecipe stage = Prune(recipe.Stage, FormattableString.Invariant($"stage {number}"), last.Spec, shares);
        RunResult run = Execute(last.Recipe with { Prune = [.. last.Recipe.Prune, stage] });
        Evaluation validation = run.Pruned[^1].Validation;
        bool kept = validation.Correct >= Least(dense, recipe.PrunedPart * recipe.MaxDrop);
        string verdict = kept ? "" : ", too little: a milder step";
        Say($"stage {number}: {run.Pruned[^1].Model.Survivors} survivors, {Percent(validation)}{verdict}");
        return kept ? run : null;
    }

    /// <summary>The run with the final training, where that helps.</summary>
    private RunResult Trained(RunResult stage)
    {
        if (recipe.FinalTraining.Epochs == 0)
        {
            return stage;
        }

        // To keep what is left by magnitude prunes nothing: masked training is all of it.
        PruneRecipe same = stage.Recipe.Prune[^1] with
        {
            Name = "final training",
            Method = PruneMethods.Magnitude,
            Retrain = recipe.FinalTraining,
        };
        RunResult trained = Execute(stage.Recipe with { Prune = [.. stage.Recipe.Prune, same] });
        return trained.Pruned[^1].Validation.Correct >= stage.Pruned[^1].Validation.Correct ? trained : stage;
    }

    private (RunResult Run, Evaluation Validation)? Quantized(RunResult pruned, Evaluation dense)
    {
        int least = Least(dense, recipe.MaxDrop);
        double room = 100.0 * (pruned.Pruned[^1].Validation.Correct - least) / dense.Count;
        BitsRecipe bits = recipe.Bits with { ProbeBudget = Math.Max(room, recipe.Bits.ProbeBudget) };
        (int conv, int fc) = ShareSearch.SearchBits(pruned, bits, ProbeImages, ProbesTelling(observer), observer) is { } found
            ? (found.ConvolutionBits, found.FullyConnectedBits) : (bits.MostBits, bits.MostBits);
        for (int more = 0; more <= MoreBits; more++)
        {
            (int convBits, int fcBits) = (Math.Min(IntervalSearch.MaximumBits, conv + more), Math.Min(IntervalSearch.MaximumBits, fc + more));
            RunResult run = Execute(pruned.Recipe with
            {
                Quantize = bits.Final with { ConvolutionBits = convBits, FullyConnectedBits = fcBits },
            });
            // In the order that is the same everywhere, as the promise is to be checked by others.
            Evaluation validation = run.Quantized!.Validation with
            {
                Correct = ScalarNetwork.CountCorrect(run.Quantized.Model, data.Validation, threads, cancellation),
            };
            bool kept = validation.Correct >= least;
            string verdict = kept ? "" : ", too little";
            Say($"conv {convBits} b, fc {fcBits} b: {run.Quantized.Model.Size.TotalBytes} B, {Percent(validation)}{verdict}");
            if (kept)
            {
                return (run, validation);
            }
        }

        return null;
    }

    /// <summary>Correct images that are not more than so many points below the dense network.</summary>
    private static int Least(Evaluation dense, double points) => (int)Math.Ceiling(dense.Correct - (points / 100 * dense.Count) - 1e-9);

    private static double Cost(NetworkSpec spec, double[] shares, IObjective objective) => spec.Layers.Zip(shares, objective.Cost).Sum();

    private static double Rounded(double share) => Math.Round(share, SearchDecimals);

    // A weight of a layer of half a million.
    private const int SearchDecimals = 6;

    private SearchOptions Options(NetworkSpec spec, double[] shares, bool first) => new()
    {
        Initial = spec.Layers.Zip(shares).ToDictionary(p => p.First.Name, p => p.Second),
        Budget = ((recipe.PrunedPart * recipe.MaxDrop) + recipe.ProbeMargin) / 100,
        LargestReduction = recipe.LargestReduction,
        Bisections = recipe.Bisections,
        Refinements = recipe.Refinements,
        CostAtInitial = !first,
        Decimals = SearchDecimals,
    };

    // Small data sets are probed with all of their images.
    private int? ProbeImages => ShareSearch.Fewer(
        recipe.Probe.TrainingImages, Math.Min(recipe.Network.TrainingImages ?? int.MaxValue, data.Training.Count));

    private Recipe Probe(NetworkSpec spec, IReadOnlyList<double> shares) => recipe.Network with
    {
        TrainingImages = ProbeImages,
        Prune = [Prune(new() { Admm = recipe.Probe.Admm, Retrain = recipe.Probe.Retrain }, "probe", spec, shares)],
    };

    private static PruneRecipe Prune(PruneRecipe how, string name, NetworkSpec spec, IReadOnlyList<double> shares) => how with
    {
        Name = name,
        KeepFraction = spec.Layers.Zip(shares).Where(p => p.Second < 1).ToDictionary(p => p.First.Name, p => p.Second),
    };

    private Probes ProbesTelling(IRunObserver? told) => new(probeFolder, data, threads, told, cancellation);

    private static string Percent(Evaluation evaluation) => FormattableString.Invariant($"{100 * evaluation.Accuracy:f2} %");

    private RunResult Execute(Recipe what) => store.Execute(what, data, threads, observer: observer, cancellation: cancellation);

    private void Say(FormattableString line) => observer?.Milestone(FormattableString.Invariant(line));

    /// <summary>What is wrong with the recipe is told before any training.</summary>
    private void Check(NetworkSpec spec)
    {
        if (recipe.Network.Prune.Count > 0 || recipe.Network.Quantize is not null)
        {
            throw new AdmmKitException(
                "The recipe of a compression within a drop says in 'network' how to train, not how to prune or quantize: "
                + "leave those out; they are what is searched.");
        }

        if (recipe is not { MaxDrop: >= 0 and < 100, PrunedPart: >= 0 and <= 1, ProbeMargin: >= 0 and < 100 })
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"A drop of {recipe.MaxDrop} points cannot be allowed: give 0 or more and less than 100, such as 0.2; of it a share of 0 to 1 ")
                + FormattableString.Invariant(
                    $"for pruning (here {recipe.PrunedPart}), and a margin of 0 or more points for probes (here {recipe.ProbeMargin})."));
        }

        double[] half = [.. spec.Layers.Select(_ => 0.5)];
        CompressionSearch.Check(spec, Options(spec, half, first: true) with
        {
            Initial = recipe.InitialKeepFraction,
            InitialKeepFraction = recipe.OtherKeepFraction,
        });
        BitsSearch.Check(ShareSearch.Options(recipe.Bits));
        RecipeChecks.Check(Probe(spec, half), spec);
        PruneRecipe stage = Prune(recipe.Stage, "stage", spec, half), final = stage with { Name = "final", Retrain = recipe.FinalTraining };
        RecipeChecks.Check(recipe.Network with { Prune = [stage, final], Quantize = recipe.Bits.Probe }, spec);
        RecipeChecks.Check(recipe.Network with { Prune = [stage], Quantize = recipe.Bits.Final }, spec);
        CompressionRun.Part(data, recipe.Network.TrainingImages);
    }
}
