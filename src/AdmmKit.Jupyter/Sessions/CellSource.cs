using System.Globalization;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>Where code comes from, so that an error can point there.</summary>
/// <param name="Name">As compilers name the file: <c>cell [3]</c>, or the name of an imported file.</param>
/// <param name="Text">All of it.</param>
internal sealed record CellSource(string Name, string Text)
{
    private string[]? lines;

    /// <summary>A line, from 1; null behind the end.</summary>
    public string? Line(int number)
    {
        lines ??= Text.Split('\n');
        return number >= 1 && number <= lines.Length ? lines[number - 1].TrimEnd('\r') : null;
    }

    /// <summary>A place in words, its line, and a caret below the column.</summary>
    /// <param name="line">From 1.</param>
    /// <param name="column">From 1; 0 for none.</param>
    public IEnumerable<string> Point(int line, int column = 0)
    {
        yield return string.Create(CultureInfo.InvariantCulture, $"  {Name}, line {line}:");
        if (Line(line) is not { } text)
        {
            yield break;
        }

        yield return "    " + text;
        if (column >= 1 && column <= text.Length + 1)
        {
            // Tabs are kept, so that the caret stands below its place however wide they are.
            yield return "    " + new string([.. text[..(column - 1)].Select(c => c == '\t' ? '\t' : ' ')]) + "^";
        }
    }
}

/// <summary>A part of a cell that is code of one language, with the line where it begins.</summary>
/// <param name="Language">The language.</param>
/// <param name="Code">The code, with so many empty lines before it that its lines have the numbers they have in the cell.</param>
/// <param name="Source">The cell.</param>
internal sealed record CodePart(CellLanguage Language, string Code, CellSource Source);

/// <summary>A cell failed: in words, for who wrote it.</summary>
internal sealed class CellFailedException(CellError error) : Exception(error.Message)
{
    public CellError Error { get; } = error;
}

/// <summary>Runs code of one language.</summary>
internal interface ICellEngine : IDisposable
{
    /// <summary>Runs code after all that ran before.</summary>
    /// <param name="part">The code.</param>
    /// <param name="stop">Ends the compilation; what runs is ended by <see cref="Cells.CellStop"/>.</param>
    /// <returns>The value of its last expression, or null.</returns>
    /// <exception cref="CellFailedException">It did not compile, or threw.</exception>
    object? Run(CodePart part, CancellationToken stop);

    /// <summary>Lets code from now on use an assembly.</summary>
    /// <param name="path">The assembly's file; it is loaded.</param>
    void Reference(string path);

    /// <summary>A variable's value and declared type, or null.</summary>
    (object? Value, Type Type)? Get(string name);

    /// <summary>The names of all variables.</summary>
    IReadOnlyCollection<string> Variables { get; }

    /// <summary>Declares a variable.</summary>
    /// <exception cref="CellFailedException">The language has no name for its type.</exception>
    void Set(string name, object? value, Type type);
}
