using AdmmKit.Baselines;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Hardware.Search;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Runs;

/// <summary>How <see cref="BudgetCompression"/> goes.</summary>
public sealed record BudgetOptions
{
    /// <summary>Points of validation accuracy, of 100, that may be lost, at least 0.</summary>
    public double MaxDropPoints { get; init; } = 0.5;

    /// <summary>Share of the points that pruning may take where quantization follows, 0 to 1.</summary>
    public double PrunedPart { get; init; } = 0.6;

    /// <summary>Share of the survivors that a stage of pruning keeps, in (0, 1); closer to 1 where that was too much.</summary>
    public double KeepFraction { get; init; } = 0.5;

    /// <summary>Milder steps that are tried where a stage loses too much.</summary>
    public int BackOffs { get; init; } = 2;

    /// <summary>Stages of pruning at most, those that lost too much counted too.</summary>
    public int MostStages { get; init; } = 10;

    /// <summary>ADMM of each stage.</summary>
    public AdmmRecipe Admm { get; init; } = new() { Iterations = 5, RhoGrowth = 1.3f };

    /// <summary>Masked retraining of each stage.</summary>
    public TrainingRecipe Retrain { get; init; } = new() { Epochs = 3 };

    /// <summary>The quantization, whose bits are searched; null to leave survivors in float32.</summary>
    public QuantizeRecipe? Quantize { get; init; } = new() { Admm = new() { Iterations = 4, FinalLearningRate = 1e-5, RhoGrowth = 1.6f } };

    /// <summary>Bits that are tried; the budget is that of the whole.</summary>
    public BitsOptions Bits { get; init; } = new();
}

/// <summary>
/// Compresses a network of any engine as far as an accuracy budget goes: stages of ADMM pruning, each with a part of the survivors of
/// the one before and with its zeros, until even a milder step loses too much; then as few bits as the budget bears. Layers share the
/// survivors by a sensitivity scan of the dense network. Every choice is made on the validation images.
/// </summary>
/// <remarks>
/// What is returned was evaluated as it is stored, and is within the budget: a stage or a number of bits that is not is dropped for the
/// last that was. It is a short search that needs the engine alone; <see cref="Search.DropSearch"/> goes further on the kit's own.
/// </remarks>
public static class BudgetCompression
{
    /// <summary>Compresses.</summary>
    /// <param name="network">The trained network; it is left with the result's weights.</param>
    /// <param name="spec">Its layers, as they are written to a file.</param>
    /// <param name="options">How far, and how.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    /// <param name="cancellation">Stops between two training steps.</param>
    /// <exception cref="AdmmKitException">An option is out of range, or nothing smaller than the dense network is within the budget.</exception>
    public static NetworkCompression Run(
        ITrainable network, NetworkSpec spec, BudgetOptions options, IRunObserver? observer = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var stages = new CompressionStages(network, spec, observer);
        Check(options, spec);
        var history = new History(observer, network.StepsPerEpoch, [], 0);
        RecipeFlow Flow(Recipe recipe) =>
            new(recipe, network, spec, history, new CompressionPipeline(network, history), cancellation);

        NetworkWeights weights = NetworkWeights.CopyFrom(network);
        Evaluation dense = stages.Add("dense", weights).Validation;
        bool Within(Evaluation now, double part) => now.Correct >= dense.Correct - (part * options.MaxDropPoints / 100 * dense.Count);

        SensitivityScan scan = SensitivityScan.Run(network, weights, cancellation: cancellation);
        (PrunedNetwork? last, int survivors, double keep, int backOffs) = (null, spec.WeightCount, options.KeepFraction, 0);
        for (int tries = 0; tries < options.MostStages && backOffs <= options.BackOffs; tries++)
        {
            int target = Math.Max(spec.Layers.Count, (int)Math.Round(survivors * keep));
            if (target >= survivors)
            {
                break;
            }

            PruneRecipe stage = Stage(options, scan, target);
            PrunedNetwork? pruned = null;
            try
            {
                pruned = Flow(new Recipe { Prune = [stage] }).Prune(stage, new TrainedNetwork(weights, dense), last);
            }
            catch (DivergedException e)
            {
                // Too bold a step is one that loses too much, not the end of the search.
                observer?.Milestone("warning: " + e.Message);
            }

            if (pruned is not null && Within(pruned.Validation, options.Quantize is null ? 1 : options.PrunedPart))
            {
                (last, survivors) = (pruned, pruned.Weights.Survivors);
                stages.Add(stage.Name, pruned.Weights);
            }
            else
            {
                observer?.Milestone(FormattableString.Invariant(
                    $"{stage.Name}: validation {100 * (pruned?.Validation.Accuracy ?? 0):f2} %, too little: a milder step"));
                (keep, backOffs) = (Math.Sqrt(keep), backOffs + 1);
            }
        }

        if (options.Quantize is { } quantize
            && Quantized(quantize, options, spec, dense, last ?? new PrunedNetwork(weights, dense), Flow, stages, observer) is { } model)
        {
            stages.Add("quantized", model);
        }

        if (stages.Done.Count == 1)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Nothing smaller than the dense network was found within {options.MaxDropPoints} points of its {100 * dense.Accuracy:f2} % on {dense.Count} validation images: allow a larger drop, train longer, or take a KeepFraction nearer to 1."));
        }

        // The network is left with what is returned, whatever was tried after it.
        network.Prepare(stages.Done[^1].Model.Decode());
        return new NetworkCompression(stages.Done, history.Points);
    }

    private static PruneRecipe Stage(BudgetOptions options, SensitivityScan scan, int survivors) => new()
    {
        Name = FormattableString.Invariant($"{survivors} survivors"),
        Survivors = scan.Split(survivors, SplitRule.LeastTotalCost),
        Admm = options.Admm,
        Retrain = options.Retrain,
    };

    /// <summary>The pruned network with the fewest bits that are within the budget; null where not even the most are.</summary>
    private static CompressedNetwork? Quantized(
        QuantizeRecipe quantize, BudgetOptions options, NetworkSpec spec, Evaluation dense, PrunedNetwork pruned, Func<Recipe, RecipeFlow> flow,
        CompressionStages stages, IRunObserver? observer)
    {
        var models = new Dictionary<(int, int), CompressedNetwork>();
        Evaluation Probe(int convolution, int fullyConnected)
        {
            QuantizeRecipe bits = quantize with { ConvolutionBits = convolution, FullyConnectedBits = fullyConnected };
            CompressedNetwork model = flow(new Recipe { Quantize = bits }).Quantize(bits, pruned);
            models[(convolution, fullyConnected)] = model;
            Evaluation validation = stages.Evaluate(model);
            observer?.Milestone(FormattableString.Invariant(
                $"conv {convolution} b, fc {fullyConnected} b: {model.Size.TotalBytes} B, validation {100 * validation.Accuracy:f2} %"));
            return validation;
        }

        // The first probe of the search is of the most bits: where they are too few, that is no error here.
        int most = options.Bits.MostBits;
        Evaluation first = Probe(most, most);
        BitsOptions budget = options.Bits with { Budget = options.MaxDropPoints / 100 };
        if (first.Accuracy < dense.Accuracy - budget.Budget)
        {
            observer?.Milestone(FormattableString.Invariant($"{most} bits are too few: survivors stay in float32"));
            return null;
        }

        ProbedBits chosen = BitsSearch.Run(spec, dense, budget, (c, f) => (c, f) == (most, most) ? first : Probe(c, f)).Last(p => p.Accepted);
        return models[(chosen.ConvolutionBits, chosen.FullyConnectedBits)];
    }

    private static void Check(BudgetOptions options, NetworkSpec spec)
    {
        static bool Share(double x) => x is > 0 and < 1;
        if (!(options.MaxDropPoints is >= 0 and <= 100 && options.PrunedPart is >= 0 and <= 1 && Share(options.KeepFraction)
            && options is { BackOffs: >= 0, MostStages: >= 0 }))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The budget cannot be used: maxDropPoints {options.MaxDropPoints} is to be 0 to 100, prunedPart {options.PrunedPart} 0 to 1, keepFraction {options.KeepFraction} above 0 and below 1, backOffs {options.BackOffs} and mostStages {options.MostStages} not negative."));
        }

        BitsSearch.Check(options.Bits);
        RecipeChecks.Check(
            new Recipe
            {
                Prune = [new PruneRecipe { NetworkSurvivors = spec.WeightCount, Admm = options.Admm, Retrain = options.Retrain }],
                Quantize = options.Quantize,
            },
            spec);
    }
}
