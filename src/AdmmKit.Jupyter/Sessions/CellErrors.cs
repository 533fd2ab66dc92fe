using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>Turns what went wrong into what its author needs: what, and at which line of which cell.</summary>
internal static partial class CellErrors
{
    public const string Compilation = "CompilationError";
    public const string Interrupted = "Interrupted";

    // Of an exception, frames at either end of its stack, and exceptions behind it: more is no help.
    private const int MaxFrames = 10, MaxCauses = 10;

    /// <summary>Why one line did not compile, or a directive did not work.</summary>
    public static CellFailedException At(CellSource source, int line, string message, string name = Compilation) =>
        new(new CellError(name, message, [$"{name}: {message}", .. source.Point(line)], line));

    /// <summary>What a cell threw, with the lines of cells that led to it, and inner exceptions.</summary>
    /// <param name="exception">What it threw.</param>
    /// <param name="sources">Cells by their name in stack frames.</param>
    public static CellFailedException Thrown(Exception exception, IReadOnlyDictionary<string, CellSource> sources)
    {
        while (exception is TargetInvocationException or TypeInitializationException && exception.InnerException is { } inner)
        {
            exception = inner;
        }

        var lines = new List<string>();
        int? line = null;
        string lead = "";
        int causes = 0;
        for (Exception? e = exception; e is not null && causes <= MaxCauses; e = e.InnerException, causes++)
        {
            lines.Add($"{lead}{NameOf(e)}: {Clean(e.Message)}");
            lead = "caused by ";
            (CellSource Source, int Line)[] frames =
                [.. from frame in new StackTrace(e, fNeedFileInfo: true).GetFrames()
                    let file = Path.GetFileName(frame.GetFileName())
                    where file is not null && sources.ContainsKey(file) && frame.GetFileLineNumber() > 0
                    select (sources[file], frame.GetFileLineNumber())];
            line ??= frames.Length > 0 ? frames[0].Line : null;
            int hidden = frames.Length - (2 * MaxFrames);
            for (int i = 0; i < frames.Length; i++)
            {
                if (hidden > 0 && i == MaxFrames)
                {
                    lines.Add(string.Create(CultureInfo.InvariantCulture, $"  ... {hidden} more"));
                    i += hidden;
                }

                lines.AddRange(frames[i].Source.Point(frames[i].Line));
            }
        }

        return new CellFailedException(new CellError(NameOf(exception), Clean(exception.Message), lines, line));
    }

    /// <summary>Text without the colours of terminals, which pages show as garbage.</summary>
    public static string Clean(string text) => Ansi().Replace(text, "");

    private static string NameOf(Exception e) => e.GetType().FullName ?? e.GetType().Name;

    [GeneratedRegex(@"\x1B\[[0-9;?]*[ -/]*[@-~]")]
    private static partial Regex Ansi();
}
