using System.Text;
using AdmmKit.Experiments.Results;

namespace AdmmKit.Experiments.Report;

/// <summary>A picture of a folder of results.</summary>
/// <param name="File">Its file, without the folder.</param>
/// <param name="Svg">The picture, as the file has it.</param>
internal sealed record ReportPicture(string File, string Svg);

/// <summary>One folder of results as a report shows it, as far as it can be read.</summary>
internal sealed class ReportFolder
{
    // Of text files; what AdmmKit writes is far below.
    private const long MaxBytes = 16_000_000;

    private readonly List<string> problems = [];

    /// <summary>Its name, without the folders above.</summary>
    public required string Name { get; init; }

    /// <summary>Its title.</summary>
    public required string Title { get; init; }

    /// <summary>Its rows; none where they cannot be read.</summary>
    public required IReadOnlyList<ResultRow> Rows { get; init; }

    /// <summary>Its manifest, or null where it cannot be read.</summary>
    public required Manifest? Manifest { get; init; }

    /// <summary>Its notes in Markdown, or null for none.</summary>
    public required string? Notes { get; init; }

    /// <summary>Its pictures, first those that show results, then those of convergence, each by name.</summary>
    public required IReadOnlyList<ReportPicture> Pictures { get; init; }

    /// <summary>What is wrong with it, in whole sentences.</summary>
    public IReadOnlyList<string> Problems => problems;

    /// <summary>Reads a folder; what cannot be read is told in <see cref="Problems"/>.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="AdmmKitException">The folder cannot be read at all.</exception>
    public static ReportFolder Read(string path)
    {
        var found = new List<string>();
        T? Try<T>(Func<T> read)
        {
            try
            {
                return read();
            }
            catch (AdmmKitException e)
            {
                found.Add(e.Message.TrimEnd('.') + ".");
                return default;
            }
        }

        string name = Path.GetFileName(path);
        string Own(string file) => Path.Combine(path, file);
        IReadOnlyList<ResultRow> rows = Try(() => Checked(Own("rows.csv"), name, ResultRows.Read)) ?? [];
        Manifest? manifest = Try(() => Checked(Own("manifest.json"), name, Manifest.Load));
        string? notes = File.Exists(Own("notes.md")) ? Try(() => Checked(Own("notes.md"), name, Text)) : null;
        var pictures = new List<ReportPicture>();
        foreach (string file in Directory.EnumerateFiles(path, "*.svg").Order(StringComparer.Ordinal))
        {
            string picture = Path.GetFileName(file);
            // Cleaned again where it is shown; here it is found out whether it can be.
            if (Try(() => Checked(file, name, p => Picture(p, $"{name}/{picture}"))) is { } svg)
            {
                pictures.Add(new ReportPicture(picture, svg));
            }
        }

        var folder = new ReportFolder
        {
            Name = name,
            Title = ReportTitles.Of(name, notes),
            Rows = rows,
            Manifest = manifest,
            Notes = notes,
            Pictures = [.. pictures.OrderBy(p => p.File.StartsWith("convergence", StringComparison.Ordinal))],
        };
        // Messages name files by their whole path, which says where the report was made and nothing else.
        folder.problems.AddRange(found.Select(p => p.Replace(path, name, StringComparison.Ordinal)));
        return folder;
    }

    private static T Checked<T>(string path, string folder, Func<string, T> read)
    {
        var file = new FileInfo(path);
        string name = $"'{folder}/{file.Name}'";
        if (!file.Exists)
        {
            throw new BadFileException($"There is no {name}. Run the experiment again, or remove the folder.");
        }

        return file.Length <= MaxBytes ? read(path) : throw new BadFileException(FormattableString.Invariant(
            $"{name} has {file.Length} bytes, more than the {MaxBytes} that a report reads. Run the experiment again."));
    }

    private static string Picture(string path, string name)
    {
        string svg = Text(path);
        try
        {
            SafeSvg.Clean(svg, "p");
            return svg;
        }
        catch (BadFileException e)
        {
            throw new BadFileException($"'{name}' is left out: {e.Message.TrimEnd('.')}. Run the experiment again.", e);
        }
    }

    private static string Text(string path)
    {
        try
        {
            return File.ReadAllText(path, new UTF8Encoding(false, throwOnInvalidBytes: true)).ReplaceLineEndings("\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw new BadFileException($"Could not read '{path}': {e.Message.TrimEnd('.')}. Is it text in UTF-8?", e);
        }
    }
}
