using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Sparse;

/// <summary>What follows the sums of a convolution.</summary>
/// <param name="Pooling">How windows are pooled.</param>
/// <param name="Window">Rows and columns of a window; 1 for none.</param>
/// <param name="ReluBefore">Whether numbers are cut off at zero before they are pooled.</param>
/// <param name="ReluAfter">Whether they are afterwards.</param>
internal readonly record struct SparseTail(Pooling Pooling, int Window, bool ReluBefore, bool ReluAfter);

/// <summary>
/// A sparse convolution. Where pooling follows, the outputs at one place in their windows are one phase: phase (dy, dx) of pooled
/// output (py, px) reads, for the survivor at (ky, kx), the input at row window py + dy + ky and column window px + dx + kx. So
/// the inputs are copied into planes, one for each shift s = dx + kx and each row modulo the window, that hold the columns
/// s, s + window, s + 2 window, ... Then all outputs of a phase meet their inputs in one contiguous run: no number is computed
/// that nobody reads, and pooling compares vectors.
/// </summary>
internal sealed unsafe class SparseConvolutionStep : SparseStep
{
    private readonly FloatBuffer starts;
    private readonly FloatBuffer weights;
    private readonly FloatBuffer offsets;
    private readonly FloatBuffer biases;
    private readonly SparseTail tail;
    private readonly ImageShape input;
    private readonly int filters;
    private readonly int kernelWidth;
    private readonly int pooledHeight;
    private readonly int pooledWidth;
    private readonly (int Channel, int Shift)[] copies;

    /// <param name="input">Shape of the input: the channels that are there.</param>
    /// <param name="kernel">Rows and columns of the kernel.</param>
    /// <param name="rows">The survivors of each filter; inputs count (channel, kernel row, kernel column).</param>
    /// <param name="rowBiases">One number a filter.</param>
    /// <param name="tail">What follows.</param>
    public SparseConvolutionStep(
        ImageShape input, int kernel, IReadOnlyList<(int Input, float Weight)[]> rows, IReadOnlyList<float> rowBiases, SparseTail tail)
        : base(rows.Count * PooledSize(input, kernel, tail.Window), WorkspaceSize(input, kernel, tail.Window))
    {
        this.input = input;
        this.tail = tail;
        filters = rows.Count;
        kernelWidth = kernel;
        pooledHeight = (input.Height - kernel + 1) / tail.Window;
        pooledWidth = (input.Width - kernel + 1) / tail.Window;
        var starts = new List<int> { 0 };
        var offsets = new List<int>();
        var read = new SortedSet<(int, int)>();
        foreach ((int Input, float Weight)[] row in rows)
        {
            foreach ((int column, _) in row)
            {
                (int channel, int inKernel) = Math.DivRem(column, kernel * kernel);
                (int ky, int kx) = Math.DivRem(inKernel, kernel);
                for (int d = 0; d < tail.Window; d++)
                {
                    offsets.Add(PlaneAt(channel, kx, (ky + d) % tail.Window) + ((ky + d) / tail.Window * pooledWidth));
                    read.Add((channel, kx + d));
                }
            }

            starts.Add(starts[^1] + row.Length);
        }

        copies = InPlace ? [] : [.. read];
        this.starts = Copy(starts);
        this.offsets = Copy(offsets);
        weights = Copy([.. rows.SelectMany(r => r.Select(s => s.Weight))]);
        biases = Copy(rowBiases);
    }

    // Nothing is shifted and nothing left out: the input is its own plane.
    private bool InPlace => kernelWidth == 1 && tail.Window == 1;

    private int Shifts => kernelWidth + tail.Window - 1;

    private int PlaneRows => pooledHeight + ((kernelWidth + tail.Window - 2) / tail.Window);

    public override void Run(KernelSet kernels, float* x, float* workspace, float* y, bool block)
    {
        int shift = block ? BlockShift : 0;
        foreach ((int channel, int s) in copies)
        {
            for (int residue = 0; residue < tail.Window; residue++)
            {
                CopyPlane(kernels, x, workspace + ((nint)PlaneAt(channel, s, residue) << shift), channel, s, residue, shift);
            }
        }

        var convolution = new SparseConvolution
        {
            Filters = filters,
            Starts = (int*)starts.Pointer,
            Weights = weights.Pointer,
            Offsets = (int*)offsets.Pointer,
            Biases = biases.Pointer,
            Window = tail.Window,
            Pooling = tail.Pooling,
            ColumnStep = tail.Window * PlaneRows * pooledWidth,
            Outputs = pooledHeight * pooledWidth,
            ReluBefore = tail.ReluBefore,
            ReluAfter = tail.ReluAfter,
        };
        kernels.Convolve(convolution, InPlace ? x : workspace, y, shift);
    }

    // A copy may write past its end: planes and rows are written in ascending order, and the next one overwrites that.
    private void CopyPlane(KernelSet kernels, float* x, float* plane, int channel, int s, int residue, int shift)
    {
        int window = tail.Window;
        int rows = Math.Min(PlaneRows, (input.Height - residue + window - 1) / window);
        nint pitch = ((nint)window * input.Width) << shift;
        float* source = x + ((((((nint)channel * input.Height) + residue) * input.Width) + s) << shift);
        if (window == 2 && shift == 0)
        {
            kernels.CopyEvens(source, pitch, plane, rows, pooledWidth);
            return;
        }

        // Without pooling a row is one piece, else each of its numbers.
        (int pieces, nint piece) = window == 1 ? (1, (nint)pooledWidth << shift) : (pooledWidth, (nint)1 << shift);
        for (int row = 0; row < rows; row++, source += pitch)
        {
            for (int i = 0; i < pieces; i++, plane += piece)
            {
                Buffer.MemoryCopy(source + (((nint)i * window) << shift), plane, piece * sizeof(float), piece * sizeof(float));
            }
        }
    }

    private int PlaneAt(int channel, int s, int residue) =>
        InPlace ? channel * input.Height * input.Width
            : ((((channel * Shifts) + s) * tail.Window) + residue) * PlaneRows * pooledWidth;

    private static int PooledSize(ImageShape input, int kernel, int window) =>
        (input.Height - kernel + 1) / window * ((input.Width - kernel + 1) / window);

    private static int WorkspaceSize(ImageShape input, int kernel, int window)
    {
        int rows = ((input.Height - kernel + 1) / window) + ((kernel + window - 2) / window);
        return input.Channels * (kernel + window - 1) * window * rows * ((input.Width - kernel + 1) / window);
    }
}
