using System.Runtime.CompilerServices;

namespace AdmmKit.Engine.Layers;

/// <summary>Which parts of a layer's input a survivor is looked up in, and how far from the beginning of its part.</summary>
internal sealed record SurvivorPlan
{
    /// <summary>Groups of the layer; each has its own rows and its own inputs.</summary>
    public required int Groups { get; init; }

    /// <summary>Columns of the weights that are taken at once; the last part may have fewer.</summary>
    public required int ColumnsOfPart { get; init; }

    /// <summary>For each column the offset of its input from that of its part, in floats.</summary>
    public required int[] Offsets { get; init; }

    /// <summary>Parts of the columns.</summary>
    public int Parts => (Offsets.Length + ColumnsOfPart - 1) / ColumnsOfPart;
}

/// <summary>
/// Weights that are not zero, as inference reads them: by group, part of the columns, row, column, each with the offset of what
/// it multiplies. Rows that nobody reads have none.
/// </summary>
internal sealed unsafe class Survivors
{
    private readonly SurvivorPlan plan;
    private readonly int[] starts;
    private readonly int[] offsets;
    private readonly FloatBuffer weights;
    private readonly int rows;
    private readonly bool[] inputsRead;

    /// <summary>Takes the survivors out of a layer's weights.</summary>
    /// <param name="parameters">The layer.</param>
    /// <param name="plan">How they are laid out.</param>
    /// <param name="live">The rows that somebody reads.</param>
    /// <param name="inputChannels">Channels of the layer's input, of all groups.</param>
    public Survivors(Parameters parameters, SurvivorPlan plan, int[] live, int inputChannels)
    {
        this.plan = plan;
        int columns = parameters.Info.Columns;
        rows = parameters.Info.Rows / plan.Groups;
        int columnsOfChannel = columns / (inputChannels / plan.Groups);
        inputsRead = new bool[inputChannels];
        bool[] isLive = new bool[parameters.Info.Rows];
        Array.ForEach(live, r => isLive[r] = true);
        ReadOnlySpan<float> values = parameters.Weights.Span;
        Count = 0;
        foreach (int row in live)
        {
            Count += Training.NetworkWeights.CountNonZero(values.Slice(row * columns, columns));
        }

        starts = Pinned((plan.Groups * plan.Parts * rows) + 1);
        offsets = Pinned(Count);
        weights = new FloatBuffer(Count);
        (int next, int place) = (0, 0);
        for (int group = 0; group < plan.Groups; group++)
        {
            for (int first = 0; first < columns; first += plan.ColumnsOfPart)
            {
                int end = Math.Min(first + plan.ColumnsOfPart, columns);
                for (int row = group * rows; row < (group + 1) * rows; row++)
                {
                    for (int column = first; isLive[row] && column < end; column++)
                    {
                        float weight = values[(row * columns) + column];
                        if (weight != 0)
                        {
                            inputsRead[(group * (inputChannels / plan.Groups)) + (column / columnsOfChannel)] = true;
                            offsets[next] = plan.Offsets[column];
                            weights.Span[next++] = weight;
                        }
                    }

                    starts[++place] = next;
                }
            }
        }
    }

    /// <summary>How many there are.</summary>
    public int Count { get; }

    /// <summary>Which input channels a survivor reads.</summary>
    public bool[] InputsRead => inputsRead;

    public int* Offsets => Address(offsets);

    public float* Weights => weights.Pointer;

    /// <summary>Where the survivors of the rows of a group begin, in a part.</summary>
    public int* Starts(int group, int part) => Address(starts) + (((group * plan.Parts) + part) * rows);

    private static int[] Pinned(int length) => GC.AllocateArray<int>(Math.Max(1, length), pinned: true);

    private static int* Address(int[] pinned) => (int*)Unsafe.AsPointer(ref pinned[0]);
}
