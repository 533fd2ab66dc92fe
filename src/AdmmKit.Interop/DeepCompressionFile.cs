using System.Buffers.Binary;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Interop;

/// <summary>
/// A .net file of Deep Compression (Han et al. 2016), laid out as the published decoder of SqueezeNet reads it: for each layer the
/// number of stored entries in four bytes; then layer by layer a codebook of 2^bits float32, the biases in float32, the entries'
/// codes, and for each entry in four bits how many weights are skipped before it. An entry that only bridges a longer gap skips 15
/// and has the code of zero, 0. Numbers are little-endian, the first of two codes or gaps in a byte is in its lower half, and each
/// of these lists begins with a byte of its own.
/// </summary>
/// <remarks>The file says nothing about its layers, nor that it is one, and has no checksum: its reader has to know the network.</remarks>
public static class DeepCompressionFile
{
    /// <summary>Bits of a code in a convolution.</summary>
    public const int ConvolutionBits = 8;

    /// <summary>Bits of a code in a fully connected layer.</summary>
    public const int FullyConnectedBits = 4;

    private const int IndexBits = 4;
    private const int LongestGap = (1 << IndexBits) - 1;

    /// <summary>Bits of a code in a layer.</summary>
    /// <param name="layer">The layer.</param>
    public static int BitsOf(LayerInfo layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return layer.Kind == LayerKind.Convolution ? ConvolutionBits : FullyConnectedBits;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layers">The layers with weights of the network that it holds, in order.</param>
    /// <exception cref="BadFileException">It is damaged, or holds other layers.</exception>
    /// <exception cref="AdmmKitException">It cannot be read at all.</exception>
    public static IReadOnlyList<CompressedLayer> Read(string path, IReadOnlyList<LayerInfo> layers) =>
        Read(ForeignFile.Read(path).Span, path, layers);

    /// <summary>Reads the bytes of one file.</summary>
    /// <param name="bytes">All of them.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <param name="layers">The layers with weights of the network that it holds, in order.</param>
    /// <exception cref="BadFileException">It is damaged, or holds other layers.</exception>
    public static IReadOnlyList<CompressedLayer> Read(ReadOnlySpan<byte> bytes, string name, IReadOnlyList<LayerInfo> layers)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(layers);
        try
        {
            var reader = new ByteReader(bytes);
            int[] entries = [.. Counts(ref reader, layers)];
            var read = new CompressedLayer[layers.Count];
            for (int i = 0; i < read.Length; i++)
            {
                read[i] = ReadLayer(ref reader, layers[i], entries[i]);
            }

            return reader.Remaining == 0 ? read
                : throw new BadFileException(FormattableString.Invariant($"{reader.Remaining} bytes are left after its last layer"));
        }
        catch (AdmmKitException e)
        {
            throw new BadFileException(
                $"'{name}' is no file of Deep Compression with these {layers.Count} layers ({Described(layers)}): {e.Message.TrimEnd('.')}. Is it another network, or damaged?", e);
        }
    }

    /// <summary>A network of the library from a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="spec">The network, without batch normalizations.</param>
    /// <param name="inputScale">
    /// What pixels of 0 to 255 were multiplied by in training, such as 1/256 in Caffe's MNIST networks; the values of the codebooks
    /// that weigh the image are multiplied to make up for it. Null for 1/255, as this kit does.
    /// </param>
    /// <exception cref="BadFileException">The file is damaged, or holds another network.</exception>
    /// <exception cref="AdmmKitException">It cannot be read at all, or the network has batch normalizations.</exception>
    public static CompressedNetwork ReadNetwork(string path, NetworkSpec spec, double? inputScale = null)
    {
        ArgumentNullException.ThrowIfNull(spec);
        IReadOnlyList<CompressedLayer> layers = Read(path, spec.Layers);
        if (inputScale is { } scale)
        {
            double factor = InputScale.Factor(scale);
            layers = [.. layers.Zip(InputScale.Readers(spec), (l, reads) => reads ? Multiplied(l, factor) : l)];
        }

        return new CompressedNetwork(spec, layers);
    }

    /// <summary>Writes a network; see <see cref="Write"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="model">The network, without batch normalizations.</param>
    /// <exception cref="AdmmKitException">It has some, a layer has too many different values, or the file cannot be written.</exception>
    public static void WriteNetwork(string path, CompressedNetwork model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (model.Normalizations.Count > 0)
        {
            throw new AdmmKitException($"'{model.Spec.Name}' has batch normalizations, for which a file of Deep Compression has no place: write another format.");
        }

        Write(path, model.Layers);
    }

    /// <summary>Writes a file; a reader sees the old one or the new one, never a part.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layers">The layers, whose weights have few enough values for a codebook.</param>
    /// <exception cref="AdmmKitException">A layer has too many different values, or the file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<CompressedLayer> layers)
    {
        ReadOnlyMemory<byte> bytes = Encode(layers);
        AtomicFile.Write(path, stream => stream.Write(bytes.Span));
    }

    /// <summary>The bytes of a file.</summary>
    /// <param name="layers">The layers, whose weights have few enough values for a codebook.</param>
    /// <exception cref="AdmmKitException">A layer has too many different values.</exception>
    public static ReadOnlyMemory<byte> Encode(IReadOnlyList<CompressedLayer> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        (var writer, var body) = (new ByteWriter(), new ByteWriter());
        foreach (CompressedLayer layer in layers)
        {
            writer.UInt32((uint)WriteLayer(body, layer));
        }

        writer.Bytes(body.Written.Span);
        return writer.Written;
    }

    private static List<int> Counts(ref ByteReader reader, IReadOnlyList<LayerInfo> layers)
    {
        var counts = new List<int>();
        foreach (LayerInfo layer in layers)
        {
            uint count = BinaryPrimitives.ReadUInt32LittleEndian(reader.Bytes(sizeof(uint)));
            // Each entry is at another weight, those of padding too.
            counts.Add(count <= layer.WeightCount ? (int)count : throw new BadFileException(FormattableString.Invariant(
                $"layer '{layer.Name}' has {count} entries for its {layer.WeightCount} weights")));
        }

        return counts;
    }

    private static CompressedLayer ReadLayer(ref ByteReader reader, LayerInfo layer, int entries)
    {
        int bits = BitsOf(layer);
        float[] values = reader.Singles(1 << bits, $"codebook of layer '{layer.Name}'");
        float[] biases = reader.Singles(layer.Rows, $"biases of layer '{layer.Name}'");
        if (values[0] != 0 || Array.Exists(values, v => !float.IsFinite(v)))
        {
            throw new BadFileException($"the codebook of layer '{layer.Name}' does not begin with zero, which all weights have that are not stored, or holds a number that is not finite");
        }

        var codes = new byte[entries];
        reader.Need((long)entries * bits, $"codes of layer '{layer.Name}'");
        foreach (ref byte code in codes.AsSpan())
        {
            code = (byte)reader.Bits(bits);
        }

        reader.Pad();
        reader.Need((long)entries * IndexBits, $"index of layer '{layer.Name}'");
        // What a code of zero stands for is no survivor: an entry that bridges a gap.
        int survivors = codes.Count(c => values[c] != 0);
        (var positions, var survivorValues) = (new int[survivors], new float[survivors]);
        (long position, int k) = (-1, 0);
        foreach (byte code in codes)
        {
            position += reader.Bits(IndexBits) + 1;
            if (position >= layer.WeightCount)
            {
                throw new BadFileException(FormattableString.Invariant(
                    $"the index of layer '{layer.Name}' leads beyond its {layer.WeightCount} weights"));
            }

            if (values[code] != 0)
            {
                (positions[k], survivorValues[k]) = ((int)position, values[code]);
                k++;
            }
        }

        reader.Pad();
        return Clustered(layer, bits, positions, survivorValues, biases);
    }

    private static CompressedLayer Clustered(LayerInfo layer, int bits, int[] positions, float[] values, float[] biases)
    {
        // A sorted codebook without zero, and without values that no weight has or that stand in it twice.
        float[] codebook = [.. values.Distinct().Order()];
        byte[] codes = [.. values.Select(v => (byte)Array.BinarySearch(codebook, v))];
        return CompressedLayer.Clustered(layer, bits, positions, codes, codebook, biases);
    }

    private static CompressedLayer Multiplied(CompressedLayer layer, double factor)
    {
        float[] codebook = [.. layer.Codebook];
        InputScale.Multiply(codebook, factor);
        // Values that are rounded to the same one become one.
        return Clustered(layer.Layer, layer.Bits, layer.Positions, [.. layer.Codes.Select(c => codebook[c])], layer.Biases);
    }

    /// <summary>Writes all of a layer but the number of its entries, which it returns.</summary>
    private static int WriteLayer(ByteWriter writer, CompressedLayer layer)
    {
        int bits = BitsOf(layer.Layer);
        float[] weights = layer.ToWeights(), values = [.. layer.Positions.Select(p => weights[p])];
        float[] codebook = [0, .. values.Distinct().Order()];
        if (codebook.Length > 1 << bits)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{layer.Layer.Name}' has {codebook.Length - 1} different values, but a file of Deep Compression has {(1 << bits) - 1} of {bits} bits beside zero for a {(layer.Layer.Kind == LayerKind.Convolution ? "convolution" : "fully connected layer")}: quantize it to fewer bits."));
        }

        writer.Singles(codebook);
        writer.Singles(new float[(1 << bits) - codebook.Length]);
        writer.Singles(layer.Biases);
        (var codes, var gaps, int next) = (new List<byte>(), new List<byte>(), 0);
        foreach ((int position, float value) in layer.Positions.Zip(values))
        {
            for (; position - next > LongestGap; next += LongestGap + 1)
            {
                codes.Add(0);
                gaps.Add(LongestGap);
            }

            codes.Add((byte)Array.BinarySearch(codebook, 1, codebook.Length - 1, value));
            gaps.Add((byte)(position - next));
            next = position + 1;
        }

        Pack(writer, codes, bits);
        Pack(writer, gaps, IndexBits);
        return codes.Count;
    }

    private static void Pack(ByteWriter writer, List<byte> numbers, int bits)
    {
        numbers.ForEach(n => writer.Bits(n, bits));
        writer.Pad();
    }

    private static string Described(IReadOnlyList<LayerInfo> layers) =>
        string.Join(", ", layers.Take(4).Select(l => $"{l.Name} {l.Shape}")) + (layers.Count > 4 ? ", ..." : "");
}
