using System.Text;
using System.Text.Json.Nodes;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using AdmmKit.Tests.Data;

namespace AdmmKit.Tests.Hardware;

public class PlatformFileTests
{
    private static readonly PlatformResources Resources = new()
    {
        DensePes = 168,
        SparsePes = 96.5,
        SramKiB = 108,
        IndexBits = 4,
        FrequencyMHz = 200,
        BandwidthGBPerSecond = 12.8,
    };

    private static readonly EnergyTable Energy = new(0.208, 1.98, 0.2, 0.25, 18.2, 14.1, 512, 16);

    private static readonly TimedLayer Convolution = new(
        "conv2", LayerKind.Convolution, "50x20x5x5", 1_600_000, 12.3e-6, [new(0.1, 3.1e-6), new(0.5, 9.7e-6), new(1, 20.05e-6)]);

    private static readonly TimedLayer FullyConnected = new(
        "fc1", LayerKind.FullyConnected, "500x800", 400_000, 7e-6, [new(0.05, 1.234567e-6), new(0.25, 3e-6)]);

    private static readonly ChipStructure Structure = new(2, 0.35, 2000, 4000, 1, 1.25, 16, 8);

    private static readonly LawPlatform Law = new()
    {
        Name = "law",
        Description = "It's a \"law\"",
        Source = "somewhere",
        Law = new LogarithmicLaw(0.036, 0.573, 0.11, 1.23),
        Resources = Resources,
        Energy = Energy,
    };

    private static readonly Platform[] Platforms =
    [
        Law,
        new LawPlatform { Name = "linear", Law = new LinearAreaLaw(0.907, 0.92, 0.118, 2.38) },
        new MeasuredPlatform { Name = "machine", Layers = [Convolution, FullyConnected], Energy = Energy },
        new StructuralPlatform
        {
            Name = "parts",
            Structure = Structure,
            Resources = new() { IndexBits = 5, SramKiB = 64, BandwidthGBPerSecond = 6.4 },
        },
    ];

    public static TheoryData<int> Each => [.. Enumerable.Range(0, Platforms.Length)];

    [Theory]
    [MemberData(nameof(Each))]
    public void What_is_written_is_read_again_and_written_to_the_same_bytes(int index)
    {
        Platform platform = Platforms[index];
        string text = PlatformFile.Write(platform);
        Platform read = PlatformFile.Parse(text, "it");
        Assert.Equal(text, PlatformFile.Write(read));
        Assert.Equal(platform.GetType(), read.GetType());
        Assert.Equal(
            (platform.Name, platform.Description, platform.Source, platform.Resources, platform.Energy),
            (read.Name, read.Description, read.Source, read.Resources, read.Energy));
        Assert.Equal((platform as LawPlatform)?.Law, (read as LawPlatform)?.Law);
        Assert.Equal((platform as StructuralPlatform)?.Structure, (read as StructuralPlatform)?.Structure);
        Assert.DoesNotContain('\r', text);
    }

    [Fact]
    public void Times_are_microseconds_in_the_file_and_seconds_in_memory()
    {
        var read = (MeasuredPlatform)PlatformFile.Parse(PlatformFile.Write(Platforms[2]), "it");
        Assert.Contains("\"denseMicroseconds\": 12.3,", PlatformFile.Write(read), StringComparison.Ordinal);
        foreach ((TimedLayer expected, TimedLayer layer) in new[] { Convolution, FullyConnected }.Zip(read.Layers))
        {
            Assert.Equal(expected with { Points = [] }, layer with { Points = [] });
            Assert.Equal(expected.Points, layer.Points);
        }
    }

    [Theory]
    [InlineData(0, "law.a", "-1", "law.a: -1 is not in (0, 1000000]")]
    [InlineData(0, "law.q", "0.5", "law.q: 0.5 is not in [1, 100]")]
    [InlineData(0, "law.t", "1e999", "law.t: 1e999 is not in (0,")]
    [InlineData(0, "law.b", "\"x\"", "law.b: \"x\" is not a number")]
    [InlineData(0, "law.t", null, "law.t: is missing; give a number")]
    [InlineData(0, "law", null, "law: is missing; give an object")]
    [InlineData(0, "law.form", "\"linear\"", "linearArea")]
    [InlineData(0, "law.c", "1", "There is no key 'c'")]
    [InlineData(0, "kind", "\"lawful\"", "Did you mean 'law'?")]
    [InlineData(0, "kind", null, "kind: is missing")]
    [InlineData(0, "name", "\"\"", "name: a text of 0 characters")]
    [InlineData(0, "name", "\"a\\u001b[2J\"", "has a control character")]
    [InlineData(0, "source", "\"a\\nb\"", "source: \"a\\nb\" has a control character")]
    [InlineData(0, "a\nb", "1", "There is no key 'a?b'")]
    [InlineData(0, "frequencyMhz", "1", "Did you mean 'frequencyMHz'?")]
    [InlineData(0, "layers", "[]", "There is no key 'layers'")]
    [InlineData(0, "indexBits", "4.5", "indexBits: 4.5 is not a whole number")]
    [InlineData(0, "indexBits", "65", "indexBits: 65 is not in [0, 64]")]
    [InlineData(0, "pesDense", "0", "pesDense: 0 is not in (0,")]
    [InlineData(0, "energyPicojoules.dram", "-3", "energyPicojoules.dram: -3 is not in [0,")]
    [InlineData(0, "energyPicojoules.mac", null, "energyPicojoules.mac: is missing")]
    [InlineData(0, "energyPicojoules.macs", "1", "energyPicojoules: There is no key 'macs'. Did you mean 'mac'?")]
    [InlineData(2, "layers", "[]", "layers: 0 entries; give at least 1")]
    [InlineData(2, "layers[1]", "7", "layers[1]: is not an object")]
    [InlineData(2, "layers[1].points[1].keepFraction", "1.2", "layers[1].points[1].keepFraction: 1.2 is not in (0, 1]")]
    [InlineData(2, "layers[0].points[1].keepFraction", "0.1", "layers[0].points[1].keepFraction: 0.1 is not above 0.1")]
    [InlineData(2, "layers[0].points", "[{\"keepFraction\": 1, \"microseconds\": 1}]", "layers[0].points: 1 entries; give at least 2")]
    [InlineData(2, "layers[0].points[0].microseconds", "0", "layers[0].points[0].microseconds: 0 is not in [1E-06,")]
    [InlineData(2, "layers[0].kind", "\"conv\"", "Valid: convolution, fullyConnected")]
    [InlineData(2, "layers[0].shape", "\"50x20x5\"", "layers[0].shape: \"50x20x5\" is not a shape: write a convolution as 50x20x5x5")]
    [InlineData(2, "layers[0].shape", "\"50x20x5x05\"", "is not a shape")]
    [InlineData(2, "layers[1].shape", "\"99999x99999\"", "is not a shape")]
    [InlineData(2, "layers[0].macs", "1600001", "layers[0].macs: 1600001 is not a multiple of the 25000 weights of 50x20x5x5")]
    [InlineData(3, "structure.areaMm2", "0", "structure.areaMm2: 0 is not in (0,")]
    [InlineData(3, "structure.weightBits", "0", "structure.weightBits: 0 is not in [1, 64]")]
    [InlineData(3, "structure.densePeUm", "1", "Did you mean 'densePeUm2'?")]
    [InlineData(3, "indexBits", null, "indexBits: is missing; a structural platform needs")]
    [InlineData(3, "bandwidthGBPerSecond", null, "bandwidthGBPerSecond: is missing; weights that sramKiB does not hold")]
    [InlineData(3, "frequencyMHz", "100", "There is no key 'frequencyMHz'")]
    public void A_wrong_field_is_refused_by_its_path(int index, string path, string? value, string message)
    {
        JsonNode file = JsonNode.Parse(PlatformFile.Write(Platforms[index]))!;
        Set(file, path, value);
        var e = Assert.Throws<BadFileException>(() => PlatformFile.Parse(file.ToJsonString(), "bad.json"));
        Assert.StartsWith("'bad.json'", e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_that_was_timed_twice_is_refused()
    {
        JsonNode file = JsonNode.Parse(PlatformFile.Write(Platforms[2]))!;
        file["layers"]!.AsArray().Add(file["layers"]![0]!.DeepClone());
        var e = Assert.Throws<BadFileException>(() => PlatformFile.Parse(file.ToJsonString(), "bad.json"));
        Assert.Contains("layers[2].shape: 50x20x5x5 with 1600000 MACs was timed above already", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("NaN")]
    public void What_is_no_platform_is_refused(string text)
    {
        var e = Assert.Throws<BadFileException>(() => PlatformFile.Parse(text, "bad.json"));
        Assert.StartsWith("'bad.json' is not a platform: ", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"kind\": \"law\", \"name\": \"\\ud800\"}", "'bad.json', name: a text has half of a surrogate pair")]
    [InlineData("{\"kind\": \"\\udc00\"}", "'bad.json', kind: a text has half of a surrogate pair")]
    [InlineData("{\"kind\": \"law\", \"a\\ud800\": 1}", "'bad.json': a text has half of a surrogate pair")]
    [InlineData("{\"layers\": [{\"\\ud800\": 1}]}", "'bad.json', layers[0]: a text has half of a surrogate pair")]
    [InlineData("{\"kind\": \"law\", \"kind\": \"law\"}", "'bad.json', kind: the key is there twice")]
    [InlineData("{\"law\": {\"a\": 1, \"\\u0061\": 2}}", "'bad.json', law.a: the key is there twice")]
    [InlineData("{\"layers\": [1, {\"x\": 1, \"x\": 2}]}", "'bad.json', layers[1].x: the key is there twice")]
    public void Texts_that_are_none_and_keys_given_twice_are_refused_by_their_path(string text, string message)
    {
        var e = Assert.Throws<BadFileException>(() => PlatformFile.Parse(text, "bad.json"));
        Assert.StartsWith(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_is_no_unicode_is_no_platform()
    {
        var e = Assert.Throws<BadFileException>(() => PlatformFile.Parse("{\"name\": \"" + '\ud800' + "\"}", "bad.json"));
        Assert.StartsWith("'bad.json' is not a platform: ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_files_are_refused_in_words_or_are_platforms()
    {
        byte[][] sources = [.. Platforms.Select(p => Encoding.UTF8.GetBytes(PlatformFile.Write(p)))];
        Mutants.Outcome outcome = Mutants.Check(Mutants.Of("platform files", 10_000, sources), bytes =>
        {
            Platform platform = PlatformFile.Read(new MemoryStream(bytes), "mutant");
            return () => PlatformFile.Parse(PlatformFile.Write(platform), "again");
        }, allowance: 4_000_000);
        Assert.Equal(10_000, outcome.Count);
        Assert.InRange(outcome.Valid, 1, 9_000);
        Assert.InRange(outcome.Messages.Count, 50, 10_000);
    }

    [Fact]
    public void A_file_is_saved_and_loaded_and_one_that_is_too_large_is_neither()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "new", "law.json");
        PlatformFile.Save(Law, path);
        Assert.Equal(Law.Law, Assert.IsType<LawPlatform>(PlatformFile.Load(path)).Law);

        File.WriteAllText(path, new string(' ', (1 << 20) + 1));
        Assert.Contains("1 MiB", Assert.Throws<BadFileException>(() => PlatformFile.Load(path)).Message, StringComparison.Ordinal);
        TimedPoint[] points = [.. Enumerable.Range(1, 20_000).Select(i => new TimedPoint(i / 20_000.0, i * 1e-6))];
        var large = new MeasuredPlatform { Name = "large", Layers = [Convolution with { Points = points }] };
        Assert.Contains("1 MiB", Assert.Throws<AdmmKitException>(() => PlatformFile.Save(large, path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_could_not_be_read_again_is_not_saved()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "bad.json");
        var bad = new MeasuredPlatform { Name = "bad", Layers = [Convolution with { DenseSeconds = 0 }] };
        var e = Assert.Throws<BadFileException>(() => PlatformFile.Save(bad, path));
        Assert.Contains("layers[0].denseMicroseconds: 0 is not in", e.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e40)]
    public void Numbers_that_a_file_cannot_have_are_refused_in_words(double value)
    {
        using var folder = new TemporaryFolder();
        Platform[] bad =
        [
            new MeasuredPlatform { Name = "bad", Layers = [Convolution with { DenseSeconds = value }] },
            new MeasuredPlatform { Name = "bad", Layers = [FullyConnected with { Points = [new(0.1, 1), new(0.2, value)] }] },
            new LawPlatform { Name = "bad", Law = new LogarithmicLaw(1, value, 1, 1) },
            new LawPlatform { Name = "bad", Law = new LinearAreaLaw(1, 1, 1, 1), Resources = new() { SramKiB = value } },
        ];
        Assert.All(bad, platform => Assert.ThrowsAny<AdmmKitException>(() => PlatformFile.Save(platform, Path.Combine(folder.Path, "x"))));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_missing_file_and_an_unknown_name_are_told_apart()
    {
        using var folder = new TemporaryFolder();
        var e = Assert.Throws<AdmmKitException>(() => PlatformLibrary.Find(Path.Combine(folder.Path, "none.json")));
        Assert.StartsWith("Could not read the platform", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<AdmmKitException>(() => PlatformLibrary.Find("admm-nn-4nm"));
        Assert.StartsWith("There is no platform or file 'admm-nn-4nm'.", e.Message, StringComparison.Ordinal);
    }

    /// <summary>Overwrites or, without a value, removes the node at a path such as "layers[0].points[1].keepFraction".</summary>
    private static void Set(JsonNode node, string path, string? value)
    {
        string[] steps = path.Replace("[", ".[", StringComparison.Ordinal).Split('.');
        foreach (string step in steps[..^1])
        {
            node = step[0] == '[' ? node[step[1] - '0']! : node[step]!;
        }

        string last = steps[^1];
        // A literal such as 1e999 stays as it is written until it is read.
        JsonNode? parsed = value is null ? null : JsonNode.Parse(value);
        if (last[0] == '[')
        {
            node.AsArray()[last[1] - '0'] = parsed;
        }
        else if (value is null)
        {
            node.AsObject().Remove(last);
        }
        else
        {
            node[last] = parsed;
        }
    }
}
