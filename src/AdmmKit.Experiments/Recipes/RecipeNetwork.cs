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

        string file = recipe.Pretrained ?? throw new AdmmKitException(
            $"The recipe's architecture is '{OfFile}', but it has no file: name one with pretrained, or an architecture: {string.Join(", ", NetworkSpec.Architectures)}.");
        NetworkSpec spec = StoredModel.Load(file).Spec;
        return spec.Input == data.Training.Shape && spec.Classes == data.Training.Classes ? spec
            : throw new AdmmKitException(FormattableString.Invariant(
                $"pretrained: '{file}' holds a network for {spec.Input} images in {spec.Classes} classes, but those of {data.Name} are {data.Training.Shape} in {data.Training.Classes}: choose the data that it was trained on."));
    }
}
