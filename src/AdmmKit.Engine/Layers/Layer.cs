using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>What one pass over a mini-batch needs to know.</summary>
internal sealed class Pass
{
    /// <summary>Images in the batch.</summary>
    public int Images { get; set; }

    /// <summary>Blocks of <see cref="LayerContext.Block"/> images in the batch; the last may be part empty.</summary>
    public int Blocks { get; set; }

    /// <summary>Whether dropout acts and inputs are kept for the backward pass.</summary>
    public bool Training { get; set; }

    /// <summary>What the random choices of this step derive from.</summary>
    public ulong RandomKey { get; set; }
}

/// <summary>What a layer reads.</summary>
/// <param name="Shape">Shape for one image.</param>
/// <param name="Values">The numbers.</param>
/// <param name="Gradient">Where their gradient goes, or null where nobody reads it.</param>
/// <param name="Accumulate">Whether the gradient is added to what a later reader of the same numbers left there.</param>
/// <param name="Shared">Whether others read the same numbers, before or after.</param>
internal readonly record struct Source(ImageShape Shape, FloatBuffer Values, FloatBuffer? Gradient, bool Accumulate, bool Shared);

/// <summary>
/// One step of a network at work. Activations are [block][feature][image]; a layer writes its output and, in training, reads
/// the gradient of its output. All memory is taken when the network is built.
/// </summary>
internal abstract unsafe class Layer
{
    // Planes of 1 x 1 are taken many at a time.
    private const int NumbersAtOnce = 4096;

    private readonly Action<int> rectifyPlanes;
    private readonly Action<int> maskPlanes;

    protected Layer(IReadOnlyList<Source> sources, ImageShape output, LayerContext context, bool inPlace = false)
    {
        Sources = sources;
        OutputShape = output;
        Context = context;
        Live = [.. Enumerable.Range(0, output.Channels)];
        Output = inPlace ? sources[0].Values : new FloatBuffer((long)output.Size * Block * context.MaxBlocks);
        OutputGradient = inPlace ? sources[0].Gradient ?? new FloatBuffer(0)
            : new FloatBuffer(context.ForTraining ? (long)output.Size * Block * context.MaxBlocks : 0);
        (rectifyPlanes, maskPlanes) = (RectifyPlanes, MaskPlanes);
    }

    public IReadOnlyList<Source> Sources { get; }

    public ImageShape Input => Sources[0].Shape;

    public ImageShape OutputShape { get; }

    public FloatBuffer Output { get; }

    public FloatBuffer OutputGradient { get; }

    /// <summary>Whether max(x, 0) is taken of the output: a ReLU that costs no pass of its own.</summary>
    public bool Rectified { get; set; }

    /// <summary>Whether <see cref="Rectified"/> can be set.</summary>
    public virtual bool CanRectify => false;

    /// <summary>Output channels that somebody reads. The others may hold anything; their gradient is zero.</summary>
    protected int[] Live { get; private set; }

    protected LayerContext Context { get; }

    /// <summary>Whether a layer can compute with its survivors alone: their products take whole blocks of images.</summary>
    protected bool CanRunSparse => Context.ForTraining && Block == KernelSet.MaxBlock;

    protected KernelSet Kernels => Context.Kernels;

    /// <summary>Images of a block.</summary>
    protected int Block => Context.Block;

    /// <summary>The (first) input.</summary>
    protected float* X => Sources[0].Values.Pointer;

    /// <summary>Gradient of the (first) input, or null where nobody reads it.</summary>
    protected float* Dx => Sources[0].Gradient is { } gradient ? gradient.Pointer : null;

    protected int InputPlane => Input.Height * Input.Width * Block;

    protected int OutputPlane => OutputShape.Height * OutputShape.Width * Block;

    protected Pass Pass { get; private set; } = new();

    public void Forward(Pass pass)
    {
        Pass = pass;
        Forward();
    }

    public abstract void Forward();

    /// <summary>Learns which output channels somebody reads. Nobody writes the gradient of the others, so it is cleared here.</summary>
    public virtual void SetRead(bool[] read)
    {
        Live = [.. Enumerable.Range(0, read.Length).Where(c => read[c])];
        OutputGradient.Span.Clear();
    }

    /// <summary>Which input channels it reads, as things stand.</summary>
    public virtual bool[] InputsRead() => [.. Enumerable.Repeat(true, Input.Channels)];

    /// <summary>From the gradient of the output to that of the input and of the weights (summed over the batch).</summary>
    public abstract void Backward();

    /// <summary>The input's numbers of one channel.</summary>
    protected float* Plane(FloatBuffer buffer, ImageShape shape, int block, int channel) =>
        buffer.Pointer + ((((nint)block * shape.Channels) + channel) * shape.Height * shape.Width * Block);

    /// <summary>Puts numbers into the gradient of a source, or adds them to what a later reader left there.</summary>
    protected void PutGradient(Source source, float* from, float* to, int count)
    {
        if (source.Accumulate)
        {
            Kernels.Add(to, from, to, rectified: false, count);
        }
        else
        {
            new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(to, count));
        }
    }

    /// <summary>max(x, 0) of all outputs, where a layer does not take it as it goes.</summary>
    protected void Rectify()
    {
        if (Rectified)
        {
            Context.Pool.Run(PlaneTasks, rectifyPlanes);
        }
    }

    /// <summary>The gradient of what a ReLU took: zero where its output is.</summary>
    protected void BackwardThroughRectifier()
    {
        if (Rectified)
        {
            Context.Pool.Run(PlaneTasks, maskPlanes);
        }
    }

    private int PlanesAtOnce => Math.Max(1, NumbersAtOnce / OutputPlane);

    private int TasksOfBlock => (Live.Length + PlanesAtOnce - 1) / PlanesAtOnce;

    private int PlaneTasks => Pass.Blocks * TasksOfBlock;

    private void RectifyPlanes(int task)
    {
        foreach (int channel in LiveOf(task, out int block))
        {
            float* y = Plane(Output, OutputShape, block, channel);
            Kernels.Relu(y, y, OutputPlane);
        }
    }

    private void MaskPlanes(int task)
    {
        foreach (int channel in LiveOf(task, out int block))
        {
            float* dy = Plane(OutputGradient, OutputShape, block, channel);
            Kernels.ReluBackward(Plane(Output, OutputShape, block, channel), dy, dy, OutputPlane);
        }
    }

    private ReadOnlySpan<int> LiveOf(int task, out int block)
    {
        (block, int part) = Math.DivRem(task, TasksOfBlock);
        int first = part * PlanesAtOnce;
        return Live.AsSpan(first, Math.Min(PlanesAtOnce, Live.Length - first));
    }
}

/// <summary>What all layers of a network share.</summary>
/// <param name="Kernels">The arithmetic, in vectors that are no longer than a block.</param>
/// <param name="Products">The arithmetic of products, which do not mind where in a run of numbers an image ends.</param>
/// <param name="Pool">The threads.</param>
/// <param name="ForTraining">Whether gradients are needed at all.</param>
/// <param name="MaxBlocks">Blocks of images that one pass can take.</param>
internal sealed record LayerContext(KernelSet Kernels, KernelSet Products, WorkPool Pool, bool ForTraining, int MaxBlocks)
{
    /// <summary>Images of a block.</summary>
    public int Block => Kernels.Block;

    private FloatBuffer[] scratch = [];

    /// <summary>Sees to it that each thread has so many numbers of scratch.</summary>
    public void NeedScratch(int length)
    {
        if (scratch.Length == 0 || scratch[0].Length < length)
        {
            scratch = [.. Enumerable.Range(0, Pool.Threads).Select(_ => new FloatBuffer(length))];
        }
    }

    /// <summary>Scratch of the thread that asks, for as long as its task lasts.</summary>
    public FloatBuffer Scratch => scratch[WorkPool.Worker];
}
