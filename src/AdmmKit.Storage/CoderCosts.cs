using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Storage;

/// <summary>
/// What the coder of the compressed file takes for a survivor more than for a zero, estimated at once for every place from the
/// counts that the coder learns as it goes: survivors of the layer, the row, the channel, the column and the kernel. The place
/// itself is left out of its counts, so that whether it survives now does not matter, only its surroundings.
/// </summary>
/// <remarks>
/// The probability of a survivor is the layer's times a factor for the row, the channel and the column, and the kernel. Each is
/// survivors over those expected, with as much added to both as <see cref="Coding.CellModel"/> adds: so a row or a channel without
/// any survivor costs more, by a finite number of bits. Values are not counted.
/// </remarks>
public sealed class CoderCosts : ISurvivorCosts
{
    /// <summary>The least that a survivor costs more than a zero.</summary>
    public const float LeastBits = 0.5f;

    // Survivors that are added to those seen and to those expected.
    private const double RowPrior = 2;
    private const double ChannelPrior = 2;
    private const double ColumnPrior = 2;
    private const double KernelPrior = 0.5;

    // What the mixture makes of the kernel's factor: about a third of its logarithm.
    private const double KernelWeight = 0.35;

    /// <inheritdoc/>
    public void Bits(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z, IReadOnlyList<float[]> bits)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(z);
        ArgumentNullException.ThrowIfNull(bits);
        for (int i = 0; i < layers.Count; i++)
        {
            // A fully connected layer behind a convolution reads a map of each of its channels.
            bool reads = i > 0 && layers[i].Kind == LayerKind.FullyConnected && layers[i].Columns % layers[i - 1].Rows == 0;
            int map = reads ? layers[i].Columns / layers[i - 1].Rows : layers[i].KernelHeight * layers[i].KernelWidth;
            Layer(layers[i], map, z[i], bits[i]);
        }
    }

    private static void Layer(LayerInfo layer, int map, float[] z, float[] bits)
    {
        int columns = layer.Columns;
        int channels = columns / map;
        var ofRow = new int[layer.Rows];
        var ofColumn = new int[columns];
        var ofChannel = new int[channels];
        int all = 0;
        for (int k = 0; k < z.Length; k++)
        {
            if (z[k] != 0)
            {
                ofRow[k / columns]++;
                ofColumn[k % columns]++;
                ofChannel[k % columns / map]++;
                all++;
            }
        }

        // Places in dead rows and channels cost nothing as zeros, so they do not count among those where survivors are expected.
        double liveRows = Math.Max(1, ofRow.Count(n => n > 0));
        double liveColumns = Math.Max(1, ofChannel.Count(n => n > 0)) * (double)map;
        double density = (all + 1) / ((liveRows * liveColumns) + 2);
        for (int row = 0; row < layer.Rows; row++)
        {
            for (int channel = 0; channel < channels; channel++)
            {
                Span<float> kernel = z.AsSpan((row * columns) + (channel * map), map);
                int ofKernel = map - kernel.Count(0f);
                for (int place = 0; place < map; place++)
                {
                    int column = (channel * map) + place;
                    int self = kernel[place] != 0 ? 1 : 0;
                    double byRow = Factor(ofRow[row] - self, liveColumns * density, RowPrior);
                    double byChannel = Factor(ofChannel[channel] - self, liveRows * map * density, ChannelPrior);
                    double byColumn = Factor(ofColumn[column] - self, liveRows * density * byChannel, ColumnPrior);
                    double p = density * byRow * byChannel * byColumn;
                    p *= Math.Pow(Factor(ofKernel - self, map * Math.Min(p, 1), KernelPrior), KernelWeight);
                    bits[(row * columns) + column] = p < 0.5 ? Math.Max(LeastBits, (float)Math.Log2((1 - p) / p)) : LeastBits;
                }
            }
        }
    }

    private static double Factor(int survivors, double expected, double prior) => (survivors + prior) / (expected + prior);
}
