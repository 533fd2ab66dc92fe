using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>
/// Direct convolution. One row of outputs is a small matrix product for each output position, whose "columns" are the
/// images of a block: filters times the inputs under the kernel, which lie at fixed offsets from the position.
/// </summary>
internal sealed unsafe class ConvolutionLayer : Layer, IParameterLayer
{
    // Inputs under the kernel that one pass over the filters reads; this many lines of 128 bytes stay in a 32 KiB cache.
    private const int ChunkLines = 250;

    private readonly int kernel;
    private readonly Action<int> forwardRow;
    private readonly Action<int> backwardRow;
    private readonly Action<int> weightGradientRow;
    private readonly Action<int> biasGradientRow;
    private readonly int[] forwardSegments;
    private readonly int[][] backwardSegments;
    private SparseProduct? sparse;

    public ConvolutionLayer(LayerInfo info, ImageShape input, ImageShape output, int maxBlocks, LayerContext context)
        : base(input, output, maxBlocks, context)
    {
        Parameters = new Parameters(info, context.ForTraining);
        kernel = info.KernelHeight;
        forwardRow = ForwardRow;
        backwardRow = BackwardRow;
        weightGradientRow = WeightGradientRow;
        biasGradientRow = BiasGradientRow;
        forwardSegments = ForwardSegments();
        backwardSegments = BackwardSegments();
    }

    public Parameters Parameters { get; }

    private LayerInfo Info => Parameters.Info;

    private int InputPlane => Input.Height * Input.Width * Block;

    private int OutputPlane => OutputShape.Height * OutputShape.Width * Block;

    private int Taps => kernel * kernel;

    /// <summary>With few input channels a segment runs along a kernel row, else along the channels.</summary>
    private bool SegmentsRunAlongRow => Info.InputChannels < kernel;

    public override void Forward()
    {
        if (sparse is not null)
        {
            sparse.Forward(Pass.Blocks, X, Output.Pointer);
            return;
        }

        Context.Pool.Run(Pass.Blocks * OutputShape.Height, forwardRow);
    }

    public override void SetRead(bool[] read)
    {
        base.SetRead(read);
        sparse = Parameters.Sparse is null ? null : new SparseProduct(Parameters, SparseGeometry(), Live, Context);
    }

    public override bool[] InputsRead() => sparse?.InputsRead ?? base.InputsRead();

    public override void Backward()
    {
        if (sparse is not null)
        {
            sparse.Backward(Pass.Blocks, X, OutputGradient.Pointer, Dx);
            return;
        }

        Parameters.WeightGradient.Span.Clear();
        Context.Pool.Run((Info.Rows + KernelSet.TileRows - 1) / KernelSet.TileRows * Info.InputChannels * kernel, weightGradientRow);
        Context.Pool.Run(Info.Rows, biasGradientRow);
        if (Dx != null)
        {
            Context.Pool.Run(Pass.Blocks * Input.Height, backwardRow);
        }
    }

    private SparseGeometry SparseGeometry() => new()
    {
        Block = Block,
        Height = OutputShape.Height,
        Width = OutputShape.Width,
        OutputPitch = OutputShape.Width * Block,
        OutputPlane = OutputPlane,
        OutputSize = OutputShape.Size * Block,
        InputPitch = Input.Width * Block,
        InputStep = Block,
        InputPlane = InputPlane,
        InputSize = Input.Size * Block,
        InputChannels = Input.Channels,
        ColumnOffsets = [.. Enumerable.Range(0, Info.Columns).Select(c =>
            (c / Taps * InputPlane) + (((c % Taps / kernel * Input.Width) + (c % kernel)) * Block))],
    };

    private int[] ForwardSegments()
    {
        var segments = new List<int>();
        if (SegmentsRunAlongRow)
        {
            for (int line = 0; line < Info.InputChannels * kernel; line++)
            {
                segments.Add(line * kernel);
                segments.Add(((line / kernel) * InputPlane) + ((line % kernel) * Input.Width * Block));
            }
        }
        else
        {
            for (int tap = 0; tap < Taps; tap++)
            {
                segments.Add(tap);
                segments.Add(((tap / kernel * Input.Width) + (tap % kernel)) * Block);
            }
        }

        return [.. segments];
    }

    /// <summary>For each input position within a row and each row: the outputs that read it, as (weight, output) offsets.</summary>
    private int[][] BackwardSegments()
    {
        var table = new int[Input.Height * Input.Width][];
        for (int y = 0; y < Input.Height; y++)
        {
            for (int x = 0; x < Input.Width; x++)
            {
                var segments = new List<int>();
                for (int tap = 0; tap < Taps; tap++)
                {
                    int oy = y - (tap / kernel);
                    int ox = x - (tap % kernel);
                    if (oy >= 0 && oy < OutputShape.Height && ox >= 0 && ox < OutputShape.Width)
                    {
                        segments.Add(tap);
                        segments.Add(((oy * OutputShape.Width) + ox) * Block);
                    }
                }

                table[(y * Input.Width) + x] = [.. segments];
            }
        }

        return table;
    }

    private void ForwardRow(int task)
    {
        int block = task / OutputShape.Height;
        int y = task % OutputShape.Height;
        float* x = X + ((nint)block * Input.Size * Block) + (y * Input.Width * Block);
        float* output = Output.Pointer + ((nint)block * OutputShape.Size * Block) + (y * OutputShape.Width * Block);
        float* weights = Parameters.Weights.Pointer;
        bool along = SegmentsRunAlongRow;
        int channelsAtOnce = along ? Info.InputChannels : Math.Max(1, ChunkLines / Taps);
        fixed (int* segments = forwardSegments)
        {
            for (int channel = 0; channel < Info.InputChannels; channel += channelsAtOnce)
            {
                var geometry = new TileGeometry
                {
                    ARow = Info.Columns,
                    AStep = along ? 1 : Taps,
                    BStep = along ? Block : InputPlane,
                    CRow = OutputPlane,
                    Length = along ? kernel : Math.Min(channelsAtOnce, Info.InputChannels - channel),
                    Width = Block,
                    Segments = segments,
                    SegmentCount = forwardSegments.Length / 2,
                };
                float* a = weights + (channel * Taps);
                float* b = x + ((nint)channel * InputPlane);
                for (int ox = 0; ox < OutputShape.Width; ox++)
                {
                    Kernels.Multiply(geometry, a, b + (ox * Block), output + (ox * Block), Parameters.Biases.Pointer, Info.Rows, channel > 0);
                }
            }
        }
    }

    private void BackwardRow(int task)
    {
        int block = task / Input.Height;
        int y = task % Input.Height;
        float* dx = Dx + ((nint)block * Input.Size * Block) + (y * Input.Width * Block);
        float* dy = OutputGradient.Pointer + ((nint)block * OutputShape.Size * Block);
        int filtersAtOnce = Math.Max(1, ChunkLines / Taps);
        for (int filter = 0; filter < Info.Rows; filter += filtersAtOnce)
        {
            float* a = Parameters.Weights.Pointer + ((nint)filter * Info.Columns);
            float* b = dy + ((nint)filter * OutputPlane);
            for (int x = 0; x < Input.Width; x++)
            {
                int[] positions = backwardSegments[(y * Input.Width) + x];
                fixed (int* segments = positions)
                {
                    var geometry = new TileGeometry
                    {
                        ARow = Taps,
                        AStep = Info.Columns,
                        BStep = OutputPlane,
                        CRow = InputPlane,
                        Length = Math.Min(filtersAtOnce, Info.Rows - filter),
                        Width = Block,
                        Segments = segments,
                        SegmentCount = positions.Length / 2,
                    };
                    Kernels.Multiply(geometry, a, b, dx + (x * Block), null, Info.InputChannels, filter > 0);
                }
            }
        }
    }

    private void WeightGradientRow(int task)
    {
        int lines = Info.InputChannels * kernel;
        int row = task / lines * KernelSet.TileRows;
        int line = task % lines;
        var geometry = new CorrelateGeometry
        {
            Height = OutputShape.Height,
            Width = OutputShape.Width,
            DyRow = OutputPlane,
            XPitch = Input.Width * Block,
            CRow = Info.Columns,
        };
        for (int block = 0; block < Pass.Blocks; block++)
        {
            Kernels.Correlate(
                geometry,
                OutputGradient.Pointer + ((nint)block * OutputShape.Size * Block) + ((nint)row * OutputPlane),
                X + ((nint)block * Input.Size * Block) + ((nint)(line / kernel) * InputPlane) + (line % kernel * Input.Width * Block),
                Parameters.WeightGradient.Pointer + ((nint)row * Info.Columns) + (line * kernel),
                Math.Min(KernelSet.TileRows, Info.Rows - row),
                kernel);
        }
    }

    private void BiasGradientRow(int row)
    {
        float sum = 0;
        for (int block = 0; block < Pass.Blocks; block++)
        {
            sum += Kernels.Sum(OutputGradient.Pointer + ((nint)block * OutputShape.Size * Block) + ((nint)row * OutputPlane), OutputPlane);
        }

        Parameters.BiasGradient.Pointer[row] = sum;
    }
}
