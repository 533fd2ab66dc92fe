using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using AdmmKit.Jupyter.Running;

namespace AdmmKit.Cli;

internal static class NotebookCommand
{
    // Runs one notebook in the process that is started for it; for this tool alone.
    private const string Child = "run-one";

    public static Command Create() => new("notebook", "Runs notebooks (.ipynb) with cells in C# and F#.") { CreateRun(), CreateChild() };

    private static Command CreateRun()
    {
        var files = new Argument<string[]>("file") { Description = "Notebooks.", Arity = ArgumentArity.OneOrMore };
        var output = new Option<string?>("--output")
        {
            Description = "Folder for the executed notebooks; without it they take the place of the given ones.",
            HelpName = "DIR",
        };
        var check = new Option<bool>("--check")
        {
            Description = "Writes nothing; compares with the outputs that are in the files. Cells tagged 'volatile' are not compared.",
        };
        var timeout = new Option<double>("--timeout")
        {
            Description = "Seconds that a cell may take; 0 for no limit.",
            DefaultValueFactory = _ => 600,
            HelpName = "S",
        };
        var set = new Option<string[]>("--set")
        {
            Description = "name=value: another value for a variable of the cell tagged 'parameters'; may be given several times.",
            DefaultValueFactory = _ => [],
            HelpName = "name=value",
        };
        var command = new Command("run", "Runs notebooks, each in a process of its own, and writes them with their outputs.")
        {
            files, output, check, timeout, set,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(check) && (result.GetValue(output) is not null || result.GetValue(set) is { Length: > 0 }))
            {
                result.AddError("--check compares with what is in the files and writes nothing: leave out --output and --set.");
            }
        });
        files.Validators.Add(result =>
        {
            // What is no option would otherwise be taken for a file.
            string[] options = [output.Name, check.Name, timeout.Name, set.Name];
            foreach (string word in result.Tokens.Select(t => t.Value).Where(t => t.StartsWith("--", StringComparison.Ordinal)))
            {
                result.AddError(Names.Unknown("option", word, options));
            }
        });
        timeout.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && double.TryParse(token.Value, CultureInfo.InvariantCulture, out double seconds) && seconds is not (>= 0 and <= 1e6))
            {
                result.AddError("--timeout must be 0 (no limit) to 1000000 seconds.");
            }
        });
        set.Validators.Add(result =>
        {
            foreach (string word in result.Tokens.Select(t => t.Value).Where(t => t.IndexOf('=', StringComparison.Ordinal) < 1))
            {
                result.AddError($"--set takes name=value, not '{word}'.");
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(
            cancellation =>
            {
                KeyValuePair<string, string>[] values = [.. parsed.GetValue(set)!.Select(Pair)];
                string[] paths = parsed.GetValue(files)!;
                string? folder = parsed.GetValue(output);
                RefuseSameNames(paths, folder);
                return RunAll(
                    paths.Select(f => new NotebookJob(
                        f, parsed.GetValue(check) ? null : folder is null ? f : Path.Combine(folder, Path.GetFileName(f)), parsed.GetValue(timeout), values)),
                    cancellation);
            },
            keeps: false));
        return command;
    }

    private static Command CreateChild()
    {
        var job = new Argument<string>("job");
        var command = new Command(Child) { job };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            int code = NotebookJob.FromArgument(parsed.GetValue(job)!).Run();
            // A cell that could not be stopped ends here; returning would wait for it only if it were no background thread.
            Environment.Exit(code);
            return code;
        });
        return command;
    }

    private static KeyValuePair<string, string> Pair(string word)
    {
        int at = word.IndexOf('=', StringComparison.Ordinal);
        return new(word[..at].Trim(), word[(at + 1)..]);
    }

    private static void RefuseSameNames(string[] paths, string? folder)
    {
        if (folder is not null && paths.GroupBy(Path.GetFileName).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new AdmmKitException($"Two notebooks are named '{twice.Key}'; in one folder the second would replace the first. Run them with two folders.");
        }
    }

    private static int RunAll(IEnumerable<NotebookJob> jobs, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        var process = new NotebookProcess([.. KernelCommand.ThisTool(Environment.ProcessPath ?? "dotnet", AppContext.BaseDirectory), "notebook", Child]);
        (int count, int failed) = (0, 0);
        foreach (NotebookJob job in jobs)
        {
            count++;
            failed += RunOne(process, job, cancellation) == CommandLineTool.Success ? 0 : 1;
        }

        if (count > 1)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{count} notebooks, {failed} failed, {Stopwatch.GetElapsedTime(start).TotalSeconds:f1} s"));
        }

        return failed == 0 ? CommandLineTool.Success : CommandLineTool.Failure;
    }

    private static int RunOne(NotebookProcess process, NotebookJob job, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        var said = new List<NotebookEvent>();
        using var line = new StatusLine();
        NotebookEvent ended = process.Run(
            job,
            e =>
            {
                if (e.Kind == NotebookEvent.Cell)
                {
                    line.Show(string.Create(CultureInfo.InvariantCulture, $"{job.File}  cell [{e.Number}] of {e.Of}  {e.Text}"));
                }
                else
                {
                    said.Add(e);
                }
            },
            cancellation);
        line.Dispose();
        string end = ended.Code != CommandLineTool.Success ? "FAILED" : job.Output is null ? ended.Text : job.Output == job.File ? "done" : $"written to {job.Output}";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{job.File}: {end}, {Stopwatch.GetElapsedTime(start).TotalSeconds:f1} s"));
        foreach (NotebookEvent e in said)
        {
            TextWriter writer = e.Kind == NotebookEvent.Failure ? Console.Error : Console.Out;
            writer.WriteLine($"  {job.File}: {e.Text.Replace("\n", "\n  ", StringComparison.Ordinal)}");
        }

        return ended.Code;
    }

    /// <summary>One line of a terminal that says what is at work; nothing where the output goes to a file.</summary>
    private sealed class StatusLine : IDisposable
    {
        private bool isShown;

        public void Show(string text)
        {
            if (!Console.IsOutputRedirected)
            {
                int width = Math.Max(20, Console.WindowWidth - 1);
                Console.Write("\r" + (text.Length > width ? text[..width] : text.PadRight(width)));
                isShown = true;
            }
        }

        public void Dispose()
        {
            if (isShown)
            {
                Console.Write("\r" + new string(' ', Math.Max(20, Console.WindowWidth - 1)) + "\r");
                isShown = false;
            }
        }
    }
}
