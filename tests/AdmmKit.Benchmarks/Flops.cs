using AdmmKit.Networks;

namespace AdmmKit.Benchmarks;

/// <summary>
/// Floating-point operations of dense layers; a multiply-accumulate is two. Pooling, biases, ReLU and softmax are not counted.
/// </summary>
internal static class Flops
{
    /// <summary>Adam for one weight: g/n; three for m, four for v; root, scale, epsilon; quotient, step, w.</summary>
    public const double AdamPerWeight = 14;

    /// <summary>Forward: 2 x multiply-accumulates, for so many images.</summary>
    public static double Forward(LayerInfo layer, int images) => 2.0 * layer.Macs * images;

    /// <summary>
    /// Forward and backward of a whole network. The gradients of a layer's weights and of its input cost as much as its
    /// forward pass each; the gradient of the images is never computed, so the first layer has only one of them.
    /// </summary>
    public static double Step(NetworkSpec network, int images) =>
        network.Layers.Sum(l => 3 * Forward(l, images)) - Forward(network.Layers[0], images);
}
