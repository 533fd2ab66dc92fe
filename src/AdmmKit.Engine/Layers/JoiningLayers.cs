using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>The sum of several outputs of one shape; may lie where the first of them lies.</summary>
internal sealed unsafe class AddLayer : Layer
{
    private readonly Action<int> forwardPlane;
    private readonly Action<int> backwardPlane;

    public AddLayer(IReadOnlyList<Source> sources, LayerContext context, bool inPlace)
        : base(sources, sources[0].Shape, context, inPlace) => (forwardPlane, backwardPlane) = (ForwardPlane, BackwardPlane);

    public override bool CanRectify => true;

    public override void Forward() => Context.Pool.Run(Pass.Blocks * Input.Channels, forwardPlane);

    public override void Backward()
    {
        BackwardThroughRectifier();
        Context.Pool.Run(Pass.Blocks * Input.Channels, backwardPlane);
    }

    private void ForwardPlane(int plane)
    {
        nint at = (nint)plane * InputPlane;
        float* sum = Output.Pointer + at;
        float* first = X + at;
        for (int s = 1; s < Sources.Count; s++)
        {
            Kernels.Add(first, Sources[s].Values.Pointer + at, sum, Rectified && s == Sources.Count - 1, InputPlane);
            first = sum;
        }
    }

    private void BackwardPlane(int plane)
    {
        nint at = (nint)plane * InputPlane;
        float* dy = OutputGradient.Pointer + at;
        foreach (Source source in Sources)
        {
            float* dx = source.Gradient is { } gradient ? gradient.Pointer + at : dy;
            if (dx != dy)
            {
                PutGradient(source, dy, dx, InputPlane);
            }
        }
    }
}

/// <summary>Channels of several outputs one after the other.</summary>
internal sealed unsafe class ConcatLayer : Layer
{
    private readonly Action<int> forwardBlock;
    private readonly Action<int> backwardBlock;

    public ConcatLayer(IReadOnlyList<Source> sources, ImageShape output, LayerContext context)
        : base(sources, output, context) => (forwardBlock, backwardBlock) = (ForwardBlock, BackwardBlock);

    public override void Forward() => Context.Pool.Run(Pass.Blocks, forwardBlock);

    public override void Backward() => Context.Pool.Run(Pass.Blocks, backwardBlock);

    private void ForwardBlock(int block)
    {
        float* y = Plane(Output, OutputShape, block, 0);
        foreach (Source source in Sources)
        {
            int count = source.Shape.Size * Block;
            new ReadOnlySpan<float>(Plane(source.Values, source.Shape, block, 0), count).CopyTo(new Span<float>(y, count));
            y += count;
        }
    }

    private void BackwardBlock(int block)
    {
        float* dy = Plane(OutputGradient, OutputShape, block, 0);
        foreach (Source source in Sources)
        {
            int count = source.Shape.Size * Block;
            if (source.Gradient is { } gradient)
            {
                PutGradient(source, dy, Plane(gradient, source.Shape, block, 0), count);
            }

            dy += count;
        }
    }
}

/// <summary>Every Stride-th row and column, between channels of zeros.</summary>
internal sealed unsafe class ShortcutLayer : Layer
{
    private readonly int stride;
    private readonly int before;
    private readonly Action<int> forwardChannel;
    private readonly Action<int> backwardChannel;

    public ShortcutLayer(Node.Shortcut node, IReadOnlyList<Source> sources, ImageShape output, LayerContext context)
        : base(sources, output, context)
    {
        stride = node.Stride;
        before = (output.Channels - Input.Channels) / 2;
        (forwardChannel, backwardChannel) = (ForwardChannel, BackwardChannel);
    }

    public override void Forward() => Context.Pool.Run(Pass.Blocks * OutputShape.Channels, forwardChannel);

    public override void Backward()
    {
        if (Dx != null)
        {
            Context.Pool.Run(Pass.Blocks * Input.Channels, backwardChannel);
        }
    }

    private void ForwardChannel(int task)
    {
        (int block, int channel) = (task / OutputShape.Channels, task % OutputShape.Channels);
        float* y = Plane(Output, OutputShape, block, channel);
        if ((uint)(channel - before) >= (uint)Input.Channels)
        {
            new Span<float>(y, OutputPlane).Clear();
            return;
        }

        float* x = Plane(Sources[0].Values, Input, block, channel - before);
        for (int position = 0; position < OutputShape.Height * OutputShape.Width; position++)
        {
            new ReadOnlySpan<float>(x + InputAt(position), Block).CopyTo(new Span<float>(y + (position * Block), Block));
        }
    }

    private void BackwardChannel(int task)
    {
        (int block, int channel) = (task / Input.Channels, task % Input.Channels);
        float* dx = Plane(Sources[0].Gradient!, Input, block, channel);
        float* dy = Plane(OutputGradient, OutputShape, block, channel + before);
        if (!Sources[0].Accumulate)
        {
            new Span<float>(dx, InputPlane).Clear();
        }

        for (int position = 0; position < OutputShape.Height * OutputShape.Width; position++)
        {
            float* to = dx + InputAt(position);
            Kernels.Add(to, dy + (position * Block), to, rectified: false, Block);
        }
    }

    private int InputAt(int position) =>
        ((position / OutputShape.Width * Input.Width) + (position % OutputShape.Width)) * stride * Block;
}

/// <summary>The mean of each channel.</summary>
internal sealed unsafe class GlobalAveragePoolLayer(IReadOnlyList<Source> sources, ImageShape output, LayerContext context)
    : ChannelwiseLayer(sources, output, context)
{
    protected override void Forward(float* x, float* y, int block, int channel) =>
        Kernels.MeanOfPositions(x, y, Input.Height * Input.Width, Block);

    protected override void Backward(float* x, float* y, float* dy, float* dx, int block, int channel) =>
        Kernels.MeanOfPositionsBackward(dy, dx, Input.Height * Input.Width, Block);
}
