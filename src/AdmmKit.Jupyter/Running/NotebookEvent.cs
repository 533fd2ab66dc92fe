using System.Text.Json;

namespace AdmmKit.Jupyter.Running;

/// <summary>What the process that runs a notebook tells the one that started it, a line each.</summary>
/// <param name="Kind">Which of the constants.</param>
public sealed record NotebookEvent(string Kind)
{
    /// <summary>A cell begins.</summary>
    public const string Cell = "cell";

    /// <summary>Something to be said that is no failure.</summary>
    public const string Note = "note";

    /// <summary>Something failed.</summary>
    public const string Failure = "failure";

    /// <summary>All is done and written.</summary>
    public const string End = "end";

    // Cells' console goes elsewhere, but native code, and programs that cells start, may write to the process's own.
    private const string Mark = "\u0001admmkit ";

    /// <summary>The cell's number among those with code.</summary>
    public int Number { get; init; }

    /// <summary>How many cells have code.</summary>
    public int Of { get; init; }

    /// <summary>The exit code.</summary>
    public int Code { get; init; }

    /// <summary>In words.</summary>
    public string Text { get; init; } = "";

    /// <summary>Writes the line.</summary>
    /// <param name="writer">To where.</param>
    public void Write(TextWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        // A line of its own also behind what has no end of line.
        writer.Write("\n" + Mark + JsonSerializer.Serialize(this) + "\n");
        writer.Flush();
    }

    /// <summary>Reads a line; null where it is none of ours.</summary>
    /// <param name="line">The line.</param>
    public static NotebookEvent? Read(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        int at = line.IndexOf(Mark, StringComparison.Ordinal);
        if (at < 0)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<NotebookEvent>(line[(at + Mark.Length)..]);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
