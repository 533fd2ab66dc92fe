using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>
/// A product model of where a layer's survivors are: a place is taken with probability p = p_row p_column / p_layer, from the
/// shares of weights that survive in its row, its column and the layer; in a convolution this is multiplied by how much
/// fuller its kernel (one input channel of one filter) is than the product says. So a survivor in a dead row or column is
/// dear, and one in a full row, column or kernel is cheap.
/// </summary>
/// <remarks>
/// Shares are smoothed by one observation at the layer's mean, so that none is 0: a row of n weights with k survivors has
/// p_row = (k + p_layer) / (n + 1), with p_layer = (K + 1/2) / (N + 1). The mean number of bits is then what an adaptive coder
/// with these contexts comes to. Nothing here knows how a file is laid out.
/// </remarks>
public sealed class RowColumnCosts : ISurvivorCosts
{
    /// <summary>No survivor is cheaper: a cost of nothing, or less, would have a projection keep whatever is not zero.</summary>
    public const float MinimumBits = 1f / 8;

    // A survivor that nothing speaks for: a row, a column and a kernel without others in a layer of millions.
    private const double LeastProbability = 1.0 / (1L << 40);

    /// <inheritdoc/>
    public void Bits(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z, IReadOnlyList<float[]> bits)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(z);
        ArgumentNullException.ThrowIfNull(bits);
        for (int i = 0; i < layers.Count; i++)
        {
            Guard.Lengths(layers[i], z[i], bits[i]);
            Bits(layers[i], z[i], bits[i]);
        }
    }

    private static void Bits(LayerInfo layer, float[] z, float[] bits)
    {
        int columns = layer.Columns, kernel = layer.KernelHeight * layer.KernelWidth;
        var (inRow, inColumn, inKernel) = (new int[layer.Rows], new int[columns], new int[layer.Rows * layer.InputChannels]);
        int all = 0;
        for (int i = 0; i < z.Length; i++)
        {
            int survives = z[i] != 0 ? 1 : 0;
            inRow[i / columns] += survives;
            inColumn[i % columns] += survives;
            inKernel[i / kernel] += survives;
            all += survives;
        }

        double mean = (all + 0.5) / (z.Length + 1.0);
        double[] row = Array.ConvertAll(inRow, k => (k + mean) / (columns + 1));
        double[] column = Array.ConvertAll(inColumn, k => (k + mean) / (layer.Rows + 1));
        for (int first = 0; first < z.Length; first += kernel)
        {
            double inRowHere = row[first / columns] / mean;
            double expected = 0;
            for (int i = first; kernel > 1 && i < first + kernel; i++)
            {
                expected += inRowHere * column[i % columns];
            }

            // A kernel of one weight would count that weight a third time.
            double fuller = kernel > 1 ? (inKernel[first / kernel] + mean) / (expected + mean) : 1;
            for (int i = first; i < first + kernel; i++)
            {
                double p = Math.Clamp(inRowHere * column[i % columns] * fuller, LeastProbability, 0.5);
                bits[i] = Math.Max(MinimumBits, (float)Math.Log2((1 - p) / p));
            }
        }
    }
}
