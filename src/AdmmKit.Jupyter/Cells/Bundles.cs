using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Cells;

/// <summary>The forms in which any value is shown.</summary>
internal static class Bundles
{
    // Enough to see what a list is; its own ToString or a table shows all of it.
    private const int MaxItems = 100;

    public static MimeBundle Of(object? value)
    {
        switch (value)
        {
            case MimeBundle bundle:
                return bundle;
            case IDisplayable displayable:
                return displayable.ToBundle();
            default:
                string text = TextOf(value, 0);
                return value is not null && ConventionFormatters.Format(value) is { Count: > 0 } forms
                    ? new MimeBundle(forms.ContainsKey(MimeTypes.Text) ? forms : new Dictionary<string, string>(forms) { [MimeTypes.Text] = text })
                    : new MimeBundle(new Dictionary<string, string> { [MimeTypes.Text] = text });
        }
    }

    public static MimeBundle OfText(string text, string mimeType) =>
        new(new Dictionary<string, string> { [MimeTypes.Text] = text, [mimeType] = text });

    private static string TextOf(object? value, int depth)
    {
        switch (value)
        {
            case null:
                return "<null>";
            case string text:
                return text;
            case IFormattable number:
                return number.ToString(null, CultureInfo.InvariantCulture);
            case IEnumerable items when depth < 3 && !OverridesToString(value.GetType()):
                return ListOf(items, depth);
            default:
                return value.ToString() ?? "";
        }
    }

    private static bool OverridesToString(Type type) =>
        type.GetMethod(nameof(ToString), Type.EmptyTypes)!.DeclaringType is { } declaring
        && declaring != typeof(object) && declaring.Namespace?.StartsWith("System", StringComparison.Ordinal) != true;

    private static string ListOf(IEnumerable items, int depth)
    {
        var text = new StringBuilder("[");
        int count = 0;
        foreach (object? item in items)
        {
            if (count == MaxItems)
            {
                text.Append(", ...");
                break;
            }

            text.Append(count++ == 0 ? "" : ", ").Append(TextOf(item, depth + 1));
        }

        return text.Append(']').ToString();
    }
}
