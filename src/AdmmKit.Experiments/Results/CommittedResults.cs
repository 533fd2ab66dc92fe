using AdmmKit.Storage;

namespace AdmmKit.Experiments.Results;

/// <summary>
/// One folder of <c>results/</c>, read for a notebook, a script or the report: its rows, its manifest, its models. Nothing in it is
/// checked against anything else; <see cref="ResultsVerifier"/> does that.
/// </summary>
public sealed class CommittedResults
{
    /// <summary>The environment variable that names the folder of all results.</summary>
    public const string Variable = "ADMMKIT_RESULTS";

    private const string FolderName = "results", RowsFile = "rows.csv", ManifestFile = "manifest.json";

    private readonly Lazy<Manifest> manifest;

    private CommittedResults(string name, string folder)
    {
        (Name, Folder, Rows) = (name, folder, ResultRows.Read(Path.Combine(folder, RowsFile)));
        manifest = new(() => Manifest.Load(Path.Combine(folder, ManifestFile)));
    }

    /// <summary>The experiment, such as "table1".</summary>
    public string Name { get; }

    /// <summary>Its folder.</summary>
    public string Folder { get; }

    /// <summary>All rows.</summary>
    public IReadOnlyList<ResultRow> Rows { get; }

    /// <summary>How they were made; read when it is first asked for.</summary>
    /// <exception cref="AdmmKitException">It cannot be read.</exception>
    public Manifest Manifest => manifest.Value;

    /// <summary>
    /// The folder of all results: the one that ADMMKIT_RESULTS names, else the next <c>results</c> with rows in it from the working
    /// folder upwards.
    /// </summary>
    /// <exception cref="AdmmKitException">There is none.</exception>
    public static string FindFolder() => FindFolder(Environment.GetEnvironmentVariable(Variable), Environment.CurrentDirectory);

    /// <summary>What there are results of, in alphabetical order.</summary>
    /// <param name="folder">The folder of all results; null to look for it.</param>
    /// <exception cref="AdmmKitException">There is none.</exception>
    public static IReadOnlyList<string> Names(string? folder = null) => NamesIn(folder ?? FindFolder());

    /// <summary>Reads the results of one experiment.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="folder">The folder of all results; null to look for it.</param>
    /// <exception cref="BadFileException">The rows are damaged.</exception>
    /// <exception cref="AdmmKitException">There are no results of that name; the nearest one is suggested.</exception>
    public static CommittedResults Open(string name, string? folder = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        string all = folder ?? FindFolder();
        IReadOnlyList<string> names = NamesIn(all);
        return names.Contains(name) ? new CommittedResults(name, Path.Combine(all, name))
            : throw new AdmmKitException(AdmmKit.Names.Unknown("folder of results", name, names));
    }

    /// <summary>A file of the folder, such as a dense network or a platform.</summary>
    /// <param name="file">Its name.</param>
    /// <returns>Its path.</returns>
    /// <exception cref="AdmmKitException">There is no such file; the nearest one is suggested.</exception>
    public string PathOf(string file)
    {
        string[] files = [.. Directory.EnumerateFiles(Folder).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        return files.Contains(file) ? Path.Combine(Folder, file)
            : throw new AdmmKitException(AdmmKit.Names.Unknown($"file in the results of '{Name}' named", file, files));
    }

    /// <summary>Loads a compressed network of the folder.</summary>
    /// <param name="file">Its file, such as "AdmmKit-85x-seed1.admm".</param>
    /// <exception cref="BadFileException">It is damaged.</exception>
    /// <exception cref="AdmmKitException">There is no such file; the nearest one is suggested.</exception>
    public CompressedNetwork Model(string file) => CompressedNetwork.Load(PathOf(file));

    internal static string FindFolder(string? named, string from)
    {
        if (!string.IsNullOrEmpty(named))
        {
            return NamesIn(named).Length > 0 ? named : throw new AdmmKitException(
                $"The environment variable {Variable} is '{named}', and no folder in it has a {RowsFile}: "
                + "name the folder 'results' of a checkout, or leave it out.");
        }

        for (string? folder = Path.GetFullPath(from); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            string candidate = Path.Combine(folder, FolderName);
            if (Directory.Exists(candidate) && NamesIn(candidate).Length > 0)
            {
                return candidate;
            }
        }

        throw new AdmmKitException(
            $"There is no folder '{FolderName}' in '{from}' nor above it: start in a checkout of AdmmKit, "
            + $"or name the folder by the environment variable {Variable}.");
    }

    private static string[] NamesIn(string folder)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(folder).Where(f => File.Exists(Path.Combine(f, RowsFile)))
                .Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException(
                $"Could not read the results in '{folder}': {e.Message.TrimEnd('.')}. Check the name and that you may read it.", e);
        }
    }
}
