using System.Collections;
using System.CommandLine;
using System.Runtime.InteropServices;
using AdmmKit.Jupyter.Kernel;
using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Cli;

internal static class KernelCommand
{
    private static readonly string[] Languages = ["csharp", "fsharp"];

    public static Command Create() => new("kernel", "Runs cells of C# and F# in JupyterLab, Jupyter Notebook and VS Code.")
    {
        Install(),
        Uninstall(),
        List(),
        RunKernel(),
    };

    private static Command Install()
    {
        var place = new Place("The kernels are registered");
        var command = new Command(
            "install",
            "Registers the kernels of C# and F# with Jupyter: admmkit-csharp, admmkit-fsharp, and .net-csharp, .net-fsharp where they "
            + "are free.");
        place.AddTo(command);
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            KernelSpecs specs = place.Of(parsed);
            (IReadOnlyList<KernelSpec> written, IReadOnlyList<KernelSpec> others) = specs.Install(
                ThisTool(Environment.ProcessPath!, AppContext.BaseDirectory), RuntimeVariables(), KernelSpecs.SearchedDataFolders());
            Console.WriteLine($"Registered in {specs.Folder}:");
            foreach (KernelSpec kernel in written)
            {
                Console.WriteLine($"  {kernel.Name}: {kernel.DisplayName}");
            }

            foreach (KernelSpec other in others)
            {
                Console.WriteLine(
                    $"Left alone: {other.Name} is another program's ({other.Folder}). Notebooks that name it open with that one; choose "
                    + "an AdmmKit kernel in the menu, or remove that folder and run this again.");
            }

            if (LibraryProblem() is { } problem)
            {
                Console.Error.WriteLine("warning: The kernels cannot start yet. " + problem);
            }

            Console.WriteLine(
                "Next: 'jupyter notebook' or 'jupyter lab', open a notebook, and run its cells; 'admmkit kernel uninstall' removes the "
                + "kernels.");
            return CommandLineTool.Success;
        }, keeps: false));
        return command;
    }

    private static Command Uninstall()
    {
        var place = new Place("The kernels are removed");
        var command = new Command("uninstall", "Removes the kernels that 'kernel install' registered, and no others.");
        place.AddTo(command);
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            KernelSpecs specs = place.Of(parsed);
            IReadOnlyList<KernelSpec> removed = specs.Uninstall();
            Console.WriteLine(removed.Count == 0
                ? $"Nothing to remove: no kernel in {specs.Folder} is AdmmKit's."
                : $"Removed from {specs.Folder}: {string.Join(", ", removed.Select(k => k.Name))}.");
            return CommandLineTool.Success;
        }, keeps: false));
        return command;
    }

    private static Command List()
    {
        var place = new Place("Only the kernels are listed that are registered");
        var command = new Command(
            "list", "Lists the kernels that Jupyter finds, AdmmKit's and others', and whether the programs that they start are there.");
        place.AddTo(command);
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            KernelSpecs[] all = place.IsGiven(parsed)
                ? [place.Of(parsed)]
                : [.. KernelSpecs.SearchedDataFolders().Select(f => new KernelSpecs(f))];
            foreach (KernelSpecs specs in all)
            {
                Console.WriteLine(specs.Folder);
                foreach (KernelSpec kernel in specs.List())
                {
                    string owner = kernel.IsOwn ? "AdmmKit's" : "another program's";
                    Console.WriteLine($"  {kernel.Name}: {kernel.DisplayName ?? "?"}; {owner}; {State(kernel)}");
                }
            }

            return CommandLineTool.Success;
        }, keeps: false));
        return command;
    }

    private static string State(KernelSpec kernel) =>
        kernel.DisplayName is null ? "its kernel.json cannot be read"
        : kernel.MissingFile is not { } missing ? "can start"
        : $"cannot start: {missing} is not there" + (kernel.IsOwn ? "; run 'admmkit kernel install' again" : "");

    private static Command RunKernel()
    {
        var file = new Option<string>("--connection-file")
        {
            Description = "Written by Jupyter: addresses and key.",
            HelpName = "FILE",
            Required = true,
        };
        var language = new Option<string>("--language")
        {
            Description = "The language of cells without a directive: " + string.Join(", ", Languages) + ".",
            DefaultValueFactory = _ => Languages[0],
            HelpName = "NAME",
        };
        language.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !Languages.Contains(token.Value))
            {
                result.AddError(Names.Unknown("language", token.Value, Languages));
            }
        });
        var command = new Command("run", "Is the kernel; Jupyter gives this command.") { file, language };
        command.SetAction(parsed => CommandLineTool.Reported(() => Run(
            ConnectionFile.Load(parsed.GetValue(file)!),
            parsed.GetValue(language) == "fsharp" ? CellLanguage.FSharp : CellLanguage.CSharp)));
        return command;
    }

    private static int Run(ConnectionFile connection, CellLanguage language)
    {
        // The process's own, before a session puts cells' in its place.
        TextWriter log = Console.Error;
        Console.SetIn(TextReader.Null);
        using var kernel = new JupyterKernel(connection, language, () => new CellSession(), log);
        using ParentWatch? watch = ParentWatch.Start(() => Environment.Exit(CommandLineTool.Failure));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            kernel.Interrupt();
        });
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            kernel.Stop();
        });
        int code = kernel.Run() == KernelEnd.Lost ? CommandLineTool.Failure : CommandLineTool.Success;
        // Threads that cells have left behind, or that cannot be stopped, do not keep the process.
        Environment.Exit(code);
        return code;
    }

    /// <summary>The command that is this tool: its own program, or dotnet with its assembly.</summary>
    internal static IReadOnlyList<string> ThisTool(string process, string folder) =>
        Path.GetFileNameWithoutExtension(process).Equals("dotnet", StringComparison.OrdinalIgnoreCase)
            ? [process, Path.Combine(folder, "AdmmKit.Cli.dll")]
            : [process];

    // A program of its own looks for the runtime in the usual places, and where such variables say; 'dotnet run' sets one. Jupyter may be
    // started without them.
    private static Dictionary<string, string> RuntimeVariables() => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .Select(v => (Name: (string)v.Key, Value: (string?)v.Value ?? ""))
        .Where(v => v.Value.Length > 0
            && (v.Name.StartsWith("DOTNET_ROOT", StringComparison.Ordinal) || v.Name == JupyterKernel.LibraryVariable))
        .ToDictionary(v => v.Name, v => v.Value);

    private static string? LibraryProblem()
    {
        try
        {
            JupyterKernel.RequireLibrary();
            return null;
        }
        catch (AdmmKitException e)
        {
            return e.Message;
        }
    }

    /// <summary>Where kernels are registered, as options say.</summary>
    private sealed class Place(string what)
    {
        private readonly Option<bool> user = new("--user") { Description = what + " for this user; the default." };

        private readonly Option<string?> prefix = new("--prefix")
        {
            Description = what + " in DIR/share/jupyter, DIR being an installation or virtual environment of Python.",
            HelpName = "DIR",
        };

        public void AddTo(Command command)
        {
            command.Options.Add(user);
            command.Options.Add(prefix);
            command.Validators.Add(result =>
            {
                if (result.GetResult(user) is { Implicit: false } && result.GetResult(prefix) is { Implicit: false })
                {
                    result.AddError("Give --user or --prefix, not both.");
                }
            });
        }

        public bool IsGiven(ParseResult parsed) => parsed.GetValue(user) || parsed.GetValue(prefix) is not null;

        public KernelSpecs Of(ParseResult parsed) =>
            new(parsed.GetValue(prefix) is { } folder ? KernelSpecs.DataFolderOf(folder) : KernelSpecs.UserDataFolder());
    }
}
