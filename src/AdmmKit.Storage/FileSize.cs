namespace AdmmKit.Storage;

/// <summary>Where the bits of one layer go in a compressed file.</summary>
/// <param name="Name">The layer.</param>
/// <param name="HeaderBytes">Bits a weight, q or the number of shared values, number of survivors, index width.</param>
/// <param name="CodebookBits">Shared values, 32 bits each; 0 where the layer has no codebook.</param>
/// <param name="IndexBits">Positions of the survivors.</param>
/// <param name="ValueBits">Levels, codes or values of the survivors: the paper's "data size" of the layer.</param>
/// <param name="PaddingBits">Zero bits up to the next whole byte.</param>
/// <param name="BiasBits">Biases; the paper does not count them.</param>
public sealed record LayerSize(
    string Name, int HeaderBytes, long CodebookBits, long IndexBits, long ValueBits, int PaddingBits, long BiasBits)
{
    /// <summary>All bits of the layer, a multiple of 8.</summary>
    public long TotalBits => (HeaderBytes * 8L) + CodebookBits + IndexBits + ValueBits + PaddingBits + BiasBits;
}

/// <summary>Where the bytes of a compressed file go; their sum is the file's length exactly.</summary>
/// <param name="HeaderBytes">Magic, version, architecture, input shape, classes, number of layers.</param>
/// <param name="Layers">One entry a layer.</param>
/// <param name="ChecksumBytes">The CRC-32.</param>
public sealed record FileSize(int HeaderBytes, IReadOnlyList<LayerSize> Layers, int ChecksumBytes)
{
    /// <summary>Scales, shifts, means and variances of all batch normalizations; the paper does not count them.</summary>
    public long NormalizationBits { get; init; }

    /// <summary>Length of the file in bytes.</summary>
    public long TotalBytes => HeaderBytes + ((Layers.Sum(l => l.TotalBits) + NormalizationBits) / 8) + ChecksumBytes;

    /// <summary>Bits of all weights' levels or values: what the paper's tables call data size.</summary>
    public long ValueBits => Layers.Sum(l => l.ValueBits);

    /// <summary>Bits of all indices; with <see cref="ValueBits"/>, what the paper's tables call model size.</summary>
    public long IndexBits => Layers.Sum(l => l.IndexBits);
}
