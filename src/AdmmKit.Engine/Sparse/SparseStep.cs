using AdmmKit.Engine.Kernels;

namespace AdmmKit.Engine.Sparse;

/// <summary>One compiled step: weights, and the pooling and the ReLU after them.</summary>
/// <param name="outputs">Numbers that it writes for one image.</param>
/// <param name="workspace">Numbers that it needs between input and output for one image.</param>
internal abstract unsafe class SparseStep(int outputs, int workspace)
{
    /// <summary>Images in a block, side by side: the lanes of the widest vector.</summary>
    public const int Block = SparseRows.GroupRows;

    protected const int BlockShift = 4;

    public int Outputs { get; } = outputs;

    public int Workspace { get; } = workspace;

    /// <summary>Computes the step for one image, or for a block of them.</summary>
    /// <param name="kernels">The arithmetic.</param>
    /// <param name="x">The input; with a block, each number is followed by that of the next image.</param>
    /// <param name="workspace">Room for <see cref="Workspace"/> numbers an image.</param>
    /// <param name="y">The output, laid out as the input is.</param>
    /// <param name="block">Whether it is a block.</param>
    public abstract void Run(KernelSet kernels, float* x, float* workspace, float* y, bool block);

    protected static FloatBuffer Copy(IReadOnlyList<float> values)
    {
        var buffer = new FloatBuffer(values.Count);
        for (int i = 0; i < values.Count; i++)
        {
            buffer.Pointer[i] = values[i];
        }

        return buffer;
    }

    /// <summary>Integers in a buffer of floats: what matters is the fixed, aligned address.</summary>
    protected static FloatBuffer Copy(IReadOnlyList<int> values)
    {
        var buffer = new FloatBuffer(values.Count);
        for (int i = 0; i < values.Count; i++)
        {
            ((int*)buffer.Pointer)[i] = values[i];
        }

        return buffer;
    }
}
