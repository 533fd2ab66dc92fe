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
    /// Runs the notebook in this process, which is its own: statics start afresh, and what a cell leaves behind ends with it, but for
    /// programs that it started and did not wait for.
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
            NotebookEvent end = Run(e => e.Write(events));
            end.Write(events);
            return end.Code;
        }
        catch (Exception e)
        {
            // Cells throw elsewhere: what is not said in words is our own.
            new NotebookEvent(NotebookEvent.Failure) { Text = e is AdmmKitException ? e.Message : $"a fault of AdmmKit, not of the notebook: {e}" }.Write(events);
            new NotebookEvent(NotebookEvent.End) { Code = 1 }.Write(events);
            return 1;
        }
    }

    private NotebookEvent Run(Action<NotebookEvent> tell)
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
            string rest = result.NotRun > 0 ? " " + NotebookRunner.NotRun(result.NotRun) : "";
            string where = string.Create(CultureInfo.InvariantCulture, $"cell {failed.Number} [{failed.Json["execution_count"]}] failed.{rest}");
            IEnumerable<string> lines = error.Traceback.Concat(Warnings(failed).Where(l => l != NotebookRunner.NotRun(result.NotRun))).Select(l => "  " + CellErrors.Clean(l));
            tell(new NotebookEvent(NotebookEvent.Failure) { Text = $"{where}\n{string.Join('\n', lines)}" });
        }

        if (committed is not null)
        {
            return Compare(committed, notebook, result, code, tell);
        }

        NoteData(notebook, result);
        notebook.Write(target!);
        return new NotebookEvent(NotebookEvent.End) { Code = code };
    }

    // What the cell said on standard error may be the reason, such as an assembly that is not the tool's.
    private static IEnumerable<string> Warnings(NotebookCell cell)
    {
        const int shown = 5;
        return cell.Outputs.Where(o => NotebookText.String(o!["name"]) == "stderr")
            .SelectMany(o => NotebookText.Joined(o!["text"]).Split('\n', StringSplitOptions.RemoveEmptyEntries)).Take(shown);
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

    private static NotebookEvent Compare(NotebookFile committed, NotebookFile now, NotebookRunResult result, int code, Action<NotebookEvent> tell)
    {
        string? otherData = OtherData(committed, result);
        if (otherData is not null)
        {
            tell(new NotebookEvent(NotebookEvent.Note) { Text = otherData });
        }

        (int compared, int isVolatile, int onOtherData) = (0, 0, 0);
        foreach ((NotebookCell before, NotebookCell after) in committed.Cells.Zip(now.Cells).Where(c => c.First.IsCode))
        {
            if (ReferenceEquals(after, result.Failed))
            {
                break;
            }

            if (before.Tags.Contains(NotebookCell.VolatileTag))
            {
                isVolatile++;
                continue;
            }

            if (otherData is not null && before.Number >= result.FirstOnData)
            {
                onOtherData++;
                continue;
            }

            compared++;
            if (OutputComparison.Difference(before.Outputs, after.Outputs) is { } difference)
            {
                tell(new NotebookEvent(NotebookEvent.Failure)
                {
                    Text = string.Create(CultureInfo.InvariantCulture, $"cell {before.Number} puts out something else: {difference}"),
                });
                code = 1;
            }
        }

        string what = compared > 0 ? "same outputs" : "no outputs compared";
        return new NotebookEvent(NotebookEvent.End)
        {
            Code = code,
            Text = string.Create(CultureInfo.InvariantCulture, $"{what} (cells compared: {compared}, volatile: {isVolatile}, made otherwise: {onOtherData})"),
        };
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
