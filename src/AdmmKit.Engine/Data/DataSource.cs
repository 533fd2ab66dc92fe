namespace AdmmKit.Engine.Data;

/// <summary>Finds a data set: a folder that is named, the cache, a download, or digits that the program draws itself.</summary>
public static class DataSource
{
    internal const string Mnist = "mnist";
    internal const string Cifar10 = "cifar10";

    /// <summary>The data sets that a request can name: "mnist", "cifar10".</summary>
    public static IReadOnlyList<string> Names { get; } = [Mnist, Cifar10];

    /// <summary>
    /// Opens the first of: the folder of the request; the folder in ADMMKIT_DATA; the cache of an earlier download; MNIST
    /// from a public mirror; synthetic digits. A folder that is named but incomplete is an error, never replaced in silence.
    /// CIFAR-10 is read from a folder or not at all.
    /// </summary>
    /// <param name="request">What is wanted and where to look.</param>
    /// <param name="log">Takes a line about each step that takes time or that the user should know of.</param>
    /// <param name="cancellationToken">Stops reading, downloading and drawing.</param>
    /// <exception cref="BadFileException">A named folder is missing, incomplete or damaged; or CIFAR-10 is wanted and none named.</exception>
    /// <exception cref="AdmmKitException">The request contradicts itself, or names no data set.</exception>
    public static DataSet Open(DataRequest request, Action<string>? log = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Synthetic)
        {
            Check(request);
            if (request.Name != Mnist)
            {
                throw new AdmmKitException(
                    $"Both synthetic digits and the data set '{request.Name}' are asked for: leave one of them out.");
            }

            if (!string.IsNullOrEmpty(request.Directory))
            {
                throw new AdmmKitException(
                    $"Both synthetic digits and the data folder '{request.Directory}' are asked for: leave one of them out.");
            }

            return Noted(Draw(request, cancellationToken));
        }

        if (OpenFiles(request, log, cancellationToken) is { } data)
        {
            return data;
        }

        if (request.Name == Cifar10)
        {
            throw new BadFileException(
                $"{CifarFiles.Name} is asked for, but neither --data nor ADMMKIT_DATA names a folder to look for it in. {CifarFiles.Origin}; "
                + "put it into a folder as it is and name that.");
        }

        log?.Invoke((request.Offline ? "MNIST is not in the cache and downloads are switched off" : "MNIST could not be downloaded")
            + ": using SYNTHETIC digits drawn by this program. Results on them are not results on MNIST. "
            + "For your own files: --data DIR or ADMMKIT_DATA.");
        return Noted(Draw(request, cancellationToken));
    }

    /// <summary>The same without the last resort: files or nothing.</summary>
    /// <param name="request">What is wanted and where to look; whether it asks for synthetic digits makes no difference.</param>
    /// <param name="log">Takes a line about each step that takes time or that the user should know of.</param>
    /// <param name="cancellationToken">Stops reading and downloading.</param>
    /// <returns>
    /// The data set, or null where no folder is named and it is neither in the cache nor to be downloaded, as only MNIST can be.
    /// </returns>
    /// <exception cref="BadFileException">A named folder is missing, incomplete or damaged.</exception>
    /// <exception cref="AdmmKitException">The request names no data set.</exception>
    public static DataSet? OpenFiles(DataRequest request, Action<string>? log = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request);
        bool cifar = request.Name == Cifar10;
        DataSet Folder(string folder, string origin) => Noted(cifar
            ? CifarFolder.Open(folder, origin, request.ValidationCount, cancellationToken)
            : IdxFolder.Open(folder, origin, request.ValidationCount, cancellationToken));
        if (!string.IsNullOrEmpty(request.Directory))
        {
            return Folder(request.Directory, "--data");
        }

        if (!string.IsNullOrEmpty(request.EnvironmentDirectory))
        {
            return Folder(request.EnvironmentDirectory, "ADMMKIT_DATA");
        }

        if (cifar)
        {
            return null;
        }

        return MnistDownload.IsComplete(request) || (!request.Offline && MnistDownload.TryFill(request, log ?? (_ => { }), cancellationToken))
            ? Folder(request.CacheDirectory, "cache")
            : null;
    }

    /// <summary>Which of <see cref="Names"/> a data set is, by the name that it has in tables and manifests.</summary>
    /// <param name="dataSet">A <see cref="DataSet.Name"/>.</param>
    public static string NameOf(string dataSet)
    {
        ArgumentNullException.ThrowIfNull(dataSet);
        return dataSet.Contains(CifarFiles.Name, StringComparison.Ordinal) ? Cifar10 : Mnist;
    }

    /// <summary>Whether a folder is named that exists but holds no file of the data set: it is for others, and nothing is amiss.</summary>
    /// <param name="request">What is wanted and where to look.</param>
    public static bool IsForOthers(DataRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        string? folder = string.IsNullOrEmpty(request.Directory) ? request.EnvironmentDirectory : request.Directory;
        return Directory.Exists(folder) && !(request.Name == Cifar10 ? CifarFolder.HasAny(folder) : IdxFolder.HasAny(folder));
    }

    // For whoever records what this process worked on, as notebooks do; they know nothing of data sets otherwise.
    private static DataSet Noted(DataSet data)
    {
        AppContext.SetData("AdmmKit.DataSet", data.Name);
        return data;
    }

    private static void Check(DataRequest request)
    {
        if (!Names.Contains(request.Name))
        {
            throw new AdmmKitException(AdmmKit.Names.Unknown("data set", request.Name, Names));
        }

        if (request.ValidationCount < 1)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{request.ValidationCount} validation images: at least 1 is needed, since every choice is made on them."));
        }
    }

    private static DataSet Draw(DataRequest request, CancellationToken cancellationToken) =>
        SyntheticDigits.Create(request.Seed, request.SyntheticTraining, request.SyntheticTest, request.ValidationCount, cancellationToken);
}
