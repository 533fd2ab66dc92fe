namespace AdmmKit.Engine.Kernels;

/// <summary>Pooling whose windows overlap, leave gaps between them, or reach over the edge.</summary>
internal sealed unsafe partial class KernelSet<TSimd, T>
{
    public override void MaxPool(in WindowGeometry g, float* x, float* y)
    {
        for (int oy = 0; oy < g.OutHeight; oy++)
        {
            (int top, int bottom) = g.Covered(oy, g.Height);
            for (int ox = 0; ox < g.OutWidth; ox++, y += Block)
            {
                (int left, int right) = g.Covered(ox, g.Width);
                for (int lane = 0; lane < Block; lane += TSimd.Lanes)
                {
                    T max = TSimd.Load(x + (((top * g.Width) + left) * Block) + lane);
                    for (int row = top; row < bottom; row++)
                    {
                        for (int column = left; column < right; column++)
                        {
                            max = TSimd.Max(max, TSimd.Load(x + (((row * g.Width) + column) * Block) + lane));
                        }
                    }

                    TSimd.Store(y + lane, max);
                }
            }
        }
    }

    public override void MaxPoolBackward(in WindowGeometry g, float* x, float* y, float* dy, float* dx)
    {
        new Span<float>(dx, g.Height * g.Width * Block).Clear();
        for (int oy = 0; oy < g.OutHeight; oy++)
        {
            (int top, int bottom) = g.Covered(oy, g.Height);
            for (int ox = 0; ox < g.OutWidth; ox++, y += Block, dy += Block)
            {
                (int left, int right) = g.Covered(ox, g.Width);
                for (int lane = 0; lane < Block; lane += TSimd.Lanes)
                {
                    T max = TSimd.Load(y + lane);
                    T rest = TSimd.Load(dy + lane);
                    for (int row = top; row < bottom; row++)
                    {
                        for (int column = left; column < right; column++)
                        {
                            int at = (((row * g.Width) + column) * Block) + lane;
                            T hit = TSimd.Equal(TSimd.Load(x + at), max);
                            TSimd.Store(dx + at, TSimd.Add(TSimd.Load(dx + at), TSimd.And(hit, rest)));
                            rest = TSimd.AndNot(hit, rest);
                        }
                    }
                }
            }
        }
    }

    public override void AveragePool(in WindowGeometry g, float* x, float* y, bool countsPadding)
    {
        for (int oy = 0; oy < g.OutHeight; oy++)
        {
            (int top, int bottom) = g.Covered(oy, g.Height);
            for (int ox = 0; ox < g.OutWidth; ox++, y += Block)
            {
                (int left, int right) = g.Covered(ox, g.Width);
                T share = TSimd.Broadcast(1f / (countsPadding ? g.Window * g.Window : (bottom - top) * (right - left)));
                for (int lane = 0; lane < Block; lane += TSimd.Lanes)
                {
                    T sum = TSimd.Zero;
                    for (int row = top; row < bottom; row++)
                    {
                        for (int column = left; column < right; column++)
                        {
                            sum = TSimd.Add(sum, TSimd.Load(x + (((row * g.Width) + column) * Block) + lane));
                        }
                    }

                    TSimd.Store(y + lane, TSimd.Multiply(sum, share));
                }
            }
        }
    }

    public override void AveragePoolBackward(in WindowGeometry g, float* dy, float* dx, bool countsPadding)
    {
        new Span<float>(dx, g.Height * g.Width * Block).Clear();
        for (int oy = 0; oy < g.OutHeight; oy++)
        {
            (int top, int bottom) = g.Covered(oy, g.Height);
            for (int ox = 0; ox < g.OutWidth; ox++, dy += Block)
            {
                (int left, int right) = g.Covered(ox, g.Width);
                T share = TSimd.Broadcast(1f / (countsPadding ? g.Window * g.Window : (bottom - top) * (right - left)));
                for (int lane = 0; lane < Block; lane += TSimd.Lanes)
                {
                    T gradient = TSimd.Multiply(TSimd.Load(dy + lane), share);
                    for (int row = top; row < bottom; row++)
                    {
                        for (int column = left; column < right; column++)
                        {
                            int at = (((row * g.Width) + column) * Block) + lane;
                            TSimd.Store(dx + at, TSimd.Add(TSimd.Load(dx + at), gradient));
                        }
                    }
                }
            }
        }
    }
}
