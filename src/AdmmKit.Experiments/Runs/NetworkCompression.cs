using AdmmKit.Experiments.Recipes;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Runs;

/// <summary>A network as it is stored, and how it does.</summary>
/// <param name="Name">"dense", the name of a pruning, or "quantized".</param>
/// <param name="Model">As it is stored; weights that are not quantized as float32.</param>
/// <param name="Validation">The decoded model on the validation images.</param>
public sealed record CompressionStage(string Name, CompressedNetwork Model, Evaluation Validation);

/// <summary>What was made of a network.</summary>
/// <param name="Stages">From the dense network on, in the order in which they were made; the last one is the result.</param>
/// <param name="History">Epochs and ADMM iterations in order.</param>
public sealed record NetworkCompression(IReadOnlyList<CompressionStage> Stages, IReadOnlyList<HistoryPoint> History)
{
    /// <summary>The network before pruning.</summary>
    public CompressionStage Dense => Stages[0];

    /// <summary>The compressed network.</summary>
    public CompressionStage Result => Stages[^1];

    /// <summary>Points of validation accuracy, of 100, that the result lies below the dense network; negative where it lies above.</summary>
    public double DropPoints => 100.0 * (Dense.Validation.Correct - Result.Validation.Correct) / Dense.Validation.Count;

    /// <summary>
    /// Runs a recipe on a network of any engine: training, prunings, quantization. Batch size, augmentation and seed are the
    /// engine's business, and so is the architecture.
    /// </summary>
    /// <param name="recipe">What to do. <see cref="Recipe.Pretrain"/> trains on from where the network stands; for one that is trained
    /// already it has 0 epochs.</param>
    /// <param name="network">The network; it is left with the result's weights.</param>
    /// <param name="spec">Its layers, as they are written to a file.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    /// <param name="cancellation">Stops between two training steps.</param>
    /// <exception cref="AdmmKitException">The recipe does not fit, or asks for soft targets, which only the kit's own engine has.</exception>
    /// <exception cref="DivergedException">The loss is no longer finite.</exception>
    public static NetworkCompression Run(
        Recipe recipe, ITrainable network, NetworkSpec spec, IRunObserver? observer = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var stages = new CompressionStages(network, spec, observer);
        RecipeChecks.Check(recipe, spec);
        if (recipe.SoftTargets is not null)
        {
            throw new AdmmKitException("The recipe has softTargets, which only the kit's own engine can train with: leave them out.");
        }

        OverallProgress? overall = observer is null ? null : new OverallProgress(observer, Math.Max(1, RecipeFlow.Epochs(recipe)));
        var history = new History(overall, network.StepsPerEpoch, [], 0);
        var flow = new RecipeFlow(recipe, network, spec, history, new CompressionPipeline(network, history), cancellation);
        TrainedNetwork dense = flow.Pretrain();
        stages.Add("dense", dense.Weights);
        PrunedNetwork? last = null;
        foreach (PruneRecipe stage in recipe.Prune)
        {
            last = flow.Prune(stage, dense, last);
            stages.Add(stage.Name, last.Weights);
        }

        if (recipe.Quantize is { } quantize)
        {
            stages.Add("quantized", flow.Quantize(quantize, last ?? new PrunedNetwork(dense.Weights, dense.Validation)));
        }

        return new NetworkCompression(stages.Done, history.Points);
    }
}

/// <summary>Makes stages of what a network of any engine holds.</summary>
internal sealed class CompressionStages
{
    private readonly ITrainable network;
    private readonly NetworkSpec spec;
    private readonly IRunObserver? observer;
    private readonly List<CompressionStage> done = [];

    /// <exception cref="AdmmKitException">The layers are not those of the network.</exception>
    public CompressionStages(ITrainable network, NetworkSpec spec, IRunObserver? observer)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(spec);
        (this.network, this.spec, this.observer) = (network, spec, observer);
        static string Text(IEnumerable<LayerInfo> layers, IEnumerable<NormalizationInfo> normalizations) => string.Join(
            ", ", layers.Select(l => $"{l.Name} {l.Shape}").Concat(normalizations.Select(n => FormattableString.Invariant($"{n.Name} {n.Channels}"))));
        (string has, string told) = (Text(network.Layers, network.Normalizations), Text(spec.Layers, spec.Normalizations));
        if (has != told)
        {
            throw new AdmmKitException($"The network has {has}; '{spec.Name}' has {told}: name the same layers in the same order.");
        }
    }

    public IReadOnlyList<CompressionStage> Done => done;

    /// <summary>A network with weights as they are.</summary>
    public CompressionStage Add(string name, NetworkWeights weights) => Add(name, CompressedNetwork.FromWeights(
        spec, weights, new float[spec.Layers.Count], [.. spec.Layers.Select(_ => CompressedLayer.FloatBits)]));

    /// <summary>A network as it is stored; what is evaluated is what a reader of its file gets.</summary>
    public CompressionStage Add(string name, CompressedNetwork model)
    {
        var stage = new CompressionStage(name, model, Evaluate(model));
        observer?.Milestone(FormattableString.Invariant(
            $"{name}: {model.Survivors} of {spec.WeightCount} weights, {model.Size.TotalBytes} B, validation {100 * stage.Validation.Accuracy:f2} %"));
        done.Add(stage);
        return stage;
    }

    /// <summary>Puts a model into the network and evaluates it.</summary>
    public Evaluation Evaluate(CompressedNetwork model)
    {
        network.Prepare(model.Decode());
        return network.Evaluate(DataSplit.Validation);
    }
}
