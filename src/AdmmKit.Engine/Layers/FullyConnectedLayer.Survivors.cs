using AdmmKit.Engine.Kernels;

namespace AdmmKit.Engine.Layers;

/// <summary>Inference with survivors alone.</summary>
internal sealed unsafe partial class FullyConnectedLayer
{
    // Inputs that rows go over at a time stay in a second-level cache of 1 MiB, with room for other things; the sums of so many
    // rows, and weights enough to pay for taking a task, stay nearer.
    private const int NearInputs = 128 * 1024;
    private const int SurvivorRowsAtOnce = 32;

    private readonly Action<int> survivorRows;
    private Survivors? survivors;
    private SurvivorPlan? survivorPlan;

    private int SurvivorTasks => (Info.Rows + SurvivorRowsAtOnce - 1) / SurvivorRowsAtOnce;

    private Survivors FindSurvivors()
    {
        int columnsAtOnce = Math.Max(1, NearInputs / (Block * Context.MaxBlocks));
        survivorPlan = new SurvivorPlan
        {
            Groups = 1,
            ColumnsOfPart = Math.Min(columnsAtOnce, Info.Columns),
            Offsets = [.. Enumerable.Range(0, Info.Columns).Select(c => c * Block)],
        };
        return new Survivors(Parameters, survivorPlan, Live, Input.Channels);
    }

    private void SurvivorRows(int task)
    {
        int first = task * SurvivorRowsAtOnce;
        int end = Math.Min(first + SurvivorRowsAtOnce, Info.Rows);
        for (int part = 0; part < survivorPlan!.Parts; part++)
        {
            if (Block == KernelSet.MaxBlock)
            {
                SumAllBlocks(first, end, part);
            }
            else
            {
                SumBlockByBlock(first, end, part);
            }
        }

        for (int block = 0; Rectified && block < Pass.Blocks; block++)
        {
            float* y = Output.Pointer + ((((nint)block * Info.Rows) + first) * Block);
            Kernels.Relu(y, y, (end - first) * Block);
        }
    }

    /// <summary>The blocks stand side by side like positions of a row, so that a weight is read once for several of them.</summary>
    private void SumAllBlocks(int first, int end, int part)
    {
        var plane = new SparsePlane
        {
            Height = 1,
            Width = Pass.Blocks,
            Block = Block,
            CPitch = 0,
            CStep = Info.Rows * Block,
            BPitch = 0,
            BStep = Info.Columns * Block,
        };
        int* starts = survivors!.Starts(0, part);
        for (int row = first; row < end; row++)
        {
            int start = starts[row];
            int count = starts[row + 1] - start;
            if (count > 0 || part == 0)
            {
                Kernels.SparseSum(
                    plane, X, survivors.Offsets + start, survivors.Weights + start, count, Output.Pointer + (row * Block),
                    Parameters.Biases.Pointer[row], accumulate: part > 0);
            }
        }
    }

    private void SumBlockByBlock(int first, int end, int part)
    {
        var run = new SurvivorRun
        {
            Length = Block,
            Rows = end - first,
            CRow = Block,
            Starts = survivors!.Starts(0, part) + first,
            Offsets = survivors.Offsets,
            Weights = survivors.Weights,
            Accumulate = part > 0,
            Rectified = false,
        };
        for (int block = 0; block < Pass.Blocks; block++)
        {
            Kernels.SumSurvivors(
                run, X + ((nint)block * Info.Columns * Block), Output.Pointer + ((((nint)block * Info.Rows) + first) * Block),
                Parameters.Biases.Pointer + first);
        }
    }
}
