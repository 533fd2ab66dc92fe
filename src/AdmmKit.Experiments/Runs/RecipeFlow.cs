using AdmmKit.Admm;
using AdmmKit.Baselines;
using AdmmKit.Constraints;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Purification;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Runs;

/// <summary>Takes the entries of a recipe to the steps of the pipeline, whatever engine trains.</summary>
internal sealed class RecipeFlow(
    Recipe recipe, ITrainable network, NetworkSpec spec, History history, CompressionPipeline pipeline, CancellationToken cancellation)
{
    /// <summary>Passes over the training images that a recipe takes.</summary>
    public static int Epochs(Recipe recipe) => (recipe.Pretrained is null ? recipe.Pretrain.Epochs : 0)
        + recipe.Prune.Sum(p => Epochs(p) + p.Retrain.Epochs)
        + (recipe.Quantize is { } q ? Epochs(q) + (q.Biases?.Epochs ?? 0) : 0);

    public TrainedNetwork Pretrain() => recipe.Pretrained is { } file
        ? pipeline.Pretrain(Phase("pretrained", new TrainingRecipe { Epochs = 0 }), PretrainedModel.Load(file, spec), cancellation)
        : pipeline.Pretrain(Phase("pretrain", recipe.Pretrain), cancellation: cancellation);

    public PrunedNetwork Prune(PruneRecipe stage, TrainedNetwork dense, PrunedNetwork? before)
    {
        NetworkWeights start = before?.Weights ?? dense.Weights;
        INetworkConstraint constraints = stage.TotalSurvivors is { } total
            ? new PerLayer(SensitivityScan.Run(network, start, cancellation: cancellation).Split(total, SplitRule.LeastTotalCost)
                .ToDictionary(s => s.Key, s => (IConstraint)new Cardinality(s.Value)))
            : RecipeChecks.Constraints(stage, spec);
        PrunedNetwork pruned = stage.Method switch
        {
            PruneMethods.Admm => pipeline.HardPrune(pipeline.AdmmPrune(
                start, constraints, Admm("ADMM prune " + stage.Name, stage.Admm), before, cancellation)),
            PruneMethods.L1 => MagnitudePruning.Prune(network, pipeline.Regularize(
                start, stage.L1.Lambda, Phase("L1 " + stage.Name, stage.L1.Training), before, cancellation).Weights, constraints, before),
            _ => MagnitudePruning.Prune(network, start, constraints, before),
        };
        return Purified(stage, "retraining", pipeline.Retrain(
            Purified(stage, "pruning", pruned), Phase("retrain " + stage.Name, stage.Retrain), cancellation));
    }

    public CompressedNetwork Quantize(QuantizeRecipe quantize, PrunedNetwork start)
    {
        CompressedNetwork model = AtLevels(quantize, start);
        return quantize.BiasBits is { } bits ? model.WithCompactParameters(bits).WithOrderedRows() : model;
    }

    private CompressedNetwork AtLevels(QuantizeRecipe quantize, PrunedNetwork start)
    {
        int[] bits = RecipeChecks.Bits(quantize, spec);
        if (quantize.Method == QuantizeMethods.Clusters)
        {
            return Cluster(quantize, start, bits);
        }

        AdmmOptions options = Admm("ADMM quantize", quantize.Admm);
        QuantizeOutcome outcome = quantize.Method switch
        {
            // Zeros among the ternary weights are pruned weights in the file: what is left there has one bit, its sign.
            QuantizeMethods.Ternary => Projected(new PerLayer(All(_ => new LevelsWithZero(1))), start, options, [.. bits.Select(_ => 1)]),
            QuantizeMethods.Joint => Projected(RecipeChecks.JointConstraints(quantize, spec), start, options, bits),
            _ => pipeline.AdmmQuantize(
                start, pipeline.FindLevels(start, bits), options, quantize.SearchIntervalEachIteration, quantize.LevelRate, cancellation),
        };
        SnapOrder order = quantize.RoundOrder == QuantizeMethods.LargestFirst ? SnapOrder.LargestFirst : SnapOrder.NearestFirst;
        outcome = pipeline.SnapInRounds(
            outcome, quantize.Rounds, order, round => Phase(FormattableString.Invariant($"snap round {round + 1}"), quantize.RoundTraining), cancellation);
        return pipeline.Snap(outcome, quantize.Biases is { } biases ? Phase("train biases", biases) : null, cancellation).Compress(spec);
    }

    private PrunedNetwork Purified(PruneRecipe stage, string after, PrunedNetwork pruned)
    {
        if (!stage.RemoveUnused && stage.Purify is null)
        {
            return pruned;
        }

        PurificationResult result = pipeline.Purify(spec, pruned, RecipeChecks.Purification(stage.Purify), cancellation);
        history.Milestone(FormattableString.Invariant(
            $"{stage.Name}, after {after}: {result.Removed.Sum(r => r.Weights)} weights in unused or near-empty paths removed, {result.Network.Weights.Survivors} left; validation {100 * result.Before.Accuracy:f2} to {100 * result.Network.Validation.Accuracy:f2} %"));
        return result.Network;
    }

    private static int Epochs(PruneRecipe stage) => stage.Method switch
    {
        PruneMethods.Admm => stage.Admm.Iterations * stage.Admm.EpochsPerIteration,
        PruneMethods.L1 => stage.L1.Training.Epochs,
        _ => 0,
    };

    private static int Epochs(QuantizeRecipe quantize) => quantize.Method == QuantizeMethods.Clusters ? 0
        : (quantize.Admm.Iterations * quantize.Admm.EpochsPerIteration) + (quantize.Rounds.Count * quantize.RoundTraining.Epochs);

    private QuantizeOutcome Projected(PerLayer constraints, PrunedNetwork start, AdmmOptions options, int[] bits) =>
        QuantizeOutcome.FromProjected(spec.Layers, pipeline.AdmmPrune(start.Weights, constraints, options, start, cancellation), bits);

    private CompressedNetwork Cluster(QuantizeRecipe quantize, PrunedNetwork start, int[] bits)
    {
        SharedNetwork shared = WeightSharing.Cluster(network, start, bits);
        if (quantize.Biases is { } training)
        {
            shared = WeightSharing.Retrain(
                network, shared, Phase("train shared values", training), progress: history, cancellation: cancellation);
        }

        return CompressedNetwork.FromWeights(
            spec, shared.Weights, new float[bits.Length], bits, [.. shared.Layers.Select(l => l.Codebook)]);
    }

    private Dictionary<string, IConstraint> All(Func<LayerInfo, IConstraint> constraint) =>
        spec.Layers.ToDictionary(l => l.Name, constraint);

    private TrainingPhase Phase(string name, TrainingRecipe training) => new(
        history.Begin(name, training.Epochs, 1), training.Epochs * network.StepsPerEpoch, new LearningRate.Cosine(training.LearningRate));

    private AdmmOptions Admm(string name, AdmmRecipe admm) => new()
    {
        Phase = history.Begin(name, admm.Iterations * admm.EpochsPerIteration, admm.EpochsPerIteration),
        Iterations = admm.Iterations,
        StepsPerIteration = admm.EpochsPerIteration * network.StepsPerEpoch,
        LearningRate = new LearningRate.Cosine(admm.LearningRate, admm.FinalLearningRate ?? admm.LearningRate),
        Rho = new RhoSchedule(admm.Rho, admm.RhoGrowth) { PerLayer = admm.RhoPerLayer },
    };
}
