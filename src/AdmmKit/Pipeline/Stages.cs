using AdmmKit.Admm;
using AdmmKit.Networks;
using AdmmKit.Storage;
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
public sealed record QuantizeOutcome(AdmmOutcome Admm, IReadOnlyList<LayerLevels> Levels);

/// <summary>A network whose pruned weights are exactly zero and stay so: the zeros of the weights are the mask.</summary>
/// <param name="Weights">Its weights and biases.</param>
/// <param name="Validation">Its accuracy on the validation images.</param>
public sealed record PrunedNetwork(NetworkWeights Weights, Evaluation Validation)
{
    /// <summary>True for each weight of a layer that survives.</summary>
    /// <param name="layer">Which layer.</param>
    public bool[] Mask(int layer) => Array.ConvertAll(Weights.Weights[layer], w => w != 0);
}

/// <summary>Bits and interval of one layer's levels.</summary>
/// <param name="Bits">n, 1 to 8.</param>
/// <param name="Q">The interval q_i, in units of the weights.</param>
public sealed record LayerLevels(int Bits, float Q);

/// <summary>A pruned network whose survivors are all at levels: what is stored, decoded and reported.</summary>
/// <param name="Weights">Its weights and biases.</param>
/// <param name="Levels">Bits and interval of each layer.</param>
/// <param name="Validation">Its accuracy on the validation images.</param>
public sealed record QuantizedNetwork(NetworkWeights Weights, IReadOnlyList<LayerLevels> Levels, Evaluation Validation)
{
    /// <summary>The network as it is stored.</summary>
    /// <param name="spec">Its architecture.</param>
    public CompressedNetwork Compress(NetworkSpec spec) => CompressedNetwork.FromWeights(
        spec, Weights, [.. Levels.Select(l => l.Q)], [.. Levels.Select(l => l.Bits)]);
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
