using System.Collections;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using AdmmKit.Networks;

namespace AdmmKit.Experiments.Recipes;

/// <summary>
/// The JSON Schema (draft 2020-12) of recipes: editors complete and check a file by it. It is made of the types that are read, and its
/// descriptions are those of their documentation; which values go together only <see cref="RecipeJson"/> and a run's own checks know.
/// </summary>
public static partial class RecipeSchema
{
    // "+", quotation marks and what else people write stay as they are.
    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    // Text of which only some values are valid.
    private static readonly Dictionary<(Type, string), IReadOnlyCollection<string>> Values = new()
    {
        [(typeof(Recipe), nameof(Recipe.Architecture))] = [.. NetworkSpec.Architectures, RecipeNetwork.OfFile],
        [(typeof(PruneRecipe), nameof(PruneRecipe.Method))] = PruneMethods.All,
        [(typeof(QuantizeRecipe), nameof(QuantizeRecipe.Method))] = QuantizeMethods.All,
        [(typeof(QuantizeRecipe), nameof(QuantizeRecipe.RoundOrder))] = [QuantizeMethods.LargestFirst, QuantizeMethods.NearestFirst],
    };

    /// <summary>The schema of a recipe as text.</summary>
    public static string Write()
    {
        string file = Path.ChangeExtension(typeof(Recipe).Assembly.Location, ".xml");
        Dictionary<string, string> documentation = File.Exists(file) ? Descriptions(XDocument.Load(file)) : [];
        var definitions = new JsonObject();
        JsonObject schema = Object(typeof(Recipe), documentation, definitions);
        schema["properties"]!.AsObject().Insert(0, "$schema", new JsonObject { ["type"] = "string" });
        var root = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Recipe of AdmmKit",
        };
        foreach ((string key, JsonNode? value) in schema.ToList())
        {
            schema.Remove(key);
            root[key] = value;
        }

        root["$defs"] = definitions;
        return root.ToJsonString(Written) + "\n";
    }

    private static JsonObject Object(Type type, Dictionary<string, string> documentation, JsonObject definitions)
    {
        object defaults = Activator.CreateInstance(type)!;
        var properties = new JsonObject();
        foreach (PropertyInfo property in type.GetProperties().Where(p => p.CanWrite))
        {
            JsonObject schema = Of(property.PropertyType, documentation, definitions);
            if (Values.TryGetValue((type, property.Name), out IReadOnlyCollection<string>? values))
            {
                schema["enum"] = new JsonArray([.. values.Select(v => (JsonNode)v)]);
            }

            bool optional = new NullabilityInfoContext().Create(property).WriteState == NullabilityState.Nullable;
            schema = optional ? new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) } : schema;
            if (documentation.TryGetValue($"P:{type.FullName}.{property.Name}", out string? text))
            {
                schema["description"] = text;
            }

            object? value = property.GetValue(defaults);
            if (value is null or string or bool or int or ulong or float or double || value is IEnumerable)
            {
                schema["default"] = JsonSerializer.SerializeToNode(value);
            }

            properties[JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = schema;
        }

        var described = new JsonObject { ["type"] = "object" };
        if (documentation.TryGetValue($"T:{type.FullName}", out string? about))
        {
            described["description"] = about;
        }

        described["properties"] = properties;
        described["additionalProperties"] = false;
        return described;
    }

    private static JsonObject Of(Type type, Dictionary<string, string> documentation, JsonObject definitions)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        Type? generic = type.IsGenericType ? type.GetGenericTypeDefinition() : null;
        if (generic == typeof(IReadOnlyList<>))
        {
            return new JsonObject { ["type"] = "array", ["items"] = Of(type.GetGenericArguments()[0], documentation, definitions) };
        }

        if (generic == typeof(IReadOnlyDictionary<,>))
        {
            JsonObject values = Of(type.GetGenericArguments()[1], documentation, definitions);
            return new JsonObject { ["type"] = "object", ["additionalProperties"] = values };
        }

        if (type.Namespace == typeof(Recipe).Namespace)
        {
            string name = JsonNamingPolicy.CamelCase.ConvertName(type.Name);
            if (!definitions.ContainsKey(name))
            {
                definitions[name] = null; // Its place: what it is made of comes after it.
                definitions[name] = Object(type, documentation, definitions);
            }

            return new JsonObject { ["$ref"] = "#/$defs/" + name };
        }

        return new JsonObject
        {
            ["type"] = type == typeof(bool) ? "boolean" : type == typeof(string) ? "string"
                : type == typeof(int) || type == typeof(ulong) ? "integer" : "number",
        };
    }

    /// <summary>The summary of each member, as plain text.</summary>
    private static Dictionary<string, string> Descriptions(XDocument documentation) => documentation.Descendants("member")
        .Where(m => m.Element("summary") is not null)
        .ToDictionary(m => (string)m.Attribute("name")!, m => Spaces().Replace(Text(m.Element("summary")!), " ").Trim());

    private static string Text(XElement element) => string.Concat(element.Nodes().Select(n => n switch
    {
        XText text => text.Value,
        XElement { Name.LocalName: "see" } see => Name((string?)see.Attribute("cref") ?? ""),
        XElement inner => Text(inner),
        _ => "",
    }));

    /// <summary>What a reference to a member says: of a recipe's key its name in the file, of a text the text itself.</summary>
    private static string Name(string reference)
    {
        string name = reference[(reference.LastIndexOf('.') + 1)..];
        Type? owner = typeof(Recipe).Assembly.GetType(reference[2..Math.Max(2, reference.LastIndexOf('.'))]);
        bool key = owner?.Namespace == typeof(Recipe).Namespace && owner?.GetProperty(name) is { CanWrite: true };
        return owner?.GetField(name)?.GetValue(null) is string text ? $"\"{text}\""
            : key ? JsonNamingPolicy.CamelCase.ConvertName(name) : name;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
