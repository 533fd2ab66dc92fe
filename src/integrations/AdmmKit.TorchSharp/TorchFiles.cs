using AdmmKit.Interop;
using AdmmKit.Storage;
using AdmmKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>From files into modules. Layers go by their dotted names; all is checked before anything is changed.</summary>
public static class TorchFiles
{
    /// <summary>Reads a file into a module: compressed (.admm), or tensors by name (.safetensors), of AdmmKit or of PyTorch.</summary>
    /// <param name="module">The module, on any device.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="BadFileException">The file is damaged, or a tensor in it has another shape.</exception>
    /// <exception cref="AdmmKitException">It cannot be read, or its layers are not those of the module.</exception>
    public static void LoadCompressed(this nn.Module module, string path)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Path.GetExtension(path) == ".safetensors")
        {
            Load(module, SafetensorsFile.Read(path));
        }
        else
        {
            CompressedNetwork.Load(path).CopyTo(module);
        }
    }

    /// <summary>Puts the weights of a compressed network into a module.</summary>
    /// <param name="model">The network.</param>
    /// <param name="module">The module, on any device.</param>
    /// <exception cref="AdmmKitException">A layer is missing there, is one too many, or has another shape.</exception>
    public static void CopyTo(this CompressedNetwork model, nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(model);
        ModuleParts parts = ModuleParts.Of(module, untrained: true).InOrderOf(model.Spec);
        NetworkWeights weights = model.Decode();
        // The only check that is left: biases for a layer that has none.
        for (int i = 0; i < parts.Layers.Count; i++)
        {
            TorchNetwork.CheckBiases(parts.Layers[i], weights.Biases[i]);
        }

        for (int i = 0; i < parts.Layers.Count; i++)
        {
            Tensors.Set(parts.Layers[i].Weight, weights.Weights[i]);
            if (parts.Layers[i].Bias is { } biases)
            {
                Tensors.Set(biases, weights.Biases[i]);
            }
        }

        for (int i = 0; i < parts.Normalizations.Count; i++)
        {
            TorchNetwork.SetNormalization(parts.Normalizations[i], weights.Normalizations[i]);
        }
    }

    private static void Load(nn.Module module, SafetensorsFile file)
    {
        IEnumerable<(string, Tensor)> parameters = module.named_parameters().Select(p => (p.name, (Tensor)p.parameter));
        Dictionary<string, Tensor> own = ModuleParts.Named(parameters.Concat(module.named_buffers().Select(b => (b.name, b.buffer))));
        string[] layers = [.. ModuleParts.Of(module, untrained: true).Names];
        foreach (string missing in layers.Where(name => !file.Tensors.Any(t => t.Name == name)))
        {
            _ = file[missing]; // Says that it is missing, and which name is near.
        }

        var values = new Dictionary<string, float[]>(StringComparer.Ordinal);
        foreach (SafetensorsTensor tensor in file.Tensors)
        {
            if (own.TryGetValue(tensor.Name, out Tensor? to))
            {
                // A count, which no inference reads.
                if (!tensor.Name.EndsWith(".num_batches_tracked", StringComparison.Ordinal))
                {
                    values[tensor.Name] = to.shape.SequenceEqual(tensor.Shape.Select(s => (long)s)) ? tensor.ToSingles() : throw new BadFileException(
                        $"'{file.Name}': tensor '{tensor.Name}' is {string.Join("x", tensor.Shape)}, but {string.Join("x", to.shape)} in the module: is it another network?");
                }
            }
            else if (!(IsBiasOf(layers, tensor.Name) && !tensor.ToSingles().AsSpan().ContainsAnyExcept(0f)))
            {
                throw new AdmmKitException($"'{file.Name}' does not fit the module. {Names.Unknown("tensor", tensor.Name, own.Keys)}");
            }
        }

        foreach ((string name, float[] numbers) in values)
        {
            Tensors.Set(own[name], numbers);
        }
    }

    /// <summary>Whether a tensor is the biases of a layer; files of AdmmKit may have them, all 0, where the module has none.</summary>
    private static bool IsBiasOf(string[] layers, string name) =>
        name.EndsWith(".bias", StringComparison.Ordinal) && layers.Contains(name[..^"bias".Length] + "weight");
}
