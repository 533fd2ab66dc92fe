namespace AdmmKit.Cli;

/// <summary>Finds out before a long run, not after it, whether its results can be written.</summary>
internal static class OutputFolder
{
    public static void CheckWritable(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            string probe = Path.Combine(folder, FormattableString.Invariant($".admmkit-{Environment.ProcessId}.tmp"));
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException(
                $"Cannot write to the folder '{folder}': {e.Message.TrimEnd('.')}. Free space, change its rights or choose another with --out.", e);
        }
    }
}
