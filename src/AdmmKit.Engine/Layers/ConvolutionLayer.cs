using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>
/// Direct convolution. The outputs at one position are a small matrix product whose "columns" are the images of a block:
/// filters times the inputs under the kernel. The filters are packed into panels; the inputs are read where they lie, or
/// from a copy of a few rows with the padding around them.
/// </summary>
internal sealed unsafe partial class ConvolutionLayer : Layer, IParameterLayer
{
    // Inputs under the kernel that one pass over the filters reads; this many lines of 128 bytes stay in a 32 KiB cache.
    private const int ChunkLines = 250;

    // Copied rows stay in a second-level cache.
    private const int MaxCopy = 128 * 1024;

    private readonly Node.Convolution node;
    private readonly Panels forward;
    private readonly Panels backward;
    private readonly Action<int> forwardBand;
    private readonly Action<int> backwardBand;
    private readonly Action<int> weightGradient;
    private readonly Action<int> biasGradient;

    public ConvolutionLayer(Node.Convolution node, IReadOnlyList<Source> sources, ImageShape output, LayerContext context)
        : base(sources, output, context)
    {
        this.node = node;
        Parameters = new Parameters(node.Layer(Input)!, context.ForTraining, node.Biased, CanRunSparse && node.Groups == 1);
        (forwardBand, backwardBand, weightGradient, biasGradient) = (ForwardBand, BackwardBand, WeightGradient, BiasGradient);
        (surroundPlane, gatherPlane, survivorBand) = (SurroundPlane, GatherPlane, SurvivorBand);
        forward = PlanForward();
        backward = PlanBackward();
        columnTiles = context.ForTraining ? PlanWeightGradient() : [];
        context.NeedScratch(Math.Max(Math.Max(forward.CopySize, backward.CopySize), TilesAtOnce * SumsOfTile));
    }

    public Parameters Parameters { get; }

    public override bool CanRectify => true;

    private LayerInfo Info => Parameters.Info;

    private int KernelSize => node.Kernel;

    private int TapCount => node.Kernel * node.Kernel;

    /// <summary>Numbers of a row of positions that one product gives: neighbours, or with a stride the images of one position.</summary>
    private int Strip => node.Stride == 1 ? KernelSet.MaxBlock : Block;

    private int FiltersOfGroup => node.Filters / node.Groups;

    public override void Forward()
    {
        if (survivors is not null)
        {
            Context.Pool.Run(Pass.Blocks * SurvivorBands, survivorBand);
            return;
        }

        if (sparse is not null)
        {
            SparseForward(sparse);
            Rectify();
            return;
        }

        forward.Pack(Context.Pool, Parameters.Weights);
        Context.Pool.Run(Pass.Blocks * forward.Bands, forwardBand);
    }

    public override void Backward()
    {
        BackwardThroughRectifier();
        if (sparse is not null)
        {
            SparseBackward(sparse);
            return;
        }

        Context.Pool.Run(WeightGradientTasks, weightGradient);
        if (node.Biased)
        {
            Context.Pool.Run(Info.Rows, biasGradient);
        }

        if (Dx != null)
        {
            backward.Pack(Context.Pool, Parameters.Weights);
            Context.Pool.Run(Pass.Blocks * backward.Bands, backwardBand);
        }
    }

    private Panels PlanForward()
    {
        int channels = Info.InputChannels;
        bool copy = node.Padding > 0;
        int pitch = (Input.Width + (2 * node.Padding)) * Block;
        (int chunk, int band, int rowsOfBand) = Chunks(channels, OutputShape.Height, b => ((b - 1) * node.Stride) + KernelSize, copy ? pitch : 0);
        int channelPitch = copy ? rowsOfBand * pitch : InputPlane;
        // With few channels a run of products goes along a row of the kernel, else along the channels at one tap.
        bool alongRow = channels < KernelSize;
        IEnumerable<(int, int)> All(int position) => alongRow
            ? from channel in Enumerable.Range(0, channels)
              from ky in Enumerable.Range(0, KernelSize)
              select ((channel * KernelSize) + ky, (channel * channelPitch) + (ky * pitch))
            : from tap in Enumerable.Range(0, TapCount)
              select (tap, (tap / KernelSize * pitch) + (tap % KernelSize * Block));
        return new Panels
        {
            Groups = node.Groups,
            Rows = FiltersOfGroup,
            Depth = alongRow ? 1 : channels,
            Chunk = alongRow ? 1 : chunk,
            RunLength = alongRow ? KernelSize : 0,
            SegmentCount = alongRow ? channels * KernelSize : TapCount,
            Band = band,
            Bands = (OutputShape.Height + band - 1) / band,
            RowsOfBand = rowsOfBand,
            Copy = copy,
            Pitch = pitch,
            ChannelPitch = channelPitch,
            Step = alongRow ? Block : channelPitch,
            Taps = new Taps(1, All),
            GroupStride = FiltersOfGroup * Info.Columns,
            RowStride = Info.Columns,
            SegmentStride = alongRow ? KernelSize : 1,
            RunStride = alongRow ? 1 : TapCount,
            CopySize = copy ? (alongRow ? channels : chunk) * channelPitch : 0,
        };
    }

    /// <summary>How many channels and rows are taken at once: what is read again and again stays in a near cache.</summary>
    private (int Chunk, int Band, int RowsOfBand) Chunks(int channels, int rows, Func<int, int> needed, int pitch)
    {
        int parts = (channels + Math.Max(1, ChunkLines / TapCount) - 1) / Math.Max(1, ChunkLines / TapCount);
        int chunk = (channels + parts - 1) / parts;
        int band = Math.Clamp((rows + 3) / 4, 1, 8);
        while (band > 1 && needed(band) * pitch * chunk > MaxCopy)
        {
            band = (band + 1) / 2;
        }

        return (chunk, band, needed(band));
    }

    private void ForwardBand(int task)
    {
        (int block, int y0) = (task / forward.Bands, task % forward.Bands * forward.Band);
        int rows = Math.Min(forward.Band, OutputShape.Height - y0);
        int* segments = forward.Taps.At(0, out int count);
        float* copy = Context.Scratch.Pointer;
        for (int group = 0; group < node.Groups; group++)
        {
            for (int start = 0; start < forward.Depth; start += forward.Chunk)
            {
                int length = Math.Min(forward.Chunk, forward.Depth - start);
                float* x = Plane(Sources[0].Values, Input, block, (group * Info.InputChannels) + start);
                float* source = x + (y0 * node.Stride * Input.Width * Block);
                if (forward.Copy)
                {
                    int channels = forward.RunLength > 0 ? Info.InputChannels : length;
                    CopyRows(x, Input, channels, (y0 * node.Stride) - node.Padding, forward.RowsOfBand, node.Padding, node.Padding, copy);
                    source = copy;
                }

                var geometry = new PanelGeometry
                {
                    PanelRows = forward.PanelRows,
                    BStep = forward.Step,
                    CRow = OutputPlane,
                    Length = forward.RunLength > 0 ? forward.RunLength : length,
                    Width = Strip,
                    Segments = segments,
                    SegmentCount = count,
                };
                int width = OutputShape.Width * Block;
                for (int y = 0; y < rows; y++)
                {
                    float* output = Plane(Output, OutputShape, block, group * FiltersOfGroup) + ((y0 + y) * OutputShape.Width * Block);
                    float* line = source + (y * node.Stride * forward.Pitch);
                    for (int first = 0; first < width; first += Strip)
                    {
                        PanelGeometry strip = width - first < Strip ? geometry with { Width = width - first } : geometry;
                        for (int panel = 0; panel < forward.PanelCount; panel++)
                        {
                            int row = panel * forward.PanelRows;
                            Context.Products.MultiplyPanel(
                                strip,
                                forward.Panel(group, panel, start),
                                line + (first * node.Stride),
                                output + ((nint)row * OutputPlane) + first,
                                Parameters.Biases.Pointer + (group * FiltersOfGroup) + row,
                                Math.Min(forward.PanelRows, FiltersOfGroup - row),
                                start > 0);
                        }
                    }
                }
            }
        }

        for (int filter = 0; Rectified && filter < node.Filters; filter++)
        {
            float* output = Plane(Output, OutputShape, block, filter) + (y0 * OutputShape.Width * Block);
            Kernels.Relu(output, output, rows * OutputShape.Width * Block);
        }
    }

    /// <summary>Copies rows of some channels, with zeros where there are none and columns of zeros on both sides.</summary>
    private void CopyRows(float* planes, ImageShape shape, int channels, int first, int rows, int left, int right, float* to)
    {
        int width = shape.Width * Block;
        for (int channel = 0; channel < channels; channel++)
        {
            float* plane = planes + ((nint)channel * shape.Height * width);
            for (int row = first; row < first + rows; row++)
            {
                bool inside = (uint)row < (uint)shape.Height;
                new Span<float>(to, left * Block).Clear();
                to += left * Block;
                if (inside)
                {
                    new ReadOnlySpan<float>(plane + ((nint)row * width), width).CopyTo(new Span<float>(to, width));
                }
                else
                {
                    new Span<float>(to, width).Clear();
                }

                to += width;
                new Span<float>(to, right * Block).Clear();
                to += right * Block;
            }
        }
    }
}
