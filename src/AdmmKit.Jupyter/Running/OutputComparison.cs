using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AdmmKit.Jupyter.Files;

namespace AdmmKit.Jupyter.Running;

/// <summary>
/// Compares what a cell puts out with what it put out before: text, pages, pictures and figures token by token. Whole numbers
/// and words must be the same, numbers with a decimal point or an exponent within <see cref="Tolerance"/>. What went to standard error is left
/// out: it speaks of paths and of the machine.
/// </summary>
internal static partial class OutputComparison
{
    /// <summary>
    /// Relative. Other libraries of the system may round exponentials and logarithms the other way, in the 16th digit; a
    /// printed number of six digits does not change by it, except where it stands on the edge between two.
    /// </summary>
    public const double Tolerance = 1e-6;

    private const int Context = 40;

    /// <summary>The first difference in words; null where there is none.</summary>
    public static string? Difference(JsonArray before, JsonArray now)
    {
        List<(string Kind, string Text)> expected = PiecesOf(before), actual = PiecesOf(now);
        foreach (((string kind, string text), (string otherKind, string otherText)) in expected.Zip(actual))
        {
            if (kind != otherKind)
            {
                return $"{otherKind} in place of {kind}";
            }

            if (Difference(text, otherText) is { } difference)
            {
                return $"{kind}, {difference}";
            }
        }

        return expected.Count == actual.Count ? null
            : expected.Count > actual.Count ? $"no {expected[actual.Count].Kind} any more"
            : $"{actual[expected.Count].Kind} that was not there: {Excerpt(actual[expected.Count].Text, 0)}";
    }

    /// <summary>The first difference of two texts in words; null where there is none.</summary>
    public static string? Difference(string before, string now)
    {
        Match expected = Token().Match(before), actual = Token().Match(now);
        while (expected.Success && actual.Success && AreEqual(expected.Value, actual.Value))
        {
            expected = expected.NextMatch();
            actual = actual.NextMatch();
        }

        if (!expected.Success && !actual.Success)
        {
            return null;
        }

        int at = expected.Success ? expected.Index : before.Length;
        int line = before.AsSpan(0, at).Count('\n') + 1;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"line {line}: {Excerpt(now, actual.Success ? actual.Index : now.Length)} in place of {Excerpt(before, at)}");
    }

    private static bool AreEqual(string a, string b) =>
        a == b || (IsReal(a, b)
            && double.TryParse(a, NumberStyles.Float, CultureInfo.InvariantCulture, out double x)
            && double.TryParse(b, NumberStyles.Float, CultureInfo.InvariantCulture, out double y)
            && double.IsFinite(x) && double.IsFinite(y)
            && Math.Abs(x - y) <= Tolerance * Math.Max(Math.Abs(x), Math.Abs(y)));

    // Counts are the same or they are not; what is too large for a number is a word.
    private static bool IsReal(string a, string b) => a.AsSpan().ContainsAny('.', 'e', 'E') || b.AsSpan().ContainsAny('.', 'e', 'E');

    private static List<(string Kind, string Text)> PiecesOf(JsonArray outputs)
    {
        var pieces = new List<(string Kind, string Text)>();
        foreach (JsonNode? output in outputs)
        {
            string type = NotebookText.String(output?["output_type"]) ?? "";
            if (type == "stream" && NotebookText.String(output!["name"]) == "stdout")
            {
                string text = NotebookText.Joined(output["text"]);
                // A line that another thread writes to standard error in between does not make two of one.
                if (pieces is [.., ("stdout", var last)])
                {
                    pieces[^1] = ("stdout", last + text);
                }
                else
                {
                    pieces.Add(("stdout", text));
                }
            }
            else if (type == "error")
            {
                pieces.Add(("error", NotebookText.String(output!["evalue"]) ?? ""));
            }
            else if (output?["data"] is JsonObject data)
            {
                pieces.AddRange(data.OrderBy(d => d.Key, StringComparer.Ordinal)
                    .Select(d => (d.Key, d.Key.EndsWith("json", StringComparison.Ordinal) ? NotebookJson.Write(d.Value) : NotebookText.Joined(d.Value).TrimEnd('\n'))));
            }
        }

        return pieces;
    }

    private static string Excerpt(string text, int at)
    {
        int start = Math.Max(0, at - (Context / 2));
        string part = text[start..Math.Min(text.Length, at + Context)].Replace("\n", "\\n", StringComparison.Ordinal);
        return part.Length == 0 ? "nothing" : $"'{part}'";
    }

    [GeneratedRegex(@"(?<![\w.])[-+]?\d+(\.\d+)?([eE][-+]?\d+)?|\w+|\s+|.", RegexOptions.Singleline)]
    private static partial Regex Token();
}
