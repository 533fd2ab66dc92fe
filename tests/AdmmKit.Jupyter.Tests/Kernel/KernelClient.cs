using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Kernel;
using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Jupyter.Tests.Kernel;

/// <summary>A kernel over a fake session, on sockets in a folder of its own, and a client of it.</summary>
internal sealed class KernelClient : IDisposable
{
    public const string Key = "a0436f6c-1916-498b-8eb9-e81ab9368e84";

    private const int TimeoutMilliseconds = 30_000;

    private readonly string folder = Directory.CreateTempSubdirectory("admmkit-kernel-").FullName;
    private readonly nint context = LibZmq.NewContext();
    private readonly Signer signer = new(Key);
    private readonly JupyterKernel kernel;
    private readonly ZmqSocket shell, control, ioPub, heartbeat;
    private readonly StringWriter log = new();
    private int count;

    public KernelClient(Func<ICellSession>? session = null)
    {
        Connection = new ConnectionFile
        {
            Transport = "ipc",
            Ip = Path.Combine(folder, "k"),
            ShellPort = 1,
            ControlPort = 2,
            IoPubPort = 3,
            StdinPort = 4,
            HeartbeatPort = 5,
            Key = Key,
        };
        kernel = new JupyterKernel(Connection, CellLanguage.CSharp, session ?? (() => Session), log);
        End = Task.Factory.StartNew(kernel.Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        ZmqSocket Open(int type, int port)
        {
            var socket = new ZmqSocket(context, type, maxBytes: -1);
            socket.Set(LibZmq.Linger, 0);
            socket.Connect(Connection.Address(port));
            return socket;
        }

        shell = Open(LibZmq.Dealer, Connection.ShellPort);
        control = Open(LibZmq.Dealer, Connection.ControlPort);
        ioPub = Open(LibZmq.Sub, Connection.IoPubPort);
        ioPub.SubscribeToAll();
        heartbeat = Open(LibZmq.Req, Connection.HeartbeatPort);
        // A subscription takes a moment to arrive; what was said before is not heard.
        do
        {
            Request("kernel_info_request", []);
        }
        while (!ZmqSocket.Wait([ioPub], 50));
        string last = Ask("kernel_info_request", []).Parent;
        while (Next(ioPub) is var said && !(said.IsStatus("idle") && said.Parent == last))
        {
        }
    }

    public FakeSession Session { get; } = new();

    public ConnectionFile Connection { get; }

    public Task<KernelEnd> End { get; }

    public string Log => log.ToString();

    /// <summary>A message as it came.</summary>
    public sealed record Message(string Type, string Parent, JsonObject Content)
    {
        public bool IsStatus(string state) => Type == "status" && (string?)Content["execution_state"] == state;
    }

    /// <summary>Sends a request, and gives its name.</summary>
    public string Request(string type, JsonObject content, Channel channel = Channel.Shell)
    {
        string id = $"request-{++count}";
        SendParts(Parts(id, type, content), channel);
        return id;
    }

    /// <summary>The parts of a signed message.</summary>
    public byte[][] Parts(string id, string type, JsonObject content)
    {
        var header = new JsonObject { ["msg_id"] = id, ["msg_type"] = type, ["session"] = "s", ["username"] = "u", ["version"] = "5.3" };
        byte[][] body = [.. new[] { header.ToJsonString(), "{}", "{}", content.ToJsonString() }.Select(Encoding.UTF8.GetBytes)];
        return ["<IDS|MSG>"u8.ToArray(), signer.Sign(body), .. body];
    }

    public void SendParts(byte[][] parts, Channel channel = Channel.Shell) => (channel == Channel.Control ? control : shell).Send(parts);

    /// <summary>Sends a request and waits for its answer.</summary>
    public Message Ask(string type, JsonObject content, Channel channel = Channel.Shell)
    {
        string id = Request(type, content, channel);
        while (true)
        {
            if (Reply(channel) is var reply && reply.Parent == id)
            {
                return reply;
            }
        }
    }

    /// <summary>The next answer on a channel.</summary>
    public Message Reply(Channel channel = Channel.Shell) => Next(channel == Channel.Control ? control : shell);

    /// <summary>All that was said to everybody about a request, until the kernel is idle again.</summary>
    public List<Message> Said(string id)
    {
        var all = new List<Message>();
        while (true)
        {
            Message said = Next(ioPub);
            if (said.Parent == id)
            {
                all.Add(said);
                if (said.IsStatus("idle"))
                {
                    return all;
                }
            }
        }
    }

    /// <summary>Waits until something of that type was said.</summary>
    public Message WaitFor(string type)
    {
        while (true)
        {
            if (Next(ioPub) is var said && said.Type == type)
            {
                return said;
            }
        }
    }

    /// <summary>Sends a heartbeat and gives what comes back.</summary>
    public byte[] Beat(params byte[][] data)
    {
        heartbeat.Send(data);
        return ZmqSocket.Wait([heartbeat], TimeoutMilliseconds) ? heartbeat.Receive()![0] : throw new TimeoutException("no heartbeat");
    }

    public void Dispose()
    {
        kernel.Dispose();
        bool ended = End.Wait(TimeoutMilliseconds);
        Array.ForEach([shell, control, ioPub, heartbeat], s => s.Dispose());
        _ = LibZmq.EndContext(context);
        Directory.Delete(folder, recursive: true);
        Assert.True(ended, "The kernel did not end.");
    }

    private Message Next(ZmqSocket socket)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < TimeoutMilliseconds)
        {
            if (ZmqSocket.Wait([socket], 1000) && socket.Receive() is { } parts)
            {
                int delimiter = Array.FindIndex(parts, p => p.AsSpan().SequenceEqual("<IDS|MSG>"u8));
                byte[][] body = parts[(delimiter + 2)..];
                Assert.Equal(signer.Sign(body), parts[delimiter + 1]);
                JsonNode header = JsonNode.Parse(body[0])!;
                Assert.Equal("5.3", (string?)header["version"]);
                return new Message(
                    (string)header["msg_type"]!, (string?)JsonNode.Parse(body[1])!["msg_id"] ?? "", JsonNode.Parse(body[3])!.AsObject());
            }
        }

        throw new TimeoutException("No message came. The kernel says: " + Log);
    }
}
