using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using AdmmKit.Engine.Data;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Experiments;
using AdmmKit.Training;

namespace AdmmKit.Tests.Data;

public class CifarTests
{
    private const int RecordBytes = 3073;

    private static readonly string[] Names =
        ["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"];

    /// <summary>Records whose labels and pixels tell which file and which record they are.</summary>
    private static byte[] Records(int count, int file = 0) => [.. Enumerable.Range(0, count).SelectMany(i =>
        new[] { (byte)((i + file) % 10) }.Concat(Enumerable.Range(0, RecordBytes - 1).Select(p => (byte)(p + (7 * i) + (31 * file)))))];

    private static void WriteDataSet(TemporaryFolder folder, string under = "", bool gzip = false, string test = "test_batch.bin")
    {
        foreach ((int i, string name) in Names[..5].Append(test).Index())
        {
            byte[] bytes = Records(2 + i, i);
            folder.Write(Path.Combine(under, name + (gzip ? ".gz" : "")), gzip ? TemporaryFolder.Gzip(bytes) : bytes);
        }
    }

    /// <summary>An archive as the published one: a folder, the files, and others among them.</summary>
    private static byte[] Tar(TarEntryFormat format, params (string Name, byte[] Bytes)[] files)
    {
        using var memory = new MemoryStream();
        using (var writer = new TarWriter(memory, format, leaveOpen: true))
        {
            TarEntry Entry(TarEntryType type, string name) => format switch
            {
                TarEntryFormat.V7 => new V7TarEntry(type, name),
                TarEntryFormat.Ustar => new UstarTarEntry(type, name),
                TarEntryFormat.Gnu => new GnuTarEntry(type, name),
                _ => new PaxTarEntry(type, name),
            };
            writer.WriteEntry(Entry(TarEntryType.Directory, "cifar-10-batches-bin/"));
            foreach ((string name, byte[] bytes) in files)
            {
                TarEntry entry = Entry(format == TarEntryFormat.V7 ? TarEntryType.V7RegularFile : TarEntryType.RegularFile, name);
                entry.DataStream = new MemoryStream(bytes);
                writer.WriteEntry(entry);
            }
        }

        return memory.ToArray();
    }

    private static (string Name, byte[] Bytes)[] ArchiveFiles(int records = 2) =>
    [
        ("cifar-10-batches-bin/batches.meta.txt", TemporaryFolder.Ramp(61)),
        .. Names.Select((name, i) => ("cifar-10-batches-bin/" + name, Records(records + (records > 1 ? i : 0), i))).Reverse(),
    ];

    /// <summary>The archive, its entry at the given place with another size, as the archive says it.</summary>
    private static byte[] Resized(byte[] tar, int at, string octal)
    {
        byte[] resized = [.. tar];
        Encoding.ASCII.GetBytes(octal.PadLeft(11, '0')).CopyTo(resized, at + 124);
        Encoding.ASCII.GetBytes("        ").CopyTo(resized, at + 148);
        string sum = Convert.ToString(resized.AsSpan(at, 512).ToArray().Sum(b => b), 8);
        Encoding.ASCII.GetBytes(sum.PadLeft(6, '0') + "\0 ").CopyTo(resized, at + 148);
        return resized;
    }

    private static DataRequest In(string folder, int validation = 3) => new()
    {
        Name = "cifar10",
        Directory = folder,
        EnvironmentDirectory = null,
        Offline = true,
        ValidationCount = validation,
    };

    private static CifarFile Read(byte[] bytes) => CifarFile.Read(new MemoryStream(bytes), "some-file");

    private static string Refusal(byte[] bytes)
    {
        string message = Assert.Throws<BadFileException>(() => Read(bytes)).Message;
        Assert.StartsWith("'some-file' ", message, StringComparison.Ordinal);
        return message;
    }

    [Fact]
    public void A_folder_for_other_data_is_told_from_one_that_is_incomplete_or_missing()
    {
        using var folder = new TemporaryFolder();
        DataRequest cifar = In(folder.Path), mnist = cifar with { Name = "mnist" };
        Assert.True(DataSource.IsForOthers(cifar));
        Assert.True(DataSource.IsForOthers(mnist));
        folder.Write(Path.Combine("cifar10", Names[0]), Records(2));
        Assert.False(DataSource.IsForOthers(cifar));
        Assert.False(DataSource.IsForOthers(cifar with { Directory = null, EnvironmentDirectory = folder.Path }));
        Assert.True(DataSource.IsForOthers(mnist));
        folder.Write(Path.Combine("mnist", "train-images-idx3-ubyte.gz"), [1]);
        Assert.False(DataSource.IsForOthers(mnist));
        Assert.False(DataSource.IsForOthers(In(Path.Combine(folder.Path, "none"))));
        Assert.False(DataSource.IsForOthers(cifar with { Directory = null }));
        Assert.Equal(["cifar10", "cifar10", "mnist", "mnist"], new[] { "CIFAR-10", "mine (CIFAR-10 layout)", "MNIST", "digits" }.Select(DataSource.NameOf));
    }

    private static string Refusal(DataRequest request) => Assert.Throws<BadFileException>(() => DataSource.Open(request)).Message;

    [Theory]
    [InlineData(1, false)]
    [InlineData(25, false)]
    [InlineData(25, true)]
    public void Labels_and_pixels_are_told_apart(int count, bool gzip)
    {
        byte[] bytes = Records(count);
        CifarFile file = Read(gzip ? TemporaryFolder.Gzip(bytes) : bytes);
        Assert.Equal((new ImageShape(3, 32, 32), 10, count), (file.Images.Shape, file.Images.Classes, file.Images.Count));
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(bytes[i * RecordBytes], file.Images.Labels.Span[i]);
            Assert.True(file.Images.Slice(i, 1).Pixels.Span.SequenceEqual(bytes.AsSpan((i * RecordBytes) + 1, RecordBytes - 1)));
        }

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), file.Sha256);
    }

    [Fact]
    public void What_is_not_in_the_layout_is_refused()
    {
        Assert.Contains("has 0 bytes", Refusal([]), StringComparison.Ordinal);
        Assert.Contains("has 6145 bytes, which are not whole records of 3073", Refusal(Records(2)[..^1]), StringComparison.Ordinal);
        byte[] label = Records(3);
        label[RecordBytes * 2] = 10;
        Assert.Contains("has the label 10 in record 2, where 0 to 9", Refusal(label), StringComparison.Ordinal);
        byte[] damaged = TemporaryFolder.Gzip(Records(3));
        damaged[^6] ^= 1; // in the checksum
        Assert.Contains("does not decompress", Refusal(damaged), StringComparison.Ordinal);
        var e = Assert.Throws<BadFileException>(() => CifarFile.Read("/no/such/file"));
        Assert.Contains("/no/such/file", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void More_than_a_published_file_holds_is_refused_early()
    {
        var bytes = new byte[RecordBytes * CifarFile.MaximumRecords];
        Assert.Equal(10_000, Read(bytes).Images.Count);
        Assert.Contains("more than 10000 records", Refusal([.. bytes, 0]), StringComparison.Ordinal);
        // 64 kB that hold 64 MiB; to notice it takes less than twice what may be there.
        byte[] bomb = TemporaryFolder.Gzip(new byte[64 << 20], CompressionLevel.Optimal);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("more than 10000 records", Refusal(bomb), StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100 << 20);
        // The first file stands behind the folder, the text and its padding.
        byte[] tar = Tar(TarEntryFormat.Ustar, ArchiveFiles());
        foreach ((int at, string octal, string message) in new[]
        {
            (512, "2000000000", "more than 268435456 bytes"), (1536, "2000000000", "more than 268435456 bytes"),
            (1536, "777777777", "is truncated: 134217727 bytes are declared but only"), (1536, "7777777777z", "is not a tar archive"),
        })
        {
            byte[] archive = TemporaryFolder.Gzip(Resized(tar, at, octal));
            before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Contains(message, ArchiveRefusal(archive), StringComparison.Ordinal);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        }
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("cifar10", true)]
    [InlineData("cifar-10-batches-bin", false)]
    [InlineData("cifar10/cifar-10-batches-bin", true)]
    public void A_folder_of_files_is_a_data_set(string under, bool gzip)
    {
        using var folder = new TemporaryFolder();
        WriteDataSet(folder, under, gzip);
        DataSet data = DataSource.Open(In(folder.Path));
        // 2 + 3 + 4 + 5 + 6 to train and choose by, 7 to test.
        Assert.Equal((17, 3, 7, "test"), (data.Training.Count, data.Validation.Count, data.Test.Count, data.TestName));
        Assert.Equal(Records(6, 4)[(3 * RecordBytes) + 1], data.Validation.Pixels.Span[0]); // the fourth record of the last file
        Assert.Equal(Records(5, 3)[0], data.Training.Labels.Span[9]);
        Assert.Equal(Records(7, 5)[1], data.Test.Pixels.Span[0]);
        Assert.EndsWith(" (CIFAR-10 layout)", data.Name, StringComparison.Ordinal);
        Assert.Contains("not those published", data.Source, StringComparison.Ordinal);
        Assert.Equal(Names, data.Checksums.Keys);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Records(3, 1))), data.Checksums["data_batch_2.bin"]);
    }

    [Fact]
    public void A_part_of_the_test_images_is_named_as_such()
    {
        using var folder = new TemporaryFolder();
        WriteDataSet(folder, test: "test_first1000.bin");
        DataSet data = DataSource.Open(In(folder.Path));
        Assert.Equal("first 7 test images", data.TestName);
        Assert.EndsWith("; of its test set only the first 7 test images.", data.Source, StringComparison.Ordinal);
        folder.Write("test_batch.bin", Records(9));
        data = DataSource.Open(In(folder.Path));
        Assert.Equal(("test", 9), (data.TestName, data.Test.Count));
    }

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public void The_archive_is_the_same_data_set(TarEntryFormat format)
    {
        using TemporaryFolder folder = new(), archive = new();
        WriteDataSet(folder);
        archive.Write("cifar10/cifar-10-binary.tar.gz", TemporaryFolder.Gzip(Tar(format, ArchiveFiles())));
        DataSet expected = DataSource.Open(In(folder.Path)), data = DataSource.Open(In(archive.Path));
        Assert.Equal(expected.Checksums, data.Checksums);
        Assert.True(expected.Training.Pixels.Span.SequenceEqual(data.Training.Pixels.Span));
        Assert.True(expected.Test.Labels.Span.SequenceEqual(data.Test.Labels.Span));
        Assert.Equal("cifar10 (CIFAR-10 layout)", data.Name);
    }

    [Fact]
    public void What_is_wrong_with_an_archive_is_named()
    {
        byte[] good = Tar(TarEntryFormat.Ustar, ArchiveFiles());
        Assert.Contains("does not decompress", ArchiveRefusal(good), StringComparison.Ordinal);
        Assert.Contains("is not a tar archive", ArchiveRefusal(TemporaryFolder.Gzip(TemporaryFolder.Ramp(2000))), StringComparison.Ordinal);
        Assert.Contains("is not a tar archive", ArchiveRefusal(TemporaryFolder.Gzip(good[..300])), StringComparison.Ordinal);
        Assert.Contains("lacks data_batch_1.bin, data_batch_2.bin, ", ArchiveRefusal(TemporaryFolder.Gzip([])), StringComparison.Ordinal);
        Assert.Contains(
            "lacks data_batch_3.bin:",
            ArchiveRefusal(TemporaryFolder.Gzip(Tar(
                TarEntryFormat.Pax, [.. ArchiveFiles().Where(f => !f.Name.EndsWith("3.bin", StringComparison.Ordinal))]))),
            StringComparison.Ordinal);
        Assert.Contains(
            "holds 'test_batch.bin' twice",
            ArchiveRefusal(TemporaryFolder.Gzip(Tar(TarEntryFormat.Pax, [.. ArchiveFiles().Take(2), .. ArchiveFiles()]))),
            StringComparison.Ordinal);
        Assert.Contains("is truncated", ArchiveRefusal(TemporaryFolder.Gzip(good[..10_000])), StringComparison.Ordinal);
        byte[] label = [.. good];
        label[512 + 512 + 512 + 512] = 10; // after the folder, the text and the header of the first file
        string message = ArchiveRefusal(TemporaryFolder.Gzip(label));
        Assert.Contains("archive: test_batch.bin' has the label 10 in record 0", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_it_looked_and_where_the_data_come_from_is_said()
    {
        using var folder = new TemporaryFolder();
        folder.WriteDataSet(); // of IDX files
        string message = Refusal(In(folder.Path));
        string[] parts =
            [folder.Path, "--data", "cifar10, cifar-10-batches-bin", "data_batch_1.bin", "cifar-10-binary.tar.gz", "University of Toronto"];
        foreach (string part in parts)
        {
            Assert.Contains(part, message, StringComparison.Ordinal);
        }

        Assert.Contains("ADMMKIT_DATA", Refusal(In("") with { EnvironmentDirectory = folder.Path }), StringComparison.Ordinal);
        Assert.Contains("does not exist", Refusal(In(folder.Path + "-not")), StringComparison.Ordinal);
        Assert.Contains("neither --data nor ADMMKIT_DATA", Refusal(In("")), StringComparison.Ordinal);
        Assert.Null(DataSource.OpenFiles(In("")));
        WriteDataSet(folder, "cifar10");
        File.Delete(Path.Combine(folder.Path, "cifar10", "data_batch_4.bin"));
        Assert.Contains("lacks data_batch_4.bin", Refusal(In(folder.Path)), StringComparison.Ordinal);
        // Both data sets in one folder, each by its name.
        WriteDataSet(folder, "cifar10");
        Assert.Equal(new ImageShape(3, 32, 32), DataSource.Open(In("") with { EnvironmentDirectory = folder.Path }).Test.Shape);
        Assert.Equal(new ImageShape(1, 3, 4), DataSource.Open(In(folder.Path) with { Name = "mnist" }).Test.Shape);
        Assert.Contains("at least 21 are needed", Refusal(In(folder.Path, validation: 20)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_that_makes_no_sense_is_an_error()
    {
        void Refused(string message, DataRequest request) => Assert.Contains(
            message, Assert.Throws<AdmmKitException>(() => DataSource.Open(request)).Message, StringComparison.Ordinal);
        Refused("no data set 'cifar-10'. Did you mean 'cifar10'?", In("x") with { Name = "cifar-10" });
        Refused("Both synthetic digits and the data set 'cifar10'", In("") with { Synthetic = true });
    }

    [Theory]
    [InlineData("file")]
    [InlineData("file, gzip")]
    [InlineData("archive")]
    public void Ten_thousand_mutants_are_errors_or_images_and_nothing_else(string kind)
    {
        byte[][] sources = kind == "archive"
            ? [.. new[] { TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu }.Select(f => Tar(f, ArchiveFiles(records: 1)))]
            : [Records(1), Records(2, 1), Records(3, 2)];
        // A mutant of a gzip file mostly fails in there; packing the mutant of a plain one reaches what is behind.
        IEnumerable<byte[]> all = kind == "file"
            ? Mutants.Of(kind, 10_000, sources)
            : Mutants.Of(kind, 5_000, [.. sources.Select(TemporaryFolder.Gzip)])
                .Concat(Mutants.Of(kind, 5_000, sources).Select(TemporaryFolder.Gzip));
        Mutants.Outcome outcome = Mutants.Check(all, mutant =>
        {
            IEnumerable<CifarFile> files = kind == "archive"
                ? CifarArchive.Read(new MemoryStream(mutant), "some-file").Values
                : [Read(mutant)];
            return () => Assert.All(files, file =>
            {
                Assert.Equal(file.Images.Count * 3072, file.Images.Pixels.Length);
                Assert.InRange(file.Images.Count, 1, 10_000);
            });
        });
        Assert.InRange(outcome.Valid, 10, outcome.Count - 1000);
        Assert.All(outcome.Messages, m => Assert.StartsWith("'some-file", m, StringComparison.Ordinal));
    }

    [CifarFact]
    public void Real_CIFAR_10_is_recognised()
    {
        DataSet data = DataSource.Open(new DataRequest { Name = "cifar10", Offline = true });
        Assert.Equal(("CIFAR-10", 45_000, 5_000), (data.Name, data.Training.Count, data.Validation.Count));
        Assert.Contains(data.Test.Count, new[] { 1_000, 10_000 });
        Assert.Equal(data.Test.Count == 1_000 ? "first 1,000 test images" : "test", data.TestName);
        // A frog first to train on, a cat first to test on.
        Assert.Equal((6, 3), (data.Training.Labels.Span[0], data.Test.Labels.Span[0]));
        Assert.All(Enumerable.Range(0, 10), c => Assert.InRange(data.Training.Labels.Span.Count((byte)c), 4_400, 4_600));
    }

    private static string ArchiveRefusal(byte[] bytes)
    {
        string message = Assert.Throws<BadFileException>(() => CifarArchive.Read(new MemoryStream(bytes), "archive")).Message;
        Assert.StartsWith("'archive", message, StringComparison.Ordinal);
        return message;
    }
}

/// <summary>CIFAR-10 in the tool. It writes to the console, as the tests of the tool do.</summary>
[Collection(nameof(CommandLineTests))]
public class CifarCommandTests
{
    [Fact]
    public void The_tool_evaluates_on_it_by_name()
    {
        using var folder = new TemporaryFolder();
        // 5,000 of the training images are for validation.
        for (int i = 1; i <= 5; i++)
        {
            folder.Write(FormattableString.Invariant($"data_batch_{i}.bin"), new byte[1001 * 3073]);
        }

        folder.Write("test_first1000.bin", new byte[8 * 3073]);
        NetworkSpec spec = NetworkSpec.LeNet300100(CifarFile.Shape, CifarFile.Classes);
        string model = Path.Combine(folder.Path, "model.admm");
        new CompressedNetwork(spec, [.. spec.Layers.Select(l => CompressedLayer.Unquantized(l, [], [], new float[l.Rows]))]).Save(model);
        (int code, string output, _) = CommandLineTests.Run(["evaluate", model, "--data-set", "cifar10", "--data", folder.Path]);
        Assert.Equal(0, code);
        Assert.Contains("(CIFAR-10 layout), first 8 test images: 8 of 8 images correct", output, StringComparison.Ordinal);

        // The same network as dense weights, with and without a word on what it is.
        var weights = new NetworkWeights([.. spec.Layers.Select(l => new float[l.WeightCount])], [.. spec.Layers.Select(l => new float[l.Rows])]);
        NetworkTensors tensors = NetworkTensors.Of(spec, weights);
        string named = Path.Combine(folder.Path, "named.safetensors"), unnamed = Path.Combine(folder.Path, "unnamed.safetensors");
        SafetensorsFile.Write(named, tensors.Tensors, tensors.Metadata);
        SafetensorsFile.Write(unnamed, tensors.Tensors);
        (int, string, string) Evaluate(params string[] arguments) =>
            CommandLineTests.Run(["evaluate", .. arguments, "--data-set", "cifar10", "--data", folder.Path]);
        Assert.Equal((0, output, ""), Evaluate(named));
        Assert.Equal((0, output, ""), Evaluate(unnamed, "--architecture", "lenet-300-100"));
        foreach ((string[] arguments, int expected, string message) in new[]
        {
            (new[] { unnamed }, 1, "name it with --architecture"), ([unnamed, "--architecture", "lenet5"], 1, "There is no tensor 'conv1.weight'"),
            ([named, "--architecture", "lenet5"], 1, "says that it is 'lenet-300-100', not 'lenet5'"),
            ([model, "--architecture", "lenet5"], 1, "names its own architecture"), ([unnamed, "--architecture", "lenet"], 2, "Did you mean 'lenet5'?"),
        })
        {
            (int wrong, _, string said) = Evaluate(arguments);
            Assert.Equal(expected, wrong);
            Assert.Contains(message, said, StringComparison.Ordinal);
        }

        (code, _, string error) = CommandLineTests.Run(["evaluate", model, "--data-set", "cifar"]);
        Assert.Equal(2, code);
        Assert.Contains("There is no data set 'cifar'. Did you mean 'cifar10'?", error, StringComparison.Ordinal);
        // Without a word the network's input decides.
        Assert.Equal((0, output, ""), CommandLineTests.Run(["evaluate", model, "--data", folder.Path]));
        (code, _, error) = CommandLineTests.Run(["evaluate", model, "--data-set", "mnist", "--data", folder.Path]);
        Assert.Equal(1, code);
        Assert.Contains("lacks the file of the training images", error, StringComparison.Ordinal);
    }
}

/// <summary>A test that needs the real files of CIFAR-10 in the folder that ADMMKIT_DATA names.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class CifarFactAttribute : FactAttribute
{
    public CifarFactAttribute()
    {
        string? folder = Environment.GetEnvironmentVariable("ADMMKIT_DATA");
        string[] below = ["", "cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"];
        string[] files = ["data_batch_1.bin", "data_batch_1.bin.gz", "cifar-10-binary.tar.gz"];
        bool found = !string.IsNullOrEmpty(folder) && below.Any(b => files.Any(f => File.Exists(Path.Combine(folder, b, f))));
        Skip = found ? null : "ADMMKIT_DATA names no folder with the files of CIFAR-10";
    }
}
