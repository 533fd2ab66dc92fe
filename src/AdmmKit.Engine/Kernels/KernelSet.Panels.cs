using System.Runtime.CompilerServices;

namespace AdmmKit.Engine.Kernels;

/// <summary>Products whose left side was packed into panels, and weight gradients: what convolutions spend their time in.</summary>
internal sealed unsafe partial class KernelSet<TSimd, T>
{
    // All bits set in the first numbers, none in those behind them.
    private static readonly FloatBuffer TailMasks = MakeTailMasks();

    public override void MultiplyPanel(in PanelGeometry g, float* a, float* b, float* c, float* start, int rows, bool accumulate)
    {
        int lanes = TSimd.Lanes;
        float* scratch = stackalloc float[MaxPanelRows * 2 * 16];
        for (int j = 0; j < g.Width; j += 2 * lanes)
        {
            // A panel's last rows, and the last columns, that do not exist go through scratch; B is readable past the end.
            int width = Math.Min(2 * lanes, g.Width - j);
            bool whole = rows == g.PanelRows && width == 2 * lanes;
            nint cRow = whole ? g.CRow : 2 * lanes;
            float* tile = whole ? c + j : scratch;
            if (!whole && accumulate)
            {
                Copy(c + j, g.CRow, scratch, cRow, rows, width);
            }

            Panel(g, a, b + j, tile, cRow, start, accumulate);
            if (!whole)
            {
                Copy(scratch, cRow, c + j, g.CRow, rows, width);
            }
        }
    }

    private static FloatBuffer MakeTailMasks()
    {
        var masks = new FloatBuffer(2 * MaxLanes);
        masks.Span[..MaxLanes].Fill(BitConverter.UInt32BitsToSingle(uint.MaxValue));
        return masks;
    }

    private static void Copy(float* from, nint fromRow, float* to, nint toRow, int rows, int width)
    {
        for (int r = 0; r < rows; r++)
        {
            Buffer.MemoryCopy(from + (r * fromRow), to + (r * toRow), width * sizeof(float), width * sizeof(float));
        }
    }

    private static void Panel(in PanelGeometry g, float* a, float* b, float* c, nint cRow, float* start, bool accumulate)
    {
        if (TSimd.Lanes == 16)
        {
            if (g.PanelRows == 10)
            {
                Panel10(g, a, b, c, cRow, start, accumulate);
            }
            else
            {
                Panel8(g, a, b, c, cRow, start, accumulate);
            }

            return;
        }

        // With 16 registers a panel takes two passes.
        int half = g.PanelRows / 2;
        for (int r = 0; r < 2; r++, a += half, c += half * cRow, start = start == null ? null : start + half)
        {
            if (half == 5)
            {
                Panel5(g, a, b, c, cRow, start, accumulate);
            }
            else
            {
                Panel4(g, a, b, c, cRow, start, accumulate);
            }
        }
    }

    // 10 rows by two vectors: 20 accumulators, 12 loads for 20 multiply-adds.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel10(in PanelGeometry g, float* a, float* b, float* c, nint cRow, float* start, bool accumulate)
    {
        nint lanes = TSimd.Lanes;
        nint aStep = g.PanelRows;
        nint bStep = g.BStep;
        int length = g.Length;
        T c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51, c60, c61, c70, c71, c80, c81, c90, c91;
        if (accumulate)
        {
            float* p = c;
            c00 = TSimd.Load(p);
            c01 = TSimd.Load(p + lanes);
            p += cRow;
            c10 = TSimd.Load(p);
            c11 = TSimd.Load(p + lanes);
            p += cRow;
            c20 = TSimd.Load(p);
            c21 = TSimd.Load(p + lanes);
            p += cRow;
            c30 = TSimd.Load(p);
            c31 = TSimd.Load(p + lanes);
            p += cRow;
            c40 = TSimd.Load(p);
            c41 = TSimd.Load(p + lanes);
            p += cRow;
            c50 = TSimd.Load(p);
            c51 = TSimd.Load(p + lanes);
            p += cRow;
            c60 = TSimd.Load(p);
            c61 = TSimd.Load(p + lanes);
            p += cRow;
            c70 = TSimd.Load(p);
            c71 = TSimd.Load(p + lanes);
            p += cRow;
            c80 = TSimd.Load(p);
            c81 = TSimd.Load(p + lanes);
            p += cRow;
            c90 = TSimd.Load(p);
            c91 = TSimd.Load(p + lanes);
        }
        else if (start != null)
        {
            c00 = c01 = TSimd.Broadcast(start[0]);
            c10 = c11 = TSimd.Broadcast(start[1]);
            c20 = c21 = TSimd.Broadcast(start[2]);
            c30 = c31 = TSimd.Broadcast(start[3]);
            c40 = c41 = TSimd.Broadcast(start[4]);
            c50 = c51 = TSimd.Broadcast(start[5]);
            c60 = c61 = TSimd.Broadcast(start[6]);
            c70 = c71 = TSimd.Broadcast(start[7]);
            c80 = c81 = TSimd.Broadcast(start[8]);
            c90 = c91 = TSimd.Broadcast(start[9]);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = TSimd.Zero;
            c50 = c51 = c60 = c61 = c70 = c71 = c80 = c81 = c90 = c91 = TSimd.Zero;
        }

        int* end = g.Segments + (2 * g.SegmentCount);
        for (int* segment = g.Segments; segment < end; segment += 2)
        {
            float* p = a + ((nint)segment[0] * length * aStep);
            float* q = b + segment[1];
            for (int l = length; l > 0; l--)
            {
                T b0 = TSimd.Load(q);
                T b1 = TSimd.Load(q + lanes);
                T v = TSimd.Broadcast(*p);
                c00 = TSimd.MultiplyAdd(v, b0, c00);
                c01 = TSimd.MultiplyAdd(v, b1, c01);
                v = TSimd.Broadcast(p[1]);
                c10 = TSimd.MultiplyAdd(v, b0, c10);
                c11 = TSimd.MultiplyAdd(v, b1, c11);
                v = TSimd.Broadcast(p[2]);
                c20 = TSimd.MultiplyAdd(v, b0, c20);
                c21 = TSimd.MultiplyAdd(v, b1, c21);
                v = TSimd.Broadcast(p[3]);
                c30 = TSimd.MultiplyAdd(v, b0, c30);
                c31 = TSimd.MultiplyAdd(v, b1, c31);
                v = TSimd.Broadcast(p[4]);
                c40 = TSimd.MultiplyAdd(v, b0, c40);
                c41 = TSimd.MultiplyAdd(v, b1, c41);
                v = TSimd.Broadcast(p[5]);
                c50 = TSimd.MultiplyAdd(v, b0, c50);
                c51 = TSimd.MultiplyAdd(v, b1, c51);
                v = TSimd.Broadcast(p[6]);
                c60 = TSimd.MultiplyAdd(v, b0, c60);
                c61 = TSimd.MultiplyAdd(v, b1, c61);
                v = TSimd.Broadcast(p[7]);
                c70 = TSimd.MultiplyAdd(v, b0, c70);
                c71 = TSimd.MultiplyAdd(v, b1, c71);
                v = TSimd.Broadcast(p[8]);
                c80 = TSimd.MultiplyAdd(v, b0, c80);
                c81 = TSimd.MultiplyAdd(v, b1, c81);
                v = TSimd.Broadcast(p[9]);
                c90 = TSimd.MultiplyAdd(v, b0, c90);
                c91 = TSimd.MultiplyAdd(v, b1, c91);
                p += aStep;
                q += bStep;
            }
        }

        float* d = c;
        TSimd.Store(d, c00);
        TSimd.Store(d + lanes, c01);
        d += cRow;
        TSimd.Store(d, c10);
        TSimd.Store(d + lanes, c11);
        d += cRow;
        TSimd.Store(d, c20);
        TSimd.Store(d + lanes, c21);
        d += cRow;
        TSimd.Store(d, c30);
        TSimd.Store(d + lanes, c31);
        d += cRow;
        TSimd.Store(d, c40);
        TSimd.Store(d + lanes, c41);
        d += cRow;
        TSimd.Store(d, c50);
        TSimd.Store(d + lanes, c51);
        d += cRow;
        TSimd.Store(d, c60);
        TSimd.Store(d + lanes, c61);
        d += cRow;
        TSimd.Store(d, c70);
        TSimd.Store(d + lanes, c71);
        d += cRow;
        TSimd.Store(d, c80);
        TSimd.Store(d + lanes, c81);
        d += cRow;
        TSimd.Store(d, c90);
        TSimd.Store(d + lanes, c91);
    }

    // 8 rows by two vectors: 16 accumulators, 10 loads for 16 multiply-adds.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel8(in PanelGeometry g, float* a, float* b, float* c, nint cRow, float* start, bool accumulate)
    {
        nint lanes = TSimd.Lanes;
        nint aStep = g.PanelRows;
        nint bStep = g.BStep;
        int length = g.Length;
        T c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51, c60, c61, c70, c71;
        if (accumulate)
        {
            float* p = c;
            c00 = TSimd.Load(p);
            c01 = TSimd.Load(p + lanes);
            p += cRow;
            c10 = TSimd.Load(p);
            c11 = TSimd.Load(p + lanes);
            p += cRow;
            c20 = TSimd.Load(p);
            c21 = TSimd.Load(p + lanes);
            p += cRow;
            c30 = TSimd.Load(p);
            c31 = TSimd.Load(p + lanes);
            p += cRow;
            c40 = TSimd.Load(p);
            c41 = TSimd.Load(p + lanes);
            p += cRow;
            c50 = TSimd.Load(p);
            c51 = TSimd.Load(p + lanes);
            p += cRow;
            c60 = TSimd.Load(p);
            c61 = TSimd.Load(p + lanes);
            p += cRow;
            c70 = TSimd.Load(p);
            c71 = TSimd.Load(p + lanes);
        }
        else if (start != null)
        {
            c00 = c01 = TSimd.Broadcast(start[0]);
            c10 = c11 = TSimd.Broadcast(start[1]);
            c20 = c21 = TSimd.Broadcast(start[2]);
            c30 = c31 = TSimd.Broadcast(start[3]);
            c40 = c41 = TSimd.Broadcast(start[4]);
            c50 = c51 = TSimd.Broadcast(start[5]);
            c60 = c61 = TSimd.Broadcast(start[6]);
            c70 = c71 = TSimd.Broadcast(start[7]);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = TSimd.Zero;
            c40 = c41 = c50 = c51 = c60 = c61 = c70 = c71 = TSimd.Zero;
        }

        int* end = g.Segments + (2 * g.SegmentCount);
        for (int* segment = g.Segments; segment < end; segment += 2)
        {
            float* p = a + ((nint)segment[0] * length * aStep);
            float* q = b + segment[1];
            for (int l = length; l > 0; l--)
            {
                T b0 = TSimd.Load(q);
                T b1 = TSimd.Load(q + lanes);
                T v = TSimd.Broadcast(*p);
                c00 = TSimd.MultiplyAdd(v, b0, c00);
                c01 = TSimd.MultiplyAdd(v, b1, c01);
                v = TSimd.Broadcast(p[1]);
                c10 = TSimd.MultiplyAdd(v, b0, c10);
                c11 = TSimd.MultiplyAdd(v, b1, c11);
                v = TSimd.Broadcast(p[2]);
                c20 = TSimd.MultiplyAdd(v, b0, c20);
                c21 = TSimd.MultiplyAdd(v, b1, c21);
                v = TSimd.Broadcast(p[3]);
                c30 = TSimd.MultiplyAdd(v, b0, c30);
                c31 = TSimd.MultiplyAdd(v, b1, c31);
                v = TSimd.Broadcast(p[4]);
                c40 = TSimd.MultiplyAdd(v, b0, c40);
                c41 = TSimd.MultiplyAdd(v, b1, c41);
                v = TSimd.Broadcast(p[5]);
                c50 = TSimd.MultiplyAdd(v, b0, c50);
                c51 = TSimd.MultiplyAdd(v, b1, c51);
                v = TSimd.Broadcast(p[6]);
                c60 = TSimd.MultiplyAdd(v, b0, c60);
                c61 = TSimd.MultiplyAdd(v, b1, c61);
                v = TSimd.Broadcast(p[7]);
                c70 = TSimd.MultiplyAdd(v, b0, c70);
                c71 = TSimd.MultiplyAdd(v, b1, c71);
                p += aStep;
                q += bStep;
            }
        }

        float* d = c;
        TSimd.Store(d, c00);
        TSimd.Store(d + lanes, c01);
        d += cRow;
        TSimd.Store(d, c10);
        TSimd.Store(d + lanes, c11);
        d += cRow;
        TSimd.Store(d, c20);
        TSimd.Store(d + lanes, c21);
        d += cRow;
        TSimd.Store(d, c30);
        TSimd.Store(d + lanes, c31);
        d += cRow;
        TSimd.Store(d, c40);
        TSimd.Store(d + lanes, c41);
        d += cRow;
        TSimd.Store(d, c50);
        TSimd.Store(d + lanes, c51);
        d += cRow;
        TSimd.Store(d, c60);
        TSimd.Store(d + lanes, c61);
        d += cRow;
        TSimd.Store(d, c70);
        TSimd.Store(d + lanes, c71);
    }

    // 5 rows by two vectors: 10 accumulators, 7 loads for 10 multiply-adds.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel5(in PanelGeometry g, float* a, float* b, float* c, nint cRow, float* start, bool accumulate)
    {
        nint lanes = TSimd.Lanes;
        nint aStep = g.PanelRows;
        nint bStep = g.BStep;
        int length = g.Length;
        T c00, c01, c10, c11, c20, c21, c30, c31, c40, c41;
        if (accumulate)
        {
            float* p = c;
            c00 = TSimd.Load(p);
            c01 = TSimd.Load(p + lanes);
            p += cRow;
            c10 = TSimd.Load(p);
            c11 = TSimd.Load(p + lanes);
            p += cRow;
            c20 = TSimd.Load(p);
            c21 = TSimd.Load(p + lanes);
            p += cRow;
            c30 = TSimd.Load(p);
            c31 = TSimd.Load(p + lanes);
            p += cRow;
            c40 = TSimd.Load(p);
            c41 = TSimd.Load(p + lanes);
        }
        else if (start != null)
        {
            c00 = c01 = TSimd.Broadcast(start[0]);
            c10 = c11 = TSimd.Broadcast(start[1]);
            c20 = c21 = TSimd.Broadcast(start[2]);
            c30 = c31 = TSimd.Broadcast(start[3]);
            c40 = c41 = TSimd.Broadcast(start[4]);
        }
        else
        {
            c00 = c01 = c10 = c11 = c20 = c21 = TSimd.Zero;
            c30 = c31 = c40 = c41 = TSimd.Zero;
        }

        int* end = g.Segments + (2 * g.SegmentCount);
        for (int* segment = g.Segments; segment < end; segment += 2)
        {
            float* p = a + ((nint)segment[0] * length * aStep);
            float* q = b + segment[1];
            for (int l = length; l > 0; l--)
            {
                T b0 = TSimd.Load(q);
                T b1 = TSimd.Load(q + lanes);
                T v = TSimd.Broadcast(*p);
                c00 = TSimd.MultiplyAdd(v, b0, c00);
                c01 = TSimd.MultiplyAdd(v, b1, c01);
                v = TSimd.Broadcast(p[1]);
                c10 = TSimd.MultiplyAdd(v, b0, c10);
                c11 = TSimd.MultiplyAdd(v, b1, c11);
                v = TSimd.Broadcast(p[2]);
                c20 = TSimd.MultiplyAdd(v, b0, c20);
                c21 = TSimd.MultiplyAdd(v, b1, c21);
                v = TSimd.Broadcast(p[3]);
                c30 = TSimd.MultiplyAdd(v, b0, c30);
                c31 = TSimd.MultiplyAdd(v, b1, c31);
                v = TSimd.Broadcast(p[4]);
                c40 = TSimd.MultiplyAdd(v, b0, c40);
                c41 = TSimd.MultiplyAdd(v, b1, c41);
                p += aStep;
                q += bStep;
            }
        }

        float* d = c;
        TSimd.Store(d, c00);
        TSimd.Store(d + lanes, c01);
        d += cRow;
        TSimd.Store(d, c10);
        TSimd.Store(d + lanes, c11);
        d += cRow;
        TSimd.Store(d, c20);
        TSimd.Store(d + lanes, c21);
        d += cRow;
        TSimd.Store(d, c30);
        TSimd.Store(d + lanes, c31);
        d += cRow;
        TSimd.Store(d, c40);
        TSimd.Store(d + lanes, c41);
    }

    // 4 rows by two vectors: 8 accumulators, 6 loads for 8 multiply-adds.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel4(in PanelGeometry g, float* a, float* b, float* c, nint cRow, float* start, bool accumulate)
    {
        nint lanes = TSimd.Lanes;
        nint aStep = g.PanelRows;
        nint bStep = g.BStep;
        int length = g.Length;
        T c00, c01, c10, c11, c20, c21, c30, c31;
        if (accumulate)
        {
            float* p = c;
            c00 = TSimd.Load(p);
            c01 = TSimd.Load(p + lanes);
            p += cRow;
            c10 = TSimd.Load(p);
            c11 = TSimd.Load(p + lanes);
            p += cRow;
            c20 = TSimd.Load(p);
            c21 = TSimd.Load(p + lanes);
            p += cRow;
            c30 = TSimd.Load(p);
            c31 = TSimd.Load(p + lanes);
        }
        else if (start != null)
        {
            c00 = c01 = TSimd.Broadcast(start[0]);
            c10 = c11 = TSimd.Broadcast(start[1]);
            c20 = c21 = TSimd.Broadcast(start[2]);
            c30 = c31 = TSimd.Broadcast(start[3]);
        }
        else
        {
            c00 = c01 = c10 = c11 = TSimd.Zero;
            c20 = c21 = c30 = c31 = TSimd.Zero;
        }

        int* end = g.Segments + (2 * g.SegmentCount);
        for (int* segment = g.Segments; segment < end; segment += 2)
        {
            float* p = a + ((nint)segment[0] * length * aStep);
            float* q = b + segment[1];
            for (int l = length; l > 0; l--)
            {
                T b0 = TSimd.Load(q);
                T b1 = TSimd.Load(q + lanes);
                T v = TSimd.Broadcast(*p);
                c00 = TSimd.MultiplyAdd(v, b0, c00);
                c01 = TSimd.MultiplyAdd(v, b1, c01);
                v = TSimd.Broadcast(p[1]);
                c10 = TSimd.MultiplyAdd(v, b0, c10);
                c11 = TSimd.MultiplyAdd(v, b1, c11);
                v = TSimd.Broadcast(p[2]);
                c20 = TSimd.MultiplyAdd(v, b0, c20);
                c21 = TSimd.MultiplyAdd(v, b1, c21);
                v = TSimd.Broadcast(p[3]);
                c30 = TSimd.MultiplyAdd(v, b0, c30);
                c31 = TSimd.MultiplyAdd(v, b1, c31);
                p += aStep;
                q += bStep;
            }
        }

        float* d = c;
        TSimd.Store(d, c00);
        TSimd.Store(d + lanes, c01);
        d += cRow;
        TSimd.Store(d, c10);
        TSimd.Store(d + lanes, c11);
        d += cRow;
        TSimd.Store(d, c20);
        TSimd.Store(d + lanes, c21);
        d += cRow;
        TSimd.Store(d, c30);
        TSimd.Store(d + lanes, c31);
    }

    public override void Correlate(in CorrelateGeometry g, float* dy, float* x, nint* offsets, float* sums)
    {
        if (TSimd.Lanes == 16)
        {
            Correlate4(g, dy, x, offsets, sums);
        }
        else
        {
            Correlate2(g, dy, x, offsets, sums);
            Correlate2(g, dy + (2 * g.DyRow), x, offsets, sums + (2 * CorrelateTile * TSimd.Lanes));
        }
    }

    public override void AddSums(float* sums, int skip, float* c, nint cRow, int* columns, int rows, int count)
    {
        for (int r = skip; r < rows; r++)
        {
            for (int t = 0; t < count; t++)
            {
                c[(r * cRow) + columns[t]] = TSimd.Sum(TSimd.Load(sums + (((r * CorrelateTile) + t) * TSimd.Lanes)));
            }
        }
    }

    // 4 rows of gradients by four inputs: 16 accumulators, 8 loads for 16 multiply-adds.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Correlate4(in CorrelateGeometry g, float* dy, float* x, nint* offsets, float* sums)
    {
        nint lanes = TSimd.Lanes;
        nint rest = g.Run % lanes;
        nint run = g.Run - rest;
        nint xSkip = g.XStep - run;
        T mask = TSimd.Load(TailMasks.Pointer + MaxLanes - rest);
        nint dyRow = g.DyRow;
        float* x0 = x + offsets[0];
        nint o1 = offsets[1] - offsets[0];
        nint o2 = offsets[2] - offsets[0];
        nint o3 = offsets[3] - offsets[0];
        T s00 = TSimd.Load(sums);
        T s01 = TSimd.Load(sums + (1 * lanes));
        T s02 = TSimd.Load(sums + (2 * lanes));
        T s03 = TSimd.Load(sums + (3 * lanes));
        T s10 = TSimd.Load(sums + (4 * lanes));
        T s11 = TSimd.Load(sums + (5 * lanes));
        T s12 = TSimd.Load(sums + (6 * lanes));
        T s13 = TSimd.Load(sums + (7 * lanes));
        T s20 = TSimd.Load(sums + (8 * lanes));
        T s21 = TSimd.Load(sums + (9 * lanes));
        T s22 = TSimd.Load(sums + (10 * lanes));
        T s23 = TSimd.Load(sums + (11 * lanes));
        T s30 = TSimd.Load(sums + (12 * lanes));
        T s31 = TSimd.Load(sums + (13 * lanes));
        T s32 = TSimd.Load(sums + (14 * lanes));
        T s33 = TSimd.Load(sums + (15 * lanes));
        for (int row = 0; row < g.Height; row++)
        {
            float* p = dy + (row * g.DyPitch);
            float* q = x0 + (row * g.XPitch);
            for (int n = g.Runs; n > 0; n--)
            {
                for (float* stop = p + run; p < stop; p += lanes)
                {
                    T v0 = TSimd.Load(q);
                    T v1 = TSimd.Load(q + o1);
                    T v2 = TSimd.Load(q + o2);
                    T v3 = TSimd.Load(q + o3);
                    T v = TSimd.Load(p);
                    s00 = TSimd.MultiplyAdd(v, v0, s00);
                    s01 = TSimd.MultiplyAdd(v, v1, s01);
                    s02 = TSimd.MultiplyAdd(v, v2, s02);
                    s03 = TSimd.MultiplyAdd(v, v3, s03);
                    v = TSimd.Load(p + dyRow);
                    s10 = TSimd.MultiplyAdd(v, v0, s10);
                    s11 = TSimd.MultiplyAdd(v, v1, s11);
                    s12 = TSimd.MultiplyAdd(v, v2, s12);
                    s13 = TSimd.MultiplyAdd(v, v3, s13);
                    v = TSimd.Load(p + (2 * dyRow));
                    s20 = TSimd.MultiplyAdd(v, v0, s20);
                    s21 = TSimd.MultiplyAdd(v, v1, s21);
                    s22 = TSimd.MultiplyAdd(v, v2, s22);
                    s23 = TSimd.MultiplyAdd(v, v3, s23);
                    v = TSimd.Load(p + (3 * dyRow));
                    s30 = TSimd.MultiplyAdd(v, v0, s30);
                    s31 = TSimd.MultiplyAdd(v, v1, s31);
                    s32 = TSimd.MultiplyAdd(v, v2, s32);
                    s33 = TSimd.MultiplyAdd(v, v3, s33);
                    q += lanes;
                }

                if (rest != 0)
                {
                    T v0 = TSimd.Load(q);
                    T v1 = TSimd.Load(q + o1);
                    T v2 = TSimd.Load(q + o2);
                    T v3 = TSimd.Load(q + o3);
                    T v = TSimd.And(mask, TSimd.Load(p));
                    s00 = TSimd.MultiplyAdd(v, v0, s00);
                    s01 = TSimd.MultiplyAdd(v, v1, s01);
                    s02 = TSimd.MultiplyAdd(v, v2, s02);
                    s03 = TSimd.MultiplyAdd(v, v3, s03);
                    v = TSimd.And(mask, TSimd.Load(p + dyRow));
                    s10 = TSimd.MultiplyAdd(v, v0, s10);
                    s11 = TSimd.MultiplyAdd(v, v1, s11);
                    s12 = TSimd.MultiplyAdd(v, v2, s12);
                    s13 = TSimd.MultiplyAdd(v, v3, s13);
                    v = TSimd.And(mask, TSimd.Load(p + (2 * dyRow)));
                    s20 = TSimd.MultiplyAdd(v, v0, s20);
                    s21 = TSimd.MultiplyAdd(v, v1, s21);
                    s22 = TSimd.MultiplyAdd(v, v2, s22);
                    s23 = TSimd.MultiplyAdd(v, v3, s23);
                    v = TSimd.And(mask, TSimd.Load(p + (3 * dyRow)));
                    s30 = TSimd.MultiplyAdd(v, v0, s30);
                    s31 = TSimd.MultiplyAdd(v, v1, s31);
                    s32 = TSimd.MultiplyAdd(v, v2, s32);
                    s33 = TSimd.MultiplyAdd(v, v3, s33);
                    p += rest;
                }

                q += xSkip;
            }
        }

        TSimd.Store(sums, s00);
        TSimd.Store(sums + (1 * lanes), s01);
        TSimd.Store(sums + (2 * lanes), s02);
        TSimd.Store(sums + (3 * lanes), s03);
        TSimd.Store(sums + (4 * lanes), s10);
        TSimd.Store(sums + (5 * lanes), s11);
        TSimd.Store(sums + (6 * lanes), s12);
        TSimd.Store(sums + (7 * lanes), s13);
        TSimd.Store(sums + (8 * lanes), s20);
        TSimd.Store(sums + (9 * lanes), s21);
        TSimd.Store(sums + (10 * lanes), s22);
        TSimd.Store(sums + (11 * lanes), s23);
        TSimd.Store(sums + (12 * lanes), s30);
        TSimd.Store(sums + (13 * lanes), s31);
        TSimd.Store(sums + (14 * lanes), s32);
        TSimd.Store(sums + (15 * lanes), s33);
    }

    // 2 rows of gradients by four inputs: 8 accumulators, 6 loads for 8 multiply-adds.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Correlate2(in CorrelateGeometry g, float* dy, float* x, nint* offsets, float* sums)
    {
        nint lanes = TSimd.Lanes;
        nint rest = g.Run % lanes;
        nint run = g.Run - rest;
        nint xSkip = g.XStep - run;
        T mask = TSimd.Load(TailMasks.Pointer + MaxLanes - rest);
        nint dyRow = g.DyRow;
        float* x0 = x + offsets[0];
        nint o1 = offsets[1] - offsets[0];
        nint o2 = offsets[2] - offsets[0];
        nint o3 = offsets[3] - offsets[0];
        T s00 = TSimd.Load(sums);
        T s01 = TSimd.Load(sums + (1 * lanes));
        T s02 = TSimd.Load(sums + (2 * lanes));
        T s03 = TSimd.Load(sums + (3 * lanes));
        T s10 = TSimd.Load(sums + (4 * lanes));
        T s11 = TSimd.Load(sums + (5 * lanes));
        T s12 = TSimd.Load(sums + (6 * lanes));
        T s13 = TSimd.Load(sums + (7 * lanes));
        for (int row = 0; row < g.Height; row++)
        {
            float* p = dy + (row * g.DyPitch);
            float* q = x0 + (row * g.XPitch);
            for (int n = g.Runs; n > 0; n--)
            {
                for (float* stop = p + run; p < stop; p += lanes)
                {
                    T v0 = TSimd.Load(q);
                    T v1 = TSimd.Load(q + o1);
                    T v2 = TSimd.Load(q + o2);
                    T v3 = TSimd.Load(q + o3);
                    T v = TSimd.Load(p);
                    s00 = TSimd.MultiplyAdd(v, v0, s00);
                    s01 = TSimd.MultiplyAdd(v, v1, s01);
                    s02 = TSimd.MultiplyAdd(v, v2, s02);
                    s03 = TSimd.MultiplyAdd(v, v3, s03);
                    v = TSimd.Load(p + dyRow);
                    s10 = TSimd.MultiplyAdd(v, v0, s10);
                    s11 = TSimd.MultiplyAdd(v, v1, s11);
                    s12 = TSimd.MultiplyAdd(v, v2, s12);
                    s13 = TSimd.MultiplyAdd(v, v3, s13);
                    q += lanes;
                }

                if (rest != 0)
                {
                    T v0 = TSimd.Load(q);
                    T v1 = TSimd.Load(q + o1);
                    T v2 = TSimd.Load(q + o2);
                    T v3 = TSimd.Load(q + o3);
                    T v = TSimd.And(mask, TSimd.Load(p));
                    s00 = TSimd.MultiplyAdd(v, v0, s00);
                    s01 = TSimd.MultiplyAdd(v, v1, s01);
                    s02 = TSimd.MultiplyAdd(v, v2, s02);
                    s03 = TSimd.MultiplyAdd(v, v3, s03);
                    v = TSimd.And(mask, TSimd.Load(p + dyRow));
                    s10 = TSimd.MultiplyAdd(v, v0, s10);
                    s11 = TSimd.MultiplyAdd(v, v1, s11);
                    s12 = TSimd.MultiplyAdd(v, v2, s12);
                    s13 = TSimd.MultiplyAdd(v, v3, s13);
                    p += rest;
                }

                q += xSkip;
            }
        }

        TSimd.Store(sums, s00);
        TSimd.Store(sums + (1 * lanes), s01);
        TSimd.Store(sums + (2 * lanes), s02);
        TSimd.Store(sums + (3 * lanes), s03);
        TSimd.Store(sums + (4 * lanes), s10);
        TSimd.Store(sums + (5 * lanes), s11);
        TSimd.Store(sums + (6 * lanes), s12);
        TSimd.Store(sums + (7 * lanes), s13);
    }
}
