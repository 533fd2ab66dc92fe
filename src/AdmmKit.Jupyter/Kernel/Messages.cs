using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>The sockets over which a message comes or goes.</summary>
internal enum Channel
{
    Shell,
    Control,
    IoPub,
}

/// <summary>A request as it came.</summary>
/// <param name="Channel">Where from; the answer goes there.</param>
/// <param name="Identities">Names that ZeroMQ gave to who asks.</param>
/// <param name="Header">Its header, byte for byte: the parent of all that is said about it.</param>
/// <param name="Type">Such as "execute_request".</param>
/// <param name="Content">What is asked.</param>
internal sealed record Request(Channel Channel, byte[][] Identities, byte[] Header, string Type, JsonElement Content)
{
    /// <summary>A text of the content.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="AdmmKitException">It is missing or no text.</exception>
    public string Text(string name) =>
        Content.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new AdmmKitException($"'{Type}' has no text '{name}'.");

    /// <summary>A whole number of the content; where there is none, another.</summary>
    public int Number(string name, int otherwise) =>
        Content.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
            ? number
            : otherwise;

    /// <summary>A truth of the content; where there is none, another.</summary>
    public bool Flag(string name, bool otherwise) =>
        Content.TryGetProperty(name, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : otherwise;
}

/// <summary>Reads and writes messages of Jupyter's protocol: identities, a delimiter, a signature, and four parts of JSON.</summary>
/// <param name="signer">Signs and checks.</param>
internal sealed class Messages(Signer signer)
{
    /// <summary>The version of the protocol that is spoken.</summary>
    public const string Version = "5.3";

    private static readonly byte[] Delimiter = Encoding.ASCII.GetBytes("<IDS|MSG>");
    private static readonly byte[] Empty = Encoding.ASCII.GetBytes("{}");

    private readonly string session = Guid.NewGuid().ToString();

    /// <summary>Reads a message.</summary>
    /// <param name="channel">Where it came from.</param>
    /// <param name="parts">What came.</param>
    /// <param name="wrong">Where the result is null: what is wrong with it.</param>
    public Request? Read(Channel channel, byte[][] parts, out string wrong)
    {
        wrong = "";
        int delimiter = Array.FindIndex(parts, p => p.AsSpan().SequenceEqual(Delimiter));
        if (parts.Length == 0)
        {
            wrong = $"more than {ZmqSocket.MaxParts} parts";
        }
        else if (delimiter < 0 || parts.Length < delimiter + 6)
        {
            wrong = "not all parts of a message are there";
        }
        else if (!signer.Accepts(parts[delimiter + 1], parts.AsSpan(delimiter + 2, 4)))
        {
            wrong = "its signature is not that of the connection file's key, or was used before";
        }
        else
        {
            try
            {
                using JsonDocument header = JsonDocument.Parse(parts[delimiter + 2]);
                using JsonDocument content = JsonDocument.Parse(parts[delimiter + 5]);
                if (header.RootElement.ValueKind == JsonValueKind.Object && content.RootElement.ValueKind == JsonValueKind.Object
                    && header.RootElement.TryGetProperty("msg_type", out JsonElement type) && type.ValueKind == JsonValueKind.String)
                {
                    return new Request(
                        channel, parts[..delimiter], parts[delimiter + 2], type.GetString()!, content.RootElement.Clone());
                }

                wrong = "its header or content is not what the protocol says";
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                // The latter: a text with half a surrogate pair.
                wrong = "its header or content is not JSON";
            }
        }

        return null;
    }

    /// <summary>A message that answers a request, or tells everybody about it.</summary>
    /// <param name="identities">To whom; for everybody: the topic.</param>
    /// <param name="type">Such as "execute_reply".</param>
    /// <param name="parent">The header of the request; null where it is about none.</param>
    /// <param name="content">What is said.</param>
    public byte[][] Write(byte[][] identities, string type, byte[]? parent, JsonObject content)
    {
        var header = new JsonObject
        {
            ["msg_id"] = Guid.NewGuid().ToString(),
            ["session"] = session,
            ["username"] = "admmkit",
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
            ["msg_type"] = type,
            ["version"] = Version,
        };
        byte[][] body = [JsonSerializer.SerializeToUtf8Bytes(header), parent ?? Empty, Empty, JsonSerializer.SerializeToUtf8Bytes(content)];
        return [.. identities, Delimiter, signer.Sign(body), .. body];
    }
}
