using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>Why a kernel ended.</summary>
public enum KernelEnd
{
    /// <summary>It was asked to.</summary>
    ShutDown,

    /// <summary>A cell could not be stopped: only the end of the process stops it, and Jupyter starts another.</summary>
    Lost,
}

/// <summary>
/// A kernel of Jupyter, protocol 5.3 (jupyter-client.readthedocs.io, "Messaging in Jupyter"): cells are run one after another on one
/// thread; on another the control channel is answered, so that a running cell can be interrupted; a third owns the sockets.
/// </summary>
public sealed class JupyterKernel : IDisposable
{
    // Sent by one "Run All", later cells are here before the first has failed, but for what is on its way within the machine.
    private const int StillArrivingMilliseconds = 20;

    // A cell that runs while the kernel is shut down gets so long to stop.
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    private readonly TextWriter log;
    private readonly Task<ICellSession> session;
    private readonly Messages messages;
    private readonly Wire wire;
    private readonly BlockingCollection<Request> shellRequests = [], controlRequests = [];
    private readonly Queue<Request> sentBeforeFailure = new();
    private readonly TaskCompletionSource<KernelEnd> end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ShellRequests shell;

    /// <summary>Opens the sockets; the cells' session is made meanwhile.</summary>
    /// <param name="connection">Where to listen, and the key.</param>
    /// <param name="language">The language of cells.</param>
    /// <param name="createSession">Makes what runs the cells; it becomes the kernel's.</param>
    /// <param name="log">What goes wrong is said here, a line each; never to the notebook.</param>
    /// <exception cref="AdmmKitException">ZeroMQ is not installed, or an address is in use.</exception>
    public JupyterKernel(ConnectionFile connection, CellLanguage language, Func<ICellSession> createSession, TextWriter log)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(createSession);
        this.log = TextWriter.Synchronized(log);
        messages = new Messages(new Signer(connection.Key));
        wire = new Wire(connection, Receive, Stop, this.log);
        session = Task.Run(createSession);
        shell = new ShellRequests(connection, language, session, Publish);
        Publish(null, "status", new JsonObject { ["execution_state"] = "starting" });
    }

    /// <summary>The environment variable that names the file of ZeroMQ, for those who have it where the system does not look.</summary>
    public static string LibraryVariable => LibZmq.PathVariable;

    /// <summary>Loads ZeroMQ.</summary>
    /// <exception cref="AdmmKitException">It is not installed; the message says what to install.</exception>
    public static void RequireLibrary() => LibZmq.Require();

    /// <summary>Answers until it is told to end. The session is ended with it, except where a cell still runs in it.</summary>
    public KernelEnd Run()
    {
        Thread control = Start("Jupyter control", () => Serve(controlRequests.GetConsumingEnumerable()));
        // The compiler of F# nests deeply.
        Thread cells = Start("Jupyter cells", () => Serve(ShellQueue()), 16 << 20);
        KernelEnd ended = end.Task.GetAwaiter().GetResult();
        shellRequests.CompleteAdding();
        controlRequests.CompleteAdding();
        shell.Interrupt();
        control.Join(LastWords);
        if (ended != KernelEnd.Lost && cells.Join(LastWords) && session.IsCompletedSuccessfully)
        {
            session.Result.Dispose();
        }

        wire.Dispose();
        return ended;
    }

    /// <summary>Stops the cell that runs, if one does.</summary>
    public void Interrupt() => shell.Interrupt();

    /// <summary>Ends the kernel as a request would.</summary>
    public void Stop() => end.TrySetResult(KernelEnd.ShutDown);

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        wire.Dispose();
    }

    private static Thread Start(string name, Action work, int stackBytes = 0)
    {
        var thread = new Thread(() => work(), stackBytes) { Name = name, IsBackground = true };
        thread.Start();
        return thread;
    }

    // On the thread of the sockets.
    private void Receive(Channel channel, byte[][] parts)
    {
        if (messages.Read(channel, parts, out string wrong) is { } request)
        {
            try
            {
                (channel == Channel.Control ? controlRequests : shellRequests).Add(request);
            }
            catch (InvalidOperationException)
            {
                // The kernel is ending and takes no more.
            }
        }
        else
        {
            log.WriteLine($"warning: A message was dropped: {wrong}.");
        }
    }

    /// <summary>Requests in their order; cells that were sent before a failure was known are aborted.</summary>
    private IEnumerable<Request> ShellQueue()
    {
        while (!end.Task.IsCompleted)
        {
            if (sentBeforeFailure.TryDequeue(out Request? late))
            {
                if (late.Type == "execute_request")
                {
                    About(late, () => ShellRequests.Aborted());
                    continue;
                }

                yield return late;
            }
            else if (shellRequests.TryTake(out Request? request, Timeout.Infinite))
            {
                yield return request;
            }
            else
            {
                yield break;
            }
        }
    }

    private void Serve(IEnumerable<Request> requests)
    {
        foreach (Request request in requests)
        {
            switch (request.Type)
            {
                case "shutdown_request":
                    About(request, () => new JsonObject { ["status"] = "ok", ["restart"] = request.Flag("restart", false) });
                    end.TrySetResult(KernelEnd.ShutDown);
                    break;
                case "interrupt_request":
                    About(request, () =>
                    {
                        shell.Interrupt();
                        return new JsonObject { ["status"] = "ok" };
                    });
                    break;
                case not ("kernel_info_request" or "connect_request" or "comm_info_request") when request.Channel == Channel.Control:
                    // The rest has to wait for the cell that runs.
                    About(request, () => throw new AdmmKitException($"'{request.Type}' belongs to the shell channel."));
                    break;
                case "execute_request":
                    About(request, () => Execute(request));
                    if (shell.IsLost)
                    {
                        end.TrySetResult(KernelEnd.Lost);
                        return;
                    }

                    break;
                default:
                    About(request, () => shell.Answer(request));
                    break;
            }
        }
    }

    private JsonObject? Execute(Request request)
    {
        JsonObject reply = shell.Execute(request);
        if ((string?)reply["status"] == "error" && request.Flag("stop_on_error", true) && !request.Flag("silent", false))
        {
            // Before the answer, so that nothing is taken that was sent because of it.
            while (shellRequests.TryTake(out Request? waiting, StillArrivingMilliseconds))
            {
                sentBeforeFailure.Enqueue(waiting);
            }
        }

        return reply;
    }

    /// <summary>Answers a request, and tells everybody that the kernel is busy with it, then idle.</summary>
    private void About(Request request, Func<JsonObject?> answer)
    {
        void Status(string state) => Publish(request.Header, "status", new JsonObject { ["execution_state"] = state });
        Status("busy");
        JsonObject? content;
        try
        {
            content = answer();
        }
        catch (Exception e)
        {
            // Whatever the fault, the kernel lives on; the asker is told.
            log.WriteLine($"warning: '{request.Type}' failed: {e.Message}");
            content = KernelOutput.ErrorContent(new CellError(e.GetType().Name, e.Message, [], null));
            if (request.Type == "execute_request")
            {
                Publish(request.Header, "error", (JsonObject)content.DeepClone());
            }

            content["status"] = "error";
        }

        if (content is not null)
        {
            string type = request.Type.Replace("_request", "_reply", StringComparison.Ordinal);
            wire.Send(request.Channel, messages.Write(request.Identities, type, request.Header, content));
            if (type == "shutdown_reply")
            {
                Publish(request.Header, type, (JsonObject)content.DeepClone());
            }
        }

        Status("idle");
    }

    private void Publish(byte[]? parent, string type, JsonObject content) =>
        wire.Send(Channel.IoPub, messages.Write([Encoding.UTF8.GetBytes(type)], type, parent, content));
}
