using Markdig;
using Markdig.Renderers.Html;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace AdmmKit.Experiments.Report;

/// <summary>Notes in Markdown as part of a page. HTML in them is shown as text, pictures are named, and links lead to the web alone.</summary>
internal static class NotesHtml
{
    private const int DeepestHeading = 6;

    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().UsePipeTables().DisableHtml().Build();

    /// <summary>Renders notes below a heading of the second level; a first heading, which is the title of the folder, is left out.</summary>
    /// <param name="markdown">The notes.</param>
    public static string Render(string markdown)
    {
        MarkdownDocument document;
        try
        {
            document = Markdown.Parse(markdown, Pipeline);
        }
        catch (ArgumentException)
        {
            // Nested deeper than any notes are.
            return $"<pre>{HtmlReport.Escape(markdown)}</pre>\n";
        }

        if (document.FirstOrDefault() is HeadingBlock { Level: 1 } title)
        {
            document.Remove(title);
        }

        foreach (HeadingBlock heading in document.Descendants<HeadingBlock>())
        {
            heading.Level = Math.Min(heading.Level + 2, DeepestHeading);
        }

        foreach (LinkInline link in document.Descendants<LinkInline>().ToArray())
        {
            if (link.IsImage || !IsWeb(link.GetDynamicUrl?.Invoke() ?? link.Url))
            {
                Unlink(link);
            }
        }

        foreach (AutolinkInline link in document.Descendants<AutolinkInline>().ToArray())
        {
            if (link.IsEmail || !IsWeb(link.Url))
            {
                link.ReplaceBy(new LiteralInline(link.Url));
            }
        }

        return document.ToHtml(Pipeline);
    }

    private static bool IsWeb(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) && (parsed.Scheme == Uri.UriSchemeHttps || parsed.Scheme == Uri.UriSchemeHttp);

    // What it says stays, without where it leads.
    private static void Unlink(LinkInline link)
    {
        link.MoveChildrenAfter(link);
        link.Remove();
    }
}
