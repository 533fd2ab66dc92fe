using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Files;
using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Jupyter.Running;

/// <summary>One notebook to run, as one process hands it to another.</summary>
/// <param name="File">The notebook.</param>
/// <param name="Output">Where the executed one is written; null to compare with what is there.</param>
/// <param name="Timeout">Seconds a cell; 0 for no limit.</param>
/// <param name="Parameters">New values of its parameters.</param>
public sealed record NotebookJob(string File, string? Output, double Timeout, IReadOnlyList<KeyValuePair<string, string>> Parameters)
{
    /// <summary>The job as one word of a command line.</summary>
    public string ToArgument() => JsonSerializer.Serialize(this);

    /// <summary>Reads what <see cref="ToArgument"/> wrote.</summary>
    /// <param name="argument">It.</param>
    public static NotebookJob FromArgument(string argument) => JsonSerializer.Deserialize<NotebookJob>(argument)!;

    /// <summary>
    /// Runs the notebook in this process, which is its own: statics start afresh, and whatever a cell leaves behind ends with it.
    /// Says on standard output what it does, by <see cref="NotebookEvent"/>.
    /// </summary>
    /// <returns>The exit code. A cell may still be running.</returns>
    public int Run()
    {
        TextWriter events = Console.Out;
        Console.SetIn(TextReader.Null);
        EndWithParent();
        try
        {
            int code = Run(e => e.Write(events));
            new NotebookEvent(NotebookEvent.End) { Code = code }.Write(events);
            return code;
        }
        catch (AdmmKitException e)
        {
            new NotebookEvent(NotebookEvent.Failure) { Text = e.Message }.Write(events);
            new NotebookEvent(NotebookEvent.End) { Code = 1 }.Write(events);
            return 1;
        }
    }

    private int Run(Action<NotebookEvent> tell)
    {
        // Both from before the change of folder, by paths that hold after it.
        (string file, string? target) = (Path.GetFullPath(File), Output is null ? null : Path.GetFullPath(Output));
        var notebook = NotebookFile.Read(File);
        NotebookFile? committed = Output is null ? NotebookFile.Read(File) : null;
        Environment.CurrentDirectory = Path.GetDirectoryName(file)!;
        // A session with a cell that cannot be stopped cannot be disposed of either; it ends with the process.
        var session = new CellSession();
        NotebookRunResult result = NotebookRunner.Run(notebook, session, new NotebookRunOptions
        {
            CellTimeout = Timeout > 0 ? TimeSpan.FromSeconds(Timeout) : null,
            Parameters = Parameters,
            Progress = (cell, of, line) => tell(new NotebookEvent(NotebookEvent.Cell) { Number = cell, Of = of, Text = line }),
        });
        int code = result.Failed is null ? 0 : 1;
        if (result is { Failed: { } failed, Error: { } error })
        {
            string rest = result.NotRun > 0 ? string.Create(CultureInfo.InvariantCulture, $" Cells with code behind it that were not run: {result.NotRun}.") : "";
            string where = string.Create(CultureInfo.InvariantCulture, $"cell {failed.Number} [{failed.Json["execution_count"]}] failed.{rest}");
            tell(new NotebookEvent(NotebookEvent.Failure) { Text = $"{where}\n{string.Join('\n', error.Traceback.Select(l => "  " + CellErrors.Clean(l)))}" });
        }

        if (committed is not null)
        {
            return Math.Max(code, Compare(committed, notebook, result, tell));
        }

        NoteData(notebook, result);
        notebook.Write(target!);
        return code;
    }

    private static void NoteData(NotebookFile notebook, NotebookRunResult result)
    {
        if (result.Data is { } data)
        {
            notebook.Metadata["admmkit"] = new JsonObject { ["data"] = data, ["instructions"] = DataNote.Instructions };
        }
        else
        {
            notebook.Metadata.Remove("admmkit");
        }
    }

    private static int Compare(NotebookFile committed, NotebookFile now, NotebookRunResult result, Action<NotebookEvent> tell)
    {
        string? otherData = OtherData(committed, result);
        if (otherData is not null)
        {
            tell(new NotebookEvent(NotebookEvent.Note) { Text = otherData });
        }

        int code = 0;
        foreach ((NotebookCell before, NotebookCell after) in committed.Cells.Zip(now.Cells).Where(c => c.First.IsCode))
        {
            if (ReferenceEquals(after, result.Failed))
            {
                break;
            }

            bool isSkipped = before.Tags.Contains(NotebookCell.VolatileTag)
                || (otherData is not null && result.FirstOnData > 0 && before.Number >= result.FirstOnData);
            if (!isSkipped && OutputComparison.Difference(before.Outputs, after.Outputs) is { } difference)
            {
                tell(new NotebookEvent(NotebookEvent.Failure)
                {
                    Text = string.Create(CultureInfo.InvariantCulture, $"cell {before.Number} puts out something else: {difference}"),
                });
                code = 1;
            }
        }

        return code;
    }

    private static string? OtherData(NotebookFile committed, NotebookRunResult result)
    {
        string Before(string key) => committed.Metadata["admmkit"] is JsonObject note ? NotebookText.String(note[key]) ?? "" : "";
        string? what = result.Data is null ? null
            : result.Data != Before("data") ? $"data set '{Before("data")}', here it is '{result.Data}'"
            : DataNote.Instructions != Before("instructions") ? $"instruction set {Before("instructions")}, here it is {DataNote.Instructions}"
            : null;
        return what is null ? null : string.Create(
            CultureInfo.InvariantCulture, $"outputs from cell {result.FirstOnData} on were made with the {what}: executed, not compared");
    }

    // A parent that is killed closes the pipe, and nothing else tells its child.
    private static void EndWithParent()
    {
        Stream input = Console.OpenStandardInput();
        new Thread(() =>
        {
            while (input.ReadByte() >= 0)
            {
            }

            Process.GetCurrentProcess().Kill();
        })
        { IsBackground = true, Name = "parent" }.Start();
    }
}
