using System.Collections;
using System.Globalization;
using System.Reflection;

namespace AdmmKit.Jupyter.Cells;

/// <summary>
/// Formatters that a type brings along by .NET Interactive's convention of names: an attribute
/// <c>TypeFormatterSourceAttribute</c> with a <c>FormatterSourceType</c>, whose <c>CreateTypeFormatters</c> gives objects with
/// a <c>MimeType</c> and a method <c>Format(object, TextWriter)</c>. No package has to be referenced on either side.
/// </summary>
internal static class ConventionFormatters
{
    /// <summary>What the formatters of a value's type write, by media type; null where the type has none.</summary>
    public static Dictionary<string, string>? Format(object value)
    {
        Attribute? source = value.GetType().GetCustomAttributes(inherit: true).OfType<Attribute>()
            .FirstOrDefault(a => a.GetType().Name == "TypeFormatterSourceAttribute");
        if (source?.GetType().GetProperty("FormatterSourceType")?.GetValue(source) is not Type type
            || Activator.CreateInstance(type, nonPublic: true) is not { } formatters
            || Method(type, "CreateTypeFormatters")?.Invoke(formatters, null) is not IEnumerable all)
        {
            return null;
        }

        var forms = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (object? formatter in all)
        {
            if (formatter?.GetType().GetProperty("MimeType", Any)?.GetValue(formatter) is not string mimeType)
            {
                continue;
            }

            using var writer = new StringWriter(CultureInfo.InvariantCulture);
            if (Method(formatter.GetType(), "Format")?.Invoke(formatter, [value, writer]) is true)
            {
                forms[mimeType] = writer.ToString();
            }
        }

        return forms;
    }

    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    private static MethodInfo? Method(Type type, string name) => type.GetMethods(Any).FirstOrDefault(m => m.Name == name);
}
