using AdmmKit.Experiments.Results;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Runs;

/// <summary>A dense network in a file, with which a recipe begins instead of training one.</summary>
internal static class PretrainedModel
{
    /// <summary>Its weights.</summary>
    /// <exception cref="AdmmKitException">It cannot be read, or is another network.</exception>
    public static NetworkWeights Load(string file, NetworkSpec spec)
    {
        var model = StoredModel.Load(file, StoredModel.NamesItsNetwork(file) ? null : spec.Name, () => (spec.Input, spec.Classes));
        return model.Spec.Name == spec.Name && model.Spec.Layers.SequenceEqual(spec.Layers) && model.Spec.Normalizations.SequenceEqual(spec.Normalizations)
            ? model.Decode()
            : throw new AdmmKitException(
                $"pretrained: '{file}' holds a {model.Spec.Name} for {model.Spec.Input} images in {model.Spec.Classes} classes, but the recipe and the data ask for a {spec.Name} for {spec.Input} in {spec.Classes}: correct the recipe's architecture, or choose the data that it was trained on.");
    }

    /// <summary>SHA-256 of the file.</summary>
    /// <exception cref="AdmmKitException">It cannot be read, or is too long to be a model.</exception>
    public static string Hash(string file)
    {
        try
        {
            return new FileInfo(file).Length <= NetworkFile.MaxBytes ? ModelRecord.Hash(File.ReadAllBytes(file))
                : throw new BadFileException(FormattableString.Invariant($"pretrained: '{file}' is longer than a model can be ({NetworkFile.MaxBytes} bytes): is it the right file?"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"pretrained: '{file}' could not be read: {e.Message.TrimEnd('.')}. Check the name and that you may read it.", e);
        }
    }
}
