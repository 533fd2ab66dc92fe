using System.Xml.Linq;

namespace AdmmKit.Packages.Tests;

/// <summary>The projects of src that become packages, as their files say.</summary>
internal static class PackedProjects
{
    /// <summary>Those that others reference.</summary>
    public static IReadOnlyList<string> Libraries { get; } = [.. Names(tools: false)];

    /// <summary>Those that are installed as tools.</summary>
    public static IReadOnlyList<string> Tools { get; } = [.. Names(tools: true)];

    /// <summary>The version that all of them have.</summary>
    public static string Version { get; } =
        XDocument.Load(Path.Combine(Checkout.Root, "Directory.Build.props")).Descendants("Version").Single().Value;

    /// <summary>The folder of a project.</summary>
    public static string FolderOf(string project) => Path.Combine(Checkout.Root, "src", project);

    /// <summary>A project's file; null where the folder has none.</summary>
    public static XDocument? FileOf(string project)
    {
        string path = Path.Combine(FolderOf(project), project + ".csproj");
        return File.Exists(path) ? XDocument.Load(path) : null;
    }

    /// <summary>The name of a project's package.</summary>
    public static string IdOf(string project) => (string?)FileOf(project)!.Descendants("PackageId").SingleOrDefault() ?? project;

    private static IEnumerable<string> Names(bool tools) =>
        from name in Directory.EnumerateDirectories(Path.Combine(Checkout.Root, "src")).Select(f => Path.GetFileName(f))
        let file = FileOf(name)
        where file is not null && Says(file, "IsPackable") && Says(file, "PackAsTool") == tools
        orderby name
        select name;

    private static bool Says(XDocument file, string property) => file.Descendants(property).Any(p => p.Value == "true");
}
