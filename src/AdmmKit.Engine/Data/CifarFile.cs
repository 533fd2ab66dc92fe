using System.IO.Compression;
using System.Security.Cryptography;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Data;

/// <summary>
/// A file in the binary layout of CIFAR-10: records of one byte of label, 0 to 9, and 3,072 bytes of image, its red, green and
/// blue planes of 32 x 32 row by row. There is no header. The file may be compressed by gzip, whatever its name says.
/// </summary>
public sealed class CifarFile
{
    /// <summary>The most images that a file may hold: as many as each published one has.</summary>
    public const int MaximumRecords = 10_000;

    /// <summary>Classes of CIFAR-10.</summary>
    public const int Classes = 10;

    /// <summary>Shape of one image.</summary>
    public static readonly ImageShape Shape = NetworkSpec.Cifar;

    internal const int MaximumBytes = MaximumRecords * RecordBytes;
    internal const int FirstBuffer = 1 << 16;
    private const int ImageBytes = 3 * 32 * 32;
    private const int RecordBytes = 1 + ImageBytes;
    private const string Remedy = "it is damaged or no file of the binary version of CIFAR-10; fetch it again.";

    private CifarFile(string name, ImageSet images, string sha256) => (Name, Images, Sha256) = (name, images, sha256);

    /// <summary>The file's name, for messages.</summary>
    public string Name { get; }

    /// <summary>The images and their labels; at least one.</summary>
    public ImageSet Images { get; }

    /// <summary>SHA-256 of the file after any gzip, in lower-case hexadecimal.</summary>
    public string Sha256 { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file, plain or gzip.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="BadFileException">The file cannot be opened or is not in the layout of CIFAR-10.</exception>
    public static CifarFile Read(string path, CancellationToken cancellationToken = default) =>
        Opened(path, stream => Read(stream, path, cancellationToken));

    /// <summary>Reads from a stream to its end.</summary>
    /// <param name="stream">A seekable stream of plain or gzip bytes.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="BadFileException">The stream is not in the layout of CIFAR-10.</exception>
    public static CifarFile Read(Stream stream, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(name);
        Span<byte> magic = stackalloc byte[2];
        long start = stream.Position;
        int got = stream.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        stream.Position = start;
        // Of a plain file the first byte is a label, and 0x1F is none.
        using GZipStream? unpacked = got == 2 && magic[0] == 0x1F && magic[1] == 0x8B
            ? new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true)
            : null;
        try
        {
            // One byte more than there may be: it tells a file that ends from one that goes on, such as a gzip bomb.
            int first = unpacked is null ? (int)Math.Min(MaximumBytes, stream.Length - start) + 1 : FirstBuffer;
            (byte[] bytes, int count) = ReadUpTo(unpacked ?? stream, MaximumBytes + 1, first, cancellationToken);
            return FromRecords(bytes, count, name);
        }
        catch (InvalidDataException e)
        {
            throw new BadFileException($"'{name}' is damaged: its gzip data does not decompress. Fetch the file again.", e);
        }
    }

    /// <summary>Opens a file for a reader; that it cannot be opened is an error in words.</summary>
    internal static T Opened<T>(string path, Func<FileStream, T> read)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            using FileStream file = File.OpenRead(path);
            return read(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new BadFileException($"'{path}' cannot be read: {e.Message} Check the path and that you may read the file.", e);
        }
    }

    /// <summary>Reads up to so many bytes; the buffer grows only as bytes arrive, so a lying length costs no memory.</summary>
    internal static (byte[] Bytes, int Count) ReadUpTo(Stream stream, int most, int first, CancellationToken cancellationToken)
    {
        var bytes = new byte[Math.Min(first, most)];
        int filled = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            filled += stream.ReadAtLeast(bytes.AsSpan(filled), bytes.Length - filled, throwOnEndOfStream: false);
            if (filled < bytes.Length || filled == most)
            {
                return (bytes, filled);
            }

            Array.Resize(ref bytes, (int)Math.Min(most, 2L * bytes.Length));
        }
    }

    /// <summary>Makes a file of its bytes, which become its pixels.</summary>
    internal static CifarFile FromRecords(byte[] bytes, int count, string name)
    {
        if (count > MaximumBytes)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"'{name}' holds more than {MaximumRecords} records of {RecordBytes} bytes, the most that a file of CIFAR-10 has: ")
                + "give the published files.");
        }

        if (count == 0 || count % RecordBytes != 0)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"'{name}' has {count} bytes, which are not whole records of {RecordBytes} (a label and a {Shape} image): ") + Remedy);
        }

        string hash = Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(0, count)));
        var labels = new byte[count / RecordBytes];
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = bytes[i * RecordBytes];
            if (labels[i] >= Classes)
            {
                throw new BadFileException(FormattableString.Invariant(
                    $"'{name}' has the label {labels[i]} in record {i}, where 0 to {Classes - 1} are possible: ") + Remedy);
            }

            // The images move together, into the places of the labels.
            bytes.AsSpan((i * RecordBytes) + 1, ImageBytes).CopyTo(bytes.AsSpan(i * ImageBytes));
        }

        return new CifarFile(name, new ImageSet(Shape, Classes, bytes.AsMemory(0, labels.Length * ImageBytes), labels), hash);
    }
}
