using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>Layers that treat every channel, or every number, by itself.</summary>
internal abstract unsafe class ChannelwiseLayer : Layer
{
    private readonly Action<int> forwardChannel;
    private readonly Action<int> backwardChannel;

    protected ChannelwiseLayer(IReadOnlyList<Source> sources, ImageShape output, LayerContext context, bool inPlace = false)
        : base(sources, output, context, inPlace)
    {
        forwardChannel = ForwardChannel;
        backwardChannel = BackwardChannel;
        context.NeedScratch(sources[0].Accumulate ? InputPlane : 0);
    }

    public override bool[] InputsRead() => [.. Enumerable.Range(0, Input.Channels).Select(c => Array.BinarySearch(Live, c) >= 0)];

    public override void Forward() => Context.Pool.Run(Tasks, forwardChannel);

    public override void Backward()
    {
        if (Dx != null)
        {
            Context.Pool.Run(Tasks, backwardChannel);
        }
    }

    // One plane of 1 x 1 is 32 numbers: fully connected outputs are taken many at a time.
    private int ChannelsAtOnce => Math.Max(1, 4096 / InputPlane);

    private int TasksPerBlock => (Live.Length + ChannelsAtOnce - 1) / ChannelsAtOnce;

    private int Tasks => Pass.Blocks * TasksPerBlock;

    protected abstract void Forward(float* x, float* y, int block, int channel);

    protected abstract void Backward(float* x, float* y, float* dy, float* dx, int block, int channel);

    private void ForwardChannel(int task)
    {
        (int block, int first) = (task / TasksPerBlock, task % TasksPerBlock * ChannelsAtOnce);
        foreach (int c in Live.AsSpan(first, Math.Min(ChannelsAtOnce, Live.Length - first)))
        {
            nint plane = (block * Input.Channels) + c;
            Forward(X + (plane * InputPlane), Output.Pointer + (plane * OutputPlane), block, c);
        }
    }

    private void BackwardChannel(int task)
    {
        (int block, int first) = (task / TasksPerBlock, task % TasksPerBlock * ChannelsAtOnce);
        foreach (int c in Live.AsSpan(first, Math.Min(ChannelsAtOnce, Live.Length - first)))
        {
            nint plane = (block * Input.Channels) + c;
            (nint i, nint o) = (plane * InputPlane, plane * OutputPlane);
            float* dx = Sources[0].Accumulate ? Context.Scratch.Pointer : Dx + i;
            Backward(X + i, Output.Pointer + o, OutputGradient.Pointer + o, dx, block, c);
            if (Sources[0].Accumulate)
            {
                Kernels.Add(dx, Dx + i, Dx + i, rectified: false, InputPlane);
            }
        }
    }
}

internal sealed unsafe class MaxPoolLayer(Node.MaxPool node, IReadOnlyList<Source> sources, ImageShape output, LayerContext context)
    : ChannelwiseLayer(sources, output, context)
{
    private readonly bool sideBySide = node.Step == node.Window && node.Padding == 0;
    private readonly WindowGeometry windows = WindowGeometry.Of(sources[0].Shape, output, node.Window, node.Step, node.Padding);

    protected override void Forward(float* x, float* y, int block, int channel)
    {
        if (sideBySide)
        {
            Kernels.MaxPool(x, y, Input.Height, Input.Width, node.Window);
        }
        else
        {
            Kernels.MaxPool(windows, x, y);
        }
    }

    protected override void Backward(float* x, float* y, float* dy, float* dx, int block, int channel)
    {
        if (sideBySide)
        {
            Kernels.MaxPoolBackward(x, y, dy, dx, Input.Height, Input.Width, node.Window);
        }
        else
        {
            Kernels.MaxPoolBackward(windows, x, y, dy, dx);
        }
    }
}

internal sealed unsafe class AveragePoolLayer(Node.AveragePool node, IReadOnlyList<Source> sources, ImageShape output, LayerContext context)
    : ChannelwiseLayer(sources, output, context)
{
    private readonly bool sideBySide = node.Step == node.Window && node.Padding == 0;
    private readonly WindowGeometry windows = WindowGeometry.Of(sources[0].Shape, output, node.Window, node.Step, node.Padding);

    protected override void Forward(float* x, float* y, int block, int channel)
    {
        if (sideBySide)
        {
            Kernels.AveragePool(x, y, Input.Height, Input.Width, node.Window);
        }
        else
        {
            Kernels.AveragePool(windows, x, y, node.CountsPadding);
        }
    }

    protected override void Backward(float* x, float* y, float* dy, float* dx, int block, int channel)
    {
        if (sideBySide)
        {
            Kernels.AveragePoolBackward(dy, dx, Input.Height, Input.Width, node.Window);
        }
        else
        {
            Kernels.AveragePoolBackward(windows, dy, dx, node.CountsPadding);
        }
    }
}

internal sealed unsafe class ReluLayer(IReadOnlyList<Source> sources, LayerContext context, bool inPlace)
    : ChannelwiseLayer(sources, sources[0].Shape, context, inPlace)
{
    protected override void Forward(float* x, float* y, int block, int channel) => Kernels.Relu(x, y, InputPlane);

    protected override void Backward(float* x, float* y, float* dy, float* dx, int block, int channel) =>
        Kernels.ReluBackward(y, dy, dx, InputPlane);
}

/// <summary>
/// Inverted dropout. Whether a number is dropped depends on (step, layer, position, image) alone, so it does not matter
/// which thread asks.
/// </summary>
internal sealed unsafe class DropoutLayer(double rate, int ordinal, IReadOnlyList<Source> sources, LayerContext context, bool inPlace)
    : ChannelwiseLayer(sources, sources[0].Shape, context, inPlace)
{
    private readonly FloatBuffer factors = new(context.ForTraining ? (long)sources[0].Shape.Size * context.Block * context.MaxBlocks : 0);
    private readonly ulong threshold = (ulong)(rate * uint.MaxValue);
    private readonly float scale = (float)(1 / (1 - rate));

    protected override void Forward(float* x, float* y, int block, int channel)
    {
        if (!Pass.Training && x == y)
        {
            return;
        }

        if (!Pass.Training)
        {
            Buffer.MemoryCopy(x, y, InputPlane * sizeof(float), InputPlane * sizeof(float));
            return;
        }

        float* factor = Factors(block, channel);
        ulong key = ordinal == 0 ? Pass.RandomKey : RandomStream.Mix(Pass.RandomKey + (ulong)ordinal);
        ulong start = key + ((ulong)(uint)((block * Input.Channels) + channel) << 32);
        for (int i = 0; i < InputPlane; i += 2)
        {
            ulong bits = RandomStream.Mix(start + (ulong)i);
            factor[i] = (bits & uint.MaxValue) < threshold ? 0 : scale;
            factor[i + 1] = (bits >> 32) < threshold ? 0 : scale;
        }

        Kernels.Multiply(x, factor, y, InputPlane);
    }

    protected override void Backward(float* x, float* y, float* dy, float* dx, int block, int channel) =>
        Kernels.Multiply(dy, Factors(block, channel), dx, InputPlane);

    private float* Factors(int block, int channel) => factors.Pointer + ((((nint)block * Input.Channels) + channel) * InputPlane);
}
