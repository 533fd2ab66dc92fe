using System.Diagnostics;
using System.Text;
using AdmmKit.Cli;

namespace AdmmKit.Tests.Runs;

/// <summary>The tool as a process of its own, as a person or a system starts and ends it.</summary>
public sealed class ToolProcess : IDisposable
{
    // Far beyond what any of these runs takes: only a process that hangs meets it.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder error = new();
    private readonly Thread[] readers;

    /// <summary>Starts the tool.</summary>
    /// <param name="outputTo">A file that the shell writes the tool's output to; null to have it in <see cref="Output"/>.</param>
    /// <param name="arguments">The command and its options.</param>
    public ToolProcess(string? outputTo, params string[] arguments)
    {
        // The tool lies beside the tests, which reference it.
        string host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        string[] command = [host, typeof(CommandLineTool).Assembly.Location, .. arguments];
        ProcessStartInfo start = outputTo is null ? new(host, command[1..])
            : new("/bin/sh", ["-c", $"exec \"$@\" > {outputTo}", "sh", .. command]);
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        process = new Process { StartInfo = start };
        process.Start();
        // Threads of their own: the pool's are busy with other tests, and lines that come late are no lines to act on.
        readers = [Reader(process.StandardOutput, output), Reader(process.StandardError, error)];
    }

    public string Output => Text(output);

    public string Error => Text(error);

    /// <summary>Lines of progress, one an epoch or iteration.</summary>
    public int Points => Output.Split('\n').Count(l => l.Contains("images/s", StringComparison.Ordinal));

    public int ExitCode()
    {
        Assert.True(process.WaitForExit(Patience), "the tool hangs: " + Output + Error);
        Array.ForEach(readers, r => r.Join());
        return process.ExitCode;
    }

    public bool EndsWithin(TimeSpan time) => process.WaitForExit(time);

    /// <summary>SIGKILL: the process gets no say in it.</summary>
    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Signal(string name)
    {
        using Process shell = Process.Start("/bin/sh", ["-c", FormattableString.Invariant($"kill -{name} {process.Id}")]);
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
    }

    public void WaitForPoints(int count)
    {
        var clock = Stopwatch.StartNew();
        while (Points < count && !process.HasExited && clock.Elapsed < Patience)
        {
            Thread.Sleep(5);
        }

        Assert.True(Points >= count, "the tool ended before it trained: " + Output + Error);
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            Kill();
        }

        process.Dispose();
    }

    private static Thread Reader(StreamReader from, StringBuilder text)
    {
        var thread = new Thread(() =>
        {
            while (from.ReadLine() is { } line)
            {
                lock (text)
                {
                    text.Append(line).Append('\n');
                }
            }
        })
        { IsBackground = true };
        thread.Start();
        return thread;
    }

    private static string Text(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
