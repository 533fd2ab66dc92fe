namespace AdmmKit.Notebooks;

/// <summary>
/// Tells .NET Interactive in which forms a type shows. It finds this attribute by its name and reads its properties by theirs
/// (docs/formatting.md of its repository), so no package of it is needed.
/// </summary>
/// <param name="formatterSourceType">An <see cref="InteractiveForms"/>.</param>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class TypeFormatterSourceAttribute(Type formatterSourceType) : Attribute
{
    public Type FormatterSourceType { get; } = formatterSourceType;

    public string[] PreferredMimeTypes => ((InteractiveForms)Activator.CreateInstance(FormatterSourceType)!).MimeTypes;
}

/// <summary>The forms of a kind of <see cref="IDisplayable"/>: each of that kind has all of them.</summary>
internal abstract class InteractiveForms(params string[] mimeTypes)
{
    public string[] MimeTypes { get; } = mimeTypes;

    /// <summary>One formatter a form; found by its name.</summary>
    public IEnumerable<object> CreateTypeFormatters() => MimeTypes.Select(m => new InteractiveFormatter(m));
}

/// <summary>Writes one form of an <see cref="IDisplayable"/>; its members are found by their names.</summary>
internal sealed class InteractiveFormatter(string mimeType)
{
    public string MimeType { get; } = mimeType;

    public bool Format(object instance, TextWriter writer)
    {
        bool has = Displays.BundleOf(instance).Data.TryGetValue(MimeType, out string? text);
        writer.Write(text);
        return has;
    }
}

/// <summary>The forms of a chart.</summary>
internal sealed class ChartForms() : InteractiveForms(
    Notebooks.MimeTypes.Html, Notebooks.MimeTypes.Svg, Notebooks.MimeTypes.Plotly, Notebooks.MimeTypes.Text);

/// <summary>The forms of a table.</summary>
internal sealed class TableForms() : InteractiveForms(Notebooks.MimeTypes.Html, Notebooks.MimeTypes.Markdown, Notebooks.MimeTypes.Text);

/// <summary>The forms of a progress.</summary>
internal sealed class ProgressForms() : InteractiveForms(Notebooks.MimeTypes.Html, Notebooks.MimeTypes.Text);
