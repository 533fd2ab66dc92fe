using AdmmKit.Networks;

namespace AdmmKit.Storage.Indexing;

/// <summary>Absolute positions of ceil(log2 N) bits each, N weights in the layer. No side information.</summary>
public sealed class FixedIndex : IIndexFormat
{
    /// <inheritdoc/>
    public string Name => "fixed";

    /// <inheritdoc/>
    public IndexSize Measure(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        IndexFormats.Check(layer, positions);
        int width = IndexFormats.WidthFor(layer.WeightCount);
        return new IndexSize((long)positions.Length * width, 0, 0, width);
    }

    /// <inheritdoc/>
    public void Write(ByteWriter writer, LayerInfo layer, ReadOnlySpan<int> positions)
    {
        ArgumentNullException.ThrowIfNull(writer);
        IndexFormats.Check(layer, positions);
        int width = IndexFormats.WidthFor(layer.WeightCount);
        foreach (int position in positions)
        {
            writer.Bits((uint)position, width);
        }
    }

    /// <inheritdoc/>
    public int[] Read(ref ByteReader reader, LayerInfo layer, int survivors)
    {
        ArgumentNullException.ThrowIfNull(layer);
        int width = IndexFormats.WidthFor(layer.WeightCount);
        int[] positions = IndexFormats.Allocate(ref reader, layer, survivors, (long)survivors * width);
        int next = 0;
        for (int k = 0; k < positions.Length; k++)
        {
            int position = (int)reader.Bits(width);
            if (position < next || position >= layer.WeightCount)
            {
                throw IndexFormats.Bad(layer, $"has the position {position} where one from {next} to {layer.WeightCount - 1} must come");
            }

            positions[k] = position;
            next = position + 1;
        }

        return positions;
    }
}
