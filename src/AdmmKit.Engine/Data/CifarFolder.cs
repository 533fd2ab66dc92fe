namespace AdmmKit.Engine.Data;

/// <summary>Makes a data set of a folder with the binary version of CIFAR-10: its files, plain or gzip, or its archive.</summary>
internal static class CifarFolder
{
    // As the files are kept beside other data sets, and as the archive unpacks.
    private static readonly string[] Below =
        ["", "cifar10", CifarFiles.ArchiveFolder, Path.Combine("cifar10", CifarFiles.ArchiveFolder)];

    /// <summary>Reads the folder, or one of the usual folders inside it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="origin">Where the folder's name came from, for messages: "--data", "ADMMKIT_DATA".</param>
    /// <param name="validationCount">How many of the last training images are held out.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public static DataSet Open(string folder, string origin, int validationCount, CancellationToken cancellationToken)
    {
        foreach (string place in Below.Select(b => Path.Combine(folder, b)))
        {
            string archive = Path.Combine(place, CifarFiles.Archive);
            if (HasFiles(place))
            {
                return Build(ReadFiles(place, origin, cancellationToken), place, validationCount);
            }

            if (File.Exists(archive))
            {
                return Build(CifarArchive.Read(archive, cancellationToken), place, validationCount);
            }
        }

        throw new BadFileException(!Directory.Exists(folder)
            ? $"The data folder '{folder}' ({origin}) does not exist: correct the path. {CifarFiles.Origin}."
            : $"There is no {CifarFiles.Name} in the folder '{folder}' ({origin}), nor in its folders {string.Join(", ", Below.Skip(1))}: "
            + $"looked for {CifarFiles.Training[0]} or another of its files, plain or .gz, and for {CifarFiles.Archive}. "
            + $"{CifarFiles.Origin}; put it into that folder as it is.");
    }

    /// <summary>Whether one of the files or the archive is in the folder, or in one of the usual folders inside it.</summary>
    /// <param name="folder">The folder.</param>
    public static bool HasAny(string folder) => Below.Select(b => Path.Combine(folder, b))
        .Any(place => HasFiles(place) || File.Exists(Path.Combine(place, CifarFiles.Archive)));

    private static bool HasFiles(string place) => CifarFiles.Published.Keys.Any(name => PathOf(place, name) is not null);

    private static Dictionary<string, CifarFile> ReadFiles(string place, string origin, CancellationToken cancellationToken)
    {
        string test = PathOf(place, CifarFiles.Test) is null && PathOf(place, CifarFiles.FirstTest) is not null
            ? CifarFiles.FirstTest
            : CifarFiles.Test;
        var files = new Dictionary<string, CifarFile>(StringComparer.Ordinal);
        foreach (string name in CifarFiles.Training.Append(test))
        {
            string path = PathOf(place, name) ?? throw new BadFileException(
                $"The folder '{place}' ({origin}) lacks {name}, plain or .gz, which {CifarFiles.Name} needs. {CifarFiles.Origin}.");
            files.Add(name, CifarFile.Read(path, cancellationToken));
        }

        return files;
    }

    private static string? PathOf(string place, string name) =>
        new[] { name, name + ".gz" }.Select(n => Path.Combine(place, n)).FirstOrDefault(File.Exists);

    private static DataSet Build(IReadOnlyDictionary<string, CifarFile> files, string place, int validationCount)
    {
        ImageSet all = Joined([.. CifarFiles.Training.Select(name => files[name].Images)]);
        if (all.Count <= validationCount)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"The training files in '{place}' have {all.Count} images; with {validationCount} held out for validation at least ")
                + FormattableString.Invariant($"{validationCount + 1L} are needed. Hold out fewer or give more images."));
        }

        bool whole = files.TryGetValue(CifarFiles.Test, out CifarFile? test);
        test ??= files[CifarFiles.FirstTest];
        string folder = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(place)));
        bool published = files.All(f => f.Value.Sha256 == CifarFiles.Published[f.Key]);
        string part = FormattableString.Invariant($"first {test.Images.Count:#,0} test images");
        string source = (published
            ? $"{CifarFiles.Name} as published (SHA-256 of all files matches), read from the folder '{folder}'"
            : $"Files in the layout of {CifarFiles.Name}, which are not those published, in the folder '{folder}'")
            + (whole ? "." : $"; of its test set only the {part}.");
        return new DataSet(
            published ? CifarFiles.Name : $"{folder} ({CifarFiles.Name} layout)",
            source,
            all.Slice(0, all.Count - validationCount),
            all.Slice(all.Count - validationCount, validationCount),
            test.Images,
            files.ToDictionary(f => f.Key, f => f.Value.Sha256, StringComparer.Ordinal))
        {
            TestName = whole ? "test" : part,
        };
    }

    private static ImageSet Joined(ImageSet[] parts)
    {
        int count = parts.Sum(p => p.Count), filled = 0;
        (var pixels, var labels) = (new byte[count * CifarFile.Shape.Size], new byte[count]);
        foreach (ImageSet part in parts)
        {
            part.Pixels.CopyTo(pixels.AsMemory(filled * CifarFile.Shape.Size));
            part.Labels.CopyTo(labels.AsMemory(filled));
            filled += part.Count;
        }

        return new ImageSet(CifarFile.Shape, CifarFile.Classes, pixels, labels);
    }
}
