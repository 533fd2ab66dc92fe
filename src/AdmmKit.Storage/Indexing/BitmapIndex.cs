using AdmmKit.Networks;

namespace AdmmKit.Storage.Indexing;

/// <summary>One bit a weight, 1 where it survives. No side information.</summary>
public sealed class BitmapIndex : IIndexFormat
{
    // Weights that are written or read at once: as many as fit into one call.
    private const int Block = 32;

    /// <inheritdoc/>
    public string Name => "bitmap";

    /// <inheritdoc/>
    public IndexSize Measure(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        IndexFormats.Check(layer, positions);
        return new IndexSize(layer.WeightCount, 0, 0, 1);
    }

    /// <inheritdoc/>
    public void Write(ByteWriter writer, LayerInfo layer, ReadOnlySpan<int> positions)
    {
        ArgumentNullException.ThrowIfNull(writer);
        IndexFormats.Check(layer, positions);
        int k = 0;
        for (long start = 0; start < layer.WeightCount; start += Block)
        {
            uint bits = 0;
            for (; k < positions.Length && positions[k] < start + Block; k++)
            {
                bits |= 1U << (int)(positions[k] - start);
            }

            writer.Bits(bits, (int)Math.Min(Block, layer.WeightCount - start));
        }
    }

    /// <inheritdoc/>
    public int[] Read(ref ByteReader reader, LayerInfo layer, int survivors)
    {
        ArgumentNullException.ThrowIfNull(layer);
        int[] positions = IndexFormats.Allocate(ref reader, layer, survivors, layer.WeightCount);
        int k = 0;
        for (long start = 0; start < layer.WeightCount; start += Block)
        {
            uint bits = reader.Bits((int)Math.Min(Block, layer.WeightCount - start));
            for (; bits != 0; bits &= bits - 1)
            {
                if (k == positions.Length)
                {
                    throw IndexFormats.Bad(layer, $"marks more weights than the {survivors} survivors");
                }

                positions[k++] = (int)start + int.TrailingZeroCount((int)bits);
            }
        }

        return k == positions.Length ? positions
            : throw IndexFormats.Bad(layer, $"marks {k} weights, but there are {survivors} survivors");
    }
}
