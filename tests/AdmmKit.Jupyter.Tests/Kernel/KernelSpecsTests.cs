using System.Text.Json.Nodes;
using AdmmKit.Cli;
using AdmmKit.Jupyter.Kernel;

namespace AdmmKit.Jupyter.Tests.Kernel;

public sealed class KernelSpecsTests : IDisposable
{
    private static readonly string[] All = [".net-csharp", ".net-fsharp", "admmkit-csharp", "admmkit-fsharp"];

    private readonly string data = Directory.CreateTempSubdirectory("admmkit-specs-").FullName;

    private static Dictionary<string, string> None => [];

    public void Dispose() => Directory.Delete(data, recursive: true);

    [Fact]
    public void Four_kernels_are_registered_and_removed()
    {
        var specs = new KernelSpecs(data);
        Assert.Empty(specs.List());
        var variables = new Dictionary<string, string> { ["A"] = "b" };
        Assert.Equal(4, specs.Install(["/opt/dotnet", "/opt/AdmmKit.Cli.dll"], variables, []).Written.Count);
        Assert.Equal(All, specs.List().Select(k => k.Name));
        Assert.All(specs.List(), k => Assert.True(k.IsOwn));
        Assert.Equal("/opt/dotnet", specs.List()[0].MissingFile);
        JsonNode file = JsonNode.Parse(File.ReadAllText(Path.Combine(data, "kernels", "admmkit-fsharp", "kernel.json")))!;
        Assert.Equal(
            "/opt/dotnet /opt/AdmmKit.Cli.dll kernel run --connection-file {connection_file} --language fsharp",
            string.Join(' ', file["argv"]!.AsArray().Select(a => (string?)a)));
        Assert.Equal(("F# (AdmmKit)", "F#", "message", "b"), (
            (string?)file["display_name"], (string?)file["language"], (string?)file["interrupt_mode"], (string?)file["env"]!["A"]));

        // Again, as after an update: the same four, with the new command.
        specs.Install([Environment.ProcessPath!], None, [data]);
        Assert.All(specs.List(), k => Assert.Null(k.MissingFile));
        Assert.Equal(All, specs.Uninstall().Select(k => k.Name));
        Assert.Empty(Directory.EnumerateFileSystemEntries(specs.Folder));
        Assert.Empty(specs.Uninstall());
    }

    [Theory]
    [InlineData("""{"argv": ["dotnet-interactive"], "display_name": ".NET (C#)", "language": "C#"}""")]
    [InlineData("{}")]
    [InlineData("no JSON")]
    [InlineData("""{"argv": [1], "metadata": {"admmkit": {}}}""")]
    public void Kernels_of_others_are_left_alone(string content)
    {
        string folder = Path.Combine(data, "kernels", ".net-CSharp"), file = Path.Combine(folder, "kernel.json");
        Directory.CreateDirectory(folder);
        File.WriteAllText(file, content);
        var specs = new KernelSpecs(data);
        (IReadOnlyList<KernelSpec> written, IReadOnlyList<KernelSpec> others) = specs.Install(["/opt/dotnet"], None, []);
        Assert.Equal(["admmkit-csharp", "admmkit-fsharp", ".net-fsharp"], written.Select(k => k.Name));
        Assert.Equal(folder, Assert.Single(others).Folder);
        Assert.Equal(3, specs.Uninstall().Count);
        Assert.Equal(content, File.ReadAllText(file));

        // Nor are they hidden from another folder that Jupyter would look into before.
        var nearer = new KernelSpecs(Path.Combine(data, "nearer"));
        Assert.Equal(".net-CSharp", Assert.Single(nearer.Install(["/opt/dotnet"], None, [data]).Others).Name);
        Assert.Equal(3, nearer.List().Count);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_said()
    {
        File.WriteAllText(Path.Combine(data, "kernels"), "a file");
        AdmmKitException e = Assert.Throws<AdmmKitException>(() => new KernelSpecs(data).Install(["x"], None, []));
        Assert.Contains("Could not write", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_is_the_tool_itself()
    {
        Assert.Equal(["/usr/bin/dotnet", "/opt/kit/AdmmKit.Cli.dll"], KernelCommand.ThisTool("/usr/bin/dotnet", "/opt/kit"));
        Assert.Equal(["/home/a/.dotnet/tools/admmkit"], KernelCommand.ThisTool("/home/a/.dotnet/tools/admmkit", "/opt/kit"));
    }
}
