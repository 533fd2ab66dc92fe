namespace AdmmKit.Storage;

/// <summary>Writes files so that a reader sees the old content or the new one, never a part, whatever happens between.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes a file under a temporary name in the same folder and renames it when it is complete and on the disk.
    /// If anything fails the temporary is removed and an older file stays as it was. Missing folders are created.
    /// </summary>
    /// <param name="path">The file. A symbolic link is followed; a device such as /dev/stdout is written directly.</param>
    /// <param name="write">Writes the content; what it throws comes through.</param>
    /// <exception cref="AdmmKitException">The disk is full, or the folder cannot be written.</exception>
    public static void Write(string path, Action<Stream> write) =>
        Write(path, write, name => new FileStream(name, FileMode.CreateNew, FileAccess.Write, FileShare.None));

    // The tests put a stream that fails in place of the file.
    internal static void Write(string path, Action<Stream> write, Func<string, Stream> open)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        try
        {
            string target = Path.GetFullPath(path);
            if (IsDevice(target))
            {
                using var device = new FileStream(target, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                write(device);
                return;
            }

            bool isLink = new FileInfo(target).LinkTarget is not null;
            Replace(isLink ? File.ResolveLinkTarget(target, returnFinalTarget: true)!.FullName : target, write, open);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException(
                $"Could not write '{path}': {e.Message.TrimEnd('.')}. {Advice(e)} A file of that name, if there was one, is unchanged.", e);
        }
    }

    private static void Replace(string target, Action<Stream> write, Func<string, Stream> open)
    {
        string folder = Path.GetDirectoryName(target) ?? throw new IOException("it is a folder, not a file.");
        if (Directory.Exists(target))
        {
            throw new IOException("there is a folder of that name.");
        }

        Directory.CreateDirectory(folder);
        // Random, not only the process number: two containers may share a folder and number their processes alike.
        string temporary = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        try
        {
            using (Stream stream = open(temporary))
            {
                write(stream);
                stream.Flush();
                (stream as FileStream)?.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
        }
        catch
        {
            Remove(temporary);
            throw;
        }
    }

    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first failure says more than this one; it is on its way to the caller.
        }
    }

    // Renaming over /dev/null would, for root, replace the device by a file.
    private static bool IsDevice(string target) => OperatingSystem.IsLinux()
        && target.StartsWith("/dev/", StringComparison.Ordinal)
        && !target.StartsWith("/dev/shm/", StringComparison.Ordinal);

    private static string Advice(Exception e)
    {
        const int noSpaceUnix = 28, diskFullWindows = unchecked((int)0x80070070);
        return e.HResult is noSpaceUnix or diskFullWindows
            ? "Free some space on that disk or choose another folder, then run again."
            : "Check that the folder exists on a disk that is not full and that you may write there, or choose another one.";
    }
}
