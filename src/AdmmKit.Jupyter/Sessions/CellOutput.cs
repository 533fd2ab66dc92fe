using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>The languages of cells.</summary>
public enum CellLanguage
{
    /// <summary>C#, by Roslyn scripting.</summary>
    CSharp,

    /// <summary>F#, by an F# interactive session.</summary>
    FSharp,
}

/// <summary>Why a cell failed.</summary>
/// <param name="Name">Name of the exception, or "CompilationError", "Timeout", "Interrupted".</param>
/// <param name="Message">What was wrong, in words.</param>
/// <param name="Traceback">Lines for people: where, with the line of the cell's source, and the source line itself.</param>
/// <param name="Line">The line of the cell's source, from 1, where it is known.</param>
public sealed record CellError(string Name, string Message, IReadOnlyList<string> Traceback, int? Line);

/// <summary>How a cell ended.</summary>
public enum CellEnd
{
    /// <summary>All of it ran.</summary>
    Succeeded,

    /// <summary>It did not compile, or threw.</summary>
    Failed,

    /// <summary>It was interrupted, or ran out of time, and the session goes on.</summary>
    Stopped,

    /// <summary>It was interrupted, or ran out of time, and could not be stopped: only the end of the process stops it.</summary>
    Lost,
}

/// <summary>Receives what a cell puts out, in order, as it happens; calls come from one thread at a time.</summary>
public interface ICellOutput
{
    /// <summary>Text that the cell wrote to the console.</summary>
    /// <param name="isError">Whether to standard error.</param>
    /// <param name="text">The text, with its newlines.</param>
    void Stream(bool isError, string text);

    /// <summary>Something the cell displayed.</summary>
    /// <param name="bundle">What.</param>
    /// <param name="displayId">By which it may be updated later; or null.</param>
    void Display(MimeBundle bundle, string? displayId);

    /// <summary>New content for what was displayed under that name.</summary>
    /// <param name="bundle">The content.</param>
    /// <param name="displayId">The name; unknown ones are left alone.</param>
    void Update(MimeBundle bundle, string displayId);

    /// <summary>The value of the cell's last expression.</summary>
    /// <param name="bundle">The value.</param>
    void Result(MimeBundle bundle);

    /// <summary>The cell failed.</summary>
    /// <param name="error">Why.</param>
    void Error(CellError error);
}

/// <summary>What could stand at a place in code.</summary>
/// <param name="Matches">Completions, sorted.</param>
/// <param name="Start">Where what is typed so far begins, in UTF-16 units.</param>
/// <param name="End">Where it ends.</param>
public sealed record Completion(IReadOnlyList<string> Matches, int Start, int End);

/// <summary>Whether code is whole.</summary>
public enum Completeness
{
    /// <summary>It can be run.</summary>
    Complete,

    /// <summary>More has to follow.</summary>
    Incomplete,

    /// <summary>Nothing that follows makes it right.</summary>
    Invalid,
}

/// <summary>Runs cells one after another, with the variables of those before; what both a notebook's run and a kernel stand on.</summary>
public interface ICellSession : IDisposable
{
    /// <summary>
    /// Runs one cell, its directives (<c>#!fsharp</c>, <c>#r</c>, ...) with it. Does not throw for what the cell does.
    /// </summary>
    /// <param name="source">The cell.</param>
    /// <param name="language">Its language, where no directive says otherwise.</param>
    /// <param name="output">Receives what it puts out.</param>
    /// <param name="stop">Stops it: by a user's interrupt, or because its time is over.</param>
    CellEnd Execute(string source, CellLanguage language, ICellOutput output, CancellationToken stop);

    /// <summary>What could stand at a place in the code, knowing the variables so far.</summary>
    /// <param name="source">The code.</param>
    /// <param name="position">The place, in UTF-16 units.</param>
    /// <param name="language">Its language.</param>
    Completion Complete(string source, int position, CellLanguage language);

    /// <summary>What is known of the name at a place (signature, documentation), or null.</summary>
    /// <param name="source">The code.</param>
    /// <param name="position">The place, in UTF-16 units.</param>
    /// <param name="language">Its language.</param>
    MimeBundle? Inspect(string source, int position, CellLanguage language);

    /// <summary>Whether code is whole, so that a console knows whether Enter runs it.</summary>
    /// <param name="source">The code.</param>
    /// <param name="language">Its language.</param>
    Completeness Check(string source, CellLanguage language);
}
