namespace AdmmKit.Engine.Kernels;

/// <summary>Local response normalization across channels.</summary>
internal sealed unsafe partial class KernelSet<TSimd, T>
{
    public override void LocalResponse(in ResponseGeometry g, float* x, float* y)
    {
        for (int channel = 0; channel < g.Channels; channel++)
        {
            nint plane = channel * g.Pitch;
            for (int i = 0; i < g.Count; i += TSimd.Lanes)
            {
                T power = Power(ResponseScale(g, x + i, channel), g.Beta);
                TSimd.Store(y + plane + i, TSimd.Divide(TSimd.Load(x + plane + i), power));
            }
        }
    }

    public override void LocalResponseBackward(in ResponseGeometry g, float* x, float* dy, float* dx, float* terms, bool accumulate)
    {
        // With s_c the scale of channel c: dx_c = dy_c / s_c^beta - 2 factor beta x_c * sum of dy_j x_j / s_j^(beta + 1) over the
        // channels j whose sums c is in, which are those that are in its own.
        for (int channel = 0; channel < g.Channels; channel++)
        {
            nint plane = channel * g.Pitch;
            for (int i = 0; i < g.Count; i += TSimd.Lanes)
            {
                T scale = ResponseScale(g, x + i, channel);
                T direct = TSimd.Divide(TSimd.Load(dy + plane + i), Power(scale, g.Beta));
                TSimd.Store(terms + ((nint)channel * g.Count) + i, TSimd.Divide(TSimd.Multiply(direct, TSimd.Load(x + plane + i)), scale));
                TSimd.Store(dx + plane + i, accumulate ? TSimd.Add(TSimd.Load(dx + plane + i), direct) : direct);
            }
        }

        T factor = TSimd.Broadcast(-2 * g.Factor * g.Beta);
        for (int channel = 0; channel < g.Channels; channel++)
        {
            nint plane = channel * g.Pitch;
            (int first, int last) = Around(g, channel);
            for (int i = 0; i < g.Count; i += TSimd.Lanes)
            {
                T sum = TSimd.Zero;
                for (int c = first; c <= last; c++)
                {
                    sum = TSimd.Add(sum, TSimd.Load(terms + ((nint)c * g.Count) + i));
                }

                T across = TSimd.Multiply(factor, TSimd.Load(x + plane + i));
                TSimd.Store(dx + plane + i, TSimd.MultiplyAdd(across, sum, TSimd.Load(dx + plane + i)));
            }
        }
    }

    private static (int First, int Last) Around(in ResponseGeometry g, int channel) =>
        (Math.Max(channel - g.Reach, 0), Math.Min(channel + g.Reach, g.Channels - 1));

    private static T ResponseScale(in ResponseGeometry g, float* x, int channel)
    {
        (int first, int last) = Around(g, channel);
        T squares = TSimd.Zero;
        for (int c = first; c <= last; c++)
        {
            T v = TSimd.Load(x + (c * g.Pitch));
            squares = TSimd.MultiplyAdd(v, v, squares);
        }

        return TSimd.MultiplyAdd(squares, TSimd.Broadcast(g.Factor), TSimd.Broadcast(g.Bias));
    }

    /// <summary>v^beta of positive numbers: by square roots for the usual exponent, else one by one.</summary>
    private static T Power(T v, float beta)
    {
        if (beta == 0.75f)
        {
            T root = TSimd.Sqrt(v);
            return TSimd.Multiply(root, TSimd.Sqrt(root));
        }

        return PowerOfEach(v, beta);
    }

    private static T PowerOfEach(T v, float beta)
    {
        float* numbers = stackalloc float[MaxLanes];
        TSimd.Store(numbers, v);
        for (int i = 0; i < TSimd.Lanes; i++)
        {
            numbers[i] = MathF.Pow(numbers[i], beta);
        }

        return TSimd.Load(numbers);
    }
}
