using System.Text;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Jupyter.Files;

/// <summary>One cell of a notebook, a view of its JSON: what is not touched stays as it was.</summary>
public sealed class NotebookCell
{
    /// <summary>Cells with this tag are executed, but <c>--check</c> does not compare their outputs: times, mostly.</summary>
    public const string VolatileTag = "volatile";

    /// <summary>The cell with this tag declares the variables that <c>--set</c> can change.</summary>
    public const string ParametersTag = "parameters";

    /// <summary>Cells with this tag may throw, and the next one is run all the same; Jupyter has it, too.</summary>
    public const string MayFailTag = "raises-exception";

    /// <summary>The cell that <c>--set</c> added.</summary>
    public const string InjectedTag = "injected-parameters";

    private readonly string notebook;

    internal NotebookCell(JsonObject json, int number, string notebook)
    {
        Json = json;
        Number = number;
        this.notebook = notebook;
    }

    /// <summary>The cell as it is in the file.</summary>
    public JsonObject Json { get; }

    /// <summary>Its place among the cells of all kinds, from 1.</summary>
    public int Number { get; }

    /// <summary>Whether it has code to run; the others are text.</summary>
    public bool IsCode => NotebookText.String(Json["cell_type"]) == "code";

    /// <summary>Its text.</summary>
    public string Source
    {
        get => NotebookText.Joined(Json["source"]);
        set => Json["source"] = NotebookText.Lines(value);
    }

    /// <summary>Its tags.</summary>
    public IReadOnlyList<string> Tags =>
        Json["metadata"] is JsonObject metadata && metadata["tags"] is JsonArray tags
            ? [.. tags.Select(NotebookText.String).OfType<string>()]
            : [];

    /// <summary>What it put out when it was last run.</summary>
    public JsonArray Outputs => Json["outputs"] as JsonArray ?? [];

    /// <summary>The language of its code, by its own metadata, or else by the notebook's.</summary>
    /// <param name="usual">The notebook's.</param>
    /// <exception cref="BadFileException">A language that AdmmKit does not run.</exception>
    public CellLanguage Language(CellLanguage usual)
    {
        // Both names of what VS Code writes: the newer one first.
        string? name = Json["metadata"] is JsonObject metadata
            ? Inner(metadata, "polyglot_notebook", "kernelName") ?? Inner(metadata, "dotnet_interactive", "language")
            : null;
        return name is null
            ? usual
            : KernelNames.Parse(name) ?? throw new BadFileException(
                $"'{notebook}', cell {Number}: its language is '{name}'. AdmmKit runs cells in csharp and fsharp; run this notebook with the kernel it was made for.");
    }

    private static string? Inner(JsonObject metadata, string group, string key) =>
        metadata[group] is JsonObject inner ? NotebookText.String(inner[key]) : null;
}

/// <summary>Text in notebooks is one string or a list of lines.</summary>
internal static class NotebookText
{
    public static string? String(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    public static string Joined(JsonNode? node)
    {
        if (node is not JsonArray lines)
        {
            return String(node) ?? "";
        }

        var text = new StringBuilder();
        foreach (JsonNode? line in lines)
        {
            text.Append(String(line));
        }

        return text.ToString();
    }

    /// <summary>Lines with their newlines, as Jupyter keeps them.</summary>
    public static JsonArray Lines(string text)
    {
        var lines = new JsonArray();
        for (int start = 0; start < text.Length;)
        {
            int end = text.IndexOf('\n', start) + 1;
            end = end == 0 ? text.Length : end;
            lines.Add(text[start..end]);
            start = end;
        }

        return lines;
    }
}
