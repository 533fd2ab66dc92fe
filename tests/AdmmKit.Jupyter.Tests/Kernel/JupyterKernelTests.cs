using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Kernel;

namespace AdmmKit.Jupyter.Tests.Kernel;

public class JupyterKernelTests
{
    private static JsonObject Code(string code) => new() { ["code"] = code };

    private static string[] Types(IEnumerable<KernelClient.Message> messages) => [.. messages.Select(m => m.Type)];

    [ZmqFact]
    public void Outputs_come_in_the_order_in_which_a_cell_makes_them()
    {
        using var client = new KernelClient();
        KernelClient.Message reply = client.Ask("execute_request", Code("everything"));
        List<KernelClient.Message> said = client.Said(reply.Parent);
        Assert.Equal("execute_reply", reply.Type);
        Assert.Equal("ok", (string?)reply.Content["status"]);
        Assert.Equal(
            ["status", "execute_input", "stream", "stream", "display_data", "update_display_data", "stream", "execute_result", "status"],
            Types(said));
        Assert.True(said[0].IsStatus("busy"));
        Assert.Equal(("everything", 1), ((string?)said[1].Content["code"], (int?)said[1].Content["execution_count"]));
        Assert.Equal(("stdout", "one two\n"), ((string?)said[2].Content["name"], (string?)said[2].Content["text"]));
        Assert.Equal(("stderr", "wrong\n"), ((string?)said[3].Content["name"], (string?)said[3].Content["text"]));
        Assert.All(said[4..6], s => Assert.Equal("d1", (string?)s.Content["transient"]!["display_id"]));
        Assert.Equal("second", (string?)said[5].Content["data"]!["text/plain"]);
        Assert.IsType<JsonObject>(said[5].Content["data"]!["application/vnd.plotly.v1+json"]);
        Assert.Equal(1, (int?)said[7].Content["execution_count"]);
        Assert.Equal(2, (int?)client.Ask("execute_request", Code("next")).Content["execution_count"]);
    }

    [ZmqFact]
    public void A_failure_is_an_output_and_an_answer_and_later_cells_are_not_run()
    {
        using var client = new KernelClient();
        string failing = client.Request("execute_request", Code("fail"));
        string next = client.Request("execute_request", Code("next"));
        string question = client.Request("is_complete_request", Code("x"));
        KernelClient.Message[] replies = [client.Reply(), client.Reply(), client.Reply()];
        Assert.Equal([failing, next, question], replies.Select(r => r.Parent));
        Assert.Equal(["error", "aborted", "complete"], replies.Select(r => (string?)r.Content["status"]));
        KernelClient.Message error = client.Said(failing)[2];
        Assert.Equal("error", error.Type);
        Assert.Equal("DivideByZeroException", (string?)error.Content["ename"]);
        Assert.Equal(2, error.Content["traceback"]!.AsArray().Count);
        Assert.Equal(["status", "status"], Types(client.Said(next)));

        // What is sent after the answer is run; and all is, where the client says so.
        Assert.Equal("ok", (string?)client.Ask("execute_request", Code("next")).Content["status"]);
        client.Request("execute_request", new JsonObject { ["code"] = "fail", ["stop_on_error"] = false });
        client.Request("execute_request", Code("next"));
        Assert.Equal(["error", "ok"], new[] { client.Reply(), client.Reply() }.Select(r => (string?)r.Content["status"]));
    }

    [ZmqFact]
    public void While_a_cell_runs_control_and_heartbeat_answer_and_an_interrupt_stops_it()
    {
        using var client = new KernelClient();
        string cell = client.Request("execute_request", Code("wait"));
        string next = client.Request("execute_request", Code("next"));
        Assert.Equal("waiting", (string?)client.WaitFor("stream").Content["text"]);
        Assert.Equal([1, 2, 3], client.Beat([1, 2, 3]));
        Assert.Equal("ok", (string?)client.Ask("kernel_info_request", [], Channel.Control).Content["status"]);
        Assert.Equal("error", (string?)client.Ask("complete_request", Code("x"), Channel.Control).Content["status"]);
        Assert.Equal("interrupt_reply", client.Ask("interrupt_request", [], Channel.Control).Type);
        KernelClient.Message stopped = client.Reply(), aborted = client.Reply();
        Assert.Equal((cell, "error"), (stopped.Parent, (string?)stopped.Content["status"]));
        Assert.Equal("Interrupted", (string?)stopped.Content["ename"]);
        Assert.Equal((next, "aborted"), (aborted.Parent, (string?)aborted.Content["status"]));

        // With nothing to stop it is answered all the same, and stops nothing later.
        Assert.Equal("ok", (string?)client.Ask("interrupt_request", [], Channel.Control).Content["status"]);
        Assert.Equal("ok", (string?)client.Ask("execute_request", Code("next")).Content["status"]);
    }

    [ZmqFact]
    public void A_cell_that_cannot_be_stopped_ends_the_kernel_and_says_so()
    {
        using var client = new KernelClient();
        string cell = client.Request("execute_request", Code("stuck"));
        client.WaitFor("stream");
        client.Request("interrupt_request", [], Channel.Control);
        Assert.Equal(
            "The cell could not be stopped; the kernel restarts and its variables are lost.",
            (string?)client.WaitFor("error").Content["evalue"]);
        Assert.Equal((cell, "error"), client.Reply() is var reply ? (reply.Parent, (string?)reply.Content["status"]) : default);
        Assert.True(client.End.Wait(10_000));
        Assert.Equal(KernelEnd.Lost, client.End.Result);
        Assert.False(client.Session.IsDisposed);
    }

    [ZmqFact]
    public void Shutdown_stops_the_running_cell_and_tells_everybody()
    {
        using var client = new KernelClient();
        client.Request("execute_request", Code("wait"));
        client.Request("execute_request", Code("next"));
        client.WaitFor("stream");
        KernelClient.Message reply = client.Ask("shutdown_request", new JsonObject { ["restart"] = true }, Channel.Control);
        Assert.Equal(("shutdown_reply", "ok", true), (reply.Type, (string?)reply.Content["status"], (bool?)reply.Content["restart"]));
        Assert.True((bool?)client.WaitFor("shutdown_reply").Content["restart"]);
        Assert.True(client.End.Wait(10_000));
        Assert.Equal(KernelEnd.ShutDown, client.End.Result);
        Assert.True(client.Session.IsDisposed);
    }

    [ZmqFact]
    public void Shutdown_by_the_shell_channel_works_too()
    {
        using var client = new KernelClient();
        Assert.False((bool?)client.Ask("shutdown_request", []).Content["restart"]);
        Assert.True(client.End.Wait(10_000));
    }

    [ZmqFact]
    public void Wrong_messages_are_dropped_with_a_line_and_the_kernel_lives_on()
    {
        using var client = new KernelClient();
        byte[][] forged = client.Parts("forged", "execute_request", Code("forged"));
        forged[1][0] ^= 1;
        client.SendParts(forged);
        client.SendParts([[1, 2, 3]]);
        client.SendParts([.. Enumerable.Repeat(new byte[] { 7 }, 100), .. client.Parts("many", "execute_request", Code("many"))]);
        byte[][] again = client.Parts("twice", "execute_request", Code("twice"));
        client.SendParts(again);
        client.SendParts(again);
        Assert.Equal("twice", client.Reply().Parent);
        // The library cuts off who sends so much in one part; the next connection is as good as any.
        client.SendParts(client.Parts("large", "execute_request", Code(new string('x', (int)ZmqSocket.MaxPartBytes + 1))), Channel.Control);
        Assert.Equal("ok", (string?)client.Ask("execute_request", Code("next")).Content["status"]);
        string[] lines = client.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        Assert.Contains("signature", lines[0], StringComparison.Ordinal);
        Assert.Contains("not all parts", lines[1], StringComparison.Ordinal);
        Assert.Contains("more than 64 parts", lines[2], StringComparison.Ordinal);
        Assert.Contains("was used before", lines[3], StringComparison.Ordinal);
    }

    [ZmqFact]
    public void A_request_that_lacks_something_or_is_not_known_is_answered_with_that()
    {
        using var client = new KernelClient();
        KernelClient.Message reply = client.Ask("execute_request", []);
        Assert.Equal("error", (string?)reply.Content["status"]);
        Assert.Contains("no text 'code'", (string?)reply.Content["evalue"], StringComparison.Ordinal);
        reply = client.Ask("make_coffee_request", []);
        Assert.Equal(("make_coffee_reply", "error"), (reply.Type, (string?)reply.Content["status"]));
        reply = client.Ask("execute_request", Code("break"));
        JsonObject error = client.Said(reply.Parent).Single(s => s.Type == "error").Content;
        Assert.Contains("broken", (string?)error["evalue"], StringComparison.Ordinal);
        Assert.Equal("ok", (string?)client.Ask("execute_request", Code("next")).Content["status"]);
    }

    [ZmqFact]
    public void A_session_that_cannot_be_made_is_said_where_the_cell_is()
    {
        using var client = new KernelClient(() => throw new AdmmKitException("no compiler here"));
        KernelClient.Message reply = client.Ask("execute_request", Code("x"));
        Assert.Equal("no compiler here", (string?)reply.Content["evalue"]);
        Assert.Contains("error", Types(client.Said(reply.Parent)));
    }

    [ZmqFact]
    public void Many_short_lines_are_few_messages_and_none_is_lost()
    {
        using var client = new KernelClient();
        string id = client.Request("execute_request", Code("lines"));
        KernelClient.Message[] streams = [.. client.Said(id).Where(s => s.Type == "stream")];
        Assert.InRange(streams.Length, 1, 200);
        Assert.Equal(50_000 * "a short line\n".Length, streams.Sum(s => ((string)s.Content["text"]!).Length));
    }

    [ZmqFact]
    public void Of_many_updates_the_newest_comes_and_the_end_of_the_cell_too()
    {
        using var client = new KernelClient();
        KernelClient.Message reply = client.Ask("execute_request", Code("updates"));
        KernelClient.Message[] updates = [.. client.Said(reply.Parent).Where(s => s.Type == "update_display_data")];
        Assert.InRange(updates.Length, 1, 3_000);
        Assert.Equal("30000", (string?)updates[^1].Content["data"]!["text/plain"]);
    }

    [ZmqFact]
    public void An_interrupt_before_the_session_is_ready_is_for_the_cell_that_waits_for_it()
    {
        using var ready = new ManualResetEventSlim();
        using var client = new KernelClient(() =>
        {
            ready.Wait();
            return new FakeSession();
        });
        client.Request("execute_request", Code("stopped?"));
        client.WaitFor("execute_input");
        client.Ask("interrupt_request", [], Channel.Control);
        ready.Set();
        Assert.Equal("Interrupted", (string?)client.Reply().Content["ename"]);
    }

    [ZmqFact]
    public void A_silent_cell_that_fails_keeps_no_other_from_running()
    {
        using var client = new KernelClient();
        client.Request("execute_request", new JsonObject { ["code"] = "fail", ["silent"] = true });
        client.Request("execute_request", Code("next"));
        Assert.Equal(["error", "ok"], new[] { client.Reply(), client.Reply() }.Select(r => (string?)r.Content["status"]));
    }

    [ZmqFact]
    public void A_heartbeat_of_too_many_parts_is_answered_and_so_is_the_next()
    {
        using var client = new KernelClient();
        Assert.Empty(client.Beat([.. Enumerable.Repeat(new byte[] { 1 }, 70)]));
        Assert.Equal([2], client.Beat([2]));
    }

    [ZmqFact]
    public void Characters_that_are_written_in_halves_are_whole()
    {
        using var client = new KernelClient();
        string id = client.Request("execute_request", Code("pairs"));
        string text = string.Concat(client.Said(id).Where(s => s.Type == "stream").Select(s => (string?)s.Content["text"]));
        Assert.Equal(string.Concat(Enumerable.Repeat("😀", 20_000)) + "\ufffd", text);
    }

    [ZmqFact]
    public void A_cell_that_writes_often_is_seen_while_it_runs()
    {
        using var client = new KernelClient();
        client.Request("execute_request", Code("often"));
        Assert.StartsWith(".", (string?)client.WaitFor("stream").Content["text"], StringComparison.Ordinal);
        client.Ask("interrupt_request", [], Channel.Control);
        Assert.Equal("error", (string?)client.Reply().Content["status"]);
    }

    [ZmqFact]
    public void A_silent_cell_says_nothing_and_does_not_count()
    {
        using var client = new KernelClient();
        KernelClient.Message reply = client.Ask("execute_request", new JsonObject
        {
            ["code"] = "everything",
            ["silent"] = true,
            ["user_expressions"] = new JsonObject { ["a"] = "1 + 1" },
        });
        Assert.Equal(["status", "status"], Types(client.Said(reply.Parent)));
        Assert.Equal(0, (int?)reply.Content["execution_count"]);
        Assert.Equal("error", (string?)reply.Content["user_expressions"]!["a"]!["status"]);
    }

    [ZmqFact]
    public void What_is_no_json_leaves_the_other_forms()
    {
        using var client = new KernelClient();
        client.Request("execute_request", Code("broken json"));
        Assert.Equal("""{"text/plain":"text"}""", client.WaitFor("display_data").Content["data"]!.ToJsonString());
    }

    [ZmqFact]
    public void Questions_about_code_count_in_code_points()
    {
        using var client = new KernelClient();
        // Two code points beyond the first plane: four UTF-16 units.
        JsonObject asked = new() { ["code"] = "😀😀Co", ["cursor_pos"] = 4 };
        KernelClient.Message reply = client.Ask("complete_request", (JsonObject)asked.DeepClone());
        Assert.Equal((2, 4), ((int?)reply.Content["cursor_start"], (int?)reply.Content["cursor_end"]));
        Assert.Equal(["Console", "Convert"], reply.Content["matches"]!.AsArray().Select(m => (string?)m));
        asked["cursor_pos"] = 2;
        reply = client.Ask("inspect_request", asked);
        Assert.Equal((true, "😀😀|Co"), ((bool?)reply.Content["found"], (string?)reply.Content["data"]!["text/plain"]));
        Assert.False((bool?)client.Ask("inspect_request", Code("unknown")).Content["found"]);
        Assert.Equal("incomplete", (string?)client.Ask("is_complete_request", Code("if (")).Content["status"]);
        Assert.Equal("invalid", (string?)client.Ask("is_complete_request", Code(")")).Content["status"]);
    }

    [ZmqFact]
    public void History_has_the_cells_that_are_to_be_kept()
    {
        using var client = new KernelClient();
        client.Ask("execute_request", Code("a"));
        client.Ask("execute_request", new JsonObject { ["code"] = "b", ["store_history"] = false });
        client.Ask("execute_request", Code("c1"));
        client.Ask("execute_request", Code("c2"));
        string History(JsonObject asked) => client.Ask("history_request", asked).Content["history"]!.ToJsonString();
        Assert.Equal("""[[0,2,"c1"],[0,3,"c2"]]""", History(new() { ["hist_access_type"] = "tail", ["n"] = 2 }));
        Assert.Equal("""[[0,1,"a"]]""", History(new() { ["hist_access_type"] = "range", ["start"] = 1, ["stop"] = 2 }));
        Assert.Equal(
            """[[0,3,["c2",null]]]""",
            History(new() { ["hist_access_type"] = "search", ["pattern"] = "c*", ["n"] = 1, ["output"] = true }));
    }

    [ZmqFact]
    public void Other_requests_are_answered()
    {
        using var client = new KernelClient();
        JsonNode info = client.Ask("kernel_info_request", []).Content["language_info"]!;
        Assert.Equal(("C#", "text/x-csharp", ".cs"), ((string?)info["name"], (string?)info["mimetype"], (string?)info["file_extension"]));
        Assert.Equal(5, (int?)client.Ask("connect_request", []).Content["hb_port"]);
        Assert.Equal("{}", client.Ask("comm_info_request", []).Content["comms"]!.ToJsonString());
        string comm = client.Request("comm_open", new JsonObject { ["comm_id"] = "c", ["target_name"] = "t", ["data"] = new JsonObject() });
        Assert.Equal("c", (string?)client.Said(comm).Single(s => s.Type == "comm_close").Content["comm_id"]);
    }
}
