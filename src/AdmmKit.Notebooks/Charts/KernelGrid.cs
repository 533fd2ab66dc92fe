using AdmmKit.Networks;

namespace AdmmKit.Notebooks.Charts;

/// <summary>
/// The kernels of a convolution as a grid of small pictures: a filter in a line, an input channel in a column; filters of a
/// few channels stand side by side. A pruned weight, exactly zero, is an empty place. Of large layers the first filters and
/// channels are shown, which the picture says.
/// </summary>
/// <param name="Title">The title.</param>
/// <param name="Filters">Filters, at least 1.</param>
/// <param name="Channels">Input channels that a filter reads, at least 1.</param>
/// <param name="Height">Rows of a kernel, at least 1.</param>
/// <param name="Width">Columns of a kernel, at least 1.</param>
/// <param name="Weights">The weights by filter, channel, row and column.</param>
[TypeFormatterSource(typeof(ChartForms))]
public sealed record KernelGrid(string Title, int Filters, int Channels, int Height, int Width, ReadOnlyMemory<float> Weights) : IChart
{
    // With these a cell has some pixels, and the SVG less than 200 KB.
    private const int MostAcross = 180, MostDown = 120;

    private const int FewChannels = 4, LargestKernel = 60;

    /// <summary>The kernels of a convolution, W_i of [Ren2019] sec. 3.1.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="title">The title; null: the layer's name and shape.</param>
    public static KernelGrid Of(LayerInfo layer, ReadOnlyMemory<float> weights, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        title ??= $"{layer.Name}, {layer.Shape}";
        return new(title, layer.Rows, layer.InputChannels, layer.KernelHeight, layer.KernelWidth, weights);
    }

    /// <summary>The ends of the colours, for pictures to be compared; null: those of the weights shown.</summary>
    public (double Low, double High)? Ends { get; init; }

    /// <summary>The chart as a stand-alone SVG document.</summary>
    /// <exception cref="AdmmKitException">
    /// There are not as many weights as the sizes say, a size is not positive, or a kernel is larger than 60 x 60.
    /// </exception>
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
        if (Filters < 1 || Channels < 1 || Height < 1 || Width < 1 || (Int128)Filters * Channels * Height * Width != Weights.Length)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The kernels '{Title}' are {Weights.Length} weights for {Filters} filters of {Channels} channels, {Height} x {Width}: ")
                + "give one each.");
        }

        if (Height > LargestKernel || Width > LargestKernel)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The kernels '{Title}' are {Height} x {Width}, but at most {LargestKernel} x {LargestKernel} can be shown: ")
                + "give each as a HeatMap.");
        }

        // An empty cell parts the kernels, and another one the filters that stand side by side.
        (int high, int wide) = (Height + 1, Width + 1);
        int channels = Math.Min(Channels, Math.Max(1, MostAcross / wide)), strip = (channels * wide) + (channels > 1 ? 1 : 0);
        int lines = Math.Max(1, MostDown / high), across = 1;
        if (Channels <= FewChannels)
        {
            int most = Math.Max(1, MostAcross / strip);
            across = Math.Clamp((int)Math.Ceiling(Math.Sqrt(2.0 * Filters * high / strip)), 1, most);
            // Lines of the same length, if a little longer ones are.
            across = Enumerable.Range(across, across).FirstOrDefault(a => a <= most && Filters % a == 0, across);
        }

        int filters = (int)Math.Min(Filters, (long)lines * across);
        lines = (filters + across - 1) / across;
        int columns = ((across - 1) * strip) + (channels * wide) - 1;
        var cells = new float[((lines * high) - 1) * columns];
        Array.Fill(cells, float.NaN);
        var frames = new List<(int, int, int, int)>();
        ReadOnlySpan<float> weights = Weights.Span;
        for (int f = 0; f < filters; f++)
        {
            for (int c = 0; c < channels; c++)
            {
                (int x, int y) = ((f % across * strip) + (c * wide), f / across * high);
                frames.Add((x, y, Width, Height));
                for (int i = 0; i < Height * Width; i++)
                {
                    float w = weights[(((f * Channels) + c) * Height * Width) + i];
                    cells[((y + (i / Width)) * columns) + x + (i % Width)] = w == 0 ? float.NaN : w;
                }
            }
        }

        int survivors = weights.Length - weights.Count(0f);
        string[] parts =
        [
            filters == Filters ? "" : FormattableString.Invariant($"the first {filters} of {Filters} filters"),
            channels == Channels ? "" : FormattableString.Invariant($"the first {channels} of {Channels} channels"),
        ];
        string shown = string.Join(" and ", parts.Where(p => p.Length > 0));
        string each = channels == 1 ? "" : FormattableString.Invariant($" of {channels} input channels each");
        return new CellPicture(
            Title, across > 1 ? FormattableString.Invariant($"{across} filters a line{each}") : "input channel", "filter", "weight",
            (lines * high) - 1, columns, cells, ColourRange.Diverging,
            across > 1 ? default : new CellIndex(channels, Width / 2.0, wide), new CellIndex(lines, Height / 2.0, high, across))
        {
            Ends = Ends,
            Frames = frames,
            Absent = survivors == weights.Length ? null : "pruned (exactly zero)",
            Note = FormattableString.Invariant($"{survivors:#,0} of {weights.Length:#,0} weights survive.")
                + (shown.Length > 0 ? $" Shown are {shown}." : ""),
        };
    }
}
