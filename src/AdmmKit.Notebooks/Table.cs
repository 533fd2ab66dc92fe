using System.Text;
using AdmmKit.Storage;

namespace AdmmKit.Notebooks;

/// <summary>How a cell of a table is set off; its text says the same, so that nothing depends on colour alone.</summary>
public enum CellStyle
{
    /// <summary>Not at all.</summary>
    Plain,

    /// <summary>Bold.</summary>
    Strong,

    /// <summary>On green: as good as it should be, or better.</summary>
    Good,

    /// <summary>On yellow: to be read with care.</summary>
    Notice,

    /// <summary>On red: missed.</summary>
    Bad,

    /// <summary>Pale: beside the point.</summary>
    Muted,
}

/// <summary>A cell of a table that is set off.</summary>
/// <param name="Value">Its content: a number, text, or null for an empty cell.</param>
/// <param name="Style">How it is set off.</param>
public sealed record TableCell(object? Value, CellStyle Style = CellStyle.Plain);

/// <summary>
/// A table that is shown as HTML, Markdown and aligned text, and written as CSV. Numbers stand to the right with a few
/// digits; in CSV they have all.
/// </summary>
[TypeFormatterSource(typeof(TableForms))]
public sealed record Table : IDisplayable
{
    /// <summary>The most rows that are shown; CSV has all.</summary>
    public const int ShownRows = 1000;

    /// <summary>A table of given cells.</summary>
    /// <param name="title">What it shows, or null.</param>
    /// <param name="headers">Names of the columns.</param>
    /// <param name="rows">Rows from top to bottom, one value a column: numbers, text, <see cref="TableCell"/>s, null for nothing.</param>
    /// <exception cref="AdmmKitException">A row has not one value a column.</exception>
    public Table(string? title, IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<object?>> rows)
    {
        ArgumentNullException.ThrowIfNull(headers);
        ArgumentNullException.ThrowIfNull(rows);
        foreach ((int index, IReadOnlyList<object?> row) in rows.Index())
        {
            if (row.Count != headers.Count)
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"Row {index + 1} of the table '{title}' has {row.Count} cells for {headers.Count} columns: ")
                    + "give one each, null where there is none.");
            }
        }

        (Title, Headers) = (title, headers);
        Rows = [.. rows.Select(r => (IReadOnlyList<TableCell>)[.. r.Select(c => c as TableCell ?? new TableCell(c))])];
    }

    /// <summary>What it shows, or null.</summary>
    public string? Title { get; init; }

    /// <summary>A line below the table, or null.</summary>
    public string? Note { get; init; }

    /// <summary>Names of the columns.</summary>
    public IReadOnlyList<string> Headers { get; }

    /// <summary>Rows from top to bottom, one cell a column.</summary>
    public IReadOnlyList<IReadOnlyList<TableCell>> Rows { get; }

    /// <summary>
    /// A table of records: one row each, one column a readable public property (or field of a tuple), in the order of their
    /// declaration. Values that have no properties make one column, "value".
    /// </summary>
    /// <typeparam name="T">The record.</typeparam>
    /// <param name="records">The records; all of them are read.</param>
    /// <param name="title">What it shows, or null.</param>
    /// <param name="columns">Properties to show, in this order; none: all.</param>
    /// <exception cref="AdmmKitException">There is no such property.</exception>
    public static Table Of<T>(IEnumerable<T> records, string? title = null, params string[] columns)
    {
        ArgumentNullException.ThrowIfNull(records);
        ArgumentNullException.ThrowIfNull(columns);
        return TableColumns.Table([.. records.Cast<object?>()], title, columns, typeof(T));
    }

    /// <summary>The table as part of a page: a figure with a small style of its own that reads in light and dark.</summary>
    public string ToHtml() => new TableWriter(this).Html();

    /// <summary>The table in GitHub's Markdown.</summary>
    public string ToMarkdown() => new TableWriter(this).Markdown();

    /// <summary>The table as text in aligned columns.</summary>
    public string ToText() => new TableWriter(this).Text();

    /// <summary>All rows as comma-separated values under a line of headers; numbers with all digits, nothing for null and NaN.</summary>
    public string ToCsv() => TableWriter.Csv(this);

    /// <summary>Writes the table as CSV.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="AdmmKitException">The file cannot be written.</exception>
    public void SaveCsv(string path) => AtomicFile.Write(path, s => s.Write(Encoding.UTF8.GetBytes(ToCsv())));

    /// <inheritdoc/>
    public MimeBundle ToBundle() => new(new Dictionary<string, string>
    {
        [MimeTypes.Html] = ToHtml(),
        [MimeTypes.Markdown] = ToMarkdown(),
        [MimeTypes.Text] = ToText(),
    });

    /// <summary>The table as text.</summary>
    public override string ToString() => ToText();
}
