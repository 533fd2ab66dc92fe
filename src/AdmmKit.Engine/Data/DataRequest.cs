namespace AdmmKit.Engine.Data;

/// <summary>Which data set is wanted, and where <see cref="DataSource"/> may look for it.</summary>
public sealed record DataRequest
{
    /// <summary>The data set, one of <see cref="DataSource.Names"/>; "mnist" stands for any four IDX files.</summary>
    public string Name { get; init; } = DataSource.Mnist;

    /// <summary>
    /// The folder of the files, or a folder with a "mnist" or "cifar10" folder of them; null to look further.
    /// </summary>
    public string? Directory { get; init; }

    /// <summary>Whether to draw <see cref="SyntheticDigits"/> without looking for files.</summary>
    public bool Synthetic { get; init; }

    /// <summary>Seed of the drawn digits.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>How many of the last training images are held out for validation.</summary>
    public int ValidationCount { get; init; } = 5000;

    /// <summary>How many digits are drawn for training and validation together, where they are drawn.</summary>
    public int SyntheticTraining { get; init; } = SyntheticDigits.DefaultTraining;

    /// <summary>How many digits are drawn for the test set, where they are drawn.</summary>
    public int SyntheticTest { get; init; } = SyntheticDigits.DefaultTest;

    /// <summary>The second place to look: by default the value of the environment variable ADMMKIT_DATA.</summary>
    public string? EnvironmentDirectory { get; init; } = Environment.GetEnvironmentVariable("ADMMKIT_DATA");

    /// <summary>Where downloads are kept: by default admmkit/mnist in the user's data folder.</summary>
    public string CacheDirectory { get; init; } = DefaultCache();

    /// <summary>Addresses of folders that hold the four MNIST files, tried in turn.</summary>
    public IReadOnlyList<Uri> Mirrors { get; init; } = MnistFiles.Mirrors;

    /// <summary>How long a mirror may be silent, before its first byte or between two, before the next one is tried.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long all downloading together may take.</summary>
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether downloads are left out: by default whether the environment variable ADMMKIT_OFFLINE is 1.</summary>
    public bool Offline { get; init; } =
        string.Equals(Environment.GetEnvironmentVariable("ADMMKIT_OFFLINE"), "1", StringComparison.Ordinal);

    /// <summary>The files to download and what they must be; replaced in tests.</summary>
    internal IReadOnlyList<PublishedFile> Published { get; init; } = MnistFiles.Published;

    private static string DefaultCache()
    {
        // Empty where the account has no home folder; what is there is checked by its SHA-256 before use, wherever it is.
        string data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        return Path.Combine(data.Length > 0 ? data : Path.GetTempPath(), "admmkit", "mnist");
    }
}
