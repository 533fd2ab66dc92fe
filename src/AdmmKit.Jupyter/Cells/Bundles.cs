using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Cells;

/// <summary>The forms in which any value is shown: those of its own formatters, or else those that AdmmKit has for it.</summary>
internal static class Bundles
{
    public static MimeBundle Of(object? value)
    {
        MimeBundle usual = Displays.BundleOf(value);
        if (value is null or MimeBundle or IDisplayable || ConventionFormatters.Format(value) is not { Count: > 0 } own)
        {
            return usual;
        }

        own.TryAdd(MimeTypes.Text, usual.Data[MimeTypes.Text]);
        return new MimeBundle(own);
    }

    public static MimeBundle OfText(string text, string mimeType) =>
        new(new Dictionary<string, string> { [MimeTypes.Text] = text, [mimeType] = text });
}
