using AdmmKit.Notebooks;

namespace AdmmKit.Experiments.Results;

/// <summary>A column of a <see cref="ComparisonTable"/>.</summary>
/// <param name="Quantity">What is measured, as in <see cref="ResultRow.Quantity"/>.</param>
/// <param name="Unit">Its unit.</param>
public sealed record ComparisonColumn(string Quantity, string Unit)
{
    /// <summary>Its name in words, with the unit.</summary>
    public string Heading => QuantityText.Heading(Quantity, Unit);
}

/// <summary>How a <see cref="ComparisonTable"/> is laid out.</summary>
public enum ComparisonLayout
{
    /// <summary>A line a row, a column a quantity: as the paper prints it.</summary>
    Wide,

    /// <summary>A line a quantity, a column a row: few models of which much is known.</summary>
    Turned,

    /// <summary>A line a value.</summary>
    Long,
}

/// <summary>Rows of results as a table for people, the paper's value beside ours with the status.</summary>
[TypeFormatterSource(typeof(TableForms))]
public sealed class ComparisonTable : IDisplayable
{
    /// <summary>More columns than this do not fit on a page.</summary>
    public const int MaxColumns = 8;

    /// <summary>As many are better than the long form, though one has to move sideways.</summary>
    public const int MostColumns = 12;

    private readonly Dictionary<(string Row, ComparisonColumn Column), ResultRow> cells = [];

    private ComparisonTable(IReadOnlyList<ResultRow> values, string title)
    {
        (Values, Title) = (values, title);
        Rows = [.. values.Select(v => v.Row).Distinct()];
        Columns = [.. values.Select(Column).Distinct()];
        foreach (ResultRow value in values)
        {
            cells.TryAdd((value.Row, Column(value)), value);
        }
    }

    /// <summary>What it is about; empty for nothing.</summary>
    public string Title { get; }

    /// <summary>All values, in the order given.</summary>
    public IReadOnlyList<ResultRow> Values { get; }

    /// <summary>The table's lines, in the order in which they come first.</summary>
    public IReadOnlyList<string> Rows { get; }

    /// <summary>The quantities, in the order in which they come first.</summary>
    public IReadOnlyList<ComparisonColumn> Columns { get; }

    /// <summary>
    /// How it is laid out: as the paper prints it where it has no more than <see cref="MaxColumns"/> quantities, turned where it has no
    /// more lines than that, else as the paper prints it up to <see cref="MostColumns"/>, else in the long form. A value that stands there
    /// twice is lost in none of them: it makes the form long.
    /// </summary>
    public ComparisonLayout Layout => cells.Count < Values.Count ? ComparisonLayout.Long
        : Columns.Count <= MaxColumns ? ComparisonLayout.Wide
        : Rows.Count <= MaxColumns ? ComparisonLayout.Turned
        : Columns.Count <= MostColumns ? ComparisonLayout.Wide
        : ComparisonLayout.Long;

    /// <summary>The value of a row, or null where there is none.</summary>
    /// <param name="row">The table's line.</param>
    /// <param name="column">The quantity.</param>
    public ResultRow? this[string row, ComparisonColumn column] => cells.GetValueOrDefault((row, column));

    /// <summary>The table of some rows.</summary>
    /// <param name="rows">The rows, as <see cref="ResultRows"/> reads them.</param>
    /// <param name="title">What it is about.</param>
    public static ComparisonTable Of(IEnumerable<ResultRow> rows, string title = "")
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(title);
        return new ComparisonTable([.. rows], title);
    }

    /// <summary>The same table with some quantities alone, in the order named.</summary>
    /// <param name="quantities">Their names, as in <see cref="ResultRow.Quantity"/>.</param>
    /// <exception cref="AdmmKitException">The table has no such quantity.</exception>
    public ComparisonTable Only(params string[] quantities)
    {
        ArgumentNullException.ThrowIfNull(quantities);
        string[] known = [.. Columns.Select(c => c.Quantity).Distinct()];
        if (quantities.FirstOrDefault(q => !known.Contains(q)) is { } unknown)
        {
            throw new AdmmKitException(Names.Unknown("quantity", unknown, known));
        }

        return new ComparisonTable([.. quantities.SelectMany(q => Values.Where(v => v.Quantity == q))], Title);
    }

    /// <summary>The same table with some of its values alone.</summary>
    /// <param name="keep">Which.</param>
    public ComparisonTable Where(Func<ResultRow, bool> keep) => new([.. Values.Where(keep)], Title);

    /// <summary>The table, in its <see cref="Layout"/>, as notebooks and terminals show it.</summary>
    public Table ToTable() => ToTable(Layout);

    /// <summary>The table in a layout of choice.</summary>
    /// <param name="layout">The layout.</param>
    public Table ToTable(ComparisonLayout layout)
    {
        TableCell Cell(string row, ComparisonColumn column) =>
            this[row, column] is { } value ? new TableCell(QuantityText.Cell(value), Style(value)) : new TableCell(null);
        TableCell Value(ResultRow value, string? text) => new(text, Style(value));
        (string[] headers, IEnumerable<object?[]> rows) = layout switch
        {
            ComparisonLayout.Wide => (
                (string[])["row", .. Columns.Select(c => c.Heading)], Rows.Select(r => (object?[])[r, .. Columns.Select(c => Cell(r, c))])),
            ComparisonLayout.Turned => (
                ["quantity", .. Rows], Columns.Select(c => (object?[])[c.Heading, .. Rows.Select(r => Cell(r, c))])),
            _ => (
                ["row", "quantity", "ours", "paper", "status"],
                Values.Select(v => (object?[])[
                    v.Row, QuantityText.Heading(v.Quantity, v.Unit), Value(v, QuantityText.Measured(v)),
                    v.Paper is { } paper ? QuantityText.Paper(paper, v.Unit) : null, Value(v, v.Status)])),
        };
        return new Table(Title.Length > 0 ? Title : null, headers, [.. rows])
        {
            Note = layout != ComparisonLayout.Long && Values.Any(v => v.Paper is not null)
                ? "Ours ± half the width of its 95 % interval (the paper's) status." : null,
        };
    }

    /// <inheritdoc/>
    public MimeBundle ToBundle() => ToTable().ToBundle();

    /// <summary>The table as text.</summary>
    public override string ToString() => ToTable().ToText();

    private static CellStyle Style(ResultRow value) => value.Status switch
    {
        ResultStatus.Matched or ResultStatus.Beaten => CellStyle.Good,
        ResultStatus.Trend => CellStyle.Notice,
        ResultStatus.Missed => CellStyle.Bad,
        _ => value.Ours is null ? CellStyle.Muted : CellStyle.Plain,
    };

    private static ComparisonColumn Column(ResultRow value) => new(value.Quantity, value.Unit);
}
