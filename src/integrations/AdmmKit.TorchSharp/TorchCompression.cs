using AdmmKit.Experiments.Runs;
using AdmmKit.Interop;
using AdmmKit.Storage;
using AdmmKit.Training;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>A compressed module: to be saved, or put back into the module.</summary>
/// <param name="Steps">What was made on the way, from the dense network on.</param>
public sealed record TorchCompression(NetworkCompression Steps)
{
    /// <summary>The compressed network.</summary>
    public CompressedNetwork Model => Steps.Result.Model;

    /// <summary>How it does on the validation examples, decoded as it is stored.</summary>
    public Evaluation Validation => Steps.Result.Validation;

    /// <summary>Points of validation accuracy, of 100, that it lies below the dense network; negative where it lies above.</summary>
    public double DropPoints => Steps.DropPoints;

    /// <summary>Writes the compressed file.</summary>
    /// <param name="path">The file, such as "x.admm".</param>
    /// <exception cref="AdmmKitException">It cannot be written.</exception>
    public void Save(string path) => Model.Save(path);

    /// <summary>Writes all weights by their names, zeros included, as PyTorch and others read them.</summary>
    /// <param name="path">The file, such as "x.safetensors".</param>
    /// <exception cref="AdmmKitException">It cannot be written.</exception>
    public void SaveSafetensors(string path)
    {
        NetworkTensors tensors = NetworkTensors.Of(Model);
        SafetensorsFile.Write(path, tensors.Tensors, tensors.Metadata);
    }

    /// <summary>Puts the weights into a module with the same layers.</summary>
    /// <param name="module">The module, on any device.</param>
    /// <exception cref="AdmmKitException">A layer is missing there, is one too many, or has another shape.</exception>
    public void CopyTo(nn.Module module) => Model.CopyTo(module);
}
