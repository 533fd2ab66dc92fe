using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace AdmmKit.Experiments.Report;

/// <summary>
/// A picture from a file, made fit to stand in a page among others: only shapes, text and colours are kept, its identifiers and its
/// style rules hold in it alone, and nothing in it runs, links or loads.
/// </summary>
internal static class SafeSvg
{
    private const string Svg = "http://www.w3.org/2000/svg";

    /// <summary>Of a picture's characters; the largest that AdmmKit draws has a hundredth of it.</summary>
    public const int MaxLength = 4_000_000;

    private const int MaxDepth = 32;

    private static readonly HashSet<string> Elements = new(StringComparer.Ordinal)
    {
        "svg", "g", "defs", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
        "clipPath", "linearGradient", "radialGradient", "stop", "pattern", "marker", "style",
    };

    private static readonly HashSet<string> Attributes = new(StringComparer.Ordinal)
    {
        "id", "class", "d", "x", "y", "dx", "dy", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "width", "height", "points",
        "viewBox", "preserveAspectRatio", "transform", "offset", "role", "aria-label", "clipPathUnits", "gradientUnits", "gradientTransform",
        "patternUnits", "patternTransform", "markerWidth", "markerHeight", "markerUnits", "orient", "refX", "refY", "rotate", "textLength",
        "lengthAdjust",
    };

    private static readonly HashSet<string> Looks = new(StringComparer.Ordinal)
    {
        "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
        "opacity", "paint-order", "clip-path", "clip-rule", "stop-color", "stop-opacity", "marker-start", "marker-mid", "marker-end",
        "shape-rendering", "text-anchor", "dominant-baseline", "font-family", "font-size", "font-weight", "font-style", "letter-spacing",
    };

    /// <summary>Whether a style may set a property: what shapes and text look like, and never where on the page they are.</summary>
    public static bool IsLook(string property) => property == "color" || Looks.Contains(property);

    /// <summary>Reads and cleans a picture.</summary>
    /// <param name="text">The file's content.</param>
    /// <param name="id">The id of the element of the page that it is put into, and into no other: letters, digits and hyphens.</param>
    /// <returns>The <c>svg</c> element.</returns>
    /// <exception cref="BadFileException">It is not a picture, or too large, or has a document type.</exception>
    public static string Clean(string text, string id)
    {
        if (text.Length > MaxLength)
        {
            throw new BadFileException(FormattableString.Invariant($"it has {text.Length} characters, more than the {MaxLength} of a picture"));
        }

        XElement root = Parse(text);
        if (root.Name != XName.Get("svg", Svg))
        {
            throw new BadFileException($"it is no SVG picture: its first element is '{root.Name.LocalName}'");
        }

        XElement clean = Copy(root, id, 0);
        clean.SetAttributeValue("role", "img");
        return clean.ToString(SaveOptions.DisableFormatting);
    }

    private static XElement Parse(string text)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            MaxCharactersInDocument = MaxLength,
        };
        try
        {
            // A tree of any depth would exhaust the stack of whoever walks it.
            using (XmlReader depth = XmlReader.Create(new StringReader(text), settings))
            {
                while (depth.Read())
                {
                    if (depth.Depth > MaxDepth)
                    {
                        throw new BadFileException(FormattableString.Invariant($"its elements are nested deeper than {MaxDepth}"));
                    }
                }
            }

            using XmlReader reader = XmlReader.Create(new StringReader(text), settings);
            return XElement.Load(reader);
        }
        catch (XmlException e)
        {
            throw new BadFileException($"it is no picture that can be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    private static XElement Copy(XElement from, string id, int depth)
    {
        var to = new XElement(from.Name);
        foreach (XAttribute attribute in from.Attributes())
        {
            if (attribute.Name.Namespace == XNamespace.None && (Attributes.Contains(attribute.Name.LocalName) || Looks.Contains(attribute.Name.LocalName))
                && Value(attribute, id) is { } value)
            {
                to.SetAttributeValue(attribute.Name, value);
            }
        }

        foreach (XNode node in from.Nodes())
        {
            if (node is XElement { Name.NamespaceName: Svg } child && Elements.Contains(child.Name.LocalName))
            {
                if (child.Name.LocalName == "style")
                {
                    to.Add(new XElement(child.Name, ScopedStyle.Rewrite(child.Value, id)));
                }
                else
                {
                    to.Add(Copy(child, id, depth + 1));
                }
            }
            else if (node is XText words && from.Name.LocalName is "text" or "tspan" or "title" or "desc")
            {
                to.Add(new XText(words.Value));
            }
        }

        return to;
    }

    private static string? Value(XAttribute attribute, string id)
    {
        string value = attribute.Value.Trim();
        if (attribute.Name.LocalName == "id")
        {
            return IsName(value) ? $"{id}-{value}" : null;
        }

        return Reference(value, id);
    }

    /// <summary>A value whose references, if any, are to the picture itself; null where they are not.</summary>
    internal static string? Reference(string value, string id)
    {
        var text = new StringBuilder();
        int at = 0;
        while (value.IndexOf("url(", at, StringComparison.OrdinalIgnoreCase) is var start and >= 0)
        {
            int end = value.IndexOf(')', start);
            string name = end < 0 ? "" : value[(start + 4)..end].Trim().Trim('"', '\'');
            if (!name.StartsWith('#') || !IsName(name[1..]))
            {
                return null;
            }

            text.Append(value, at, start - at).Append("url(#").Append(id).Append('-').Append(name, 1, name.Length - 1).Append(')');
            at = end + 1;
        }

        return text.Append(value, at, value.Length - at).ToString();
    }

    private static bool IsName(string name) => name.Length is > 0 and < 200 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
