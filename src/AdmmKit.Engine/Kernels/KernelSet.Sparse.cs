using System.Runtime.CompilerServices;

namespace AdmmKit.Engine.Kernels;

/// <summary>
/// Products with the survivors of a pruned layer only. A survivor is a weight and the offset of what it multiplies; its
/// products over the images of a position are a few vectors, over the positions of a plane a few hundred.
/// </summary>
internal abstract unsafe partial class KernelSet
{
    /// <summary>
    /// C[y, x, image] = start + sum over s of w_s B[offset_s + (y, x, image)], or with <paramref name="accumulate"/>
    /// C += that sum, in the order of s.
    /// </summary>
    /// <param name="g">Where positions lie in C and in B.</param>
    /// <param name="b">B.</param>
    /// <param name="offsets">Offsets in B, in floats.</param>
    /// <param name="w">Weights.</param>
    /// <param name="count">How many.</param>
    /// <param name="c">C.</param>
    /// <param name="start">What the sum starts from; not read when accumulating.</param>
    /// <param name="accumulate">Whether C is added to.</param>
    public abstract void SparseSum(
        in SparsePlane g, float* b, int* offsets, float* w, int count, float* c, float start, bool accumulate);

    /// <summary>gradient_s += sum over y, x, image of C[y, x, image] B[offset_s + (y, x, image)].</summary>
    public abstract void SparseCorrelate(in SparsePlane g, float* c, float* b, int* offsets, int count, float* gradient);

    /// <summary>The sum of C over all positions and images.</summary>
    public abstract float SparseTotal(in SparsePlane g, float* c);
}

/// <summary>Positions of one plane, as two arrays hold them; pitches and steps in floats.</summary>
internal readonly record struct SparsePlane
{
    public required int Height { get; init; }

    public required int Width { get; init; }

    /// <summary>Images of a position; a multiple of two vectors.</summary>
    public required int Block { get; init; }

    /// <summary>From one row of C to the next.</summary>
    public required nint CPitch { get; init; }

    /// <summary>From one position of C to the next.</summary>
    public required nint CStep { get; init; }

    /// <summary>From one row of B to the next.</summary>
    public required nint BPitch { get; init; }

    /// <summary>From one position of B to the next.</summary>
    public required nint BStep { get; init; }

    /// <summary>The same positions with C and B in each other's place.</summary>
    public SparsePlane Swapped() => this with { CPitch = BPitch, CStep = BStep, BPitch = CPitch, BStep = CStep };
}

/// <summary>The same arithmetic for each instruction set: a pair of vectors at four positions is eight sums at a time.</summary>
internal sealed unsafe partial class KernelSet<TSimd, T>
{
    public override void SparseSum(
        in SparsePlane g, float* b, int* offsets, float* w, int count, float* c, float start, bool accumulate)
    {
        for (int y = 0; y < g.Height; y++)
        {
            for (int lane = 0; lane < g.Block; lane += 2 * TSimd.Lanes)
            {
                float* q = b + (y * g.BPitch) + lane;
                float* p = c + (y * g.CPitch) + lane;
                int x = 0;
                for (; x + 4 <= g.Width; x += 4)
                {
                    SumFour(q + (x * g.BStep), g.BStep, offsets, w, count, p + (x * g.CStep), g.CStep, start, accumulate);
                }

                for (; x + 2 <= g.Width; x += 2)
                {
                    SumTwo(q + (x * g.BStep), g.BStep, offsets, w, count, p + (x * g.CStep), g.CStep, start, accumulate);
                }

                if (x < g.Width)
                {
                    SumOne(q + (x * g.BStep), offsets, w, count, p + (x * g.CStep), start, accumulate);
                }
            }
        }
    }

    public override void SparseCorrelate(in SparsePlane g, float* c, float* b, int* offsets, int count, float* gradient)
    {
        int s = 0;
        for (; s + 4 <= count; s += 4)
        {
            DotFour(g, c, b + offsets[s], b + offsets[s + 1], b + offsets[s + 2], b + offsets[s + 3], gradient + s);
        }

        for (; s < count; s++)
        {
            gradient[s] += DotOne(g, c, b + offsets[s]);
        }
    }

    public override float SparseTotal(in SparsePlane g, float* c)
    {
        // Two positions at a time: four sums hide the latency of the addition.
        int lanes = TSimd.Lanes;
        T s0 = TSimd.Zero, s1 = TSimd.Zero, s2 = TSimd.Zero, s3 = TSimd.Zero;
        for (int y = 0; y < g.Height; y++)
        {
            for (int lane = 0; lane < g.Block; lane += 2 * lanes)
            {
                float* p = c + (y * g.CPitch) + lane;
                int x = 0;
                for (; x + 2 <= g.Width; x += 2, p += 2 * g.CStep)
                {
                    s0 = TSimd.Add(s0, TSimd.Load(p));
                    s1 = TSimd.Add(s1, TSimd.Load(p + lanes));
                    s2 = TSimd.Add(s2, TSimd.Load(p + g.CStep));
                    s3 = TSimd.Add(s3, TSimd.Load(p + g.CStep + lanes));
                }

                if (x < g.Width)
                {
                    s0 = TSimd.Add(s0, TSimd.Load(p));
                    s1 = TSimd.Add(s1, TSimd.Load(p + lanes));
                }
            }
        }

        return TSimd.Sum(TSimd.Add(TSimd.Add(s0, s1), TSimd.Add(s2, s3)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumFour(
        float* b, nint bStep, int* offsets, float* w, int count, float* c, nint cStep, float start, bool accumulate)
    {
        int lanes = TSimd.Lanes;
        T c00, c01, c10, c11, c20, c21, c30, c31;
        if (accumulate)
        {
            c00 = TSimd.Load(c);
            c01 = TSimd.Load(c + lanes);
            c10 = TSimd.Load(c + cStep);
            c11 = TSimd.Load(c + cStep + lanes);
            c20 = TSimd.Load(c + (2 * cStep));
            c21 = TSimd.Load(c + (2 * cStep) + lanes);
            c30 = TSimd.Load(c + (3 * cStep));
            c31 = TSimd.Load(c + (3 * cStep) + lanes);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = TSimd.Broadcast(start);
        }

        for (int s = 0; s < count; s++)
        {
            float* q0 = b + offsets[s];
            float* q1 = q0 + bStep;
            float* q2 = q1 + bStep;
            float* q3 = q2 + bStep;
            T v = TSimd.Broadcast(w[s]);
            c00 = TSimd.MultiplyAdd(v, TSimd.Load(q0), c00);
            c01 = TSimd.MultiplyAdd(v, TSimd.Load(q0 + lanes), c01);
            c10 = TSimd.MultiplyAdd(v, TSimd.Load(q1), c10);
            c11 = TSimd.MultiplyAdd(v, TSimd.Load(q1 + lanes), c11);
            c20 = TSimd.MultiplyAdd(v, TSimd.Load(q2), c20);
            c21 = TSimd.MultiplyAdd(v, TSimd.Load(q2 + lanes), c21);
            c30 = TSimd.MultiplyAdd(v, TSimd.Load(q3), c30);
            c31 = TSimd.MultiplyAdd(v, TSimd.Load(q3 + lanes), c31);
        }

        TSimd.Store(c, c00);
        TSimd.Store(c + lanes, c01);
        TSimd.Store(c + cStep, c10);
        TSimd.Store(c + cStep + lanes, c11);
        TSimd.Store(c + (2 * cStep), c20);
        TSimd.Store(c + (2 * cStep) + lanes, c21);
        TSimd.Store(c + (3 * cStep), c30);
        TSimd.Store(c + (3 * cStep) + lanes, c31);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumTwo(
        float* b, nint bStep, int* offsets, float* w, int count, float* c, nint cStep, float start, bool accumulate)
    {
        int lanes = TSimd.Lanes;
        T from = TSimd.Broadcast(start);
        T c00 = accumulate ? TSimd.Load(c) : from;
        T c01 = accumulate ? TSimd.Load(c + lanes) : from;
        T c10 = accumulate ? TSimd.Load(c + cStep) : from;
        T c11 = accumulate ? TSimd.Load(c + cStep + lanes) : from;
        for (int s = 0; s < count; s++)
        {
            float* q0 = b + offsets[s];
            float* q1 = q0 + bStep;
            T v = TSimd.Broadcast(w[s]);
            c00 = TSimd.MultiplyAdd(v, TSimd.Load(q0), c00);
            c01 = TSimd.MultiplyAdd(v, TSimd.Load(q0 + lanes), c01);
            c10 = TSimd.MultiplyAdd(v, TSimd.Load(q1), c10);
            c11 = TSimd.MultiplyAdd(v, TSimd.Load(q1 + lanes), c11);
        }

        TSimd.Store(c, c00);
        TSimd.Store(c + lanes, c01);
        TSimd.Store(c + cStep, c10);
        TSimd.Store(c + cStep + lanes, c11);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumOne(float* b, int* offsets, float* w, int count, float* c, float start, bool accumulate)
    {
        int lanes = TSimd.Lanes;
        T from = TSimd.Broadcast(start);
        T c0 = accumulate ? TSimd.Load(c) : from;
        T c1 = accumulate ? TSimd.Load(c + lanes) : from;
        for (int s = 0; s < count; s++)
        {
            float* q = b + offsets[s];
            T v = TSimd.Broadcast(w[s]);
            c0 = TSimd.MultiplyAdd(v, TSimd.Load(q), c0);
            c1 = TSimd.MultiplyAdd(v, TSimd.Load(q + lanes), c1);
        }

        TSimd.Store(c, c0);
        TSimd.Store(c + lanes, c1);
    }

    // Four survivors by two vectors: two loads of C feed eight multiply-adds.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void DotFour(in SparsePlane g, float* c, float* b0, float* b1, float* b2, float* b3, float* gradient)
    {
        int lanes = TSimd.Lanes;
        nint cStep = g.CStep;
        nint bStep = g.BStep;
        T s00, s01, s10, s11, s20, s21, s30, s31;
        s00 = s01 = s10 = s11 = s20 = s21 = s30 = s31 = TSimd.Zero;
        for (int y = 0; y < g.Height; y++)
        {
            for (int lane = 0; lane < g.Block; lane += 2 * lanes)
            {
                float* p = c + (y * g.CPitch) + lane;
                nint i = (y * g.BPitch) + lane;
                for (int x = g.Width; x > 0; x--)
                {
                    T p0 = TSimd.Load(p);
                    T p1 = TSimd.Load(p + lanes);
                    s00 = TSimd.MultiplyAdd(p0, TSimd.Load(b0 + i), s00);
                    s01 = TSimd.MultiplyAdd(p1, TSimd.Load(b0 + i + lanes), s01);
                    s10 = TSimd.MultiplyAdd(p0, TSimd.Load(b1 + i), s10);
                    s11 = TSimd.MultiplyAdd(p1, TSimd.Load(b1 + i + lanes), s11);
                    s20 = TSimd.MultiplyAdd(p0, TSimd.Load(b2 + i), s20);
                    s21 = TSimd.MultiplyAdd(p1, TSimd.Load(b2 + i + lanes), s21);
                    s30 = TSimd.MultiplyAdd(p0, TSimd.Load(b3 + i), s30);
                    s31 = TSimd.MultiplyAdd(p1, TSimd.Load(b3 + i + lanes), s31);
                    p += cStep;
                    i += bStep;
                }
            }
        }

        gradient[0] += TSimd.Sum(TSimd.Add(s00, s01));
        gradient[1] += TSimd.Sum(TSimd.Add(s10, s11));
        gradient[2] += TSimd.Sum(TSimd.Add(s20, s21));
        gradient[3] += TSimd.Sum(TSimd.Add(s30, s31));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float DotOne(in SparsePlane g, float* c, float* b)
    {
        int lanes = TSimd.Lanes;
        nint cStep = g.CStep;
        nint bStep = g.BStep;
        T s0 = TSimd.Zero, s1 = TSimd.Zero, s2 = TSimd.Zero, s3 = TSimd.Zero;
        for (int y = 0; y < g.Height; y++)
        {
            for (int lane = 0; lane < g.Block; lane += 2 * lanes)
            {
                float* p = c + (y * g.CPitch) + lane;
                float* q = b + (y * g.BPitch) + lane;
                int x = 0;
                for (; x + 2 <= g.Width; x += 2)
                {
                    s0 = TSimd.MultiplyAdd(TSimd.Load(p), TSimd.Load(q), s0);
                    s1 = TSimd.MultiplyAdd(TSimd.Load(p + lanes), TSimd.Load(q + lanes), s1);
                    p += cStep;
                    q += bStep;
                    s2 = TSimd.MultiplyAdd(TSimd.Load(p), TSimd.Load(q), s2);
                    s3 = TSimd.MultiplyAdd(TSimd.Load(p + lanes), TSimd.Load(q + lanes), s3);
                    p += cStep;
                    q += bStep;
                }

                if (x < g.Width)
                {
                    s0 = TSimd.MultiplyAdd(TSimd.Load(p), TSimd.Load(q), s0);
                    s1 = TSimd.MultiplyAdd(TSimd.Load(p + lanes), TSimd.Load(q + lanes), s1);
                }
            }
        }

        return TSimd.Sum(TSimd.Add(TSimd.Add(s0, s1), TSimd.Add(s2, s3)));
    }
}
