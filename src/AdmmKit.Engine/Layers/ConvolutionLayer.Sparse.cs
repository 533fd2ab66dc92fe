namespace AdmmKit.Engine.Layers;

/// <summary>A pruned convolution, with its survivors alone. Where there is padding the input is copied with the zeros around it.</summary>
internal sealed unsafe partial class ConvolutionLayer
{
    private readonly Action<int> surroundPlane;
    private readonly Action<int> gatherPlane;
    private SparseProduct? sparse;
    private FloatBuffer surrounded = new(0);
    private FloatBuffer surroundedGradient = new(0);

    /// <summary>The products want the zeros in memory, and leave the gradient of what no survivor reads to others.</summary>
    private bool Copies => node.Padding > 0 || (Sources[0].Shared && Dx != null);

    private int Around => Copies ? node.Padding : 0;

    private int SurroundedPitch => (Input.Width + (2 * Around)) * Block;

    private int SurroundedPlane => (Input.Height + (2 * Around)) * SurroundedPitch;

    public override void SetRead(bool[] read)
    {
        base.SetRead(read);
        survivors = Parameters.SurvivorsAlone ? FindSurvivors() : null;
        sparse = Parameters.Sparse is null ? null : new SparseProduct(Parameters, SparseGeometry(), Live, Context);
        if (sparse is not null && Copies && surrounded.Length == 0)
        {
            long size = (long)Context.MaxBlocks * Input.Channels * SurroundedPlane;
            (surrounded, surroundedGradient) = (new FloatBuffer(size), new FloatBuffer(Dx == null ? 0 : size));
        }

        // The products leave alone what no survivor reads.
        surroundedGradient.Span.Clear();
    }

    public override bool[] InputsRead() => survivors?.InputsRead ?? sparse?.InputsRead ?? base.InputsRead();

    private SparseGeometry SparseGeometry() => new()
    {
        Block = Block,
        Height = OutputShape.Height,
        Width = OutputShape.Width,
        OutputPitch = OutputShape.Width * Block,
        OutputPlane = OutputPlane,
        OutputSize = OutputShape.Size * Block,
        InputPitch = node.Stride * SurroundedPitch,
        InputStep = node.Stride * Block,
        InputPlane = SurroundedPlane,
        InputSize = Input.Channels * SurroundedPlane,
        InputChannels = Input.Channels,
        ColumnOffsets = [.. Enumerable.Range(0, Info.Columns).Select(c =>
            (c / TapCount * SurroundedPlane) + (c % TapCount / KernelSize * SurroundedPitch) + (c % KernelSize * Block))],
    };

    private void SparseForward(SparseProduct product)
    {
        if (Copies)
        {
            Context.Pool.Run(Pass.Blocks * Input.Channels, surroundPlane);
        }

        product.Forward(Pass.Blocks, Copies ? surrounded.Pointer : X, Output.Pointer);
    }

    private void SparseBackward(SparseProduct product)
    {
        float* dx = Dx == null ? null : Copies ? surroundedGradient.Pointer : Dx;
        product.Backward(Pass.Blocks, Copies ? surrounded.Pointer : X, OutputGradient.Pointer, dx);
        if (Copies && Dx != null)
        {
            Context.Pool.Run(Pass.Blocks * Input.Channels, gatherPlane);
        }
    }

    private void SurroundPlane(int plane)
    {
        float* from = X + ((nint)plane * InputPlane);
        float* to = surrounded.Pointer + ((nint)plane * SurroundedPlane) + (Around * (SurroundedPitch + Block));
        int width = Input.Width * Block;
        for (int y = 0; y < Input.Height; y++, from += width, to += SurroundedPitch)
        {
            new ReadOnlySpan<float>(from, width).CopyTo(new Span<float>(to, width));
        }
    }

    private void GatherPlane(int plane)
    {
        float* from = surroundedGradient.Pointer + ((nint)plane * SurroundedPlane) + (Around * (SurroundedPitch + Block));
        float* to = Dx + ((nint)plane * InputPlane);
        int width = Input.Width * Block;
        for (int y = 0; y < Input.Height; y++, from += SurroundedPitch, to += width)
        {
            PutGradient(Sources[0], from, to, width);
        }
    }
}
