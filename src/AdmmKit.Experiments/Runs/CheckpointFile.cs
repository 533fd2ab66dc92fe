using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Runs;

/// <summary>
/// One saved state of training: magic, layout, the run it belongs to, seconds spent so far, the state, and the SHA-256 of
/// all that. The checksum is read first, so that damage of any kind is told apart from a state that does not fit.
/// </summary>
internal static class CheckpointFile
{
    private const int HashBytes = SHA256.HashSizeInBytes;
    private const int HeaderBytes = 4 + 4 + HashBytes + 8;
    private const uint Layout = 1;

    // The largest network of the kit needs a few tens of megabytes; a longer file is not one of ours.
    private const long MaximumBytes = 1L << 30;

    private static ReadOnlySpan<byte> Magic => "ADCK"u8;

    public static void Write(string path, string run, TimeSpan elapsed, Action<Stream> write)
    {
        var content = new MemoryStream();
        content.Write(Magic);
        Span<byte> number = stackalloc byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(number, Layout);
        content.Write(number[..4]);
        content.Write(SHA256.HashData(Encoding.UTF8.GetBytes(run)));
        BinaryPrimitives.WriteDoubleLittleEndian(number, elapsed.TotalSeconds);
        content.Write(number);
        write(content);
        ReadOnlyMemory<byte> bytes = content.GetBuffer().AsMemory(0, (int)content.Length);
        byte[] hash = SHA256.HashData(bytes.Span);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(bytes.Span);
            stream.Write(hash);
        });
    }

    /// <summary>Checks a file; gives its state and the time that was spent until it was saved.</summary>
    /// <exception cref="BadFileException">The file is damaged, or belongs to another run.</exception>
    public static (MemoryStream State, TimeSpan Elapsed) Read(string path, string run)
    {
        try
        {
            long length = new FileInfo(path).Length;
            return length <= MaximumBytes
                ? Read(File.ReadAllBytes(path), path, run)
                : throw Bad(path, string.Create(CultureInfo.InvariantCulture, $"it is {length} bytes long"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not read the checkpoint '{path}': {e.Message.TrimEnd('.')}. Check that you may read it.", e);
        }
    }

    internal static (MemoryStream State, TimeSpan Elapsed) Read(byte[] bytes, string path, string run)
    {
        int end = bytes.Length - HashBytes;
        if (end < HeaderBytes || !bytes.AsSpan().StartsWith(Magic))
        {
            throw Bad(path, "it is no checkpoint");
        }

        if (!SHA256.HashData(bytes.AsSpan(0, end)).AsSpan().SequenceEqual(bytes.AsSpan(end)))
        {
            throw Bad(path, "its checksum is wrong");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4)) != Layout)
        {
            throw Bad(path, "it was written by another version");
        }

        if (!SHA256.HashData(Encoding.UTF8.GetBytes(run)).AsSpan().SequenceEqual(bytes.AsSpan(8, HashBytes)))
        {
            throw Bad(path, "it belongs to another run");
        }

        double seconds = BinaryPrimitives.ReadDoubleLittleEndian(bytes.AsSpan(8 + HashBytes));
        return seconds >= 0 && seconds < TimeSpan.MaxValue.TotalSeconds / 2
            ? (new MemoryStream(bytes, HeaderBytes, end - HeaderBytes, writable: false), TimeSpan.FromSeconds(seconds))
            : throw Bad(path, "its time is out of range");
    }

    private static BadFileException Bad(string path, string what) => new($"'{path}' cannot be resumed from: {what}. Delete it to resume from an earlier state.");
}
