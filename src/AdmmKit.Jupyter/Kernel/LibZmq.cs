using System.Runtime.InteropServices;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>The calls of libzmq's C interface that a kernel needs (zmq.h, version 4).</summary>
internal static unsafe partial class LibZmq
{
    /// <summary>A file that is libzmq, for those who have it where the system does not look.</summary>
    public const string PathVariable = "ADMMKIT_LIBZMQ";

    public const int Pair = 0, Pub = 1, Sub = 2, Req = 3, Rep = 4, Dealer = 5, Router = 6;

    public const int Subscribe = 6, Linger = 17, MaxMessageSize = 22, SendHighWater = 23, RouterHandover = 56;

    public const int DontWait = 1, SendMore = 2;

    public const short PollIn = 1;

    /// <summary>EINTR, the same number on every system.</summary>
    public const int Interrupted = 4;

    private const string Library = "libzmq";

    // Loaded once: the tests ask for the error without the library by calling Find themselves.
    private static readonly Lazy<nint> Handle = new(
        () => Find(Candidates(), name => NativeLibrary.TryLoad(name, out nint handle) ? handle : 0));

    static LibZmq() => NativeLibrary.SetDllImportResolver(
        typeof(LibZmq).Assembly, (name, _, _) => name == Library ? Handle.Value : 0);

    /// <summary>EAGAIN: nothing is there to receive.</summary>
    public static int Again { get; } = OperatingSystem.IsMacOS() || OperatingSystem.IsFreeBSD() ? 35 : 11;

    /// <summary>Loads the library now, so that its absence is said before anything else happens.</summary>
    /// <exception cref="AdmmKitException">It is not there; the message says what to install.</exception>
    public static void Require() => _ = Handle.Value;

    /// <summary>The first library that loads.</summary>
    /// <param name="names">Files and names to try.</param>
    /// <param name="load">Gives the handle of a library, or 0.</param>
    internal static nint Find(IReadOnlyList<string> names, Func<string, nint> load)
    {
        foreach (string name in names)
        {
            if (load(name) is var handle && handle != 0)
            {
                return handle;
            }
        }

        throw new AdmmKitException(
            $"The library ZeroMQ, over which Jupyter talks to its kernels, was not found (tried: {string.Join(", ", names)}). "
            + "Install it (Debian, Ubuntu: apt install libzmq5; Fedora: dnf install zeromq; macOS: brew install zeromq; "
            + $"Windows: vcpkg install zeromq), or set {PathVariable} to the file of the library.");
    }

    private static string[] Candidates() => Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } path ? [path]
        : OperatingSystem.IsWindows() ? ["libzmq.dll", "libzmq"]
        : OperatingSystem.IsMacOS() ? ["libzmq.5.dylib", "libzmq.dylib", "/opt/homebrew/lib/libzmq.dylib", "/usr/local/lib/libzmq.dylib"]
        : ["libzmq.so.5", "libzmq.so", "libzmq"];

    /// <summary>zmq_msg_t: 64 bytes that belong to the library.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Message
    {
        private fixed long content[8];
    }

    [LibraryImport(Library, EntryPoint = "zmq_ctx_new")]
    public static partial nint NewContext();

    [LibraryImport(Library, EntryPoint = "zmq_ctx_term")]
    public static partial int EndContext(nint context);

    [LibraryImport(Library, EntryPoint = "zmq_socket")]
    public static partial nint NewSocket(nint context, int type);

    [LibraryImport(Library, EntryPoint = "zmq_close")]
    public static partial int CloseSocket(nint socket);

    [LibraryImport(Library, EntryPoint = "zmq_setsockopt")]
    public static partial int SetOption(nint socket, int option, void* value, nuint length);

    [LibraryImport(Library, EntryPoint = "zmq_bind", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Bind(nint socket, string address);

    [LibraryImport(Library, EntryPoint = "zmq_connect", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Connect(nint socket, string address);

    [LibraryImport(Library, EntryPoint = "zmq_send")]
    public static partial int Send(nint socket, byte* data, nuint length, int flags);

    [LibraryImport(Library, EntryPoint = "zmq_msg_init")]
    public static partial int InitMessage(Message* message);

    [LibraryImport(Library, EntryPoint = "zmq_msg_recv")]
    public static partial int Receive(Message* message, nint socket, int flags);

    [LibraryImport(Library, EntryPoint = "zmq_msg_data")]
    public static partial byte* Data(Message* message);

    [LibraryImport(Library, EntryPoint = "zmq_msg_size")]
    public static partial nuint Size(Message* message);

    [LibraryImport(Library, EntryPoint = "zmq_msg_more")]
    public static partial int HasMore(Message* message);

    [LibraryImport(Library, EntryPoint = "zmq_msg_close")]
    public static partial int CloseMessage(Message* message);

    [LibraryImport(Library, EntryPoint = "zmq_poll")]
    public static partial int Poll(byte* items, int count, CLong milliseconds);

    [LibraryImport(Library, EntryPoint = "zmq_errno")]
    public static partial int Error();

    [LibraryImport(Library, EntryPoint = "zmq_strerror")]
    private static partial nint ErrorText(int error);

    /// <summary>The error of the last call on this thread, in words.</summary>
    public static string LastError() => Marshal.PtrToStringUTF8(ErrorText(Error())) ?? "unknown error";
}
