using System.Text.RegularExpressions;
using AdmmKit.Jupyter.Files;

namespace AdmmKit.Jupyter.Tests.Files;

/// <summary>The notebooks that are committed keep to what .NET Interactive knows, so that they run there, too.</summary>
public partial class CommandsOfNotebooksTests
{
    private static readonly string Folder = Path.Combine(Checkout.Root, "notebooks");

    private static HashSet<string> Known() =>
        [.. File.ReadAllLines(Path.Combine(Folder, "dotnet-interactive-commands.txt")).Where(l => l.Length > 0 && !l.StartsWith("# ", StringComparison.Ordinal))];

    [Fact]
    public void Notebooks_use_only_commands_and_display_calls_of_the_list()
    {
        HashSet<string> known = Known();
        IEnumerable<string> unknown =
            from file in Directory.EnumerateFiles(Folder, "*.ipynb", SearchOption.AllDirectories)
            from cell in NotebookFile.Read(file).Cells.Where(c => c.IsCode)
            from name in NamesIn(cell.Source)
            where !known.Contains(name)
            select $"{Path.GetFileName(file)}, cell {cell.Number}: {name}";
        Assert.Empty(unknown);
    }

    [Theory]
    [InlineData("#!fsharp\ndisplay 5", "#!fsharp display")]
    [InlineData("#r \"a.dll\"\n#!pwsh\nx.Display();\nDisplayPanel(x);", "#r #!pwsh Display DisplayPanel")]
    [InlineData("var display = 1;\n// no call", "")]
    [InlineData("  #!time\nHTML (\"x\").Display()", "HTML Display")]
    public void Commands_and_calls_are_found(string source, string expected) =>
        Assert.Equal(expected, string.Join(' ', NamesIn(source)));

    [Fact]
    public void The_list_has_all_that_cells_here_know()
    {
        HashSet<string> known = Known();
        Assert.Superset(Jupyter.Sessions.Directive.Known.ToHashSet(), known);
        IEnumerable<string> calls = typeof(Cells.CellFunctions).GetMethods().Concat(typeof(Cells.DisplayExtensions).GetMethods())
            .Where(m => m.IsStatic && !m.IsSpecialName).Select(m => m.Name);
        Assert.Superset(calls.ToHashSet(), known);
    }

    private static IEnumerable<string> NamesIn(string source) =>
        Command().Matches(source).Concat(Call().Matches(source)).Select(m => m.Groups["name"].Value);

    [GeneratedRegex(@"^(?<name>#!\S+|#(r|load|i)(?=\s))", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex(@"\b(?<name>[dD]isplay\w*|HTML|CSS|Javascript)(?=\s*\(|\s+[\w""(](?<!\s=))")]
    private static partial Regex Call();
}
