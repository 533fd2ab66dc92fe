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

/// <summary>Scale and shift that follow a layer: one batch normalization.</summary>
/// <param name="Name">Its name, unique among the normalizations of its network.</param>
/// <param name="Channels">Channels that it normalizes, each by itself.</param>
public sealed record NormalizationInfo(string Name, int Channels)
{
    /// <summary>Numbers that define it: scale, shift, running mean and running variance of each channel, in this order.</summary>
    public int Count => 4 * Channels;
}

/// <summary>One step of a network: what it makes of the outputs of earlier steps, or of the image.</summary>
public abstract record Node
{
    /// <summary>The shape of the output for one image.</summary>
    /// <param name="input">The shape of the input; of the first one where a step has several.</param>
    /// <exception cref="AdmmKitException">The input does not fit this step.</exception>
    public abstract ImageShape OutputShape(ImageShape input);

    /// <summary>The shape of the output for one image.</summary>
    /// <param name="inputs">The shapes of the inputs; one, except for <see cref="Add"/> and <see cref="Concat"/>.</param>
    /// <exception cref="AdmmKitException">The inputs do not fit this step, or each other.</exception>
    public virtual ImageShape OutputShape(IReadOnlyList<ImageShape> inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return inputs.Count == 1 ? OutputShape(inputs[0])
            : throw new AdmmKitException($"A {GetType().Name} step has one input, not {inputs.Count}.");
    }

    /// <summary>The weights of this step, or null where it has none.</summary>
    /// <param name="input">The shape of the input.</param>
    public virtual LayerInfo? Layer(ImageShape input) => null;

    /// <summary>The batch normalization of this step, or null where it is none.</summary>
    /// <param name="input">The shape of the input.</param>
    public virtual NormalizationInfo? Normalization(ImageShape input) => null;

    /// <summary>A convolution.</summary>
    /// <param name="Name">The layer's name.</param>
    /// <param name="Filters">Output channels.</param>
    /// <param name="Kernel">Rows and columns of the kernel.</param>
    /// <param name="Stride">Inputs from one output to the next, in rows and columns.</param>
    /// <param name="Padding">Rows and columns of zeros around the input.</param>
    /// <param name="Groups">The channels are split into so many groups; a filter reads those of its own.</param>
    /// <param name="Biased">Whether its biases are trained; without, they stay zero, as before a batch normalization.</param>
    public sealed record Convolution(
        string Name, int Filters, int Kernel, int Stride = 1, int Padding = 0, int Groups = 1, bool Biased = true) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input)
        {
            if (Filters < 1)
            {
                throw new AdmmKitException(FormattableString.Invariant($"Layer '{Name}' has {Filters} filters: give it at least one."));
            }

            if (Groups < 1 || input.Channels % Groups != 0 || Filters % Groups != 0)
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"Layer '{Name}' has {Groups} groups, which do not divide its {input.Channels} input channels and {Filters} filters evenly."));
            }

            return Windows(input, Filters, Kernel, Stride, Padding, $"Layer '{Name}' has a {Kernel}x{Kernel} kernel");
        }

        /// <inheritdoc/>
        public override LayerInfo Layer(ImageShape input)
        {
            (ImageShape output, int channels) = (OutputShape(input), input.Channels / Groups);
            return new(Name, LayerKind.Convolution, Filters, channels, Kernel, Kernel, (long)output.Size * channels * Kernel * Kernel);
        }
    }

    /// <summary>A fully connected layer with biases; the input is read channel by channel, row by row.</summary>
    /// <param name="Name">The layer's name.</param>
    /// <param name="Outputs">Output neurons.</param>
    public sealed record FullyConnected(string Name, int Outputs) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => Outputs > 0 ? new(Outputs, 1, 1)
            : throw new AdmmKitException(FormattableString.Invariant($"Layer '{Name}' has {Outputs} outputs: give it at least one."));

        /// <inheritdoc/>
        public override LayerInfo Layer(ImageShape input) =>
            new(Name, LayerKind.FullyConnected, Outputs, input.Size, 1, 1, (long)Outputs * input.Size);
    }

    /// <summary>The largest value of each window; a last row or column that does not fill a window is dropped.</summary>
    /// <param name="Window">Rows and columns of the window.</param>
    /// <param name="Stride">Inputs from one window to the next; 0 for windows side by side.</param>
    /// <param name="Padding">Rows and columns around the input that count as smaller than everything.</param>
    public sealed record MaxPool(int Window, int Stride = 0, int Padding = 0) : Node
    {
        /// <summary>Inputs from one window to the next.</summary>
        public int Step => Stride == 0 ? Window : Stride;

        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) =>
            Windows(input, input.Channels, Window, Step, Padding, $"A pooling step has a {Window}x{Window} window");
    }

    /// <summary>The mean of each window; a last row or column that does not fill a window is dropped.</summary>
    /// <param name="Window">Rows and columns of the window.</param>
    /// <param name="Stride">Inputs from one window to the next; 0 for windows side by side.</param>
    /// <param name="Padding">Rows and columns around the input.</param>
    /// <param name="CountsPadding">Whether what lies around the input counts, as zeros; otherwise a mean is of fewer numbers there.</param>
    public sealed record AveragePool(int Window, int Stride = 0, int Padding = 0, bool CountsPadding = true) : Node
    {
        /// <summary>Inputs from one window to the next.</summary>
        public int Step => Stride == 0 ? Window : Stride;

        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) =>
            Windows(input, input.Channels, Window, Step, Padding, $"A pooling step has a {Window}x{Window} window");
    }

    /// <summary>The mean of each channel.</summary>
    public sealed record GlobalAveragePool : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => new(input.Channels, 1, 1);
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
        public override ImageShape OutputShape(ImageShape input) => Rate is >= 0 and < 1 ? input
            : throw new AdmmKitException(FormattableString.Invariant($"A dropout rate is at least 0 and below 1, not {Rate}."));
    }

    /// <summary>
    /// Batch normalization (Ioffe and Szegedy 2015): scale (x - mean) / sqrt(variance + 1e-5) + shift, a channel each. In
    /// training mean and variance are those of the mini-batch (divided by its size), and a tenth of the way is gone to them in
    /// the running ones, which count otherwise (the variance there divided by one less, as PyTorch has it).
    /// </summary>
    /// <param name="Name">The normalization's name.</param>
    public sealed record BatchNorm(string Name) : Node
    {
        /// <summary>Added to the variance.</summary>
        public const double Epsilon = 1e-5;

        /// <summary>How far the running mean and variance follow those of a mini-batch.</summary>
        public const double Momentum = 0.1;

        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => input;

        /// <inheritdoc/>
        public override NormalizationInfo Normalization(ImageShape input) => new(Name, input.Channels);
    }

    /// <summary>
    /// Local response normalization across channels (Krizhevsky et al. 2012, in Caffe's parameters):
    /// x / (bias + alpha / size * sum of squares of the size channels around)^beta.
    /// </summary>
    /// <param name="Size">Channels in the sum, odd.</param>
    /// <param name="Alpha">Factor of the mean of the squares.</param>
    /// <param name="Beta">The exponent.</param>
    /// <param name="Bias">Added to the sum.</param>
    public sealed record LocalResponseNorm(int Size = 5, double Alpha = 1e-4, double Beta = 0.75, double Bias = 1) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => Size > 0 && Size % 2 == 1 && Bias > 0 && Alpha >= 0 ? input
            : throw new AdmmKitException(FormattableString.Invariant(
                $"A local response normalization is over an odd number of channels with a positive bias and no negative alpha, not {Size}, {Bias} and {Alpha}."));
    }

    /// <summary>(x - mean) / deviation of each channel: brings pixels in [0, 1] to the scale that a network was trained with.</summary>
    /// <param name="Means">One mean a channel.</param>
    /// <param name="Deviations">One standard deviation a channel.</param>
    public sealed record Standardize(IReadOnlyList<float> Means, IReadOnlyList<float> Deviations) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) =>
            input.Channels == Means.Count && input.Channels == Deviations.Count && Deviations.All(d => d > 0)
            ? input
            : throw new AdmmKitException(FormattableString.Invariant(
                $"The images have {input.Channels} channels: give a mean and a positive deviation for each, not {Means.Count} and {Deviations.Count}."));

        /// <inheritdoc/>
        public bool Equals(Standardize? other) =>
            other is not null && Means.SequenceEqual(other.Means) && Deviations.SequenceEqual(other.Deviations);

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(Means.Count, Deviations.Count);
    }

    /// <summary>
    /// The shortcut without weights of a residual block ("option A" of He et al. 2016, sec. 3.3): every Stride-th row and column,
    /// and channels of zeros, half of the new ones before the others and half after them.
    /// </summary>
    /// <param name="Filters">Channels of the output.</param>
    /// <param name="Stride">Inputs from one output to the next.</param>
    public sealed record Shortcut(int Filters, int Stride) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => Filters >= input.Channels
            ? Windows(input, Filters, 1, Stride, 0, "A shortcut")
            : throw new AdmmKitException(FormattableString.Invariant(
                $"A shortcut adds channels of zeros, but its {input.Channels} input channels are more than its {Filters} outputs."));
    }

    /// <summary>The sum of its inputs.</summary>
    public sealed record Add : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => input;

        /// <inheritdoc/>
        public override ImageShape OutputShape(IReadOnlyList<ImageShape> inputs)
        {
            ArgumentNullException.ThrowIfNull(inputs);
            return inputs.Count > 1 && inputs.All(i => i == inputs[0]) ? inputs[0]
                : throw new AdmmKitException($"A sum is of two or more outputs of one shape, not of {string.Join(", ", inputs)}.");
        }
    }

    /// <summary>The channels of its inputs one after the other.</summary>
    public sealed record Concat : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => input;

        /// <inheritdoc/>
        public override ImageShape OutputShape(IReadOnlyList<ImageShape> inputs)
        {
            ArgumentNullException.ThrowIfNull(inputs);
            return inputs.Count > 1 && inputs.All(i => (i.Height, i.Width) == (inputs[0].Height, inputs[0].Width))
                ? inputs[0] with { Channels = inputs.Sum(i => i.Channels) }
                : throw new AdmmKitException($"Channels are put together of two or more outputs of one size, not of {string.Join(", ", inputs)}.");
        }
    }

    /// <summary>
    /// A layer of a network whose graph is not known, such as a module of another library: it can be pruned, quantized and stored,
    /// and only the program that it came from can compute it. See <see cref="NetworkSpec.OfLayers"/>.
    /// </summary>
    /// <param name="Name">The layer's name.</param>
    /// <param name="Kind">Convolution or fully connected.</param>
    /// <param name="Rows">Filters or output neurons.</param>
    /// <param name="InputChannels">Input channels that one filter reads, or input neurons.</param>
    /// <param name="KernelHeight">Rows of the kernel.</param>
    /// <param name="KernelWidth">Columns of the kernel.</param>
    /// <param name="Macs">Multiply-accumulates for one input image.</param>
    public sealed record LooseLayer(
        string Name, LayerKind Kind, int Rows, int InputChannels, int KernelHeight, int KernelWidth, long Macs) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => Rows > 0 && InputChannels > 0 && KernelHeight > 0 && KernelWidth > 0
            ? new(Rows, 1, 1)
            : throw new AdmmKitException($"Layer '{Name}' has no weights: give it at least one row, input channel, kernel row and column.");

        /// <inheritdoc/>
        public override LayerInfo Layer(ImageShape input) => new(Name, Kind, Rows, InputChannels, KernelHeight, KernelWidth, Macs);
    }

    /// <summary>A batch normalization of a network whose graph is not known: as <see cref="LooseLayer"/>.</summary>
    /// <param name="Name">Its name.</param>
    /// <param name="Channels">Channels that it normalizes.</param>
    public sealed record LooseNormalization(string Name, int Channels) : Node
    {
        /// <inheritdoc/>
        public override ImageShape OutputShape(ImageShape input) => Channels > 0 ? input
            : throw new AdmmKitException($"Batch normalization '{Name}' has no channels: give it at least one.");

        /// <inheritdoc/>
        public override NormalizationInfo Normalization(ImageShape input) => new(Name, Channels);
    }

    private static ImageShape Windows(ImageShape input, int channels, int window, int stride, int padding, string who)
    {
        if (window < 1 || stride < 1 || padding < 0 || padding >= window)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{who}, stride {stride} and padding {padding}: window and stride are at least 1, and the padding is smaller than the window."));
        }

        (int height, int width) = (input.Height + (2 * padding) - window, input.Width + (2 * padding) - window);
        return height >= 0 && width >= 0 ? new(channels, (height / stride) + 1, (width / stride) + 1)
            : throw new AdmmKitException(FormattableString.Invariant(
                $"{who}, but its input is only {input.Height}x{input.Width}: use larger images or another architecture."));
    }
}
