using AdmmKit.Engine.Data;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Data;

public class DataSourceTests
{
    private static DataRequest In(TemporaryFolder folder) => new()
    {
        Directory = folder.Path,
        EnvironmentDirectory = null,
        CacheDirectory = Path.Combine(folder.Path, "no-cache"),
        Offline = true,
        ValidationCount = 4,
        SyntheticTraining = 40,
        SyntheticTest = 20,
    };

    private static string Refusal(TemporaryFolder folder, int validation = 4) =>
        Assert.Throws<BadFileException>(() => DataSource.Open(In(folder) with { ValidationCount = validation })).Message;

    [Theory]
    [InlineData("", "train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte")]
    [InlineData("mnist", "train-images.idx3-ubyte", "test-images-idx3-ubyte.gz")]
    public void A_folder_of_four_files_is_read(string under, string trainImages, string testImages)
    {
        using var folder = new TemporaryFolder();
        folder.WriteDataSet(under, trainImages, testImages);
        DataSet data = DataSource.Open(In(folder));
        Assert.Equal((8, 4, 6), (data.Training.Count, data.Validation.Count, data.Test.Count));
        Assert.Equal((3, new ImageShape(1, 3, 4)), (data.Training.Classes, data.Test.Shape));
        Assert.Equal(under.Length > 0 ? under : Path.GetFileName(folder.Path), data.Name);
        Assert.Equal(8 * 12, data.Validation.Pixels.Span[0]); // the ninth image
        Assert.Equal(4, data.Checksums.Count);
        Assert.All(data.Checksums.Values, sum => Assert.Matches("^[0-9a-f]{64}$", sum));
        Assert.Contains(trainImages, data.Checksums.Keys);
    }

    [Fact]
    public void The_named_folder_comes_before_the_environment_and_that_before_the_cache()
    {
        using var folder = new TemporaryFolder();
        folder.WriteDataSet("first");
        folder.WriteDataSet("second");
        DataRequest request = In(folder) with
        {
            Directory = Path.Combine(folder.Path, "first"),
            EnvironmentDirectory = Path.Combine(folder.Path, "second"),
        };
        Assert.Equal("first", DataSource.Open(request).Name);
        Assert.Equal("second", DataSource.Open(request with { Directory = null }).Name);
        Assert.Equal("second", DataSource.Open(request with { Directory = "" }).Name);
        Assert.Equal("synthetic digits", DataSource.Open(request with { Directory = null, EnvironmentDirectory = "" }).Name);
        Assert.Equal("synthetic digits", DataSource.Open(request with { Directory = null, Synthetic = true }).Name);
        Assert.Throws<AdmmKitException>(() => DataSource.Open(request with { Synthetic = true }));
    }

    [Fact]
    public void A_named_folder_that_is_incomplete_is_an_error()
    {
        using var folder = new TemporaryFolder();
        folder.WriteDataSet();
        File.Delete(Path.Combine(folder.Path, "t10k-labels.idx1-ubyte"));
        string message = Refusal(folder);
        Assert.Contains("lacks the file of the test labels", message, StringComparison.Ordinal);
        Assert.Contains("t10k-labels-idx1-ubyte.gz", message, StringComparison.Ordinal);
        DataRequest request = In(folder) with { Directory = null, EnvironmentDirectory = folder.Path };
        var e = Assert.Throws<BadFileException>(() => DataSource.Open(request));
        Assert.Contains("ADMMKIT_DATA", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<BadFileException>(() => DataSource.Open(In(folder) with { Directory = folder.Path + "-not" }));
        Assert.Contains("does not exist", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Counts_and_shapes_that_differ_are_errors()
    {
        using var folder = new TemporaryFolder();
        folder.WriteDataSet();
        folder.Write("train-labels-idx1-ubyte", TemporaryFolder.Idx(new byte[11], 11));
        Assert.Contains("has 12 images but", Refusal(folder), StringComparison.Ordinal);
        folder.WriteDataSet();
        folder.Write("t10k-images-idx3-ubyte", TemporaryFolder.Idx(new byte[72], 6, 4, 3));
        Assert.Contains("images of 1x3x4 but", Refusal(folder), StringComparison.Ordinal);
        folder.WriteDataSet();
        Assert.Contains("at least 13 are needed", Refusal(folder, validation: 12), StringComparison.Ordinal);
        Assert.Contains("at least 2147483648 are", Refusal(folder, validation: int.MaxValue), StringComparison.Ordinal);
        Assert.Throws<AdmmKitException>(() => DataSource.Open(In(folder) with { ValidationCount = 0 }));
    }

    [Fact]
    public void One_class_and_swapped_files_are_errors()
    {
        using var folder = new TemporaryFolder();
        folder.WriteDataSet();
        folder.Write("train-labels-idx1-ubyte", TemporaryFolder.Idx(new byte[12], 12));
        folder.Write("t10k-labels.idx1-ubyte", TemporaryFolder.Idx(new byte[6], 6));
        Assert.Contains("at least two classes", Refusal(folder), StringComparison.Ordinal);
        folder.Write("train-labels-idx1-ubyte", TemporaryFolder.Idx(new byte[144], 12, 3, 4));
        Assert.Contains("holds images where the training labels", Refusal(folder), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_files_alone_will_do_nothing_is_drawn()
    {
        using var folder = new TemporaryFolder();
        Assert.Null(DataSource.OpenFiles(In(folder) with { Directory = null }));
        Assert.Throws<BadFileException>(() => DataSource.OpenFiles(In(folder)));
        folder.WriteDataSet();
        Assert.Equal(DataSource.Open(In(folder)).Checksums, DataSource.OpenFiles(In(folder))!.Checksums);
        Assert.Equal(6, DataSource.OpenFiles(In(folder) with { Directory = null, EnvironmentDirectory = folder.Path })!.Test.Count);
        Assert.Throws<AdmmKitException>(() => DataSource.OpenFiles(In(folder) with { ValidationCount = 0 }));
    }

    [Fact]
    public void A_folder_with_a_mutant_in_it_is_an_error_or_a_data_set()
    {
        using var folder = new TemporaryFolder();
        foreach (string name in new[] { "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels.idx1-ubyte" })
        {
            folder.WriteDataSet();
            byte[] source = File.ReadAllBytes(Path.Combine(folder.Path, name));
            byte[] other = File.ReadAllBytes(Path.Combine(folder.Path, "t10k-images-idx3-ubyte"));
            Mutants.Outcome outcome = Mutants.Check(Mutants.Of(name, 200, source, source, other), mutant =>
            {
                folder.Write(name, mutant);
                DataSet data = DataSource.Open(In(folder));
                return () => Assert.Equal(data.Training.Shape, data.Test.Shape);
            });
            Assert.InRange(outcome.Valid, 1, 199);
        }
    }

    [MnistFact]
    public void Real_MNIST_is_recognised()
    {
        DataSet data = DataSource.Open(new DataRequest { Offline = true });
        Assert.Equal(("MNIST", 55_000, 5_000, 10_000), (data.Name, data.Training.Count, data.Validation.Count, data.Test.Count));
        Assert.Equal(new ImageShape(1, 28, 28), data.Training.Shape);
        Assert.Equal((5, 7), (data.Training.Labels.Span[0], data.Test.Labels.Span[0]));
    }
}

/// <summary>A test that needs the real MNIST files in the folder that ADMMKIT_DATA names.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MnistFactAttribute : FactAttribute
{
    public MnistFactAttribute()
    {
        string? folder = Environment.GetEnvironmentVariable("ADMMKIT_DATA");
        if (string.IsNullOrEmpty(folder) || !HasMnist(folder))
        {
            Skip = "ADMMKIT_DATA names no folder with the MNIST files";
        }
    }

    private static bool HasMnist(string folder) =>
        new[] { folder, Path.Combine(folder, "mnist") }.Any(f => MnistFiles.Published.All(p =>
            File.Exists(Path.Combine(f, p.Name)) || File.Exists(Path.Combine(f, Path.GetFileNameWithoutExtension(p.Name)))));
}
