using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// What the coder of a network is asked by a projection that counts bits: how much dearer it makes the file to have a survivor
/// at a place instead of a zero. The answers are frozen: statistics are taken from one network, and hold until they are taken
/// from another.
/// </summary>
public interface ISurvivorCosts
{
    /// <summary>
    /// For each weight: the bits that a survivor there costs more than a zero there, its position alone and not its value. A
    /// coder that takes a place to survive with probability p says log2((1 - p) / p), or a small number where that is not
    /// positive.
    /// </summary>
    /// <param name="layers">All layers of the network.</param>
    /// <param name="z">The network that the statistics are of: its weights, layer by layer, row-major. It may be dense.</param>
    /// <param name="bits">Receives the bits of each weight, in the same order: finite and positive.</param>
    void Bits(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z, IReadOnlyList<float[]> bits);
}
