namespace AdmmKit.Engine.Kernels;

/// <summary>Pooling, activations and the optimizers' updates.</summary>
internal sealed unsafe partial class KernelSet<TSimd, T>
{
    public override void MaxPool(float* x, float* y, int height, int width, int window)
    {
        if (window == 2)
        {
            MaxPoolOfTwo(x, y, height, width);
            return;
        }

        int outWidth = width / window;
        for (int oy = 0; oy < height / window; oy++)
        {
            for (int ox = 0; ox < outWidth; ox++, y += Block)
            {
                float* corner = x + (((oy * window * width) + (ox * window)) * Block);
                for (int lane = 0; lane < Block; lane += TSimd.Lanes)
                {
                    T max = TSimd.Load(corner + lane);
                    for (int k = 1; k < window * window; k++)
                    {
                        max = TSimd.Max(max, TSimd.Load(corner + (((k / window * width) + (k % window)) * Block) + lane));
                    }

                    TSimd.Store(y + lane, max);
                }
            }
        }
    }

    public override void MaxPoolBackward(float* x, float* y, float* dy, float* dx, int height, int width, int window)
    {
        // The gradient goes to the first of equal maxima, so that it is counted once.
        if (window == 2)
        {
            MaxPoolOfTwoBackward(x, y, dy, dx, height, width);
            ZeroUncovered(dx, height, width, window);
            return;
        }

        int outWidth = width / window;
        for (int oy = 0; oy < height / window; oy++)
        {
            for (int ox = 0; ox < outWidth; ox++, y += Block, dy += Block)
            {
                nint corner = ((oy * window * width) + (ox * window)) * Block;
                for (int lane = 0; lane < Block; lane += TSimd.Lanes)
                {
                    T max = TSimd.Load(y + lane);
                    T left = TSimd.Load(dy + lane);
                    for (int k = 0; k < window * window; k++)
                    {
                        nint at = corner + (((k / window * width) + (k % window)) * Block) + lane;
                        T hit = TSimd.Equal(TSimd.Load(x + at), max);
                        TSimd.Store(dx + at, TSimd.And(hit, left));
                        left = TSimd.AndNot(hit, left);
                    }
                }
            }
        }

        ZeroUncovered(dx, height, width, window);
    }

    public override void AveragePool(float* x, float* y, int height, int width, int window)
    {
        T share = TSimd.Broadcast(1f / (window * window));
        for (int oy = 0; oy < height / window; oy++)
        {
            for (int ox = 0; ox < width / window; ox++, y += Block)
            {
                float* corner = x + (((oy * window * width) + (ox * window)) * Block);
                for (int lane = 0; lane < Block; lane += TSimd.Lanes)
                {
                    T sum = TSimd.Zero;
                    for (int k = 0; k < window * window; k++)
                    {
                        sum = TSimd.Add(sum, TSimd.Load(corner + (((k / window * width) + (k % window)) * Block) + lane));
                    }

                    TSimd.Store(y + lane, TSimd.Multiply(sum, share));
                }
            }
        }
    }

    public override void AveragePoolBackward(float* dy, float* dx, int height, int width, int window)
    {
        T share = TSimd.Broadcast(1f / (window * window));
        for (int oy = 0; oy < height / window; oy++)
        {
            for (int ox = 0; ox < width / window; ox++, dy += Block)
            {
                float* corner = dx + (((oy * window * width) + (ox * window)) * Block);
                for (int lane = 0; lane < Block; lane += TSimd.Lanes)
                {
                    T gradient = TSimd.Multiply(TSimd.Load(dy + lane), share);
                    for (int k = 0; k < window * window; k++)
                    {
                        TSimd.Store(corner + (((k / window * width) + (k % window)) * Block) + lane, gradient);
                    }
                }
            }
        }

        ZeroUncovered(dx, height, width, window);
    }

    public override void Relu(float* x, float* y, int count)
    {
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            // In this order of operands a NaN stays a NaN, and the loss shows it.
            TSimd.Store(y + i, TSimd.Max(TSimd.Zero, TSimd.Load(x + i)));
        }
    }

    public override void ReluBackward(float* y, float* dy, float* dx, int count)
    {
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            TSimd.Store(dx + i, TSimd.And(TSimd.Greater(TSimd.Load(y + i), TSimd.Zero), TSimd.Load(dy + i)));
        }
    }

    public override float Sum(float* x, int count)
    {
        T sum = TSimd.Zero;
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            sum = TSimd.Add(sum, TSimd.Load(x + i));
        }

        return TSimd.Sum(sum);
    }

    public override void Multiply(float* x, float* factor, float* y, int count)
    {
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            TSimd.Store(y + i, TSimd.Multiply(TSimd.Load(x + i), TSimd.Load(factor + i)));
        }
    }

    public override void Adam(in UpdateTerms terms, in AdamStep step, float* w, float* g, float* m, float* v, int count)
    {
        T beta1 = TSimd.Broadcast(step.Beta1);
        T beta2 = TSimd.Broadcast(step.Beta2);
        T rest1 = TSimd.Broadcast(1 - step.Beta1);
        T rest2 = TSimd.Broadcast(1 - step.Beta2);
        T rate = TSimd.Broadcast(step.Rate);
        T secondScale = TSimd.Broadcast(step.SecondScale);
        T epsilon = TSimd.Broadcast(step.Epsilon);
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            T weight = TSimd.Load(w + i);
            T gradient = Gradient(terms, weight, g, i);
            T first = TSimd.MultiplyAdd(beta1, TSimd.Load(m + i), TSimd.Multiply(rest1, gradient));
            T second = TSimd.MultiplyAdd(beta2, TSimd.Load(v + i), TSimd.Multiply(rest2, TSimd.Multiply(gradient, gradient)));
            TSimd.Store(m + i, first);
            TSimd.Store(v + i, second);
            T scale = TSimd.MultiplyAdd(TSimd.Sqrt(second), secondScale, epsilon);
            TSimd.Store(w + i, TSimd.Subtract(weight, TSimd.Multiply(rate, TSimd.Divide(first, scale))));
        }
    }

    public override void Momentum(in UpdateTerms terms, float rate, float momentum, float* w, float* g, float* m, int count)
    {
        T keep = TSimd.Broadcast(momentum);
        T step = TSimd.Broadcast(rate);
        for (int i = 0; i < count; i += TSimd.Lanes)
        {
            T weight = TSimd.Load(w + i);
            T velocity = TSimd.MultiplyAdd(keep, TSimd.Load(m + i), TSimd.Multiply(step, Gradient(terms, weight, g, i)));
            TSimd.Store(m + i, velocity);
            TSimd.Store(w + i, TSimd.Subtract(weight, velocity));
        }
    }

    /// <summary>
    /// The gradient of loss + decay/2 ||W||^2 + rho/2 ||W - target||^2 + lambda ||W||_1, zero where the weight is pruned.
    /// </summary>
    private static T Gradient(in UpdateTerms terms, T weight, float* g, int i)
    {
        T gradient = TSimd.Multiply(TSimd.Load(g + i), TSimd.Broadcast(terms.GradientScale));
        gradient = TSimd.MultiplyAdd(TSimd.Broadcast(terms.Decay), weight, gradient);
        if (terms.Rho != 0)
        {
            gradient = TSimd.MultiplyAdd(TSimd.Broadcast(terms.Rho), TSimd.Subtract(weight, TSimd.Load(terms.Target + i)), gradient);
        }

        if (terms.Lambda != 0)
        {
            T lambda = TSimd.Broadcast(terms.Lambda);
            T sign = TSimd.Subtract(
                TSimd.And(TSimd.Greater(weight, TSimd.Zero), lambda), TSimd.And(TSimd.Greater(TSimd.Zero, weight), lambda));
            gradient = TSimd.Add(gradient, sign);
        }

        return terms.Mask == null ? gradient : TSimd.Multiply(gradient, TSimd.Load(terms.Mask + i));
    }

    /// <summary>Clears the gradient of the last rows and columns that fill no window.</summary>
    private void ZeroUncovered(float* dx, int height, int width, int window)
    {
        int coveredHeight = height / window * window;
        int coveredWidth = width / window * window;
        for (int y = 0; y < height; y++)
        {
            int from = y < coveredHeight ? coveredWidth : 0;
            new Span<float>(dx + (((y * width) + from) * Block), (width - from) * Block).Clear();
        }
    }
}
