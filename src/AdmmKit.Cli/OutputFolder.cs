using AdmmKit.Experiments.Results;

namespace AdmmKit.Cli;

/// <summary>Finds out before a long run, not after it, whether its results can be written.</summary>
internal static class OutputFolder
{
    /// <summary>Checks the folder of a file, and that the file is none; returns the folder.</summary>
    public static string CheckFile(string file)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is not { } folder || Directory.Exists(file))
        {
            throw new AdmmKitException($"--out '{file}' is no file that could be written: name one, such as model.admm.");
        }

        CheckWritable(folder);
        return folder;
    }

    /// <summary>Checks a folder, which is made if need be, and removes what processes killed while they wrote there left behind.</summary>
    public static void CheckWritable(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            string probe = Path.Combine(folder, FormattableString.Invariant($".admmkit-{Environment.ProcessId}.tmp"));
            File.WriteAllText(probe, "");
            File.Delete(probe);
            RemoveStale(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException(
                $"Cannot write to the folder '{folder}': {e.Message.TrimEnd('.')}. Free space, change its rights or choose another with --out.", e);
        }
    }

    private static void RemoveStale(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder, ".*.tmp"))
        {
            // Others may be writing here at this moment, but no file of ours takes an hour. A wrong clock only makes it stay longer.
            string name = Path.GetFileName(file);
            bool ours = name.StartsWith(".admmkit-", StringComparison.Ordinal) || Guid.TryParseExact(name[1..^4], "N", out _);
            if (ours && DateTime.UtcNow - File.GetLastWriteTimeUtc(file) > TimeSpan.FromHours(1))
            {
                File.Delete(file);
            }
        }
    }

    /// <summary>Refuses a folder that holds the results of another command, whose rows and manifest would be lost.</summary>
    public static void CheckNotOfOthers(string folder, string command)
    {
        string path = Path.Combine(folder, "manifest.json");
        if (File.Exists(path) && Manifest.Load(path).CommandLine is var other && !other.StartsWith(command, StringComparison.Ordinal))
        {
            throw new AdmmKitException($"'{folder}' holds the results of '{other}', which would be lost: choose another folder with --out.");
        }
    }
}
