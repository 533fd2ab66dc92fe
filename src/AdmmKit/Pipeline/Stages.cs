using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Pipeline;

/// <summary>A trained network: where Fig. 2 in [Ren2019] begins.</summary>
/// <param name="Weights">Its weights and biases.</param>
/// <param name="Validation">Its accuracy on the validation images.</param>
public sealed record TrainedNetwork(NetworkWeights Weights, Evaluation Validation);

/// <summary>The outcome of ADMM: W as trained and Z in the set, not yet equal.</summary>
/// <param name="Weights">W and the biases.</param>
/// <param name="Projected">Z and the same biases.</param>
/// <param name="History">The iterations.</param>
public sealed record AdmmOutcome(NetworkWeights Weights, NetworkWeights Projected, IReadOnlyList<AdmmIteration> History);

/// <summary>The outcome of quantizing by ADMM.</summary>
/// <param name="Admm">W and Z.</param>
/// <param name="Levels">Bits and interval of each layer; every survivor of Z is exactly a whole number times q_i.</param>
public sealed record QuantizeOutcome(AdmmOutcome Admm, IReadOnlyList<LayerLevels> Levels)
{
    /// <summary>
    /// Names the levels that projected weights lie on already, whatever set put them there: zeros are pruned weights, and the
    /// others are whole numbers, not 0, times q_i. So ternary weights have 1 bit. Each is set to exactly level x q_i.
    /// </summary>
    /// <param name="layers">All layers of the network.</param>
    /// <param name="outcome">The outcome of ADMM with <see cref="EqualDistanceLevels"/>, <see cref="LevelsWithZero"/> or
    /// <see cref="SparseLevels"/>; layers without a constraint too, where they get 32 bits.</param>
    /// <param name="bits">n_i of each layer: 1 to 8, or 32 to keep it as it is.</param>
    /// <exception cref="AdmmKitException">A layer does not lie on so many levels, or has no survivors.</exception>
    public static QuantizeOutcome FromProjected(IReadOnlyList<LayerInfo> layers, AdmmOutcome outcome, IReadOnlyList<int> bits)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(bits);
        if (bits.Count != layers.Count)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{bits.Count} numbers of bits for {layers.Count} layers: give one a layer."));
        }

        var levels = new LayerLevels[layers.Count];
        float[][] z = [.. outcome.Projected.Weights.Select(w => (float[])w.Clone())];
        for (int i = 0; i < levels.Length; i++)
        {
            levels[i] = bits[i] == LayerLevels.FloatBits ? new LayerLevels(bits[i], 0) : PutOnLevels(layers[i], z[i], bits[i]);
        }

        return new QuantizeOutcome(outcome with { Projected = outcome.Projected with { Weights = z } }, levels);
    }

    private static LayerLevels PutOnLevels(LayerInfo layer, float[] z, int bits)
    {
        if (NetworkWeights.CountNonZero(z) == 0)
        {
            throw new AdmmKitException($"Layer '{layer.Name}' has no survivors: keep at least one weight of it.");
        }

        var set = new EqualDistanceLevels(EqualDistanceLevels.SupportOf(z), bits);
        if (!set.Contains(layer, z))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{layer.Name}' does not lie on {2 * set.LevelsPerSign} equal-distance levels: {bits} is not the bits of its set."));
        }

        var levels = new LayerLevels(bits, set.IntervalFor(layer, z));
        new EqualDistanceLevels(EqualDistanceLevels.SupportOf(z), bits, levels.Q).Project(layer, z, z, 1);
        return levels;
    }
}

/// <summary>A network whose pruned weights are exactly zero and stay so: the zeros of the weights are the mask.</summary>
/// <param name="Weights">Its weights and biases.</param>
/// <param name="Validation">Its accuracy on the validation images.</param>
public sealed record PrunedNetwork(NetworkWeights Weights, Evaluation Validation)
{
    /// <summary>True for each weight of a layer that survives.</summary>
    /// <param name="layer">Which layer.</param>
    public bool[] Mask(int layer) => Array.ConvertAll(Weights.Weights[layer], w => w != 0);

    /// <summary>Refuses weights that are not zero where this network was pruned.</summary>
    /// <param name="layers">All layers of the network.</param>
    /// <param name="weights">The weights of each layer after a projection.</param>
    internal void CheckKept(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> weights)
    {
        for (int i = 0; i < layers.Count; i++)
        {
            if (weights[i].Zip(Weights.Weights[i]).Any(p => p.First != 0 && p.Second == 0))
            {
                throw new AdmmKitException(
                    $"Layer '{layers[i].Name}': this constraint brings pruned weights back to life, so their zeros cannot be kept: "
                    + "use a set that only takes weights away, or do not keep the zeros.");
            }
        }
    }
}

/// <summary>Bits and interval of one layer's levels.</summary>
/// <param name="Bits">n, 1 to 8; 32 where the layer is not quantized.</param>
/// <param name="Q">The interval q_i, in units of the weights; 0 where the layer is not quantized.</param>
public sealed record LayerLevels(int Bits, float Q)
{
    /// <summary>The bits of a layer whose weights are kept as they are.</summary>
    public const int FloatBits = 32;
}

/// <summary>A pruned network whose survivors are all at levels: what is stored, decoded and reported.</summary>
/// <param name="Weights">Its weights and biases.</param>
/// <param name="Levels">Bits and interval of each layer.</param>
/// <param name="Validation">Its accuracy on the validation images.</param>
public sealed record QuantizedNetwork(NetworkWeights Weights, IReadOnlyList<LayerLevels> Levels, Evaluation Validation);

/// <summary>Which survivors are set to their levels first.</summary>
public enum SnapOrder
{
    /// <summary>The largest: they matter most, and what clips them can still be made up for (Zhou et al., ICLR 2017).</summary>
    LargestFirst,

    /// <summary>Those nearest to their levels.</summary>
    NearestFirst,
}

/// <summary>One epoch of pretraining or retraining.</summary>
/// <param name="Phase">The phase's name.</param>
/// <param name="Number">The epoch, from 1.</param>
/// <param name="Loss">Mean training loss during the epoch.</param>
/// <param name="Validation">The network on the validation images after it.</param>
public sealed record EpochResult(string Phase, int Number, double Loss, Evaluation Validation);

/// <summary>Is told how the steps go: often while training, once an epoch, once an ADMM iteration.</summary>
public interface IPipelineObserver : IProgress<TrainingProgress>, IProgress<AdmmIteration>
{
    /// <summary>An epoch of pretraining or retraining is done.</summary>
    /// <param name="result">How it went.</param>
    void Epoch(EpochResult result);
}
