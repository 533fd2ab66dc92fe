using System.Text;

namespace AdmmKit.Notebooks.Charts;

/// <summary>Text in a chart: how much room it takes, where it breaks, and how it is written in XML.</summary>
internal static class ChartText
{
    /// <summary>
    /// Width for the widest of the usual sans-serif fonts: the reader's font is not known, and a label must never be cut.
    /// </summary>
    public static double Width(string text, double size) => text.EnumerateRunes().Sum(r => r.Value switch
    {
        'i' or 'j' or 'l' or '.' or ',' or ':' or ';' or '|' or '!' or '\'' or ' ' or 'I' => 0.38,
        'm' or 'w' or 'M' or 'W' or '@' or '%' => 1.0,
        '=' or '<' or '>' or '+' or '~' or '−' or '±' or '×' => 0.86,
        >= 0x1100 => 1.1,
        _ => Rune.IsUpper(r) ? 0.78 : 0.65,
    }) * size;

    /// <summary>Breaks text into lines that fit, at spaces where there are any.</summary>
    public static IReadOnlyList<string> Wrap(string text, double size, double width)
    {
        var lines = new List<string>();
        var line = new StringBuilder();
        foreach (string word in text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && Width($"{line} {word}", size) > width)
            {
                lines.Add(line.ToString());
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "");
            foreach (Rune rune in word.EnumerateRunes())
            {
                if (line.Length > 0 && Width(line.ToString() + rune, size) > width)
                {
                    lines.Add(line.ToString());
                    line.Clear();
                }

                line.Append(rune.ToString());
            }
        }

        if (line.Length > 0)
        {
            lines.Add(line.ToString());
        }

        return lines;
    }

    /// <summary>Writes text so that XML reads it as text; what XML cannot hold becomes a replacement character.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            escaped.Append(rune.Value switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                < 0x20 and not '\t' and not '\n' or 0xFFFE or 0xFFFF => "\uFFFD",
                _ => rune.ToString(),
            });
        }

        return escaped.ToString();
    }
}
