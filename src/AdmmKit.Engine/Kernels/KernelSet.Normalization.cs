namespace AdmmKit.Engine.Kernels;

/// <summary>Batch normalization, sums of activations and means of channels.</summary>
internal sealed unsafe partial class KernelSet<TSimd, T>
{
    // Sums of so many numbers are taken in single precision, and these added up in double.
    private const int SumChunk = 2048;

    public override (double Sum, double Squares) Moments(float* x, int count)
    {
        (double sum, double squares) = (0, 0);
        for (int first = 0; first < count; first += SumChunk)
        {
            (T s, T q) = (TSimd.Zero, TSimd.Zero);
            for (int i = first; i < Math.Min(first + SumChunk, count); i += TSimd.Lanes)
            {
                T v = TSimd.Load(x + i);
                s = TSimd.Add(s, v);
                q = TSimd.MultiplyAdd(v, v, q);
            }

            sum += TSimd.Sum(s);
            squares += TSimd.Sum(q);
        }

        return (sum, squares);
    }

    public override void Affine(float* x, float* y, float factor, float shift, bool rectified, int count)
    {
        (T a, T b) = (TSimd.Broadcast(factor), TSimd.Broadcast(shift));
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            T v = TSimd.MultiplyAdd(TSimd.Load(x + i), a, b);
            TSimd.Store(y + i, rectified ? TSimd.Max(TSimd.Zero, v) : v);
        }
    }

    public override (double Sum, double Products) AffineSums(float* x, float* dy, float mean, float factor, float shift, bool rectified, int count)
    {
        (T m, T a, T b) = (TSimd.Broadcast(mean), TSimd.Broadcast(factor), TSimd.Broadcast(shift));
        (double sum, double products) = (0, 0);
        for (int first = 0; first < count; first += SumChunk)
        {
            (T s, T p) = (TSimd.Zero, TSimd.Zero);
            for (int i = first; i < Math.Min(first + SumChunk, count); i += TSimd.Lanes)
            {
                T v = TSimd.Load(x + i);
                T d = Through(v, TSimd.Load(dy + i), a, b, rectified);
                s = TSimd.Add(s, d);
                p = TSimd.MultiplyAdd(d, TSimd.Subtract(v, m), p);
            }

            sum += TSimd.Sum(s);
            products += TSimd.Sum(p);
        }

        return (sum, products);
    }

    public override void AffineBackward(float* x, float* dy, float* dx, float factor, float shift, bool rectified, float byX, float offset, bool accumulate, int count)
    {
        (T a, T b, T c, T o) = (TSimd.Broadcast(factor), TSimd.Broadcast(shift), TSimd.Broadcast(byX), TSimd.Broadcast(offset));
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            T v = TSimd.Load(x + i);
            T d = TSimd.MultiplyAdd(Through(v, TSimd.Load(dy + i), a, b, rectified), a, TSimd.MultiplyAdd(v, c, o));
            TSimd.Store(dx + i, accumulate ? TSimd.Add(TSimd.Load(dx + i), d) : d);
        }
    }

    public override void Add(float* x, float* y, float* sum, bool rectified, int count)
    {
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            T v = TSimd.Add(TSimd.Load(x + i), TSimd.Load(y + i));
            TSimd.Store(sum + i, rectified ? TSimd.Max(TSimd.Zero, v) : v);
        }
    }

    public override void MeanOfPositions(float* x, float* y, int positions, int block)
    {
        T share = TSimd.Broadcast(1f / positions);
        for (int lane = 0; lane < block; lane += TSimd.Lanes)
        {
            T sum = TSimd.Zero;
            for (int i = 0; i < positions; i++)
            {
                sum = TSimd.Add(sum, TSimd.Load(x + ((nint)i * block) + lane));
            }

            TSimd.Store(y + lane, TSimd.Multiply(sum, share));
        }
    }

    public override void MeanOfPositionsBackward(float* dy, float* dx, int positions, int block)
    {
        T share = TSimd.Broadcast(1f / positions);
        for (int i = 0; i < positions * block; i += TSimd.Lanes)
        {
            TSimd.Store(dx + i, TSimd.Multiply(TSimd.Load(dy + (i % block)), share));
        }
    }

    /// <summary>The gradient of x a + b, zero where a ReLU took it for zero; computed as it was, so that the sign is the same.</summary>
    private static T Through(T x, T dy, T a, T b, bool rectified) =>
        rectified ? TSimd.And(TSimd.Greater(TSimd.MultiplyAdd(x, a, b), TSimd.Zero), dy) : dy;
}
