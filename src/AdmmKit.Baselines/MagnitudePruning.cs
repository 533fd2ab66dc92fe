using AdmmKit.Constraints;
using AdmmKit.Pipeline;
using AdmmKit.Training;

namespace AdmmKit.Baselines;

/// <summary>
/// Pruning without ADMM, to compare with: the weights are projected onto the set at once, so that with a cardinality the
/// smallest magnitudes go. It takes the place of <see cref="CompressionPipeline.AdmmPrune"/> and
/// <see cref="CompressionPipeline.HardPrune"/>; what follows, masked retraining first, is the same.
/// </summary>
/// <remarks>
/// Sec. 3.4 in [Han2015] prunes, retrains what is left, and prunes again what has been retrained, never reviving a weight:
/// alternate <see cref="Prune"/> with rising demands and <see cref="CompressionPipeline.Retrain"/>, each time giving the
/// retrained network as both the start and the one whose zeros are kept. This is "iterative pruning" [24] in the tables of
/// [Ren2019]. [Han2015] gives each layer a threshold; a cardinality is the same choice, named by the number of survivors.
/// <para>[Han2015] S. Han, J. Pool, J. Tran, W. J. Dally: Learning both Weights and Connections for Efficient Neural
/// Networks. NIPS 2015, arXiv:1506.02626. [Ren2019]: see <see cref="IConstraint"/>.</para>
/// </remarks>
public static class MagnitudePruning
{
    /// <summary>Projects the weights onto the set and evaluates the result on the validation images.</summary>
    /// <param name="network">The network to evaluate with; it is left with the pruned weights.</param>
    /// <param name="start">The weights to prune; biases stay as they are.</param>
    /// <param name="constraint">The set, such as a cardinality for each layer or one for the whole network.</param>
    /// <param name="keepZeros">A network pruned before, whose zeros stay zero; null for none.</param>
    /// <exception cref="AdmmKitException">The set does not fit the network, or it revives a weight that is to stay
    /// zero.</exception>
    public static PrunedNetwork Prune(
        ITrainable network, NetworkWeights start, INetworkConstraint constraint, PrunedNetwork? keepZeros = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(constraint);
        constraint.Validate(network.Layers);
        network.Prepare(start, keepZeros);
        NetworkWeights weights = NetworkWeights.CopyFrom(network);
        // Equal rho: a budget for the whole network then ranks plain magnitudes.
        float[] rho = [.. network.Layers.Select(_ => 1f)];
        constraint.Project(network.Layers, weights.Weights, weights.Weights, rho);
        keepZeros?.CheckKept(network.Layers, weights.Weights);
        weights.CopyTo(network);
        return new PrunedNetwork(weights, network.Evaluate(DataSplit.Validation));
    }
}
