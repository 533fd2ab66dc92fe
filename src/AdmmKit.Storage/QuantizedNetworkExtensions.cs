using AdmmKit.Networks;
using AdmmKit.Pipeline;

namespace AdmmKit.Storage;

/// <summary>From the last step of the pipeline to what is stored.</summary>
public static class QuantizedNetworkExtensions
{
    /// <summary>The network as it is stored.</summary>
    /// <param name="network">What the pipeline made.</param>
    /// <param name="spec">Its architecture.</param>
    public static CompressedNetwork Compress(this QuantizedNetwork network, NetworkSpec spec)
    {
        ArgumentNullException.ThrowIfNull(network);
        return CompressedNetwork.FromWeights(
            spec, network.Weights, [.. network.Levels.Select(l => l.Q)], [.. network.Levels.Select(l => l.Bits)]);
    }
}
