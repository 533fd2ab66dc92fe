using AdmmKit.Networks;

namespace AdmmKit.Engine.Data;

/// <summary>Makes a data set of a folder of four IDX files: images and labels for training and for testing.</summary>
internal static class IdxFolder
{
    private const string Inner = "mnist";
    private static readonly string[] Roles = ["training images", "training labels", "test images", "test labels"];

    /// <summary>Whether one of the files is in the folder, or in the "mnist" folder inside it.</summary>
    /// <param name="folder">The folder.</param>
    public static bool HasAny(string folder) => Holds(folder) || Holds(Path.Combine(folder, Inner));

    /// <summary>Reads the folder, or the "mnist" folder inside it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="origin">Where the folder's name came from, for messages: "--data", "ADMMKIT_DATA".</param>
    /// <param name="validationCount">How many of the last training images are held out.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public static DataSet Open(string folder, string origin, int validationCount, CancellationToken cancellationToken)
    {
        string place = Locate(folder, origin);
        var files = new IdxFile[4];
        for (int role = 0; role < 4; role++)
        {
            files[role] = IdxFile.Read(Find(place, role, origin), cancellationToken);
            if (files[role].HoldsLabels != (role % 2 == 1))
            {
                throw new BadFileException(
                    $"'{files[role].Name}' holds {(files[role].HoldsLabels ? "labels" : "images")} where the {Roles[role]} were expected: check that image and label files are not swapped.");
            }
        }

        return Build(files, place, validationCount);
    }

    private static string Locate(string folder, string origin)
    {
        if (!Directory.Exists(folder))
        {
            throw new BadFileException(
                $"The data folder '{folder}' ({origin}) does not exist: correct the path, or leave it out to download MNIST or use synthetic digits.");
        }

        string inner = Path.Combine(folder, Inner);
        return !Holds(folder) && Directory.Exists(inner) ? inner : folder;
    }

    private static bool Holds(string folder) => Enumerable.Range(0, 4).Any(role => PathOf(folder, role) is not null);

    private static string Find(string folder, int role, string origin) => PathOf(folder, role) ?? throw new BadFileException(
        $"The folder '{folder}' ({origin}) lacks the file of the {Roles[role]}. Put it there under one of these names: {string.Join(", ", MnistFiles.AcceptedNames(role))}; or leave the folder out to download MNIST or use synthetic digits.");

    private static string? PathOf(string folder, int role) =>
        MnistFiles.AcceptedNames(role).Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static DataSet Build(IdxFile[] files, string folder, int validationCount)
    {
        (IdxFile train, IdxFile trainLabels, IdxFile test, IdxFile testLabels) = (files[0], files[1], files[2], files[3]);
        CheckCounts(train, trainLabels);
        CheckCounts(test, testLabels);
        if (train.Shape != test.Shape)
        {
            throw new BadFileException(
                $"'{train.Name}' has images of {train.Shape} but '{test.Name}' of {test.Shape}: both must come from the same data set.");
        }

        // A class that no training image shows cannot be learnt, but a test label above the training labels is still a class.
        int classes = 1 + Math.Max(Highest(trainLabels), Highest(testLabels));
        if (classes < 2)
        {
            throw new BadFileException($"All labels in '{trainLabels.Name}' and '{testLabels.Name}' are 0: at least two classes are needed.");
        }

        if (train.Count <= validationCount)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"'{train.Name}' has {train.Count} images; with {validationCount} held out for validation at least {validationCount + 1L} are needed. Hold out fewer or give more images."));
        }

        var all = new ImageSet(train.Shape, classes, train.Values, trainLabels.Values);
        var testing = new ImageSet(test.Shape, classes, test.Values, testLabels.Values);
        bool mnist = files.Zip(MnistFiles.Published).All(pair => pair.First.Sha256 == pair.Second.ContentSha256);
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string name = mnist ? "MNIST" : Path.GetFileName(full) is { Length: > 0 } last ? last : full;
        string source = mnist ? $"MNIST as published (SHA-256 of all four files matches), read from the folder '{Path.GetFileName(full)}'." : $"Four IDX files in the folder '{Path.GetFileName(full)}'.";
        return new DataSet(
            name,
            source,
            all.Slice(0, train.Count - validationCount),
            all.Slice(train.Count - validationCount, validationCount),
            testing,
            files.ToDictionary(f => Path.GetFileName(f.Name), f => f.Sha256, StringComparer.Ordinal));
    }

    private static void CheckCounts(IdxFile images, IdxFile labels)
    {
        if (images.Count != labels.Count)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"'{images.Name}' has {images.Count} images but '{labels.Name}' has {labels.Count} labels: the two files do not belong together."));
        }
    }

    private static int Highest(IdxFile labels)
    {
        int highest = 0;
        foreach (byte label in labels.Values.Span)
        {
            highest = Math.Max(highest, label);
        }

        return highest;
    }
}
