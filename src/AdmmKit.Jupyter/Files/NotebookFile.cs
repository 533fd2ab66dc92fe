using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Sessions;
using AdmmKit.Storage;

namespace AdmmKit.Jupyter.Files;

/// <summary>
/// A notebook (<c>.ipynb</c>, nbformat 4): its cells and what they put out. Fields that AdmmKit does not know are kept, and
/// it is written as Jupyter writes it, so that only what changed differs.
/// </summary>
public sealed class NotebookFile
{
    private const int NewestMinor = 5;

    private readonly JsonObject json;

    private NotebookFile(JsonObject json, string name, List<NotebookCell> cells, CellLanguage language) =>
        (this.json, Name, Cells, Language) = (json, name, cells, language);

    /// <summary>The file's name, for messages.</summary>
    public string Name { get; }

    /// <summary>All cells, in order.</summary>
    public IReadOnlyList<NotebookCell> Cells { get; private set; }

    /// <summary>The language of cells that do not name their own.</summary>
    public CellLanguage Language { get; }

    /// <summary>The notebook's metadata.</summary>
    public JsonObject Metadata => (JsonObject)json["metadata"]!;

    /// <summary>Reads a notebook.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="AdmmKitException">There is no such file.</exception>
    /// <exception cref="BadFileException">It is no notebook, or one of a language that AdmmKit does not run.</exception>
    public static NotebookFile Read(string path)
    {
        try
        {
            using FileStream stream = File.OpenRead(path);
            return stream.Length > NotebookJson.MaxBytes
                ? throw TooLarge(path)
                : Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not read the notebook '{path}': {e.Message.TrimEnd('.')}. Check its name and whether you may read it.", e);
        }
    }

    /// <summary>Reads a notebook from bytes.</summary>
    /// <param name="bytes">The bytes, UTF-8.</param>
    /// <param name="name">The name to use in messages.</param>
    /// <exception cref="BadFileException">It is no notebook, or one of a language that AdmmKit does not run.</exception>
    public static NotebookFile Parse(byte[] bytes, string name)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        if (bytes.Length > NotebookJson.MaxBytes)
        {
            throw TooLarge(name);
        }

        // A byte order mark is no JSON, but some editors write one.
        ReadOnlyMemory<byte> text = bytes.AsMemory(bytes.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0);
        JsonObject json = NotebookJson.Parse(text, name) as JsonObject ?? throw Bad(name, "it is no JSON object");
        if (json["nbformat"] is not JsonValue version || !version.TryGetValue(out int major))
        {
            throw Bad(name, "it has no number 'nbformat'");
        }

        if (major != 4)
        {
            throw new BadFileException(string.Create(
                CultureInfo.InvariantCulture,
                $"'{name}' is in nbformat {major}; AdmmKit reads nbformat 4. Convert it: jupyter nbconvert --to notebook --nbformat 4 FILE."));
        }

        json["metadata"] ??= new JsonObject();
        if (json["metadata"] is not JsonObject || json["cells"] is not JsonArray array)
        {
            throw Bad(name, "'metadata' must be an object and 'cells' a list");
        }

        List<NotebookCell> cells = ReadCells(array, name);
        AddIds(json, cells);
        return new NotebookFile(json, name, cells, LanguageOf((JsonObject)json["metadata"]!, name));
    }

    /// <summary>The notebook as Jupyter would write it.</summary>
    public string ToJson() => NotebookJson.Write(json);

    /// <summary>Writes the notebook: a reader sees the old file or the whole new one.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="AdmmKitException">It could not be written.</exception>
    public void Write(string path) => AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(ToJson())));

    /// <summary>Adds a cell of code behind another one, or replaces the one there that has the same tag.</summary>
    /// <param name="after">The cell before it.</param>
    /// <param name="source">Its code.</param>
    /// <param name="tag">Its tag.</param>
    internal void Inject(NotebookCell after, string source, string tag)
    {
        var array = (JsonArray)json["cells"]!;
        int at = array.IndexOf(after.Json) + 1;
        if (at < Cells.Count && Cells[at].Tags.Contains(tag))
        {
            array.RemoveAt(at);
        }

        JsonNode metadata = after.Json["metadata"]!.DeepClone();
        metadata["tags"] = new JsonArray(tag);
        array.Insert(at, new JsonObject
        {
            ["cell_type"] = "code",
            ["execution_count"] = null,
            ["id"] = tag,
            ["metadata"] = metadata,
            ["outputs"] = new JsonArray(),
            ["source"] = NotebookText.Lines(source),
        });
        Cells = ReadCells(array, Name);
    }

    private static List<NotebookCell> ReadCells(JsonArray array, string name)
    {
        var cells = new List<NotebookCell>();
        foreach (JsonNode? node in array)
        {
            int number = cells.Count + 1;
            if (node is not JsonObject cell || NotebookText.String(cell["cell_type"]) is not ("code" or "markdown" or "raw"))
            {
                throw Bad(name, string.Create(CultureInfo.InvariantCulture, $"cell {number} is no object with a 'cell_type' of code, markdown or raw"));
            }

            if (!IsText(cell["source"]))
            {
                throw Bad(name, string.Create(CultureInfo.InvariantCulture, $"the 'source' of cell {number} is neither text nor a list of lines"));
            }

            if (NotebookText.String(cell["source"]) is { } text)
            {
                // The form in which Jupyter keeps it.
                cell["source"] = NotebookText.Lines(text);
            }

            cell["metadata"] ??= new JsonObject();
            if (cell["metadata"] is not JsonObject)
            {
                throw Bad(name, string.Create(CultureInfo.InvariantCulture, $"the 'metadata' of cell {number} is no object"));
            }

            if (cell["outputs"] is { } outputs && !(outputs is JsonArray list && list.All(o => o is JsonObject)))
            {
                throw Bad(name, string.Create(CultureInfo.InvariantCulture, $"the 'outputs' of cell {number} are no list of objects"));
            }

            cells.Add(new NotebookCell(cell, number, name));
        }

        return cells;
    }

    private static bool IsText(JsonNode? node) =>
        NotebookText.String(node) is not null || (node is JsonArray lines && lines.All(l => NotebookText.String(l) is not null));

    // Since 4.5 every cell has a name of its own, by which tools tell changed cells from moved ones.
    private static void AddIds(JsonObject json, List<NotebookCell> cells)
    {
        if (json["nbformat_minor"] is not JsonValue value || !value.TryGetValue(out int minor) || minor < NewestMinor)
        {
            json["nbformat_minor"] = NewestMinor;
        }

        var used = cells.Select(c => NotebookText.String(c.Json["id"])).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (NotebookCell cell in cells.Where(c => c.Json["id"] is null))
        {
            int suffix = cell.Number;
            string id;
            do
            {
                id = string.Create(CultureInfo.InvariantCulture, $"cell-{suffix++}");
            }
            while (!used.Add(id));
            cell.Json["id"] = id;
        }
    }

    private static CellLanguage LanguageOf(JsonObject metadata, string name)
    {
        var spec = metadata["kernelspec"] as JsonObject;
        string? kernel = NotebookText.String(spec?["name"]);
        if (kernel is not null)
        {
            // The format asks for it, and some programs leave it out.
            spec!["display_name"] ??= kernel;
        }

        return kernel is null
            ? throw new BadFileException(
                $"'{name}' does not say which kernel it is for (metadata.kernelspec.name). AdmmKit runs: {string.Join(", ", KernelNames.All)}.")
            : KernelNames.Parse(kernel) ?? throw new BadFileException(
                $"'{name}' is for the kernel '{kernel}', which AdmmKit does not run. It runs: {string.Join(", ", KernelNames.All)}. "
                + "Use Jupyter with that kernel for this notebook.");
    }

    private static BadFileException Bad(string name, string what) =>
        new($"'{name}' is no notebook: {what}. AdmmKit reads nbformat 4.0 to 4.5; open and save it in Jupyter, which repairs what it can.");

    private static BadFileException TooLarge(string name) => new(
        $"'{name}' has more than {NotebookJson.MaxBytes / (1024 * 1024)} MiB, more than a notebook can have here. Clear its outputs, and run it again.");
}
