using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AdmmKit.Engine.Kernels;

/// <summary>How the phases of a pooling window become one output.</summary>
internal enum Pooling
{
    Max,
    Average,
}

/// <summary>
/// A sparse convolution with the pooling and the ReLU after it. Outputs that take the same place in their pooling windows are
/// one phase; the inputs are laid out such that one survivor meets a contiguous run of inputs in every phase.
/// </summary>
internal readonly unsafe struct SparseConvolution
{
    /// <summary>How many filters.</summary>
    public required int Filters { get; init; }

    /// <summary>First survivor of each filter, and the end of the last.</summary>
    public required int* Starts { get; init; }

    public required float* Weights { get; init; }

    /// <summary>For each survivor, where its run begins in each of the rows of the pooling window.</summary>
    public required int* Offsets { get; init; }

    public required float* Biases { get; init; }

    /// <summary>Rows and columns of the pooling window; 1 for none.</summary>
    public required int Window { get; init; }

    public required Pooling Pooling { get; init; }

    /// <summary>From the run of one column of the window to that of the next.</summary>
    public required nint ColumnStep { get; init; }

    /// <summary>Outputs of one filter after pooling.</summary>
    public required int Outputs { get; init; }

    /// <summary>Whether each number is cut off at zero before it is pooled.</summary>
    public required bool ReluBefore { get; init; }

    public required bool ReluAfter { get; init; }
}

/// <summary>
/// Sparse rows in groups of <see cref="GroupRows"/>: the k-th survivors of the rows of a group lie side by side. Shorter rows are
/// filled up with weights of zero.
/// </summary>
internal readonly unsafe struct SparseRows
{
    /// <summary>Rows in a group: the lanes of the widest vector, so that the layout is the same for all.</summary>
    public const int GroupRows = 16;

    public required int Groups { get; init; }

    /// <summary>First survivor of each group in steps of <see cref="GroupRows"/>, and the end of the last.</summary>
    public required int* Starts { get; init; }

    public required float* Weights { get; init; }

    public required int* Inputs { get; init; }

    public required float* Biases { get; init; }

    public required bool Relu { get; init; }
}

/// <summary>Inference with sparse weights: for one image, or for 2^shift images that lie side by side.</summary>
internal abstract unsafe partial class KernelSet
{
    /// <summary>Runs all filters. Writes up to a vector past the outputs of the last.</summary>
    /// <param name="c">The filters.</param>
    /// <param name="x">The runs of inputs.</param>
    /// <param name="y">The outputs, filter by filter.</param>
    /// <param name="shift">log2 of the images side by side.</param>
    public abstract void Convolve(in SparseConvolution c, float* x, float* y, int shift);

    /// <summary>Runs all rows for one image.</summary>
    public abstract void Connect(in SparseRows rows, float* x, float* y);

    /// <summary>Runs all rows for 16 images side by side.</summary>
    public abstract void ConnectBlock(in SparseRows rows, float* x, float* y);

    /// <summary>y[i] = x[i] scale.</summary>
    public abstract void Scale(byte* x, float scale, float* y, int count);

    /// <summary>y[16 i + lane] = images[lane][i] scale, for 16 images.</summary>
    public abstract void ScaleBlock(byte** images, float scale, float* y, int count);

    /// <summary>y[r columns + i] = x[r pitch + 2 i]; reads and writes up to two vectors past the end.</summary>
    public abstract void CopyEvens(float* x, nint pitch, float* y, int rows, int columns);
}

internal sealed unsafe partial class KernelSet<TSimd, T>
{
    public override void Convolve(in SparseConvolution c, float* x, float* y, int shift)
    {
        int count = c.Outputs << shift;
        for (int f = 0; f < c.Filters; f++, y += count)
        {
            int i = 0;
            if (c.Window == 2)
            {
                for (; i + (2 * TSimd.Lanes) < count; i += 3 * TSimd.Lanes)
                {
                    FourPhases3(c, f, x + i, y + i, shift);
                }

                for (; i < count; i += TSimd.Lanes)
                {
                    FourPhases(c, f, x + i, y + i, shift);
                }

                continue;
            }

            for (; i + (7 * TSimd.Lanes) < count; i += 8 * TSimd.Lanes)
            {
                OnePhase8(c, f, x + i, y + i, shift);
            }

            for (; i + (3 * TSimd.Lanes) < count; i += 4 * TSimd.Lanes)
            {
                OnePhase4(c, f, x + i, y + i, shift);
            }

            for (; i < count; i += TSimd.Lanes)
            {
                OnePhase(c, f, x + i, y + i, shift);
            }
        }
    }

    // The four places in a 2x2 window together, three vectors of each: twelve sums hide the latency of the multiply-add.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourPhases3(in SparseConvolution c, int filter, float* x, float* y, int shift)
    {
        int lanes = TSimd.Lanes;
        nint step = c.ColumnStep << shift;
        T a0, a1, a2, b0, b1, b2, c0, c1, c2, d0, d1, d2;
        a0 = a1 = a2 = b0 = b1 = b2 = c0 = c1 = c2 = d0 = d1 = d2 = TSimd.Broadcast(c.Biases[filter]);
        float* w = c.Weights + c.Starts[filter];
        float* end = c.Weights + c.Starts[filter + 1];
        int* offset = c.Offsets + (2 * (nint)c.Starts[filter]);
        for (; w < end; w++, offset += 2)
        {
            T v = TSimd.Broadcast(*w);
            float* p = x + ((nint)offset[0] << shift);
            float* q = x + ((nint)offset[1] << shift);
            a0 = TSimd.MultiplyAdd(v, TSimd.Load(p), a0);
            a1 = TSimd.MultiplyAdd(v, TSimd.Load(p + lanes), a1);
            a2 = TSimd.MultiplyAdd(v, TSimd.Load(p + (2 * lanes)), a2);
            c0 = TSimd.MultiplyAdd(v, TSimd.Load(q), c0);
            c1 = TSimd.MultiplyAdd(v, TSimd.Load(q + lanes), c1);
            c2 = TSimd.MultiplyAdd(v, TSimd.Load(q + (2 * lanes)), c2);
            p += step;
            q += step;
            b0 = TSimd.MultiplyAdd(v, TSimd.Load(p), b0);
            b1 = TSimd.MultiplyAdd(v, TSimd.Load(p + lanes), b1);
            b2 = TSimd.MultiplyAdd(v, TSimd.Load(p + (2 * lanes)), b2);
            d0 = TSimd.MultiplyAdd(v, TSimd.Load(q), d0);
            d1 = TSimd.MultiplyAdd(v, TSimd.Load(q + lanes), d1);
            d2 = TSimd.MultiplyAdd(v, TSimd.Load(q + (2 * lanes)), d2);
        }

        TSimd.Store(y, Pooled(c, a0, b0, c0, d0));
        TSimd.Store(y + lanes, Pooled(c, a1, b1, c1, d1));
        TSimd.Store(y + (2 * lanes), Pooled(c, a2, b2, c2, d2));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourPhases(in SparseConvolution c, int filter, float* x, float* y, int shift)
    {
        nint step = c.ColumnStep << shift;
        T a0, b0, c0, d0;
        a0 = b0 = c0 = d0 = TSimd.Broadcast(c.Biases[filter]);
        float* w = c.Weights + c.Starts[filter];
        float* end = c.Weights + c.Starts[filter + 1];
        int* offset = c.Offsets + (2 * (nint)c.Starts[filter]);
        for (; w < end; w++, offset += 2)
        {
            T v = TSimd.Broadcast(*w);
            float* p = x + ((nint)offset[0] << shift);
            float* q = x + ((nint)offset[1] << shift);
            a0 = TSimd.MultiplyAdd(v, TSimd.Load(p), a0);
            b0 = TSimd.MultiplyAdd(v, TSimd.Load(p + step), b0);
            c0 = TSimd.MultiplyAdd(v, TSimd.Load(q), c0);
            d0 = TSimd.MultiplyAdd(v, TSimd.Load(q + step), d0);
        }

        TSimd.Store(y, Pooled(c, a0, b0, c0, d0));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Pooled(in SparseConvolution c, T a, T b, T d, T e)
    {
        if (c.Pooling == Pooling.Max)
        {
            T max = TSimd.Max(TSimd.Max(TSimd.Max(a, b), d), e);
            return c.ReluAfter ? TSimd.Max(TSimd.Zero, max) : max;
        }

        if (c.ReluBefore)
        {
            a = TSimd.Max(TSimd.Zero, a);
            b = TSimd.Max(TSimd.Zero, b);
            d = TSimd.Max(TSimd.Zero, d);
            e = TSimd.Max(TSimd.Zero, e);
        }

        T mean = TSimd.Multiply(TSimd.Add(TSimd.Add(TSimd.Add(a, b), d), e), TSimd.Broadcast(0.25f));
        return c.ReluAfter ? TSimd.Max(TSimd.Zero, mean) : mean;
    }

    private static void OnePhase8(in SparseConvolution c, int filter, float* x, float* y, int shift)
    {
        int lanes = TSimd.Lanes;
        for (int phase = 0; phase < c.Window * c.Window; phase++)
        {
            T a0, a1, a2, a3, a4, a5, a6, a7;
            a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = TSimd.Broadcast(c.Biases[filter]);
            (nint row, nint column) = (phase / c.Window, phase % c.Window);
            float* inputs = x + ((column * c.ColumnStep) << shift);
            float* w = c.Weights + c.Starts[filter];
            float* end = c.Weights + c.Starts[filter + 1];
            int* offset = c.Offsets + (c.Window * (nint)c.Starts[filter]) + row;
            for (; w < end; w++, offset += c.Window)
            {
                T v = TSimd.Broadcast(*w);
                float* p = inputs + ((nint)(*offset) << shift);
                a0 = TSimd.MultiplyAdd(v, TSimd.Load(p), a0);
                a1 = TSimd.MultiplyAdd(v, TSimd.Load(p + lanes), a1);
                a2 = TSimd.MultiplyAdd(v, TSimd.Load(p + (2 * lanes)), a2);
                a3 = TSimd.MultiplyAdd(v, TSimd.Load(p + (3 * lanes)), a3);
                a4 = TSimd.MultiplyAdd(v, TSimd.Load(p + (4 * lanes)), a4);
                a5 = TSimd.MultiplyAdd(v, TSimd.Load(p + (5 * lanes)), a5);
                a6 = TSimd.MultiplyAdd(v, TSimd.Load(p + (6 * lanes)), a6);
                a7 = TSimd.MultiplyAdd(v, TSimd.Load(p + (7 * lanes)), a7);
            }

            Merge(c, phase, a0, y);
            Merge(c, phase, a1, y + lanes);
            Merge(c, phase, a2, y + (2 * lanes));
            Merge(c, phase, a3, y + (3 * lanes));
            Merge(c, phase, a4, y + (4 * lanes));
            Merge(c, phase, a5, y + (5 * lanes));
            Merge(c, phase, a6, y + (6 * lanes));
            Merge(c, phase, a7, y + (7 * lanes));
        }
    }

    private static void OnePhase4(in SparseConvolution c, int filter, float* x, float* y, int shift)
    {
        int lanes = TSimd.Lanes;
        for (int phase = 0; phase < c.Window * c.Window; phase++)
        {
            T a0, a1, a2, a3;
            a0 = a1 = a2 = a3 = TSimd.Broadcast(c.Biases[filter]);
            (nint row, nint column) = (phase / c.Window, phase % c.Window);
            float* inputs = x + ((column * c.ColumnStep) << shift);
            float* w = c.Weights + c.Starts[filter];
            float* end = c.Weights + c.Starts[filter + 1];
            int* offset = c.Offsets + (c.Window * (nint)c.Starts[filter]) + row;
            for (; w < end; w++, offset += c.Window)
            {
                T v = TSimd.Broadcast(*w);
                float* p = inputs + ((nint)(*offset) << shift);
                a0 = TSimd.MultiplyAdd(v, TSimd.Load(p), a0);
                a1 = TSimd.MultiplyAdd(v, TSimd.Load(p + lanes), a1);
                a2 = TSimd.MultiplyAdd(v, TSimd.Load(p + (2 * lanes)), a2);
                a3 = TSimd.MultiplyAdd(v, TSimd.Load(p + (3 * lanes)), a3);
            }

            Merge(c, phase, a0, y);
            Merge(c, phase, a1, y + lanes);
            Merge(c, phase, a2, y + (2 * lanes));
            Merge(c, phase, a3, y + (3 * lanes));
        }
    }

    private static void OnePhase(in SparseConvolution c, int filter, float* x, float* y, int shift)
    {
        for (int phase = 0; phase < c.Window * c.Window; phase++)
        {
            T a0 = TSimd.Broadcast(c.Biases[filter]);
            (nint row, nint column) = (phase / c.Window, phase % c.Window);
            float* inputs = x + ((column * c.ColumnStep) << shift);
            float* w = c.Weights + c.Starts[filter];
            float* end = c.Weights + c.Starts[filter + 1];
            int* offset = c.Offsets + (c.Window * (nint)c.Starts[filter]) + row;
            for (; w < end; w++, offset += c.Window)
            {
                a0 = TSimd.MultiplyAdd(TSimd.Broadcast(*w), TSimd.Load(inputs + ((nint)(*offset) << shift)), a0);
            }

            Merge(c, phase, a0, y);
        }
    }

    /// <summary>Puts one phase to those before it, and finishes with the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Merge(in SparseConvolution c, int phase, T value, float* y)
    {
        value = c.ReluBefore ? TSimd.Max(TSimd.Zero, value) : value;
        if (phase > 0)
        {
            T before = TSimd.Load(y);
            value = c.Pooling == Pooling.Max ? TSimd.Max(before, value) : TSimd.Add(before, value);
        }

        if (phase == (c.Window * c.Window) - 1)
        {
            if (c.Pooling == Pooling.Average)
            {
                value = TSimd.Multiply(value, TSimd.Broadcast(1f / (c.Window * c.Window)));
            }

            value = c.ReluAfter ? TSimd.Max(TSimd.Zero, value) : value;
        }

        TSimd.Store(y, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Connect(in SparseRows rows, float* x, float* y)
    {
        for (int g = 0; g < rows.Groups; g++)
        {
            nint start = SparseRows.GroupRows * (nint)rows.Starts[g];
            nint end = SparseRows.GroupRows * (nint)rows.Starts[g + 1];
            for (int lane = 0; lane < SparseRows.GroupRows; lane += TSimd.Lanes)
            {
                int row = (g * SparseRows.GroupRows) + lane;
                T sum = TSimd.Load(rows.Biases + row);
                for (nint k = start + lane; k < end; k += SparseRows.GroupRows)
                {
                    sum = TSimd.MultiplyAdd(TSimd.Load(rows.Weights + k), TSimd.Gather(x, rows.Inputs + k), sum);
                }

                TSimd.Store(y + row, rows.Relu ? TSimd.Max(TSimd.Zero, sum) : sum);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void ConnectBlock(in SparseRows rows, float* x, float* y)
    {
        const int Images = SparseRows.GroupRows;
        const int AtOnce = 4;
        for (int g = 0; g < rows.Groups; g++)
        {
            nint start = SparseRows.GroupRows * (nint)rows.Starts[g];
            nint end = SparseRows.GroupRows * (nint)rows.Starts[g + 1];
            for (int r = 0; r < SparseRows.GroupRows; r += AtOnce)
            {
                int row = (g * SparseRows.GroupRows) + r;
                for (int lane = 0; lane < Images; lane += TSimd.Lanes)
                {
                    float* inputs = x + lane;
                    T a0 = TSimd.Broadcast(rows.Biases[row]);
                    T a1 = TSimd.Broadcast(rows.Biases[row + 1]);
                    T a2 = TSimd.Broadcast(rows.Biases[row + 2]);
                    T a3 = TSimd.Broadcast(rows.Biases[row + 3]);
                    for (nint k = start + r; k < end; k += SparseRows.GroupRows)
                    {
                        float* w = rows.Weights + k;
                        int* at = rows.Inputs + k;
                        a0 = TSimd.MultiplyAdd(TSimd.Broadcast(w[0]), TSimd.Load(inputs + ((nint)at[0] * Images)), a0);
                        a1 = TSimd.MultiplyAdd(TSimd.Broadcast(w[1]), TSimd.Load(inputs + ((nint)at[1] * Images)), a1);
                        a2 = TSimd.MultiplyAdd(TSimd.Broadcast(w[2]), TSimd.Load(inputs + ((nint)at[2] * Images)), a2);
                        a3 = TSimd.MultiplyAdd(TSimd.Broadcast(w[3]), TSimd.Load(inputs + ((nint)at[3] * Images)), a3);
                    }

                    if (rows.Relu)
                    {
                        a0 = TSimd.Max(TSimd.Zero, a0);
                        a1 = TSimd.Max(TSimd.Zero, a1);
                        a2 = TSimd.Max(TSimd.Zero, a2);
                        a3 = TSimd.Max(TSimd.Zero, a3);
                    }

                    float* outputs = y + ((nint)row * Images) + lane;
                    TSimd.Store(outputs, a0);
                    TSimd.Store(outputs + Images, a1);
                    TSimd.Store(outputs + (2 * Images), a2);
                    TSimd.Store(outputs + (3 * Images), a3);
                }
            }
        }
    }

    public override void Scale(byte* x, float scale, float* y, int count)
    {
        T factor = TSimd.Broadcast(scale);
        int i = 0;
        for (; i + TSimd.Lanes <= count; i += TSimd.Lanes)
        {
            TSimd.Store(y + i, TSimd.Multiply(TSimd.LoadBytes(x + i), factor));
        }

        for (; i < count; i++)
        {
            y[i] = x[i] * scale;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void ScaleBlock(byte** images, float scale, float* y, int count)
    {
        const int Images = SparseRows.GroupRows;
        int i = 0;
        if (Sse2.IsSupported)
        {
            Vector128<byte>* a = stackalloc Vector128<byte>[Images];
            Vector128<byte>* b = stackalloc Vector128<byte>[Images];
            for (; i + Images <= count; i += Images)
            {
                for (int lane = 0; lane < Images; lane++)
                {
                    a[lane] = Vector128.Load(images[lane] + i);
                }

                // Four times row r is interleaved with row r + 8: that turns 16 x 16 bytes about their diagonal.
                Interleave(a, b);
                Interleave(b, a);
                Interleave(a, b);
                Interleave(b, a);
                Scale((byte*)a, scale, y + (i * Images), Images * Images);
            }
        }

        for (; i < count; i++)
        {
            for (int lane = 0; lane < Images; lane++)
            {
                y[(i * Images) + lane] = images[lane][i] * scale;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Interleave(Vector128<byte>* from, Vector128<byte>* to)
    {
        for (int r = 0; r < SparseRows.GroupRows / 2; r++)
        {
            to[2 * r] = Sse2.UnpackLow(from[r], from[r + 8]);
            to[(2 * r) + 1] = Sse2.UnpackHigh(from[r], from[r + 8]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void CopyEvens(float* x, nint pitch, float* y, int rows, int columns)
    {
        for (; rows > 0; rows--, x += pitch, y += columns)
        {
            if (columns <= Simd128.Lanes)
            {
                // Narrow planes, of which there are many, do not pay for wide vectors.
                Simd128.Store(y, Simd128.Evens(Simd128.Load(x), Simd128.Load(x + Simd128.Lanes)));
                continue;
            }

            for (int i = 0; i < columns; i += TSimd.Lanes)
            {
                TSimd.Store(y + i, TSimd.Evens(TSimd.Load(x + (2 * i)), TSimd.Load(x + (2 * i) + TSimd.Lanes)));
            }
        }
    }
}
