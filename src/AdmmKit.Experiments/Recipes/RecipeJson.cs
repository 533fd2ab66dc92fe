using System.Text.Json;
using System.Text.Json.Nodes;

namespace AdmmKit.Experiments.Recipes;

/// <summary>Reads and writes recipes. An unknown key is an error that suggests the nearest valid one.</summary>
public static class RecipeJson
{
    // What editors look for to complete and check a file.
    private const string SchemaKey = "$schema";

    private const int MaximumBytes = 1 << 20;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict,
        PropertyNameCaseInsensitive = false,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>A recipe as JSON.</summary>
    /// <param name="recipe">The recipe.</param>
    public static string Write(Recipe recipe) => JsonSerializer.Serialize(recipe, Options) + "\n";

    /// <summary>A recipe of a search as JSON.</summary>
    /// <param name="recipe">The recipe.</param>
    public static string Write(SearchRecipe recipe) => JsonSerializer.Serialize(recipe, Options) + "\n";

    /// <summary>Reads a recipe file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="architecture">The architecture of a recipe that names none; null for that of <see cref="Recipe"/>.</param>
    /// <exception cref="AdmmKitException">It cannot be read, or is no recipe; the message says where.</exception>
    public static Recipe Load(string path, string? architecture = null) => Load<Recipe>(path, architecture);

    /// <summary>Reads the recipe file of a search.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="AdmmKitException">It cannot be read, or is no such recipe; the message says where.</exception>
    public static SearchRecipe LoadSearch(string path) => Load<SearchRecipe>(path);

    /// <summary>Reads a recipe.</summary>
    /// <param name="json">The text.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="BadFileException">It is no recipe; the message says where and, for an unknown key, the nearest valid one.</exception>
    public static Recipe Parse(string json, string name) => Parse<Recipe>(json, name);

    private static T Load<T>(string path, string? architecture = null)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            // A pipe or a device does not say how long it is: read until there is too much.
            var bytes = new byte[MaximumBytes + 1];
            int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaximumBytes ? Parse<T>(new StreamReader(new MemoryStream(bytes, 0, length)).ReadToEnd(), path, architecture)
                : throw new BadFileException($"'{path}' is larger than a recipe can be (1 MiB): is it the right file?");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not read the recipe '{path}': {e.Message.TrimEnd('.')}. Check the name and that you may read it.", e);
        }
    }

    private static T Parse<T>(string json, string name, string? architecture = null)
    {
        try
        {
            JsonNode? node = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions
            {
                CommentHandling = JsonCommentHandling.Skip,
                AllowTrailingCommas = true,
                MaxDepth = 16,
            });
            if (node is JsonObject recipe)
            {
                recipe.Remove(SchemaKey);
                if (architecture is not null)
                {
                    recipe.TryAdd("architecture", architecture);
                }
            }

            CheckKeys(node, typeof(T), name, "recipe");
            return node.Deserialize<T>(Options) ?? throw new BadFileException($"'{name}' holds null, not a recipe.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new BadFileException($"'{name}' is not a recipe: {e.Message.TrimEnd('.')}.", e);
        }
    }

    private static void CheckKeys(JsonNode? node, Type type, string name, string where)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (node is JsonArray array && type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
        {
            for (int i = 0; i < array.Count; i++)
            {
                string entry = FormattableString.Invariant($"{where}[{i}]");
                CheckKeys(array[i] ?? throw new BadFileException($"'{name}', {entry} is null: fill it in or leave it out."),
                    type.GetGenericArguments()[0], name, entry);
            }
        }

        if (node is not JsonObject members || type.Namespace != typeof(Recipe).Namespace)
        {
            return;
        }

        Dictionary<string, Type> valid = type.GetProperties().Where(p => p.CanWrite)
            .ToDictionary(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name), p => p.PropertyType);
        foreach ((string key, JsonNode? value) in members)
        {
            if (!valid.TryGetValue(key, out Type? inner))
            {
                throw new BadFileException($"'{name}', {where}: {Names.Unknown("key", key, valid.Keys)}");
            }

            CheckKeys(value, inner, name, $"{where}.{key}");
        }
    }
}
