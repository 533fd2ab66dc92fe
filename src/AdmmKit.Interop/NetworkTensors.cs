using System.Globalization;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Interop;

/// <summary>A compressed network as named tensors: what other programs read.</summary>
/// <param name="Tensors">
/// For each layer "NAME.weight", zeros included, [filters, input channels of a group, kernel rows, kernel columns] or
/// [outputs, inputs], and "NAME.bias", [filters or outputs].
/// </param>
/// <param name="Metadata">
/// "architecture", "input" (channels x height x width) and "classes"; for each quantized layer "NAME.bits" and "NAME.q", sec.
/// 3.4.2 in [Ren2019]; for each layer with a codebook "NAME.bits" and "NAME.codebook", the number of its values.
/// </param>
public sealed record NetworkTensors(IReadOnlyList<SafetensorsTensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Decodes a network: the values are those of <see cref="CompressedNetwork.Decode"/>, to the last bit.</summary>
    /// <param name="model">The network.</param>
    public static NetworkTensors Of(CompressedNetwork model)
    {
        ArgumentNullException.ThrowIfNull(model);
        NetworkWeights decoded = model.Decode();
        var tensors = new List<SafetensorsTensor>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["architecture"] = model.Spec.Name,
            ["input"] = model.Spec.Input.ToString(),
            ["classes"] = model.Spec.Classes.ToString(CultureInfo.InvariantCulture),
        };
        for (int i = 0; i < model.Layers.Count; i++)
        {
            CompressedLayer stored = model.Layers[i];
            LayerInfo layer = stored.Layer;
            tensors.Add(new SafetensorsTensor($"{layer.Name}.weight", ShapeOf(layer), decoded.Weights[i]));
            tensors.Add(new SafetensorsTensor($"{layer.Name}.bias", [layer.Rows], decoded.Biases[i]));
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

        return new NetworkTensors(tensors, metadata);
    }

    private static int[] ShapeOf(LayerInfo layer) => layer.Kind == LayerKind.Convolution
        ? [layer.Rows, layer.InputChannels, layer.KernelHeight, layer.KernelWidth]
        : [layer.Rows, layer.Columns];
}
