using TorchSharp;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>One tensor that trains, with what the optimizer keeps for it.</summary>
internal sealed class TrainedTensor : IDisposable
{
    private readonly string name;

    public TrainedTensor(string name, Tensor tensor, ITorchOptimizer optimizer)
    {
        using DisposeScope scope = NewDisposeScope();
        (this.name, Tensor) = (name, tensor);
        Tensor Zeros() => zeros(tensor.shape, tensor.dtype, tensor.device).DetachFromDisposeScope();
        Moments = [.. Enumerable.Range(0, optimizer.MomentCount).Select(_ => Zeros())];
    }

    public Tensor Tensor { get; }

    public IReadOnlyList<Tensor> Moments { get; }

    /// <summary>The gradient that backward left.</summary>
    public Tensor Gradient => Tensors.Gradient(Tensor) ?? throw new AdmmKitException(
        $"'{name}' got no gradient: the loss does not depend on it. Let forward use it, or switch its requires_grad off.");

    public void ClearMoments()
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (Tensor moment in Moments)
        {
            moment.zero_();
        }
    }

    /// <summary>One step; the gradient is then zero again.</summary>
    public void Step(ITorchOptimizer optimizer, Tensor gradient, double rate, int step)
    {
        optimizer.Step(Tensor, gradient, Moments, rate, step);
        gradient.zero_();
    }

    public void Dispose()
    {
        foreach (Tensor moment in Moments)
        {
            moment.Dispose();
        }
    }
}
