using Markdig;
using Markdig.Syntax;

namespace AdmmKit.Packages.Tests.Docs;

/// <summary>A block of code in a page.</summary>
/// <param name="Language">What stands behind its fence: csharp, fsharp, text (what the program above it prints), or another.</param>
/// <param name="Line">The line of its first line of code, from 1.</param>
/// <param name="Text">The code.</param>
internal sealed record CodeBlock(string Language, int Line, string Text)
{
    /// <summary>The blocks of a page in order.</summary>
    public static IReadOnlyList<CodeBlock> Of(string markdown) =>
    [
        .. from block in Markdown.Parse(markdown.ReplaceLineEndings("\n")).Descendants<FencedCodeBlock>()
           select new CodeBlock(block.Info ?? "", block.Line + 2, block.Lines.ToString() + "\n"),
    ];
}
