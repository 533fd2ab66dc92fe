using System.Buffers.Binary;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>A socket of ZeroMQ. Used by one thread at a time, as the library asks.</summary>
internal sealed unsafe class ZmqSocket : IDisposable
{
    /// <summary>Parts that a message may have: identities, six of the protocol, and buffers.</summary>
    public const int MaxParts = 64;

    /// <summary>Bytes that a part may have: more than any cell, less than what would exhaust a machine.</summary>
    public const long MaxPartBytes = 32L << 20;

    private nint handle;

    /// <param name="context">From <see cref="LibZmq.NewContext"/>.</param>
    /// <param name="type">Such as <see cref="LibZmq.Router"/>.</param>
    /// <param name="maxBytes">A peer that sends a longer part is cut off by the library.</param>
    public ZmqSocket(nint context, int type, long maxBytes = MaxPartBytes)
    {
        handle = LibZmq.NewSocket(context, type);
        if (handle == 0)
        {
            throw new AdmmKitException($"ZeroMQ could not open a socket: {LibZmq.LastError()}. Close other programs, then start again.");
        }

        Set(LibZmq.MaxMessageSize, maxBytes);
        // The last messages of a kernel, such as its answer to a shutdown, still go out; one that nobody takes holds nobody up.
        Set(LibZmq.Linger, 1000);
    }

    public void Set(int option, int value) => Check(LibZmq.SetOption(handle, option, &value, sizeof(int)), "set an option");

    public void Set(int option, long value) => Check(LibZmq.SetOption(handle, option, &value, sizeof(long)), "set an option");

    public void SubscribeToAll() => Check(LibZmq.SetOption(handle, LibZmq.Subscribe, null, 0), "subscribe");

    public void Bind(string address) => Check(LibZmq.Bind(handle, address), $"bind to {address}");

    public void Connect(string address) => Check(LibZmq.Connect(handle, address), $"connect to {address}");

    /// <summary>
    /// Sends a message at once. None of a kernel's sockets waits for its peer: what a peer does not take is dropped by the library.
    /// </summary>
    public void Send(params ReadOnlySpan<byte[]> parts)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            int flags = LibZmq.DontWait | (i + 1 < parts.Length ? LibZmq.SendMore : 0);
            fixed (byte* data = parts[i])
            {
                while (LibZmq.Send(handle, data, (nuint)parts[i].Length, flags) < 0)
                {
                    int error = LibZmq.Error();
                    if (error == LibZmq.Again)
                    {
                        return;
                    }

                    Check(error == LibZmq.Interrupted ? 0 : -1, "send");
                }
            }
        }
    }

    /// <summary>
    /// The next message if one is there, else null; empty where it had more than <see cref="MaxParts"/> parts, which are dropped.
    /// </summary>
    public byte[][]? Receive()
    {
        var parts = new List<byte[]>();
        LibZmq.Message message;
        bool more = true;
        for (int count = 0; more; count++)
        {
            Check(LibZmq.InitMessage(&message), "receive");
            try
            {
                while (LibZmq.Receive(&message, handle, LibZmq.DontWait) < 0)
                {
                    int error = LibZmq.Error();
                    if (error == LibZmq.Again)
                    {
                        return null;
                    }

                    Check(error == LibZmq.Interrupted ? 0 : -1, "receive");
                }

                more = LibZmq.HasMore(&message) != 0;
                if (count < MaxParts)
                {
                    parts.Add(new ReadOnlySpan<byte>(LibZmq.Data(&message), (int)LibZmq.Size(&message)).ToArray());
                }
                else
                {
                    parts.Clear();
                }
            }
            finally
            {
                _ = LibZmq.CloseMessage(&message);
            }
        }

        return [.. parts];
    }

    /// <summary>Waits until one of the sockets has a message.</summary>
    /// <param name="sockets">The sockets, of this thread.</param>
    /// <param name="milliseconds">How long at most; -1: for ever.</param>
    /// <returns>Whether one has.</returns>
    public static bool Wait(IReadOnlyList<ZmqSocket> sockets, int milliseconds)
    {
        // zmq_pollitem_t: the socket, a file descriptor (a pointer's size on Windows, else an int), events, events that came.
        int eventsAt = OperatingSystem.IsWindows() ? 2 * sizeof(nint) : sizeof(nint) + sizeof(int);
        int stride = (eventsAt + (2 * sizeof(short)) + sizeof(nint) - 1) / sizeof(nint) * sizeof(nint);
        Span<byte> items = stackalloc byte[stride * sockets.Count];
        items.Clear();
        fixed (byte* start = items)
        {
            for (int i = 0; i < sockets.Count; i++)
            {
                *(nint*)(start + (i * stride)) = sockets[i].handle;
                BinaryPrimitives.WriteInt16LittleEndian(items[((i * stride) + eventsAt)..], LibZmq.PollIn);
            }

            int ready = LibZmq.Poll(start, sockets.Count, new(milliseconds));
            return ready >= 0 || LibZmq.Error() == LibZmq.Interrupted
                ? ready > 0
                : throw new AdmmKitException($"ZeroMQ could not wait for messages: {LibZmq.LastError()}. Start the kernel again.");
        }
    }

    public void Dispose()
    {
        if (handle != 0)
        {
            _ = LibZmq.CloseSocket(handle);
            handle = 0;
        }
    }

    private static void Check(int result, string what)
    {
        if (result < 0)
        {
            throw new AdmmKitException(
                $"ZeroMQ could not {what}: {LibZmq.LastError()}. If the address is in use, another kernel has this "
                + "connection file: start again with a new one.");
        }
    }
}
