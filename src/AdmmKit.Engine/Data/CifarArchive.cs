using System.IO.Compression;
using System.Text;

namespace AdmmKit.Engine.Data;

/// <summary>
/// Reads the six data files out of the published archive, a tar file in gzip, without unpacking it to the disk.
/// </summary>
/// <remarks>
/// The runtime's own reader takes memory for extended headers on the word of their length, and follows links; here only plain
/// headers are read, since no name in question needs another, and everything else is skipped.
/// </remarks>
internal static class CifarArchive
{
    // The published archive unpacks to 184 MB, nearly all of it images.
    private const long MaximumBytes = 256L << 20;
    private const int Block = 512;

    /// <summary>Reads the archive.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>The files by name, all of them.</returns>
    /// <exception cref="BadFileException">It cannot be opened, is damaged, or lacks a file.</exception>
    public static IReadOnlyDictionary<string, CifarFile> Read(string path, CancellationToken cancellationToken) =>
        CifarFile.Opened(path, stream => Read(stream, path, cancellationToken));

    /// <summary>Reads the archive from a stream.</summary>
    /// <param name="stream">Its bytes.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public static IReadOnlyDictionary<string, CifarFile> Read(Stream stream, string name, CancellationToken cancellationToken = default)
    {
        using var content = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true);
        string[] wanted = [.. CifarFiles.Training, CifarFiles.Test];
        var files = new Dictionary<string, CifarFile>(StringComparer.Ordinal);
        var header = new byte[Block];
        long taken = 0;
        try
        {
            while (files.Count < wanted.Length && ReadHeader(content, header, name) is { } entry)
            {
                taken += Block + Padded(entry.Size);
                if (taken > MaximumBytes)
                {
                    throw Bad(name, FormattableString.Invariant($"unpacks to more than {MaximumBytes} bytes, which CIFAR-10 does not"));
                }

                bool take = wanted.Contains(entry.Name);
                if (take && !files.TryAdd(entry.Name, ReadFile(content, entry.Size, $"{name}: {entry.Name}", cancellationToken)))
                {
                    throw Bad(name, $"holds '{entry.Name}' twice");
                }

                Skip(content, Padded(entry.Size) - (take ? entry.Size : 0), name, cancellationToken);
            }
        }
        catch (InvalidDataException e)
        {
            throw new BadFileException($"'{name}' is damaged: its gzip data does not decompress. Fetch the file again.", e);
        }

        string[] missing = [.. wanted.Except(files.Keys)];
        return missing.Length == 0 ? files : throw Bad(name, $"lacks {string.Join(", ", missing)}");
    }

    /// <summary>The next entry: its name without folders, empty where it is no plain file, and its size; null at the end.</summary>
    private static (string Name, long Size)? ReadHeader(Stream content, byte[] header, string name)
    {
        int got = content.ReadAtLeast(header, Block, throwOnEndOfStream: false);
        if (got == 0 || (got == Block && !header.AsSpan().ContainsAnyExcept((byte)0)))
        {
            return null;
        }

        // The sum of all bytes, those of its own field counted as blanks.
        int sum = header.Sum(b => b) - header.AsSpan(148, 8).ToArray().Sum(b => b) + (8 * ' ');
        if (got < Block || Octal(header.AsSpan(148, 8)) != sum || Octal(header.AsSpan(124, 12)) is not { } size)
        {
            throw Bad(name, "is not a tar archive in gzip, or damaged");
        }

        ReadOnlySpan<byte> path = header.AsSpan(0, 100);
        int end = path.IndexOf((byte)0);
        path = end < 0 ? path : path[..end];
        bool plainFile = header[156] is 0 or (byte)'0';
        return (plainFile ? Encoding.ASCII.GetString(path[(path.LastIndexOf((byte)'/') + 1)..]) : "", size);
    }

    private static CifarFile ReadFile(Stream content, long size, string name, CancellationToken cancellationToken)
    {
        // One byte too many is refused by its reader; the rest of a longer one is not worth reading.
        int most = (int)Math.Min(size, CifarFile.MaximumBytes + 1);
        (byte[] bytes, int count) = CifarFile.ReadUpTo(content, most, CifarFile.FirstBuffer, cancellationToken);
        return count == most
            ? CifarFile.FromRecords(bytes, count, name)
            : throw Bad(name, FormattableString.Invariant($"is truncated: {size} bytes are declared but only {count} are there"));
    }

    private static void Skip(Stream content, long count, string name, CancellationToken cancellationToken)
    {
        var block = new byte[Math.Min(count, CifarFile.FirstBuffer)];
        while (count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int got = content.Read(block, 0, (int)Math.Min(count, block.Length));
            count -= got > 0 ? got : throw Bad(name, "is truncated");
        }
    }

    private static long Padded(long size) => (size + Block - 1) / Block * Block;

    /// <summary>Octal digits between blanks or zeros, at most 12 of them; null where it is anything else.</summary>
    private static long? Octal(ReadOnlySpan<byte> field)
    {
        field = field.Trim(" \0"u8);
        long value = 0;
        foreach (byte digit in field)
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                return null;
            }

            value = (value * 8) + (digit - '0');
        }

        return value;
    }

    private static BadFileException Bad(string name, string problem) => new($"'{name}' {problem}: fetch it again. {CifarFiles.Origin}.");
}
