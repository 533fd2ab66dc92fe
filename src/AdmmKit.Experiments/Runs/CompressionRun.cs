using System.Diagnostics;
using AdmmKit.Admm;
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
/// <param name="Test">
/// The decoded model on the test images; correct images are counted by <see cref="ScalarNetwork"/>, but for a dense network.
/// </param>
/// <param name="ImagesSeen">Training images seen since the run began.</param>
/// <param name="Seconds">Time spent on the step that made it, over all processes that worked on it; null where it is not known.</param>
/// <param name="Origin">The program that finished the step.</param>
public sealed record ModelResult(
    string Name, CompressedNetwork Model, Evaluation Validation, Evaluation Test, long ImagesSeen, double? Seconds, RunOrigin Origin);

/// <summary>One point of the run's history: an epoch or an ADMM iteration.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="Epoch">Passes over the training images since the run began.</param>
/// <param name="Loss">Mean training loss of the epoch or iteration.</param>
/// <param name="Validation">Accuracy on the validation images; during ADMM of the projected network.</param>
/// <param name="Residuals">Convergence of each layer; empty outside ADMM.</param>
public sealed record HistoryPoint(string Phase, double Epoch, double Loss, Evaluation Validation, IReadOnlyList<AdmmLayerResiduals> Residuals);

/// <summary>Which program, on which machine.</summary>
/// <param name="Commit">The commit of its source; null outside a checkout.</param>
/// <param name="Dirty">Whether the checkout differed from that commit; null outside a checkout.</param>
/// <param name="Cpu">The processor's name.</param>
/// <param name="Threads">Threads used.</param>
public sealed record RunOrigin(string? Commit, bool? Dirty, string Cpu, int Threads);

/// <summary>Everything that came out of a run.</summary>
/// <param name="Recipe">What was done.</param>
/// <param name="Data">What it learnt from.</param>
/// <param name="Dense">The dense network.</param>
/// <param name="Pruned">One entry a pruning, in order.</param>
/// <param name="Quantized">The quantized network, or null if the recipe has none.</param>
/// <param name="History">Epochs and iterations in order.</param>
/// <param name="ImagesSeen">Training images seen in all phases.</param>
public sealed record RunResult(
    Recipe Recipe, DataOrigin Data, ModelResult Dense, IReadOnlyList<ModelResult> Pruned, ModelResult? Quantized,
    IReadOnlyList<HistoryPoint> History, long ImagesSeen)
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
        this.data = Part(data, recipe.TrainingImages);
        spec = RecipeNetwork.Of(recipe, data);
        RecipeChecks.Check(recipe, spec);
        if (recipe.SoftTargets is { } soft)
        {
            SoftTargets.Check(spec, this.data.Training.Count, Engine(recipe, 0), soft.Weight, soft.Temperature);
        }
    }

    /// <summary>Passes over the training images that the whole run takes.</summary>
    public int Epochs => RecipeFlow.Epochs(recipe);

    /// <summary>The network that the recipe is for.</summary>
    internal NetworkSpec Spec => spec;

    /// <summary>Runs the recipe.</summary>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    /// <param name="cancellation">Stops between two training steps.</param>
    /// <exception cref="DivergedException">The loss is no longer finite.</exception>
    public RunResult Execute(int threads = 0, IRunObserver? observer = null, CancellationToken cancellation = default) =>
        Execute(threads, observer is null ? null : new OverallProgress(observer, Epochs), null, null, cancellation);

    /// <summary>Runs what is left of the recipe after the steps that a run of its first ones has done, if one is given.</summary>
    internal RunResult Execute(
        int threads, IRunObserver? observer, CheckpointFolder? checkpoints, RunResult? before, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        using var network = new TrainableNetwork(
            spec, data, Engine(recipe, threads));
        using var evaluator = new Network(spec, 256, threads);
        var history = new History(observer, network.StepsPerEpoch, before?.History ?? [], before is null ? 0 : RecipeFlow.Epochs(before.Recipe));
        var flow = new RecipeFlow(recipe, network, spec, history, new CompressionPipeline(network, history, checkpoints), cancellation);
        var origin = new RunOrigin(RunEnvironment.Checkout.Commit, RunEnvironment.Checkout.Dirty, RunEnvironment.Cpu(), network.Threads);
        checkpoints?.Start();
        TimeSpan spent = TimeSpan.Zero;
        ModelResult Result(string name, CompressedNetwork network, Func<CompressedNetwork, FormattableString> what)
        {
            CompressedNetwork model = Stored(network);
            evaluator.SetWeights(model.Decode());
            Evaluation test = evaluator.Evaluate(data.Test);
            if (name != "dense")
            {
                // What is published is counted in the order that is the same everywhere. The dense network is not published.
                test = test with { Correct = ScalarNetwork.CountCorrect(model, data.Test, threads, cancellation) };
            }

            observer?.Milestone(FormattableString.Invariant(what(model))
                + FormattableString.Invariant($": {100 * test.Accuracy:f2} % on {test.Count} test images"));
            TimeSpan now = checkpoints?.Elapsed ?? clock.Elapsed, own = now - spent;
            spent = now;
            return new ModelResult(
                name, model, evaluator.Evaluate(data.Validation), test, (long)history.EpochsAtEnd * data.Training.Count, own.TotalSeconds, origin);
        }

        CompressedNetwork Float(NetworkWeights weights) => CompressedNetwork.FromWeights(
            spec, weights, new float[spec.Layers.Count], [.. spec.Layers.Select(_ => CompressedLayer.FloatBits)]);

        TrainedNetwork trained = before is null ? flow.Pretrain() : new TrainedNetwork(before.Dense.Model.Decode(), before.Dense.Validation);
        ModelResult dense = before?.Dense ?? Result("dense", Float(trained.Weights), _ => $"dense network");

        LearnFrom(dense.Model, recipe, network);
        List<ModelResult> pruned = [.. before?.Pruned ?? []];
        PrunedNetwork? last = pruned.Count > 0 ? new PrunedNetwork(pruned[^1].Model.Decode(), pruned[^1].Validation) : null;
        foreach (PruneRecipe stage in recipe.Prune.Skip(pruned.Count))
        {
            last = flow.Prune(stage, trained, last);
            pruned.Add(Result(stage.Name, Float(last.Weights), m => $"pruned {m.CompressionRatio:f1}x to {m.Survivors} of {spec.WeightCount} weights"));
        }

        ModelResult? quantized = recipe.Quantize is not { } quantize ? null
            : Result("quantized", flow.Quantize(quantize, last ?? new PrunedNetwork(trained.Weights, trained.Validation)),
                m => $"quantized to {m.WeightDataBits / 8.0:f0} B of weight data, {m.Size.TotalBytes} B in all");
        return new RunResult(
            recipe, new DataOrigin(data.Name, data.Source, data.Checksums), dense, pruned, quantized, history.Points,
            (long)Epochs * data.Training.Count);
    }

    /// <summary>How the engine trains by a recipe.</summary>
    internal static EngineOptions Engine(Recipe recipe, int threads) => new()
    {
        BatchSize = recipe.BatchSize,
        MaxShift = recipe.MaxShift,
        Flip = recipe.Flip,
        Seed = recipe.Seed,
        Threads = threads,
    };

    /// <summary>What follows learns from the dense network too, where the recipe says so.</summary>
    /// <param name="dense">The dense network as its file has it, so that a run which begins with that file goes on to the same bits.</param>
    /// <param name="recipe">The recipe.</param>
    /// <param name="network">What learns.</param>
    internal static void LearnFrom(CompressedNetwork dense, Recipe recipe, TrainableNetwork network)
    {
        if (recipe.SoftTargets is { } soft)
        {
            network.SoftTargets = new SoftTargets(dense.Decode(), soft.Weight, soft.Temperature);
        }
    }

    /// <summary>The data with the first training images alone.</summary>
    internal static DataSet Part(DataSet data, int? trainingImages)
    {
        if (trainingImages is not { } count || count == data.Training.Count)
        {
            return data;
        }

        return count < data.Training.Count ? data with { Training = data.Training.Slice(0, count) } : throw new AdmmKitException(FormattableString.Invariant(
            $"trainingImages is {count}, but {data.Name} has {data.Training.Count} of them: leave it out for all."));
    }

    /// <summary>The model as a reader of its file gets it: what is evaluated is what was written.</summary>
    private static CompressedNetwork Stored(CompressedNetwork model)
    {
        var bytes = new MemoryStream();
        model.Write(bytes);
        return CompressedNetwork.Read(bytes.ToArray(), "the model just compressed");
    }
}
