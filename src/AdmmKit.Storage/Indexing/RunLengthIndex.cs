using AdmmKit.Networks;

namespace AdmmKit.Storage.Indexing;

/// <summary>
/// Runs of pruned weights and of survivors in turn, each length in its own best width and with the escape of the relative
/// index. What a run cannot lack is not written: one survivor, and one pruned weight after another run of survivors.
/// Begins with the two widths, 5 bits each; ends with the last survivor.
/// </summary>
public sealed class RunLengthIndex : IIndexFormat
{
    /// <inheritdoc/>
    public string Name => "run-length";

    /// <inheritdoc/>
    public IndexSize Measure(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        IndexFormats.Check(layer, positions);
        ((int width, long bits, long escapes), (int _, long moreBits, long moreEscapes)) = Best(positions);
        return new IndexSize((2 * EscapeCode.WidthBits) + bits + moreBits, 2 * EscapeCode.WidthBits, escapes + moreEscapes, width);
    }

    /// <inheritdoc/>
    public void Write(ByteWriter writer, LayerInfo layer, ReadOnlySpan<int> positions)
    {
        ArgumentNullException.ThrowIfNull(writer);
        IndexFormats.Check(layer, positions);
        ((int zeroWidth, _, _), (int survivorWidth, _, _)) = Best(positions);
        writer.Bits((uint)zeroWidth, EscapeCode.WidthBits);
        writer.Bits((uint)survivorWidth, EscapeCode.WidthBits);
        for (int k = 0, next = 0; k < positions.Length;)
        {
            int survivors = Run(positions[k..]);
            EscapeCode.Write(writer, positions[k] - next, zeroWidth);
            EscapeCode.Write(writer, survivors - 1, survivorWidth);
            next = positions[k] + survivors + 1;
            k += survivors;
        }
    }

    /// <inheritdoc/>
    public int[] Read(ref ByteReader reader, LayerInfo layer, int survivors)
    {
        int zeroWidth = (int)reader.Bits(EscapeCode.WidthBits);
        int survivorWidth = (int)reader.Bits(EscapeCode.WidthBits);
        int[] positions = IndexFormats.Allocate(ref reader, layer, survivors, bits: 0);
        long next = 0;
        for (int k = 0; k < positions.Length;)
        {
            next += EscapeCode.Read(ref reader, zeroWidth, layer.WeightCount);
            long run = EscapeCode.Read(ref reader, survivorWidth, survivors) + 1;
            if (next + run > layer.WeightCount)
            {
                throw IndexFormats.Outside(layer);
            }

            if (run > survivors - k)
            {
                throw IndexFormats.Bad(layer, $"has more than its {survivors} survivors");
            }

            for (long end = next + run; next < end; next++)
            {
                positions[k++] = (int)next;
            }

            next++;
        }

        return positions;
    }

    private static ((int Width, long Bits, long EscapeBits) Zeros, (int Width, long Bits, long EscapeBits) Survivors) Best(
        ReadOnlySpan<int> positions)
    {
        var zeros = new RunLengths();
        var runs = new RunLengths();
        for (int k = 0, next = 0; k < positions.Length;)
        {
            int survivors = Run(positions[k..]);
            zeros.Add(positions[k] - next);
            runs.Add(survivors - 1);
            next = positions[k] + survivors + 1;
            k += survivors;
        }

        return (zeros.Best(), runs.Best());
    }

    private static int Run(ReadOnlySpan<int> positions)
    {
        int length = 1;
        while (length < positions.Length && positions[length] == positions[0] + length)
        {
            length++;
        }

        return length;
    }
}
