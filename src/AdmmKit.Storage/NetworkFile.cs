using System.Buffers.Binary;
using AdmmKit.Networks;
using AdmmKit.Storage.Coding;

namespace AdmmKit.Storage;

/// <summary>The bytes of a compressed network, layout 2.</summary>
/// <remarks>
/// <code>
/// 0xAD 0x02
/// checksum of all that follows, lowest byte first: CRC-16 in a file of at most 4,096 bytes, else CRC-32
/// one arithmetic code (BitEncoder) of all the rest, see NetworkModel
/// </code>
/// In so few bytes CRC-16 finds what CRC-32 does by construction: any three wrong bits, and any damage within 16 bits in a row; what
/// is damaged at random passes it once in 65,536 times, and then still has to decode and to end as a code ends.
/// A network is named where the library knows it by name, and else described by the text of its graph (<see cref="NetworkJson"/>).
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

    // A graph of a few bytes can ask for as many counters when it is decoded: ten times those of the deepest usual networks.
    private const int MaxUnits = 5_000_000;
    private const int ShortFile = 4096;

    private static ReadOnlySpan<byte> Magic => [0xAD, 0x02];

    private static ReadOnlySpan<byte> FirstLayout => [(byte)'A', (byte)'D', (byte)'M', (byte)'M', 1];

    internal static (byte[] Bytes, FileSize Size) Encode(CompressedNetwork network)
    {
        var coder = new BitEncoder();
        var layers = new List<LayerSize>();
        (_, double header, double normalizations) = NetworkModel.Code(coder, network, layers);
        byte[] code = coder.Finish();
        int frame = Magic.Length + (Magic.Length + sizeof(ushort) + code.Length <= ShortFile ? sizeof(ushort) : sizeof(uint));
        if (code.Length > MaxBytes - frame)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The network takes more than the {MaxBytes} bytes that a file may have: prune or quantize it more."));
        }

        var bytes = new byte[frame + code.Length];
        Magic.CopyTo(bytes);
        code.CopyTo(bytes, frame);
        Seal(bytes);
        return (bytes, new FileSize(bytes.Length, header, layers, normalizations, (8 * code.Length) - coder.Cost));
    }

    /// <summary>Writes the checksum of a file into it; not in one that is too short to have any.</summary>
    internal static void Seal(Span<byte> bytes)
    {
        int frame = FrameLength(bytes.Length);
        if (bytes.Length >= frame)
        {
            Checksum(bytes[frame..], frame - Magic.Length).CopyTo(bytes[Magic.Length..]);
        }
    }

    /// <summary>What a file holds besides its layers and batch normalizations: mark, checksum, architecture and shape.</summary>
    internal static double FrameBits(string architecture, ImageShape input, int classes)
    {
        var meter = new BitMeter();
        NetworkModel.Head(meter, (architecture, input, classes));
        return (8 * FrameLength(int.MaxValue)) + meter.Cost;
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
        CheckWeights(spec);
        return spec;
    }

    /// <summary>The network as a file has it: the library's own where it has that name and these steps, else the one given.</summary>
    internal static NetworkSpec Stored(NetworkSpec spec)
    {
        if (IsNamed(spec))
        {
            return Named(spec.Name, spec.Input, spec.Classes);
        }

        Check(spec);
        return spec;
    }

    /// <summary>Whether the library knows the network by its name, dropout aside: of no effect in inference, and all that may differ.</summary>
    internal static bool IsNamed(NetworkSpec spec)
    {
        if (!NetworkSpec.Architectures.Contains(spec.Name))
        {
            return false;
        }

        try
        {
            return Steps(NetworkSpec.Create(spec.Name, spec.Input, spec.Classes)).SequenceEqual(Steps(spec));
        }
        catch (AdmmKitException)
        {
            // The architecture of this name does not take such images.
            return false;
        }
    }

    /// <summary>Whether a network of any graph can be stored.</summary>
    /// <exception cref="AdmmKitException">It is too large.</exception>
    internal static void Check(NetworkSpec spec)
    {
        CheckWeights(spec);
        long units = spec.Layers.Sum(l => (long)l.Rows + l.Columns) + spec.Normalizations.Sum(n => (long)n.Channels) + spec.Shapes.Sum(s => (long)s.Channels);
        if (units > MaxUnits)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{spec.Name}' has {units} rows, columns and channels in all, more than the {MaxUnits} that can be stored"));
        }
    }

    private static void CheckWeights(NetworkSpec spec)
    {
        long weights = spec.Layers.Sum(l => (long)l.Rows * l.Columns);
        if (weights > MaxWeights)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{spec.Name}' for {spec.Input} images has {weights} weights, more than the {MaxWeights} that can be stored"));
        }
    }

    /// <summary>Each step but dropout, and the numbers of those that it reads.</summary>
    private static List<(Node Node, string Inputs)> Steps(NetworkSpec spec)
    {
        var steps = new List<(Node, string)>();
        var number = new int[spec.Nodes.Count];
        for (int i = 0; i < number.Length; i++)
        {
            int[] inputs = [.. spec.Inputs[i].Select(f => f == NetworkSpec.Image ? f : number[f])];
            number[i] = spec.Nodes[i] is Node.Dropout ? inputs[0] : steps.Count;
            if (spec.Nodes[i] is not Node.Dropout)
            {
                steps.Add((spec.Nodes[i], string.Join(' ', inputs)));
            }
        }

        return steps;
    }

    private static CompressedNetwork Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith(FirstLayout))
        {
            throw new BadFileException("an older release wrote it, in layout 1, which this one no longer reads: compress the network again");
        }

        if (!bytes.StartsWith(Magic))
        {
            throw new BadFileException("it does not begin as a compressed network does, so it is some other kind of file");
        }

        int frame = FrameLength(bytes.Length);
        if (bytes.Length < frame)
        {
            throw new BadFileException("it ends too early");
        }

        if (!bytes[Magic.Length..frame].SequenceEqual(Checksum(bytes[frame..], frame - Magic.Length)))
        {
            throw new BadFileException("its checksum is wrong, so some bytes are missing or not those that were written");
        }

        var coder = new BitDecoder(bytes[frame..].ToArray());
        CompressedNetwork network = NetworkModel.Code(coder, null, []).Network;
        coder.Finish();
        return network;
    }

    private static int FrameLength(int length) => Magic.Length + (length <= ShortFile ? sizeof(ushort) : sizeof(uint));

    private static byte[] Checksum(ReadOnlySpan<byte> code, int length)
    {
        var bytes = new byte[length];
        if (length == sizeof(ushort))
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, Crc.Compute16(code));
        }
        else
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, Crc.Compute32(code));
        }

        return bytes;
    }
}
