using AdmmKit.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>How a module trains.</summary>
public sealed record TorchOptions
{
    /// <summary>The optimizer.</summary>
    public ITorchOptimizer Optimizer { get; init; } = new TorchAdam();

    /// <summary>The mean loss of a batch, from the module's outputs and the targets; softmax cross-entropy if not given.</summary>
    public Func<Tensor, Tensor, Tensor> Loss { get; init; } = (outputs, targets) => nn.functional.cross_entropy(outputs, targets);

    /// <summary>
    /// How many examples of a batch are right, from the module's outputs and the targets; if not given, those whose largest output is
    /// at their label.
    /// </summary>
    public Func<Tensor, Tensor, long> CountCorrect { get; init; } =
        (outputs, targets) => outputs.argmax(1).eq(targets).sum().ToInt64();

    /// <summary>The seed of every random choice.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Where to compute: "cpu", "cuda" or "cuda:1". The module is moved there. CUDA is not tested.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Threads of libtorch, for the whole process; 0 leaves them as they are. Results may depend on it in their last bits.</summary>
    public int Threads { get; init; }

    /// <summary>
    /// What the module computes, with its layers in this order and by their dotted names; files then also run in AdmmKit's own engine.
    /// Without it files hold the layers alone, and a forward pass is traced for their order and multiply-accumulates.
    /// </summary>
    public NetworkSpec? Spec { get; init; }
}
