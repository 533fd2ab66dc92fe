using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Data;

/// <summary>
/// An IDX file of unsigned bytes, the format of MNIST: two zero bytes, the element type (08), the number of dimensions,
/// each dimension as a big-endian 32-bit number, then the values. Images have three dimensions (count, height, width) or
/// four (count, channels, height, width); labels have one. The file may be compressed by gzip, whatever its name says.
/// </summary>
public sealed class IdxFile
{
    /// <summary>The most bytes of values that a file may declare: 1 GiB.</summary>
    public const long MaximumBytes = 1L << 30;

    /// <summary>
    /// The most bytes of values that a gzip file may declare for each of its own bytes, beyond the first 16 MiB. Handwriting
    /// shrinks to a fifth and sparse drawings to a twentieth; a file that claims far more was made to fill the memory.
    /// </summary>
    public const long MaximumInflation = 64;

    private const long InflationAlwaysAllowed = 16L << 20;
    private const int FirstBuffer = 1 << 16;

    private IdxFile(string name, int[] dimensions, ReadOnlyMemory<byte> values, string sha256)
    {
        Name = name;
        Dimensions = dimensions;
        Values = values;
        Sha256 = sha256;
    }

    /// <summary>The file's name, for messages.</summary>
    public string Name { get; }

    /// <summary>The dimensions, the number of images or labels first; each is at least 1.</summary>
    public IReadOnlyList<int> Dimensions { get; }

    /// <summary>The values, the last dimension running fastest.</summary>
    public ReadOnlyMemory<byte> Values { get; }

    /// <summary>SHA-256 of the whole file after any gzip, in lower-case hexadecimal.</summary>
    public string Sha256 { get; }

    /// <summary>Number of images or labels.</summary>
    public int Count => Dimensions[0];

    /// <summary>Whether the file holds labels rather than images.</summary>
    public bool HoldsLabels => Dimensions.Count == 1;

    /// <summary>Shape of one image.</summary>
    /// <exception cref="BadFileException">The file holds labels.</exception>
    public ImageShape Shape => Dimensions.Count switch
    {
        3 => new ImageShape(1, Dimensions[1], Dimensions[2]),
        4 => new ImageShape(Dimensions[1], Dimensions[2], Dimensions[3]),
        _ => throw Bad(Name, "holds labels (one dimension) where images were expected", "check that image and label files are not swapped"),
    };

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file, plain or gzip.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="BadFileException">The file cannot be opened or is not a whole IDX file of bytes.</exception>
    public static IdxFile Read(string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            using FileStream file = File.OpenRead(path);
            return Read(file, path, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new BadFileException($"'{path}' cannot be read: {e.Message} Check the path and that you may read the file.", e);
        }
    }

    /// <summary>Reads from a stream to its end.</summary>
    /// <param name="stream">A seekable stream of plain or gzip bytes.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="BadFileException">The stream is not a whole IDX file of bytes.</exception>
    public static IdxFile Read(Stream stream, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(name);
        Span<byte> magic = stackalloc byte[2];
        long start = stream.Position;
        int got = stream.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        stream.Position = start;
        bool gzip = got == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
        try
        {
            long length = stream.Length - start;
            if (!gzip)
            {
                return Parse(stream, name, MaximumBytes, length, cancellationToken);
            }

            using var unpacked = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
            return Parse(unpacked, name, InflationAlwaysAllowed + (MaximumInflation * length), 0, cancellationToken);
        }
        catch (InvalidDataException e)
        {
            throw new BadFileException($"'{name}' is damaged: its gzip data does not decompress. Fetch the file again.", e);
        }
    }

    /// <param name="stream">The bytes after any gzip.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="most">Values beyond which a gzip file is refused; a plain file is bounded by its own length.</param>
    /// <param name="sure">Bytes that are known to be there.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    private static IdxFile Parse(Stream stream, string name, long most, long sure, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> header = stackalloc byte[4];
        ReadHeader(stream, header, name, "its four-byte magic number");
        hash.AppendData(header);
        int rank = header[3];
        if (header[0] != 0 || header[1] != 0)
        {
            throw Bad(
                name,
                $"does not begin like an IDX file (magic number 0x{BinaryPrimitives.ReadUInt32BigEndian(header):x8})",
                "give the IDX file itself, plain or gzip");
        }

        if (header[2] != 0x08)
        {
            throw Bad(name, $"has element type 0x{header[2]:x2}; only unsigned bytes (0x08) are read", "convert its values to bytes");
        }

        if (rank is not (1 or 3 or 4))
        {
            throw Bad(
                name,
                FormattableString.Invariant($"has {rank} dimensions; labels have 1 (magic 0x801), images 3 (0x803) or 4 (0x804)"),
                "check that it is an image or label file");
        }

        var dimensions = new int[rank];
        long size = 1;
        for (int i = 0; i < rank; i++)
        {
            ReadHeader(stream, header, name, "its dimensions");
            hash.AppendData(header);
            uint dimension = BinaryPrimitives.ReadUInt32BigEndian(header);
            // The product so far is at most 2^30 and the factor below 2^32, so a long cannot overflow before the check.
            size *= dimension;
            if (dimension == 0 || size > MaximumBytes)
            {
                throw Bad(
                    name,
                    FormattableString.Invariant(dimension == 0
                        ? (FormattableString)$"declares dimension {i + 1} as 0"
                        : $"declares more than {MaximumBytes} bytes of values (dimension {i + 1} is {dimension}), the most that is read"),
                    "the header is damaged or the file is not meant for this kit; fetch or split the file");
            }

            dimensions[i] = (int)dimension;
        }

        if (size > most)
        {
            throw Bad(
                name,
                FormattableString.Invariant($"declares {size} bytes of values, more than {MaximumInflation} times its own length after gzip"),
                "it is damaged or a trap; if it is genuine, unpack it and give the plain file");
        }

        byte[] values = ReadValues(stream, (int)size, (int)Math.Min(size, Math.Max(sure, FirstBuffer)), name, hash, cancellationToken);
        return new IdxFile(name, dimensions, values, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>Reads exactly the declared bytes; the buffer grows only as bytes arrive, so a lying header costs no memory.</summary>
    private static byte[] ReadValues(Stream stream, int size, int first, string name, IncrementalHash hash, CancellationToken cancellationToken)
    {
        var values = new byte[first];
        int filled = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int got = stream.ReadAtLeast(values.AsSpan(filled), values.Length - filled, throwOnEndOfStream: false);
            hash.AppendData(values, filled, got);
            filled += got;
            if (filled < values.Length)
            {
                throw Bad(
                    name,
                    FormattableString.Invariant($"is truncated: its header declares {size} bytes of values but only {filled} are there"),
                    "fetch the file again");
            }

            if (filled == size)
            {
                break;
            }

            Array.Resize(ref values, (int)Math.Min(size, 2L * values.Length));
        }

        // This also makes the gzip reader check its own checksum, which stands after the last byte.
        if (stream.ReadByte() >= 0)
        {
            throw Bad(
                name,
                FormattableString.Invariant($"has bytes after the {size} bytes of values that its header declares"),
                "the header or the file is damaged; fetch it again");
        }

        return values;
    }

    private static void ReadHeader(Stream stream, Span<byte> four, string name, string what)
    {
        if (stream.ReadAtLeast(four, 4, throwOnEndOfStream: false) < 4)
        {
            throw Bad(name, $"is truncated: it ends before {what}", "fetch the file again");
        }
    }

    private static BadFileException Bad(string name, string problem, string remedy) => new($"'{name}' {problem}: {remedy}.");
}
