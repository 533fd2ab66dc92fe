using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Results;
using AdmmKit.Networks;

namespace AdmmKit.Experiments.Recipes;

/// <summary>Which network a recipe is for.</summary>
public static class RecipeNetwork
{
    /// <summary>What stands for an architecture where the network is the one in the file that the recipe begins with.</summary>
    public const string OfFile = "pretrained";

    /// <summary>The network of a recipe.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="data">What it is to learn from.</param>
    /// <exception cref="AdmmKitException">
    /// The architecture is unknown; or it is that of a file, which cannot be read, does not describe one, or does not fit the data.
    /// </exception>
    public static NetworkSpec Of(Recipe recipe, DataSet data)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(data);
        if (recipe.Architecture != OfFile)
        {
            return NetworkSpec.Create(recipe.Architecture, data.Training.Shape, data.Training.Classes);
        }

        NetworkSpec spec = OfPretrained(recipe);
        CheckFits(spec, $"pretrained: '{recipe.Pretrained}'", data);
        return spec;
    }

    /// <summary>The network in the file that a recipe begins with.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <exception cref="AdmmKitException">It names no file; or the file cannot be read, or does not describe a network that can be computed.</exception>
    public static NetworkSpec OfPretrained(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        string file = recipe.Pretrained ?? throw new AdmmKitException(
            $"The recipe's architecture is '{OfFile}', but it has no file: name one with pretrained, or an architecture: {string.Join(", ", NetworkSpec.Architectures)}.");
        NetworkSpec spec = StoredModel.Load(file).Spec;
        spec.CheckGraph();
        return spec;
    }

    /// <summary>Checks that a network is for the images of a data set.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="holder">What messages call it: its file.</param>
    /// <param name="data">The data set.</param>
    /// <exception cref="AdmmKitException">It is for other images.</exception>
    public static void CheckFits(NetworkSpec spec, string holder, DataSet data)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(data);
        if (spec.Input != data.Training.Shape || spec.Classes != data.Training.Classes)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{holder} is a network for {spec.Input} images in {spec.Classes} classes, but those of {data.Name} are {data.Training.Shape} in {data.Training.Classes}: choose the data that it was trained on, with --data and --data-set."));
        }
    }
}
