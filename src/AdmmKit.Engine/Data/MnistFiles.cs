namespace AdmmKit.Engine.Data;

/// <summary>A published file: its name, the SHA-256 of its gzip bytes as published, and that of its content.</summary>
internal sealed record PublishedFile(string Name, string GzipSha256, string ContentSha256);

/// <summary>What is known about MNIST as published: names, checksums, mirrors; and the names that such files go by elsewhere.</summary>
internal static class MnistFiles
{
    /// <summary>The four files in the order training images, training labels, test images, test labels.</summary>
    public static readonly IReadOnlyList<PublishedFile> Published =
    [
        new(
            "train-images-idx3-ubyte.gz",
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        new(
            "train-labels-idx1-ubyte.gz",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        new(
            "t10k-images-idx3-ubyte.gz",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        new(
            "t10k-labels-idx1-ubyte.gz",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ];

    /// <summary>Public mirrors. The last has no TLS; every file is checked against the published SHA-256 whatever its origin.</summary>
    public static readonly IReadOnlyList<Uri> Mirrors =
    [
        new("https://ossci-datasets.s3.amazonaws.com/mnist/"),
        new("https://storage.googleapis.com/cvdf-datasets/mnist/"),
        new("http://yann.lecun.com/exdb/mnist/"),
    ];

    private static readonly string[][] Prefixes =
        [["train-images"], ["train-labels"], ["t10k-images", "test-images"], ["t10k-labels", "test-labels"]];

    /// <summary>The names that the file of one role may have, the usual one first.</summary>
    /// <param name="role">0 training images, 1 training labels, 2 test images, 3 test labels.</param>
    public static IEnumerable<string> AcceptedNames(int role)
    {
        string[] kinds = role % 2 == 0 ? ["idx3-ubyte", "idx4-ubyte"] : ["idx1-ubyte"];
        foreach (string kind in kinds)
        {
            foreach (string prefix in Prefixes[role])
            {
                foreach (char separator in "-.")
                {
                    yield return $"{prefix}{separator}{kind}";
                    yield return $"{prefix}{separator}{kind}.gz";
                }
            }
        }
    }
}
