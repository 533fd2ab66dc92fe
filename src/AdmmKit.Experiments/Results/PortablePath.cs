using System.Text.Json.Nodes;

namespace AdmmKit.Experiments.Results;

/// <summary>Takes the machine's own folders out of what is published.</summary>
internal static class PortablePath
{
    /// <summary>The command as a person would type it in the current folder.</summary>
    public static string CommandLine(string program, IEnumerable<string> arguments)
    {
        string name = Path.GetFileName(program);
        return string.Join(' ', arguments.Select(a => Quote(Argument(a))).Prepend(Quote(name)));
    }

    /// <summary>An absolute path relative to the current folder, or its last name where it lies elsewhere; other text unchanged.</summary>
    public static string Strip(string text)
    {
        if (!Path.IsPathFullyQualified(text))
        {
            return text;
        }

        string relative = Path.GetRelativePath(Environment.CurrentDirectory, text);
        bool below = !Path.IsPathFullyQualified(relative) && relative.Split('/', '\\')[0] != "..";
        return below ? relative : Path.GetFileName(Path.TrimEndingDirectorySeparator(text));
    }

    /// <summary>A name as part of a file's name: what some system would not take becomes a dash.</summary>
    public static string FileName(string name) =>
        string.Concat(name.Replace(", ", "-", StringComparison.Ordinal).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' ? c : '-'));

    /// <summary><see cref="Strip(string)"/> for every text inside a JSON value.</summary>
    public static JsonNode? Strip(JsonNode? node) => node switch
    {
        JsonObject o => new JsonObject(o.Select(p => KeyValuePair.Create(p.Key, Strip(p.Value)))),
        JsonArray a => new JsonArray([.. a.Select(Strip)]),
        JsonValue v when v.TryGetValue(out string? text) => JsonValue.Create(Strip(text)),
        _ => node?.DeepClone(),
    };

    // --data=/a/b has its path behind the equals sign.
    private static string Argument(string argument)
    {
        int at = argument.StartsWith('-') ? argument.IndexOf('=', StringComparison.Ordinal) : -1;
        return argument[..(at + 1)] + Strip(argument[(at + 1)..]);
    }

    private static string Quote(string argument) => argument.Length == 0 || argument.Any(c => char.IsWhiteSpace(c) || c is '"' or '\'')
        ? $"\"{argument.Replace("\"", "\\\"", StringComparison.Ordinal)}\""
        : argument;
}
