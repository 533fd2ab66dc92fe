using System.Text.Json;
using System.Text.Json.Nodes;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Search;
using AdmmKit.Experiments.Tables;

namespace AdmmKit.Tests.Experiments;

/// <summary>The JSON Schema of recipes.</summary>
public class RecipeSchemaTests
{
    private static readonly JsonNode Schema = JsonNode.Parse(RecipeSchema.Write())!;

    public static TheoryData<string> Experiments => [.. ExperimentCatalogue.Names];

    [Fact]
    public void The_committed_schema_is_current()
    {
        string committed = File.ReadAllText(Path.Combine(LayeringTests.Root, "docs", "recipe.schema.json"));
        Assert.True(RecipeSchema.Write() == committed, "Recipes changed: admmkit compress --print-schema > docs/recipe.schema.json");
    }

    [Fact]
    public void Every_key_is_described_and_knows_its_default()
    {
        foreach (JsonObject type in Schema["$defs"]!.AsObject().Select(d => d.Value!.AsObject()).Append(Schema.AsObject()))
        {
            Assert.False(string.IsNullOrWhiteSpace((string?)type["description"]));
            Assert.All(type["properties"]!.AsObject().Where(p => p.Key != "$schema"), p =>
                Assert.False(string.IsNullOrWhiteSpace((string?)p.Value!["description"]), p.Key));
        }

        JsonNode defaults = JsonNode.Parse(RecipeJson.Write(new Recipe()))!;
        Assert.All(Schema["properties"]!.AsObject().Where(p => p.Value!.AsObject().ContainsKey("default")), p =>
            Assert.True(JsonNode.DeepEquals(defaults[p.Key], p.Value!["default"]), p.Key));
    }

    [Theory]
    [MemberData(nameof(Experiments))]
    public void Recipes_of_the_experiments_are_valid(string name)
    {
        foreach (Recipe recipe in new[] { true, false }.SelectMany(full => ExperimentCatalogue.Create(name, full).Variants.Values))
        {
            Assert.Null(Wrong(RecipeJson.Write(recipe)));
        }
    }

    [Fact]
    public void Recipes_of_the_presets_are_valid()
    {
        Assert.All(SearchPresets.Names, n => Assert.Null(Wrong(RecipeJson.Write(SearchPresets.Create(n).Network))));
        Assert.Null(Wrong(RecipeJson.Write(SearchPresets.WithinDrop("lenet5", 0.2).Network)));
        Assert.Null(Wrong(RecipeJson.Write(new Recipe())));
    }

    [Fact]
    public void The_recipe_of_the_guide_is_valid()
    {
        string file = Path.Combine(LayeringTests.Root, "docs", "own-network", "recipe.json");
        Assert.Null(Wrong(File.ReadAllText(file)));
        Assert.Equal(0.8, RecipeJson.Load(file).Prune[0].KeepFraction["stem.0"]);
    }

    [Theory]
    [InlineData("""{ "$schema": "recipe.schema.json", "quantize": null, "prune": [{ "survivors": { "a": 1 } }] }""", null)]
    [InlineData("""{ "architectur": "lenet5" }""", "architectur")]
    [InlineData("""{ "architecture": "lenet6" }""", "lenet6")]
    [InlineData("""{ "prune": [{ "admm": { "roh": 1 } }] }""", "roh")]
    [InlineData("""{ "prune": [{ "method": "magic" }] }""", "magic")]
    [InlineData("""{ "seed": "one" }""", "integer")]
    [InlineData("""{ "pretrain": null }""", "object")]
    [InlineData("""{ "prune": [null] }""", "object")]
    [InlineData("""{ "prune": [{ "survivors": { "a": 1.5 } }] }""", "integer")]
    public void Schema_and_reader_refuse_the_same(string json, string? part)
    {
        if (part is null)
        {
            Assert.Null(Wrong(json));
            Assert.Equal(1, RecipeJson.Parse(json, "test").Prune[0].Survivors["a"]);
        }
        else
        {
            Assert.Contains(part, Wrong(json), StringComparison.Ordinal);
            // Values of text are checked with the network, before anything is trained.
            Exception? e = Record.Exception(() => RecipeJson.Parse(json, "test"));
            Assert.True(e is BadFileException || part is "lenet6" or "magic", json);
        }
    }

    private static string? Wrong(string json) => Wrong(JsonNode.Parse(json), Schema.AsObject(), "recipe");

    /// <summary>What is wrong by as much of JSON Schema as ours uses; null for nothing.</summary>
    private static string? Wrong(JsonNode? node, JsonObject schema, string where)
    {
        if ((string?)schema["$ref"] is { } reference)
        {
            return Wrong(node, Schema["$defs"]![reference["#/$defs/".Length..]]!.AsObject(), where);
        }

        if (schema["anyOf"] is JsonArray any)
        {
            string?[] each = [.. any.Select(a => Wrong(node, a!.AsObject(), where))];
            return each.Contains(null) ? null : each[0];
        }

        JsonValueKind kind = node?.GetValueKind() ?? JsonValueKind.Null;
        string type = (string)schema["type"]!;
        bool fits = type switch
        {
            "object" => kind == JsonValueKind.Object,
            "array" => kind == JsonValueKind.Array,
            "string" => kind == JsonValueKind.String,
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False,
            "number" => kind == JsonValueKind.Number,
            "integer" => kind == JsonValueKind.Number && double.IsInteger((double)node!),
            _ => kind == JsonValueKind.Null && type == "null",
        };
        if (!fits)
        {
            return $"{where} is no {type}";
        }

        if (schema["enum"] is JsonArray values && !values.Any(v => JsonNode.DeepEquals(v, node)))
        {
            return $"{where}: {node} is not one of its values";
        }

        IEnumerable<string?> parts = node switch
        {
            JsonObject members => members.Select(m => schema["properties"]?[m.Key] is JsonObject known ? Wrong(m.Value, known, $"{where}.{m.Key}")
                : schema["additionalProperties"] is JsonObject other ? Wrong(m.Value, other, $"{where}.{m.Key}") : $"{where}: no key {m.Key}"),
            JsonArray items => items.Select((item, i) => Wrong(item, schema["items"]!.AsObject(), FormattableString.Invariant($"{where}[{i}]"))),
            _ => [],
        };
        return parts.FirstOrDefault(p => p is not null);
    }
}
