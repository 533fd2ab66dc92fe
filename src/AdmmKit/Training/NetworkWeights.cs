using AdmmKit.Networks;

namespace AdmmKit.Training;

/// <summary>Weights and biases of all layers at one moment. Treat the arrays as read-only.</summary>
/// <param name="Weights">One row-major array a layer.</param>
/// <param name="Biases">One array a layer.</param>
public sealed record NetworkWeights(IReadOnlyList<float[]> Weights, IReadOnlyList<float[]> Biases)
{
    /// <summary>One array a batch normalization: scales, shifts, running means, running variances. Empty where there is none.</summary>
    public IReadOnlyList<float[]> Normalizations { get; init; } = [];

    /// <summary>Number of weights that are not zero, in all layers.</summary>
    public int Survivors => Weights.Sum(w => CountNonZero(w));

    /// <summary>Copies them out of a network.</summary>
    /// <param name="network">The network.</param>
    public static NetworkWeights CopyFrom(ITrainable network)
    {
        ArgumentNullException.ThrowIfNull(network);
        var weights = new float[network.Layers.Count][];
        var biases = new float[network.Layers.Count][];
        for (int i = 0; i < weights.Length; i++)
        {
            network.CopyWeights(i, weights[i] = new float[network.Layers[i].WeightCount]);
            network.CopyBiases(i, biases[i] = new float[network.Layers[i].Rows]);
        }

        var normalizations = new float[network.Normalizations.Count][];
        for (int i = 0; i < normalizations.Length; i++)
        {
            network.CopyNormalization(i, normalizations[i] = new float[network.Normalizations[i].Count]);
        }

        return new NetworkWeights(weights, biases) { Normalizations = normalizations };
    }

    /// <summary>Puts them into a network.</summary>
    /// <param name="network">The network.</param>
    public void CopyTo(ITrainable network)
    {
        ArgumentNullException.ThrowIfNull(network);
        for (int i = 0; i < Weights.Count; i++)
        {
            network.SetWeights(i, Weights[i]);
            network.SetBiases(i, Biases[i]);
        }

        for (int i = 0; i < Normalizations.Count; i++)
        {
            network.SetNormalization(i, Normalizations[i]);
        }
    }

    /// <summary>Number of entries that are not zero.</summary>
    /// <param name="values">Any numbers.</param>
    public static int CountNonZero(ReadOnlySpan<float> values)
    {
        int count = 0;
        foreach (float value in values)
        {
            count += value != 0 ? 1 : 0;
        }

        return count;
    }
}
