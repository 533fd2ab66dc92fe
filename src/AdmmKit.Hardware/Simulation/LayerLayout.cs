namespace AdmmKit.Hardware.Simulation;

/// <summary>
/// How a layer is laid out on an array: tiles, groups of output channels, and blocks. A block is one input channel and, at a stride
/// s, one of s x s phases: the inputs in rows y and columns x of equal remainders, which meet the same weights only.
/// </summary>
internal sealed class LayerLayout
{
    private readonly PeArray array;
    private readonly SimulatedLayer layer;
    private readonly int kernelHeight, kernelWidth, channels, filters, pitch, area, tileRows, tileColumns;
    private readonly OperandList[] activations;

    public LayerLayout(PeArray array, SimulatedLayer layer)
    {
        (this.array, this.layer) = (array, layer);
        (kernelHeight, kernelWidth) = (layer.Layer.KernelHeight, layer.Layer.KernelWidth);
        (channels, filters) = (layer.Layer.InputChannels, layer.Layer.Rows / layer.Groups);
        ByFilters = array.Partition == Partition.OutputChannels || layer.Input is { Height: 1, Width: 1 };
        (tileRows, tileColumns) = ByFilters ? (1, 1) : (array.PeRows, array.PeColumns);
        // Partial sums of a PE: its tile of the input reaches so many outputs.
        pitch = Reach(layer.Input.Width, tileColumns, kernelWidth, layer.Output.Width);
        area = pitch * Reach(layer.Input.Height, tileRows, kernelHeight, layer.Output.Height);
        int own = ByFilters ? Pieces(filters, array.Elements) : filters;
        FiltersPerUnit = Math.Clamp(array.FiltersPerGroup > 0 ? array.FiltersPerGroup : array.AccumulatorEntries / area, 1, own);
        GroupsPerSplit = Pieces(filters, FiltersPerUnit * (ByFilters ? array.Elements : 1));
        activations = Activations();
    }

    /// <summary>Whether each PE has its own filters, and all have the same activations.</summary>
    public bool ByFilters { get; }

    /// <summary>Filters that a weight list holds: those of a PE, or of a group that all PEs share.</summary>
    public int FiltersPerUnit { get; }

    /// <summary>Groups of output channels in each group of the convolution.</summary>
    public int GroupsPerSplit { get; }

    /// <summary>Groups of output channels in all.</summary>
    public int Groups => GroupsPerSplit * layer.Groups;

    /// <summary>Phases of the stride. One that no weight is in takes no cycles, but its activations are read.</summary>
    public int Phases => layer.Stride * layer.Stride;

    /// <summary>Blocks of one group of output channels.</summary>
    public int Blocks => channels * Phases;

    /// <summary>The activations of a PE's tile in a block of a group; all have the same where each has its own filters.</summary>
    public OperandList ActivationsOf(int element, int group, int block) =>
        activations[((ByFilters ? 0 : element) * layer.Input.Channels * Phases) + (group / GroupsPerSplit * Blocks) + block];

    /// <summary>Activations that the whole array reads for one group.</summary>
    public long ActivationsOf(int group)
    {
        long stored = 0;
        for (int element = 0; element < tileRows * tileColumns; element++)
        {
            for (int block = 0; block < Blocks; block++)
            {
                stored += ActivationsOf(element, group, block).Count;
            }
        }

        return stored;
    }

    /// <summary>A writer for the weights of one PE, or of the group that all share.</summary>
    public OperandWriter WeightWriter() => new(array.SkipsZeroWeights, array.IndexBits);

    /// <summary>The weights of a PE (or of all) in a block of a group.</summary>
    public OperandList WeightsOf(OperandWriter writer, int element, int group, int block)
    {
        int first = ((group % GroupsPerSplit * (ByFilters ? array.Elements : 1)) + (ByFilters ? element : 0)) * FiltersPerUnit;
        int end = Math.Min(first + FiltersPerUnit, filters), split = group / GroupsPerSplit * filters;
        (int channel, int phase) = Math.DivRem(block, Phases);
        // A shared block is broadcast and can be read by itself; a PE's own filters are one stream.
        if (!ByFilters)
        {
            writer.BeginStream(int.MaxValue);
        }
        else if (block == 0)
        {
            (int from, int count) = (Math.Min(first, filters) + split, Math.Max(0, end - first));
            writer.BeginStream(layer.Weights.AsSpan(from * layer.Layer.Columns, count * layer.Layer.Columns).Count(true));
        }

        writer.BeginBlock(keep: false);
        for (int filter = first; filter < end; filter++)
        {
            int offset = ((split + filter) * layer.Layer.Columns) + (channel * kernelHeight * kernelWidth);
            for (int r = phase / layer.Stride; r < kernelHeight; r += layer.Stride)
            {
                for (int s = phase % layer.Stride; s < kernelWidth; s += layer.Stride)
                {
                    (int row, int column) = (r / layer.Stride, s / layer.Stride);
                    int address = ((filter - first) * area) - (row * pitch) - column;
                    writer.Add(layer.Weights[offset + (r * kernelWidth) + s], new((short)-row, (short)-column, address));
                }
            }
        }

        return writer.End(endsStream: !ByFilters);
    }

    /// <summary>Products of two operands that are not zero, for outputs that exist.</summary>
    public long UsefulMacs()
    {
        long useful = 0;
        (int height, int width) = (layer.Output.Height, layer.Output.Width);
        int rows = GridSize(layer.Input.Height, kernelHeight, height), columns = GridSize(layer.Input.Width, kernelWidth, width) + 1;
        var before = new int[(rows + 1) * columns];
        for (int split = 0; split < layer.Groups; split++)
        {
            for (int block = 0; block < Blocks; block++)
            {
                Integrate(before, columns, (split * Blocks) + block);
                (int channel, int phase) = Math.DivRem(block, Phases);
                for (int r = phase / layer.Stride; r < kernelHeight; r += layer.Stride)
                {
                    for (int s = phase % layer.Stride; s < kernelWidth; s += layer.Stride)
                    {
                        int top = r / layer.Stride * columns, bottom = top + (height * columns);
                        int left = s / layer.Stride, right = left + width;
                        long met = before[bottom + right] - before[top + right] - before[bottom + left] + before[top + left];
                        useful += met * Survivors(split, channel, (r * kernelWidth) + s);
                    }
                }
            }
        }

        return useful;
    }

    /// <summary>Cycles of a dense array: see <see cref="SimulationResult.DenseCycles"/>.</summary>
    public long DenseCycles()
    {
        (int height, int width) = (layer.Output.Height, layer.Output.Width);
        long dot = Pieces(layer.Layer.Columns, array.MultipliersPerElement);
        return ByFilters
            ? dot * layer.Groups * Pieces(filters, array.Elements) * height * width
            : dot * layer.Layer.Rows * Pieces(height, tileRows) * Pieces(width, tileColumns);
    }

    private static int Pieces(int count, int size) => (count + size - 1) / size;

    private int Reach(int input, int tiles, int kernel, int output) =>
        Math.Min(output, Pieces(Pieces(input, tiles) + kernel - 1, layer.Stride));

    // Rows or columns that activations of one phase take, at least as many as weights ask for.
    private int GridSize(int input, int kernel, int output) =>
        Math.Max((input + layer.Padding - 1) / layer.Stride, output + ((kernel - 1) / layer.Stride)) + 1;

    private int Survivors(int split, int channel, int position)
    {
        int offset = (split * filters * layer.Layer.Columns) + (channel * kernelHeight * kernelWidth) + position, survivors = 0;
        for (int filter = 0; filter < filters; filter++, offset += layer.Layer.Columns)
        {
            survivors += layer.Weights[offset] ? 1 : 0;
        }

        return survivors;
    }

    // Sums over all rows above and columns to the left, so that a rectangle is four of them.
    private void Integrate(int[] before, int columns, int inputBlock)
    {
        Array.Clear(before);
        for (int element = 0; element < tileRows * tileColumns; element++)
        {
            foreach (Operand a in activations[(element * layer.Input.Channels * Phases) + inputBlock].Span)
            {
                if (a != Operand.Zero)
                {
                    before[((a.Row + 1) * columns) + a.Column + 1]++;
                }
            }
        }

        for (int i = 1; i < before.Length; i++)
        {
            before[i] += i % columns == 0 ? 0 : before[i - 1];
        }

        for (int i = columns; i < before.Length; i++)
        {
            before[i] += before[i - columns];
        }
    }

    private OperandList[] Activations()
    {
        var writer = new OperandWriter(array.SkipsZeroActivations, array.IndexBits);
        var lists = new OperandList[tileRows * tileColumns * layer.Input.Channels * Phases];
        (int height, int width) = (layer.Input.Height, layer.Input.Width);
        for (int i = 0; i < lists.Length; i++)
        {
            (int tile, int block) = Math.DivRem(i, layer.Input.Channels * Phases);
            (int channel, int phase) = Math.DivRem(block, Phases);
            (int tileRow, int tileColumn) = Math.DivRem(tile, tileColumns);
            writer.BeginStream(int.MaxValue);
            writer.BeginBlock(keep: true);
            for (int y = First(tileRow * height / tileRows, phase / layer.Stride); y < (tileRow + 1) * height / tileRows; y += layer.Stride)
            {
                int right = (tileColumn + 1) * width / tileColumns;
                for (int x = First(tileColumn * width / tileColumns, phase % layer.Stride); x < right; x += layer.Stride)
                {
                    (int row, int column) = ((y + layer.Padding) / layer.Stride, (x + layer.Padding) / layer.Stride);
                    bool isSet = layer.Activations is null || layer.Activations[(((channel * height) + y) * width) + x];
                    writer.Add(isSet, new((short)row, (short)column, (row * pitch) + column));
                }
            }

            lists[i] = writer.End(endsStream: true);
        }

        return [.. lists.Select(l => l with { Items = writer.Items })];
    }

    // The first input from there on that the weights of a phase meet.
    private int First(int from, int remainder)
    {
        int off = (remainder - from - layer.Padding) % layer.Stride;
        return from + (off < 0 ? off + layer.Stride : off);
    }
}
