using AdmmKit.Networks;

namespace AdmmKit.Storage;

/// <summary>
/// Five sizes of one layer, in bits, that belong together: the first two are what papers print, the last two what a decoder
/// needs and what no code can do without.
/// </summary>
/// <param name="Name">The layer.</param>
/// <param name="Survivors">Number of weights that are not zero.</param>
/// <param name="Bits">Bits a surviving weight.</param>
/// <param name="WeightDataBits">Survivors times bits: "data size" in Tables 5 and 6 of [Ren2019].</param>
/// <param name="PaperBits">
/// Weight data and an index of a fixed width per survivor, <see cref="PaperIndexBits"/>, without entries that pad longer gaps
/// and without biases. This reproduces "model size" in Table 5 of [Ren2019] (2.73 KB), which nothing can be decoded from.
/// </param>
/// <param name="RelativeBits">
/// Weight data and a relative index in the best width with all its escapes, without biases and without what the code is
/// described by (width, q, codebook), which <paramref name="FileBits"/> counts.
/// </param>
/// <param name="FileBits">The layer's bytes in an .admm file: everything, biases and codebook too.</param>
/// <param name="BoundBits">
/// The entropy bound: log2 C(N, k) for k survivors at independent positions, and k times the zero-order entropy of their
/// values. Codes can only beat it where the positions or the order of the values have structure.
/// </param>
public sealed record LayerSizes(
    string Name, int Survivors, int Bits, long WeightDataBits, long PaperBits, long RelativeBits, long FileBits, double BoundBits)
{
    /// <summary>The five sizes of a compressed layer.</summary>
    /// <param name="layer">The layer.</param>
    public static LayerSizes Of(CompressedLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        double entropy = layer.Coding switch
        {
            ValueCoding.Levels => EntropyBound.ZeroOrder<short>(layer.Levels),
            ValueCoding.Codebook => EntropyBound.ZeroOrder<byte>(layer.Codes),
            _ => CompressedLayer.FloatBits,
        };
        return Of(layer.Layer, layer.Positions, layer.Coding, layer.Bits, layer.Codebook.Length, entropy);
    }

    /// <summary>The five sizes of a layer that exists only as facts, such as a mask drawn at random.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="positions">Where its survivors are, strictly increasing.</param>
    /// <param name="bits">Bits a survivor: 1 to 8, or 32 for floats.</param>
    /// <param name="levelEntropyBits">
    /// Zero-order entropy of the survivors' levels in bits each, at most <paramref name="bits"/>, which stands for uniform levels.
    /// </param>
    /// <param name="codebook">Number of shared values, at most 2^bits; null where the layer has no codebook.</param>
    /// <exception cref="AdmmKitException">Something does not fit; the message names the layer and the value.</exception>
    public static LayerSizes Of(
        LayerInfo layer, ReadOnlySpan<int> positions, int bits, double levelEntropyBits, int? codebook = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (bits is not ((>= 1 and <= 8) or CompressedLayer.FloatBits))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{layer.Name}' cannot be stored with {bits} bits a weight: use 1 to 8, or 32 for floats."));
        }

        // A computed entropy may exceed its bound by a rounding error.
        if (!(levelEntropyBits >= 0 && levelEntropyBits <= bits + 1e-9))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{layer.Name}': levels of {bits} bits cannot have an entropy of {levelEntropyBits} bits; it is between 0 and {bits}."));
        }

        if (codebook is { } count && (bits == CompressedLayer.FloatBits || count < 0 || count > 1 << bits))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{layer.Name}' cannot have a codebook of {count} values and codes of {bits} bits: codes have 1 to 8, and tell 2^bits values apart."));
        }

        ValueCoding coding = codebook is not null ? ValueCoding.Codebook
            : bits == CompressedLayer.FloatBits ? ValueCoding.Floats : ValueCoding.Levels;
        return Of(layer, positions, coding, bits, codebook ?? 0, levelEntropyBits);
    }

    /// <summary>
    /// Bits of the paper's index per survivor: 5 in convolutions and 8 in fully connected layers. The paper does not say which
    /// widths it takes; with these Table 5 adds up: 2,005 (3 + 5) + 565 (2 + 8) bits are 2.71 KB, printed 2.73. Table 6 takes
    /// others.
    /// </summary>
    /// <param name="kind">What the layer computes.</param>
    public static int PaperIndexBits(LayerKind kind) => kind == LayerKind.Convolution ? 5 : 8;

    private static LayerSizes Of(
        LayerInfo layer, ReadOnlySpan<int> positions, ValueCoding coding, int bits, int codebook, double entropy)
    {
        LayerSize file = NetworkFile.Size(layer, positions, coding, bits, codebook);
        return new LayerSizes(
            layer.Name,
            positions.Length,
            bits,
            file.ValueBits,
            file.ValueBits + ((long)positions.Length * PaperIndexBits(layer.Kind)),
            file.ValueBits + file.IndexBits,
            file.TotalBits,
            EntropyBound.Log2Binomial(layer.WeightCount, positions.Length) + (positions.Length * entropy));
    }
}

/// <summary>The five sizes of a model, see <see cref="LayerSizes"/>, in bits; each total is the sum over the layers.</summary>
/// <param name="Layers">One entry a layer.</param>
/// <param name="FrameBits">
/// What the file holds besides its layers: header, batch normalizations and checksum, part of <see cref="FileBits"/> alone.
/// </param>
public sealed record ModelSizes(IReadOnlyList<LayerSizes> Layers, long FrameBits)
{
    /// <summary>Number of weights that are not zero.</summary>
    public long Survivors => Layers.Sum(l => (long)l.Survivors);

    /// <summary>Survivors times bits.</summary>
    public long WeightDataBits => Layers.Sum(l => l.WeightDataBits);

    /// <summary>Weight data and the paper's index of a fixed width.</summary>
    public long PaperBits => Layers.Sum(l => l.PaperBits);

    /// <summary>Weight data and the relative index with its escapes.</summary>
    public long RelativeBits => Layers.Sum(l => l.RelativeBits);

    /// <summary>The file, to the bit.</summary>
    public long FileBits => FrameBits + Layers.Sum(l => l.FileBits);

    /// <summary>The entropy bound.</summary>
    public double BoundBits => Layers.Sum(l => l.BoundBits);

    /// <summary>The five sizes of a compressed network.</summary>
    /// <param name="network">The network.</param>
    public static ModelSizes Of(CompressedNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        ModelSizes sizes = Of(network.Spec.Name, network.Spec.Input, network.Spec.Classes, [.. network.Layers.Select(LayerSizes.Of)]);
        return sizes with { FrameBits = sizes.FrameBits + network.Size.NormalizationBits };
    }

    /// <summary>The five sizes of a model that exists only as facts about its layers, without batch normalizations.</summary>
    /// <param name="architecture">The name that its file would hold.</param>
    /// <param name="input">Shape of one input image.</param>
    /// <param name="classes">Number of classes.</param>
    /// <param name="layers">Its layers.</param>
    public static ModelSizes Of(string architecture, ImageShape input, int classes, IReadOnlyList<LayerSizes> layers)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        ArgumentNullException.ThrowIfNull(layers);
        return new ModelSizes(layers, NetworkFile.FrameBytes(architecture, input, classes, layers.Count) * 8L);
    }
}
