using AdmmKit.Networks;

namespace AdmmKit.Storage.Coding;

/// <summary>
/// Where the survivors of a layer are. First which rows have any, then which input channels; then, for each place in a live row
/// and a live channel, whether it survives (<see cref="CellModel"/>), or, where there are too many such places, the gaps between
/// survivors. What is learned in one layer stays for the next.
/// </summary>
internal sealed class PositionModel
{
    /// <summary>Layers of more rows or columns are coded by their gaps alone, so that a header cannot ask for much memory.</summary>
    public const int MaxSide = 1 << 15;

    // Places that are coded one by one in a network; at a tenth of a microsecond each, a hostile file is done in time.
    private const int MaxCells = 1 << 21;
    private const int Limit = 255;

    private readonly BitCoder coder;
    private readonly CellModel cells = new();
    private readonly NumberModel counts = new();
    private readonly NumberModel gaps = new();

    // After a live row, after a dead one: rows that are in order change once.
    private readonly AdaptiveBit[] rows = [new(52_000, 2), new(8_000, 2)];

    // Of a channel that nobody writes, of one that is written, of one of which nothing is known.
    private readonly AdaptiveBit[] channels = [new(2_000, 4), new(64_000, 4), new(56_000, 4)];
    private long coded;

    public PositionModel(BitCoder coder) => this.coder = coder;

    /// <summary>Codes the survivors of a layer.</summary>
    /// <param name="plan">What is known of the layer.</param>
    /// <param name="content">Its survivors.</param>
    /// <returns>The survivors of each row.</returns>
    /// <exception cref="BadFileException">A decoder finds what no encoder writes.</exception>
    public int[] Code(LayerPlan plan, LayerContent content)
    {
        LayerInfo layer = plan.Layer;
        // Behind the first many, every row costs a bit or more for its bias.
        coder.Need(layer.Rows - MaxSide);
        var rowCounts = new int[layer.Rows];
        if (layer.Rows > MaxSide || layer.Columns > MaxSide)
        {
            Gaps(layer.WeightCount, content, position => position, cell => cell);
            Count(content.Positions, layer.Columns, rowCounts, null);
            return rowCounts;
        }

        var columnCounts = new int[layer.Columns];
        Count(content.Given, layer.Columns, rowCounts, columnCounts);
        List<int> liveRows = LiveRows(rowCounts);
        List<int> columns = liveRows.Count > 0 ? LiveColumns(plan, columnCounts) : [];
        long area = (long)liveRows.Count * columns.Count;
        if (area <= MaxCells - coded)
        {
            coded += area;
            cells.Code(coder, plan, content, liveRows, columns);
            Count(content.Positions, layer.Columns, rowCounts, null);
        }
        else
        {
            Gaps(layer, content, liveRows, columns);
            Count(content.Positions, layer.Columns, rowCounts, columnCounts);
            if (liveRows.Exists(r => rowCounts[r] == 0) || columns.Chunk(plan.MapSize).Any(map => map.All(c => columnCounts[c] == 0)))
            {
                throw new BadFileException(FormattableString.Invariant(
                    $"layer '{layer.Name}' marks a row or a channel as one that has survivors, and it has none"));
            }
        }

        return rowCounts;
    }

    private static void Count(ReadOnlySpan<int> positions, int columns, int[] rowCounts, int[]? columnCounts)
    {
        Array.Clear(rowCounts);
        Array.Clear(columnCounts ?? []);
        foreach (int position in positions)
        {
            rowCounts[position / columns]++;
            if (columnCounts is not null)
            {
                columnCounts[position % columns]++;
            }
        }
    }

    private List<int> LiveRows(int[] rowCounts)
    {
        var live = new List<int>();
        bool before = true;
        for (int row = 0; row < rowCounts.Length; row++)
        {
            before = rows[before ? 0 : 1].Code(coder, rowCounts[row] > 0, Limit);
            if (before)
            {
                live.Add(row);
            }
        }

        return live;
    }

    /// <summary>The columns of channels that some survivor reads, of which a layer with survivors has one or more.</summary>
    private List<int> LiveColumns(LayerPlan plan, int[] columnCounts)
    {
        var live = new List<int>();
        int map = plan.MapSize;
        for (int channel = 0; channel < plan.Channels; channel++)
        {
            int context = plan.Activity is null ? 2 : plan.Activity[channel] == 0 ? 0 : 1;
            bool any = columnCounts.AsSpan(channel * map, map).ContainsAnyExcept(0);
            bool last = live.Count == 0 && channel == plan.Channels - 1;
            if (last || channels[context].Code(coder, any, Limit))
            {
                live.AddRange(Enumerable.Range(channel * map, map));
            }
        }

        return live;
    }

    private void Gaps(LayerInfo layer, LayerContent content, List<int> liveRows, List<int> columns)
    {
        var rowPlaces = new int[layer.Rows];
        for (int i = 0; i < liveRows.Count; i++)
        {
            rowPlaces[liveRows[i]] = i;
        }

        var columnPlaces = new int[layer.Columns];
        for (int i = 0; i < columns.Count; i++)
        {
            columnPlaces[columns[i]] = i;
        }

        Gaps(
            (long)liveRows.Count * columns.Count,
            content,
            position => (rowPlaces[position / layer.Columns] * columns.Count) + columnPlaces[position % layer.Columns],
            cell => (liveRows[cell / columns.Count] * layer.Columns) + columns[cell % columns.Count]);
    }

    private void Gaps(long area, LayerContent content, Func<int, int> cellOf, Func<int, int> positionOf)
    {
        int count = counts.Code(coder, content.Given.Length);
        long cell = 0;
        for (int k = 0; k < count; k++)
        {
            cell += gaps.Code(coder, coder.IsDecoder ? 0 : (int)(cellOf(content.NextGiven) - cell));
            if (cell >= area)
            {
                throw new BadFileException("a survivor lies outside its layer");
            }

            content.Take(coder, positionOf((int)cell++), default);
        }
    }
}
