using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AdmmKit.Networks;

/// <summary>
/// Any <see cref="NetworkSpec"/> as text, for people to read and write, and for files of networks that the library has no name for.
/// </summary>
/// <remarks>
/// <code>
/// {"name":"mine","input":[1,28,28],"steps":[
/// {"step":"convolution","name":"conv1","filters":8,"kernel":5,"stride":2},
/// {"step":"relu"},
/// {"step":"convolution","name":"conv2","filters":8,"kernel":1},
/// {"step":"add","from":[2,1]},
/// {"step":"fullyConnected","name":"fc","outputs":10}]}
/// </code>
/// A step is one of the records in <see cref="Node"/> with its parameters; those at their defaults are left out. "from" has the
/// steps that it reads, counted from 0, with -1 for the image; without it a step reads the one before. The text that
/// <see cref="Write"/> gives is the same for equal networks.
/// </remarks>
public static class NetworkJson
{
    /// <summary>The longest text that is read, in characters.</summary>
    public const int MaxLength = 1 << 20;

    /// <summary>The most steps of a network that is read.</summary>
    public const int MaxSteps = 4096;

    // Kernels, filters and the like; keeps sums of a few of them inside an int.
    private const int MaxNumber = 100_000_000;

    private static readonly Dictionary<string, ConstructorInfo> Steps = typeof(Node).GetNestedTypes()
        .Where(t => t.IsSubclassOf(typeof(Node)))
        .ToDictionary(t => Camel(t.Name), t => t.GetConstructors()[0], StringComparer.Ordinal);

    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A network as text.</summary>
    /// <param name="spec">The network.</param>
    /// <returns>JSON, one step a line.</returns>
    public static string Write(NetworkSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        var text = new StringBuilder(Object(json =>
        {
            json.WriteString("name", spec.Name);
            Array(json, "input", [spec.Input.Channels, spec.Input.Height, spec.Input.Width]);
        })).Insert(0, '{').Append(",\"steps\":[");
        for (int i = 0; i < spec.Nodes.Count; i++)
        {
            string step = Object(json => WriteStep(json, spec.Nodes[i], spec.Inputs[i] is [var only] && only == i - 1 ? null : spec.Inputs[i]));
            text.Append(i == 0 ? "\n{" : ",\n{").Append(step).Append('}');
        }

        return text.Append("]}").ToString();
    }

    /// <summary>Reads a network.</summary>
    /// <param name="json">The text, of at most <see cref="MaxLength"/> characters.</param>
    /// <param name="name">What messages call it, such as the file's name.</param>
    /// <exception cref="BadFileException">
    /// It is not a network; the message says at which step, and for an unknown name the nearest valid one.
    /// </exception>
    public static NetworkSpec Parse(string json, string name)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (json.Length > MaxLength)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"'{name}' is not the text of a network: it has {json.Length} characters, more than {MaxLength}."));
        }

        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8, CommentHandling = JsonCommentHandling.Skip });
            return Network(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or AdmmKitException or InvalidOperationException or OverflowException or FormatException)
        {
            throw new BadFileException($"'{name}' is not the text of a network: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static NetworkSpec Network(JsonElement root)
    {
        Check(root, "the network", ["name", "input", "steps"]);
        int[] sides = Numbers(Required(root, "the network", "input"), "input", MaxNumber);
        if (sides.Length != 3 || sides.Any(s => s < 1))
        {
            throw new AdmmKitException("\"input\" is the shape of an image, such as [3, 32, 32]: channels, rows, columns");
        }

        JsonElement list = Required(root, "the network", "steps");
        if (list.GetArrayLength() > MaxSteps)
        {
            throw new AdmmKitException(FormattableString.Invariant($"it has {list.GetArrayLength()} steps, more than {MaxSteps}"));
        }

        (var nodes, var inputs) = (new List<Node>(), new List<IReadOnlyList<int>>());
        foreach (JsonElement step in list.EnumerateArray())
        {
            int place = nodes.Count;
            string where = FormattableString.Invariant($"step {place}");
            nodes.Add(Step(step, where));
            inputs.Add(step.TryGetProperty("from", out JsonElement from) ? Numbers(from, where + ", \"from\"", MaxSteps) : [place - 1]);
        }

        return new NetworkSpec(
            Required(root, "the network", "name").GetString() ?? throw new AdmmKitException("its name is null"),
            new ImageShape(sides[0], sides[1], sides[2]), nodes, inputs);
    }

    private static Node Step(JsonElement step, string where)
    {
        string kind = Required(step, where, "step").GetString() ?? "";
        if (!Steps.TryGetValue(kind, out ConstructorInfo? constructor))
        {
            throw new AdmmKitException($"{where}: {Names.Unknown("step", Short(kind), Steps.Keys)}");
        }

        ParameterInfo[] parameters = constructor.GetParameters();
        Check(step, $"{where}, a {kind}", ["step", "from", .. parameters.Select(p => Camel(p.Name!))]);
        return (Node)constructor.Invoke([.. parameters.Select(p => step.TryGetProperty(Camel(p.Name!), out JsonElement value)
            ? Value(value, p.ParameterType, $"{where}, \"{Camel(p.Name!)}\"")
            : p.HasDefaultValue ? p.DefaultValue : throw new AdmmKitException($"{where}: a {kind} needs \"{Camel(p.Name!)}\""))]);
    }

    private static object Value(JsonElement value, Type type, string where) => type switch
    {
        _ when type == typeof(int) => value.TryGetInt32(out int number) && number is >= 0 and <= MaxNumber ? number
            : throw new AdmmKitException(FormattableString.Invariant($"{where} is a whole number of 0 to {MaxNumber}")),
        _ when type == typeof(long) => value.TryGetInt64(out long number) && number >= 0 ? number
            : throw new AdmmKitException($"{where} is a whole number of 0 or more"),
        _ when type == typeof(double) => value.TryGetDouble(out double number) && double.IsFinite(number) ? number
            : throw new AdmmKitException($"{where} is a finite number"),
        _ when type == typeof(bool) => value.GetBoolean(),
        _ when type == typeof(string) => value.GetString() is { Length: > 0 } text ? text : throw new AdmmKitException($"{where} is empty"),
        _ when type == typeof(LayerKind) => Kind(value.GetString() ?? "", where),
        _ => value.EnumerateArray().Select(v => v.TryGetSingle(out float number) && float.IsFinite(number) ? number
            : throw new AdmmKitException($"{where} holds finite numbers")).ToArray(),
    };

    private static LayerKind Kind(string text, string where)
    {
        LayerKind[] kinds = Enum.GetValues<LayerKind>();
        int at = System.Array.FindIndex(kinds, k => Camel(k.ToString()) == text);
        return at >= 0 ? kinds[at]
            : throw new AdmmKitException($"{where}: {Names.Unknown("kind", Short(text), [.. kinds.Select(k => Camel(k.ToString()))])}");
    }

    private static int[] Numbers(JsonElement list, string where, int most) => [.. list.EnumerateArray().Select(v =>
        v.TryGetInt32(out int number) && number >= NetworkSpec.Image && number <= most ? number
        : throw new AdmmKitException(FormattableString.Invariant($"{where} holds whole numbers of -1 to {most}")))];

    private static JsonElement Required(JsonElement from, string where, string key) =>
        from.TryGetProperty(key, out JsonElement value) ? value : throw new AdmmKitException($"{where} has no \"{key}\"");

    private static void Check(JsonElement element, string where, string[] valid)
    {
        var seen = new HashSet<string>();
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (!valid.Contains(property.Name))
            {
                throw new AdmmKitException($"{where}: {Names.Unknown("key", Short(property.Name), valid)}");
            }

            if (!seen.Add(property.Name))
            {
                throw new AdmmKitException($"{where} has \"{property.Name}\" twice");
            }
        }
    }

    private static void WriteStep(Utf8JsonWriter json, Node node, IReadOnlyList<int>? from)
    {
        string kind = Camel(node.GetType().Name);
        json.WriteString("step", kind);
        foreach (ParameterInfo parameter in Steps[kind].GetParameters())
        {
            object value = node.GetType().GetProperty(parameter.Name!)!.GetValue(node)!;
            if (parameter.HasDefaultValue && value.Equals(parameter.DefaultValue))
            {
                continue;
            }

            string key = Camel(parameter.Name!);
            switch (value)
            {
                case int number: json.WriteNumber(key, number); break;
                case long number: json.WriteNumber(key, number); break;
                case double number: json.WriteNumber(key, number); break;
                case bool truth: json.WriteBoolean(key, truth); break;
                case string text: json.WriteString(key, text); break;
                case LayerKind layer: json.WriteString(key, Camel(layer.ToString())); break;
                case IReadOnlyList<float> numbers:
                    json.WriteStartArray(key);
                    foreach (float number in numbers)
                    {
                        json.WriteNumberValue(number);
                    }

                    json.WriteEndArray();
                    break;
                default: throw new NotSupportedException($"{kind}.{key} has a type that the text of a network does not know.");
            }
        }

        if (from is not null)
        {
            Array(json, "from", from);
        }
    }

    /// <summary>The members of an object, without its braces.</summary>
    private static string Object(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, WriterOptions))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer().AsSpan(1, (int)bytes.Length - 2));
    }

    private static void Array(Utf8JsonWriter json, string key, IReadOnlyList<int> numbers)
    {
        json.WriteStartArray(key);
        foreach (int number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    // Before it is searched for the nearest name, which is quadratic.
    private static string Short(string text) => text.Length <= 100 ? text : text[..100];

    private static string Camel(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);
}
