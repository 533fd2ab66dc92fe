namespace AdmmKit.Engine.Data;

/// <summary>What is known about CIFAR-10 as published: names and SHA-256 of the files of its binary version.</summary>
internal static class CifarFiles
{
    /// <summary>What tables and pictures call the data set.</summary>
    public const string Name = "CIFAR-10";

    public const string Archive = "cifar-10-binary.tar.gz";

    /// <summary>The folder that the archive unpacks to.</summary>
    public const string ArchiveFolder = "cifar-10-batches-bin";

    /// <summary>Where the archive comes from, for messages.</summary>
    public const string Origin =
        $"'CIFAR-10 binary version' ({Archive}, 162 MB) is on Alex Krizhevsky's page of the data set at the University of Toronto";

    public const string Test = "test_batch.bin";

    /// <summary>The first 1,000 records of <see cref="Test"/> alone.</summary>
    public const string FirstTest = "test_first1000.bin";

    /// <summary>The training files in order.</summary>
    public static readonly IReadOnlyList<string> Training =
        ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"];

    /// <summary>SHA-256 by name.</summary>
    public static readonly IReadOnlyDictionary<string, string> Published = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        [Training[0]] = "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        [Training[1]] = "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        [Training[2]] = "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        [Training[3]] = "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        [Training[4]] = "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        [Test] = "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
        [FirstTest] = "8314c96d7cd65618193bab23acdd5d4c4af15bf6dd00a1781d55beedf3be1ef5",
    };
}
