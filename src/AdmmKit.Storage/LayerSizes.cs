using AdmmKit.Networks;
using AdmmKit.Storage.Coding;
using AdmmKit.Storage.Indexing;

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
/// <param name="FileBits">The layer's part of an .admm file, which is coded as a whole: everything, biases and codebook too.</param>
/// <param name="BoundBits">
/// The entropy bound: log2 C(N, k) for k survivors at independent positions, and k times the zero-order entropy of their
/// values. Codes can only beat it where the positions or the order of the values have structure.
/// </param>
public sealed record LayerSizes(
    string Name, int Survivors, int Bits, long WeightDataBits, long PaperBits, long RelativeBits, double FileBits, double BoundBits)
{
    // How values are coded, bits a weight, and an interval of half precision.
    private const double FactHeaderBits = 20;

    private static readonly RelativeIndex Relative = new();

    /// <summary>Part of <see cref="FileBits"/>: where the survivors are.</summary>
    public double IndexBits { get; init; }

    /// <summary>Part of <see cref="BoundBits"/>: log2 C(N, k), where the survivors are if their positions are independent.</summary>
    public double IndexBoundBits { get; init; }

    /// <summary>
    /// The real index over the bound of independent positions: below 1 where the coder makes use of structure, above 1 by what it
    /// takes to learn that there is none; 0 for a layer that has nothing to say.
    /// </summary>
    public double IndexOverBound => IndexBoundBits > 0 ? IndexBits / IndexBoundBits : 0;

    /// <summary>The five sizes of a compressed layer that is stored alone, without a network around it.</summary>
    /// <param name="layer">The layer.</param>
    public static LayerSizes Of(CompressedLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return Of(layer, LayerModel.Measure(layer));
    }

    /// <summary>The five sizes of a layer of a network.</summary>
    internal static LayerSizes Of(CompressedLayer layer, LayerSize file)
    {
        double entropy = layer.Coding switch
        {
            ValueCoding.Levels => EntropyBound.ZeroOrder<short>(layer.Levels),
            ValueCoding.Codebook => EntropyBound.ZeroOrder<byte>(layer.Codes),
            _ => CompressedLayer.FloatBits,
        };
        return Of(layer.Layer, layer.Positions, layer.Bits, entropy, file);
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

        // Levels that are drawn at random take their entropy, and nothing tells them apart; learning it takes a few bits more.
        var file = new LayerSize(
            layer.Name, FactHeaderBits, (codebook ?? 0) * 32.0, CodedIndex.Bits(layer, positions), positions.Length * levelEntropyBits, layer.Rows * 32.0);
        return Of(layer, positions, bits, levelEntropyBits, file);
    }

    /// <summary>
    /// Bits of the paper's index per survivor: 5 in convolutions and 8 in fully connected layers. The paper does not say which
    /// widths it takes; with these Table 5 adds up: 2,005 (3 + 5) + 565 (2 + 8) bits are 2.71 KB, printed 2.73. Table 6 takes
    /// others.
    /// </summary>
    /// <param name="kind">What the layer computes.</param>
    public static int PaperIndexBits(LayerKind kind) => kind == LayerKind.Convolution ? 5 : 8;

    private static LayerSizes Of(LayerInfo layer, ReadOnlySpan<int> positions, int bits, double entropy, LayerSize file)
    {
        IndexSize relative = Relative.Measure(layer, positions);
        long data = (long)positions.Length * bits;
        double bound = EntropyBound.Log2Binomial(layer.WeightCount, positions.Length);
        return new LayerSizes(
            layer.Name,
            positions.Length,
            bits,
            data,
            data + ((long)positions.Length * PaperIndexBits(layer.Kind)),
            data + relative.Bits - relative.SideBits,
            file.TotalBits,
            bound + (positions.Length * entropy))
        { IndexBits = file.IndexBits, IndexBoundBits = bound };
    }
}

/// <summary>The five sizes of a model, see <see cref="LayerSizes"/>, in bits; each total is the sum over the layers.</summary>
/// <param name="Layers">One entry a layer.</param>
/// <param name="FrameBits">
/// What the file holds besides its layers: header, batch normalizations and checksum, part of <see cref="FileBits"/> alone.
/// </param>
public sealed record ModelSizes(IReadOnlyList<LayerSizes> Layers, double FrameBits)
{
    /// <summary>Number of weights that are not zero.</summary>
    public long Survivors => Layers.Sum(l => (long)l.Survivors);

    /// <summary>Survivors times bits.</summary>
    public long WeightDataBits => Layers.Sum(l => l.WeightDataBits);

    /// <summary>Weight data and the paper's index of a fixed width.</summary>
    public long PaperBits => Layers.Sum(l => l.PaperBits);

    /// <summary>Weight data and the relative index with its escapes.</summary>
    public long RelativeBits => Layers.Sum(l => l.RelativeBits);

    /// <summary>The file: a whole number of bytes where there is one, and not only facts.</summary>
    public double FileBits => FrameBits + Layers.Sum(l => l.FileBits);

    /// <summary>The entropy bound.</summary>
    public double BoundBits => Layers.Sum(l => l.BoundBits);

    /// <summary>Where the survivors are, in the file.</summary>
    public double IndexBits => Layers.Sum(l => l.IndexBits);

    /// <summary>What positions take that are independent within each layer.</summary>
    public double IndexBoundBits => Layers.Sum(l => l.IndexBoundBits);

    /// <summary>The five sizes of a compressed network.</summary>
    /// <param name="network">The network.</param>
    public static ModelSizes Of(CompressedNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        FileSize file = network.Size;
        LayerSizes[] layers = [.. network.Layers.Zip(file.Layers, LayerSizes.Of)];
        return new ModelSizes(layers, (8 * file.TotalBytes) - layers.Sum(l => l.FileBits));
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
        return new ModelSizes(layers, NetworkFile.FrameBits(architecture, input, classes));
    }
}
