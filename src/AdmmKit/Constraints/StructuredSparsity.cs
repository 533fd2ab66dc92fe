using AdmmKit.Networks;

namespace AdmmKit.Constraints;

/// <summary>At most so many filters of a convolution, or output neurons, have weights: rows of the matrix.</summary>
/// <param name="keep">Filters that stay, 0 to <see cref="LayerInfo.Rows"/>.</param>
public sealed class FilterSparsity(int keep) : GroupSparsity(keep)
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"keeps at most {Keep} filters");

    /// <inheritdoc/>
    protected override string GroupName => "filters";

    /// <inheritdoc/>
    protected override (int Buckets, int InBucket) Groups(LayerInfo layer) => (1, layer.Rows);

    /// <inheritdoc/>
    protected override int GroupOf(LayerInfo layer, int row, int column) => row;
}

/// <summary>At most so many input channels are read: all columns of the others are zero in every filter.</summary>
/// <param name="keep">Input channels that stay, 0 to <see cref="LayerInfo.InputChannels"/>.</param>
public sealed class ChannelSparsity(int keep) : GroupSparsity(keep)
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"keeps at most {Keep} input channels");

    /// <inheritdoc/>
    protected override string GroupName => "input channels";

    /// <inheritdoc/>
    protected override (int Buckets, int InBucket) Groups(LayerInfo layer) => (1, layer.InputChannels);

    /// <inheritdoc/>
    protected override int GroupOf(LayerInfo layer, int row, int column) => column / (layer.KernelHeight * layer.KernelWidth);
}

/// <summary>At most so many columns of the matrix are not zero: one place of the kernel in one channel, in all filters.</summary>
/// <param name="keep">Columns that stay, 0 to <see cref="LayerInfo.Columns"/>.</param>
public sealed class ColumnSparsity(int keep) : GroupSparsity(keep)
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"keeps at most {Keep} columns");

    /// <inheritdoc/>
    protected override string GroupName => "columns";

    /// <inheritdoc/>
    protected override (int Buckets, int InBucket) Groups(LayerInfo layer) => (1, layer.Columns);

    /// <inheritdoc/>
    protected override int GroupOf(LayerInfo layer, int row, int column) => column;
}

/// <summary>At most so many tiles of the matrix are not zero. Tiles at the right and lower edge may be smaller.</summary>
/// <param name="blockRows">Rows of a tile, 1 to <see cref="LayerInfo.Rows"/>.</param>
/// <param name="blockColumns">Columns of a tile, 1 to <see cref="LayerInfo.Columns"/>.</param>
/// <param name="keepBlocks">Tiles that stay, 0 to the number of tiles.</param>
public sealed class BlockSparsity(int blockRows, int blockColumns, int keepBlocks) : GroupSparsity(keepBlocks)
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"keeps at most {Keep} blocks of {blockRows}x{blockColumns}");

    /// <inheritdoc/>
    protected override string GroupName => "blocks";

    /// <inheritdoc/>
    public override void Validate(LayerInfo layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        Guard.Range(layer, "the number of rows of a block", blockRows, 1, layer.Rows);
        Guard.Range(layer, "the number of columns of a block", blockColumns, 1, layer.Columns);
        base.Validate(layer);
    }

    /// <inheritdoc/>
    protected override (int Buckets, int InBucket) Groups(LayerInfo layer) =>
        (1, Pieces(layer.Rows, blockRows) * Pieces(layer.Columns, blockColumns));

    /// <inheritdoc/>
    protected override int GroupOf(LayerInfo layer, int row, int column) =>
        (row / blockRows * Pieces(layer.Columns, blockColumns)) + (column / blockColumns);
}

/// <summary>
/// At most n of each m consecutive weights of a row are not zero, such as 2 of 4. Where m does not divide the columns, the
/// last, shorter run of a row keeps at most n as well.
/// </summary>
/// <param name="n">Weights that stay in each run, 0 to m.</param>
/// <param name="m">Length of a run, 1 to <see cref="LayerInfo.Columns"/>.</param>
public sealed class NOfM(int n, int m) : GroupSparsity(n)
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"keeps at most {Keep} of each {m} consecutive weights");

    /// <inheritdoc/>
    protected override string GroupName => FormattableString.Invariant($"weights of each {m}");

    /// <inheritdoc/>
    public override void Validate(LayerInfo layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        Guard.Range(layer, "the length m of a run of weights", m, 1, layer.Columns);
        base.Validate(layer);
    }

    /// <inheritdoc/>
    protected override (int Buckets, int InBucket) Groups(LayerInfo layer) => (layer.Rows * Pieces(layer.Columns, m), m);

    /// <inheritdoc/>
    protected override int GroupOf(LayerInfo layer, int row, int column) => (row * Pieces(layer.Columns, m) * m) + column;
}

/// <summary>
/// The matrix lies on crossbars of so many inputs by so many outputs. The weights of one output within one crossbar are a
/// bitline; in each crossbar at most so many bitlines carry weights, and the others need no converter.
/// </summary>
public sealed class CrossbarSparsity : GroupSparsity
{
    private readonly int inputs;
    private readonly int outputs;

    /// <summary>Sets the size of a crossbar and what stays in it.</summary>
    /// <param name="keepColumns">Bitlines that stay in each crossbar, 0 to <paramref name="columns"/>.</param>
    /// <param name="rows">Wordlines: inputs of the layer on one crossbar, at least 1.</param>
    /// <param name="columns">Bitlines: outputs of the layer on one crossbar, at least 1.</param>
    /// <exception cref="AdmmKitException">A size is below 1.</exception>
    public CrossbarSparsity(int keepColumns, int rows = 128, int columns = 64)
        : base(keepColumns)
    {
        inputs = Guard.Positive("The number of rows of a crossbar", rows);
        outputs = Guard.Positive("The number of columns of a crossbar", columns);
    }

    /// <inheritdoc/>
    public override string Description =>
        FormattableString.Invariant($"keeps at most {Keep} columns of each {inputs}x{outputs} crossbar");

    /// <inheritdoc/>
    protected override string GroupName => FormattableString.Invariant($"columns of a {inputs}x{outputs} crossbar");

    /// <inheritdoc/>
    protected override (int Buckets, int InBucket) Groups(LayerInfo layer) =>
        (Pieces(layer.Rows, outputs) * Pieces(layer.Columns, inputs), outputs);

    /// <inheritdoc/>
    protected override int GroupOf(LayerInfo layer, int row, int column)
    {
        // The layer's matrix is outputs x inputs, the crossbar's the other way round.
        int crossbar = (row / outputs * Pieces(layer.Columns, inputs)) + (column / inputs);
        return (crossbar * outputs) + (row % outputs);
    }
}
