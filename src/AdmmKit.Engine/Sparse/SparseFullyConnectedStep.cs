using AdmmKit.Engine.Kernels;

namespace AdmmKit.Engine.Sparse;

/// <summary>A sparse fully connected layer whose rows stand in the order of their number of survivors.</summary>
internal sealed unsafe class SparseFullyConnectedStep : SparseStep
{
    private readonly FloatBuffer starts;
    private readonly FloatBuffer weights;
    private readonly FloatBuffer inputs;
    private readonly FloatBuffer biases;
    private readonly bool relu;
    private readonly int groups;

    /// <param name="rows">The rows, those of a group of about the same length; inputs are positions in the layer's input.</param>
    /// <param name="rowBiases">One number a row.</param>
    /// <param name="relu">Whether a ReLU follows.</param>
    public SparseFullyConnectedStep(IReadOnlyList<(int Input, float Weight)[]> rows, IReadOnlyList<float> rowBiases, bool relu)
        : base(RoundUp(rows.Count), 0)
    {
        groups = Outputs / SparseRows.GroupRows;
        this.relu = relu;
        var starts = new List<int> { 0 };
        var weights = new List<float>();
        var inputs = new List<int>();
        for (int g = 0; g < groups; g++)
        {
            (int Input, float Weight)[][] group = [.. rows.Skip(g * SparseRows.GroupRows).Take(SparseRows.GroupRows)];
            int length = group.Max(r => r.Length);
            for (int k = 0; k < length; k++)
            {
                for (int r = 0; r < SparseRows.GroupRows; r++)
                {
                    // A missing survivor is zero times an input that the row reads anyway, so that it can bring no NaN of its own.
                    bool there = r < group.Length && k < group[r].Length;
                    weights.Add(there ? group[r][k].Weight : 0);
                    inputs.Add(there ? group[r][k].Input : r < group.Length ? group[r][0].Input : 0);
                }
            }

            starts.Add(starts[^1] + length);
        }

        this.starts = Copy(starts);
        this.weights = Copy(weights);
        this.inputs = Copy(inputs);
        biases = Copy([.. rowBiases, .. new float[Outputs - rows.Count]]);
    }

    public override void Run(KernelSet kernels, float* x, float* workspace, float* y, bool block)
    {
        var rows = new SparseRows
        {
            Groups = groups,
            Starts = (int*)starts.Pointer,
            Weights = weights.Pointer,
            Inputs = (int*)inputs.Pointer,
            Biases = biases.Pointer,
            Relu = relu,
        };
        if (block)
        {
            kernels.ConnectBlock(rows, x, y);
        }
        else
        {
            kernels.Connect(rows, x, y);
        }
    }

    private static int RoundUp(int rows) => (rows + SparseRows.GroupRows - 1) / SparseRows.GroupRows * SparseRows.GroupRows;
}
