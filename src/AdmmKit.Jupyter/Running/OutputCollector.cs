using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Files;
using AdmmKit.Jupyter.Sessions;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Running;

/// <summary>Keeps what cells put out as notebooks do; an update changes what was displayed, in whichever cell that was.</summary>
internal sealed class OutputCollector : ICellOutput
{
    private readonly Dictionary<string, List<JsonObject>> displays = new(StringComparer.Ordinal);

    private JsonArray outputs = [];
    private int executionCount;

    /// <summary>What the cell was stopped for, where that was not a person's wish.</summary>
    public CellError? StoppedBecause { get; set; }

    /// <summary>Why the cell failed, if it did.</summary>
    public CellError? Failure { get; private set; }

    /// <summary>From here on, what comes is of this cell.</summary>
    public JsonArray Begin(int count)
    {
        (executionCount, Failure, StoppedBecause) = (count, null, null);
        return outputs = [];
    }

    public void Stream(bool isError, string text)
    {
        string name = isError ? "stderr" : "stdout";
        if (outputs is [.., JsonObject last] && NotebookText.String(last["output_type"]) == "stream" && NotebookText.String(last["name"]) == name)
        {
            last["text"] = NotebookText.Joined(last["text"]) + text;
            return;
        }

        outputs.Add(new JsonObject { ["name"] = name, ["output_type"] = "stream", ["text"] = text });
    }

    public void Display(MimeBundle bundle, string? displayId)
    {
        var output = new JsonObject { ["data"] = DataOf(bundle), ["metadata"] = new JsonObject(), ["output_type"] = "display_data" };
        outputs.Add(output);
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

    public void Result(MimeBundle bundle) => outputs.Add(new JsonObject
    {
        ["data"] = DataOf(bundle),
        ["execution_count"] = executionCount,
        ["metadata"] = new JsonObject(),
        ["output_type"] = "execute_result",
    });

    public void Error(CellError error)
    {
        Failure = StoppedBecause ?? error;
        outputs.Add(new JsonObject
        {
            ["ename"] = Failure.Name,
            ["evalue"] = CellErrors.Clean(Failure.Message),
            ["output_type"] = "error",
            ["traceback"] = new JsonArray([.. Failure.Traceback.Select(l => JsonValue.Create(CellErrors.Clean(l)))]),
        });
    }

    /// <summary>Text in lines and without terminal colours, as notebooks keep it.</summary>
    public static void Finish(JsonArray outputs)
    {
        foreach (JsonNode? output in outputs)
        {
            if (output!["text"] is JsonValue text)
            {
                output["text"] = NotebookText.Lines(CellErrors.Clean(text.GetValue<string>()));
            }
        }
    }

    private static JsonObject DataOf(MimeBundle bundle)
    {
        var data = new JsonObject();
        foreach ((string type, string content) in bundle.Data)
        {
            data[type] = type.EndsWith("json", StringComparison.Ordinal)
                ? JsonNode.Parse(content)
                : NotebookText.Lines(content);
        }

        return data;
    }
}
