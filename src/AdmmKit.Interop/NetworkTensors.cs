using System.Globalization;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Interop;

/// <summary>A compressed network as named tensors: what other programs read.</summary>
/// <param name="Tensors">
/// For each layer "NAME.weight", zeros included, [filters, input channels of a group, kernel rows, kernel columns] or
/// [outputs, inputs], and "NAME.bias", [filters or outputs], where it has biases; for each batch normalization "NAME.weight",
/// "NAME.bias", "NAME.running_mean" and "NAME.running_var", [channels].
/// </param>
/// <param name="Metadata">
/// "architecture", "input" (channels x height x width) and "classes"; "network", the graph (<see cref="NetworkJson"/>); for each quantized layer "NAME.bits" and "NAME.q", sec.
/// 3.4.2 in [Ren2019]; for each layer with a codebook "NAME.bits" and "NAME.codebook", the number of its values.
/// </param>
public sealed record NetworkTensors(IReadOnlyList<SafetensorsTensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    private const int MaxMetadata = 100;

    // In the order of NetworkWeights.Normalizations.
    private static readonly string[] NormalizationParts = ["weight", "bias", "running_mean", "running_var"];

    /// <summary>Decodes a network: the values are those of <see cref="CompressedNetwork.Decode"/>, to the last bit.</summary>
    /// <param name="model">The network.</param>
    public static NetworkTensors Of(CompressedNetwork model)
    {
        ArgumentNullException.ThrowIfNull(model);
        NetworkTensors tensors = Of(model.Spec, model.Decode());
        var metadata = new Dictionary<string, string>(tensors.Metadata, StringComparer.Ordinal);
        foreach (CompressedLayer stored in model.Layers)
        {
            LayerInfo layer = stored.Layer;
            if (stored.Coding != ValueCoding.Floats)
            {
                metadata[$"{layer.Name}.bits"] = stored.Bits.ToString(CultureInfo.InvariantCulture);
            }

            if (stored.Coding == ValueCoding.Levels)
            {
                metadata[$"{layer.Name}.q"] = stored.Q.ToString("R", CultureInfo.InvariantCulture);
            }
            else if (stored.Coding == ValueCoding.Codebook)
            {
                metadata[$"{layer.Name}.codebook"] = stored.Codebook.Length.ToString(CultureInfo.InvariantCulture);
            }
        }

        return tensors with { Metadata = metadata };
    }

    /// <summary>A network with weights of any kind.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="weights">Its weights.</param>
    public static NetworkTensors Of(NetworkSpec spec, NetworkWeights weights)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        var tensors = new List<SafetensorsTensor>();
        for (int i = 0; i < spec.Layers.Count; i++)
        {
            LayerInfo layer = spec.Layers[i];
            tensors.Add(new SafetensorsTensor($"{layer.Name}.weight", ShapeOf(layer), weights.Weights[i]));
            if (HasBias(spec, layer))
            {
                tensors.Add(new SafetensorsTensor($"{layer.Name}.bias", [layer.Rows], weights.Biases[i]));
            }
        }

        for (int i = 0; i < spec.Normalizations.Count; i++)
        {
            (string name, int channels) = (spec.Normalizations[i].Name, spec.Normalizations[i].Channels);
            for (int part = 0; part < NormalizationParts.Length; part++)
            {
                tensors.Add(new SafetensorsTensor(
                    $"{name}.{NormalizationParts[part]}", [channels], weights.Normalizations[i].AsMemory(part * channels, channels)));
            }
        }

        return new NetworkTensors(tensors, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["architecture"] = spec.Name,
            ["input"] = spec.Input.ToString(),
            ["classes"] = spec.Classes.ToString(CultureInfo.InvariantCulture),
            ["network"] = NetworkJson.Write(spec),
        });
    }

    /// <summary>
    /// The network that a file's metadata describe or name, as <see cref="Of(NetworkSpec, NetworkWeights)"/> writes them; null where
    /// they do neither.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <exception cref="BadFileException">
    /// The graph is not one, or they name a network that is unknown, or without the shape of its input or its classes.
    /// </exception>
    public static NetworkSpec? SpecOf(SafetensorsFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.Metadata.TryGetValue("network", out string? graph))
        {
            return NetworkJson.Parse(graph, $"{file.Name}, metadata \"network\"");
        }

        if (!file.Metadata.TryGetValue("architecture", out string? architecture))
        {
            return null;
        }

        // Short before they are split, or searched for the nearest name, which is quadratic.
        string Text(string key) => file.Metadata.TryGetValue(key, out string? text) && text.Length <= MaxMetadata ? text : "";
        string[] sides = Text("input").Split('x');
        if (Text("architecture") != architecture || sides.Length != 3 || !Number(sides[0], out int channels) || !Number(sides[1], out int height)
            || !Number(sides[2], out int width) || !Number(Text("classes"), out int classes))
        {
            throw new BadFileException(FormattableString.Invariant(
                $"'{file.Name}' names an architecture in its metadata, but not with an \"input\" such as 3x32x32 and a number of \"classes\", each of at most {MaxMetadata} characters."));
        }

        try
        {
            return NetworkFile.Named(architecture, new ImageShape(channels, height, width), classes);
        }
        catch (AdmmKitException e)
        {
            throw new BadFileException($"'{file.Name}' does not name a network that is known: {e.Message}", e);
        }
    }

    /// <summary>Finds the weights of a network among the tensors of a file. Tensors of other names are left alone.</summary>
    /// <param name="file">The file, of this kit or of PyTorch, whose names and shapes these are.</param>
    /// <param name="spec">The network.</param>
    /// <exception cref="BadFileException">A tensor has not the shape that the network needs, or a variance is negative or not finite.</exception>
    /// <exception cref="AdmmKitException">A tensor is missing.</exception>
    public static NetworkWeights Read(SafetensorsFile file, NetworkSpec spec)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(spec);
        float[] Values(string name, int[] shape)
        {
            SafetensorsTensor tensor = file[name];
            return tensor.Shape.SequenceEqual(shape) ? tensor.ToSingles() : throw new BadFileException(
                $"Tensor '{name}' is {string.Join("x", tensor.Shape)}, but '{spec.Name}' needs {string.Join("x", shape)}: is it another network?");
        }

        float[][] weights = [.. spec.Layers.Select(l => Values($"{l.Name}.weight", ShapeOf(l)))];
        float[][] biases = [.. spec.Layers.Select(l => HasBias(spec, l) ? Values($"{l.Name}.bias", [l.Rows]) : new float[l.Rows])];
        float[][] normalizations = [.. spec.Normalizations.Select(n => NormalizationParts.SelectMany(p => Values($"{n.Name}.{p}", [n.Channels])).ToArray())];
        try
        {
            spec.CheckNormalizations(normalizations);
        }
        catch (AdmmKitException e)
        {
            throw new BadFileException($"'{file.Name}': {e.Message}", e);
        }

        return new NetworkWeights(weights, biases) { Normalizations = normalizations };
    }

    private static bool Number(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private static bool HasBias(NetworkSpec spec, LayerInfo layer) =>
        !spec.Nodes.Any(n => n is Node.Convolution { Biased: false } c && c.Name == layer.Name);

    private static int[] ShapeOf(LayerInfo layer) => layer.Kind == LayerKind.Convolution
        ? [layer.Rows, layer.InputChannels, layer.KernelHeight, layer.KernelWidth]
        : [layer.Rows, layer.Columns];
}
