using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AdmmKit.Jupyter.Files;

/// <summary>Reads and writes JSON as Jupyter does: keys sorted, one space a level, text as it is, so that a file that both write stays the same.</summary>
internal static class NotebookJson
{
    /// <summary>More than any notebook of a person has; executed ones of ours have some hundred kilobytes.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    private const int MaxDepth = 100;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    /// <summary>The JSON of a notebook, all of it checked: what comes back has no bad text anywhere.</summary>
    /// <exception cref="BadFileException">No JSON, too deep, or text that is no Unicode.</exception>
    public static JsonNode? Parse(ReadOnlyMemory<byte> bytes, string name)
    {
        try
        {
            // Not disposed of: its numbers stay what they were in the file, to the last digit, and are read from there.
            return Copy(JsonDocument.Parse(bytes, Options).RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            string where = e is JsonException { LineNumber: { } line } ? string.Create(CultureInfo.InvariantCulture, $", line {line + 1}") : "";
            throw new BadFileException(
                $"'{name}' is no valid JSON{where}: {Sentence(e.Message)} A notebook is a JSON file; get it again, or repair it in a text editor.", e);
        }
    }

    /// <summary>Text as Jupyter would write it, with a newline at the end.</summary>
    public static string Write(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(text, node, 0);
        return text.Append('\n').ToString();
    }

    private static string Sentence(string message)
    {
        int position = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (position < 0 ? message : message[..position]).TrimEnd('.') + ".";
    }

    // Own nodes in place of views of the bytes: strings are decoded here, where one that is no Unicode is found.
    private static JsonNode? Copy(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var properties = new JsonObject();
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    properties[property.Name] = Copy(property.Value);
                }

                return properties;
            case JsonValueKind.Array:
                var items = new JsonArray();
                foreach (JsonElement item in element.EnumerateArray())
                {
                    items.Add(Copy(item));
                }

                return items;
            case JsonValueKind.String:
                return JsonValue.Create(element.GetString()!);
            case JsonValueKind.Number:
                return JsonValue.Create(element);
            case JsonValueKind.True:
            case JsonValueKind.False:
                return JsonValue.Create(element.GetBoolean());
            default:
                return null;
        }
    }

    private static void Write(StringBuilder text, JsonNode? node, int depth)
    {
        switch (node)
        {
            case null:
                text.Append("null");
                break;
            case JsonObject { Count: 0 }:
                text.Append("{}");
                break;
            case JsonArray { Count: 0 }:
                text.Append("[]");
                break;
            case JsonObject properties:
                string separator = "{";
                foreach ((string name, JsonNode? value) in properties.OrderBy(p => p.Key, StringComparer.Ordinal))
                {
                    text.Append(separator).Append('\n').Append(' ', depth + 1);
                    WriteText(text, name);
                    text.Append(": ");
                    Write(text, value, depth + 1);
                    separator = ",";
                }

                text.Append('\n').Append(' ', depth).Append('}');
                break;
            case JsonArray items:
                separator = "[";
                foreach (JsonNode? item in items)
                {
                    text.Append(separator).Append('\n').Append(' ', depth + 1);
                    Write(text, item, depth + 1);
                    separator = ",";
                }

                text.Append('\n').Append(' ', depth).Append(']');
                break;
            case JsonValue value when value.TryGetValue(out string? s):
                WriteText(text, s);
                break;
            default:
                text.Append(node.ToJsonString());
                break;
        }
    }

    private static void WriteText(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (char c in value)
        {
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                case '\b': text.Append("\\b"); break;
                case '\f': text.Append("\\f"); break;
                case < ' ': text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"); break;
                default: text.Append(c); break;
            }
        }

        text.Append('"');
    }
}
