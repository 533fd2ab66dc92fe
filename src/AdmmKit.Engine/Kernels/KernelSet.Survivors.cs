using System.Runtime.CompilerServices;

namespace AdmmKit.Engine.Kernels;

/// <summary>
/// Inference with survivors alone. Where the inputs of neighbouring positions lie side by side, positions and images are one
/// run of numbers; of that a few vectors are computed for all filters before the next few, so that their inputs stay near.
/// </summary>
internal abstract unsafe partial class KernelSet
{
    /// <summary>Vectors that <see cref="SumSurvivors"/> holds sums for at a time: as many as hide the latency of the additions.</summary>
    public const int VectorsAtOnce = 8;

    /// <summary>
    /// C[r, i] = start[r] + sum over the survivors s of row r of w_s B[offset_s + i] for all i of the run, in the order of s; or
    /// C += that sum.
    /// </summary>
    /// <param name="g">What to compute.</param>
    /// <param name="b">B.</param>
    /// <param name="c">C.</param>
    /// <param name="start">One number a row to start from; not read when accumulating.</param>
    public abstract void SumSurvivors(in SurvivorRun g, float* b, float* c, float* start);
}

/// <summary>A run of numbers in each of some rows, and the survivors that they are sums over.</summary>
internal readonly unsafe struct SurvivorRun
{
    /// <summary>Numbers of the run, side by side in B and in each row of C; a multiple of the vector.</summary>
    public required int Length { get; init; }

    public required int Rows { get; init; }

    /// <summary>From one row of C to the next, in floats.</summary>
    public required nint CRow { get; init; }

    /// <summary>Row r has the survivors Starts[r] up to, not with, Starts[r + 1].</summary>
    public required int* Starts { get; init; }

    /// <summary>Offsets in B, in floats.</summary>
    public required int* Offsets { get; init; }

    public required float* Weights { get; init; }

    /// <summary>Whether C is added to.</summary>
    public required bool Accumulate { get; init; }

    /// <summary>Whether max(C, 0) is taken at the end.</summary>
    public required bool Rectified { get; init; }
}

/// <summary>The same arithmetic for each instruction set.</summary>
internal sealed unsafe partial class KernelSet<TSimd, T>
{
    public override void SumSurvivors(in SurvivorRun g, float* b, float* c, float* start)
    {
        int lanes = TSimd.Lanes;
        int i = 0;
        for (; i + (VectorsAtOnce * lanes) <= g.Length; i += VectorsAtOnce * lanes)
        {
            SumEightVectors(g, b + i, c + i, start);
        }

        for (; i + (4 * lanes) <= g.Length; i += 4 * lanes)
        {
            SumFourVectors(g, b + i, c + i, start);
        }

        for (; i + (2 * lanes) <= g.Length; i += 2 * lanes)
        {
            SumTwoVectors(g, b + i, c + i, start);
        }

        for (; i < g.Length; i += lanes)
        {
            SumOneVector(g, b + i, c + i, start);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumEightVectors(in SurvivorRun g, float* b, float* c, float* start)
    {
        int lanes = TSimd.Lanes;
        int* offsets = g.Offsets;
        float* w = g.Weights;
        int s = g.Starts[0];
        for (int r = 0; r < g.Rows; r++, c += g.CRow)
        {
            int end = g.Starts[r + 1];
            T c0, c1, c2, c3, c4, c5, c6, c7;
            if (g.Accumulate)
            {
                if (s == end && !g.Rectified)
                {
                    continue;
                }

                c0 = TSimd.Load(c);
                c1 = TSimd.Load(c + lanes);
                c2 = TSimd.Load(c + (2 * lanes));
                c3 = TSimd.Load(c + (3 * lanes));
                c4 = TSimd.Load(c + (4 * lanes));
                c5 = TSimd.Load(c + (5 * lanes));
                c6 = TSimd.Load(c + (6 * lanes));
                c7 = TSimd.Load(c + (7 * lanes));
            }
            else
            {
                c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = TSimd.Broadcast(start[r]);
            }

            for (; s < end; s++)
            {
                float* q = b + offsets[s];
                T v = TSimd.Broadcast(w[s]);
                c0 = TSimd.MultiplyAdd(v, TSimd.Load(q), c0);
                c1 = TSimd.MultiplyAdd(v, TSimd.Load(q + lanes), c1);
                c2 = TSimd.MultiplyAdd(v, TSimd.Load(q + (2 * lanes)), c2);
                c3 = TSimd.MultiplyAdd(v, TSimd.Load(q + (3 * lanes)), c3);
                c4 = TSimd.MultiplyAdd(v, TSimd.Load(q + (4 * lanes)), c4);
                c5 = TSimd.MultiplyAdd(v, TSimd.Load(q + (5 * lanes)), c5);
                c6 = TSimd.MultiplyAdd(v, TSimd.Load(q + (6 * lanes)), c6);
                c7 = TSimd.MultiplyAdd(v, TSimd.Load(q + (7 * lanes)), c7);
            }

            if (g.Rectified)
            {
                T zero = TSimd.Zero;
                (c0, c1, c2, c3) = (TSimd.Max(c0, zero), TSimd.Max(c1, zero), TSimd.Max(c2, zero), TSimd.Max(c3, zero));
                (c4, c5, c6, c7) = (TSimd.Max(c4, zero), TSimd.Max(c5, zero), TSimd.Max(c6, zero), TSimd.Max(c7, zero));
            }

            TSimd.Store(c, c0);
            TSimd.Store(c + lanes, c1);
            TSimd.Store(c + (2 * lanes), c2);
            TSimd.Store(c + (3 * lanes), c3);
            TSimd.Store(c + (4 * lanes), c4);
            TSimd.Store(c + (5 * lanes), c5);
            TSimd.Store(c + (6 * lanes), c6);
            TSimd.Store(c + (7 * lanes), c7);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumFourVectors(in SurvivorRun g, float* b, float* c, float* start)
    {
        int lanes = TSimd.Lanes;
        int s = g.Starts[0];
        for (int r = 0; r < g.Rows; r++, c += g.CRow)
        {
            T from = TSimd.Broadcast(g.Accumulate ? 0 : start[r]);
            T c0 = g.Accumulate ? TSimd.Load(c) : from;
            T c1 = g.Accumulate ? TSimd.Load(c + lanes) : from;
            T c2 = g.Accumulate ? TSimd.Load(c + (2 * lanes)) : from;
            T c3 = g.Accumulate ? TSimd.Load(c + (3 * lanes)) : from;
            for (; s < g.Starts[r + 1]; s++)
            {
                float* q = b + g.Offsets[s];
                T v = TSimd.Broadcast(g.Weights[s]);
                c0 = TSimd.MultiplyAdd(v, TSimd.Load(q), c0);
                c1 = TSimd.MultiplyAdd(v, TSimd.Load(q + lanes), c1);
                c2 = TSimd.MultiplyAdd(v, TSimd.Load(q + (2 * lanes)), c2);
                c3 = TSimd.MultiplyAdd(v, TSimd.Load(q + (3 * lanes)), c3);
            }

            TSimd.Store(c, g.Rectified ? TSimd.Max(c0, TSimd.Zero) : c0);
            TSimd.Store(c + lanes, g.Rectified ? TSimd.Max(c1, TSimd.Zero) : c1);
            TSimd.Store(c + (2 * lanes), g.Rectified ? TSimd.Max(c2, TSimd.Zero) : c2);
            TSimd.Store(c + (3 * lanes), g.Rectified ? TSimd.Max(c3, TSimd.Zero) : c3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumTwoVectors(in SurvivorRun g, float* b, float* c, float* start)
    {
        int lanes = TSimd.Lanes;
        int s = g.Starts[0];
        for (int r = 0; r < g.Rows; r++, c += g.CRow)
        {
            T from = TSimd.Broadcast(g.Accumulate ? 0 : start[r]);
            T c0 = g.Accumulate ? TSimd.Load(c) : from;
            T c1 = g.Accumulate ? TSimd.Load(c + lanes) : from;
            for (; s < g.Starts[r + 1]; s++)
            {
                float* q = b + g.Offsets[s];
                T v = TSimd.Broadcast(g.Weights[s]);
                c0 = TSimd.MultiplyAdd(v, TSimd.Load(q), c0);
                c1 = TSimd.MultiplyAdd(v, TSimd.Load(q + lanes), c1);
            }

            TSimd.Store(c, g.Rectified ? TSimd.Max(c0, TSimd.Zero) : c0);
            TSimd.Store(c + lanes, g.Rectified ? TSimd.Max(c1, TSimd.Zero) : c1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SumOneVector(in SurvivorRun g, float* b, float* c, float* start)
    {
        int s = g.Starts[0];
        for (int r = 0; r < g.Rows; r++, c += g.CRow)
        {
            T c0 = g.Accumulate ? TSimd.Load(c) : TSimd.Broadcast(start[r]);
            for (; s < g.Starts[r + 1]; s++)
            {
                c0 = TSimd.MultiplyAdd(TSimd.Broadcast(g.Weights[s]), TSimd.Load(b + g.Offsets[s]), c0);
            }

            TSimd.Store(c, g.Rectified ? TSimd.Max(c0, TSimd.Zero) : c0);
        }
    }
}
