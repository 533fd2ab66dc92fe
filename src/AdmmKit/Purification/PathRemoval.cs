using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Training;

namespace AdmmKit.Purification;

/// <summary>What was taken out of one layer.</summary>
/// <param name="Layer">The layer's name.</param>
/// <param name="Rows">Outputs that had weights or a bias and have neither now.</param>
/// <param name="Columns">Inputs that were read and are not now.</param>
/// <param name="Weights">Survivors that are zero now.</param>
/// <param name="Constants">Biases that took up what their output had read from constant inputs.</param>
public sealed record LayerRemoval(string Layer, int Rows, int Columns, int Weights, int Constants)
{
    /// <summary>What differs between a network and what was made of it by removing weights.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="before">Its weights.</param>
    /// <param name="after">The weights with some removed.</param>
    internal static IReadOnlyList<LayerRemoval> Between(NetworkSpec spec, NetworkWeights before, NetworkWeights after) =>
    [
        .. spec.Layers.Select((layer, i) =>
        {
            (HashSet<int> rowsBefore, HashSet<int> columnsBefore) = Used(layer, before, i);
            (HashSet<int> rowsAfter, HashSet<int> columnsAfter) = Used(layer, after, i);
            return new LayerRemoval(
                layer.Name,
                rowsBefore.Count - rowsAfter.Count,
                columnsBefore.Count - columnsAfter.Count,
                NetworkWeights.CountNonZero(before.Weights[i]) - NetworkWeights.CountNonZero(after.Weights[i]),
                rowsAfter.Count(row => before.Biases[i][row] != after.Biases[i][row]));
        }),
    ];

    private static (HashSet<int> Rows, HashSet<int> Columns) Used(LayerInfo layer, NetworkWeights weights, int index)
    {
        int[] living = [.. Enumerable.Range(0, layer.WeightCount).Where(j => weights.Weights[index][j] != 0)];
        int[] biased = [.. Enumerable.Range(0, layer.Rows).Where(row => weights.Biases[index][row] != 0)];
        return ([.. living.Select(j => j / layer.Columns), .. biased], [.. living.Select(j => j % layer.Columns)]);
    }
}

/// <summary>A network without what had no effect.</summary>
/// <param name="Weights">Its weights, in arrays of the same sizes: what is removed is zero.</param>
/// <param name="Removed">What was taken out, layer by layer.</param>
public sealed record PathRemoval(NetworkWeights Weights, IReadOnlyList<LayerRemoval> Removed);

/// <summary>A network without what had little effect or none.</summary>
/// <param name="Network">The network, evaluated.</param>
/// <param name="Removed">What was taken out in all, layer by layer.</param>
/// <param name="Before">The network before, on the same images.</param>
/// <param name="Evaluations">How often a network was evaluated.</param>
public sealed record PurificationResult(PrunedNetwork Network, IReadOnlyList<LayerRemoval> Removed, Evaluation Before, int Evaluations);
