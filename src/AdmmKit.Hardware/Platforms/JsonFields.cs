using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AdmmKit.Hardware.Platforms;

/// <summary>An object of a JSON file, read field by field: what is missing, unknown or out of range is refused by its path.</summary>
internal sealed class JsonFields
{
    private const int MaximumText = 2000;

    private readonly JsonObject node;
    private readonly string file;
    private readonly string path;

    private JsonFields(JsonObject node, string file, string path) => (this.node, this.file, this.path) = (node, file, path);

    /// <summary>The outermost object of a file.</summary>
    /// <exception cref="BadFileException">The text is no JSON object.</exception>
    public static JsonFields Parse(string json, string file)
    {
        try
        {
            JsonElement root = JsonElement.Parse(json, new JsonDocumentOptions
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
                MaxDepth = 16,
            });
            CheckTexts(root, file, "");
            return root.ValueKind == JsonValueKind.Object ? new JsonFields(JsonObject.Create(root)!, file, "")
                : throw new BadFileException($"'{file}' is not a platform: it holds no JSON object {{...}}.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new BadFileException($"'{file}' is not a platform: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>Refuses every field that is not one of these.</summary>
    public void Allow(params IReadOnlyCollection<string> valid)
    {
        if (node.FirstOrDefault(f => !valid.Contains(f.Key)).Key is { } unknown)
        {
            string where = path.Length == 0 ? "" : $"{path}: ";
            throw new BadFileException($"'{file}', {where}{Names.Unknown("key", Short(unknown), valid)}");
        }
    }

    public bool Has(string key) => node[key] is not null;

    public string Text(string key, string? otherwise = null)
    {
        string text = node[key] is null && otherwise is not null ? otherwise : Value<string>(key, "a text in quotes");
        if (text.Any(char.IsControl))
        {
            throw Error(key, $"{Raw(key)} has a control character, such as a line break or a tab; leave it out");
        }

        return text.Length <= MaximumText && (text.Length > 0 || otherwise is not null) ? text
            : throw Error(key, FormattableString.Invariant($"a text of {text.Length} characters; give 1 to {MaximumText}"));
    }

    /// <summary>One of several words.</summary>
    public string Choice(string key, IReadOnlyCollection<string> valid)
    {
        string word = Text(key);
        return valid.Contains(word) ? word : throw Error(key, Names.Unknown(key, word, valid).TrimEnd('.'));
    }

    /// <summary>A finite number above 0.</summary>
    public double Positive(string key, double most = 1e15) => Number(key, 0, most, openBelow: true);

    /// <summary>A finite number above 0, or null where the field is not there.</summary>
    public double? OptionalPositive(string key, double most = 1e15) => node[key] is null ? null : Positive(key, most);

    /// <summary>A finite number between two bounds, both included unless the range is open below.</summary>
    public double Number(string key, double least, double most, bool openBelow = false)
    {
        double value = Value<double>(key, "a number");
        return double.IsFinite(value) && (openBelow ? value > least : value >= least) && value <= most ? value
            : throw Error(key, FormattableString.Invariant($"{Raw(key)} is not in {(openBelow ? "(" : "[")}{least}, {most}]"));
    }

    public long Integer(string key, long least, long most)
    {
        double value = Number(key, least, most);
        return value == Math.Floor(value) ? (long)value : throw Error(key, $"{Raw(key)} is not a whole number");
    }

    public JsonFields Object(string key) =>
        new(node[key] as JsonObject ?? throw Wrong(key, "an object {...}"), file, Path(key));

    /// <summary>The objects of a list.</summary>
    public IReadOnlyList<JsonFields> Objects(string key, int atLeast)
    {
        JsonArray list = node[key] as JsonArray ?? throw Wrong(key, "a list [...]");
        if (list.Count < atLeast)
        {
            throw Error(key, string.Create(CultureInfo.InvariantCulture, $"{list.Count} entries; give at least {atLeast}"));
        }

        return [.. list.Select((entry, i) =>
        {
            string place = FormattableString.Invariant($"{key}[{i}]");
            return new JsonFields(entry as JsonObject ?? throw Error(place, "is not an object {...}"), file, Path(place));
        })];
    }

    /// <summary>An error about a field.</summary>
    public BadFileException Error(string key, string what) => new($"'{file}', {Path(key)}: {what}.");

    /// <summary>The field as it is written, cut off where it is long.</summary>
    public string Raw(string key) => Short(node[key]?.ToJsonString() ?? "null");

    // A text is decoded when it is asked for, and half of a surrogate pair is refused only then: asked for here, once for all.
    private static void CheckTexts(JsonElement element, string file, string path)
    {
        try
        {
            switch (element.ValueKind)
            {
                case JsonValueKind.String:
                    element.GetString();
                    break;
                case JsonValueKind.Array:
                    foreach ((int i, JsonElement entry) in element.EnumerateArray().Index())
                    {
                        CheckTexts(entry, file, FormattableString.Invariant($"{path}[{i}]"));
                    }

                    break;
                case JsonValueKind.Object:
                    var keys = new HashSet<string>();
                    foreach (JsonProperty member in element.EnumerateObject())
                    {
                        string place = Path(path, Short(member.Name));
                        if (!keys.Add(member.Name))
                        {
                            throw new BadFileException($"'{file}', {place}: the key is there twice; leave one of them out.");
                        }

                        CheckTexts(member.Value, file, place);
                    }

                    break;
                default:
                    break;
            }
        }
        catch (InvalidOperationException e)
        {
            string where = path.Length == 0 ? "" : $", {path}";
            throw new BadFileException(
                $"'{file}'{where}: a text has half of a surrogate pair, such as \\ud800 alone; write both halves.", e);
        }
    }

    // What is not a field's own value goes to the console as it is: without line breaks and escapes.
    private static string Short(string text)
    {
        string shown = string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
        return shown.Length <= 40 ? shown : shown[..40] + "...";
    }

    private static string Path(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    private string Path(string key) => Path(path, key);

    private T Value<T>(string key, string what) =>
        node[key] is JsonValue value && value.TryGetValue(out T? found) ? found : throw Wrong(key, what);

    private BadFileException Wrong(string key, string what) =>
        Error(key, node[key] is null ? $"is missing; give {what}" : $"{Raw(key)} is not {what}");
}
