using System.Runtime.InteropServices;

namespace AdmmKit.Storage.Indexing;

/// <summary>
/// Lengths of runs as codes of w bits. The code of all ones is an escape: 2^w - 1 more, and the rest of the length follows.
/// Width 0 stands for "every length is 0".
/// </summary>
internal static class EscapeCode
{
    /// <summary>Bits that a width is written with.</summary>
    public const int WidthBits = 5;

    /// <summary>The widest code.</summary>
    public const int MaxWidth = (1 << WidthBits) - 1;

    public static void Write(ByteWriter writer, int length, int width)
    {
        if (width == 0)
        {
            return;
        }

        int escape = Escape(width);
        for (; length >= escape; length -= escape)
        {
            writer.Bits((uint)escape, width);
        }

        writer.Bits((uint)length, width);
    }

    /// <summary>Reads a length; one above <paramref name="most"/> comes back as some number above it.</summary>
    public static long Read(ref ByteReader reader, int width, long most)
    {
        if (width == 0)
        {
            return 0;
        }

        uint escape = (uint)Escape(width);
        long length = 0;
        uint code;
        do
        {
            code = reader.Bits(width);
            length += code;
        }
        while (code == escape && length <= most);
        return length;
    }

    public static int Escape(int width) => (int)((1U << width) - 1);
}

/// <summary>
/// How often each length of a run occurs. There are at most sqrt(2 N) lengths in a layer of N weights, since their sum is
/// at most N: what is counted over them takes no time, however large the layer.
/// </summary>
internal sealed class RunLengths
{
    private readonly Dictionary<int, int> counts = [];

    public long Count { get; private set; }

    public IEnumerable<KeyValuePair<int, int>> Counts => counts;

    /// <summary>The number of pruned weights before each survivor, since the last one.</summary>
    public static RunLengths Gaps(ReadOnlySpan<int> positions)
    {
        var gaps = new RunLengths();
        int next = 0;
        foreach (int position in positions)
        {
            gaps.Add(position - next);
            next = position + 1;
        }

        return gaps;
    }

    public void Add(int length)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(counts, length, out _)++;
        Count++;
    }

    /// <summary>The width of <see cref="EscapeCode"/> that takes the fewest bits, the smallest of equals; its codes and escapes.</summary>
    public (int Width, long Bits, long EscapeBits) Best()
    {
        if (counts.Keys.All(length => length == 0))
        {
            return (0, 0, 0);
        }

        (int Width, long Bits, long EscapeBits) best = (0, long.MaxValue, 0);
        for (int width = 1; width <= EscapeCode.MaxWidth; width++)
        {
            long escapes = 0;
            foreach ((int length, int count) in counts)
            {
                escapes += (long)count * (length / EscapeCode.Escape(width));
            }

            if (width * (Count + escapes) < best.Bits)
            {
                best = (width, width * (Count + escapes), width * escapes);
            }
        }

        return best;
    }
}
