using System.Diagnostics;
using System.Globalization;
using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Jupyter.Running;

/// <summary>Runs a notebook in a process of its own, and says what became of it, also where a cell took the process with it.</summary>
/// <param name="command">The program and its first arguments; the job follows.</param>
public sealed class NotebookProcess(IReadOnlyList<string> command)
{
    // A cell that cannot be stopped is given up in the process itself after its time and three seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock gate = new();
    private NotebookEvent? current;
    private NotebookEvent? end;
    private List<string> errors = [];
    private long lastHeard;

    /// <summary>Runs it.</summary>
    /// <param name="job">The notebook.</param>
    /// <param name="tell">Receives what the process says, while it does.</param>
    /// <param name="cancellation">Ends the process.</param>
    /// <returns>
    /// Its end: the code is 0 where all cells ran and, in a check, put out what they did before; the text says how many were compared.
    /// </returns>
    public NotebookEvent Run(NotebookJob job, Action<NotebookEvent> tell, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(tell);
        (current, end, errors, lastHeard) = (null, null, [], Stopwatch.GetTimestamp());
        var start = new ProcessStartInfo(command[0], [.. command.Skip(1), job.ToArgument()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        using Process process = Process.Start(start) ?? throw new AdmmKitException($"Could not start '{command[0]}'.");
        try
        {
            process.OutputDataReceived += (_, e) => Hear(e.Data, tell);
            process.ErrorDataReceived += (_, e) => Complain(e.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            bool isSilent = !Wait(process, job, cancellation);
            return end ?? Died(process, job, isSilent, tell);
        }
        finally
        {
            Kill(process);
        }
    }

    // True where the process ended, or said that it did all; false where it had to be given up.
    private bool Wait(Process process, NotebookJob job, CancellationToken cancellation)
    {
        while (!process.WaitForExit(50))
        {
            cancellation.ThrowIfCancellationRequested();
            if (end is not null)
            {
                // What is left is the runtime's own way out, with a cell that cannot be stopped behind it.
                return process.WaitForExit(TimeSpan.FromSeconds(5)) || end is not null;
            }

            if (job.Timeout > 0 && Stopwatch.GetElapsedTime(Interlocked.Read(ref lastHeard)) > TimeSpan.FromSeconds(job.Timeout) + Patience)
            {
                return false;
            }
        }

        // Without a limit, to the end of what it wrote; a child of a cell's that holds the pipe open may not hold us.
        process.WaitForExit(TimeSpan.FromSeconds(2));
        WaitForOutput(process);
        return true;
    }

    private static void WaitForOutput(Process process)
    {
        var wait = Task.Run(process.WaitForExit);
        wait.Wait(TimeSpan.FromSeconds(2));
    }

    private NotebookEvent Died(Process process, NotebookJob job, bool isSilent, Action<NotebookEvent> tell)
    {
        string where = current is { } cell
            ? string.Create(CultureInfo.InvariantCulture, $"while cell [{cell.Number}] of {cell.Of} was running ({cell.Text})")
            : "before the first cell";
        string how = isSilent
            ? string.Create(CultureInfo.InvariantCulture, $"did not answer for {job.Timeout + Patience.TotalSeconds:0.###} s and was ended")
            : string.Create(CultureInfo.InvariantCulture, $"ended with exit code {process.ExitCode}");
        string said;
        lock (gate)
        {
            said = string.Concat(errors.Select(l => "\n  " + CellErrors.Clean(l)));
        }

        tell(new NotebookEvent(NotebookEvent.Failure)
        {
            Text = $"the process of the notebook {how} {where}. Does a cell call Environment.Exit, or overflow the stack? Nothing was written.{said}",
        });
        return new NotebookEvent(NotebookEvent.End) { Code = 1 };
    }

    private void Hear(string? line, Action<NotebookEvent> tell)
    {
        if (line is null || NotebookEvent.Read(line) is not { } heard)
        {
            return;
        }

        Interlocked.Exchange(ref lastHeard, Stopwatch.GetTimestamp());
        switch (heard.Kind)
        {
            case NotebookEvent.End:
                end = heard;
                break;
            case NotebookEvent.Cell:
                current = heard;
                tell(heard);
                break;
            default:
                tell(heard);
                break;
        }
    }

    // The first lines say what happened; a stack that overflowed has thousands.
    private void Complain(string? line)
    {
        const int kept = 12;
        lock (gate)
        {
            bool isInner = line is not null && (line.StartsWith("   at System.", StringComparison.Ordinal) || line.StartsWith("   at Microsoft.", StringComparison.Ordinal));
            if (line is not null && !isInner && errors.Count < kept)
            {
                errors.Add(line);
            }
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit(5000);
            }
        }
        catch (InvalidOperationException)
        {
            // It has ended meanwhile.
        }
    }
}
