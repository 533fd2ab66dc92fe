using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Jupyter.Cells;

/// <summary>What every cell can call, by the names that .NET Interactive gave them.</summary>
[SuppressMessage("Style", "IDE1006:Naming Styles", Justification = "Names of .NET Interactive, so that its notebooks run here and ours there.")]
public static class CellFunctions
{
    /// <summary>Where the running cell's displays go; null between cells.</summary>
    internal static ICellOutput? Output { get; set; }

    /// <summary>What goes from one language to the other just now; for <c>#!share</c> alone.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public static object? Shared { get; set; }

    /// <summary>Shows a value in all forms that it has.</summary>
    /// <param name="value">The value.</param>
    /// <returns>A handle by which it can be replaced.</returns>
    public static DisplayedValue display(object? value)
    {
        var displayed = new DisplayedValue(value);
        Output?.Display(Bundles.Of(value), displayed.DisplayId);
        return displayed;
    }

    /// <summary>Text to be shown as a part of a page, as it is: <c>display(HTML("..."))</c>.</summary>
    /// <param name="content">The HTML; what comes from elsewhere has to be escaped by who writes it.</param>
    public static HtmlContent HTML(string content) => new(content ?? "");
}

/// <summary>Displays as extensions.</summary>
public static class DisplayExtensions
{
    /// <summary>Shows a value in all forms that it has.</summary>
    /// <param name="value">The value.</param>
    /// <returns>A handle by which it can be replaced.</returns>
    public static DisplayedValue Display(this object? value) => CellFunctions.display(value);

    /// <summary>Shows text as what its media type says.</summary>
    /// <param name="value">The text.</param>
    /// <param name="mimeType">The media type, such as <c>text/markdown</c>.</param>
    public static DisplayedValue DisplayAs(this string value, string mimeType)
    {
        ArgumentNullException.ThrowIfNull(value);
        ArgumentException.ThrowIfNullOrEmpty(mimeType);
        return CellFunctions.display(Bundles.OfText(value, mimeType));
    }
}
