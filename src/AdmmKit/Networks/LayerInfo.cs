namespace AdmmKit.Networks;

/// <summary>What a layer with weights computes.</summary>
public enum LayerKind
{
    /// <summary>A convolution: CONV in the paper.</summary>
    Convolution,

    /// <summary>A fully connected layer: FC in the paper.</summary>
    FullyConnected,
}

/// <summary>
/// One layer that has weights: the i-th of [Ren2019] sec. 3.1. Its weights W_i are stored row-major as a matrix of
/// <see cref="Rows"/> outputs by <see cref="Columns"/> inputs; for a convolution a row is a filter and a column is
/// (input channel within the group, kernel row, kernel column), in this order.
/// </summary>
/// <param name="Name">The layer's name, unique in its network.</param>
/// <param name="Kind">Convolution or fully connected.</param>
/// <param name="Rows">Filters or output neurons; also the number of biases.</param>
/// <param name="InputChannels">Input channels that one filter reads (those of its group), or input neurons.</param>
/// <param name="KernelHeight">Rows of the kernel; 1 for a fully connected layer.</param>
/// <param name="KernelWidth">Columns of the kernel; 1 for a fully connected layer.</param>
/// <param name="Macs">Multiply-accumulates for one input image.</param>
public sealed record LayerInfo(
    string Name, LayerKind Kind, int Rows, int InputChannels, int KernelHeight, int KernelWidth, long Macs)
{
    /// <summary>Weights that one output reads.</summary>
    public int Columns => InputChannels * KernelHeight * KernelWidth;

    /// <summary>Number of weights; biases are not counted, as in the paper.</summary>
    public int WeightCount => Rows * Columns;

    /// <summary>The shape as people write it: 50x20x5x5 or 500x800.</summary>
    public string Shape => Kind == LayerKind.Convolution
        ? FormattableString.Invariant($"{Rows}x{InputChannels}x{KernelHeight}x{KernelWidth}")
        : FormattableString.Invariant($"{Rows}x{Columns}");
}
