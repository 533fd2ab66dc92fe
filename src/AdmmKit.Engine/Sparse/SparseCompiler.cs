using System.Runtime.InteropServices;
using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Engine.Sparse;

/// <summary>
/// From a network's description to compiled steps. A channel without survivors is a constant: it goes into the biases of those
/// who read it. A channel that nobody reads, or a weight on a constant, is not there any more.
/// </summary>
internal sealed class SparseCompiler
{
    private const string Compilable = "sparse inference compiles chains of convolutions without padding at stride 1, "
        + "fully connected layers, max and average pooling, ReLU and dropout";

    private readonly NetworkSpec spec;
    private readonly List<Draft> drafts = [];
    private ImageShape shape;

    /// <summary>Compiles a network.</summary>
    /// <param name="spec">What it computes.</param>
    /// <param name="weights">Its weights.</param>
    /// <exception cref="AdmmKitException">It has a step that cannot be compiled, or the weights do not fit.</exception>
    public SparseCompiler(NetworkSpec spec, NetworkWeights weights)
    {
        this.spec = spec;
        shape = spec.Input;
        Check(weights);
        int layer = 0;
        for (int i = 0; i < spec.Nodes.Count; i++)
        {
            (Node node, ImageShape output) = (spec.Nodes[i], spec.Shapes[i]);
            // The patterns name all that a step can ask for, so that a new option has to be dealt with here.
            switch (spec.Inputs[i] is [var from] && from == i - 1 ? node : null)
            {
                case Node.Convolution(_, _, int kernel, Stride: 1, Padding: 0, Groups: 1, Biased: _):
                    drafts.Add(new Draft(shape, output, kernel, weights.Weights[layer], weights.Biases[layer++]));
                    break;
                case Node.FullyConnected(_, _):
                    drafts.Add(new Draft(shape, output, 0, weights.Weights[layer], weights.Biases[layer++]));
                    break;
                case Node.MaxPool(int window, _, Padding: 0) pool when pool.Step == window:
                    Pool(Pooling.Max, window);
                    break;
                case Node.AveragePool(int window, _, Padding: 0, CountsPadding: _) pool when pool.Step == window:
                    Pool(Pooling.Average, window);
                    break;
                case Node.Relu:
                    Relu();
                    break;
                case Node.Dropout:
                    break;
                default:
                    throw new AdmmKitException(
                        $"'{spec.Name}' cannot be compiled for sparse inference because of its step {node}: {Compilable}. Use Network for it.");
            }

            shape = output;
        }

        if (drafts.Count == 0)
        {
            drafts.Add(Draft.Identity(shape));
        }

        Fold();
        Emit();
    }

    /// <summary>The steps in order; none where every output is a constant.</summary>
    public List<SparseStep> Steps { get; } = [];

    /// <summary>Where each class's score lies in the last output; -1 where it is a constant.</summary>
    public int[] ScoreAt { get; private set; } = [];

    /// <summary>The scores that are constants.</summary>
    public float[] ConstantScores { get; private set; } = [];

    /// <summary>Multiply-adds that are left for one image.</summary>
    public long Macs { get; private set; }

    private void Check(NetworkWeights weights)
    {
        Network.CheckFits(spec, weights);
        for (int i = 0; i < spec.Layers.Count; i++)
        {
            if (!IsFinite(weights.Weights[i]) || !IsFinite(weights.Biases[i]))
            {
                throw new DivergedException($"Layer '{spec.Layers[i].Name}' has a weight or bias that is not a finite number: the weights are damaged or training diverged.");
            }
        }
    }

    private static bool IsFinite(float[] values)
    {
        const int exponent = 0x7F800000;
        bool finite = true;
        foreach (int bits in MemoryMarshal.Cast<float, int>(values))
        {
            finite &= (bits & exponent) != exponent;
        }

        return finite;
    }

    private void Pool(Pooling pooling, int window)
    {
        if (window == 1)
        {
            return;
        }

        if (drafts.Count == 0 || drafts[^1].Tail.Window > 1)
        {
            drafts.Add(Draft.Identity(shape));
        }

        // A ReLU before max pooling does the same after it, on fewer numbers.
        SparseTail tail = drafts[^1].Tail;
        bool before = tail.ReluAfter && pooling == Pooling.Average;
        drafts[^1].Tail = new SparseTail(pooling, window, before, tail.ReluAfter && !before);
    }

    private void Relu()
    {
        if (drafts.Count == 0)
        {
            drafts.Add(Draft.Identity(shape));
        }

        drafts[^1].Tail = drafts[^1].Tail with { ReluAfter = true };
    }

    /// <summary>Takes out what is constant, front to back, and then what nobody reads, back to front.</summary>
    private void Fold()
    {
        var constants = new float?[spec.Input.Channels];
        foreach (Draft draft in drafts)
        {
            draft.FoldConstants(constants);
            constants = draft.Constants;
        }

        bool[] read = [.. Enumerable.Repeat(true, drafts[^1].Rows.Length)];
        foreach (Draft draft in Enumerable.Reverse(drafts))
        {
            read = draft.DropUnread(read);
        }
    }

    private void Emit()
    {
        // Where each channel of the input begins; the channels of an output stand in the order in which they are computed.
        int[] channelAt = [.. Enumerable.Range(0, spec.Input.Channels).Select(c => c * spec.Input.Height * spec.Input.Width)];
        int channels = spec.Input.Channels;
        foreach (Draft draft in drafts)
        {
            int[] live = draft.Live;
            if (live.Length > 0)
            {
                (SparseStep step, live) = draft.IsConvolution
                    ? (Convolution(draft, live, channelAt, channels), live)
                    : FullyConnected(draft, live, channelAt);
                Steps.Add(step);
                Macs += live.Sum(r => (long)draft.Rows[r].Length) * draft.ConvolutionSize;
            }

            channelAt = [.. Enumerable.Repeat(-1, draft.Rows.Length)];
            for (int i = 0; i < live.Length; i++)
            {
                channelAt[live[i]] = i * draft.Output.Height * draft.Output.Width;
            }

            channels = live.Length;
        }

        Draft last = drafts[^1];
        int plane = last.Output.Height * last.Output.Width;
        ScoreAt = [.. Enumerable.Range(0, spec.Classes).Select(c => channelAt[c / plane] is >= 0 and var at ? at + (c % plane) : -1)];
        ConstantScores = [.. Enumerable.Range(0, spec.Classes).Select(c => last.Constants[c / plane] ?? 0)];
    }

    private static SparseConvolutionStep Convolution(Draft draft, int[] live, int[] channelAt, int channels)
    {
        int inKernel = draft.Kernel * draft.Kernel;
        int plane = draft.Input.Height * draft.Input.Width;
        int Column(int column) => (channelAt[column / inKernel] / plane * inKernel) + (column % inKernel);
        return new SparseConvolutionStep(
            draft.Input with { Channels = channels },
            draft.Kernel,
            [.. live.Select(r => draft.Rows[r].Select(s => (Column(s.Column), s.Weight)).ToArray())],
            [.. live.Select(r => draft.Bias(r))],
            draft.Tail);
    }

    private static (SparseStep Step, int[] Order) FullyConnected(Draft draft, int[] live, int[] channelAt)
    {
        int plane = draft.Input.Height * draft.Input.Width;
        int Input(int column) => channelAt[column / plane] + (column % plane);
        int[] order = [.. live.OrderByDescending(r => draft.Rows[r].Length)];
        var step = new SparseFullyConnectedStep(
            [.. order.Select(r => draft.Rows[r].Select(s => (Input(s.Column), s.Weight)).ToArray())],
            [.. order.Select(r => draft.Bias(r))],
            draft.Tail.ReluAfter || draft.Tail.ReluBefore);
        return (step, order);
    }
}
