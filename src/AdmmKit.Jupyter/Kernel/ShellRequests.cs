using System.Text.Json;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Sessions;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>What a kernel is asked about code, and what it answers; it knows requests and answers, no sockets.</summary>
/// <param name="connection">The ports, for those who ask.</param>
/// <param name="language">The language of cells.</param>
/// <param name="session">Runs them, once it is there.</param>
/// <param name="publish">Tells everybody something about the request with that header.</param>
internal sealed class ShellRequests(
    ConnectionFile connection, CellLanguage language, Task<ICellSession> session, Action<byte[]?, string, JsonObject> publish)
{
    private static readonly CellError LostError = new(
        "Lost", "The cell could not be stopped; the kernel restarts and its variables are lost.",
        ["The cell could not be stopped; the kernel restarts and its variables are lost."], null);

    private static readonly CellError StoppedError = new("Interrupted", "The cell was stopped.", ["The cell was stopped."], null);

    private readonly Lock gate = new();
    private readonly List<(int Number, string Source)> history = [];
    private CancellationTokenSource? running;
    private int executionCount;

    /// <summary>Whether a cell still runs that cannot be stopped: nothing can be run any more.</summary>
    public bool IsLost { get; private set; }

    /// <summary>The answer to an execution that was not begun, as one before it failed.</summary>
    public static JsonObject Aborted()
    {
        const string why = "Not run, as a cell before it failed.";
        JsonObject content = KernelOutput.ErrorContent(new CellError("Aborted", why, [why], null));
        content["status"] = "aborted";
        return content;
    }

    /// <summary>Stops the cell that runs, if one does.</summary>
    public void Interrupt()
    {
        lock (gate)
        {
            // Whoever waits for the token is woken on its own thread, not under this lock.
            _ = running?.CancelAsync();
        }
    }

    /// <summary>Runs a cell; its outputs are published as they come.</summary>
    /// <returns>The answer, whose status is "ok" or "error".</returns>
    public JsonObject Execute(Request request)
    {
        string source = request.Text("code");
        // Not disposed: an interrupt may still be waking those who wait for it when the cell is over. It holds nothing.
        var stop = new CancellationTokenSource();
        lock (gate)
        {
            running = stop;
        }

        bool silent = request.Flag("silent", false), keeps = !silent && request.Flag("store_history", true);
        int number = keeps ? ++executionCount : executionCount;
        if (keeps)
        {
            history.Add((number, source));
        }

        if (!silent)
        {
            publish(request.Header, "execute_input", new JsonObject { ["code"] = source, ["execution_count"] = number });
        }

        using var output = new KernelOutput(
            (type, content) =>
            {
                if (!silent)
                {
                    publish(request.Header, type, content);
                }
            },
            number);
        CellEnd ended = Run(source, output, stop.Token);
        IsLost = ended == CellEnd.Lost;
        if (ended == CellEnd.Succeeded)
        {
            return new JsonObject
            {
                ["status"] = "ok",
                ["execution_count"] = number,
                ["payload"] = new JsonArray(),
                ["user_expressions"] = UserExpressions(request),
            };
        }

        CellError error = IsLost ? LostError : output.LastError ?? StoppedError;
        output.Publish(error);
        JsonObject reply = KernelOutput.ErrorContent(error);
        reply["status"] = "error";
        reply["execution_count"] = number;
        return reply;
    }

    /// <summary>Answers everything but executions; null where nothing is to be answered.</summary>
    public JsonObject? Answer(Request request)
    {
        switch (request.Type)
        {
            case "kernel_info_request":
                return KernelInfo.Content(language);
            case "connect_request":
                return Ok(new JsonObject
                {
                    ["shell_port"] = connection.ShellPort,
                    ["iopub_port"] = connection.IoPubPort,
                    ["stdin_port"] = connection.StdinPort,
                    ["hb_port"] = connection.HeartbeatPort,
                    ["control_port"] = connection.ControlPort,
                });
            case "complete_request":
                return Complete(request);
            case "inspect_request":
                return Inspect(request);
            case "is_complete_request":
                Completeness state = session.GetAwaiter().GetResult().Check(request.Text("code"), language);
                var content = new JsonObject { ["status"] = state.ToString().ToLowerInvariant() };
                if (state == Completeness.Incomplete)
                {
                    content["indent"] = "";
                }

                return content;
            case "history_request":
                return History(request);
            case "comm_info_request":
                return Ok(new JsonObject { ["comms"] = new JsonObject() });
            case "comm_open":
                // Nobody here talks over comms: the other side is told so, as the protocol asks.
                var closed = new JsonObject { ["comm_id"] = request.Text("comm_id"), ["data"] = new JsonObject() };
                publish(request.Header, "comm_close", closed);
                return null;
            case "comm_msg" or "comm_close" or "input_reply":
                return null;
            default:
                throw new AdmmKitException($"This kernel does not know the request '{request.Type}'.");
        }
    }

    private static JsonObject Ok(JsonObject content)
    {
        content["status"] = "ok";
        return content;
    }

    private CellEnd Run(string source, KernelOutput output, CancellationToken stop)
    {
        try
        {
            // The session may not be ready yet; an interrupt meanwhile is for this cell.
            return session.GetAwaiter().GetResult().Execute(source, language, output, stop);
        }
        finally
        {
            lock (gate)
            {
                running = null;
            }
        }
    }

    private JsonObject Complete(Request request)
    {
        string source = request.Text("code");
        int position = CodePoints.ToUtf16(source, request.Number("cursor_pos", int.MaxValue));
        Completion found = session.GetAwaiter().GetResult().Complete(source, position, language);
        return Ok(new JsonObject
        {
            ["matches"] = new JsonArray([.. found.Matches.Select(m => (JsonNode?)m)]),
            ["cursor_start"] = CodePoints.FromUtf16(source, found.Start),
            ["cursor_end"] = CodePoints.FromUtf16(source, found.End),
            ["metadata"] = new JsonObject(),
        });
    }

    private JsonObject Inspect(Request request)
    {
        string source = request.Text("code");
        int position = CodePoints.ToUtf16(source, request.Number("cursor_pos", int.MaxValue));
        MimeBundle? found = session.GetAwaiter().GetResult().Inspect(source, position, language);
        return Ok(new JsonObject
        {
            ["found"] = found is not null,
            ["data"] = found is null ? [] : KernelOutput.Data(found),
            ["metadata"] = new JsonObject(),
        });
    }

    /// <summary>The session's own cells: its last ones, those with certain numbers, or those that contain a text.</summary>
    private JsonObject History(Request request)
    {
        IEnumerable<(int Number, string Source)> lines = history;
        int count = Math.Max(0, request.Number("n", int.MaxValue));
        string kind = request.Text("hist_access_type");
        lines = kind switch
        {
            "range" => lines.Where(l => l.Number >= request.Number("start", 0) && l.Number < request.Number("stop", int.MaxValue)),
            "search" => lines.Where(l => Matches(request.Text("pattern"), l.Source)).TakeLast(count),
            _ => lines.TakeLast(count),
        };
        bool outputs = request.Flag("output", false);
        return Ok(new JsonObject
        {
            ["history"] = new JsonArray([.. lines.Select(l => (JsonNode?)new JsonArray(
                0, l.Number, outputs ? new JsonArray(l.Source, null) : JsonValue.Create(l.Source)))]),
        });
    }

    private static bool Matches(string pattern, string source) =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, source, ignoreCase: false);

    /// <summary>Expressions beside a cell are not evaluated: each is answered with that.</summary>
    private static JsonObject UserExpressions(Request request)
    {
        var answers = new JsonObject();
        if (request.Content.TryGetProperty("user_expressions", out JsonElement asked) && asked.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty expression in asked.EnumerateObject())
            {
                const string why = "This kernel does not evaluate user_expressions: write the expression into the cell.";
                JsonObject answer = KernelOutput.ErrorContent(new CellError("NotSupported", why, [why], null));
                answer["status"] = "error";
                answers[expression.Name] = answer;
            }
        }

        return answers;
    }
}
