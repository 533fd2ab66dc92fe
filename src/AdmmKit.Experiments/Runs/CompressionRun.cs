using System.Diagnostics;
using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Runs;

/// <summary>A network that a run has made, as it is stored and decoded.</summary>
/// <param name="Name">"dense", the name of a pruning, or "quantized".</param>
/// <param name="Model">As it is stored; weights that are not quantized as float32.</param>
/// <param name="Validation">The decoded model on the validation images.</param>
/// <param name="Test">The decoded model on the test images.</param>
public sealed record ModelResult(string Name, CompressedNetwork Model, Evaluation Validation, Evaluation Test);

/// <summary>One point of the run's history: an epoch or an ADMM iteration.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="Epoch">Passes over the training images since the run began.</param>
/// <param name="Loss">Mean training loss of the epoch or iteration.</param>
/// <param name="Validation">Accuracy on the validation images; during ADMM of the projected network.</param>
/// <param name="Residuals">Convergence of each layer; empty outside ADMM.</param>
public sealed record HistoryPoint(string Phase, double Epoch, double Loss, Evaluation Validation, IReadOnlyList<AdmmLayerResiduals> Residuals);

/// <summary>Everything that came out of a run.</summary>
/// <param name="Recipe">What was done.</param>
/// <param name="Data">What it learnt from.</param>
/// <param name="Dense">The dense network.</param>
/// <param name="Pruned">One entry a pruning, in order.</param>
/// <param name="Quantized">The quantized network, or null if the recipe has none.</param>
/// <param name="History">Epochs and iterations in order.</param>
/// <param name="ImagesSeen">Training images seen in all phases.</param>
/// <param name="WallTime">How long it took, over all processes that worked on it.</param>
public sealed record RunResult(
    Recipe Recipe, DataOrigin Data, ModelResult Dense, IReadOnlyList<ModelResult> Pruned, ModelResult? Quantized,
    IReadOnlyList<HistoryPoint> History, long ImagesSeen, TimeSpan WallTime)
{
    /// <summary>The architecture.</summary>
    public NetworkSpec Spec => Dense.Model.Spec;

    /// <summary>All models in the order in which they were made.</summary>
    public IEnumerable<ModelResult> Models => [Dense, .. Pruned, .. Quantized is null ? [] : new[] { Quantized }];
}

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
    public RunResult Execute(int threads = 0, IRunObserver? observer = null, CancellationToken cancellation = default) =>
        Execute(threads, observer, null, cancellation);

    internal RunResult Execute(int threads, IRunObserver? observer, CheckpointFolder? checkpoints, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        using var network = new TrainableNetwork(
            spec, data, new EngineOptions { BatchSize = recipe.BatchSize, MaxShift = recipe.MaxShift, Seed = recipe.Seed, Threads = threads });
        using var evaluator = new Network(spec, 256, threads);
        int perEpoch = network.StepsPerEpoch;
        var history = new History(observer, perEpoch, Epochs);
        var pipeline = new CompressionPipeline(network, history, checkpoints);

        TrainingPhase Phase(string name, TrainingRecipe training) =>
            new(history.Begin(name, training.Epochs, 1), training.Epochs * perEpoch, new LearningRate.Cosine(training.LearningRate));
        AdmmOptions Admm(string name, AdmmRecipe admm) => new()
        {
            Phase = history.Begin(name, admm.Iterations * admm.EpochsPerIteration, admm.EpochsPerIteration),
            Iterations = admm.Iterations,
            StepsPerIteration = admm.EpochsPerIteration * perEpoch,
            LearningRate = new LearningRate.Cosine(admm.LearningRate, admm.FinalLearningRate ?? admm.LearningRate),
            Rho = new RhoSchedule(admm.Rho, admm.RhoGrowth) { PerLayer = admm.RhoPerLayer },
        };
        ModelResult Result(string name, CompressedNetwork network, Func<CompressedNetwork, FormattableString> what)
        {
            CompressedNetwork model = Stored(network);
            evaluator.SetWeights(model.Decode());
            var result = new ModelResult(name, model, evaluator.Evaluate(data.Validation), evaluator.Evaluate(data.Test));
            observer?.Milestone(FormattableString.Invariant(what(model))
                + FormattableString.Invariant($": {100 * result.Test.Accuracy:f2} % on {result.Test.Count} test images"));
            return result;
        }

        CompressedNetwork Float(NetworkWeights weights) => CompressedNetwork.FromWeights(
            spec, weights, new float[spec.Layers.Count], [.. spec.Layers.Select(_ => CompressedLayer.FloatBits)]);

        TrainedNetwork trained = pipeline.Pretrain(Phase("pretrain", recipe.Pretrain), cancellation);
        ModelResult dense = Result("dense", Float(trained.Weights), _ => $"dense network");

        var pruned = new List<ModelResult>();
        PrunedNetwork? last = null;
        foreach (PruneRecipe stage in recipe.Prune)
        {
            AdmmOutcome outcome = pipeline.AdmmPrune(
                last?.Weights ?? trained.Weights, RecipeChecks.Constraints(stage, spec), Admm("ADMM prune " + stage.Name, stage.Admm), last, cancellation);
            last = pipeline.Retrain(pipeline.HardPrune(outcome), Phase("retrain " + stage.Name, stage.Retrain), cancellation);
            pruned.Add(Result(stage.Name, Float(last.Weights), m => $"pruned {m.CompressionRatio:f1}x to {m.Survivors} of {spec.WeightCount} weights"));
        }

        ModelResult? quantized = null;
        if (recipe.Quantize is { } quantize)
        {
            PrunedNetwork start = last ?? new PrunedNetwork(trained.Weights, trained.Validation);
            IReadOnlyList<LayerLevels> levels = pipeline.FindLevels(start, RecipeChecks.Bits(quantize, spec));
            QuantizeOutcome outcome = pipeline.AdmmQuantize(
                start, levels, Admm("ADMM quantize", quantize.Admm), quantize.SearchIntervalEachIteration, cancellation);
            QuantizedNetwork snapped = pipeline.Snap(outcome, quantize.Biases is { } biases ? Phase("train biases", biases) : null, cancellation);
            quantized = Result("quantized", snapped.Compress(spec), m => $"quantized to {m.WeightDataBits / 8.0:f0} B of weight data, {m.Size.TotalBytes} B in all");
        }

        return new RunResult(
            recipe, new DataOrigin(data.Name, data.Source, data.Checksums), dense, pruned, quantized, history.Points,
            (long)Epochs * data.Training.Count, checkpoints?.Elapsed ?? clock.Elapsed);
    }

    /// <summary>The model as a reader of its file gets it: what is evaluated is what was written.</summary>
    private static CompressedNetwork Stored(CompressedNetwork model)
    {
        var bytes = new MemoryStream();
        model.Write(bytes);
        return CompressedNetwork.Read(bytes.ToArray(), "the model just compressed");
    }
}
