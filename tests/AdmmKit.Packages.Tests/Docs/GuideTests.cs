namespace AdmmKit.Packages.Tests.Docs;

/// <summary>The code of guides and of packages' pages does what the pages say. Programs share the console and the folder.</summary>
[CollectionDefinition(nameof(GuideTests), DisableParallelization = true)]
[Collection(nameof(GuideTests))]
public sealed class GuideTests : IDisposable
{
    private static readonly string Guides = Path.Combine(Checkout.Root, "docs", "guides");

    private readonly string folder = Directory.CreateTempSubdirectory("admmkit-guide-").FullName;
    private readonly string usualFolder = Environment.CurrentDirectory;

    public GuideTests() => Environment.CurrentDirectory = folder;

    public static TheoryData<string> Pages =>
    [
        .. Directory.EnumerateFiles(Guides, "*.md")
            .Concat(PackedProjects.Libraries.Select(p => Path.Combine(PackedProjects.FolderOf(p), "README.md")))
            .Select(f => Path.GetRelativePath(Checkout.Root, f).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void The_code_of_a_page_compiles_runs_and_prints_what_the_page_says(string page) =>
        Check(page, File.ReadAllText(Path.Combine(Checkout.Root, page)));

    [Fact]
    public void There_is_a_guide_a_topic_each_with_code_and_each_in_the_list_of_all_pages()
    {
        string[] guides = Directory.GetFiles(Guides, "*.md");
        Assert.Equal(
            ["backend", "constraint", "files", "platform", "trainer"],
            guides.Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal));
        Assert.All(guides, g => Assert.Contains(CodeBlock.Of(File.ReadAllText(g)), b => b.Language == "csharp"));
        string docs = Path.Combine(Checkout.Root, "docs");
        string index = File.ReadAllText(Path.Combine(docs, "README.md"));
        IEnumerable<string> pages = Directory.EnumerateFiles(docs, "*.md", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(docs, f).Replace('\\', '/')).Where(f => f != "README.md");
        Assert.All(pages, f => Assert.Contains($"]({f})", index, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("```csharp\nint x = 1;\n```\n\nand\n\n```csharp\nint y = z;\n```\n", "page.md(8): CS0103")]
    [InlineData("```csharp\nstring s = null;\nConsole.WriteLine(s);\n```\n", "page.md(2): CS8600")]
    [InlineData("```csharp\nusing AdmmKit.Constraints;\nusing AdmmKit.Nothing;\n```\n", "page.md(3): CS0234")]
    [InlineData("```csharp\nthrow new InvalidOperationException(\"no\");\n```\n", "no")]
    [InlineData("```csharp\nConsole.WriteLine(1 + 1);\n```\n\n```text\n3\n```\n", "page.md(6): the program above does not print this")]
    [InlineData("\n```fsharp\nlet x = 1\n```\n\n```fsharp\nlet y = z\n```\n", "page.md(7): FS0039")]
    [InlineData("```fsharp\nprintfn \"%d\" 2\n```\n\n```text\n3\n```\n", "page.md(6): the program above does not print this")]
    [InlineData("```c#\nint x = 1;\n```\n", "page.md(2): 'c#'")]
    public void Code_that_is_wrong_is_found(string page, string expected) =>
        Assert.Contains(expected, Assert.ThrowsAny<Exception>(() => Check("page.md", page)).Message, StringComparison.Ordinal);

    [Fact]
    public void Blocks_of_a_page_are_one_program_with_types_at_its_end() => Check("page.md", """
        ```csharp
        var two = new Two();
        record Two { public int Value => 2; }
        ```

        ```csharp
        using System.Globalization;
        Console.WriteLine((two.Value + 1).ToString(CultureInfo.InvariantCulture));
        ```

        ```text
        3
        ```

        ```fsharp
        let two = 2
        ```

        ```fsharp
        printfn "%d" (two + 2)
        ```

        ```text
        4
        ```
        """);

    public void Dispose()
    {
        Environment.CurrentDirectory = usualFolder;
        Directory.Delete(folder, recursive: true);
    }

    private static void Check(string page, string markdown)
    {
        IReadOnlyList<CodeBlock> blocks = CodeBlock.Of(markdown);
        foreach (CodeBlock block in blocks)
        {
            if (block.Language is not ("csharp" or "fsharp" or "text" or "json" or ""))
            {
                throw new InvalidOperationException(
                    $"{page}({block.Line}): '{block.Language}' is no language that is tried: csharp, fsharp, text, json, or none.");
            }
        }

        if (blocks.Any(b => b.Language == "csharp"))
        {
            Prints(page, blocks, "csharp", PageProgram.RunCSharp(page, blocks.Where(b => b.Language == "csharp")));
        }

        if (blocks.Any(b => b.Language == "fsharp"))
        {
            string output = PageProgram.RunFSharp(page, blocks.Where(b => b.Language == "fsharp"), PackedProjects.Libraries);
            Prints(page, blocks, "fsharp", output);
        }
    }

    /// <summary>Each text that follows code of a language is in what the program printed, in order.</summary>
    private static void Prints(string page, IReadOnlyList<CodeBlock> blocks, string language, string output)
    {
        string above = "";
        int printed = 0;
        foreach (CodeBlock block in blocks)
        {
            if (block.Language == "text" && above == language)
            {
                int at = output.IndexOf(block.Text, printed, StringComparison.Ordinal);
                printed = at >= 0 ? at + block.Text.Length : throw new InvalidOperationException(
                    $"{page}({block.Line}): the program above does not print this. It printed:\n{output[printed..]}");
            }
            else if (block.Language is "csharp" or "fsharp")
            {
                above = block.Language;
            }
        }
    }
}
