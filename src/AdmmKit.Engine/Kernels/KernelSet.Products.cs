using System.Runtime.CompilerServices;

namespace AdmmKit.Engine.Kernels;

/// <summary>The kernels that do nearly all the arithmetic: matrix products and weight gradients.</summary>
internal sealed unsafe partial class KernelSet<TSimd, T>(string name) : KernelSet
    where TSimd : struct, ISimd<T>
    where T : struct
{
    public override string Name => name;

    public override int Lanes => TSimd.Lanes;

    private protected override KernelSet WithBlock(int block) => new KernelSet<TSimd, T>(name) { Block = block };

    public override void Multiply(in TileGeometry g, float* a, float* b, float* c, float* start, int rows, bool accumulate)
    {
        int pair = 2 * TSimd.Lanes;
        float* scratch = stackalloc float[TileRows * 2 * 16];
        int r = 0;
        for (; r + TileRows <= rows; r += TileRows)
        {
            float* rowStart = start == null ? null : start + r;
            int j = 0;
            for (; j + pair <= g.Width; j += pair)
            {
                Tile(g, a + (r * g.ARow), b + j, c + (r * g.CRow) + j, rowStart, accumulate);
            }

            if (j < g.Width)
            {
                // The last columns that do not fill two vectors go through a scratch tile; B is readable past the end.
                TileTail(g, a + (r * g.ARow), b + j, c + (r * g.CRow) + j, rowStart, accumulate, g.Width - j, scratch, TileRows);
            }
        }

        for (; r < rows; r++)
        {
            float* rowStart = start == null ? null : start + r;
            for (int j = 0; j < g.Width; j += pair)
            {
                TileTail(g, a + (r * g.ARow), b + j, c + (r * g.CRow) + j, rowStart, accumulate, Math.Min(pair, g.Width - j), scratch, 1);
            }
        }
    }

    private static void TileTail(
        in TileGeometry g, float* a, float* b, float* c, float* start, bool accumulate, int width, float* scratch, int rows)
    {
        int pair = 2 * TSimd.Lanes;
        var local = new TileGeometry
        {
            ARow = g.ARow,
            AStep = g.AStep,
            BStep = g.BStep,
            CRow = pair,
            Length = g.Length,
            Width = pair,
            Segments = g.Segments,
            SegmentCount = g.SegmentCount,
        };
        if (accumulate)
        {
            for (int r = 0; r < rows; r++)
            {
                for (int j = 0; j < pair; j++)
                {
                    scratch[(r * pair) + j] = j < width ? c[(r * g.CRow) + j] : 0;
                }
            }
        }

        if (rows == TileRows)
        {
            Tile(local, a, b, scratch, start, accumulate);
        }
        else
        {
            TileRow(local, a, b, scratch, start, accumulate);
        }

        for (int r = 0; r < rows; r++)
        {
            for (int j = 0; j < width; j++)
            {
                c[(r * g.CRow) + j] = scratch[(r * pair) + j];
            }
        }
    }

    // Five rows by two vectors: ten accumulators hide the latency of the multiply-add, and seven loads feed ten of them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile(in TileGeometry g, float* a, float* b, float* c, float* start, bool accumulate)
    {
        nint row = g.ARow;
        nint aStep = g.AStep;
        nint bStep = g.BStep;
        nint cRow = g.CRow;
        int length = g.Length;
        int lanes = TSimd.Lanes;
        T c00, c01, c10, c11, c20, c21, c30, c31, c40, c41;
        if (accumulate)
        {
            c00 = TSimd.Load(c);
            c01 = TSimd.Load(c + lanes);
            c10 = TSimd.Load(c + cRow);
            c11 = TSimd.Load(c + cRow + lanes);
            c20 = TSimd.Load(c + (2 * cRow));
            c21 = TSimd.Load(c + (2 * cRow) + lanes);
            c30 = TSimd.Load(c + (3 * cRow));
            c31 = TSimd.Load(c + (3 * cRow) + lanes);
            c40 = TSimd.Load(c + (4 * cRow));
            c41 = TSimd.Load(c + (4 * cRow) + lanes);
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
            c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = TSimd.Zero;
        }

        int* segment = g.Segments;
        int* end = segment + (2 * g.SegmentCount);
        for (; segment < end; segment += 2)
        {
            float* p0 = a + segment[0];
            float* p1 = p0 + row;
            float* p2 = p1 + row;
            float* p3 = p2 + row;
            float* p4 = p3 + row;
            float* q = b + segment[1];
            nint i = 0;
            for (int l = length; l > 0; l--)
            {
                T b0 = TSimd.Load(q);
                T b1 = TSimd.Load(q + lanes);
                T v = TSimd.Broadcast(p0[i]);
                c00 = TSimd.MultiplyAdd(v, b0, c00);
                c01 = TSimd.MultiplyAdd(v, b1, c01);
                v = TSimd.Broadcast(p1[i]);
                c10 = TSimd.MultiplyAdd(v, b0, c10);
                c11 = TSimd.MultiplyAdd(v, b1, c11);
                v = TSimd.Broadcast(p2[i]);
                c20 = TSimd.MultiplyAdd(v, b0, c20);
                c21 = TSimd.MultiplyAdd(v, b1, c21);
                v = TSimd.Broadcast(p3[i]);
                c30 = TSimd.MultiplyAdd(v, b0, c30);
                c31 = TSimd.MultiplyAdd(v, b1, c31);
                v = TSimd.Broadcast(p4[i]);
                c40 = TSimd.MultiplyAdd(v, b0, c40);
                c41 = TSimd.MultiplyAdd(v, b1, c41);
                i += aStep;
                q += bStep;
            }
        }

        TSimd.Store(c, c00);
        TSimd.Store(c + lanes, c01);
        TSimd.Store(c + cRow, c10);
        TSimd.Store(c + cRow + lanes, c11);
        TSimd.Store(c + (2 * cRow), c20);
        TSimd.Store(c + (2 * cRow) + lanes, c21);
        TSimd.Store(c + (3 * cRow), c30);
        TSimd.Store(c + (3 * cRow) + lanes, c31);
        TSimd.Store(c + (4 * cRow), c40);
        TSimd.Store(c + (4 * cRow) + lanes, c41);
    }

    // One row by two vectors, for the rows that do not fill a tile.
    private static void TileRow(in TileGeometry g, float* a, float* b, float* c, float* start, bool accumulate)
    {
        int lanes = TSimd.Lanes;
        T c0 = accumulate ? TSimd.Load(c) : start != null ? TSimd.Broadcast(start[0]) : TSimd.Zero;
        T c1 = accumulate ? TSimd.Load(c + lanes) : start != null ? TSimd.Broadcast(start[0]) : TSimd.Zero;
        for (int s = 0; s < g.SegmentCount; s++)
        {
            float* p = a + g.Segments[2 * s];
            float* q = b + g.Segments[(2 * s) + 1];
            for (int l = 0; l < g.Length; l++, p += g.AStep, q += g.BStep)
            {
                T v = TSimd.Broadcast(*p);
                c0 = TSimd.MultiplyAdd(v, TSimd.Load(q), c0);
                c1 = TSimd.MultiplyAdd(v, TSimd.Load(q + lanes), c1);
            }
        }

        TSimd.Store(c, c0);
        TSimd.Store(c + lanes, c1);
    }
}
