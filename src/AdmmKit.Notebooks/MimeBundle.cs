namespace AdmmKit.Notebooks;

/// <summary>Names of the media types that AdmmKit writes, the richest first: a viewer takes the first that it can show.</summary>
public static class MimeTypes
{
    /// <summary>A Plotly figure, {"data": [...], "layout": {...}}.</summary>
    public const string Plotly = "application/vnd.plotly.v1+json";

    /// <summary>A picture.</summary>
    public const string Svg = "image/svg+xml";

    /// <summary>A part of a page.</summary>
    public const string Html = "text/html";

    /// <summary>A table or text that GitHub and editors show.</summary>
    public const string Markdown = "text/markdown";

    /// <summary>What every terminal shows.</summary>
    public const string Text = "text/plain";
}

/// <summary>One thing to show, in several forms at once, so that every viewer takes the best that it can.</summary>
/// <param name="Data">
/// Content by media type. Content of a type that ends in "json" is a JSON document as text. Every bundle has
/// <see cref="MimeTypes.Text"/>.
/// </param>
public sealed record MimeBundle(IReadOnlyDictionary<string, string> Data)
{
    /// <summary>A bundle of plain text alone.</summary>
    /// <param name="text">The text.</param>
    public static MimeBundle OfText(string text) => new(new Dictionary<string, string> { [MimeTypes.Text] = text });
}

/// <summary>Can be shown in a notebook, a page and a terminal.</summary>
public interface IDisplayable
{
    /// <summary>All forms of it, complete and escaped: nothing in it runs that it did not write itself.</summary>
    MimeBundle ToBundle();
}
