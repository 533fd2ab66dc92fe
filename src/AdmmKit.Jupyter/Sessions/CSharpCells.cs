using System.Reflection;
using System.Text;
using AdmmKit.Jupyter.Cells;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.CodeAnalysis.Scripting.Hosting;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>C# cells, by Roslyn scripting: each is compiled against all before it.</summary>
internal sealed class CSharpCells : ICellEngine
{
    // Those that .NET Interactive imports, and no more: a notebook that runs here must run there.
    private static readonly string[] Imports =
        ["System", "System.Text", "System.Collections", "System.Collections.Generic", "System.Threading.Tasks", "System.Linq"];

    private readonly InteractiveAssemblyLoader loader = new();
    private readonly Dictionary<string, CellSource> sources;
    private readonly HashSet<string> referenced = new(StringComparer.Ordinal);
    private ScriptState<object>? state;

    public CSharpCells(Dictionary<string, CellSource> sources)
    {
        this.sources = sources;
        Options = ScriptOptions.Default
            .WithReferences(CellReferences.Platform.Append(typeof(CellFunctions).Assembly.Location).Select(MetadataOfCells.Of))
            .WithMetadataResolver(new MetadataOfCells())
            .WithImports([.. Imports, typeof(DisplayExtensions).Namespace!, typeof(CellFunctions).FullName!])
            .WithLanguageVersion(LanguageVersion.Latest)
            .WithOptimizationLevel(OptimizationLevel.Release)
            .WithAllowUnsafe(true)
            .WithEmitDebugInformation(true)
            .WithFileEncoding(Encoding.UTF8);
    }

    // With all references so far.
    private ScriptOptions Options { get; set; }

    /// <summary>Code as the next cell, to be looked at and not to be run.</summary>
    public Compilation Compilation(string code) => Next(code, Options).GetCompilation();

    /// <summary>Compiles and runs a first cell that nobody sees, which takes most of a second.</summary>
    public void Prepare() => CSharpScript.Create<object>("1", Options, globalsType: null, loader).RunAsync().Wait();

    public IReadOnlyCollection<string> Variables => state is null ? [] : [.. state.Variables.Select(v => v.Name).Distinct()];

    public object? Run(CodePart part, CancellationToken stop)
    {
        Script<object> script = Compiled(part, stop);
        Task<ScriptState<object>> task = state is null
            ? script.RunAsync(globals: null, catchException: _ => true, stop)
            : script.RunFromAsync(state, catchException: _ => true, stop);
        // A cell that awaits goes on elsewhere, and has not ended before that has: an interrupt is not for this wait.
        while (!task.IsCompleted)
        {
            try
            {
                Task.WaitAny([task], CancellationToken.None);
            }
            catch (ThreadInterruptedException)
            {
            }
        }

        // Also after an exception: what the cell declared before it is there, as in .NET Interactive.
        state = task.GetAwaiter().GetResult();
        return state.Exception is { } e ? throw CellErrors.Thrown(e, sources) : state.ReturnValue;
    }

    public void Reference(string path)
    {
        if (!referenced.Add(path))
        {
            return;
        }

        Options = Options.AddReferences(MetadataOfCells.Of(path));
        loader.RegisterDependency(Assembly.LoadFrom(path));
    }

    public (object? Value, Type Type)? Get(string name) =>
        state?.GetVariable(name) is { } variable ? (variable.Value, variable.Type) : null;

    public void Set(string name, object? value, Type type)
    {
        var source = new CellSource("#!share", "");
        string typeName = TypeNames.Of(type, CellLanguage.CSharp) ?? throw CellErrors.At(
            source, 1, $"'{name}' is of the type {type}, which has no name in C#. Share values of types that both languages know.");
        if (!CellReferences.IsPlatform(type.Assembly))
        {
            Reference(type.Assembly.Location);
        }

        Run(new CodePart(CellLanguage.CSharp, $"{typeName} {name} = default;", source), CancellationToken.None);
        state!.GetVariable(name).Value = value;
    }

    public void Dispose() => loader.Dispose();

    private Script<object> Compiled(CodePart part, CancellationToken stop)
    {
        ScriptOptions options = Options.WithFilePath(part.Source.Name);
        Script<object> stoppable = Next(StoppableCode.Of(part.Code), options);
        if (Errors(stoppable, stop).Length == 0)
        {
            return stoppable;
        }

        // The author's own code, with its columns; and what cannot be stopped is run all the same.
        Script<object> script = Next(part.Code, options);
        return Errors(script, stop) is { Length: > 0 } errors ? throw NotCompiled(errors, part.Source) : script;
    }

    private static Diagnostic[] Errors(Script<object> script, CancellationToken stop) =>
        [.. script.Compile(stop).Where(d => d.Severity == DiagnosticSeverity.Error)];

    private static CellFailedException NotCompiled(Diagnostic[] errors, CellSource source)
    {
        var lines = new List<string>();
        foreach (Diagnostic error in errors)
        {
            FileLinePositionSpan span = error.Location.GetLineSpan();
            lines.Add($"{error.Id}: {error.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}");
            lines.AddRange(source.Point(span.StartLinePosition.Line + 1, span.StartLinePosition.Character + 1));
        }

        return new CellFailedException(new CellError(CellErrors.Compilation, lines[0], lines, errors[0].Location.GetLineSpan().StartLinePosition.Line + 1));
    }

    private Script<object> Next(string code, ScriptOptions options) => state is null
        ? CSharpScript.Create<object>(code, options, globalsType: null, loader)
        : ((Script<object>)state.Script).ContinueWith<object>(code, options);
}
