using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace AdmmKit.Packages.Tests.Docs;

/// <summary>Links from page to page lead to a file, and to a heading of it where they name one.</summary>
public class LinkTests
{
    private static readonly MarkdownPipeline Pipeline =
        new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).Build();

    public static TheoryData<string> Pages =>
    [
        .. new[] { "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "notebooks/README.md", "src/integrations/README.md" }
            .Concat(Directory.EnumerateFiles(Path.Combine(Checkout.Root, "docs"), "*.md", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(Checkout.Root, f).Replace('\\', '/')))
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Links_lead_somewhere(string page)
    {
        string path = Path.Combine(Checkout.Root, page);
        Assert.Empty(Broken(path, File.ReadAllText(path)));
    }

    [Theory]
    [InlineData("[a](docs/nothing.md)", "docs/nothing.md")]
    [InlineData("[a](docs/platforms.md#nothing)", "docs/platforms.md#nothing")]
    [InlineData("# One\n\n[a](#two)", "#two")]
    [InlineData("| a |\n|---|\n| [a](docs/nothing.md) |", "docs/nothing.md")]
    public void A_link_that_leads_nowhere_is_found(string text, string link) =>
        Assert.Equal([link], Broken(Path.Combine(Checkout.Root, "README.md"), text));

    [Fact]
    public void Other_links_are_none_of_its_business() => Assert.Empty(Broken(
        Path.Combine(Checkout.Root, "README.md"),
        "# One: `two`\n\n[a](docs/platforms.md#break-even) [b](#one-two) [c](https://doi.org/10.1145/3297858.3304076) [d](docs)"));

    private static IEnumerable<string> Broken(string page, string text)
    {
        foreach (LinkInline link in Markdown.Parse(text, Pipeline).Descendants<LinkInline>())
        {
            string[] parts = (link.Url ?? "").Split('#', 2);
            if (Uri.IsWellFormedUriString(link.Url, UriKind.Absolute))
            {
                continue;
            }

            string target = parts[0].Length == 0 ? page : Path.GetFullPath(parts[0], Path.GetDirectoryName(page)!);
            bool leads = Path.Exists(target)
                && (parts.Length == 1 || Headings(target == page ? text : File.ReadAllText(target)).Contains(parts[1]));
            if (!leads)
            {
                yield return link.Url!;
            }
        }
    }

    private static IEnumerable<string?> Headings(string text) =>
        Markdown.Parse(text, Pipeline).Descendants<HeadingBlock>().Select(h => h.TryGetAttributes()?.Id);
}
