namespace AdmmKit.Jupyter.Sessions;

/// <summary>Text that a cell shows.</summary>
internal sealed record MarkdownPart(string Text);

/// <summary>A command, and the language of the code around it.</summary>
internal sealed record DirectivePart(Directive Directive, CellLanguage Language);

/// <summary>A cell taken apart: code of either language, text, and commands, in order.</summary>
internal static class CellSteps
{
    /// <summary>The steps of a cell: <see cref="CodePart"/>, <see cref="MarkdownPart"/> or <see cref="DirectivePart"/>.</summary>
    public static List<object> Of(CellSource cell, CellLanguage language)
    {
        var steps = new List<object>();
        string[] lines = cell.Text.Split('\n');
        (int start, bool isMarkdown) = (0, false);
        for (int i = 0; i < lines.Length; i++)
        {
            if (Directive.Parse(lines[i], i + 1) is not { } directive)
            {
                continue;
            }

            Finish(i);
            start = i + 1;
            isMarkdown = directive.Name == "#!markdown";
            if (directive.Language is { } chosen)
            {
                language = chosen;
            }
            else if (!isMarkdown)
            {
                steps.Add(new DirectivePart(directive, language));
            }
        }

        Finish(lines.Length);
        return steps;

        void Finish(int end)
        {
            string text = string.Join('\n', lines[start..end]);
            if (string.IsNullOrWhiteSpace(text))
            {
                return;
            }

            // Empty lines in place of what is before, so that compilers count lines as the author does.
            steps.Add(isMarkdown ? new MarkdownPart(text.Trim('\n')) : new CodePart(language, new string('\n', start) + text, cell));
        }
    }
}
