using System.Buffers.Binary;
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Xml.Linq;

namespace AdmmKit.Packages.Tests.Packed;

/// <summary>What is in the packages.</summary>
[Collection(nameof(Feed))]
public class ContentTests(Feed feed)
{
    public static TheoryData<string> Libraries => [.. PackedProjects.Libraries];

    public static TheoryData<string> All => [.. PackedProjects.Libraries, .. PackedProjects.Tools];

    [Fact]
    public void All_packages_are_made_and_no_others() => Assert.Equal(
        PackedProjects.Libraries.Concat(PackedProjects.Tools).Select(PackedProjects.IdOf)
            .SelectMany(id => new[] { feed.PathOf(id), feed.PathOf(id, "snupkg") }).Order(StringComparer.Ordinal),
        Directory.EnumerateFiles(feed.Folder).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(All))]
    public void A_package_says_what_it_is(string project)
    {
        using ZipArchive package = Open(project);
        XElement metadata = Metadata(package);
        string? Said(string name) => (string?)Child(metadata, name);
        Assert.Equal(PackedProjects.IdOf(project), Said("id"));
        Assert.Equal(PackedProjects.Version, Said("version"));
        Assert.Equal("MIT", Said("license"));
        Assert.Equal("expression", (string?)Child(metadata, "license")!.Attribute("type"));
        Assert.False(string.IsNullOrEmpty(Said("description")) || Said("description") == "Package Description");
        Assert.Contains("pruning", Said("tags")!.Split(' '));
        // A checkout, or one of git's additional work trees; sources without git have no commit to name.
        if (Path.Exists(Path.Combine(Checkout.Root, ".git")))
        {
            Assert.Equal("git", (string?)Child(metadata, "repository")!.Attribute("type"));
            Assert.Matches("^[0-9a-f]{40}$", (string?)Child(metadata, "repository")!.Attribute("commit"));
        }

        Assert.Equal("README.md", Said("readme"));
        Assert.Equal(File.ReadAllBytes(Path.Combine(PackedProjects.FolderOf(project), "README.md")), Bytes(package, "README.md"));
        Assert.Equal(File.ReadAllBytes(Path.Combine(Checkout.Root, "LICENSE")), Bytes(package, "LICENSE"));
        Assert.Equal(File.ReadAllBytes(Path.Combine(Checkout.Root, "CHANGELOG.md")), Bytes(package, "CHANGELOG.md"));
        Assert.Equal("icon.png", Said("icon"));
        byte[] icon = Bytes(package, "icon.png");
        // Width and height of a PNG.
        Assert.Equal(128, BinaryPrimitives.ReadInt32BigEndian(icon.AsSpan(16)));
        Assert.Equal(128, BinaryPrimitives.ReadInt32BigEndian(icon.AsSpan(20)));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_library_has_its_assembly_documentation_and_symbols(string project)
    {
        using ZipArchive package = Open(project);
        Assert.Equal(
            [$"lib/net10.0/{project}.dll", $"lib/net10.0/{project}.xml"],
            from entry in package.Entries
            where entry.FullName.StartsWith("lib/", StringComparison.Ordinal)
            orderby entry.FullName
            select entry.FullName);
        XDocument documentation = XDocument.Load(new MemoryStream(Bytes(package, $"lib/net10.0/{project}.xml")));
        Assert.Equal(project, documentation.Root!.Element("assembly")!.Element("name")!.Value);
        Assert.NotEmpty(documentation.Descendants("summary"));

        using ZipArchive symbols = Open(project, "snupkg");
        using var image = new PEReader(new MemoryStream(Bytes(package, $"lib/net10.0/{project}.dll")));
        CodeViewDebugDirectoryData link = image.ReadCodeViewDebugDirectoryData(
            image.ReadDebugDirectory().Single(e => e.Type == DebugDirectoryEntryType.CodeView));
        using var pdb = MetadataReaderProvider.FromPortablePdbStream(new MemoryStream(Bytes(symbols, $"lib/net10.0/{project}.pdb")));
        MetadataReader reader = pdb.GetMetadataReader();
        Assert.Equal(link.Guid, new BlobContentId(reader.DebugMetadataHeader!.Id).Guid);
        string[] files = [.. reader.Documents.Select(d => reader.GetString(reader.GetDocument(d).Name))];
        Assert.Contains(files, f => f.EndsWith(".cs", StringComparison.Ordinal));
        if (Feed.Configuration == "Release")
        {
            Assert.All(files, f => Assert.StartsWith("/_/", f, StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void A_library_depends_on_the_packages_of_what_it_references(string project)
    {
        using ZipArchive package = Open(project);
        XElement group = Assert.Single(Metadata(package).Descendants(), e => e.Name.LocalName == "group");
        Assert.Equal("net10.0", (string?)group.Attribute("targetFramework"));
        (string Id, string Version)[] dependencies =
            [.. group.Elements().Select(e => ((string)e.Attribute("id")!, (string)e.Attribute("version")!)).Order()];
        Assert.Equal(Referenced(project).Order(), dependencies.Select(d => d.Id).Where(IsOwn));
        Assert.All(dependencies.Where(d => IsOwn(d.Id)), d => Assert.Equal(PackedProjects.Version, d.Version));
        Assert.Equal(Packages(project).Order(), dependencies.Select(d => d.Id).Where(id => !IsOwn(id)));
    }

    [Fact]
    public void The_tool_brings_all_that_it_needs_and_starts_as_admmkit()
    {
        string project = Assert.Single(PackedProjects.Tools);
        using ZipArchive package = Open(project);
        XElement metadata = Metadata(package);
        Assert.Equal("DotnetTool", (string?)Child(metadata, "packageTypes")!.Elements().Single().Attribute("name"));
        const string folder = "tools/net10.0/any/";
        var settings = XDocument.Load(new MemoryStream(Bytes(package, folder + "DotnetToolSettings.xml")));
        XElement command = settings.Descendants("Command").Single();
        Assert.Equal("admmkit", (string?)command.Attribute("Name"));
        Assert.Equal(project + ".dll", (string?)command.Attribute("EntryPoint"));
        string[] there = [.. package.Entries.Select(e => e.FullName)];
        Assert.All(PackedProjects.Libraries.Append(project), p => Assert.Contains($"{folder}{p}.dll", there));
        Assert.DoesNotContain(metadata.Descendants(), e => e.Name.LocalName == "dependency");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void No_file_names_the_machine_that_built_it(string project)
    {
        if (Feed.Configuration != "Release")
        {
            // A debugger of this machine is to find the sources here.
            return;
        }

        using ZipArchive package = Open(project);
        Assert.Empty(package.Entries.Where(e => Names(Bytes(package, e.FullName), Checkout.Root)).Select(e => e.FullName));
    }

    [Fact]
    public void A_named_machine_is_found() => Assert.All(
        [Encoding.UTF8, Encoding.Unicode],
        encoding => Assert.True(Names([1, 2, .. encoding.GetBytes(Checkout.Root + "/src"), 3], Checkout.Root)));

    private static bool Names(ReadOnlySpan<byte> bytes, string path) =>
        bytes.IndexOf(Encoding.UTF8.GetBytes(path)) >= 0 || bytes.IndexOf(Encoding.Unicode.GetBytes(path)) >= 0;

    private static bool IsOwn(string id) => id == "AdmmKit" || id.StartsWith("AdmmKit.", StringComparison.Ordinal);

    private static IEnumerable<string> Referenced(string project) =>
        Included(project, "ProjectReference").Select(p => Path.GetFileNameWithoutExtension(p));

    // Packages of the projects below are named too: their versions are pinned for the whole solution.
    private static IEnumerable<string> Packages(string project) =>
        Included(project, "PackageReference").Concat(Referenced(project).SelectMany(Packages)).Distinct();

    private static IEnumerable<string> Included(string project, string element) =>
        PackedProjects.FileOf(project)!.Descendants(element).Select(e => (string)e.Attribute("Include")!);

    private static XElement Metadata(ZipArchive package)
    {
        ZipArchiveEntry entry = Assert.Single(package.Entries, e => e.FullName.EndsWith(".nuspec", StringComparison.Ordinal));
        return Child(XDocument.Load(new MemoryStream(Bytes(package, entry.FullName))).Root!, "metadata")!;
    }

    private static XElement? Child(XElement parent, string name) => parent.Elements().SingleOrDefault(e => e.Name.LocalName == name);

    private static byte[] Bytes(ZipArchive package, string name)
    {
        using Stream stream = (package.GetEntry(name) ?? throw new InvalidOperationException($"The package has no {name}.")).Open();
        using var all = new MemoryStream();
        stream.CopyTo(all);
        return all.ToArray();
    }

    private ZipArchive Open(string project, string kind = "nupkg") => ZipFile.OpenRead(feed.PathOf(PackedProjects.IdOf(project), kind));
}
