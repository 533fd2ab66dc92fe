namespace AdmmKit.Engine.Data;

/// <summary>Finds a data set: a folder that is named, the cache, a download, or digits that the program draws itself.</summary>
public static class DataSource
{
    /// <summary>
    /// Opens the first of: the folder of the request; the folder in ADMMKIT_DATA; the cache of an earlier download; MNIST
    /// from a public mirror; synthetic digits. A folder that is named but incomplete is an error, never replaced in silence.
    /// </summary>
    /// <param name="request">What is wanted and where to look.</param>
    /// <param name="log">Takes a line about each step that takes time or that the user should know of.</param>
    /// <param name="cancellationToken">Stops reading, downloading and drawing.</param>
    /// <exception cref="BadFileException">A named folder is missing, incomplete or damaged.</exception>
    /// <exception cref="AdmmKitException">The request contradicts itself.</exception>
    public static DataSet Open(DataRequest request, Action<string>? log = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Synthetic)
        {
            CheckValidation(request);
            if (!string.IsNullOrEmpty(request.Directory))
            {
                throw new AdmmKitException(
                    $"Both synthetic digits and the data folder '{request.Directory}' are asked for: leave one of them out.");
            }

            return Draw(request, cancellationToken);
        }

        if (OpenFiles(request, log, cancellationToken) is { } data)
        {
            return data;
        }

        log?.Invoke((request.Offline ? "MNIST is not in the cache and downloads are switched off" : "MNIST could not be downloaded")
            + ": using SYNTHETIC digits drawn by this program. Results on them are not results on MNIST. "
            + "For your own files: --data DIR or ADMMKIT_DATA.");
        return Draw(request, cancellationToken);
    }

    /// <summary>The same without the last resort: files or nothing.</summary>
    /// <param name="request">What is wanted and where to look; whether it asks for synthetic digits makes no difference.</param>
    /// <param name="log">Takes a line about each step that takes time or that the user should know of.</param>
    /// <param name="cancellationToken">Stops reading and downloading.</param>
    /// <returns>The data set, or null where no folder is named and MNIST is neither in the cache nor to be downloaded.</returns>
    /// <exception cref="BadFileException">A named folder is missing, incomplete or damaged.</exception>
    public static DataSet? OpenFiles(DataRequest request, Action<string>? log = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        CheckValidation(request);
        if (!string.IsNullOrEmpty(request.Directory))
        {
            return IdxFolder.Open(request.Directory, "--data", request.ValidationCount, cancellationToken);
        }

        if (!string.IsNullOrEmpty(request.EnvironmentDirectory))
        {
            return IdxFolder.Open(request.EnvironmentDirectory, "ADMMKIT_DATA", request.ValidationCount, cancellationToken);
        }

        return MnistDownload.IsComplete(request) || (!request.Offline && MnistDownload.TryFill(request, log ?? (_ => { }), cancellationToken))
            ? IdxFolder.Open(request.CacheDirectory, "cache", request.ValidationCount, cancellationToken)
            : null;
    }

    private static void CheckValidation(DataRequest request)
    {
        if (request.ValidationCount < 1)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{request.ValidationCount} validation images: at least 1 is needed, since every choice is made on them."));
        }
    }

    private static DataSet Draw(DataRequest request, CancellationToken cancellationToken) =>
        SyntheticDigits.Create(request.Seed, request.SyntheticTraining, request.SyntheticTest, request.ValidationCount, cancellationToken);
}
