using System.Diagnostics;
using System.Globalization;
using System.Text;
using AdmmKit.Jupyter.Cells;
using AdmmKit.Jupyter.Files;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>
/// C# and F# cells in this process, one after another. The console of the process is the cells' while one runs, so a process
/// has one session at work at a time.
/// </summary>
public sealed class CellSession : ICellSession
{
    private const int MaxImportDepth = 20;

    // More than anyone reads; a list of all types takes a viewer seconds.
    private const int MaxCompletions = 1_000;

    private readonly Dictionary<string, CellSource> sources = new(StringComparer.Ordinal);
    private readonly Dictionary<CellLanguage, ICellEngine> engines;
    private readonly string? folder;
    private int number;
    private bool lost;

    /// <summary>Starts a session.</summary>
    /// <param name="folder">What paths in directives are relative to; null for the working directory of the process.</param>
    public CellSession(string? folder = null)
    {
        this.folder = folder;
        engines = new() { [CellLanguage.CSharp] = new CSharpCells(sources), [CellLanguage.FSharp] = new FSharpCells(sources) };
    }

    private CSharpCells CSharp => (CSharpCells)engines[CellLanguage.CSharp];

    private FSharpCells FSharp => (FSharpCells)engines[CellLanguage.FSharp];

    private string Folder => folder ?? Environment.CurrentDirectory;

    /// <inheritdoc/>
    public CellEnd Execute(string source, CellLanguage language, ICellOutput output, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(output);
        var guarded = new GuardedOutput(output);
        if (lost)
        {
            guarded.Error(Plain(CellErrors.Interrupted, "An earlier cell could not be stopped and still runs: restart the kernel."));
            return CellEnd.Lost;
        }

        var cell = new CellSource(string.Create(CultureInfo.InvariantCulture, $"cell [{++number}]"), source.ReplaceLineEndings("\n"));
        CellEnd end = CellEnd.Failed;
        CellConsole.Run(guarded, () => end = Run(cell, language, guarded, stop));
        guarded.Close();
        lost = end == CellEnd.Lost;
        return end;
    }

    /// <summary>Starts what a language needs, which takes seconds that are no cell's own.</summary>
    /// <param name="language">The language.</param>
    public void Prepare(CellLanguage language)
    {
        if (language == CellLanguage.FSharp)
        {
            _ = FSharp.Session;
        }
        else
        {
            CSharp.Prepare();
        }
    }

    /// <inheritdoc/>
    public Completion Complete(string source, int position, CellLanguage language)
    {
        ArgumentNullException.ThrowIfNull(source);
        position = Math.Clamp(position, 0, source.Length);
        var at = CodeAt.Find(source, position, language);
        int start = CodeAt.StartOfName(source, position);
        if (at.IsDirective)
        {
            int line = position == 0 ? 0 : source.LastIndexOf('\n', position - 1) + 1;
            return new Completion(
                [.. Directive.Known.Where(d => d.StartsWith(source[line..position], StringComparison.Ordinal)).Order(StringComparer.Ordinal)], line, position);
        }

        string prefix = source[start..position];
        IEnumerable<string> names = at.Language == CellLanguage.CSharp
            ? CSharpAssist.Names(CSharp.Compilation(at.Code), start, prefix)
            : FSharpAssist.Names(FSharp.Session, at.Code, start, prefix);
        return new Completion([.. names.Take(MaxCompletions)], start, position);
    }

    /// <inheritdoc/>
    public MimeBundle? Inspect(string source, int position, CellLanguage language)
    {
        ArgumentNullException.ThrowIfNull(source);
        position = Math.Clamp(position, 0, source.Length);
        var at = CodeAt.Find(source, position, language);
        return at.IsDirective ? null
            : at.Language == CellLanguage.CSharp ? CSharpAssist.Describe(CSharp.Compilation(at.Code), position)
            : FSharpAssist.Describe(FSharp.Session, at.Code, position);
    }

    /// <inheritdoc/>
    public Completeness Check(string source, CellLanguage language)
    {
        ArgumentNullException.ThrowIfNull(source);
        // What is typed last decides whether more has to come.
        var at = CodeAt.Find(source, source.Length, language);
        return at.IsDirective || string.IsNullOrWhiteSpace(at.Code) ? Completeness.Complete
            : at.Language == CellLanguage.CSharp ? CSharpAssist.Check(at.Code)
            : FSharpAssist.Check(FSharp.Session, at.Code);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!lost)
        {
            engines[CellLanguage.CSharp].Dispose();
            engines[CellLanguage.FSharp].Dispose();
        }
    }

    private static CellError Plain(string name, string message) => new(name, message, [$"{name}: {message}"], null);

    private CellEnd Run(CellSource cell, CellLanguage language, GuardedOutput output, CancellationToken stop)
    {
        try
        {
            CellEnd end = CellThread.Run(() => RunAll(cell, language, output, 0, stop), stop);
            if (end == CellEnd.Stopped)
            {
                output.Error(Plain(CellErrors.Interrupted, "The cell was stopped. Variables of the cells before it are as they were left."));
            }
            else if (end == CellEnd.Lost)
            {
                output.Error(Plain(CellErrors.Interrupted, "The cell could not be stopped; it runs until the process ends: restart the kernel."));
            }

            return end;
        }
        catch (CellFailedException e)
        {
            output.Error(e.Error);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // What compilers and formatters of values throw; a cell may not end the session.
            output.Error(CellErrors.Thrown(e, sources).Error);
        }

        return CellEnd.Failed;
    }

    private void RunAll(CellSource cell, CellLanguage language, GuardedOutput output, int depth, CancellationToken stop)
    {
        sources[cell.Name] = cell;
        long start = Stopwatch.GetTimestamp();
        List<object> steps = CellSteps.Of(cell, language);
        int last = steps.FindLastIndex(s => s is CodePart);
        for (int i = 0; i < steps.Count; i++)
        {
            switch (steps[i])
            {
                case CodePart code:
                    Show(engines[code.Language].Run(code, stop), i == last && depth == 0, output);
                    break;
                case MarkdownPart markdown:
                    output.Display(Bundles.OfText(markdown.Text, MimeTypes.Markdown), null);
                    break;
                case DirectivePart { Directive: var directive } part:
                    Do(directive, part.Language, cell, output, depth, stop);
                    break;
            }
        }

        if (steps.Any(s => s is DirectivePart { Directive.Name: "#!time" }))
        {
            string time = string.Create(CultureInfo.InvariantCulture, $"Wall time: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:f1} ms");
            output.Display(Bundles.Of(time), null);
        }
    }

    private static void Show(object? value, bool isResult, GuardedOutput output)
    {
        // What display gives back is a handle; what it shows is there already.
        if (value is null or DisplayedValue or Microsoft.FSharp.Core.Unit)
        {
            return;
        }

        if (isResult)
        {
            output.Result(Bundles.Of(value));
        }
        else
        {
            output.Display(Bundles.Of(value), null);
        }
    }

    private void Do(Directive directive, CellLanguage language, CellSource cell, GuardedOutput output, int depth, CancellationToken stop)
    {
        try
        {
            switch (directive.Name)
            {
                case "#r":
                    Reference(Argument(directive, "#r \"../bin/My.dll\""), language, output);
                    break;
                case "#load":
                    Load(Argument(directive, "#load \"file.csx\""), language, output, depth, stop);
                    break;
                case "#!import":
                    Import(directive.Option("--file") ?? Argument(directive, "#!import library.ipynb"), output, depth, stop);
                    break;
                case "#!share":
                    Share(directive, language);
                    break;
                case "#!time":
                    break;
                default:
                    throw new AdmmKitException(Names.Unknown("command", directive.Name, [.. Directive.Known]));
            }
        }
        catch (AdmmKitException e)
        {
            throw CellErrors.At(cell, directive.Line, e.Message, "DirectiveError");
        }
    }

    private static string Argument(Directive directive, string example) => directive.Argument
        ?? throw new AdmmKitException($"{directive.Name} needs a name behind it, such as {example}.");

    private void Reference(string path, CellLanguage language, GuardedOutput output)
    {
        if (path.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase))
        {
            throw new AdmmKitException(
                $"#r \"{path}\": packages are not restored in cells here, so that a notebook runs without a network and always with the same versions. "
                + "Reference the package in a project, build it (dotnet build -c Release), and name the DLL: #r \"../bin/Release/net10.0/Package.dll\".");
        }

        engines[language].Reference(CellReferences.Load(path, Folder, text => output.Stream(true, text)));
    }

    private void Load(string path, CellLanguage language, GuardedOutput output, int depth, CancellationToken stop)
    {
        string file = Existing(path, "#load");
        if (language == CellLanguage.FSharp)
        {
            // F# makes a module of what it loads, named after the file.
            engines[language].Run(new CodePart(language, $"#load @\"{file}\"", new CellSource(Path.GetFileName(file), "")), stop);
            return;
        }

        RunFile(file, Path.GetFileName(file), File.ReadAllText(file), language, output, depth, stop);
    }

    private void Import(string path, GuardedOutput output, int depth, CancellationToken stop)
    {
        string file = Existing(path, "#!import");
        string name = Path.GetFileName(file);
        string extension = Path.GetExtension(file).ToUpperInvariant();
        if (extension is ".CS" or ".CSX" or ".FS" or ".FSX")
        {
            CellLanguage language = extension.StartsWith(".C", StringComparison.Ordinal) ? CellLanguage.CSharp : CellLanguage.FSharp;
            RunFile(file, name, File.ReadAllText(file), language, output, depth, stop);
            return;
        }

        if (extension != ".IPYNB")
        {
            throw new AdmmKitException($"#!import \"{path}\": files of that kind cannot be imported; .ipynb, .cs, .csx, .fs and .fsx can.");
        }

        var notebook = NotebookFile.Read(file);
        foreach (NotebookCell cell in notebook.Cells)
        {
            if (cell.IsCode)
            {
                string source = string.Create(CultureInfo.InvariantCulture, $"{name} cell {cell.Number}");
                RunFile(file, source, cell.Source, cell.Language(notebook.Language), output, depth, stop);
            }
            else if (NotebookText.String(cell.Json["cell_type"]) == "markdown")
            {
                output.Display(Bundles.OfText(cell.Source, MimeTypes.Markdown), null);
            }
        }
    }

    private void RunFile(string file, string name, string text, CellLanguage language, GuardedOutput output, int depth, CancellationToken stop)
    {
        if (depth >= MaxImportDepth)
        {
            throw new AdmmKitException($"'{file}' is imported {MaxImportDepth} files deep: does a file import itself?");
        }

        RunAll(new CellSource(name, text.ReplaceLineEndings("\n")), language, output, depth + 1, stop);
    }

    private string Existing(string path, string directive)
    {
        string file = Path.GetFullPath(path.Replace('\\', '/'), Folder);
        return File.Exists(file)
            ? file
            : throw new AdmmKitException($"There is no file '{file}' ({directive} \"{path}\"; paths are relative to the notebook's folder).");
    }

    private void Share(Directive directive, CellLanguage language)
    {
        string name = directive.Option("--name") ?? Argument(directive, "#!share data --from csharp");
        string from = directive.Option("--from") ?? throw new AdmmKitException($"#!share {name}: from which language? #!share {name} --from csharp");
        CellLanguage source = KernelNames.Parse(from) ?? throw new AdmmKitException(Names.Unknown("language", from, ["csharp", "fsharp"]));
        if (source == language)
        {
            throw new AdmmKitException($"#!share {name} --from {from} stands in a cell of that very language; it belongs into one of the other.");
        }

        (object? value, Type type) = engines[source].Get(name)
            ?? throw new AdmmKitException(Names.Unknown(from + " variable", name, [.. engines[source].Variables]));
        engines[language].Set(directive.Option("--as") ?? name, value, type);
    }
}
