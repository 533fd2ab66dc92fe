using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>
/// Batch normalization, one task a channel, so that its numbers come from a near cache the second time. In inference it is
/// one multiply-add a number with the running mean and variance.
/// </summary>
internal sealed unsafe class BatchNormLayer : Layer
{
    private readonly Action<int> forwardChannel;
    private readonly Action<int> backwardChannel;
    private readonly float[] means;
    private readonly float[] factors;
    private readonly float[] shifts;
    private readonly double[] deviations;

    public BatchNormLayer(Node.BatchNorm node, IReadOnlyList<Source> sources, LayerContext context)
        : base(sources, sources[0].Shape, context)
    {
        Normalization = new Normalization(new NormalizationInfo(node.Name, Input.Channels), context.ForTraining);
        (forwardChannel, backwardChannel) = (ForwardChannel, BackwardChannel);
        (means, factors, shifts) = (new float[Input.Channels], new float[Input.Channels], new float[Input.Channels]);
        deviations = new double[Input.Channels];
    }

    public Normalization Normalization { get; }

    public override bool CanRectify => true;

    private double Count => (double)Pass.Images * Input.Height * Input.Width;

    public override void Forward() => Context.Pool.Run(Input.Channels, forwardChannel);

    public override void Backward() => Context.Pool.Run(Input.Channels, backwardChannel);

    private void ForwardChannel(int channel)
    {
        double mean = Normalization.Means[channel];
        double variance = Normalization.Variances[channel];
        if (Pass.Training)
        {
            (double sum, double squares) = (0, 0);
            for (int block = 0; block < Pass.Blocks; block++)
            {
                float* x = Plane(Sources[0].Values, Input, block, channel);
                ClearEmpty(x, block);
                (double s, double q) = Kernels.Moments(x, InputPlane);
                (sum, squares) = (sum + s, squares + q);
            }

            mean = sum / Count;
            variance = Math.Max(0, (squares / Count) - (mean * mean));
            Normalization.Follow(channel, mean, variance * Count / Math.Max(1, Count - 1));
        }

        double deviation = Math.Sqrt(variance + Node.BatchNorm.Epsilon);
        deviations[channel] = deviation;
        means[channel] = (float)mean;
        factors[channel] = (float)(Normalization.Scales[channel] / deviation);
        shifts[channel] = (float)(Normalization.Shifts[channel] - (mean * Normalization.Scales[channel] / deviation));
        for (int block = 0; block < Pass.Blocks; block++)
        {
            float* y = Plane(Output, Input, block, channel);
            Kernels.Affine(Plane(Sources[0].Values, Input, block, channel), y, factors[channel], shifts[channel], Rectified, InputPlane);
            ClearEmpty(y, block);
        }
    }

    private void BackwardChannel(int channel)
    {
        (double sum, double products) = (0, 0);
        for (int block = 0; block < Pass.Blocks; block++)
        {
            float* dy = Plane(OutputGradient, Input, block, channel);
            ClearEmpty(dy, block);
            (double s, double p) = Kernels.AffineSums(
                Plane(Sources[0].Values, Input, block, channel), dy, means[channel], factors[channel], shifts[channel], Rectified, InputPlane);
            (sum, products) = (sum + s, products + p);
        }

        double deviation = deviations[channel];
        Normalization.ShiftGradients[channel] = (float)sum;
        Normalization.ScaleGradients[channel] = (float)(products / deviation);
        if (Dx == null)
        {
            return;
        }

        // dx = scale / deviation (dy - mean of dy - (x - mean) / deviation^2 * mean of dy (x - mean))
        double byX = -factors[channel] * products / (Count * deviation * deviation);
        double offset = (-factors[channel] * sum / Count) - (byX * means[channel]);
        for (int block = 0; block < Pass.Blocks; block++)
        {
            float* dx = Plane(Sources[0].Gradient!, Input, block, channel);
            Kernels.AffineBackward(
                Plane(Sources[0].Values, Input, block, channel),
                Plane(OutputGradient, Input, block, channel),
                dx,
                factors[channel],
                shifts[channel],
                Rectified,
                (float)byX,
                (float)offset,
                Sources[0].Accumulate,
                InputPlane);
            ClearEmpty(dx, block);
        }
    }

    /// <summary>Zeros where the last block has no images: they must not count.</summary>
    private void ClearEmpty(float* plane, int block)
    {
        int images = Pass.Images - (block * Block);
        for (int i = 0; images < Block && i < InputPlane; i += Block)
        {
            new Span<float>(plane + i + images, Block - images).Clear();
        }
    }
}

/// <summary>Scales, shifts, running means and running variances of a batch normalization, with the optimizer's memory.</summary>
internal sealed class Normalization
{
    public Normalization(NormalizationInfo info, bool forTraining)
    {
        Info = info;
        Values = new FloatBuffer(info.Count);
        Scales.Fill(1);
        Variances.Fill(1);
        int trained = forTraining ? 2 * info.Channels : 0;
        (Gradients, First, Second) = (new FloatBuffer(trained), new FloatBuffer(trained), new FloatBuffer(trained));
    }

    public NormalizationInfo Info { get; }

    /// <summary>Scales, shifts, means, variances; the first two are trained.</summary>
    public FloatBuffer Values { get; }

    public FloatBuffer Gradients { get; }

    public FloatBuffer First { get; }

    public FloatBuffer Second { get; }

    public Span<float> Scales => Values.Span[..Info.Channels];

    public Span<float> Shifts => Values.Span.Slice(Info.Channels, Info.Channels);

    public Span<float> Means => Values.Span.Slice(2 * Info.Channels, Info.Channels);

    public Span<float> Variances => Values.Span[(3 * Info.Channels)..];

    public Span<float> ScaleGradients => Gradients.Span[..Info.Channels];

    public Span<float> ShiftGradients => Gradients.Span[Info.Channels..];

    /// <summary>Moves the running mean and variance of a channel towards those of a mini-batch.</summary>
    public void Follow(int channel, double mean, double variance)
    {
        Means[channel] += (float)(Node.BatchNorm.Momentum * (mean - Means[channel]));
        Variances[channel] += (float)(Node.BatchNorm.Momentum * (variance - Variances[channel]));
    }
}
