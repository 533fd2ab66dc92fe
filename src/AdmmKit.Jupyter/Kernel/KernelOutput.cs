using System.Text;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Cells;
using AdmmKit.Jupyter.Sessions;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>
/// What one cell puts out, as messages for everybody; text and updates are gathered for some milliseconds, so that a loop of short
/// lines, or of changes to one display, is few messages.
/// </summary>
/// <param name="publish">Sends a message of a type and content about the cell.</param>
/// <param name="executionCount">The number of the cell.</param>
internal sealed class KernelOutput(Action<string, JsonObject> publish, int executionCount) : ICellOutput, IDisposable
{
    private const int GatheredCharacters = 16 << 10;
    private static readonly TimeSpan GatheringTime = TimeSpan.FromMilliseconds(50);

    private readonly Lock gate = new();
    private readonly StringBuilder text = new();
    private readonly Dictionary<string, MimeBundle> updates = new(StringComparer.Ordinal);
    private Timer? timer;
    private bool textIsError, isWaiting, closed;

    /// <summary>Why the cell failed, to be published when it is known how it ended; null where it did not say.</summary>
    public CellError? LastError { get; private set; }

    /// <inheritdoc/>
    public void Stream(bool isError, string text)
    {
        lock (gate)
        {
            if (isError != textIsError)
            {
                SendText();
            }

            textIsError = isError;
            this.text.Append(text);
            if (this.text.Length >= GatheredCharacters || closed)
            {
                SendWholeCharacters();
            }
            else
            {
                FlushLater();
            }
        }
    }

    /// <inheritdoc/>
    public void Display(MimeBundle bundle, string? displayId) => Send("display_data", Shown(bundle, displayId));

    /// <inheritdoc/>
    public void Update(MimeBundle bundle, string displayId)
    {
        lock (gate)
        {
            updates[displayId] = bundle;
            if (closed)
            {
                SendUpdates();
            }
            else
            {
                FlushLater();
            }
        }
    }

    /// <inheritdoc/>
    public void Result(MimeBundle bundle)
    {
        JsonObject content = Shown(bundle, null);
        content["execution_count"] = executionCount;
        Send("execute_result", content);
    }

    /// <inheritdoc/>
    public void Error(CellError error) => LastError = error;

    /// <summary>Tells everybody why the cell failed, after all that it put out.</summary>
    public void Publish(CellError error) => Send("error", ErrorContent(error));

    /// <summary>
    /// Sends the text that waits; what the cell still says afterwards, from threads that it left behind, goes out at once.
    /// </summary>
    public void Dispose()
    {
        lock (gate)
        {
            SendGathered();
            closed = true;
            timer?.Dispose();
            timer = null;
        }
    }

    /// <summary>The fields of an error, in messages of outputs and in answers.</summary>
    public static JsonObject ErrorContent(CellError error) => new()
    {
        ["ename"] = error.Name,
        ["evalue"] = error.Message,
        ["traceback"] = new JsonArray([.. error.Traceback.Select(line => (JsonNode?)line)]),
    };

    /// <summary>A bundle's forms by media type, as messages have them.</summary>
    public static JsonObject Data(MimeBundle bundle) => Bundles.ToJson(bundle, text => JsonValue.Create(text));

    private static JsonObject Shown(MimeBundle bundle, string? displayId) => new()
    {
        ["data"] = Data(bundle),
        ["metadata"] = new JsonObject(),
        ["transient"] = displayId is null ? [] : new JsonObject { ["display_id"] = displayId },
    };

    private void Send(string type, JsonObject content)
    {
        lock (gate)
        {
            SendGathered();
            publish(type, content);
        }
    }

    private void FlushLater()
    {
        if (!isWaiting)
        {
            // Once: were the time to begin anew with each line, a cell that writes often would be silent.
            isWaiting = true;
            timer ??= new Timer(_ => Flush());
            timer.Change(GatheringTime, Timeout.InfiniteTimeSpan);
        }
    }

    private void Flush()
    {
        lock (gate)
        {
            isWaiting = false;
            SendUpdates();
            SendWholeCharacters();
        }
    }

    // A console is written to by UTF-16 units, too: half a pair waits for the other.
    private void SendWholeCharacters()
    {
        string half = text.Length > 0 && char.IsHighSurrogate(text[^1]) ? text[^1].ToString() : "";
        text.Length -= half.Length;
        SendText();
        text.Append(half);
    }

    private void SendGathered()
    {
        SendUpdates();
        SendText();
    }

    // Only the newest of each display: a viewer that shows all of them falls behind.
    private void SendUpdates()
    {
        foreach ((string id, MimeBundle bundle) in updates)
        {
            publish("update_display_data", Shown(bundle, id));
        }

        updates.Clear();
    }

    private void SendText()
    {
        if (text.Length > 0)
        {
            publish("stream", new JsonObject { ["name"] = textIsError ? "stderr" : "stdout", ["text"] = text.ToString() });
            text.Clear();
        }
    }
}
