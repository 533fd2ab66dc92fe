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
    public static string Version { get; } = XDocument.Load(Path.Combine(Checkout.Root, "Directory.Build.props")).Descendants("Version").Single().Value;

    /// <summary>The folder of a project.</summary>
    public static string FolderOf(string project) => Path.Combine(Checkout.Root, "src", project);

    /// <summary>The name of a project's package.</summary>
    public static string IdOf(string project) => ProjectFile(FolderOf(project)) is { } file ? (string?)file.Descendants("PackageId").SingleOrDefault() ?? project : project;

    private static IEnumerable<string> Names(bool tools) =>
        from folder in Directory.EnumerateDirectories(Path.Combine(Checkout.Root, "src"))
        let file = ProjectFile(folder)
        where file is not null && Says(file, "IsPackable") && Says(file, "PackAsTool") == tools
        orderby Path.GetFileName(folder)
        select Path.GetFileName(folder);

    private static XDocument? ProjectFile(string folder)
    {
        string path = Path.Combine(folder, Path.GetFileName(folder) + ".csproj");
        return File.Exists(path) ? XDocument.Load(path) : null;
    }

    private static bool Says(XDocument file, string property) => file.Descendants(property).Any(p => p.Value == "true");
}
