using AdmmKit.Networks;

namespace AdmmKit.Storage.Indexing;

/// <summary>
/// Compressed sparse rows: for each row but the first the number of survivors above it, then the column of each survivor.
/// The pointer before the first row is 0 and the one after the last is the number of survivors, so neither is written.
/// Widths follow from the layer: ceil(log2(survivors + 1)) and ceil(log2 columns) bits.
/// </summary>
public sealed class CsrIndex : IIndexFormat
{
    /// <inheritdoc/>
    public string Name => "csr";

    /// <inheritdoc/>
    public IndexSize Measure(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        IndexFormats.Check(layer, positions);
        int width = IndexFormats.WidthFor(layer.Columns);
        long pointers = PointerBits(layer, positions.Length);
        return new IndexSize(pointers + ((long)positions.Length * width), pointers, 0, width);
    }

    /// <inheritdoc/>
    public void Write(ByteWriter writer, LayerInfo layer, ReadOnlySpan<int> positions)
    {
        ArgumentNullException.ThrowIfNull(writer);
        IndexFormats.Check(layer, positions);
        int pointerWidth = IndexFormats.WidthFor(positions.Length + 1L);
        int above = 0;
        for (int row = 1; row < layer.Rows; row++)
        {
            while (above < positions.Length && positions[above] < row * layer.Columns)
            {
                above++;
            }

            writer.Bits((uint)above, pointerWidth);
        }

        int width = IndexFormats.WidthFor(layer.Columns);
        foreach (int position in positions)
        {
            writer.Bits((uint)(position % layer.Columns), width);
        }
    }

    /// <inheritdoc/>
    public int[] Read(ref ByteReader reader, LayerInfo layer, int survivors)
    {
        ArgumentNullException.ThrowIfNull(layer);
        int width = IndexFormats.WidthFor(layer.Columns);
        int pointerWidth = IndexFormats.WidthFor(survivors + 1L);
        int[] positions = IndexFormats.Allocate(ref reader, layer, survivors, PointerBits(layer, survivors) + ((long)survivors * width));
        // Until its column is read, a position holds its row: no memory is taken for the pointers.
        int above = 0;
        for (int row = 1; row < layer.Rows; row++)
        {
            int pointer = (int)reader.Bits(pointerWidth);
            if (pointer < above || pointer > survivors)
            {
                throw IndexFormats.Bad(layer, $"has the row pointer {pointer} where one from {above} to {survivors} must come");
            }

            positions.AsSpan(above, pointer - above).Fill(row - 1);
            above = pointer;
        }

        positions.AsSpan(above).Fill(layer.Rows - 1);
        int next = 0;
        foreach (ref int position in positions.AsSpan())
        {
            int column = (int)reader.Bits(width);
            int read = (position * layer.Columns) + column;
            if (column >= layer.Columns || read < next)
            {
                throw IndexFormats.Bad(
                    layer, $"has the column {column} in row {position}: columns must increase and stay below {layer.Columns}");
            }

            position = read;
            next = read + 1;
        }

        return positions;
    }

    private static long PointerBits(LayerInfo layer, int survivors) => (layer.Rows - 1L) * IndexFormats.WidthFor(survivors + 1L);
}
