using System.CommandLine;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;
using AdmmKit.Interop;
using AdmmKit.Networks;

namespace AdmmKit.Cli;

/// <summary>A network in a file that a command is given to compress.</summary>
/// <param name="File">The file, as it is named on the command line.</param>
/// <param name="Model">What it holds.</param>
/// <param name="Explained">Whether the command line says what the file does not: which network it is, or for which pixels.</param>
internal sealed record GivenModel(string File, StoredModel Model, bool Explained)
{
    /// <summary>What the network computes.</summary>
    public NetworkSpec Spec => Model.Spec;

    /// <summary>The file that a recipe begins with: the one given, or one that says of itself what the command line says of it.</summary>
    private string Pretrained { get; init; } = File;

    /// <summary>Opens the file.</summary>
    /// <param name="options">The options about it.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="file">The file.</param>
    /// <param name="images">The images that the network is for, asked for only if needed; null where there are none.</param>
    /// <exception cref="AdmmKitException">It cannot be read, or its layers are known but not how they are connected.</exception>
    public static GivenModel Open(
        ModelOptions options, ParseResult parsed, string file, Func<(ImageShape Input, int Classes)>? images = null)
    {
        StoredModel model = options.Load(parsed, file, images);
        model.Spec.CheckGraph();
        return new(file, model, options.AreGiven(parsed));
    }

    /// <summary>The same network in a file that needs no explanation; where none is needed, nothing is written.</summary>
    /// <param name="folder">Where to write it.</param>
    public GivenModel WithoutExplanation(string folder)
    {
        if (!Explained)
        {
            return this;
        }

        string written = Path.Combine(folder, Path.GetFileNameWithoutExtension(File) + StoredModel.DenseExtension);
        var tensors = NetworkTensors.Of(Spec, Model.Decode());
        SafetensorsFile.Write(written, tensors.Tensors, tensors.Metadata);
        return this with { Pretrained = written };
    }

    /// <summary>A recipe that begins with this network; small colour images are moved and mirrored as usual.</summary>
    /// <param name="recipe">The rest of it.</param>
    public Recipe Start(Recipe recipe) => recipe with
    {
        Architecture = RecipeNetwork.OfFile,
        Pretrained = Pretrained,
        MaxShift = Spec.Input == NetworkSpec.Cifar ? 4 : recipe.MaxShift,
        Flip = Spec.Input == NetworkSpec.Cifar,
    };

    /// <summary>A recipe of a file that is to begin with this network.</summary>
    /// <param name="path">The recipe's file.</param>
    /// <exception cref="AdmmKitException">It begins with another file.</exception>
    public Recipe Start(string path)
    {
        Recipe recipe = RecipeJson.Load(path, RecipeNetwork.OfFile);
        return recipe.Pretrained is null || Path.GetFullPath(recipe.Pretrained) == Path.GetFullPath(File)
            ? recipe with { Pretrained = Pretrained }
            : throw new AdmmKitException(
                $"The recipe '{path}' begins with the network in '{recipe.Pretrained}', and the command line names '{File}': "
                + "leave one of them out.");
    }
}
