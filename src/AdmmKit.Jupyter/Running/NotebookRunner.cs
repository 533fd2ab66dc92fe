using System.Globalization;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Files;
using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Jupyter.Running;

/// <summary>How to run a notebook.</summary>
public sealed record NotebookRunOptions
{
    /// <summary>What the cell may take; null for as long as it takes.</summary>
    public TimeSpan? CellTimeout { get; init; }

    /// <summary>New values of the variables in the cell tagged <c>parameters</c>.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; } = [];

    /// <summary>Called before each cell with code: its number among those, how many there are, its first line.</summary>
    public Action<int, int, string>? Progress { get; init; }
}

/// <summary>How a run of a notebook ended.</summary>
/// <param name="Failed">The cell that failed, or null.</param>
/// <param name="Error">Why.</param>
/// <param name="NotRun">Cells behind it that were not run.</param>
/// <param name="Data">The data set that cells opened from some cell on, by <see cref="DataNote"/>; null where none did.</param>
/// <param name="FirstOnData">Place among all cells (from 1) of the first that had it; 0 where none did.</param>
public sealed record NotebookRunResult(NotebookCell? Failed, CellError? Error, int NotRun, string? Data, int FirstOnData);

/// <summary>Runs the cells of a notebook in this process, in order, up to the first that fails.</summary>
public static class NotebookRunner
{
    /// <summary>Runs the notebook; its outputs are replaced by the new ones.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="session">Runs its cells.</param>
    /// <param name="options">How.</param>
    /// <exception cref="BadFileException">A cell is in a language that AdmmKit does not run; nothing was run.</exception>
    public static NotebookRunResult Run(NotebookFile notebook, CellSession session, NotebookRunOptions options)
    {
        ArgumentNullException.ThrowIfNull(notebook);
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(options);
        NotebookParameters.Inject(notebook, options.Parameters);
        (NotebookCell Cell, CellLanguage Language)[] cells =
            [.. notebook.Cells.Where(c => c.IsCode).Select(c => (c, c.Language(notebook.Language)))];
        Clear(cells.Select(c => c.Cell));
        // Before the first cell, whose time it is not.
        foreach (CellLanguage used in cells.SelectMany(c => CellSteps.Of(new CellSource("", c.Cell.Source), c.Language)).OfType<CodePart>()
            .Select(p => p.Language).Distinct())
        {
            session.Prepare(used);
        }

        var collector = new OutputCollector();
        (string? data, int firstOnData) = (null, 0);
        for (int i = 0; i < cells.Length; i++)
        {
            (NotebookCell cell, CellLanguage language) = cells[i];
            options.Progress?.Invoke(i + 1, cells.Length, FirstLine(cell.Source));
            CellEnd end = RunCell(cell, language, i + 1, session, collector, options.CellTimeout);
            if (DataNote.Read() is { } name)
            {
                (data, firstOnData) = (name, firstOnData == 0 ? cell.Number : firstOnData);
            }

            if (end != CellEnd.Succeeded && !(end == CellEnd.Failed && cell.Tags.Contains(NotebookCell.MayFailTag)))
            {
                int left = cells.Length - i - 1;
                SayNotRun(cell, left);
                return new NotebookRunResult(cell, collector.Failure, left, data, firstOnData);
            }
        }

        return new NotebookRunResult(null, null, 0, data, firstOnData);
    }

    private static CellEnd RunCell(
        NotebookCell cell, CellLanguage language, int count, CellSession session, OutputCollector collector, TimeSpan? timeout)
    {
        cell.Json["execution_count"] = count;
        cell.Json["outputs"] = collector.Begin(count, timeout is { } limit ? TimedOut(limit) : null);
        using var stop = new CancellationTokenSource(timeout ?? Timeout.InfiniteTimeSpan);
        CellEnd end = session.Execute(cell.Source, language, collector, stop.Token);
        collector.Finish();
        return end;
    }

    /// <summary>How many cells a failed one kept from running, in words.</summary>
    internal static string NotRun(int count) =>
        string.Create(CultureInfo.InvariantCulture, $"Cells with code behind this one that were not run: {count}.");

    private static void SayNotRun(NotebookCell cell, int left)
    {
        if (left > 0)
        {
            cell.Outputs.Add(new JsonObject
            {
                ["name"] = "stderr",
                ["output_type"] = "stream",
                ["text"] = NotebookText.Lines(NotRun(left) + "\n"),
            });
        }
    }

    private static CellError TimedOut(TimeSpan limit)
    {
        string message = string.Create(
            CultureInfo.InvariantCulture,
            $"The cell did not end within {limit.TotalSeconds:0.###} s and was stopped. If it needs longer: --timeout SECONDS, 0 for no limit.");
        return new CellError("Timeout", message, ["Timeout: " + message], null);
    }

    // What an earlier run put out is no result of this one.
    private static void Clear(IEnumerable<NotebookCell> cells)
    {
        foreach (NotebookCell cell in cells)
        {
            cell.Json["execution_count"] = null;
            cell.Json["outputs"] = new JsonArray();
        }
    }

    private static string FirstLine(string source) =>
        source.Split('\n').Select(l => l.Trim()).FirstOrDefault(l => l.Length > 0 && !l.StartsWith("#!", StringComparison.Ordinal)) ?? "";
}
