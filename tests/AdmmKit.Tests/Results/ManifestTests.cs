using System.Text.Json;
using AdmmKit.Experiments.Results;

namespace AdmmKit.Tests.Results;

public sealed class ManifestTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_manifest_comes_back_and_names_no_folder_of_the_machine()
    {
        using var culture = new CommaCulture();
        string data = Path.Combine(folder, "mnist");
        string below = Path.Combine(Environment.CurrentDirectory, "some", "where");
        Manifest manifest = Manifest.Describe(
            Path.Combine(folder, "admmkit"),
            ["run", "table1", "--data", data, "--out=" + below, "--note", "two words", "relative/path", "--data=" + data],
            new { Rho = 0.0015, Folder = data, Nested = new[] { new { Path = data } } },
            new DataOrigin("mnist", data, new Dictionary<string, string> { ["train"] = "sha256:00", [Path.Combine(data, "test")] = "sha256:11" }))
            with
        { Seed = ulong.MaxValue, WallTimeSeconds = 1.5, Environment = "quiet" };
        string path = Path.Combine(folder, "out", "manifest.json");
        manifest.Save(path);
        string text = File.ReadAllText(path);
        Assert.DoesNotContain(folder, text, StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.CurrentDirectory, text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
        using JsonDocument json = JsonDocument.Parse(text);
        Assert.Equal("admmkit run table1 --data mnist --out=some/where --note \"two words\" relative/path --data=mnist",
            json.RootElement.GetProperty("commandLine").GetString()!.Replace('\\', '/'));
        Assert.Equal(0.0015, json.RootElement.GetProperty("recipe").GetProperty("rho").GetDouble());
        Assert.Equal(1.5, json.RootElement.GetProperty("wallTimeSeconds").GetDouble());
        Assert.Equal("sha256:11", json.RootElement.GetProperty("data").GetProperty("checksums").GetProperty("test").GetString());

        Manifest read = Manifest.Load(path);
        Assert.Equal((manifest.Commit, manifest.Dirty, manifest.Seed), (read.Commit, read.Dirty, read.Seed));
        Assert.Equal((manifest.StartedUtc, DateTimeKind.Utc), (read.StartedUtc, read.StartedUtc.Kind));
        Assert.Equal(manifest.Packages, read.Packages);
        Assert.Equal(manifest.Data!.Checksums, read.Data!.Checksums);
    }

    [Fact]
    public void The_process_is_described()
    {
        Manifest manifest = Manifest.Describe("admmkit", []);
        Assert.Equal("admmkit", manifest.CommandLine);
        Assert.StartsWith(".NET ", manifest.Runtime, StringComparison.Ordinal);
        Assert.NotEmpty(manifest.Cpu);
        Assert.NotEmpty(manifest.OperatingSystem);
        Assert.True(manifest.Threads > 0);
        Assert.Contains("AdmmKit", manifest.Packages.Keys);
        Assert.Contains("Spectre.Console", manifest.Packages.Keys);
        Assert.Contains("CsvHelper", manifest.Packages.Keys);
        // Outside a checkout, or without git, both are unknown; inside both are known.
        Assert.Equal(manifest.Commit is null, manifest.Dirty is null);
        Assert.True(manifest.Commit is null || (manifest.Commit.Length >= 40 && manifest.Commit.All(char.IsAsciiHexDigit)));
    }

    [Fact]
    public void What_is_not_a_manifest_is_refused()
    {
        string path = Path.Combine(folder, "manifest.json");
        foreach (string text in new[] { "", "null", "[]", "{}", "{\"commandLine\": 3}" })
        {
            File.WriteAllText(path, text);
            Assert.Throws<BadFileException>(() => Manifest.Load(path));
        }

        Assert.Throws<AdmmKitException>(() => Manifest.Load(Path.Combine(folder, "none.json")));
    }

    [Theory]
    [InlineData(" M README.md", true)]
    [InlineData("?? src/AdmmKit/New.cs", true)]
    [InlineData("?? Directory.Build.targets", true)]
    [InlineData("?? run.log", false)]
    [InlineData("?? recipes/mine.json", false)]
    [InlineData("", false)]
    public void A_log_beside_the_source_makes_no_other_program(string line, bool could) =>
        Assert.Equal(could, RunEnvironment.CouldChangeTheProgram(line));
}
