using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using Microsoft.CodeAnalysis;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>The documentation that lies beside an assembly, read when it is asked for.</summary>
/// <param name="assembly">The assembly's file.</param>
internal sealed partial class XmlDocs(string assembly) : DocumentationProvider
{
    private readonly string file = Path.ChangeExtension(assembly, ".xml");
    private Dictionary<string, XElement>? members;

    /// <summary>Summary, parameters and what comes back as plain text; empty where nothing is said.</summary>
    public static string Text(XElement? member)
    {
        if (member is null)
        {
            return "";
        }

        IEnumerable<string> lines =
            from part in member.Elements()
            let text = Flat(part)
            where text.Length > 0
            select part.Name.LocalName switch
            {
                "summary" => text,
                "param" or "typeparam" => $"{part.Attribute("name")?.Value}: {text}",
                "returns" => "Returns: " + text,
                "exception" => $"{Short(part.Attribute("cref")?.Value)}: {text}",
                _ => text,
            };
        return string.Join('\n', lines);
    }

    /// <summary>What is said of a member, by its name in documentation files.</summary>
    public XElement? Find(string id) => Members.GetValueOrDefault(id);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is XmlDocs other && other.file == file;

    /// <inheritdoc/>
    public override int GetHashCode() => file.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    protected override string GetDocumentationForSymbol(string documentationMemberID, CultureInfo preferredCulture, CancellationToken cancellationToken = default) =>
        Find(documentationMemberID)?.ToString() ?? "";

    private Dictionary<string, XElement> Members => members ??= Read();

    private Dictionary<string, XElement> Read()
    {
        try
        {
            return XDocument.Load(file).Descendants("member")
                .GroupBy(m => m.Attribute("name")?.Value ?? "", StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or XmlException)
        {
            // No documentation is no error.
            return [];
        }
    }

    private static string Flat(XElement part)
    {
        var words = part.DescendantNodes().Select(n => n switch
        {
            XText text => text.Value,
            XElement e => Short(e.Attribute("cref")?.Value) + e.Attribute("name")?.Value + e.Attribute("langword")?.Value,
            _ => "",
        });
        return Space().Replace(string.Concat(words), " ").Trim();
    }

    private static string Short(string? cref) => cref is null ? "" : cref[(cref.Split('(')[0].LastIndexOfAny(['.', ':']) + 1)..];

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
