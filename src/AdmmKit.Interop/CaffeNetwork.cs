using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Interop;

/// <summary>A network of the library with the numbers of a Caffe model.</summary>
public static class CaffeNetwork
{
    // The "C" types are those of Dynamic Network Surgery (Guo et al. 2016), whose pruned weights are zeros.
    private static readonly string[] Convolutions = ["Convolution", "CConvolution"];
    private static readonly string[] FullyConnected = ["InnerProduct", "CInnerProduct"];

    // Names in a message.
    private const int MaxShown = 100;

    /// <summary>
    /// Finds the weights of a network among the layers of a file. Layers are the same where all have the same names, otherwise where
    /// they stand at the same place: Caffe's conv1, conv2, ip1 and ip2 are conv1, conv2, fc1 and fc2 of "lenet5". Shapes must be
    /// equal, and ReLUs follow the same layers where the file tells.
    /// </summary>
    /// <remarks>
    /// Caffe multiplies pixels, 0 to 255, by a scale of its own, 1/256 in its MNIST networks; here they are divided by 255. The
    /// weights that read the image are therefore multiplied by 255 x scale, each rounded once to the nearest float32: the network is
    /// the same function of the pixels up to that rounding.
    /// </remarks>
    /// <param name="file">The file.</param>
    /// <param name="spec">The network, without batch normalizations.</param>
    /// <param name="inputScale">What pixels of 0 to 255 are multiplied by; null for what the file's transform_param says.</param>
    /// <param name="names">The names in the file of layers that are called otherwise in the network, or null.</param>
    /// <exception cref="BadFileException">The file holds another network, or numbers that are not finite.</exception>
    /// <exception cref="AdmmKitException">The network has batch normalizations, a name is unknown, or nothing tells the scale.</exception>
    public static NetworkWeights Read(
        CaffeModelFile file, NetworkSpec spec, double? inputScale = null, IReadOnlyDictionary<string, string>? names = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.Normalizations.Count > 0)
        {
            throw new AdmmKitException($"'{file.Name}': batch normalizations, which '{spec.Name}' has, are not read from Caffe's files. Convert it to safetensors with another program.");
        }

        CaffeLayer[] layers = Match(file, spec, names);
        CheckRelus(file, spec, layers);
        float[][] weights = [.. spec.Layers.Zip(layers, (l, c) => Values(file, l, c, 0))];
        float[][] biases = [.. spec.Layers.Zip(layers, (l, c) => c.Blobs.Count > 1 ? Values(file, l, c, 1) : new float[l.Rows])];
        InputScale.Apply(spec, weights, inputScale ?? ScaleOf(file, spec));
        return new NetworkWeights(weights, biases);
    }

    private static CaffeLayer[] Match(CaffeModelFile file, NetworkSpec spec, IReadOnlyDictionary<string, string>? names)
    {
        CaffeLayer[] numbered = [.. file.Layers.Where(l => l.Blobs.Count > 0)];
        string[] known = [.. numbered.Take(MaxShown).Select(l => ForeignFile.Short(l.Name)), .. numbered.Length > MaxShown ? ["..."] : (string[])[]];
        foreach (string name in names?.Keys ?? [])
        {
            _ = spec.IndexOf(name);
        }

        if (Array.Find(numbered, l => !Convolutions.Contains(l.Type) && !FullyConnected.Contains(l.Type)) is { } strange)
        {
            throw new BadFileException($"'{file.Name}': layer {ForeignFile.Shown(strange.Name)} is of the type {ForeignFile.Shown(strange.Type)}, and '{spec.Name}' has no place for its numbers: is it another network?");
        }

        CaffeLayer? Named(LayerInfo layer)
        {
            string name = names?.GetValueOrDefault(layer.Name) ?? layer.Name;
            return Array.FindAll(numbered, l => l.Name == name) is [var one] ? one
                : names is null ? null
                : throw new AdmmKitException($"'{file.Name}': {Names.Unknown("layer", ForeignFile.Short(name), known)}");
        }

        CaffeLayer?[] named = [.. spec.Layers.Select(Named)];
        return !named.Contains(null) ? [.. named.OfType<CaffeLayer>()]
            : numbered.Length == spec.Layers.Count ? numbered
            : throw new BadFileException(FormattableString.Invariant(
                $"'{file.Name}' has {numbered.Length} layers with numbers ({string.Join(", ", known)}), but '{spec.Name}' has {spec.Layers.Count} ({string.Join(", ", spec.Layers.Select(l => l.Name))}): is it another network?"));
    }

    /// <summary>A ReLU too many or too few would go unnoticed otherwise, for it has no numbers.</summary>
    private static void CheckRelus(CaffeModelFile file, NetworkSpec spec, CaffeLayer[] layers)
    {
        if (file.Layers.All(l => l.Blobs.Count > 0))
        {
            return;
        }

        var inFile = new HashSet<string>(StringComparer.Ordinal);
        CaffeLayer? before = null;
        foreach (CaffeLayer layer in file.Layers)
        {
            before = layer.Blobs.Count > 0 ? layer : before;
            if (layer.Type == "ReLU" && Array.IndexOf(layers, before) is >= 0 and var i)
            {
                inFile.Add(spec.Layers[i].Name);
            }
        }

        var inSpec = new HashSet<string>(StringComparer.Ordinal);
        int last = -1;
        foreach (Node node in spec.Nodes)
        {
            last += node is Node.Convolution or Node.FullyConnected ? 1 : 0;
            if (node is Node.Relu && last >= 0)
            {
                inSpec.Add(spec.Layers[last].Name);
            }
        }

        if (!inFile.SetEquals(inSpec))
        {
            string List(HashSet<string> after) =>
                after.Count == 0 ? "no layer" : string.Join(", ", spec.Layers.Select(l => l.Name).Where(after.Contains));
            throw new BadFileException($"'{file.Name}' has a ReLU after {List(inFile)}, but '{spec.Name}' has one after {List(inSpec)}: choose another architecture.");
        }
    }

    private static float[] Values(CaffeModelFile file, LayerInfo layer, CaffeLayer from, int blob)
    {
        string where = $"'{file.Name}': layer {ForeignFile.Shown(from.Name)}";
        bool convolution = layer.Kind == LayerKind.Convolution;
        if (!(convolution ? Convolutions : FullyConnected).Contains(from.Type))
        {
            throw new BadFileException($"{where} is of the type {from.Type}, but '{layer.Name}' is a {(convolution ? "convolution" : "fully connected layer")}: is it another network?");
        }

        if (from.Blobs.Count > 2)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"{where} has {from.Blobs.Count} blobs, more than weights and biases: have masks applied to the weights, and removed, by the program that wrote it."));
        }

        int[] shape = blob == 1 ? [layer.Rows]
            : convolution ? [layer.Rows, layer.InputChannels, layer.KernelHeight, layer.KernelWidth]
            : [layer.Rows, layer.Columns];
        CaffeBlob found = from.Blobs[blob];
        // Old files have four dimensions in any case.
        if (!found.Shape.SkipWhile(d => d == 1).SequenceEqual(shape.SkipWhile(d => d == 1)))
        {
            throw new BadFileException($"{where} has {(blob == 1 ? "biases" : "weights")} of {string.Join("x", found.Shape)}, but '{layer.Name}' needs {string.Join("x", shape)}: is it another network?");
        }

        return Array.FindIndex(found.Values, v => !float.IsFinite(v)) is >= 0 and var bad
            ? throw new BadFileException(FormattableString.Invariant($"{where} has {found.Values[bad]} at index {bad} of its {(blob == 1 ? "biases" : "weights")}: a network's numbers are finite."))
            : [.. found.Values];
    }

    private static double ScaleOf(CaffeModelFile file, NetworkSpec spec) => Transforms(file) switch
    {
        [{ SubtractsMean: false } one] => one.Scale,
        [] => throw new AdmmKitException($"'{file.Name}' does not say what its images were multiplied by: give the input scale, 0.00390625 (1/256) for Caffe's MNIST networks."),
        [_] => throw new AdmmKitException($"'{file.Name}' is for images from which a mean was subtracted, which '{spec.Name}' does not do: give the input scale to read it all the same."),
        _ => throw new AdmmKitException($"'{file.Name}' has several layers that read images, each in its own way: give the input scale."),
    };

    private static CaffeTransform[] Transforms(CaffeModelFile file) =>
        [.. file.Layers.Select(l => l.Transform).OfType<CaffeTransform>().Distinct()];
}
