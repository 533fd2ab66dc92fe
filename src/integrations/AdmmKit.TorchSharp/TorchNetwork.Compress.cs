using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.TorchSharp;

/// <summary>Compressing the module: by a recipe, or as far as an accuracy budget goes.</summary>
public sealed partial class TorchNetwork
{
    private ulong seed;
    private ITorchData batches;

    /// <summary>The module's layers as they are written to files: those of the options' Spec, or without a graph.</summary>
    public NetworkSpec Spec => options.Spec
        ?? NetworkSpec.OfLayers(ModuleParts.NameOf(module), Image(data.InputShape), Layers, Normalizations);

    /// <summary>
    /// Runs a recipe on the module: training, prunings, quantization. Seed, batch size, shifts, mirrored images and the number of training
    /// images are the recipe's where the data are an <see cref="ImageData"/>; other data have their own, and the recipe must not ask for
    /// <see cref="Recipe.TrainingImages"/>. The recipe's architecture says nothing here.
    /// </summary>
    /// <param name="recipe">What to do. For a module that is trained already, <see cref="Recipe.Pretrain"/> has 0 epochs.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    /// <param name="cancellation">Stops between two training steps.</param>
    /// <returns>The compressed network; the module holds it, too.</returns>
    /// <exception cref="AdmmKitException">The recipe does not fit the module.</exception>
    /// <exception cref="DivergedException">The loss is no longer finite.</exception>
    public TorchCompression Compress(Recipe recipe, IRunObserver? observer = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ITorchData own = batches;
        (seed, batches) = (recipe.Seed, DataFor(recipe));
        try
        {
            return new TorchCompression(NetworkCompression.Run(recipe, this, Spec, observer, cancellation));
        }
        finally
        {
            (seed, batches) = (options.Seed, own);
        }
    }

    /// <summary>Prunes and quantizes the trained module as far as it loses no more than so many points of validation accuracy.</summary>
    /// <param name="maxDropPoints">Points, of 100.</param>
    /// <param name="options">The rest of the search; null for what is usual.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    /// <param name="cancellation">Stops between two training steps.</param>
    /// <returns>The compressed network; the module holds it, too.</returns>
    /// <exception cref="AdmmKitException">Nothing smaller than the dense network is within the budget.</exception>
    /// <exception cref="DivergedException">The loss is no longer finite.</exception>
    public TorchCompression CompressWithin(
        double maxDropPoints, BudgetOptions? options = null, IRunObserver? observer = null, CancellationToken cancellation = default) =>
        new(BudgetCompression.Run(
            this, Spec, (options ?? new BudgetOptions()) with { MaxDropPoints = maxDropPoints }, observer, cancellation));

    private static ImageShape Image(IReadOnlyList<long> shape) => shape.Count == 3
        ? new((int)shape[0], (int)shape[1], (int)shape[2])
        : new((int)shape.Aggregate(1L, (product, side) => product * side), 1, 1);

    private ITorchData DataFor(Recipe recipe)
    {
        if (data is not ImageData images)
        {
            return recipe.TrainingImages is null ? data : throw new AdmmKitException(
                "The recipe has trainingImages, which only ImageData can follow: leave it out, and give fewer examples.");
        }

        Engine.Data.DataSet all = images.Data;
        int count = recipe.TrainingImages ?? all.Training.Count;
        return count > 0 && count <= all.Training.Count
            ? new ImageData(all with { Training = all.Training.Slice(0, count) })
            {
                BatchSize = recipe.BatchSize,
                MaxShift = recipe.MaxShift,
                Flip = recipe.Flip,
            }
            : throw new AdmmKitException(FormattableString.Invariant(
                $"trainingImages is {count}, but {all.Name} has {all.Training.Count} of them: leave it out for all."));
    }
}
