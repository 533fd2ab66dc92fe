namespace AdmmKit.Storage;

/// <summary>
/// Where the bits of one layer go in a compressed file. The file is one arithmetic code, in which a bit of probability p takes
/// -log2 p: so none of these is a whole number.
/// </summary>
/// <param name="Name">The layer.</param>
/// <param name="HeaderBits">How values are coded, bits a weight, q.</param>
/// <param name="CodebookBits">Shared values, 32 bits each and their number; 0 where the layer has no codebook.</param>
/// <param name="IndexBits">Positions of the survivors.</param>
/// <param name="ValueBits">Levels, codes or values of the survivors.</param>
/// <param name="BiasBits">Biases; the paper does not count them.</param>
public sealed record LayerSize(
    string Name, double HeaderBits, double CodebookBits, double IndexBits, double ValueBits, double BiasBits)
{
    /// <summary>All bits of the layer.</summary>
    public double TotalBits => HeaderBits + CodebookBits + IndexBits + ValueBits + BiasBits;
}

/// <summary>Where the bytes of a compressed file go; the parts add up to its length.</summary>
/// <param name="TotalBytes">Length of the file.</param>
/// <param name="HeaderBits">Architecture, input shape and classes.</param>
/// <param name="Layers">One entry a layer.</param>
/// <param name="NormalizationBits">
/// Scales, shifts, means and variances of all batch normalizations; the paper does not count them.
/// </param>
/// <param name="RoundingBits">What the end of the code takes beyond its parts, up to a whole byte.</param>
public sealed record FileSize(
    long TotalBytes, double HeaderBits, IReadOnlyList<LayerSize> Layers, double NormalizationBits, double RoundingBits)
{
    /// <summary>Mark and checksum, which lie before the code.</summary>
    public double FrameBits => (8 * TotalBytes) - HeaderBits - Layers.Sum(l => l.TotalBits) - NormalizationBits - RoundingBits;

    /// <summary>Bits of all weights' levels or values.</summary>
    public double ValueBits => Layers.Sum(l => l.ValueBits);

    /// <summary>Bits of all positions.</summary>
    public double IndexBits => Layers.Sum(l => l.IndexBits);

    /// <summary>Bits of all biases.</summary>
    public double BiasBits => Layers.Sum(l => l.BiasBits);
}
