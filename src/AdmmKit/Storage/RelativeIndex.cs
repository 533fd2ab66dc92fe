namespace AdmmKit.Storage;

/// <summary>
/// Positions of survivors as gaps of a fixed width of w bits: the number of pruned weights since the last survivor.
/// The code of all ones is an escape: go on by 2^w - 1 positions, there is no weight. [Ren2019] and Deep Compression
/// pad with a zero weight instead, but zero is no quantization level here (sec. 3.4.2 in [Ren2019]).
/// Width 0 stands for "no gap anywhere"; width 1 is a bitmap up to the last survivor.
/// </summary>
internal static class RelativeIndex
{
    public const int MaxWidth = 31;

    /// <summary>Bits of the whole index at one width.</summary>
    public static long BitCount(ReadOnlySpan<int> positions, int width)
    {
        if (width == 0)
        {
            return 0;
        }

        long codes = positions.Length;
        int escape = Escape(width);
        int next = 0;
        foreach (int position in positions)
        {
            codes += (position - next) / escape;
            next = position + 1;
        }

        return codes * width;
    }

    /// <summary>The width that takes the fewest bits; the smallest of equals.</summary>
    public static int BestWidth(ReadOnlySpan<int> positions)
    {
        if (positions.IsEmpty || positions[^1] == positions.Length - 1)
        {
            return 0;
        }

        int best = 1;
        long bestBits = BitCount(positions, 1);
        // No width above bestBits / survivors can win: each survivor takes at least one code.
        for (int width = 2; width <= MaxWidth && (long)width * positions.Length < bestBits; width++)
        {
            long bits = BitCount(positions, width);
            if (bits < bestBits)
            {
                (best, bestBits) = (width, bits);
            }
        }

        return best;
    }

    public static void Write(ByteWriter writer, ReadOnlySpan<int> positions, int width)
    {
        if (width == 0)
        {
            return;
        }

        int escape = Escape(width);
        int next = 0;
        foreach (int position in positions)
        {
            int gap = position - next;
            for (; gap >= escape; gap -= escape)
            {
                writer.Bits((uint)escape, width);
            }

            writer.Bits((uint)gap, width);
            next = position + 1;
        }
    }

    /// <summary>Reads <paramref name="positions"/>.Length positions, all below <paramref name="weightCount"/>.</summary>
    public static void Read(ref ByteReader reader, Span<int> positions, int width, int weightCount)
    {
        int escape = Escape(width);
        long next = 0;
        for (int k = 0; k < positions.Length; k++)
        {
            uint gap = 0;
            while (width > 0 && (gap = reader.Bits(width)) == escape)
            {
                next += escape;
            }

            next += gap;
            if (next >= weightCount)
            {
                throw new BadFileException("a weight's position lies outside its layer");
            }

            positions[k] = (int)next++;
        }
    }

    private static int Escape(int width) => (int)((1U << width) - 1);
}
