using AdmmKit.Networks;

namespace AdmmKit.Storage.Indexing;

/// <summary>What an index takes. Bits are not rounded up to whole bytes.</summary>
/// <param name="Bits">All bits.</param>
/// <param name="SideBits">Of these, what no single survivor causes: widths, row pointers, a code table.</param>
/// <param name="EscapeBits">Of these, codes without a survivor: what is left of padding entries where zero is no level.</param>
/// <param name="Width">
/// Bits of a position, column or gap (run-length: of a zero run; Huffman: the alphabet has 2^width gaps; bitmap: 1).
/// </param>
public readonly record struct IndexSize(long Bits, long SideBits, long EscapeBits, int Width);

/// <summary>
/// A way to store where the survivors of a layer are. Positions are places in the row-major weight matrix
/// (<see cref="LayerInfo"/>), strictly increasing. The reader knows the layer and the number of its survivors, which a
/// file's header holds; whatever else it needs is written and counted.
/// </summary>
public interface IIndexFormat
{
    /// <summary>The format's name, such as "relative".</summary>
    string Name { get; }

    /// <summary>Counts the bits that <see cref="Write"/> takes, without writing them.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="positions">Where its survivors are, strictly increasing.</param>
    /// <exception cref="AdmmKitException">The positions do not increase or lie outside the layer.</exception>
    IndexSize Measure(LayerInfo layer, ReadOnlySpan<int> positions);

    /// <summary>Writes the positions.</summary>
    /// <param name="writer">Where to; it need not be at a whole byte.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="positions">Where its survivors are, strictly increasing.</param>
    /// <exception cref="AdmmKitException">The positions do not increase or lie outside the layer.</exception>
    void Write(ByteWriter writer, LayerInfo layer, ReadOnlySpan<int> positions);

    /// <summary>Reads the positions back. The bytes are not trusted, and no more memory is taken than the survivors need.</summary>
    /// <param name="reader">Where from, at the bit where <see cref="Write"/> began.</param>
    /// <param name="layer">The layer.</param>
    /// <param name="survivors">How many survivors it has.</param>
    /// <exception cref="BadFileException">The bytes end too early or hold no such positions.</exception>
    int[] Read(ref ByteReader reader, LayerInfo layer, int survivors);
}
