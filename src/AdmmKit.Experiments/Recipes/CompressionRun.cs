using System.Diagnostics;
using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Recipes;

/// <summary>One pruning of a run.</summary>
/// <param name="Name">The stage's name.</param>
/// <param name="Network">After masked retraining.</param>
/// <param name="Model">As it is stored: survivors as float32.</param>
/// <param name="Test">The decoded model on the test images.</param>
public sealed record PruneResult(string Name, PrunedNetwork Network, CompressedNetwork Model, Evaluation Test);

/// <summary>The quantization of a run.</summary>
/// <param name="Network">After the snap.</param>
/// <param name="Model">As it is stored.</param>
/// <param name="Test">The decoded model on the test images.</param>
public sealed record QuantizeResult(QuantizedNetwork Network, CompressedNetwork Model, Evaluation Test);

/// <summary>One point of the run's history: an epoch or an ADMM iteration.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="Epoch">Passes over the training images since the run began.</param>
/// <param name="Loss">Mean training loss of the epoch or iteration.</param>
/// <param name="Validation">Accuracy on the validation images; during ADMM of the projected network.</param>
/// <param name="Residuals">Convergence of each layer; empty outside ADMM.</param>
public sealed record HistoryPoint(string Phase, double Epoch, double Loss, Evaluation Validation, IReadOnlyList<AdmmLayerResiduals> Residuals);

/// <summary>Everything that came out of a run.</summary>
/// <param name="Recipe">What was done.</param>
/// <param name="Spec">The network.</param>
/// <param name="Data">What it learnt from.</param>
/// <param name="Dense">The dense network.</param>
/// <param name="DenseTest">The dense network on the test images.</param>
/// <param name="Pruned">One entry a pruning, in order.</param>
/// <param name="Quantized">The quantization, or null if the recipe has none.</param>
/// <param name="History">Epochs and iterations in order.</param>
/// <param name="ImagesSeen">Training images seen in all phases.</param>
/// <param name="WallTime">How long it took.</param>
public sealed record RunResult(
    Recipe Recipe, NetworkSpec Spec, DataSet Data, TrainedNetwork Dense, Evaluation DenseTest, IReadOnlyList<PruneResult> Pruned,
    QuantizeResult? Quantized, IReadOnlyList<HistoryPoint> History, long ImagesSeen, TimeSpan WallTime);

/// <summary>Runs a recipe: the flow of Fig. 2 in [Ren2019], from data to the decoded model.</summary>
public sealed class CompressionRun
{
    private readonly Recipe recipe;
    private readonly DataSet data;
    private readonly NetworkSpec spec;

    /// <summary>Checks a recipe against the network and the data, before anything is trained.</summary>
    /// <param name="recipe">What to do.</param>
    /// <param name="data">What to learn from.</param>
    /// <exception cref="AdmmKitException">A name, count or range in the recipe does not fit.</exception>
    public CompressionRun(Recipe recipe, DataSet data)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(data);
        this.recipe = recipe;
        this.data = data;
        spec = NetworkSpec.Create(recipe.Architecture, data.Training.Shape, data.Training.Classes);
        RecipeChecks.Check(recipe, spec);
    }

    /// <summary>Passes over the training images that the whole run takes.</summary>
    public int Epochs => recipe.Pretrain.Epochs
        + recipe.Prune.Sum(p => (p.Admm.Iterations * p.Admm.EpochsPerIteration) + p.Retrain.Epochs)
        + (recipe.Quantize is { } q ? (q.Admm.Iterations * q.Admm.EpochsPerIteration) + (q.Biases?.Epochs ?? 0) : 0);

    /// <summary>Runs the recipe.</summary>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    /// <param name="cancellation">Stops between two training steps.</param>
    /// <exception cref="DivergedException">The loss is no longer finite.</exception>
    public RunResult Execute(int threads = 0, IRunObserver? observer = null, CancellationToken cancellation = default)
    {
        var clock = Stopwatch.StartNew();
        using var network = new TrainableNetwork(
            spec, data, new EngineOptions { BatchSize = recipe.BatchSize, MaxShift = recipe.MaxShift, Seed = recipe.Seed, Threads = threads });
        using var evaluator = new Network(spec, 256, threads);
        int perEpoch = network.StepsPerEpoch;
        var history = new History(observer, perEpoch, Epochs);
        var pipeline = new CompressionPipeline(network, history);

        TrainingPhase Phase(string name, TrainingRecipe training) =>
            new(history.Begin(name, 1), training.Epochs * perEpoch, new LearningRate.Cosine(training.LearningRate));
        AdmmOptions Admm(string name, AdmmRecipe admm) => new()
        {
            Phase = history.Begin(name, admm.EpochsPerIteration),
            Iterations = admm.Iterations,
            StepsPerIteration = admm.EpochsPerIteration * perEpoch,
            LearningRate = new LearningRate.Cosine(admm.LearningRate, admm.FinalLearningRate ?? admm.LearningRate),
            Rho = new RhoSchedule(admm.Rho, admm.RhoGrowth),
        };
        Evaluation Test(NetworkWeights weights)
        {
            evaluator.SetWeights(weights);
            return evaluator.Evaluate(data.Test);
        }

        TrainedNetwork dense = pipeline.Pretrain(Phase("pretrain", recipe.Pretrain), cancellation);
        Evaluation denseTest = Test(dense.Weights);
        observer?.Milestone(FormattableString.Invariant($"dense network: {100 * denseTest.Accuracy:f2} % on {denseTest.Count} test images"));

        var pruned = new List<PruneResult>();
        foreach (PruneRecipe stage in recipe.Prune)
        {
            PrunedNetwork? before = pruned.Count > 0 ? pruned[^1].Network : null;
            AdmmOutcome outcome = pipeline.AdmmPrune(
                before?.Weights ?? dense.Weights, RecipeChecks.Constraints(stage, spec), Admm("ADMM prune " + stage.Name, stage.Admm), before, cancellation);
            PrunedNetwork retrained = pipeline.Retrain(pipeline.HardPrune(outcome), Phase("retrain " + stage.Name, stage.Retrain), cancellation);
            CompressedNetwork model = Stored(CompressedNetwork.FromWeights(
                spec, retrained.Weights, new float[spec.Layers.Count], [.. spec.Layers.Select(_ => CompressedLayer.FloatBits)]));
            pruned.Add(new PruneResult(stage.Name, retrained, model, Test(model.Decode())));
            observer?.Milestone(FormattableString.Invariant(
                $"pruned {model.CompressionRatio:f1}x to {model.Survivors} of {spec.WeightCount} weights: {100 * pruned[^1].Test.Accuracy:f2} % on {pruned[^1].Test.Count} test images"));
        }

        QuantizeResult? quantized = null;
        if (recipe.Quantize is { } quantize)
        {
            PrunedNetwork start = pruned.Count > 0 ? pruned[^1].Network : new PrunedNetwork(dense.Weights, dense.Validation);
            IReadOnlyList<LayerLevels> levels = pipeline.FindLevels(start, RecipeChecks.Bits(quantize, spec));
            QuantizeOutcome outcome = pipeline.AdmmQuantize(
                start, levels, Admm("ADMM quantize", quantize.Admm), quantize.SearchIntervalEachIteration, cancellation);
            QuantizedNetwork snapped = pipeline.Snap(outcome, quantize.Biases is { } biases ? Phase("train biases", biases) : null, cancellation);
            CompressedNetwork model = Stored(snapped.Compress(spec));
            quantized = new QuantizeResult(snapped, model, Test(model.Decode()));
            observer?.Milestone(FormattableString.Invariant(
                $"quantized to {model.WeightDataBits / 8.0:f0} B of weight data, {model.Size.TotalBytes} B in all: {100 * quantized.Test.Accuracy:f2} % on {quantized.Test.Count} test images"));
        }

        return new RunResult(
            recipe, spec, data, dense, denseTest, pruned, quantized, history.Points, (long)Epochs * data.Training.Count, clock.Elapsed);
    }

    /// <summary>The model as a reader of its file gets it: what is evaluated is what was written.</summary>
    private static CompressedNetwork Stored(CompressedNetwork model)
    {
        var bytes = new MemoryStream();
        model.Write(bytes);
        return CompressedNetwork.Read(bytes.ToArray(), "the model just compressed");
    }
}
