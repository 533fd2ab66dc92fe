using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using AdmmKit.Interop;
using AdmmKit.Storage;

namespace AdmmKit.Packages.Tests.Packed;

/// <summary>Programs of users, in C# and in F#, that know the packages alone, and the tool as it is installed.</summary>
[Collection(nameof(Feed))]
public partial class ConsumerTests(Feed feed)
{
    [Theory]
    [InlineData("csharp")]
    [InlineData("fsharp")]
    public void A_program_that_references_the_packages_compresses_a_network(string language)
    {
        string source = Path.Combine(Checkout.Root, "tests", "consumers", language);
        string folder = feed.NewFolder(language);
        foreach (string file in Directory.EnumerateFiles(source))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        feed.Run(folder, "build", "-c", "Release", "-o", "built");
        Assert.All(PackagesIn(feed.Cache), p => Assert.Equal(File.ReadAllBytes(feed.PathOf(p.Id)), File.ReadAllBytes(p.Path)));
        string output = feed.Run(folder, Path.Combine("built", "Consumer.dll"));

        CompressedNetwork model = CompressedNetwork.Load(Path.Combine(folder, "lenet5.admm"));
        Match line = Summary().Match(output);
        Assert.True(line.Success, output);
        Assert.Equal(model.Survivors, int.Parse(line.Groups["survivors"].Value, CultureInfo.InvariantCulture));
        Assert.Equal(model.Spec.WeightCount, int.Parse(line.Groups["weights"].Value, CultureInfo.InvariantCulture));
        Assert.Equal(model.Size.TotalBytes, int.Parse(line.Groups["bytes"].Value, CultureInfo.InvariantCulture));
        Assert.InRange(model.Survivors, 1, model.Spec.WeightCount / 10);
        SafetensorsFile tensors = SafetensorsFile.Read(Path.Combine(folder, "lenet5.safetensors"));
        Assert.Equal(model.Decode().Weights[0], tensors["conv1.weight"].ToSingles());
        string picture = Assert.Single(Directory.GetFiles(folder, "*.svg"));
        Assert.Equal("svg", XDocument.Load(picture).Root!.Name.LocalName);
    }

    [Fact]
    public void The_tool_is_installed_and_runs()
    {
        string folder = feed.NewFolder("tool");
        string id = PackedProjects.IdOf(Assert.Single(PackedProjects.Tools));
        feed.Run(folder, "tool", "install", id, "--version", PackedProjects.Version, "--tool-path", "tools");
        string[] installed = Directory.GetFiles(Path.Combine(folder, "tools"), "*.nupkg", SearchOption.AllDirectories);
        Assert.NotEmpty(installed);
        Assert.All(installed, p => Assert.Equal(File.ReadAllBytes(feed.PathOf(id)), File.ReadAllBytes(p)));
        string admmkit = Path.Combine(folder, "tools", OperatingSystem.IsWindows() ? "admmkit.exe" : "admmkit");
        Assert.Contains("  admmkit [command] [options]", feed.RunProgram(admmkit, folder, "--help"), StringComparison.Ordinal);
        Assert.StartsWith(PackedProjects.Version, feed.RunProgram(admmkit, folder, "--version"), StringComparison.Ordinal);
        string model = Path.Combine(Checkout.Root, "results", "table1", "AdmmKit-85x-seed1.admm");
        Assert.Contains("conv1", feed.RunProgram(admmkit, folder, "inspect", model), StringComparison.Ordinal);
        feed.RunProgram(admmkit, folder, "reproduce", "table7", "--out", "out");
        Assert.True(File.Exists(Path.Combine(folder, "out", "table7", "rows.csv")));

        // Cells in both languages, which use the tool's own AdmmKit.
        File.WriteAllText(Path.Combine(folder, "a.ipynb"), Notebook);
        feed.RunProgram(admmkit, folder, "notebook", "run", "a.ipynb");
        string ran = File.ReadAllText(Path.Combine(folder, "a.ipynb"));
        Assert.Contains("lenet5 has 4 layers", ran, StringComparison.Ordinal);
        Assert.Contains("keeps at most 3 weights", ran, StringComparison.Ordinal);
    }

    private const string Notebook = """
        {
          "cells": [
            { "cell_type": "code", "execution_count": null, "id": "a", "metadata": {}, "outputs": [],
              "source": ["#r \"AdmmKit.dll\"\n", "using AdmmKit.Networks;\n", "var spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);\n",
                "Console.WriteLine($\"{spec.Name} has {spec.Layers.Count} layers\");"] },
            { "cell_type": "code", "execution_count": null, "id": "b", "metadata": {}, "outputs": [],
              "source": ["#!fsharp\n", "#r \"AdmmKit.dll\"\n", "printfn \"%s\" (AdmmKit.Constraints.Cardinality 3).Description"] }
          ],
          "metadata": {
            "kernelspec": { "display_name": ".NET (C#)", "language": "C#", "name": ".net-csharp" },
            "language_info": { "name": "csharp" }
          },
          "nbformat": 4,
          "nbformat_minor": 5
        }
        """;

    private static IEnumerable<(string Id, string Path)> PackagesIn(string cache)
    {
        (string Id, string Path)[] found =
        [
            .. from id in PackedProjects.Libraries
               let name = id.ToLowerInvariant()
               let path = Path.Combine(cache, name, PackedProjects.Version, $"{name}.{PackedProjects.Version}.nupkg")
               where File.Exists(path)
               select (id, path),
        ];
        Assert.NotEmpty(found);
        return found;
    }

    [GeneratedRegex(@"^(?<survivors>\d+) of (?<weights>\d+) weights in (?<bytes>\d+) bytes", RegexOptions.Multiline)]
    private static partial Regex Summary();
}
