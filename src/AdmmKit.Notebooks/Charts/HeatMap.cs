using AdmmKit.Networks;

namespace AdmmKit.Notebooks.Charts;

/// <summary>
/// A matrix as coloured cells: the weights of a layer, a mask, a table of measurements. A large one is pooled: a cell is then
/// the mean of neighbouring values, which the picture says.
/// </summary>
/// <param name="Title">The title.</param>
/// <param name="Rows">Rows of the matrix, at least 1.</param>
/// <param name="Columns">Columns of the matrix, at least 1.</param>
/// <param name="Values">The values, row by row. One that is not a finite number leaves its cell out.</param>
[TypeFormatterSource(typeof(ChartForms))]
public sealed record HeatMap(string Title, int Rows, int Columns, ReadOnlyMemory<float> Values) : IChart
{
    // A cell takes about 12 characters of the SVG, and is then some pixels wide.
    private const int MostCells = 10_000, MostInLine = 160;

    /// <summary>What the columns are.</summary>
    public string XTitle { get; init; } = "column";

    /// <summary>What the rows are.</summary>
    public string YTitle { get; init; } = "row";

    /// <summary>What the values are, with their unit; stands at the colour bar.</summary>
    public string Unit { get; init; } = "value";

    /// <summary>How values become colours.</summary>
    public ColourRange Colours { get; init; }

    /// <summary>The ends of the colours, for pictures to be compared; null: those of the values shown.</summary>
    public (double Low, double High)? Ends { get; init; }

    /// <summary>What a cell left out is.</summary>
    public string Absent { get; init; } = "no value";

    /// <summary>Whether the values of a small matrix are written into its cells.</summary>
    public bool ShowValues { get; init; }

    /// <summary>The weights of a layer, W_i of [Ren2019] sec. 3.1: a row is a filter or output, a column an input.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="title">The title; null: the layer's name and shape.</param>
    public static HeatMap OfWeights(LayerInfo layer, ReadOnlyMemory<float> weights, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return new HeatMap(title ?? $"{layer.Name}, {layer.Shape}", layer.Rows, layer.Columns, weights)
        {
            XTitle = layer.Kind == LayerKind.Convolution ? "weight of the filter" : "input",
            YTitle = layer.Kind == LayerKind.Convolution ? "filter" : "output",
            Unit = "weight",
            Colours = ColourRange.Diverging,
        };
    }

    /// <summary>Where a layer's weights survive: everything that is not exactly zero.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="weights">Its weights after pruning.</param>
    /// <param name="title">The title; null: the layer's name, shape and number of survivors.</param>
    public static HeatMap OfMask(LayerInfo layer, ReadOnlyMemory<float> weights, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        float[] mask = Array.ConvertAll(weights.ToArray(), w => w != 0 ? 1f : 0f);
        int survivors = mask.Length - mask.AsSpan().Count(0f);
        title ??= FormattableString.Invariant($"{layer.Name}, {layer.Shape}: {survivors:#,0} survivors of {mask.Length:#,0} weights");
        return OfWeights(layer, mask, title) with { Unit = "keepFraction (1: survives, 0: pruned)", Colours = ColourRange.Sequential };
    }

    /// <summary>The chart as a stand-alone SVG document.</summary>
    /// <exception cref="AdmmKitException">There are not as many values as rows by columns, or no row or column.</exception>
    public string ToSvg() => Picture().Svg();

    /// <summary>The chart as a Plotly figure of the same cells.</summary>
    /// <exception cref="AdmmKitException">As for <see cref="ToSvg"/>.</exception>
    public string ToPlotlyJson() => Picture().Plotly();

    /// <summary>The title, size and range in a few lines.</summary>
    /// <exception cref="AdmmKitException">As for <see cref="ToSvg"/>.</exception>
    public string ToText() => Picture().Text();

    /// <inheritdoc/>
    public MimeBundle ToBundle() => Picture().Bundle();

    private CellPicture Picture()
    {
        if (Rows < 1 || Columns < 1 || (long)Rows * Columns != Values.Length)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The heat map '{Title}' has {Values.Length} values for {Rows} rows by {Columns} columns: give one each, row by row."));
        }

        (int rows, int columns) = Cells();
        bool whole = rows == Rows && columns == Columns;
        float[] cells = whole ? Values.ToArray() : Means(rows, columns);
        return new CellPicture(
            Title, XTitle, YTitle, Unit, rows, columns, cells, Colours, Index(columns, Columns), Index(rows, Rows))
        {
            Ends = Ends,
            Absent = cells.All(float.IsFinite) ? null : Absent,
            Note = whole ? "" : FormattableString.Invariant(
                $"Each cell is the mean of up to {Pieces(Rows, rows)} x {Pieces(Columns, columns)} values of {Rows} x {Columns}."),
            ShowValues = ShowValues,
        };
    }

    private static CellIndex Index(int cells, int values) => new(values, 0.5 * cells / values, (double)cells / values);

    /// <summary>Rows and columns of cells: so few that they are seen, each of about as many rows as columns.</summary>
    private (int Rows, int Columns) Cells()
    {
        int high = 1, wide = 1;
        while (Pieces(Rows, high) is var r && Pieces(Columns, wide) is var c && (r > MostInLine || c > MostInLine || r * c > MostCells))
        {
            (high, wide) = r > c ? (Pieces(Rows, r - 1), wide) : (high, Pieces(Columns, c - 1));
        }

        // A matrix that is pooled in one direction alone would look stretched, unless it is long and narrow.
        int side = Math.Max(high, wide);
        bool narrow = Pieces(Rows, side) * 4 < Pieces(Columns, side);
        return narrow ? (Pieces(Rows, high), Pieces(Columns, wide)) : (Pieces(Rows, side), Pieces(Columns, side));
    }

    // The cells' sizes differ by at most one: a narrow one at the end would be the mean of few values, and stand out for that.
    private float[] Means(int rows, int columns)
    {
        var (sums, counts) = (new double[rows * columns], new int[rows * columns]);
        int[] cellOf = [.. Enumerable.Range(0, Columns).Select(c => (int)((long)c * columns / Columns))];
        ReadOnlySpan<float> values = Values.Span;
        for (int r = 0; r < Rows; r++)
        {
            ReadOnlySpan<float> row = values.Slice(r * Columns, Columns);
            int start = (int)((long)r * rows / Rows) * columns;
            for (int c = 0; c < row.Length; c++)
            {
                if (float.IsFinite(row[c]))
                {
                    int cell = start + cellOf[c];
                    sums[cell] += row[c];
                    counts[cell]++;
                }
            }
        }

        return [.. sums.Zip(counts, (s, n) => n == 0 ? float.NaN : (float)(s / n))];
    }

    private static int Pieces(int whole, int piece) => (whole + piece - 1) / piece;
}
