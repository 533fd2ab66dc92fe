namespace AdmmKit.Engine.Layers;

/// <summary>
/// The plan of a convolution's product, forward or backward: its left side packed into panels in the order in which they are
/// read, and what is read on the right side.
/// </summary>
internal sealed unsafe class Panels
{
    private readonly Action<int> packPanel;
    private FloatBuffer? packed;
    private FloatBuffer? weights;

    public Panels() => packPanel = PackPanel;

    /// <summary>Groups of the convolution.</summary>
    public required int Groups { get; init; }

    /// <summary>Rows of the product in a group.</summary>
    public required int Rows
    {
        get;
        init
        {
            field = value;
            PanelRows = Kernels.KernelSet.PanelRowsFor(value);
        }
    }

    /// <summary>Channels (forward) or filters (backward) that are summed over, in a group.</summary>
    public required int Depth { get; init; }

    /// <summary>How many of these are taken at once.</summary>
    public required int Chunk { get; init; }

    /// <summary>Length of a run where it does not go along the depth; else 0.</summary>
    public required int RunLength { get; init; }

    /// <summary>Runs that make up the sum.</summary>
    public required int SegmentCount { get; init; }

    /// <summary>Rows of positions that are one task.</summary>
    public required int Band { get; init; }

    public required int Bands { get; init; }

    /// <summary>Rows that a band reads.</summary>
    public required int RowsOfBand { get; init; }

    /// <summary>Whether these are copied, with zeros around them.</summary>
    public required bool Copy { get; init; }

    /// <summary>Columns of zeros on each side of the copy.</summary>
    public int Halo { get; init; }

    /// <summary>Whether all positions read the same.</summary>
    public bool Alike { get; init; }

    /// <summary>From a row of the right side to the next.</summary>
    public required int Pitch { get; init; }

    /// <summary>From a channel of the right side to the next.</summary>
    public required int ChannelPitch { get; init; }

    /// <summary>From a number of a run to the next.</summary>
    public required int Step { get; init; }

    /// <summary>What each position reads.</summary>
    public required Taps Taps { get; init; }

    /// <summary>From the weights of a group to those of the next.</summary>
    public required int GroupStride { get; init; }

    /// <summary>From the weight of a row to that of the next.</summary>
    public required int RowStride { get; init; }

    /// <summary>From the weight of a segment to that of the next.</summary>
    public required int SegmentStride { get; init; }

    /// <summary>From a weight of a run to the next.</summary>
    public required int RunStride { get; init; }

    /// <summary>Numbers that are copied at once.</summary>
    public required int CopySize { get; init; }

    public int PanelRows { get; private init; }

    public int PanelCount => (Rows + PanelRows - 1) / PanelRows;

    private int DepthOfPanel => SegmentCount * (RunLength > 0 ? RunLength : Depth);

    /// <summary>The panel's part for the chunk that begins at <paramref name="start"/>.</summary>
    public float* Panel(int group, int panel, int start) =>
        packed!.Pointer + (((((nint)group * PanelCount) + panel) * DepthOfPanel) + ((nint)start * SegmentCount)) * PanelRows;

    public void Pack(WorkPool pool, FloatBuffer from)
    {
        packed ??= new FloatBuffer(Groups * PanelCount * DepthOfPanel * PanelRows);
        weights = from;
        pool.Run(Groups * PanelCount, packPanel);
    }

    private void PackPanel(int task)
    {
        (int group, int panel) = (task / PanelCount, task % PanelCount);
        for (int start = 0; start < Depth; start += Chunk)
        {
            int length = RunLength > 0 ? RunLength : Math.Min(Chunk, Depth - start);
            float* to = Panel(group, panel, start);
            float* from = weights!.Pointer + ((nint)group * GroupStride) + ((nint)panel * PanelRows * RowStride) + ((nint)start * RunStride);
            int rows = Math.Min(PanelRows, Rows - (panel * PanelRows));
            for (int segment = 0; segment < SegmentCount; segment++)
            {
                for (int l = 0; l < length; l++, to += PanelRows)
                {
                    float* weight = from + ((nint)segment * SegmentStride) + ((nint)l * RunStride);
                    for (int r = 0; r < rows; r++, weight += RowStride)
                    {
                        to[r] = *weight;
                    }
                }
            }
        }
    }
}
