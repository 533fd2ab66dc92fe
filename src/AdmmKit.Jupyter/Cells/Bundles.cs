using System.Text.Json;
using System.Text.Json.Nodes;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Cells;

/// <summary>The forms in which any value is shown: those of its own formatters, or else those that AdmmKit has for it.</summary>
internal static class Bundles
{
    public static MimeBundle Of(object? value)
    {
        MimeBundle usual = Displays.BundleOf(value);
        if (value is null or MimeBundle or IDisplayable || ConventionFormatters.Format(value) is not { Count: > 0 } own)
        {
            return usual;
        }

        own.TryAdd(MimeTypes.Text, usual.Data[MimeTypes.Text]);
        return new MimeBundle(own);
    }

    public static MimeBundle OfText(string text, string mimeType) =>
        new(new Dictionary<string, string> { [MimeTypes.Text] = text, [mimeType] = text });

    /// <summary>A bundle's forms by media type; those of JSON as JSON, the others as the caller keeps text.</summary>
    public static JsonObject ToJson(MimeBundle bundle, Func<string, JsonNode> text)
    {
        var data = new JsonObject();
        foreach ((string type, string content) in bundle.Data)
        {
            try
            {
                data[type] = type.EndsWith("json", StringComparison.Ordinal) ? JsonNode.Parse(content) : text(content);
            }
            catch (JsonException)
            {
                // A cell may show what it likes; the other forms are still right.
            }
        }

        return data;
    }
}
