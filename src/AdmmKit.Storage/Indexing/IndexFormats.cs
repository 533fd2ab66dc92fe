using System.Numerics;
using AdmmKit.Networks;

namespace AdmmKit.Storage.Indexing;

/// <summary>All index formats, and the best one for a layer.</summary>
public static class IndexFormats
{
    /// <summary>Every format that the library knows.</summary>
    public static IReadOnlyList<IIndexFormat> All { get; } =
        [new FixedIndex(), new RelativeIndex(), new BitmapIndex(), new CsrIndex(), new RunLengthIndex(), new HuffmanIndex(), new CodedIndex()];

    /// <summary>The format of that name.</summary>
    /// <param name="name">A name such as "relative".</param>
    /// <exception cref="AdmmKitException">There is no such format; the message suggests one.</exception>
    public static IIndexFormat Named(string name) => All.FirstOrDefault(f => f.Name == name)
        ?? throw new AdmmKitException(Names.Unknown("index format", name, [.. All.Select(f => f.Name)]));

    /// <summary>The format that takes the fewest bits for a layer; the first of equals in <see cref="All"/>.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="positions">Where its survivors are, strictly increasing.</param>
    /// <exception cref="AdmmKitException">The positions do not increase or lie outside the layer.</exception>
    public static (IIndexFormat Format, IndexSize Size) Best(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        (IIndexFormat Format, IndexSize Size) best = (All[0], All[0].Measure(layer, positions));
        foreach (IIndexFormat format in All.Skip(1))
        {
            IndexSize size = format.Measure(layer, positions);
            if (size.Bits < best.Size.Bits)
            {
                best = (format, size);
            }
        }

        return best;
    }

    /// <summary>Bits that tell <paramref name="count"/> things apart: ceil(log2 count), 0 for one thing or none.</summary>
    internal static int WidthFor(long count) => count <= 1 ? 0 : 64 - BitOperations.LeadingZeroCount((ulong)(count - 1));

    internal static void Check(LayerInfo layer, ReadOnlySpan<int> positions)
    {
        ArgumentNullException.ThrowIfNull(layer);
        int last = -1;
        foreach (int position in positions)
        {
            if (position <= last || position >= layer.WeightCount)
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"Layer '{layer.Name}' has a survivor at {position} after one at {last}: positions must increase and stay below {layer.WeightCount}."));
            }

            last = position;
        }
    }

    /// <summary>Memory for the survivors, if the layer has so many weights and the bytes so many bits.</summary>
    internal static int[] Allocate(ref ByteReader reader, LayerInfo layer, int survivors, long bits)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (survivors < 0 || survivors > layer.WeightCount)
        {
            throw Bad(layer, $"cannot hold {survivors} survivors of {layer.WeightCount} weights");
        }

        reader.Need(bits, $"index of layer '{layer.Name}'");
        return survivors == 0 ? [] : new int[survivors];
    }

    internal static BadFileException Bad(LayerInfo layer, FormattableString what) =>
        new($"the index of layer '{layer.Name}' {FormattableString.Invariant(what)}");

    internal static BadFileException Outside(LayerInfo layer) => Bad(layer, $"has a position outside its {layer.WeightCount} weights");
}
