using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>The gradients of a convolution.</summary>
internal sealed unsafe partial class ConvolutionLayer
{
    private const int SumsOfTile = KernelSet.CorrelateTile * KernelSet.CorrelateTile * KernelSet.MaxLanes;

    // Positions times images of one visit to a tile of the weight gradient: long enough to pay for loading its sums, and
    // short enough that four rows of gradients and the inputs of the next tiles stay in a near cache.
    private const int VisitNumbers = 1024;

    private readonly ColumnTile[] columnTiles;

    private int TilesAtOnce => node.Padding > 0 ? TapCount : 16;

    private int RowsAtOnce => FiltersOfGroup >= KernelSet.CorrelateTile ? KernelSet.CorrelateTile : 1;

    private int RowTiles => (FiltersOfGroup + RowsAtOnce - 1) / RowsAtOnce;

    private int ColumnChunks => (columnTiles.Length + TilesAtOnce - 1) / TilesAtOnce;

    private int WeightGradientTasks => node.Groups * RowTiles * ColumnChunks;

    /// <summary>
    /// An input position takes part in an output at each tap at which the kernel covers it. Where a strip holds several
    /// positions they all take all taps, from a copy with zeros where there is no output.
    /// </summary>
    private Panels PlanBackward()
    {
        int stride = node.Stride;
        bool alike = Strip > Block;
        // Where the rows of one column of positions fall on the same lines of the cache they are copied apart.
        bool copy = alike || OutputPlane % 1024 == 0;
        int halo = alike ? KernelSize - 1 - node.Padding : 0;
        int pitch = (OutputShape.Width + (alike ? 2 * halo : copy ? 1 : 0)) * Block;
        (int chunk, int band, int rowsOfBand) = Chunks(
            FiltersOfGroup, Input.Height, b => alike ? b + KernelSize - 1 : ((b + KernelSize - 2) / stride) + 2, copy ? pitch : 0);
        IEnumerable<(int, int)> All(int position) => Enumerable.Range(0, TapCount)
            .Select(tap => (tap, ((KernelSize - 1 - (tap / KernelSize)) * pitch) + ((KernelSize - 1 - (tap % KernelSize)) * Block)));
        IEnumerable<(int, int)> Covering(int position)
        {
            (int y, int x) = (position / Input.Width, position % Input.Width);
            for (int tap = 0; tap < TapCount; tap++)
            {
                (int fromY, int fromX) = (y + node.Padding - (tap / KernelSize), x + node.Padding - (tap % KernelSize));
                (int oy, int ox) = (fromY / stride, fromX / stride);
                if (fromY >= 0 && fromX >= 0 && fromY % stride == 0 && fromX % stride == 0 && oy < OutputShape.Height && ox < OutputShape.Width)
                {
                    yield return (tap, ((oy - (y / stride)) * pitch) + ((ox - (x / stride)) * Block));
                }
            }
        }

        return new Panels
        {
            Groups = node.Groups,
            Rows = Info.InputChannels,
            Depth = FiltersOfGroup,
            Chunk = chunk,
            RunLength = 0,
            SegmentCount = TapCount,
            Band = band,
            Bands = (Input.Height + band - 1) / band,
            RowsOfBand = rowsOfBand,
            Copy = copy,
            Pitch = pitch,
            ChannelPitch = copy ? rowsOfBand * pitch : OutputPlane,
            Step = copy ? rowsOfBand * pitch : OutputPlane,
            Taps = alike ? new Taps(1, All) : new Taps(Dx != null ? Input.Height * Input.Width : 0, Covering),
            Halo = halo,
            Alike = alike,
            GroupStride = FiltersOfGroup * Info.Columns,
            RowStride = TapCount,
            SegmentStride = 1,
            RunStride = Info.Columns,
            CopySize = copy ? chunk * rowsOfBand * pitch : 0,
        };
    }

    private void BackwardBand(int task)
    {
        (int block, int y0) = (task / backward.Bands, task % backward.Bands * backward.Band);
        int rows = Math.Min(backward.Band, Input.Height - y0);
        // The first output row that reads the first row of the band; of the copy, that would read it if there were one.
        int reach = y0 + node.Padding - KernelSize;
        int firstRow = backward.Alike ? reach + 1 : Math.Max(0, (reach + node.Stride) / node.Stride);
        float* copy = Context.Scratch.Pointer;
        int width = Input.Width * Block;
        for (int group = 0; group < node.Groups; group++)
        {
            for (int start = 0; start < backward.Depth; start += backward.Chunk)
            {
                int length = Math.Min(backward.Chunk, backward.Depth - start);
                float* source = Plane(OutputGradient, OutputShape, block, (group * FiltersOfGroup) + start);
                if (backward.Copy)
                {
                    CopyRows(source, OutputShape, length, firstRow, backward.RowsOfBand, backward.Halo, backward.Alike ? backward.Halo : 1, copy);
                    source = backward.Alike ? copy : copy - (firstRow * backward.Pitch);
                }

                for (int y = y0; y < y0 + rows; y++)
                {
                    float* dx = Plane(Sources[0].Gradient!, Input, block, group * Info.InputChannels) + (y * width);
                    for (int first = 0; first < width; first += Strip)
                    {
                        int x = first / Block;
                        int* segments = backward.Taps.At(backward.Alike ? 0 : (y * Input.Width) + x, out int count);
                        var geometry = new PanelGeometry
                        {
                            PanelRows = backward.PanelRows,
                            BStep = backward.Step,
                            CRow = InputPlane,
                            Length = length,
                            Width = Math.Min(Strip, width - first),
                            Segments = segments,
                            SegmentCount = count,
                        };
                        float* position = backward.Alike
                            ? source + ((y - y0) * backward.Pitch) + first
                            : source + (y / node.Stride * backward.Pitch) + (x / node.Stride * Block);
                        for (int panel = 0; panel < backward.PanelCount; panel++)
                        {
                            int row = panel * backward.PanelRows;
                            Context.Products.MultiplyPanel(
                                geometry,
                                backward.Panel(group, panel, start),
                                position,
                                dx + ((nint)row * InputPlane) + first,
                                null,
                                Math.Min(backward.PanelRows, Info.InputChannels - row),
                                start > 0 || Sources[0].Accumulate);
                        }
                    }
                }
            }
        }
    }

    /// <summary>
    /// Columns of the weight matrix in fours that are summed over the same positions: neighbours where nothing is padded, else
    /// four channels at one tap.
    /// </summary>
    private ColumnTile[] PlanWeightGradient()
    {
        IEnumerable<int[]> groups = node.Padding == 0
            ? Enumerable.Range(0, Info.Columns).Chunk(KernelSet.CorrelateTile)
            : Enumerable.Range(0, Info.InputChannels).Chunk(KernelSet.CorrelateTile)
                .SelectMany(channels => Enumerable.Range(0, TapCount).Select(tap => channels.Select(c => (c * TapCount) + tap).ToArray()));
        return [.. groups.Select(columns =>
        {
            var y = Covered(columns[0] % TapCount / KernelSize, Input.Height, OutputShape.Height);
            var x = Covered(columns[0] % TapCount % KernelSize, Input.Width, OutputShape.Width);
            // Of fewer than four the last one is repeated, and its sums are left out.
            return new ColumnTile(columns, y, x, [.. Enumerable.Range(0, KernelSet.CorrelateTile).Select(i =>
            {
                (int channel, int tap) = Math.DivRem(columns[Math.Min(i, columns.Length - 1)], TapCount);
                int row = (tap / KernelSize) - node.Padding;
                int column = (x.First * node.Stride) + (tap % KernelSize) - node.Padding;
                return ((nint)channel * InputPlane) + (((row * Input.Width) + column) * Block);
            })]);
        })];
    }

    /// <summary>The outputs that read an input, and not padding, at this row or column of the kernel.</summary>
    private (int First, int End) Covered(int tap, int input, int output)
    {
        int first = Math.Max(0, (node.Padding - tap + node.Stride - 1) / node.Stride);
        int reach = input - 1 + node.Padding - tap;
        int last = reach < 0 ? -1 : reach / node.Stride;
        return (first, Math.Max(first, Math.Min(output, last + 1)));
    }

    private void WeightGradient(int task)
    {
        (int rowTask, int chunk) = (task / ColumnChunks, task % ColumnChunks);
        (int group, int rowTile) = (rowTask / RowTiles, rowTask % RowTiles);
        int wanted = rowTile * RowsAtOnce;
        // The last tile is moved up to end with the last filter: what it shares with the one before it does not write.
        int row = Math.Max(0, Math.Min(wanted, FiltersOfGroup - RowsAtOnce));
        // A run of images of one position may be shorter than the longest vectors.
        KernelSet kernels = node.Stride == 1 ? Context.Products : Kernels;
        int firstTile = chunk * TilesAtOnce;
        int tiles = Math.Min(TilesAtOnce, columnTiles.Length - firstTile);
        float* sums = Context.Scratch.Pointer;
        new Span<float>(sums, tiles * SumsOfTile).Clear();
        int visit = Math.Max(1, VisitNumbers / (OutputShape.Width * Block));
        int filter = (group * FiltersOfGroup) + row;
        for (int block = 0; block < Pass.Blocks; block++)
        {
            float* dy = Plane(OutputGradient, OutputShape, block, filter);
            float* x = Plane(Sources[0].Values, Input, block, group * Info.InputChannels);
            for (int y = 0; y < OutputShape.Height; y += visit)
            {
                for (int t = 0; t < tiles; t++)
                {
                    ColumnTile tile = columnTiles[firstTile + t];
                    (int first, int end) = (Math.Max(y, tile.Y.First), Math.Min(y + visit, tile.Y.End));
                    int width = tile.X.End - tile.X.First;
                    if (first >= end || width == 0)
                    {
                        continue;
                    }

                    var geometry = new CorrelateGeometry
                    {
                        Height = end - first,
                        Runs = node.Stride == 1 ? 1 : width,
                        Run = node.Stride == 1 ? width * Block : Block,
                        DyRow = RowsAtOnce == 1 ? 0 : OutputPlane,
                        DyPitch = OutputShape.Width * Block,
                        XPitch = node.Stride * Input.Width * Block,
                        XStep = node.Stride == 1 ? width * Block : node.Stride * Block,
                    };
                    fixed (nint* offsets = tile.Offsets)
                    {
                        float* dyFirst = dy + (((first * OutputShape.Width) + tile.X.First) * Block);
                        kernels.Correlate(geometry, dyFirst, x + (first * geometry.XPitch), offsets, sums + (t * SumsOfTile));
                    }
                }
            }
        }

        int skip = wanted - row;
        for (int t = 0; t < tiles; t++)
        {
            int[] columns = columnTiles[firstTile + t].Columns;
            fixed (int* c = columns)
            {
                kernels.AddSums(
                    sums + (t * SumsOfTile),
                    skip,
                    Parameters.WeightGradient.Pointer + ((nint)filter * Info.Columns),
                    Info.Columns,
                    c,
                    RowsAtOnce,
                    columns.Length);
            }
        }
    }

    private void BiasGradient(int row)
    {
        float sum = 0;
        for (int block = 0; block < Pass.Blocks; block++)
        {
            sum += Kernels.Sum(Plane(OutputGradient, OutputShape, block, row), OutputPlane);
        }

        Parameters.BiasGradient.Pointer[row] = sum;
    }

    /// <summary>Up to four columns of the weight matrix.</summary>
    /// <param name="Columns">Their numbers within the group.</param>
    /// <param name="Y">Rows of outputs that are summed over.</param>
    /// <param name="X">Columns of outputs that are summed over.</param>
    /// <param name="Offsets">For each where its input of the first of these columns lies, in the first row.</param>
    private sealed record ColumnTile(int[] Columns, (int First, int End) Y, (int First, int End) X, nint[] Offsets);
}
