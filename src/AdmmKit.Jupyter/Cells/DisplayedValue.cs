using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Cells;

/// <summary>Something that a cell displayed, whose content can be changed in place.</summary>
public sealed class DisplayedValue
{
    internal DisplayedValue(object? value) => Value = value;

    /// <summary>The name under which viewers know it.</summary>
    public string DisplayId { get; } = Guid.NewGuid().ToString();

    /// <summary>What is shown.</summary>
    public object? Value { get; private set; }

    /// <summary>Shows something else in its place.</summary>
    /// <param name="updatedValue">What.</param>
    public void Update(object? updatedValue)
    {
        Value = updatedValue;
        CellFunctions.Output?.Update(Bundles.Of(updatedValue), DisplayId);
    }
}

/// <summary>Text that is shown as a part of a page, as it is.</summary>
/// <param name="Content">The HTML.</param>
public sealed record HtmlContent(string Content) : IDisplayable
{
    /// <inheritdoc/>
    public MimeBundle ToBundle() => new(new Dictionary<string, string> { [MimeTypes.Html] = Content, [MimeTypes.Text] = Content });

    /// <inheritdoc/>
    public override string ToString() => Content;
}
