using AdmmKit.Constraints;
using AdmmKit.Pipeline;
using AdmmKit.Training;

namespace AdmmKit.Baselines;

/// <summary>A pruned network in which the survivors of a layer share the few values of its codebook.</summary>
/// <param name="Weights">Its weights and biases.</param>
/// <param name="Layers">Codebook and codes of each layer.</param>
/// <param name="Validation">Its accuracy on the validation images.</param>
public sealed record SharedNetwork(NetworkWeights Weights, IReadOnlyList<WeightClusters> Layers, Evaluation Validation)
{
    /// <summary>Bits of codes and codebooks of all layers.</summary>
    public long DataBits => Layers.Sum(l => l.DataBits);
}

/// <summary>
/// Trained quantization in the manner of sec. 3 in [Han2016], to compare with ADMM: the survivors of each layer are
/// clustered, and the shared values are trained with the clusters fixed.
/// </summary>
/// <remarks>
/// [Han2016] sums the gradients of a cluster's members and steps the shared value by the sum. Here the members train freely
/// for some steps and are then set to their mean. With one step between two means and plain gradient descent that is the
/// step of [Han2016] with the gradients averaged instead of summed: a learning rate of its own for each cluster, divided by
/// its size, which keeps large clusters from overshooting. With momentum or Adam the members also keep moments of their
/// own, and with more steps they drift apart in between. The last thing done is always a mean, so that what is returned has
/// shared values only.
/// <para>[Han2016]: see <see cref="WeightClusters"/>.</para>
/// </remarks>
public static class WeightSharing
{
    /// <summary>Clusters the survivors of each layer and evaluates the result; the support stays as it is.</summary>
    /// <param name="network">The network to evaluate with; it is left with the shared values.</param>
    /// <param name="pruned">The pruned, retrained network.</param>
    /// <param name="bits">Bits a code of each layer, 1 to 8; [Han2016] takes 8 for convolutions and 5 for the rest.</param>
    /// <exception cref="AdmmKitException">Bits are out of range, or not one number a layer.</exception>
    public static SharedNetwork Cluster(ITrainable network, PrunedNetwork pruned, IReadOnlyList<int> bits)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(pruned);
        ArgumentNullException.ThrowIfNull(bits);
        if (bits.Count != network.Layers.Count)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{bits.Count} numbers of bits for {network.Layers.Count} layers: give one a layer."));
        }

        network.Prepare(pruned.Weights);
        return Share(network, [.. pruned.Weights.Weights.Select((w, i) => WeightClusters.Find(w, bits[i]))]);
    }

    /// <summary>Trains the shared values and the biases; which weight belongs to which cluster stays as it is.</summary>
    /// <param name="network">The network to train.</param>
    /// <param name="shared">Where to start.</param>
    /// <param name="phase">Length and learning rate.</param>
    /// <param name="stepsPerMean">Training steps between two means, at least 1.</param>
    /// <param name="progress">Told how training goes, or null.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <exception cref="AdmmKitException"><paramref name="stepsPerMean"/> is out of range.</exception>
    public static SharedNetwork Retrain(
        ITrainable network,
        SharedNetwork shared,
        TrainingPhase phase,
        int stepsPerMean = 1,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(shared);
        ArgumentNullException.ThrowIfNull(phase);
        Guard.Positive("The number of steps between two means", stepsPerMean);
        // No shared value is 0, so the zeros are those that were pruned.
        network.Prepare(shared.Weights, new PrunedNetwork(shared.Weights, shared.Validation));
        network.BeginPhase(phase);
        WeightClusters[] layers = [.. shared.Layers];
        for (int done = 0; done < phase.Steps; done += stepsPerMean)
        {
            network.Train(Math.Min(stepsPerMean, phase.Steps - done), progress, cancellation);
            for (int i = 0; i < layers.Length; i++)
            {
                var weights = new float[network.Layers[i].WeightCount];
                network.CopyWeights(i, weights);
                layers[i] = layers[i].Recentre(weights);
                network.SetWeights(i, layers[i].ToWeights());
            }
        }

        return Share(network, layers);
    }

    /// <summary>Puts the shared values into the network, with its biases as they are, and evaluates.</summary>
    private static SharedNetwork Share(ITrainable network, WeightClusters[] layers)
    {
        for (int i = 0; i < layers.Length; i++)
        {
            network.SetWeights(i, layers[i].ToWeights());
        }

        return new SharedNetwork(NetworkWeights.CopyFrom(network), layers, network.Evaluate(DataSplit.Validation));
    }
}
