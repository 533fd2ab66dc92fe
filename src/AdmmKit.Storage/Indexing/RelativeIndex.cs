using AdmmKit.Networks;

namespace AdmmKit.Storage.Indexing;

/// <summary>
/// Gaps of w bits: the number of pruned weights since the last survivor, with the width that is best for the layer.
/// The code of all ones is an escape: go on by 2^w - 1 positions, there is no weight. [Ren2019] and Deep Compression
/// pad with a zero weight instead, but zero is no quantization level here (sec. 3.4.2 in [Ren2019]).
/// Width 0 stands for "no gap anywhere"; width 1 is a bitmap up to the last survivor.
/// </summary>
/// <remarks>
/// The index of <see cref="NetworkFile"/>, where the width has a byte in the layer's header. As a format of its own it
/// begins with the width in 5 bits.
/// </remarks>
public sealed class RelativeIndex : IIndexFormat
{
    /// <summary>The widest code.</summary>
    internal const int MaxWidth = EscapeCode.MaxWidth;

    /// <inheritdoc/>
    public string Name => "relative";

    /// <inheritdoc/>
    public IndexSize Measure(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        IndexFormats.Check(layer, positions);
        (int width, long bits, long escapeBits) = RunLengths.Gaps(positions).Best();
        return new IndexSize(EscapeCode.WidthBits + bits, EscapeCode.WidthBits, escapeBits, width);
    }

    /// <inheritdoc/>
    public void Write(ByteWriter writer, LayerInfo layer, ReadOnlySpan<int> positions)
    {
        ArgumentNullException.ThrowIfNull(writer);
        int width = Measure(layer, positions).Width;
        writer.Bits((uint)width, EscapeCode.WidthBits);
        WriteGaps(writer, positions, width);
    }

    /// <inheritdoc/>
    public int[] Read(ref ByteReader reader, LayerInfo layer, int survivors)
    {
        int width = (int)reader.Bits(EscapeCode.WidthBits);
        return ReadGaps(ref reader, layer, survivors, width);
    }

    internal static void WriteGaps(ByteWriter writer, ReadOnlySpan<int> positions, int width)
    {
        int next = 0;
        foreach (int position in positions)
        {
            EscapeCode.Write(writer, position - next, width);
            next = position + 1;
        }
    }

    internal static int[] ReadGaps(ref ByteReader reader, LayerInfo layer, int survivors, int width)
    {
        int[] positions = IndexFormats.Allocate(ref reader, layer, survivors, (long)survivors * width);
        long next = 0;
        foreach (ref int position in positions.AsSpan())
        {
            next += EscapeCode.Read(ref reader, width, layer.WeightCount);
            if (next >= layer.WeightCount)
            {
                throw IndexFormats.Outside(layer);
            }

            position = (int)next++;
        }

        return positions;
    }
}
