using System.Text;

namespace AdmmKit.Experiments.Report;

/// <summary>
/// The style rules of one picture, made to hold in it alone. Simple rules and those for a dark page are known; whatever else a style
/// sheet may say, above all what loads something, is left out.
/// </summary>
internal static class ScopedStyle
{
    private const string Dark = "(prefers-color-scheme: dark)";

    /// <summary>Rewrites a style sheet.</summary>
    /// <param name="css">The style sheet.</param>
    /// <param name="id">The id of the element around the picture, in which it is to hold.</param>
    public static string Rewrite(string css, string id)
    {
        var text = new StringBuilder();
        Rules(WithoutComments(css), id, text, nested: false);
        return text.ToString();
    }

    private static void Rules(string css, string id, StringBuilder text, bool nested)
    {
        int at = 0;
        while (css.IndexOf('{', at) is var open and >= 0)
        {
            int close = Closing(css, open);
            string head = css[at..open].Trim(), body = css[(open + 1)..close];
            // A statement such as "@import ...;" before a rule goes, and the rule with it where it is not clear which is which.
            if (!nested && IsDark(head))
            {
                // Printed pages are light.
                text.Append("@media screen and ").Append(Dark).Append('{');
                Rules(body, id, text, nested: true);
                text.Append('}');
            }
            else if (IsSelector(head) && !body.Contains('{', StringComparison.Ordinal))
            {
                text.Append(string.Join(',', head.Split(',').Select(s => $"#{id} {s.Trim()}"))).Append('{').Append(Declarations(body, id)).Append('}');
            }

            at = Math.Min(close + 1, css.Length);
        }
    }

    private static string Declarations(string body, string id) => string.Join(';', body.Split(';')
        .Select(d => d.Trim())
        .Where(d => SafeSvg.IsLook(d.Split(':')[0].TrimEnd()) && d.All(c => char.IsAsciiLetterOrDigit(c) || " -_:#.,%()'\"\t\r\n".Contains(c, StringComparison.Ordinal)))
        .Select(d => SafeSvg.Reference(d, id))
        .OfType<string>());

    private static bool IsDark(string head) =>
        head.StartsWith("@media", StringComparison.Ordinal) && head.EndsWith(Dark, StringComparison.Ordinal) && !head.Contains(';', StringComparison.Ordinal);

    private static bool IsSelector(string head) =>
        head.Length > 0 && head.All(c => char.IsAsciiLetterOrDigit(c) || " .,-_>:()*\t\r\n".Contains(c, StringComparison.Ordinal));

    private static int Closing(string css, int open)
    {
        int depth = 0;
        for (int i = open; i < css.Length; i++)
        {
            depth += css[i] switch { '{' => 1, '}' => -1, _ => 0 };
            if (depth == 0)
            {
                return i;
            }
        }

        return css.Length;
    }

    private static string WithoutComments(string css)
    {
        var text = new StringBuilder();
        int at = 0;
        while (css.IndexOf("/*", at, StringComparison.Ordinal) is var start and >= 0)
        {
            text.Append(css, at, start - at);
            int end = css.IndexOf("*/", start + 2, StringComparison.Ordinal);
            at = end < 0 ? css.Length : end + 2;
        }

        return text.Append(css, at, css.Length - at).ToString();
    }
}
