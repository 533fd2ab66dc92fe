using System.Reflection;
using System.Xml.Linq;
using AdmmKit.Engine;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Interop;
using AdmmKit.Storage;

namespace AdmmKit.Tests;

/// <summary>
/// The dependency rule and the size of the library, checked on the checkout and on the built assemblies. Each check is a
/// function of what it looks at, so that planted violations show that it can fail.
/// </summary>
public class LayeringTests
{
    // Lines of code: neither blank nor comment. Documentation of public members should never be what has to give way.
    private const int MaxLibraryLines = 4000;
    private const int MaxFileLines = 400;
    private const int MaxTrainerLines = 260;

    // Who may reference whom. A project of src that is not named here is a violation, so that the rule is decided, not drifted into.
    private static readonly Dictionary<string, string[]> AllowedProjects = new(StringComparer.Ordinal)
    {
        ["AdmmKit"] = [],
        ["AdmmKit.Storage"] = ["AdmmKit"],
        ["AdmmKit.Engine"] = ["AdmmKit", "AdmmKit.Storage"],
        ["AdmmKit.Interop"] = ["AdmmKit", "AdmmKit.Storage"],
        ["AdmmKit.Baselines"] = ["AdmmKit"],
        ["AdmmKit.Hardware"] = ["AdmmKit", "AdmmKit.Storage"],
        ["AdmmKit.Notebooks"] = ["AdmmKit"],
        ["AdmmKit.Jupyter"] = ["AdmmKit.Notebooks"],
        ["AdmmKit.Experiments"] =
            ["AdmmKit", "AdmmKit.Baselines", "AdmmKit.Engine", "AdmmKit.Hardware", "AdmmKit.Interop", "AdmmKit.Notebooks", "AdmmKit.Storage"],
        ["AdmmKit.Cli"] = ["AdmmKit.Experiments", "AdmmKit.Hardware", "AdmmKit.Interop", "AdmmKit.Jupyter"],
    };

    // Projects whose packages are limited; the others choose theirs.
    private static readonly Dictionary<string, string[]> AllowedPackages = new(StringComparer.Ordinal)
    {
        ["AdmmKit"] = ["MathNet.Numerics", "System.Numerics.Tensors"],
        ["AdmmKit.Storage"] = [],
        ["AdmmKit.Engine"] = [],
        ["AdmmKit.Interop"] = [],
        ["AdmmKit.Baselines"] = [],
        ["AdmmKit.Hardware"] = ["MathNet.Numerics"],
        ["AdmmKit.Notebooks"] = [],
        ["AdmmKit.Jupyter"] = ["FSharp.Compiler.Service", "Microsoft.CodeAnalysis.CSharp.Scripting"],
    };

    /// <summary>What a project file asks for.</summary>
    private sealed record Project(string Name, string[] Projects, string[] Packages)
    {
        public static Project Parse(string name, string xml)
        {
            XDocument document = XDocument.Parse(xml);
            string[] Included(string element) =>
                [.. document.Descendants().Where(e => e.Name.LocalName == element).Select(e => (string?)e.Attribute("Include") ?? "")];
            return new Project(
                name,
                [.. Included("ProjectReference").Select(p => Path.GetFileNameWithoutExtension(p.Replace('\\', '/')))],
                // A reference to a bare assembly would be a package by another way.
                [.. Included("PackageReference").Concat(Included("Reference"))]);
        }
    }

    [Fact]
    public void Projects_reference_only_what_lies_below_them()
    {
        Project[] projects = [.. ProjectFiles("src").Select(f => Project.Parse(Path.GetFileNameWithoutExtension(f), File.ReadAllText(f)))];
        Assert.Equal(AllowedProjects.Keys.Order(StringComparer.Ordinal), projects.Select(p => p.Name).Order(StringComparer.Ordinal));
        Assert.Empty(projects.SelectMany(ReferenceViolations));
    }

    [Theory]
    [InlineData("AdmmKit", "<ProjectReference Include='../AdmmKit.Engine/AdmmKit.Engine.csproj'/>", "AdmmKit references AdmmKit.Engine")]
    [InlineData("AdmmKit.Engine", "<ProjectReference Include='..\\X\\AdmmKit.Experiments.csproj'/>", "references AdmmKit.Experiments")]
    [InlineData("AdmmKit.Cli", "<ProjectReference Include='../../tests/AdmmKit.Tests/AdmmKit.Tests.csproj'/>", "references AdmmKit.Tests")]
    [InlineData("AdmmKit", "<PackageReference Include='CsvHelper'/>", "AdmmKit uses CsvHelper")]
    [InlineData("AdmmKit", "<Reference Include='Plotly.NET'/>", "AdmmKit uses Plotly.NET")]
    [InlineData("AdmmKit.Engine", "<PackageReference Include='MathNet.Numerics'/>", "AdmmKit.Engine uses MathNet.Numerics")]
    [InlineData("AdmmKit.Other", "", "AdmmKit.Other has no place")]
    public void A_wrong_reference_is_found(string name, string reference, string violation)
    {
        var project = Project.Parse(name, $"<Project Sdk='Microsoft.NET.Sdk'><ItemGroup>{reference}</ItemGroup></Project>");
        Assert.Contains(violation, Assert.Single(ReferenceViolations(project)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_library_the_engine_and_the_formats_use_only_the_runtime_and_never_the_console()
    {
        Assert.Empty(AssemblyViolations(typeof(AdmmKitException).Assembly, "System.", "MathNet.Numerics"));
        Assert.Empty(AssemblyViolations(typeof(CompressedNetwork).Assembly, "System.", "AdmmKit"));
        Assert.Empty(AssemblyViolations(typeof(Network).Assembly, "System.", "AdmmKit", "AdmmKit.Storage"));
        Assert.Empty(AssemblyViolations(typeof(SafetensorsFile).Assembly, "System.", "AdmmKit", "AdmmKit.Storage"));
        Assert.Empty(AssemblyViolations(typeof(Platform).Assembly, "System.", "AdmmKit", "AdmmKit.Storage", "MathNet.Numerics"));
    }

    [Fact]
    public void A_wrong_assembly_reference_is_found()
    {
        // The engine references the library, which the library's own rule does not allow.
        Assert.Contains("AdmmKit.Engine uses AdmmKit", AssemblyViolations(typeof(Network).Assembly, "System.", "MathNet.Numerics"));
        Assert.Equal(["A uses System.Console"], AssemblyViolations("A", ["System.Runtime", "System.Console"], "System."));
        Assert.Equal(["A uses SystemX"], AssemblyViolations("A", ["SystemX", "MathNet.Numerics"], "System.", "MathNet.Numerics"));
    }

    [Fact]
    public void The_library_is_thin_and_its_trainer_fits_on_a_screen()
    {
        Dictionary<string, int> lines = Sources(Path.Combine(Root, "src", "AdmmKit")).ToDictionary(f => f, CodeLines);
        Assert.Contains(lines.Keys, f => Path.GetFileName(f) == "AdmmTrainer.cs");
        Assert.Empty(SizeViolations(lines));
    }

    [Fact]
    public void Too_many_lines_are_found()
    {
        Assert.Empty(SizeViolations(new() { ["AdmmTrainer.cs"] = 260, ["B.cs"] = 400 }));
        Assert.Single(SizeViolations(new() { ["Admm/AdmmTrainer.cs"] = 261 }));
        Assert.Single(SizeViolations(new() { ["B.cs"] = 401 }));
        Assert.Single(SizeViolations(Enumerable.Range(0, 11).ToDictionary(i => $"{i}.cs", i => i == 0 ? 1 : 400)));
        Assert.Equal(2, CodeLines(["/// <summary>", "", "int a; // why", "  // why", "}"]));
    }

    [Fact]
    public void Every_project_has_a_lock_file()
    {
        // A user's program takes packages that were just made: their checksums are of one build.
        string[] projects = [.. ProjectFiles("src"), .. ProjectFiles("tests").Where(p => Path.GetFileName(p) != "Consumer.csproj")];
        Assert.Contains(projects, p => Path.GetFileName(p) == "AdmmKit.Tests.csproj");
        Assert.DoesNotContain(projects, LacksLockFile);
    }

    [Fact]
    public void A_missing_lock_file_is_found()
    {
        string folder = Directory.CreateTempSubdirectory("admmkit-test-").FullName;
        try
        {
            Assert.True(LacksLockFile(Path.Combine(folder, "A.csproj")));
            File.WriteAllText(Path.Combine(folder, "packages.lock.json"), "{}");
            Assert.False(LacksLockFile(Path.Combine(folder, "A.csproj")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    internal static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "AdmmKit.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No AdmmKit.sln above {AppContext.BaseDirectory}: run the tests from a checkout.");
    }

    // What needs packages that do not restore everywhere has a solution of its own, above all of these: nothing here may reference it.
    private static IEnumerable<string> ProjectFiles(string top) => Below(Path.Combine(Root, top), "*.csproj")
        .Where(f => !Path.GetRelativePath(Root, f).Replace('\\', '/').StartsWith("src/integrations/", StringComparison.Ordinal));

    private static IEnumerable<string> Sources(string folder) => Below(folder, "*.cs");

    private static IEnumerable<string> Below(string folder, string pattern) =>
        Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories)
            .Where(f => !Path.GetRelativePath(folder, f).Split('/', '\\').Any(part => part is "obj" or "bin"));

    private static int CodeLines(string file) => CodeLines(File.ReadLines(file));

    private static int CodeLines(IEnumerable<string> lines) =>
        lines.Select(l => l.Trim()).Count(l => l.Length > 0 && !l.StartsWith("//", StringComparison.Ordinal));

    private static bool LacksLockFile(string project) =>
        !File.Exists(Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json"));

    private static IEnumerable<string> ReferenceViolations(Project project)
    {
        if (!AllowedProjects.TryGetValue(project.Name, out string[]? projects))
        {
            return [$"{project.Name} has no place in the layering: give it one in this test and in the README."];
        }

        string[] packages = AllowedPackages.GetValueOrDefault(project.Name, project.Packages);
        return [
            .. project.Projects.Except(projects).Select(p => $"{project.Name} references {p}: {Only(projects)}."),
            .. project.Packages.Except(packages).Select(p => $"{project.Name} uses {p}: {Only(packages)}."),
        ];
    }

    private static string Only(string[] names) => names.Length == 0 ? "it may have none" : $"it may have only {string.Join(", ", names)}";

    private static IEnumerable<string> AssemblyViolations(Assembly assembly, params string[] allowed) =>
        AssemblyViolations(assembly.GetName().Name!, assembly.GetReferencedAssemblies().Select(r => r.Name!), allowed);

    /// <param name="name">The assembly.</param>
    /// <param name="references">Names of the assemblies that it references.</param>
    /// <param name="allowed">Names, and beginnings of names that end in a dot.</param>
    private static IEnumerable<string> AssemblyViolations(string name, IEnumerable<string> references, params string[] allowed) =>
        references.Where(r => r == "System.Console" || !allowed.Any(a => Matches(r, a))).Select(r => $"{name} uses {r}");

    private static bool Matches(string name, string allowed) =>
        allowed.EndsWith('.') ? name.StartsWith(allowed, StringComparison.Ordinal) : name == allowed;

    private static IEnumerable<string> SizeViolations(Dictionary<string, int> lines)
    {
        foreach ((string file, int count) in lines)
        {
            int most = Path.GetFileName(file) == "AdmmTrainer.cs" ? MaxTrainerLines : MaxFileLines;
            if (count > most)
            {
                yield return FormattableString.Invariant($"{Path.GetFileName(file)} has {count} lines of code, at most {most}: split or simplify it.");
            }
        }

        if (lines.Values.Sum() is var total and > MaxLibraryLines)
        {
            yield return FormattableString.Invariant($"The library has {total} lines of code; at most {MaxLibraryLines}: what belongs above it?");
        }
    }
}
