using AdmmKit.Engine.Kernels;

namespace AdmmKit.Engine.Layers;

/// <summary>
/// Inference with survivors alone. A tap of a row of positions is one run of numbers: where the stride is above 1, because
/// columns that are a stride apart are copied side by side.
/// </summary>
internal sealed unsafe partial class ConvolutionLayer
{
    // Inputs that a few vectors of outputs depend on stay in a near cache of 32 KiB, where a row has enough survivors among
    // them to pay for taking up its sums again.
    private const int NearNumbers = 8 * 1024;
    private const int SurvivorsThatPay = 8;

    private readonly Action<int> survivorBand;
    private Survivors? survivors;
    private SurvivorPlan? survivorPlan;
    private int survivorChannels;
    private int survivorRows;

    /// <summary>Whether input rows are copied: for the padding, the stride, or because channels fall on the same lines of the cache.</summary>
    private bool CopiesForSurvivors => node.Padding > 0 || node.Stride > 1 || InputPlane % 1024 == 0;

    /// <summary>Columns that are a stride apart are a phase; those beyond the kernel are never read.</summary>
    private int Phases => Math.Min(node.Stride, KernelSize);

    /// <summary>Columns of a phase.</summary>
    private int PhaseWidth => CopiesForSurvivors ? OutputShape.Width + ((KernelSize - 1) / node.Stride) : Input.Width;

    private int SurvivorPitch => Phases * PhaseWidth * Block;

    private int RowsUnder(int band) => ((band - 1) * node.Stride) + KernelSize;

    private int SurvivorBands => (OutputShape.Height + survivorRows - 1) / survivorRows;

    private Survivors FindSurvivors()
    {
        int channels = Info.InputChannels;
        int numbersOfChannel = KernelSize * Phases * ((KernelSet.VectorsAtOnce * Kernels.Lanes) + ((KernelSize - 1) / node.Stride * Block));
        double survivorsOfChannel = Math.Max(1e-9, (double)Training.NetworkWeights.CountNonZero(Parameters.Weights.Span) / (Info.Rows * channels));
        double atOnce = Math.Max(NearNumbers / numbersOfChannel, SurvivorsThatPay / survivorsOfChannel);
        int parts = (int)Math.Ceiling(channels / Math.Clamp(atOnce, 1, channels));
        survivorChannels = (channels + parts - 1) / parts;
        survivorRows = Math.Clamp((OutputShape.Height + 3) / 4, 1, 8);
        while (CopiesForSurvivors && survivorRows > 1 && RowsUnder(survivorRows) * SurvivorPitch * survivorChannels > MaxCopy)
        {
            survivorRows = (survivorRows + 1) / 2;
        }

        int channelPitch = CopiesForSurvivors ? RowsUnder(survivorRows) * SurvivorPitch : InputPlane;
        Context.NeedScratch(CopiesForSurvivors ? survivorChannels * channelPitch : 0);
        survivorPlan = new SurvivorPlan
        {
            Groups = node.Groups,
            ColumnsOfPart = survivorChannels * TapCount,
            Offsets = [.. Enumerable.Range(0, Info.Columns).Select(c => OffsetOf(c / TapCount % survivorChannels, c % TapCount, channelPitch))],
        };
        return new Survivors(Parameters, survivorPlan, Live, Input.Channels);
    }

    private int OffsetOf(int channel, int tap, int channelPitch)
    {
        (int ky, int kx) = (tap / KernelSize, tap % KernelSize);
        return (channel * channelPitch) + (ky * SurvivorPitch) + (((kx % node.Stride * PhaseWidth) + (kx / node.Stride)) * Block);
    }

    private void SurvivorBand(int task)
    {
        (int block, int y0) = (task / SurvivorBands, task % SurvivorBands * survivorRows);
        int rows = Math.Min(survivorRows, OutputShape.Height - y0);
        int parts = survivorPlan!.Parts;
        for (int group = 0; group < node.Groups; group++)
        {
            for (int part = 0; part < parts; part++)
            {
                int start = part * survivorChannels;
                float* x = Plane(Sources[0].Values, Input, block, (group * Info.InputChannels) + start);
                float* source = x + (y0 * Input.Width * Block);
                if (CopiesForSurvivors)
                {
                    source = Context.Scratch.Pointer;
                    CopyPhases(x, Math.Min(survivorChannels, Info.InputChannels - start), y0, source);
                }

                // Rows of a 1x1 convolution that are read where they lie follow each other like positions.
                bool oneRun = KernelSize == 1 && !CopiesForSurvivors;
                int width = OutputShape.Width * Block;
                var run = new SurvivorRun
                {
                    Length = oneRun ? rows * width : width,
                    Rows = FiltersOfGroup,
                    CRow = OutputPlane,
                    Starts = survivors!.Starts(group, part),
                    Offsets = survivors.Offsets,
                    Weights = survivors.Weights,
                    Accumulate = part > 0,
                    Rectified = Rectified && part == parts - 1,
                };
                float* output = Plane(Output, OutputShape, block, group * FiltersOfGroup) + (y0 * width);
                for (int y = 0; y < (oneRun ? 1 : rows); y++)
                {
                    Kernels.SumSurvivors(
                        run, source + (y * node.Stride * SurvivorPitch), output + (y * width),
                        Parameters.Biases.Pointer + (group * FiltersOfGroup));
                }
            }
        }
    }

    /// <summary>Copies the rows that some rows of outputs depend on, phase by phase, with zeros where there is no input.</summary>
    private void CopyPhases(float* planes, int channels, int y0, float* to)
    {
        int top = (y0 * node.Stride) - node.Padding;
        if (node.Stride == 1)
        {
            CopyRows(planes, Input, channels, top, RowsUnder(survivorRows), node.Padding, node.Padding, to);
            return;
        }

        for (int channel = 0; channel < channels; channel++)
        {
            for (int row = 0; row < RowsUnder(survivorRows); row++)
            {
                float* from = planes + ((((nint)channel * Input.Height) + top + row) * Input.Width * Block);
                bool inside = row % node.Stride < KernelSize && (uint)(top + row) < (uint)Input.Height;
                for (int phase = 0; phase < Phases; phase++)
                {
                    int column = phase - node.Padding;
                    for (int i = 0; i < PhaseWidth; i++, column += node.Stride, to += Block)
                    {
                        var position = new Span<float>(to, Block);
                        if (inside && (uint)column < (uint)Input.Width)
                        {
                            new ReadOnlySpan<float>(from + (column * Block), Block).CopyTo(position);
                        }
                        else
                        {
                            position.Clear();
                        }
                    }
                }
            }
        }
    }
}
