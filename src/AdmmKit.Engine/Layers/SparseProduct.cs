using AdmmKit.Engine.Kernels;

namespace AdmmKit.Engine.Layers;

/// <summary>Where the positions of a layer lie in its input and its output; pitches, planes and sizes in floats.</summary>
internal sealed record SparseGeometry
{
    /// <summary>Images side by side at a position.</summary>
    public required int Block { get; init; }

    /// <summary>Rows of positions of an output plane; 1 for a fully connected layer.</summary>
    public required int Height { get; init; }

    /// <summary>Positions in such a row; 1 for a fully connected layer.</summary>
    public required int Width { get; init; }

    public required nint OutputPitch { get; init; }

    public required nint OutputPlane { get; init; }

    public required nint OutputSize { get; init; }

    /// <summary>From what one row of positions reads to what the next reads: the rows of the stride.</summary>
    public required nint InputPitch { get; init; }

    /// <summary>From what one position reads to what the next reads: the columns of the stride.</summary>
    public required nint InputStep { get; init; }

    public required nint InputPlane { get; init; }

    public required nint InputSize { get; init; }

    public required int InputChannels { get; init; }

    /// <summary>For each column of the weights: the offset, in the input of a block, of what the first position reads.</summary>
    public required int[] ColumnOffsets { get; init; }
}

/// <summary>
/// The products of a pruned layer with its survivors alone: forward, to the gradient of the weights and to that of the
/// input. A fully connected layer is a convolution whose kernel covers the whole input; its only position stands in one
/// row with those of the other blocks, so that a weight is read once for all of them.
/// </summary>
/// <remarks>
/// Outputs that nobody reads are left as they are: their gradient is zero, and so are those of their weights and bias.
/// Every number is summed by one task in one order.
/// </remarks>
internal sealed unsafe class SparseProduct
{
    // Positions of a task, at least: so much work that taking a task costs nothing beside it.
    private const int PositionsAtOnce = 64;

    private readonly SparseWeights weights;
    private readonly Parameters parameters;
    private readonly SparseGeometry g;
    private readonly LayerContext context;
    private readonly bool onePosition;
    private readonly int[] rows;
    private readonly int[] inputOffsets;
    private readonly SparseColumns columns;
    private readonly FloatBuffer columnWeights;
    private readonly Action<int> forwardTask;
    private readonly Action<int> backwardTask;
    private int blocks;
    private float* x;
    private float* y;
    private float* dy;
    private float* dx;

    /// <summary>Lays out the survivors.</summary>
    /// <param name="parameters">A layer that runs sparse.</param>
    /// <param name="geometry">Where its numbers lie.</param>
    /// <param name="rows">The outputs that somebody reads.</param>
    /// <param name="context">What all layers share.</param>
    public SparseProduct(Parameters parameters, SparseGeometry geometry, int[] rows, LayerContext context)
    {
        (this.parameters, weights, g, this.rows, this.context) = (parameters, parameters.Sparse!, geometry, rows, context);
        onePosition = g.Height * g.Width == 1;
        inputOffsets = Array.ConvertAll(weights.Columns, c => g.ColumnOffsets[c]);
        columns = new SparseColumns(weights, g, rows);
        columnWeights = new FloatBuffer(weights.Count);
        (forwardTask, backwardTask) = (Forward, Backward);

        // What is not computed from now on has no gradient.
        weights.Gradient.Span.Clear();
        parameters.BiasGradient.Span.Clear();
    }

    /// <summary>Which input channels a survivor reads for an output that is read itself.</summary>
    public bool[] InputsRead => columns.ChannelsRead();

    private int Passes => onePosition ? 1 : blocks;

    private int RowsAtOnce => Math.Max(1, PositionsAtOnce / (g.Height * g.Width));

    private int RowTasks => (rows.Length + RowsAtOnce - 1) / RowsAtOnce;

    private int ChannelsAtOnce => Math.Max(1, PositionsAtOnce / (int)(g.InputPlane / g.Block));

    private int ChannelTasks => (columns.Channels.Length + ChannelsAtOnce - 1) / ChannelsAtOnce;

    private SparsePlane Plane => new()
    {
        Height = g.Height,
        Width = onePosition ? blocks : g.Width,
        Block = g.Block,
        CPitch = g.OutputPitch,
        CStep = onePosition ? g.OutputSize : g.Block,
        BPitch = g.InputPitch,
        BStep = onePosition ? g.InputSize : g.InputStep,
    };

    public void Forward(int blocks, float* x, float* y)
    {
        this.blocks = blocks;
        this.x = x;
        this.y = y;
        context.Pool.Run(Passes * RowTasks, forwardTask);
    }

    /// <summary>Gradients of weights and biases, and of the input unless <paramref name="dx"/> is null.</summary>
    public void Backward(int blocks, float* x, float* dy, float* dx)
    {
        this.blocks = blocks;
        this.x = x;
        this.dy = dy;
        this.dx = dx;
        context.Pool.Run(RowTasks + (dx == null ? 0 : ChannelTasks), backwardTask);
    }

    private void Forward(int task)
    {
        (int pass, int first) = (task / RowTasks, task % RowTasks * RowsAtOnce);
        SparsePlane plane = Plane;
        fixed (int* offsets = inputOffsets)
        {
            foreach (int row in rows.AsSpan(first, Math.Min(RowsAtOnce, rows.Length - first)))
            {
                int start = weights.RowStarts[row];
                context.Kernels.SparseSum(
                    plane, x + (pass * g.InputSize), offsets + start, weights.Weights.Pointer + start, weights.RowStarts[row + 1] - start,
                    y + (pass * g.OutputSize) + (row * g.OutputPlane), parameters.Biases.Pointer[row], accumulate: false);
            }
        }
    }

    private void Backward(int task)
    {
        if (task < RowTasks)
        {
            int first = task * RowsAtOnce;
            foreach (int row in rows.AsSpan(first, Math.Min(RowsAtOnce, rows.Length - first)))
            {
                RowGradient(row);
            }
        }
        else
        {
            int first = (task - RowTasks) * ChannelsAtOnce;
            for (int k = first; k < Math.Min(first + ChannelsAtOnce, columns.Channels.Length); k++)
            {
                ChannelGradient(k);
            }
        }
    }

    private void RowGradient(int row)
    {
        SparsePlane plane = Plane;
        int start = weights.RowStarts[row];
        int count = weights.RowStarts[row + 1] - start;
        weights.Gradient.Span.Slice(start, count).Clear();
        float bias = 0;
        fixed (int* offsets = inputOffsets)
        {
            for (int pass = 0; pass < Passes; pass++)
            {
                float* gradient = dy + (pass * g.OutputSize) + (row * g.OutputPlane);
                context.Kernels.SparseCorrelate(
                    plane, gradient, x + (pass * g.InputSize), offsets + start, count, weights.Gradient.Pointer + start);
                bias += parameters.Biased ? context.Kernels.SparseTotal(plane, gradient) : 0;
            }
        }

        parameters.BiasGradient.Pointer[row] = bias;
    }

    private void ChannelGradient(int k)
    {
        SparsePlane plane = Plane.Swapped();
        (int first, int end) = (columns.ChannelStarts[k], columns.ChannelStarts[k + 1]);
        float* w = columnWeights.Pointer;
        for (int s = columns.Starts[first]; s < columns.Starts[end]; s++)
        {
            w[s] = weights.Weights.Pointer[columns.Order[s]];
        }

        for (int block = 0; block < blocks; block++)
        {
            new Span<float>(dx + (block * g.InputSize) + (columns.Channels[k] * g.InputPlane), (int)g.InputPlane).Clear();
        }

        fixed (int* offsets = columns.OutputOffsets)
        {
            for (int pass = 0; pass < Passes; pass++)
            {
                for (int c = first; c < end; c++)
                {
                    int start = columns.Starts[c];
                    context.Kernels.SparseSum(
                        plane, dy + (pass * g.OutputSize), offsets + start, w + start, columns.Starts[c + 1] - start,
                        dx + (pass * g.InputSize) + columns.InputOffsets[c], 0, accumulate: true);
                }
            }
        }
    }
}

/// <summary>The survivors of the rows that count, sorted by column: what the gradient of the input is summed from.</summary>
internal sealed class SparseColumns
{
    private readonly int inputChannels;

    public SparseColumns(SparseWeights weights, SparseGeometry g, int[] rows)
    {
        inputChannels = g.InputChannels;
        int columns = g.ColumnOffsets.Length;
        var next = new int[columns + 1];
        foreach (int row in rows)
        {
            for (int s = weights.RowStarts[row]; s < weights.RowStarts[row + 1]; s++)
            {
                next[weights.Columns[s] + 1]++;
            }
        }

        var (starts, offsets, channels, channelStarts) = (new List<int>(), new List<int>(), new List<int>(), new List<int>());
        for (int c = 0; c < columns; c++)
        {
            int count = next[c + 1];
            next[c + 1] += next[c];
            if (count == 0)
            {
                continue;
            }

            int channel = c / (columns / inputChannels);
            if (channels.Count == 0 || channels[^1] != channel)
            {
                channels.Add(channel);
                channelStarts.Add(starts.Count);
            }

            starts.Add(next[c]);
            offsets.Add(g.ColumnOffsets[c]);
        }

        int total = next[columns];
        channelStarts.Add(starts.Count);
        starts.Add(total);
        (Starts, InputOffsets, Channels, ChannelStarts) = ([.. starts], [.. offsets], [.. channels], [.. channelStarts]);
        (Order, OutputOffsets) = (new int[total], new int[total]);
        foreach (int row in rows)
        {
            for (int s = weights.RowStarts[row]; s < weights.RowStarts[row + 1]; s++)
            {
                int at = next[weights.Columns[s]]++;
                Order[at] = s;
                OutputOffsets[at] = checked((int)(row * g.OutputPlane));
            }
        }
    }

    /// <summary>Input channels that have survivors.</summary>
    public int[] Channels { get; }

    /// <summary>Channel k has the columns ChannelStarts[k] up to, not with, ChannelStarts[k + 1].</summary>
    public int[] ChannelStarts { get; }

    /// <summary>Column c has the survivors Starts[c] up to, not with, Starts[c + 1]; columns without are left out.</summary>
    public int[] Starts { get; }

    /// <summary>The offset of each column in the input.</summary>
    public int[] InputOffsets { get; }

    /// <summary>The offset of each survivor's output.</summary>
    public int[] OutputOffsets { get; }

    /// <summary>The place of each survivor in <see cref="SparseWeights"/>.</summary>
    public int[] Order { get; }

    public bool[] ChannelsRead()
    {
        var read = new bool[inputChannels];
        foreach (int channel in Channels)
        {
            read[channel] = true;
        }

        return read;
    }
}
