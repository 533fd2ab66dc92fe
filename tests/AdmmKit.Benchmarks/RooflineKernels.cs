using AdmmKit.Constraints;
using AdmmKit.Networks;

namespace AdmmKit.Benchmarks;

/// <summary>One piece of work of a roofline.</summary>
/// <param name="Kind">What it is a case of; one colour each.</param>
/// <param name="Name">Which case: "conv2".</param>
/// <param name="Flop">Floating-point operations.</param>
/// <param name="Bytes">Compulsory traffic in bytes; see <see cref="RooflineKernels"/>.</param>
/// <param name="Work">Does it.</param>
/// <param name="Less">A part of the work whose time is taken off, or null.</param>
internal sealed record RooflineKernel(string Kind, string Name, double Flop, double Bytes, Action Work, Action? Less = null);

/// <summary>
/// The kernels of a training step, found as layers of whole networks. Compulsory traffic is what would move with a cache
/// without bounds: every array that the work starts from is read once, every array that it makes is written once, four
/// bytes a number. Inside a training step only the weights and the optimizer's two moments (each read and written) and the
/// images (one byte a value) count so; everything else can stay in a cache.
/// </summary>
internal sealed class RooflineKernels : IDisposable
{
    private readonly List<Workload> workloads = [];
    private readonly int threads;
    private readonly int batch;

    public RooflineKernels(int threads, int batch, bool quick)
    {
        (this.threads, this.batch) = (threads, batch);
        NetworkSpec lenet = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        Workload whole = Open(lenet, batch);
        foreach (string name in (string[])["conv1", "conv2", "fc1"])
        {
            Layer(whole, name);
        }

        Step("LeNet-5", whole);
        Step(FormattableString.Invariant($"LeNet-5, batch {4 * batch}"), Open(lenet, 4 * batch));
        Step("LeNet-300-100", Open(NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10), batch));
        Projection(400_000);
        Projection(quick ? 4_000_000 : 37_748_736);
    }

    /// <summary>All of them.</summary>
    public List<RooflineKernel> All { get; } = [];

    public void Dispose() => workloads.ForEach(w => w.Dispose());

    private Workload Open(NetworkSpec spec, int images)
    {
        workloads.Add(new Workload(spec, images, threads, images));
        return workloads[^1];
    }

    /// <summary>
    /// A layer computes both gradients in one call. In a network of its own it computes that of its weights only, which
    /// gives the one by itself and the other as the difference.
    /// </summary>
    private void Layer(Workload whole, string name)
    {
        LayerWork layer = whole.Layer(name);
        Workload aloneNetwork = Open(layer.Alone(), batch);
        LayerWork alone = aloneNetwork.Layer(name);
        double flop = Flops.Forward(layer.Info, batch);
        // Input, weights and output: each kernel starts from two of them and makes the third.
        double bytes = 4.0 * (((double)(layer.Input.Size + layer.OutputSize) * batch) + layer.Info.WeightCount);
        All.Add(new("forward", name, flop, bytes, layer.Forward));
        All.Add(new("gradient of weights", name, flop, bytes, alone.Backward));
        if (layer.Info != whole.Network.Layers[0])
        {
            All.Add(new("gradient of input", name, flop, bytes, layer.Backward, alone.Backward));
        }

        if (layer.Info.Kind == LayerKind.FullyConnected)
        {
            // Here the update is large beside the rest of the step that is taken off.
            int weights = layer.Info.WeightCount;
            All.Add(new(
                "update (Adam)", name, Flops.AdamPerWeight * weights, 28.0 * weights, aloneNetwork.Step, aloneNetwork.StepWithoutUpdate));
        }
    }

    private void Step(string name, Workload work)
    {
        NetworkSpec spec = work.Network.Spec;
        double bytes = (24.0 * spec.WeightCount) + ((double)spec.Input.Size * work.Batch);
        All.Add(new("training step", name, Flops.Step(spec, work.Batch), bytes, work.Step));
    }

    /// <summary>No arithmetic in it: one comparison a weight is counted. V is read and Z written once.</summary>
    private void Projection(int weights)
    {
        var layer = new LayerInfo("fc1", LayerKind.FullyConnected, 1, weights, 1, 1, weights);
        float[] v = Workload.RandomWeights(weights), z = new float[weights];
        var set = new Cardinality(weights / 35);
        string name = FormattableString.Invariant($"{weights / 1e6:0.#}M weights");
        All.Add(new("projection", name, weights, 8.0 * weights, () => set.Project(layer, v, z, 1)));
    }
}
