namespace AdmmKit.Jupyter.Sessions;

/// <summary>The code around a place in a cell, with everything else blanked, so that the place is the same in it.</summary>
/// <param name="Language">The language there.</param>
/// <param name="Code">The code; as long as the cell.</param>
/// <param name="IsDirective">Whether the place is in a command to the session, which is no code.</param>
internal sealed record CodeAt(CellLanguage Language, string Code, bool IsDirective)
{
    /// <summary>Where the name before or around a place begins.</summary>
    public static int StartOfName(string code, int position)
    {
        int start = position;
        while (start > 0 && (char.IsLetterOrDigit(code[start - 1]) || code[start - 1] == '_'))
        {
            start--;
        }

        return start;
    }

    /// <summary>Finds it.</summary>
    /// <param name="cell">The whole cell.</param>
    /// <param name="position">The place, within the cell.</param>
    /// <param name="language">The cell's language, where no command says otherwise.</param>
    public static CodeAt Find(string cell, int position, CellLanguage language)
    {
        char[] code = cell.ToCharArray();
        (int line, int start, bool isText) = (0, 0, false);
        // First the part that the place is in: from the last directive before it to the next behind it.
        int from = 0, to = cell.Length;
        while (start <= cell.Length)
        {
            int end = cell.IndexOf('\n', start);
            end = end < 0 ? cell.Length : end;
            if (Directive.Parse(cell[start..end], ++line) is { } directive)
            {
                if (start > position)
                {
                    to = start;
                    break;
                }

                if (position <= end)
                {
                    return new CodeAt(language, new string(' ', cell.Length), true);
                }

                from = Math.Min(end + 1, cell.Length);
                isText = directive.Name == "#!markdown";
                language = directive.Language ?? language;
            }

            start = end + 1;
        }

        for (int i = 0; i < code.Length; i++)
        {
            if ((i < from || i >= to || isText) && code[i] is not ('\n' or '\r'))
            {
                code[i] = ' ';
            }
        }

        return new CodeAt(language, new string(code), isText);
    }
}
