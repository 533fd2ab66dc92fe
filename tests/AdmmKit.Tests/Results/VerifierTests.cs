using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Dense;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Engine;
using AdmmKit.Tests.Storage;
using AdmmKit.Training;

namespace AdmmKit.Tests.Results;

/// <summary>A folder of results that is as it should be passes; each fault planted in it is found.</summary>
public sealed class VerifierTests : IDisposable
{
    private const string Row = "AdmmKit 2x";
    private static readonly string[] Files = ["net-1.admm", "net-2.admm"];
    private static readonly DataSet Data = TestData.BlobData(new ImageShape(1, 6, 6), 4, 10) with
    {
        Name = "MNIST",
        Checksums = new Dictionary<string, string> { ["images"] = "aa", ["labels"] = "bb" },
    };

    private static readonly CompressedNetwork[] Models = [Model(Data, 1), Model(Data, 2)];

    private readonly string top = Directory.CreateTempSubdirectory("admmkit-test-").FullName;

    private string Folder => Path.Combine(top, "table1");

    public void Dispose() => Directory.Delete(top, recursive: true);

    [Fact]
    public void A_good_folder_passes_and_every_image_is_counted()
    {
        Write(Data);
        var lines = new List<string>();
        VerificationReport report = ResultsVerifier.Verify(top, _ => Data, 2, lines.Add);
        Assert.Empty(report.Problems);
        Assert.Empty(report.Skipped);
        Assert.Equal((1, 2, 2), (report.Folders, report.Models, report.Evaluated));
        Assert.Equal(3, lines.Count);
        Assert.StartsWith("table1: 5 rows, 2 models", lines[0], StringComparison.Ordinal);
        Assert.All(lines[1..], l => Assert.Contains("of 200 images correct", l, StringComparison.Ordinal));
        Assert.Empty(ResultsVerifier.Verify(Folder, _ => Data).Problems);
    }

    [Fact]
    public void Without_the_data_everything_else_is_checked_and_the_rest_is_named()
    {
        Write(Data);
        foreach (DataSet? other in new[] { null, Data with { Name = "mine", Checksums = new Dictionary<string, string> { ["images"] = "aa" } } })
        {
            VerificationReport report = ResultsVerifier.Verify(top, _ => other);
            Assert.Empty(report.Problems);
            Assert.Equal(0, report.Evaluated);
            Assert.Contains(other?.Name ?? "not at hand", Assert.Single(report.Skipped), StringComparison.Ordinal);
        }

        Flip(Path.Combine(Folder, Files[1]));
        Assert.Contains(ResultsVerifier.Verify(top, _ => null).Problems, p => p.StartsWith("table1/net-2.admm: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Synthetic_digits_are_drawn_again()
    {
        DataSet digits = SyntheticDigits.Create(3, 30, 200, 5);
        CompressedNetwork[] models = [Model(digits, 1), Model(digits, 2)];
        DataSet? Never(string _) => throw new InvalidOperationException("no data set is needed");
        Write(digits, models, r => r with { Status = r.Ours is null ? "" : ResultStatus.Trend });
        VerificationReport report = ResultsVerifier.Verify(top, Never);
        Assert.Empty(report.Problems);
        Assert.Equal(2, report.Evaluated);

        Write(digits, models);
        Assert.Contains("only be 'trend'", ResultsVerifier.Verify(top, Never).Problems[0], StringComparison.Ordinal);
        Write(digits with { Source = digits.Source.Replace("seed 3", "seed 4", StringComparison.Ordinal) }, models, r => r with { Status = "" });
        Assert.Contains("other checksums", Assert.Single(ResultsVerifier.Verify(top, Never).Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Dense_networks_are_checked_as_compressed_ones_are()
    {
        string manifest = Path.Combine(Folder, "manifest.json"), rows = Path.Combine(Folder, "rows.csv");
        NetworkSpec spec = NetworkSpec.Create("resnet20", new ImageShape(3, 8, 8), 4);
        DataSet data = TestData.BlobData(spec.Input, 4, 10) with { Name = "CIFAR-10", Checksums = new Dictionary<string, string> { ["a"] = "cc" } };
        using var network = new TrainableNetwork(spec, data, new EngineOptions());
        NetworkWeights weights = NetworkWeights.CopyFrom(network);
        weights.Weights[2][7] = 0;
        var dense = new DenseNetwork(
            TrainingRecipe.For("resnet20"), spec, weights, new Evaluation(1, 100, 0),
            new Evaluation(new ScalarNetwork(spec, weights).CountCorrect(data.Test), 200, 0), [new EpochPoint(1, 1, 0.01)], [], 1);
        DenseTraining.Write(dense, data, Good(data, []) with { Models = [] }, Folder);
        string path = Path.Combine(Folder, "resnet20.safetensors");

        var asked = new List<string>();
        VerificationReport report = ResultsVerifier.Verify(top, name =>
        {
            asked.Add(name);
            return data;
        });
        Assert.Empty(report.Problems);
        Assert.Equal((1, 1, "cifar10"), (report.Models, report.Evaluated, Assert.Single(asked)));

        foreach ((string field, string message) in new[] { ("survivors", "survivors is 267951"), ("weightDataBits", "weight data bits is 8574432"), ("correct", "correct images is") })
        {
            Manifest good = Manifest.Load(manifest);
            ModelRecord r = good.Models[0];
            (good with
            {
                Models = [field switch
                {
                    "survivors" => r with { Survivors = 1 },
                    "weightDataBits" => r with { WeightDataBits = 1 },
                    _ => r with { Correct = r.Correct - 1 },
                }],
            }).Save(manifest);
            Assert.Contains(ResultsVerifier.Verify(top, _ => data).Problems, p => p.Contains(message, StringComparison.Ordinal));
            good.Save(manifest);
        }

        Flip(path);
        Assert.Contains("SHA-256", ResultsVerifier.Verify(top, _ => null).Problems[0], StringComparison.Ordinal);
        File.Delete(manifest);
        File.Delete(rows);
        Assert.Contains("there is no record of it", ResultsVerifier.Verify(top, _ => null).Problems[1] + ResultsVerifier.Verify(top, _ => null).Problems[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Mutants_of_a_dense_network_are_errors_or_networks()
    {
        NetworkSpec spec = NetworkSpec.Create("lenet-300-100", new ImageShape(1, 1, 2), 2);
        float[][] Zeros(Func<LayerInfo, int> count) => [.. spec.Layers.Select(l => new float[count(l)])];
        NetworkTensors tensors = NetworkTensors.Of(spec, new NetworkWeights(Zeros(l => l.WeightCount), Zeros(l => l.Rows)));
        var file = new MemoryStream();
        SafetensorsFile.Write(file, tensors.Tensors, tensors.Metadata);
        // Damage in the header, where all that is believed stands; the numbers may be any.
        byte[] bytes = file.ToArray();
        Mutants.Outcome outcome = Mutants.Check(Mutants.Of("dense network", 2000, bytes[..1000]).Select(m => (byte[])[.. m, .. bytes[1000..]]), mutant =>
        {
            StoredModel model = StoredModel.Read(mutant, "mutant.safetensors");
            return () => Assert.Equal(model.Survivors, model.Decode().Survivors);
        });
        Assert.True(outcome.Messages.Count > 10, $"only {outcome.Messages.Count} kinds of errors");
    }

    [Theory]
    [InlineData("3x32", "10", "3x32x32")]
    [InlineData("3x32x32", "ten", "classes")]
    [InlineData("3x32x-32", "10", "3x32x32")]
    [InlineData("99999x99999x99999", "10", "out of bounds")]
    [InlineData("3x32x32", "1", "at least 2 classes")]
    [InlineData("3x32x32", "10", "Did you mean 'resnet20'?", "resnet2")]
    public void What_a_dense_file_says_of_itself_is_not_trusted(string input, string classes, string message, string architecture = "resnet20")
    {
        var file = new MemoryStream();
        SafetensorsFile.Write(file, [], new Dictionary<string, string> { ["architecture"] = architecture, ["input"] = input, ["classes"] = classes });
        var e = Assert.Throws<BadFileException>(() => StoredModel.Read(file.ToArray(), "liar.safetensors"));
        Assert.Contains("'liar.safetensors'", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tables_without_models_are_checked_by_their_rows()
    {
        Directory.CreateDirectory(Folder);
        (Good(Data, Models) with { Models = [], Data = null }).Save(Path.Combine(Folder, "manifest.json"));
        ResultRow row = new("conv1", "computationBytes", "B", 890, 889, null, 0, ResultStatus.Accounting, "admmkit");
        ResultRows.Write(Path.Combine(Folder, "rows.csv"), [row]);
        Assert.Empty(ResultsVerifier.Verify(top, _ => null).Problems);
        ResultRows.Write(Path.Combine(Folder, "rows.csv"), [row with { Status = "" }]);
        Assert.Contains("names no data", Assert.Single(ResultsVerifier.Verify(top, _ => null).Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_with_nothing_in_it_is_an_error()
    {
        Assert.Contains("nothing to verify", Assert.Throws<AdmmKitException>(() => ResultsVerifier.Verify(top, _ => null)).Message, StringComparison.Ordinal);
        string none = Path.Combine(top, "none");
        Assert.Contains(none, Assert.Throws<AdmmKitException>(() => ResultsVerifier.Verify(none, _ => null)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flipped byte", "SHA-256", "checksum is wrong")]
    [InlineData("another model", "SHA-256", "survivors is", "correct images is")]
    [InlineData("not a model", "cannot be read as a compressed network")]
    [InlineData("missing file", "record of 'net-2.admm', but there is no such file")]
    [InlineData("extra file", "net-3.admm: there is no record of it")]
    [InlineData("no manifest", "manifest.json", "there is no record of it")]
    [InlineData("broken manifest", "is not a manifest")]
    [InlineData("null model", "is not a manifest", "there is no record of it")]
    [InlineData("no rows", "rows.csv", "there is no row 'AdmmKit 2x'")]
    [InlineData("broken rows", "is not a number")]
    [InlineData("unknown status", "There is no status 'machted'. Did you mean 'matched'?")]
    public void A_fault_in_a_file_is_found(string fault, params string[] messages)
    {
        Write(Data);
        string second = Path.Combine(Folder, Files[1]), manifest = Path.Combine(Folder, "manifest.json"), rows = Path.Combine(Folder, "rows.csv");
        switch (fault)
        {
            case "flipped byte": Flip(second); break;
            case "another model": Model(Data, 3).Save(second); break;
            case "not a model": File.WriteAllText(second, "not a model"); break;
            case "missing file": File.Delete(second); break;
            case "extra file": Models[0].Save(Path.Combine(Folder, "net-3.admm")); break;
            case "no manifest": File.Delete(manifest); break;
            case "broken manifest": Replace(manifest, "{", "["); break;
            case "null model": Replace(manifest, "\"file\": \"net-1.admm\"", "\"file\": null"); break;
            case "no rows": File.Delete(rows); break;
            case "broken rows": Replace(rows, "survivors,,", "survivors,,x"); break;
            default: Replace(rows, "matched", "machted"); break;
        }

        VerificationReport report = ResultsVerifier.Verify(top, _ => Data);
        Assert.All(messages, m => Assert.Contains(report.Problems, p => p.Contains(m, StringComparison.Ordinal)));
    }

    public static TheoryData<string, string> WrongRecords() => new()
    {
        { "sha256", "its SHA-256 is" }, { "bytes", "its length is" }, { "survivors", "its survivors is" }, { "weightDataBits", "its weight data bits is" },
        { "correct", "its correct images is" }, { "images", "its test images is" }, { "impossible", "counts 201 correct of 200 images" },
        { "row", "there is no row 'AdmmKit 3x', to which net-1.admm" }, { "twice", "it has 2 records of 'net-1.admm'" },
        { "dirty", "(dirty)" }, { "no git", "(dirty)" }, { "commit", "names no commit" }, { "data", "names no data" }, { "checksums", "names no data" },
    };

    [Theory]
    [MemberData(nameof(WrongRecords))]
    public void A_wrong_record_is_found(string what, string message)
    {
        Write(Data);
        Manifest good = Good(Data, Models);
        ModelRecord r = good.Models[0];
        Manifest With(ModelRecord first) => good with { Models = [first, good.Models[1]] };
        Manifest wrong = what switch
        {
            "sha256" => With(r with { Sha256 = good.Models[1].Sha256 }),
            "bytes" => With(r with { Bytes = r.Bytes + 1 }),
            "survivors" => With(r with { Survivors = r.Survivors + 1 }),
            "weightDataBits" => With(r with { WeightDataBits = r.WeightDataBits + 1 }),
            "correct" => With(r with { Correct = r.Correct - 1 }),
            "images" => With(r with { Images = r.Images + 1 }),
            "impossible" => With(r with { Correct = 201 }),
            "row" => With(r with { Row = "AdmmKit 3x" }),
            "twice" => good with { Models = [r, .. good.Models] },
            "dirty" => good with { Dirty = true },
            "no git" => good with { Dirty = null },
            "commit" => good with { Commit = "main" },
            "data" => good with { Data = null },
            _ => good with { Data = good.Data! with { Checksums = new Dictionary<string, string>() } },
        };
        wrong.Save(Path.Combine(Folder, "manifest.json"));
        Assert.Contains(ResultsVerifier.Verify(top, _ => Data).Problems, p => p.Contains(message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("top1", 0.00001, null, "its 2 models give")]
    [InlineData("survivors", 0.5, null, "its 2 models give")]
    [InlineData("weightDataBytes", 0.125, null, "its 2 models give")]
    [InlineData("fileBytes", -1.0, null, "its 2 models give")]
    [InlineData("fileBytes", null, null, "is missing, but")]
    [InlineData("top1", 0.0, ResultStatus.Missed, "no other quantity of the row is missed")]
    [InlineData("top1", 0.0, ResultStatus.Beaten, "no interval")]
    [InlineData("survivors", 0.0, ResultStatus.Missed, "no other quantity of the row is missed")]
    public void A_row_that_says_more_than_its_models_is_found(string quantity, double? added, string? status, string message)
    {
        Write(Data, Models, r => r.Quantity == quantity && r.Row == Row ? r with { Ours = r.Ours + added, Status = status ?? (added is null ? "" : r.Status) } : r);
        Assert.Contains(message, Assert.Single(ResultsVerifier.Verify(top, _ => Data).Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("top1", 99.2, 99.2, null, ResultStatus.Matched, true)]
    [InlineData("top1", 99.2, 99.1999, null, ResultStatus.Matched, false)]
    [InlineData("top1", 99.2, 99.1999, null, ResultStatus.Missed, true)]
    [InlineData("top1", 99.2, 99.2, null, ResultStatus.Missed, false)]
    [InlineData("top1", 99.2, 99.31, 0.1, ResultStatus.Beaten, true)]
    [InlineData("top1", 99.2, 99.3, 0.11, ResultStatus.Beaten, false)]
    [InlineData("survivors", 2570.0, 2575.0, null, ResultStatus.Matched, true)]
    [InlineData("survivors", 2570.0, 2576.0, null, ResultStatus.Matched, false)]
    [InlineData("survivors", 1000.0, 1011.0, null, ResultStatus.Matched, false)]
    [InlineData("fileBytes", 890.0, 5933.0, null, ResultStatus.Missed, true)]
    [InlineData("fileBytes", 890.0, 889.0, null, ResultStatus.Missed, false)]
    [InlineData("compressionRatio", 45.7, 45.66, null, ResultStatus.Matched, true)]
    [InlineData("compressionRatio", 45.7, 45.6, null, ResultStatus.Matched, false)]
    [InlineData("accuracyDegradation", 0.2, 0.58, null, ResultStatus.Matched, false)]
    [InlineData("accuracyDegradation", 0.2, 0.1, null, ResultStatus.Matched, true)]
    [InlineData("delay", 1.0, 2.0, null, ResultStatus.Matched, true)]
    [InlineData("top1", null, 99.0, null, ResultStatus.Matched, false)]
    [InlineData("top1", 99.2, null, null, ResultStatus.Matched, false)]
    [InlineData("top1", 99.2, null, null, ResultStatus.Trend, false)]
    [InlineData("top1", 99.2, null, null, ResultStatus.None, true)]
    [InlineData("top1", null, 80.0, null, ResultStatus.Trend, true)]
    public void A_status_must_be_what_the_values_say(string quantity, double? paper, double? ours, double? spread, string status, bool right)
    {
        ResultRow row = new("r", quantity, "", paper, ours, spread, 3, status, "x");
        Assert.Equal(right, !RowChecks.AmongRows([row], standIn: null).Any());
    }

    [Fact]
    public void Rows_are_checked_together()
    {
        ResultRow top1 = new("r", "top1", "%", 99.2, 99.3, null, 1, ResultStatus.Matched, "x");
        ResultRow survivors = new("r", "survivors", "", 2570, 3000, null, 1, ResultStatus.Missed, "x");
        Assert.Contains("more survivors", Assert.Single(RowChecks.AmongRows([top1, survivors], null)), StringComparison.Ordinal);
        Assert.Empty(RowChecks.AmongRows([top1 with { Status = ResultStatus.Missed }, survivors], null));
        Assert.Contains("2 times", Assert.Single(RowChecks.AmongRows([top1, top1], null)), StringComparison.Ordinal);
        Assert.Contains("nothing that reproduces", Assert.Single(RowChecks.AmongRows([top1 with { Source = "" }], null)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("manifest.json")]
    [InlineData("rows.csv")]
    public void Mutants_of_what_is_verified_are_errors_or_are_read(string name)
    {
        Write(Data);
        string path = Path.Combine(Folder, name);
        Mutants.Outcome outcome = Mutants.Check(Mutants.Of(name, 400, File.ReadAllBytes(path)), mutant =>
        {
            File.WriteAllBytes(path, mutant);
            object read = name == "rows.csv" ? ResultRows.Read(path) : Manifest.Load(path);
            return () => Assert.NotNull(ResultsVerifier.Verify(top, _ => null).Problems);
        });
        Assert.InRange(outcome.Valid, 10, 390);
    }

    private static CompressedNetwork Model(DataSet data, ulong seed)
    {
        var random = new RandomStream(seed, "verified model");
        NetworkSpec spec = NetworkSpec.Create("lenet-300-100", data.Test.Shape, data.Test.Classes);
        return new CompressedNetwork(spec, [.. spec.Layers.Select(l => RandomNetworks.Layer(l, random, 0.5, (int)seed))]);
    }

    private static Manifest Good(DataSet data, CompressedNetwork[] models) => new()
    {
        Commit = new string('a', 40),
        Dirty = false,
        CommandLine = "admmkit test",
        Data = new DataOrigin(data.Name, data.Source, data.Checksums),
        Models = [.. models.Zip(Files, (m, f) => ModelRecord.Of(Path.Combine("somewhere", f), m, Row, data.Test))],
    };

    private void Write(DataSet data) => Write(data, Models, r => r);

    private void Write(DataSet data, CompressedNetwork[] models, Func<ResultRow, ResultRow>? change = null)
    {
        Directory.CreateDirectory(Folder);
        Manifest manifest = Good(data, models);
        foreach ((CompressedNetwork model, string file) in models.Zip(Files))
        {
            model.Save(Path.Combine(Folder, file));
        }

        manifest.Save(Path.Combine(Folder, "manifest.json"));
        ResultRow Line(string quantity, double paper, double ours, int seeds = 0) =>
            new(Row, quantity, "", paper, ours, null, seeds, ResultStatus.Matched, "admmkit test");
        ResultRow[] rows =
        [
            Line("top1", 1, Math.Round(manifest.Models.Average(m => 100.0 * m.Correct / m.Images), 6), 2),
            Line("survivors", 1e6, models.Average(m => m.Survivors)),
            Line("weightDataBytes", 1e6, models.Average(m => m.WeightDataBits / 8.0)),
            Line("fileBytes", 1e6, models.Average(m => m.Size.TotalBytes)),
            new("Iterative pruning", "top1", "%", 99.2, null, null, 0, ResultStatus.None, "[Ren2019]"),
        ];
        ResultRows.Write(Path.Combine(Folder, "rows.csv"), rows.Select(change ?? (r => r)));
    }

    private static void Flip(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static void Replace(string path, string old, string replacement)
    {
        string text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(old, replacement, StringComparison.Ordinal));
    }
}
