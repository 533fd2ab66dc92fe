using AdmmKit.Training;

namespace AdmmKit.Pipeline;

/// <summary>How each step sets the network up by itself, whatever the step before left in it.</summary>
internal static class Preparation
{
    /// <summary>
    /// Takes away penalties, masks and frozen weights, puts the weights in, and pins the zeros of a pruned network. Masks go
    /// first: weights put in under the mask of an earlier step would be lost.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="weights">Its weights and biases from here on.</param>
    /// <param name="keepZeros">A pruned network whose zeros stay zero; null for none.</param>
    public static void Prepare(this ITrainable network, NetworkWeights weights, PrunedNetwork? keepZeros = null)
    {
        for (int i = 0; i < network.Layers.Count; i++)
        {
            network.SetPenalty(i, Penalty.None);
            network.SetMask(i, []);
            network.SetFrozen(i, []);
        }

        weights.CopyTo(network);
        for (int i = 0; keepZeros is not null && i < network.Layers.Count; i++)
        {
            network.SetMask(i, keepZeros.Mask(i));
        }
    }
}
