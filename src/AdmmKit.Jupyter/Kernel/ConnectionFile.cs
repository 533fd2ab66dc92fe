using System.Globalization;
using System.Text.Json;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>Where a kernel listens and how its messages are signed; Jupyter writes it to a file that it names to the kernel.</summary>
public sealed record ConnectionFile
{
    private const int MaxBytes = 1 << 16;

    private static readonly string[] Transports = ["tcp", "ipc"];

    /// <summary>"tcp" or "ipc".</summary>
    public required string Transport { get; init; }

    /// <summary>The address; with ipc the beginning of the files' names.</summary>
    public required string Ip { get; init; }

    /// <summary>The port of requests.</summary>
    public required int ShellPort { get; init; }

    /// <summary>The port of requests that are answered while a cell runs.</summary>
    public required int ControlPort { get; init; }

    /// <summary>The port of what everybody sees: outputs and status.</summary>
    public required int IoPubPort { get; init; }

    /// <summary>The port of questions to the user; nothing is ever asked.</summary>
    public required int StdinPort { get; init; }

    /// <summary>The port that says whether the process lives.</summary>
    public required int HeartbeatPort { get; init; }

    /// <summary>The key of signatures; empty: none are used.</summary>
    public required string Key { get; init; }

    /// <summary>Reads a connection file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadFileException">It is not one, or asks for something that is not known.</exception>
    public static ConnectionFile Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        const string advice = "Jupyter writes this file; start the kernel from Jupyter, or give the file of a running 'jupyter kernel'.";
        byte[] bytes;
        try
        {
            var info = new FileInfo(path);
            if (info.Length > MaxBytes)
            {
                throw new BadFileException($"The connection file '{path}' has {info.Length} bytes, more than {MaxBytes}. {advice}");
            }

            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BadFileException($"The connection file '{path}' cannot be read: {e.Message.TrimEnd('.')}. {advice}", e);
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            JsonElement root = document.RootElement;
            string scheme = Text(root, "signature_scheme", "hmac-sha256"), transport = Text(root, "transport", "tcp");
            if (scheme != "hmac-sha256")
            {
                throw new AdmmKitException($"signatures of the kind '{scheme}' are not known, only hmac-sha256");
            }

            if (!Transports.Contains(transport))
            {
                throw new AdmmKitException(Names.Unknown("transport", transport, Transports));
            }

            return new ConnectionFile
            {
                Transport = transport,
                Ip = Text(root, "ip", "127.0.0.1"),
                ShellPort = Port(root, "shell_port"),
                ControlPort = Port(root, "control_port"),
                IoPubPort = Port(root, "iopub_port"),
                StdinPort = Port(root, "stdin_port"),
                HeartbeatPort = Port(root, "hb_port"),
                Key = Text(root, "key", ""),
            };
        }
        catch (Exception e) when (e is JsonException || e.GetType() == typeof(AdmmKitException))
        {
            throw new BadFileException($"The connection file '{path}' is wrong: {e.Message.TrimEnd('.')}. {advice}", e);
        }
    }

    /// <summary>The address of a port, as ZeroMQ writes it.</summary>
    /// <param name="port">One of the ports.</param>
    public string Address(int port) => Transport == "ipc"
        ? string.Create(CultureInfo.InvariantCulture, $"ipc://{Ip}-{port}")
        : string.Create(CultureInfo.InvariantCulture, $"tcp://{Ip}:{port}");

    private static string Text(JsonElement root, string name, string otherwise) =>
        root.ValueKind != JsonValueKind.Object ? throw new AdmmKitException("it is not a JSON object")
        : !root.TryGetProperty(name, out JsonElement value) ? otherwise
        : value.ValueKind == JsonValueKind.String ? value.GetString()!
        : throw new AdmmKitException($"'{name}' is not a text");

    private static int Port(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt32(out int port) && port is > 0 and <= 65535
            ? port
            : throw new AdmmKitException($"'{name}' is not a port, 1 to 65535");
}
