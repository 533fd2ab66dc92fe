using System.Buffers.Binary;
using System.Text;
using AdmmKit.Networks;
using AdmmKit.Storage.Indexing;

namespace AdmmKit.Storage;

/// <summary>The bytes of a compressed network, layout 1. Numbers are little-endian, counts are varints.</summary>
/// <remarks>
/// <code>
/// "ADMM", version byte, length and UTF-8 of the architecture's name, channels, height, width, classes, number of layers
/// for each layer:
///   coding (byte): bits, 1 to 8 or 32; with a codebook 0x40 + bits, 1 to 8
///   q (float32), absent with 32 bits; with a codebook instead the number of its values and these (float32 each)
///   number of survivors, index width w (byte)
///   packed bits, lowest first: relative index (see RelativeIndex), then the values, then zeros up to a whole byte
///     value with 1 to 8 bits: |level| - 1, and above it the sign bit; with a codebook: the code; with 32 bits: the float32
///   biases (float32 each)
/// for each batch normalization, where the architecture has any: scale, shift, mean and variance of its channels (float32 each)
/// CRC-32 of everything before it
/// </code>
/// There is one way to write a network: a file that can be read is written again with the same bytes.
/// </remarks>
public static class NetworkFile
{
    /// <summary>The longest file that is read or written.</summary>
    public const int MaxBytes = 1 << 30;

    /// <summary>The most weights that a stored network may have, zeros included.</summary>
    public const long MaxWeights = 1_000_000_000;

    // Keeps every product of a shape inside an int for any architecture that grows an input by less than a factor of 200.
    private const int MaxInputSize = 10_000_000;
    private const byte Version = 1;
    private const int ChecksumBytes = 4;
    private const int CodebookFlag = 0x40;

    private static readonly RelativeIndex Index = new();

    private static ReadOnlySpan<byte> Magic => "ADMM"u8;

    internal static ReadOnlyMemory<byte> Encode(CompressedNetwork network)
    {
        if (network.Size.TotalBytes > MaxBytes)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The network takes {network.Size.TotalBytes} bytes, more than the {MaxBytes} that a file may have: prune or quantize it more."));
        }

        var writer = new ByteWriter();
        byte[] name = Encoding.UTF8.GetBytes(network.Spec.Name);
        writer.Bytes(Magic);
        writer.Byte(Version);
        writer.Varint(name.Length);
        writer.Bytes(name);
        foreach (int number in Numbers(network.Spec))
        {
            writer.Varint(number);
        }

        foreach (CompressedLayer layer in network.Layers)
        {
            EncodeLayer(writer, layer);
        }

        foreach (float[] numbers in network.Normalizations)
        {
            writer.Singles(numbers);
        }

        writer.UInt32(Crc32.Compute(writer.Written.Span));
        return writer.Written;
    }

    internal static FileSize Size(CompressedNetwork network) => new(
        HeaderBytes(network.Spec.Name, Numbers(network.Spec)),
        [.. network.Layers.Select(l => Size(l.Layer, l.Positions, l.Coding, l.Bits, l.Codebook.Length))],
        ChecksumBytes)
    { NormalizationBits = network.Normalizations.Sum(n => n.Length * 32L) };

    /// <summary>What a file holds besides its layers and batch normalizations: the network header and the checksum.</summary>
    internal static int FrameBytes(string architecture, ImageShape input, int classes, int layers) =>
        HeaderBytes(architecture, [input.Channels, input.Height, input.Width, classes, layers]) + ChecksumBytes;

    /// <summary>What a layer takes in a file, from the facts that it depends on.</summary>
    internal static LayerSize Size(LayerInfo layer, ReadOnlySpan<int> positions, ValueCoding coding, int bits, int codebook)
    {
        int parameters = coding switch
        {
            ValueCoding.Levels => sizeof(float),
            ValueCoding.Codebook => ByteWriter.VarintLength(codebook),
            _ => 0,
        };
        int header = 1 + parameters + ByteWriter.VarintLength(positions.Length) + 1;
        IndexSize measured = Index.Measure(layer, positions);
        // The width is in the header.
        long index = measured.Bits - measured.SideBits;
        long values = (long)positions.Length * bits;
        return new LayerSize(layer.Name, header, codebook * 32L, index, values, (int)(-(index + values) & 7), layer.Rows * 32L);
    }

    internal static CompressedNetwork Decode(ReadOnlySpan<byte> bytes, string name)
    {
        CheckLength(bytes.Length, name);
        try
        {
            return Decode(bytes);
        }
        catch (AdmmKitException e)
        {
            throw new BadFileException(
                $"'{name}' cannot be read as a compressed network: {e.Message.TrimEnd('.')}. Was it cut off or changed by a download or copy? Fetch or write it again.", e);
        }
    }

    internal static void CheckLength(long length, string name)
    {
        if (length > MaxBytes)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"'{name}' is longer than the {MaxBytes} bytes that a compressed network may have: is it the right file?"));
        }
    }

    /// <summary>The network of a name that a file gives, if it can be stored: the library knows it and its counts fit.</summary>
    /// <param name="architecture">One of <see cref="NetworkSpec.Architectures"/>.</param>
    /// <param name="input">Shape of one image.</param>
    /// <param name="classes">Number of classes.</param>
    /// <exception cref="AdmmKitException">It is unknown or out of bounds.</exception>
    public static NetworkSpec Named(string architecture, ImageShape input, int classes)
    {
        long size = 1;
        foreach (int side in (ReadOnlySpan<int>)[input.Channels, input.Height, input.Width])
        {
            // One factor at a time: neither the product so far nor the next side can overflow a long.
            size = side is > 0 and <= MaxInputSize && size <= MaxInputSize ? size * side : long.MaxValue;
        }

        if (size > MaxInputSize || classes > MaxInputSize)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{input} images in {classes} classes are out of bounds: at least 1 on each side, at most {MaxInputSize} numbers an image and as many classes"));
        }

        NetworkSpec spec = NetworkSpec.Create(architecture, input, classes);
        long weights = spec.Layers.Sum(l => (long)l.Rows * l.Columns);
        return weights <= MaxWeights ? spec : throw new AdmmKitException(FormattableString.Invariant(
            $"'{architecture}' for {input} images has {weights} weights, more than the {MaxWeights} that can be stored"));
    }

    private static CompressedNetwork Decode(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith(Magic))
        {
            throw new BadFileException("it does not begin with \"ADMM\", so it is some other kind of file");
        }

        if (bytes.Length < Magic.Length + 1 + ChecksumBytes)
        {
            throw new BadFileException("it ends too early");
        }

        ReadOnlySpan<byte> body = bytes[..^ChecksumBytes];
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[^ChecksumBytes..]) != Crc32.Compute(body))
        {
            throw new BadFileException("its checksum is wrong, so some bytes are missing or not those that were written");
        }

        var reader = new ByteReader(body[Magic.Length..]);
        if (reader.Byte() is var version and not Version)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"it has layout {version}, and this release reads layout {Version}: another release wrote it"));
        }

        NetworkSpec spec = DecodeSpec(ref reader);
        var layers = new CompressedLayer[spec.Layers.Count];
        for (int i = 0; i < layers.Length; i++)
        {
            layers[i] = DecodeLayer(ref reader, spec.Layers[i]);
        }

        var normalizations = new float[spec.Normalizations.Count][];
        for (int i = 0; i < normalizations.Length; i++)
        {
            NormalizationInfo norm = spec.Normalizations[i];
            normalizations[i] = reader.Singles(norm.Count, $"batch normalization '{norm.Name}'");
        }

        return reader.Remaining == 0
            ? new CompressedNetwork(spec, layers, normalizations)
            : throw new BadFileException(FormattableString.Invariant($"it has {reader.Remaining} bytes after its last layer"));
    }

    private static NetworkSpec DecodeSpec(ref ByteReader reader)
    {
        string architecture;
        try
        {
            int length = reader.Varint("length of the architecture's name");
            // Bounded before it is quoted in an error, whose search for the nearest name is quadratic.
            architecture = length <= 100
                ? new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(reader.Bytes(length))
                : throw new BadFileException("its architecture's name is longer than 100 bytes");
        }
        catch (DecoderFallbackException e)
        {
            throw new BadFileException("its architecture's name is not valid UTF-8", e);
        }

        var input = new ImageShape(reader.Varint("channels"), reader.Varint("height"), reader.Varint("width"));
        NetworkSpec spec = Named(architecture, input, reader.Varint("number of classes"));
        int count = reader.Varint("number of layers");
        return count == spec.Layers.Count ? spec : throw new BadFileException(FormattableString.Invariant(
            $"it has {count} layers, but '{architecture}' has {spec.Layers.Count}"));
    }

    private static IEnumerable<int> Numbers(NetworkSpec spec) =>
        [spec.Input.Channels, spec.Input.Height, spec.Input.Width, spec.Classes, spec.Layers.Count];

    private static int HeaderBytes(string architecture, IEnumerable<int> numbers)
    {
        int name = Encoding.UTF8.GetByteCount(architecture);
        return Magic.Length + 1 + ByteWriter.VarintLength(name) + name + numbers.Sum(ByteWriter.VarintLength);
    }

    private static void EncodeLayer(ByteWriter writer, CompressedLayer layer)
    {
        int width = Index.Measure(layer.Layer, layer.Positions).Width;
        writer.Byte((byte)(layer.Coding == ValueCoding.Codebook ? CodebookFlag | layer.Bits : layer.Bits));
        if (layer.Coding == ValueCoding.Levels)
        {
            writer.Single(layer.Q);
        }
        else if (layer.Coding == ValueCoding.Codebook)
        {
            writer.Varint(layer.Codebook.Length);
            writer.Singles(layer.Codebook);
        }

        writer.Varint(layer.Survivors);
        writer.Byte((byte)width);
        RelativeIndex.WriteGaps(writer, layer.Positions, width);
        int signBit = 1 << (layer.Bits - 1);
        foreach (short level in layer.Levels)
        {
            writer.Bits((uint)((Math.Abs((int)level) - 1) | (level < 0 ? signBit : 0)), layer.Bits);
        }

        foreach (byte code in layer.Codes)
        {
            writer.Bits(code, layer.Bits);
        }

        foreach (float value in layer.Values)
        {
            writer.Bits(BitConverter.SingleToUInt32Bits(value), CompressedLayer.FloatBits);
        }

        writer.Pad();
        writer.Singles(layer.Biases);
    }

    private static CompressedLayer DecodeLayer(ref ByteReader reader, LayerInfo layer)
    {
        (ValueCoding coding, int bits) = Coding(reader.Byte(), layer);
        float q = coding == ValueCoding.Levels ? reader.Single() : 0;
        float[] codebook = coding == ValueCoding.Codebook ? DecodeCodebook(ref reader, layer, bits) : [];
        int survivors = reader.Varint("number of survivors");
        int width = reader.Byte();
        if (survivors > layer.WeightCount || width > RelativeIndex.MaxWidth)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"layer '{layer.Name}' of {layer.WeightCount} weights has {survivors} survivors and an index of {width} bits"));
        }

        // Only now is memory taken: the file itself is long enough to fill it.
        reader.Need(((long)survivors * (width + bits)) + (layer.Rows * 32L), $"layer '{layer.Name}'");
        int[] positions = RelativeIndex.ReadGaps(ref reader, layer, survivors, width);
        if (width != Index.Measure(layer, positions).Width)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"layer '{layer.Name}' has an index of {width} bits, which is not the shortest"));
        }

        var levels = new short[coding == ValueCoding.Levels ? survivors : 0];
        int signBit = 1 << (bits - 1);
        for (int k = 0; k < levels.Length; k++)
        {
            int code = (int)reader.Bits(bits);
            int magnitude = (code & (signBit - 1)) + 1;
            levels[k] = (short)((code & signBit) != 0 ? -magnitude : magnitude);
        }

        var codes = new byte[coding == ValueCoding.Codebook ? survivors : 0];
        foreach (ref byte code in codes.AsSpan())
        {
            code = (byte)reader.Bits(bits);
        }

        var values = new float[coding == ValueCoding.Floats ? survivors : 0];
        foreach (ref float value in values.AsSpan())
        {
            value = BitConverter.UInt32BitsToSingle(reader.Bits(CompressedLayer.FloatBits));
        }

        reader.Pad();
        float[] biases = reader.Singles(layer.Rows, $"biases of layer '{layer.Name}'");
        return coding switch
        {
            ValueCoding.Levels => CompressedLayer.Quantized(layer, bits, q, positions, levels, biases),
            ValueCoding.Codebook => CompressedLayer.Clustered(layer, bits, positions, codes, codebook, biases),
            _ => CompressedLayer.Unquantized(layer, positions, values, biases),
        };
    }

    private static (ValueCoding Coding, int Bits) Coding(byte coding, LayerInfo layer) => coding switch
    {
        >= 1 and <= 8 => (ValueCoding.Levels, coding),
        CompressedLayer.FloatBits => (ValueCoding.Floats, coding),
        >= CodebookFlag + 1 and <= CodebookFlag + 8 => (ValueCoding.Codebook, coding - CodebookFlag),
        _ => throw new BadFileException(FormattableString.Invariant(
            $"layer '{layer.Name}' has {coding} bits a weight, which is neither 1 to 8, nor 32, nor a codebook")),
    };

    private static float[] DecodeCodebook(ref ByteReader reader, LayerInfo layer, int bits)
    {
        int count = reader.Varint("number of shared values");
        return count <= 1 << bits ? reader.Singles(count, $"codebook of layer '{layer.Name}'") : throw new BadFileException(FormattableString.Invariant(
            $"layer '{layer.Name}' has {count} shared values, more than {bits} bits tell apart"));
    }
}
