using System.Globalization;
using AdmmKit.Jupyter.Cells;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.Interactive;
using Microsoft.FSharp.Core;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>F# cells, by an F# interactive session in this process; started by the first of them.</summary>
internal sealed class FSharpCells(Dictionary<string, CellSource> sources) : ICellEngine
{
    // Those that .NET Interactive opens.
    private const string Opens = "open System\nopen System.IO\nopen System.Text\n";

    // References are those of the running .NET, not those of an SDK: with the latter, types that come from C# are others of the same name.
    private static readonly string[] Arguments =
        ["fsi", "--noninteractive", "--nologo", "--gui-", "--quiet", "--optimize+", "--debug+", "--usesdkrefs-", "--targetprofile:netcore"];

    private readonly HashSet<string> referenced = new(StringComparer.Ordinal);
    private Shell.FsiEvaluationSession? session;

    public IReadOnlyCollection<string> Variables => session is null ? [] : [.. session.GetBoundValues().Select(v => v.Name)];

    public object? Run(CodePart part, CancellationToken stop)
    {
        (FSharpChoice<FSharpOption<Shell.FsiValue>?, Exception> outcome, FSharpDiagnostic[] diagnostics) =
            Session.EvalInteractionNonThrowing(part.Code, part.Source.Name, null);
        if (outcome is FSharpChoice<FSharpOption<Shell.FsiValue>?, Exception>.Choice2Of2 failed)
        {
            FSharpDiagnostic[] errors = [.. diagnostics.Where(d => d.Severity.IsError)];
            throw errors.Length > 0 ? NotCompiled(errors, part.Source) : CellErrors.Thrown(failed.Item, sources);
        }

        return ((FSharpChoice<FSharpOption<Shell.FsiValue>?, Exception>.Choice1Of2)outcome).Item?.Value.ReflectionValue;
    }

    public void Reference(string path)
    {
        if (referenced.Add(path))
        {
            Evaluate($"#r @\"{path}\"");
        }
    }

    public (object? Value, Type Type)? Get(string name)
    {
        FSharpOption<Shell.FsiBoundValue>? found = session?.TryFindBoundValue(name);
        return found is null ? null : (found.Value.Value.ReflectionValue, found.Value.Value.ReflectionType);
    }

    public void Set(string name, object? value, Type type)
    {
        var source = new CellSource("#!share", "");
        string typeName = TypeNames.Of(type, CellLanguage.FSharp) ?? throw CellErrors.At(
            source, 1, $"'{name}' is of the type {type}, which has no name in F#. Share values of types that both languages know.");
        if (!CellReferences.IsPlatform(type.Assembly))
        {
            Reference(type.Assembly.Location);
        }

        // The session's own way to add a value takes System.Int32 for another type than int.
        CellFunctions.Shared = value;
        Run(new CodePart(
            CellLanguage.FSharp, $"let ``{name}`` = (unbox<{typeName}> {typeof(CellFunctions).FullName}.Shared)", source), CancellationToken.None);
        CellFunctions.Shared = null;
    }

    public void Dispose() => (session as IDisposable)?.Dispose();

    public Shell.FsiEvaluationSession Session
    {
        get
        {
            if (session is null)
            {
                // What the session itself would print is in the results.
                session = Shell.FsiEvaluationSession.Create(
                    Shell.FsiEvaluationSession.GetDefaultConfiguration(), Arguments, TextReader.Null, TextWriter.Null, TextWriter.Null, null, null);
                Reference(typeof(CellFunctions).Assembly.Location);
                Evaluate(Opens + $"open {typeof(CellFunctions).Namespace}\nopen type {typeof(CellFunctions).FullName}");
            }

            return session;
        }
    }

    private void Evaluate(string code) => Run(new CodePart(CellLanguage.FSharp, code, new CellSource("start", code)), CancellationToken.None);

    private static CellFailedException NotCompiled(FSharpDiagnostic[] errors, CellSource source)
    {
        var lines = new List<string>();
        foreach (FSharpDiagnostic error in errors)
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"FS{error.ErrorNumber:0000}: {error.Message}"));
            lines.AddRange(source.Point(error.StartLine, error.StartColumn + 1));
        }

        return new CellFailedException(new CellError(CellErrors.Compilation, lines[0], lines, errors[0].StartLine));
    }
}
