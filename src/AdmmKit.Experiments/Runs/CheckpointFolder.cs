using System.Diagnostics;
using System.Globalization;
using AdmmKit.Pipeline;

namespace AdmmKit.Experiments.Runs;

/// <summary>
/// The saved states of one run: the last one of each finished phase and the last two of the phase at work. Files are told
/// apart by phase and step, never by their times, so a clock that goes back does no harm.
/// </summary>
/// <param name="folder">Where they are; made when the first is saved.</param>
/// <param name="run">What names the run: a state of another run is refused.</param>
/// <param name="warn">Told what went wrong but need not stop the run.</param>
internal sealed class CheckpointFolder(string folder, string run, Action<string> warn) : ICheckpoints
{
    private const string Extension = ".checkpoint";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(60);

    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly List<string> phases = [];
    private TimeSpan before;
    private TimeSpan saved;

    /// <summary>Time spent on the run, in this process and in those that it goes on from.</summary>
    public TimeSpan Elapsed => before + clock.Elapsed;

    /// <summary>The work begins now; what was done before it, on other runs, does not count.</summary>
    public void Start() => clock.Restart();

    public bool IsDue => clock.Elapsed - saved > Interval;

    public void Resume(string phase, Action<Stream> read)
    {
        phases.Add(phase);
        foreach ((string file, _) in Find(phase))
        {
            MemoryStream state;
            try
            {
                (state, before) = CheckpointFile.Read(file, run);
            }
            catch (BadFileException e)
            {
                // Damaged, by a disk or by hand: the state before it leads to the same end.
                warn($"warning: {e.Message} Going on from the state before it.");
                continue;
            }

            Load(file, state, read);
            clock.Restart();
            saved = TimeSpan.Zero;
            return;
        }
    }

    public void Save(string phase, int step, Action<Stream> write)
    {
        try
        {
            MakingRoom(() => CheckpointFile.Write(Path.Combine(folder, Name(phase, step)), run, Elapsed, write));
            Clean(phase, step);
        }
        catch (Exception e) when (e is AdmmKitException or IOException or UnauthorizedAccessException)
        {
            // A full disk must not end hours of training; the next state, or the results, may find room again.
            warn($"warning: no checkpoint could be saved: {e.Message.TrimEnd('.')}. Training goes on; if it is cut off now, it resumes from the state before.");
        }

        saved = clock.Elapsed;
    }

    /// <summary>
    /// Writes something; on a full disk once more after removing what is kept only in case that the latest state is damaged.
    /// A state further on, or the results, are worth more than that.
    /// </summary>
    /// <exception cref="AdmmKitException">There is no room for it even so.</exception>
    public void MakingRoom(Action write)
    {
        try
        {
            write();
        }
        catch (AdmmKitException) when (phases.Count > 0 && Files(phases[^1]).Length > 1)
        {
            foreach ((string file, _) in Files(phases[^1]).OrderByDescending(f => f.Step).Skip(1))
            {
                File.Delete(file);
            }

            write();
        }
    }

    /// <summary>Removes all states: the run is done, its results are kept elsewhere.</summary>
    public void Delete()
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // 002-000000120.checkpoint: the phase's number in the run, and the step.
    private string Name(string phase, int step) => string.Create(
        CultureInfo.InvariantCulture, $"{phases.IndexOf(phase):d3}-{step:d9}{Extension}");

    private (string File, int Step)[] Files(string phase)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        string prefix = Name(phase, 0)[..4];
        return [.. Directory.EnumerateFiles(folder, prefix + "*" + Extension)
            .Select(f => (f, int.TryParse(Path.GetFileNameWithoutExtension(f)[4..], NumberStyles.None, CultureInfo.InvariantCulture, out int step) ? step : -1))
            .Where(f => f.Item2 >= 0)];
    }

    private IReadOnlyList<(string File, int Step)> Find(string phase)
    {
        try
        {
            return [.. Files(phase).OrderByDescending(f => f.Step)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not look for checkpoints in '{folder}': {e.Message.TrimEnd('.')}. Check that you may read it.", e);
        }
    }

    private void Clean(string phase, int step)
    {
        foreach (string each in phases)
        {
            // A state of this phase beyond the one just saved could not be resumed from, or training would have begun there.
            // Were it counted, it would push out the one just saved.
            var files = Files(each).OrderByDescending(f => f.Step).ToLookup(f => each == phase && f.Step > step, f => f.File);
            foreach (string file in files[true].Concat(files[false].Skip(each == phases[^1] ? 2 : 1)))
            {
                File.Delete(file);
            }
        }
    }

    private void Load(string file, MemoryStream state, Action<Stream> read)
    {
        try
        {
            read(state);
            if (state.Position != state.Length)
            {
                throw new BadFileException("There is something behind the state.");
            }
        }
        catch (BadFileException e)
        {
            // A sound file whose state does not fit was not damaged: to go back to an older one would hide a fault of the program.
            throw new AdmmKitException($"'{file}' cannot be resumed from: {e.Message} Delete the folder '{folder}' to begin the run again.", e);
        }
    }
}
