using AdmmKit.Networks;

namespace AdmmKit.Storage.Indexing;

/// <summary>
/// Huffman-coded gaps: gaps below 2^a are symbols, and one more symbol, the escape, announces gap - 2^a in
/// ceil(log2 N) bits. Begins with a (4 bits) and the length of each symbol's code (4 bits, 0 for none), the escape's last;
/// a is the best for the layer, because a table costs 4 bits a symbol.
/// </summary>
public sealed class HuffmanIndex : IIndexFormat
{
    private const int AlphabetBits = 4;
    private const int MaxAlphabet = 12;

    /// <inheritdoc/>
    public string Name => "huffman";

    /// <inheritdoc/>
    public IndexSize Measure(LayerInfo layer, ReadOnlySpan<int> positions) => Best(layer, positions).Size;

    /// <inheritdoc/>
    public void Write(ByteWriter writer, LayerInfo layer, ReadOnlySpan<int> positions)
    {
        ArgumentNullException.ThrowIfNull(writer);
        (IndexSize size, byte[] lengths) = Best(layer, positions);
        writer.Bits((uint)size.Width, AlphabetBits);
        foreach (byte length in lengths)
        {
            writer.Bits(length, HuffmanCode.LengthBits);
        }

        var code = new HuffmanCode(lengths);
        int escape = lengths.Length - 1;
        int escapedWidth = IndexFormats.WidthFor(layer.WeightCount);
        int next = 0;
        foreach (int position in positions)
        {
            int gap = position - next;
            code.Write(writer, Math.Min(gap, escape));
            if (gap >= escape)
            {
                writer.Bits((uint)(gap - escape), escapedWidth);
            }

            next = position + 1;
        }
    }

    /// <inheritdoc/>
    public int[] Read(ref ByteReader reader, LayerInfo layer, int survivors)
    {
        ArgumentNullException.ThrowIfNull(layer);
        int alphabet = (int)reader.Bits(AlphabetBits);
        if (alphabet > MaxAlphabet)
        {
            throw IndexFormats.Bad(layer, $"has an alphabet of 2^{alphabet} gaps, more than 2^{MaxAlphabet}");
        }

        int escape = 1 << alphabet;
        reader.Need((escape + 1L) * HuffmanCode.LengthBits, $"code table of layer '{layer.Name}'");
        var lengths = new byte[escape + 1];
        foreach (ref byte length in lengths.AsSpan())
        {
            length = (byte)reader.Bits(HuffmanCode.LengthBits);
        }

        var code = new HuffmanCode(lengths);
        if (!code.IsComplete)
        {
            throw IndexFormats.Bad(layer, $"has a table of code lengths that is no Huffman code");
        }

        int escapedWidth = IndexFormats.WidthFor(layer.WeightCount);
        int[] positions = IndexFormats.Allocate(ref reader, layer, survivors, survivors);
        long next = 0;
        foreach (ref int position in positions.AsSpan())
        {
            int symbol = code.Read(ref reader);
            next += symbol == escape ? escape + (long)reader.Bits(escapedWidth) : symbol;
            if (symbol < 0 || next >= layer.WeightCount)
            {
                throw IndexFormats.Outside(layer);
            }

            position = (int)next++;
        }

        return positions;
    }

    private static (IndexSize Size, byte[] Lengths) Best(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        IndexFormats.Check(layer, positions);
        RunLengths gaps = RunLengths.Gaps(positions);
        int escapedWidth = IndexFormats.WidthFor(layer.WeightCount);
        int largest = gaps.Counts.Select(g => g.Key).DefaultIfEmpty().Max();
        (IndexSize Size, byte[] Lengths) best = (new IndexSize(long.MaxValue, 0, 0, 0), []);
        // An alphabet beyond the largest gap has only symbols that do not occur.
        for (int alphabet = 0; alphabet <= MaxAlphabet && (alphabet == 0 || 1 << (alphabet - 1) <= largest); alphabet++)
        {
            int escape = 1 << alphabet;
            var frequencies = new long[escape + 1];
            foreach ((int gap, int count) in gaps.Counts)
            {
                frequencies[Math.Min(gap, escape)] += count;
            }

            byte[] lengths = HuffmanCode.BestLengths(frequencies);
            long table = AlphabetBits + ((escape + 1L) * HuffmanCode.LengthBits);
            long escapes = frequencies[escape] * (lengths[escape] + escapedWidth);
            long bits = table + (frequencies[escape] * escapedWidth) + frequencies.Zip(lengths, (f, l) => f * l).Sum();
            if (bits < best.Size.Bits)
            {
                best = (new IndexSize(bits, table, escapes, alphabet), lengths);
            }
        }

        return best;
    }
}
