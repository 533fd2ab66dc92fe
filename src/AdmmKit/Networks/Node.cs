namespace AdmmKit.Networks;

/// <summary>Size of one image or of one layer's output.</summary>
/// <param name="Channels">Channels, or neurons after a fully connected layer.</param>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct ImageShape(int Channels, int Height, int Width)
{
    /// <summary>Numbers in one image.</summary>
    public int Size => Channels * Height * Width;

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Channels}x{Height}x{Width}");
}

/// <summary>One step of a network. Steps run in order, each on the output of the one before.</summary>
public abstract record Node
{
    /// <summary>The shape of the output for one image.</summary>
    /// <param name="input">The shape of the input.</param>
    /// <exception cref="AdmmKitException">The input is too small for this step.</exception>
    public abstract ImageShape OutputShape(ImageShape input);

    /// <summary>The weights of this step, or null where it has none.</summary>
    /// <param name="input">The shape of the input.</param>
    public virtual LayerInfo? Layer(ImageShape input) => null;

    /// <summary>A convolution without padding, stride 1, with biases.</summary>
    /// <param name="Name">The layer's name.</param>
    /// <param name="Filters">Output channels.</param>
    /// <param name="Kernel">Rows and columns of the kernel.</param>
    public sealed record Convolution(string Name, int Filters, int Kernel) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => input.Height >= Kernel && input.Width >= Kernel
            ? new(Filters, input.Height - Kernel + 1, input.Width - Kernel + 1)
            : throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{Name}' has a {Kernel}x{Kernel} kernel, but its input is only {input.Height}x{input.Width}: use larger images or another architecture."));

        /// <inheritdoc/>
        public override LayerInfo Layer(ImageShape input)
        {
            ImageShape output = OutputShape(input);
            return new(Name, LayerKind.Convolution, Filters, input.Channels, Kernel, Kernel,
                (long)output.Size * input.Channels * Kernel * Kernel);
        }
    }

    /// <summary>A fully connected layer with biases; the input is read channel by channel, row by row.</summary>
    /// <param name="Name">The layer's name.</param>
    /// <param name="Outputs">Output neurons.</param>
    public sealed record FullyConnected(string Name, int Outputs) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => new(Outputs, 1, 1);

        /// <inheritdoc/>
        public override LayerInfo Layer(ImageShape input) =>
            new(Name, LayerKind.FullyConnected, Outputs, input.Size, 1, 1, (long)Outputs * input.Size);
    }

    /// <summary>The largest value of each window; a last row or column that does not fill a window is dropped.</summary>
    /// <param name="Window">Rows and columns of the window, and the stride.</param>
    public sealed record MaxPool(int Window) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => Pooled(input, Window);
    }

    /// <summary>The mean of each window; a last row or column that does not fill a window is dropped.</summary>
    /// <param name="Window">Rows and columns of the window, and the stride.</param>
    public sealed record AveragePool(int Window) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => Pooled(input, Window);
    }

    /// <summary>max(x, 0).</summary>
    public sealed record Relu : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => input;
    }

    /// <summary>In training, drops each value with the given probability and scales the rest; otherwise does nothing.</summary>
    /// <param name="Rate">Probability of being dropped, in [0, 1).</param>
    public sealed record Dropout(double Rate) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => input;
    }

    private static ImageShape Pooled(ImageShape input, int window) => input.Height >= window && input.Width >= window
        ? new(input.Channels, input.Height / window, input.Width / window)
        : throw new AdmmKitException(FormattableString.Invariant(
            $"A {window}x{window} pooling window does not fit its {input.Height}x{input.Width} input: use larger images or another architecture."));
}
