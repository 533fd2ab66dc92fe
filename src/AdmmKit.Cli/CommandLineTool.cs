using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;

namespace AdmmKit.Cli;

/// <summary>The <c>admmkit</c> tool: exit code 0 for success, 1 for failure, 2 for wrong usage, 130 after Ctrl-C.</summary>
internal static class CommandLineTool
{
    public const int Success = 0;
    public const int Failure = 1;
    public const int WrongUsage = 2;
    public const int Interrupted = 130;

    public static int Run(string[] args)
    {
        // No RootCommand: that one calls itself by the name of the assembly.
        var root = new Command("admmkit", "AdmmKit: prunes and quantizes neural networks by ADMM, and reproduces ADMM-NN (ASPLOS 2019).")
        {
            new HelpOption(),
            new VersionOption(),
            ReproduceCommand.Create(),
            SearchCommand.Create(),
            CompressCommand.Create(),
            ScanCommand.Create(),
            TrainCommand.Create(),
            EvaluateCommand.Create(),
            InspectCommand.Create(),
            SimulateCommand.Create(),
            ExportCommand.Create(),
            TimeCommand.Create(),
            PlatformCommand.Create(),
            NotebookCommand.Create(),
            KernelCommand.Create(),
            VerifyCommand.Create(),
            ReportCommand.Create(),
        };
        if (args.Contains(""))
        {
            // No file, folder or number is named by nothing.
            Complain("error: An argument is empty: fill it in or leave it out. Perhaps a variable of the shell has no value.");
            return WrongUsage;
        }

        ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        if (parsed.Errors.Count > 0)
        {
            foreach (ParseError error in parsed.Errors)
            {
                Console.Error.WriteLine("error: " + error.Message);
            }

            SuggestNames(parsed);
            Console.Error.WriteLine($"Try 'admmkit {Words(parsed.CommandResult)}--help'.");
            return WrongUsage;
        }

        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
    }

    /// <summary>Runs a command's work; turns errors into a message and an exit code, and Ctrl-C into a clean end.</summary>
    /// <param name="work">The work.</param>
    /// <param name="keeps">Whether the same command goes on where it was stopped.</param>
    public static int Guarded(Func<CancellationToken, int> work, bool keeps = true)
    {
        using var source = new CancellationTokenSource();
        void Cancel(PosixSignalContext context)
        {
            // A second Ctrl-C, where the first one takes too long, is left to the system.
            context.Cancel = !source.IsCancellationRequested;
            source.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        return Reported(() =>
        {
            try
            {
                return work(source.Token);
            }
            catch (OperationCanceledException)
            {
                Complain(keeps ? "Stopped. What was trained is saved; the same command (without --force) goes on from there." : "Stopped. Nothing is kept.");
                return Interrupted;
            }
        });
    }

    /// <summary>Runs a command's work that sees to signals itself; turns errors into a message and an exit code.</summary>
    /// <param name="work">The work.</param>
    public static int Reported(Func<int> work)
    {
        try
        {
            return work();
        }
        catch (AdmmKitException e)
        {
            Complain("error: " + e.Message);
            return Failure;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Files have errors of their own; this is the console, or the file that it was redirected to.
            Complain($"error: Could not read or write: {e.Message.TrimEnd('.')}. Check the disk that the output goes to, then give the same command again.");
            return Failure;
        }
    }

    private static void Complain(string line)
    {
        try
        {
            Console.Error.WriteLine(line);
        }
        catch (IOException)
        {
            // Nothing is left to say it with but the exit code.
        }
    }

    /// <summary>The words that lead to a command, such as "platform show ".</summary>
    private static string Words(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{Words(parent)}{result.Command.Name} " : "";

    private static void SuggestNames(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string[] valid = command.Subcommands.Count > 0
            ? [.. command.Subcommands.Select(c => c.Name)]
            : [.. command.Options.Select(o => o.Name)];
        foreach (string token in parsed.UnmatchedTokens)
        {
            if (Names.Nearest(token, valid) is { } near)
            {
                Console.Error.WriteLine($"Did you mean '{near}' instead of '{token}'?");
            }
        }
    }
}
