namespace AdmmKit.Interop;

/// <summary>What the readers of other programs' files share.</summary>
internal static class ForeignFile
{
    /// <summary>The longest file that is read: 2 GB, for it is held in one array.</summary>
    public const int MaxBytes = 2_000_000_000;

    private const int ShownLength = 60;

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="BadFileException">It is too long.</exception>
    /// <exception cref="AdmmKitException">It cannot be read at all.</exception>
    public static ReadOnlyMemory<byte> Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using FileStream stream = File.OpenRead(path);
            return Read(stream, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not read '{path}': {e.Message} Check the name and that you may read it.", e);
        }
    }

    /// <summary>Reads a stream to its end.</summary>
    /// <exception cref="BadFileException">It is too long.</exception>
    public static ReadOnlyMemory<byte> Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        // A file's length is known and its own; of any other stream memory grows as bytes arrive.
        long length = stream.CanSeek ? stream.Length - stream.Position : 0;
        CheckLength(length, name);
        using var memory = new MemoryStream((int)length);
        var block = new byte[81920];
        for (int count; (count = stream.Read(block)) > 0;)
        {
            CheckLength(memory.Length + count, name);
            memory.Write(block, 0, count);
        }

        return memory.GetBuffer().AsMemory(0, (int)memory.Length);
    }

    public static void CheckLength(long bytes, string name)
    {
        if (bytes > MaxBytes)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"'{name}' is longer than the {MaxBytes} bytes that are read: divide its layers among several files."));
        }
    }

    /// <summary>The product of dimensions, or -1 where it is more than there can be values in one array.</summary>
    public static long Product(IReadOnlyList<int> dimensions)
    {
        long product = 1;
        foreach (int dimension in dimensions)
        {
            // Both factors are below 2^31: a long cannot overflow before the check.
            product *= dimension;
            if (product > Array.MaxLength)
            {
                return -1;
            }
        }

        return product;
    }

    /// <summary>A name of the file for a message: short, and without characters that a terminal obeys.</summary>
    public static string Shown(string name) => name.Length > ShownLength ? $"'{Short(name)}...'" : $"'{Short(name)}'";

    /// <summary>
    /// The beginning of a name, without such characters: the nearest one is sought by edit distance, which takes time and memory by
    /// its length.
    /// </summary>
    public static string Short(string name) => string.Concat(name.Take(ShownLength).Select(c => char.IsControl(c) ? '?' : c));
}
