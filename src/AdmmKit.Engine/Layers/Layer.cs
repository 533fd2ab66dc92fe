using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Layers;

/// <summary>What one pass over a mini-batch needs to know.</summary>
internal sealed class Pass
{
    /// <summary>Blocks of <see cref="KernelSet.Block"/> images in the batch; the last may be part empty.</summary>
    public int Blocks { get; set; }

    /// <summary>Whether dropout acts and inputs are kept for the backward pass.</summary>
    public bool Training { get; set; }

    /// <summary>What the random choices of this step derive from.</summary>
    public ulong RandomKey { get; set; }
}

/// <summary>
/// One step of a network at work. Activations are [block][feature][image]; a layer owns its output and, in training, the
/// gradient of its output. All memory is taken when the network is built.
/// </summary>
internal abstract unsafe class Layer
{
    protected const int Block = KernelSet.Block;

    protected Layer(ImageShape input, ImageShape output, int maxBlocks, LayerContext context)
    {
        Input = input;
        OutputShape = output;
        Context = context;
        Live = [.. Enumerable.Range(0, output.Channels)];
        Output = new FloatBuffer(output.Size * Block * maxBlocks);
        OutputGradient = new FloatBuffer(context.ForTraining ? output.Size * Block * maxBlocks : 0);
    }

    public ImageShape Input { get; }

    public ImageShape OutputShape { get; }

    public FloatBuffer Output { get; }

    public FloatBuffer OutputGradient { get; }

    /// <summary>Output channels that somebody reads. The others may hold anything; their gradient is zero.</summary>
    protected int[] Live { get; private set; }

    protected LayerContext Context { get; }

    protected KernelSet Kernels => Context.Kernels;

    /// <summary>Input of the pass under way; set by the network.</summary>
    protected float* X { get; private set; }

    /// <summary>Gradient of the input, or null where nobody reads it.</summary>
    protected float* Dx { get; private set; }

    protected Pass Pass { get; private set; } = new();

    public void Connect(float* x, float* dx)
    {
        X = x;
        Dx = dx;
    }

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
}

/// <summary>What all layers of a network share.</summary>
/// <param name="Kernels">The arithmetic.</param>
/// <param name="Pool">The threads.</param>
/// <param name="ForTraining">Whether gradients are needed at all.</param>
internal sealed record LayerContext(KernelSet Kernels, WorkPool Pool, bool ForTraining);
