using System.Text;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Cells;
using AdmmKit.Jupyter.Files;
using AdmmKit.Jupyter.Sessions;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Running;

/// <summary>Keeps what cells put out as notebooks do; an update changes what was displayed, in whichever cell that was.</summary>
internal sealed class OutputCollector : ICellOutput
{
    private readonly Dictionary<string, List<JsonObject>> displays = new(StringComparer.Ordinal);

    // What the last stream among the outputs has so far.
    private readonly StringBuilder text = new();

    private JsonArray outputs = [];
    private int executionCount;
    private CellError? stoppedBecause;

    /// <summary>Why the cell failed, if it did.</summary>
    public CellError? Failure { get; private set; }

    /// <summary>From here on, what comes is of this cell.</summary>
    /// <param name="count">Its number.</param>
    /// <param name="timeout">What is said where it is stopped.</param>
    public JsonArray Begin(int count, CellError? timeout)
    {
        (executionCount, Failure, stoppedBecause) = (count, null, timeout);
        return outputs = [];
    }

    public void Stream(bool isError, string text)
    {
        string name = isError ? "stderr" : "stdout";
        if (LastStream is not { } last || NotebookText.String(last["name"]) != name)
        {
            Add(new JsonObject { ["name"] = name, ["output_type"] = "stream", ["text"] = "" });
        }

        this.text.Append(text);
    }

    public void Display(MimeBundle bundle, string? displayId)
    {
        var output = new JsonObject { ["data"] = DataOf(bundle), ["metadata"] = new JsonObject(), ["output_type"] = "display_data" };
        Add(output);
        if (displayId is not null)
        {
            displays.TryAdd(displayId, []);
            displays[displayId].Add(output);
        }
    }

    public void Update(MimeBundle bundle, string displayId)
    {
        foreach (JsonObject output in displays.GetValueOrDefault(displayId) ?? [])
        {
            output["data"] = DataOf(bundle);
        }
    }

    public void Result(MimeBundle bundle) => Add(new JsonObject
    {
        ["data"] = DataOf(bundle),
        ["execution_count"] = executionCount,
        ["metadata"] = new JsonObject(),
        ["output_type"] = "execute_result",
    });

    public void Error(CellError error)
    {
        Failure = error.Name == CellErrors.Interrupted ? stoppedBecause ?? error : error;
        Add(new JsonObject
        {
            ["ename"] = Failure.Name,
            ["evalue"] = CellErrors.Clean(Failure.Message),
            ["output_type"] = "error",
            ["traceback"] = new JsonArray([.. Failure.Traceback.Select(l => JsonValue.Create(CellErrors.Clean(l)))]),
        });
    }

    /// <summary>The cell has ended: nothing more comes of it.</summary>
    public void Finish()
    {
        if (LastStream is { } last)
        {
            // In lines and without terminal colours, as notebooks keep it.
            last["text"] = NotebookText.Lines(CellErrors.Clean(text.ToString()));
        }

        text.Clear();
    }

    private JsonObject? LastStream => outputs is [.., JsonObject last] && NotebookText.String(last["output_type"]) == "stream" ? last : null;

    private static JsonObject DataOf(MimeBundle bundle) => Bundles.ToJson(bundle, NotebookText.Lines);

    private void Add(JsonObject output)
    {
        Finish();
        outputs.Add(output);
    }
}
