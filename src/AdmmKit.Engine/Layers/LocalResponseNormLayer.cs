using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>Local response normalization across channels; a task is a run of positions of one block in all channels.</summary>
internal sealed unsafe class LocalResponseNormLayer : Layer
{
    // Numbers of a run in all channels: they stay in a second-level cache from the first to the second sum of the gradient.
    private const int MaxScratch = 16 * 1024;

    private readonly Node.LocalResponseNorm node;
    private readonly int positionsAtOnce;
    private readonly int runs;
    private readonly Action<int> forwardRun;
    private readonly Action<int> backwardRun;

    public LocalResponseNormLayer(Node.LocalResponseNorm node, IReadOnlyList<Source> sources, LayerContext context)
        : base(sources, sources[0].Shape, context)
    {
        this.node = node;
        int positions = Input.Height * Input.Width;
        positionsAtOnce = Math.Clamp(MaxScratch / (Input.Channels * Block), 1, positions);
        runs = (positions + positionsAtOnce - 1) / positionsAtOnce;
        (forwardRun, backwardRun) = (ForwardRun, BackwardRun);
        context.NeedScratch(Input.Channels * positionsAtOnce * Block);
    }

    public override void Forward() => Context.Pool.Run(Pass.Blocks * runs, forwardRun);

    public override void Backward()
    {
        if (Dx != null)
        {
            Context.Pool.Run(Pass.Blocks * runs, backwardRun);
        }
    }

    private void ForwardRun(int task)
    {
        nint at = Run(task, out ResponseGeometry run);
        Kernels.LocalResponse(run, X + at, Output.Pointer + at);
    }

    private void BackwardRun(int task)
    {
        nint at = Run(task, out ResponseGeometry run);
        Kernels.LocalResponseBackward(run, X + at, OutputGradient.Pointer + at, Dx + at, Context.Scratch.Pointer, Sources[0].Accumulate);
    }

    /// <summary>Where the numbers of a task begin, and how they lie.</summary>
    private nint Run(int task, out ResponseGeometry run)
    {
        (int block, int first) = (task / runs, task % runs * positionsAtOnce);
        run = new ResponseGeometry
        {
            Channels = Input.Channels,
            Reach = node.Size / 2,
            Pitch = InputPlane,
            Count = Math.Min(positionsAtOnce, (Input.Height * Input.Width) - first) * Block,
            Factor = (float)(node.Alpha / node.Size),
            Beta = (float)node.Beta,
            Bias = (float)node.Bias,
        };
        return ((nint)block * Input.Channels * InputPlane) + (first * Block);
    }
}
