using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>y = W x + b, for all images of a block at once.</summary>
internal sealed unsafe partial class FullyConnectedLayer : Layer, IParameterLayer
{
    // Rows of a task: small enough to share out evenly, large enough that the inputs are read from a near cache.
    private const int RowsAtOnce = 4 * KernelSet.TileRows;

    private readonly Action<int> forwardRows;
    private readonly Action<int> backwardRows;
    private readonly Action<int> transposeBlock;
    private readonly Action<int> weightGradientRows;
    private readonly FloatBuffer transposed;
    private readonly int pitch;
    private readonly int[] oneSegment = [0, 0];
    private readonly int[] blockSegments;
    private SparseProduct? sparse;

    public FullyConnectedLayer(Node.FullyConnected node, IReadOnlyList<Source> sources, ImageShape output, LayerContext context)
        : base(sources, output, context)
    {
        LayerInfo info = node.Layer(Input)!;
        int maxBlocks = context.MaxBlocks;
        Parameters = new Parameters(info, context.ForTraining, biased: true, CanRunSparse && (!Sources[0].Shared || Dx == null));
        forwardRows = ForwardRows;
        backwardRows = BackwardRows;
        transposeBlock = TransposeBlock;
        weightGradientRows = WeightGradientRows;
        survivorRows = SurvivorRows;
        pitch = (info.Columns + KernelSet.MaxBlock - 1) / KernelSet.MaxBlock * KernelSet.MaxBlock;
        transposed = new FloatBuffer(context.ForTraining ? (long)pitch * Block * maxBlocks : 0);
        blockSegments = new int[2 * maxBlocks];
        for (int block = 0; block < maxBlocks; block++)
        {
            blockSegments[2 * block] = block * output.Size * Block;
            blockSegments[(2 * block) + 1] = block * Block * pitch;
        }
    }

    public Parameters Parameters { get; }

    public override bool CanRectify => true;

    private LayerInfo Info => Parameters.Info;

    public override void Forward()
    {
        if (survivors is not null)
        {
            Context.Pool.Run(SurvivorTasks, survivorRows);
            return;
        }

        if (sparse is not null)
        {
            sparse.Forward(Pass.Blocks, X, Output.Pointer);
            Rectify();
            return;
        }

        Context.Pool.Run(Tasks(Info.Rows), forwardRows);
    }

    public override void SetRead(bool[] read)
    {
        base.SetRead(read);
        survivors = Parameters.SurvivorsAlone ? FindSurvivors() : null;
        sparse = Parameters.Sparse is null ? null : new SparseProduct(Parameters, SparseGeometry(), Live, Context);
    }

    public override bool[] InputsRead() => survivors?.InputsRead ?? sparse?.InputsRead ?? base.InputsRead();

    public override void Backward()
    {
        BackwardThroughRectifier();
        if (sparse is not null)
        {
            sparse.Backward(Pass.Blocks, X, OutputGradient.Pointer, Dx);
            return;
        }

        Context.Pool.Run(Pass.Blocks, transposeBlock);
        Context.Pool.Run(Tasks(Info.Rows), weightGradientRows);
        if (Dx != null)
        {
            Context.Pool.Run(Tasks(Info.Columns), backwardRows);
        }
    }

    private SparseGeometry SparseGeometry() => new()
    {
        Block = Block,
        Height = 1,
        Width = 1,
        OutputPitch = Block,
        OutputPlane = Block,
        OutputSize = Info.Rows * Block,
        InputPitch = Block,
        InputStep = Block,
        InputPlane = Info.Columns / Input.Channels * Block,
        InputSize = Info.Columns * Block,
        InputChannels = Input.Channels,
        ColumnOffsets = [.. Enumerable.Range(0, Info.Columns).Select(c => c * Block)],
    };

    private static int Tasks(int rows) => (rows + RowsAtOnce - 1) / RowsAtOnce;

    private void ForwardRows(int task)
    {
        int row = task * RowsAtOnce;
        fixed (int* segments = oneSegment)
        {
            var geometry = new TileGeometry
            {
                ARow = Info.Columns,
                AStep = 1,
                BStep = Block,
                CRow = Block,
                Length = Info.Columns,
                Width = Block,
                Segments = segments,
                SegmentCount = 1,
            };
            for (int block = 0; block < Pass.Blocks; block++)
            {
                Kernels.Multiply(
                    geometry,
                    Parameters.Weights.Pointer + ((nint)row * Info.Columns),
                    X + ((nint)block * Input.Size * Block),
                    Output.Pointer + ((((nint)block * Info.Rows) + row) * Block),
                    Parameters.Biases.Pointer + row,
                    Math.Min(RowsAtOnce, Info.Rows - row),
                    accumulate: false);
                if (Rectified)
                {
                    float* y = Output.Pointer + ((((nint)block * Info.Rows) + row) * Block);
                    Kernels.Relu(y, y, Math.Min(RowsAtOnce, Info.Rows - row) * Block);
                }
            }
        }
    }

    private void BackwardRows(int task)
    {
        int column = task * RowsAtOnce;
        fixed (int* segments = oneSegment)
        {
            var geometry = new TileGeometry
            {
                ARow = 1,
                AStep = Info.Columns,
                BStep = Block,
                CRow = Block,
                Length = Info.Rows,
                Width = Block,
                Segments = segments,
                SegmentCount = 1,
            };
            for (int block = 0; block < Pass.Blocks; block++)
            {
                Kernels.Multiply(
                    geometry,
                    Parameters.Weights.Pointer + column,
                    OutputGradient.Pointer + ((nint)block * Info.Rows * Block),
                    Dx + ((((nint)block * Info.Columns) + column) * Block),
                    null,
                    Math.Min(RowsAtOnce, Info.Columns - column),
                    Sources[0].Accumulate);
            }
        }
    }

    /// <summary>[input][image] to [image][input], so that the weight gradient is a product over images.</summary>
    private void TransposeBlock(int block)
    {
        float* source = X + ((nint)block * Input.Size * Block);
        float* destination = transposed.Pointer + ((nint)block * Block * pitch);
        for (int i = 0; i < Info.Columns; i += 16)
        {
            int end = Math.Min(i + 16, Info.Columns);
            for (int image = 0; image < Block; image++)
            {
                for (int j = i; j < end; j++)
                {
                    destination[((nint)image * pitch) + j] = source[((nint)j * Block) + image];
                }
            }
        }
    }

    private void WeightGradientRows(int task)
    {
        int row = task * RowsAtOnce;
        int rows = Math.Min(RowsAtOnce, Info.Rows - row);
        fixed (int* segments = blockSegments)
        {
            var geometry = new TileGeometry
            {
                ARow = Block,
                AStep = 1,
                BStep = pitch,
                CRow = Info.Columns,
                Length = Block,
                Width = Info.Columns,
                Segments = segments,
                SegmentCount = Pass.Blocks,
            };
            Context.Products.Multiply(
                geometry,
                OutputGradient.Pointer + ((nint)row * Block),
                transposed.Pointer,
                Parameters.WeightGradient.Pointer + ((nint)row * Info.Columns),
                null,
                rows,
                accumulate: false);
        }

        for (int r = row; r < row + rows; r++)
        {
            float sum = 0;
            for (int block = 0; block < Pass.Blocks; block++)
            {
                sum += Kernels.Sum(OutputGradient.Pointer + ((((nint)block * Info.Rows) + r) * Block), Block);
            }

            Parameters.BiasGradient.Pointer[r] = sum;
        }
    }
}
