using System.Collections.Concurrent;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>
/// The five sockets of a kernel. They belong to one thread, which is never kept waiting by a cell: it hands on what comes, sends what
/// others put into its queue, in their order, and answers heartbeats itself.
/// </summary>
internal sealed class Wire : IDisposable
{
    // No bound to how far a subscriber may be behind: one that misses that a cell ended waits for ever. What a cell says is bounded elsewhere.
    private const int IoPubHighWater = 0;

    private static readonly byte[][] Bell = [[]];

    private readonly Action<Channel, byte[][]> received;
    private readonly Action failed;
    private readonly TextWriter log;
    private readonly nint context;
    private readonly ZmqSocket shell, control, ioPub, stdin, heartbeat, bell, wake;
    private readonly ConcurrentQueue<(Channel Channel, byte[][] Parts)> outgoing = new();
    private readonly Lock ringing = new();
    private readonly Thread thread;
    private volatile bool ending;

    /// <param name="connection">Where to listen.</param>
    /// <param name="received">Is given each message of shell and control, on the thread of the sockets: it must not wait.</param>
    /// <param name="failed">Is called when the sockets can be used no more.</param>
    /// <param name="log">What goes wrong is said here, a line each.</param>
    public Wire(ConnectionFile connection, Action<Channel, byte[][]> received, Action failed, TextWriter log)
    {
        LibZmq.Require();
        this.received = received;
        this.failed = failed;
        this.log = log;
        context = LibZmq.NewContext();
        var opened = new List<ZmqSocket>();
        ZmqSocket Open(int type, Action<ZmqSocket> configure)
        {
            var socket = new ZmqSocket(context, type);
            opened.Add(socket);
            configure(socket);
            return socket;
        }

        // A client that lost its connection comes again under its old name.
        ZmqSocket Router(int port) => Open(LibZmq.Router, s =>
        {
            s.Set(LibZmq.RouterHandover, 1);
            s.Bind(connection.Address(port));
        });
        try
        {
            shell = Router(connection.ShellPort);
            control = Router(connection.ControlPort);
            stdin = Router(connection.StdinPort);
            ioPub = Open(LibZmq.Pub, s =>
            {
                s.Set(LibZmq.SendHighWater, IoPubHighWater);
                s.Bind(connection.Address(connection.IoPubPort));
            });
            heartbeat = Open(LibZmq.Rep, s => s.Bind(connection.Address(connection.HeartbeatPort)));
            wake = Open(LibZmq.Pair, s => s.Bind("inproc://wake"));
            bell = Open(LibZmq.Pair, s => s.Connect("inproc://wake"));
        }
        catch
        {
            opened.ForEach(s => s.Dispose());
            _ = LibZmq.EndContext(context);
            throw;
        }

        thread = new Thread(Run) { Name = "Jupyter sockets", IsBackground = true };
        thread.Start();
    }

    /// <summary>Sends a message, after those that were given before.</summary>
    public void Send(Channel channel, byte[][] parts)
    {
        outgoing.Enqueue((channel, parts));
        Ring();
    }

    /// <summary>Sends what is left, and closes the sockets.</summary>
    public void Dispose()
    {
        if (!ending)
        {
            ending = true;
            Ring();
            thread.Join();
            lock (ringing)
            {
                bell.Dispose();
            }

            // Waits for as long as the sockets linger.
            _ = LibZmq.EndContext(context);
        }
    }

    private void Ring()
    {
        lock (ringing)
        {
            if (thread.IsAlive)
            {
                bell.Send(Bell);
            }
        }
    }

    private void Run()
    {
        ZmqSocket[] watched = [wake, control, shell, heartbeat];
        try
        {
            while (!ending)
            {
                ZmqSocket.Wait(watched, -1);
                while (wake.Receive() is not null)
                {
                    // One look into the queue answers them all.
                }

                SendQueued();
                if (heartbeat.Receive() is { } beat)
                {
                    // A message of too many parts is empty; without an answer the socket takes no other.
                    heartbeat.Send(beat.Length > 0 ? beat : Bell);
                }

                HandOn(Channel.Control, control);
                HandOn(Channel.Shell, shell);
            }

            SendQueued();
        }
        catch (AdmmKitException e)
        {
            log.WriteLine("error: " + e.Message);
            failed();
        }
        finally
        {
            Array.ForEach([shell, control, stdin, ioPub, heartbeat, wake], s => s.Dispose());
        }
    }

    private void HandOn(Channel channel, ZmqSocket socket)
    {
        if (socket.Receive() is { } parts)
        {
            received(channel, parts);
        }
    }

    private void SendQueued()
    {
        while (outgoing.TryDequeue(out (Channel Channel, byte[][] Parts) message))
        {
            (message.Channel switch { Channel.Shell => shell, Channel.Control => control, _ => ioPub }).Send(message.Parts);
        }
    }
}
