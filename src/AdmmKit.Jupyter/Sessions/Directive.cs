using System.Text.RegularExpressions;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>A line of a cell that is no code but a command to the session.</summary>
/// <param name="Name">With its mark, such as <c>#!share</c> or <c>#r</c>.</param>
/// <param name="Words">What follows, quotes removed.</param>
/// <param name="Line">The line in the cell, from 1.</param>
internal sealed partial record Directive(string Name, IReadOnlyList<string> Words, int Line)
{
    /// <summary>The commands that AdmmKit knows, all of them known to .NET Interactive by the same name.</summary>
    public static readonly IReadOnlyList<string> Known =
        ["#r", "#load", "#!csharp", "#!c#", "#!C#", "#!fsharp", "#!f#", "#!F#", "#!markdown", "#!import", "#!share", "#!time"];

    /// <summary>The directive that a line is, or null. It begins the line, as in .NET Interactive.</summary>
    public static Directive? Parse(string line, int number)
    {
        Match match = Start().Match(line);
        return match.Success
            ? new Directive(match.Groups["name"].Value, [.. Word().Matches(match.Groups["rest"].Value).Select(Unquoted)], number)
            : null;
    }

    /// <summary>The language that a directive chooses, or null.</summary>
    public CellLanguage? Language => Name switch
    {
        "#!csharp" or "#!c#" or "#!C#" => CellLanguage.CSharp,
        "#!fsharp" or "#!f#" or "#!F#" => CellLanguage.FSharp,
        _ => null,
    };

    /// <summary>The value behind an option such as <c>--from</c>, or null.</summary>
    public string? Option(string name)
    {
        int at = Words.ToList().IndexOf(name);
        return at >= 0 && at + 1 < Words.Count ? Words[at + 1] : null;
    }

    /// <summary>The first word that is neither an option nor the value of one.</summary>
    public string? Argument
    {
        get
        {
            for (int i = 0; i < Words.Count; i++)
            {
                if (!Words[i].StartsWith("--", StringComparison.Ordinal))
                {
                    return Words[i];
                }

                i++;
            }

            return null;
        }
    }

    private static string Unquoted(Match word) => word.Groups["quoted"].Success ? word.Groups["quoted"].Value : word.Value;

    [GeneratedRegex(@"^(?<name>#!\S*|#(r|load|i)(?=\s|""|$))(?<rest>.*)$")]
    private static partial Regex Start();

    [GeneratedRegex(@"@?""(?<quoted>[^""]*)""|\S+")]
    private static partial Regex Word();
}
