using TorchSharp;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>The weights of a layer with all that bears on them: penalty, mask, frozen weights.</summary>
internal sealed class TrainedLayer : IDisposable
{
    private readonly Device device;
    private Tensor? target;
    private Tensor? pruned;
    private Tensor? frozen;
    private Tensor? still;
    private Tensor? held;

    public TrainedLayer(WeightedModule layer, ITorchOptimizer optimizer, Device device)
    {
        (Layer, this.device) = (layer, device);
        Weights = new TrainedTensor(layer.Name + ".weight", layer.Weight, optimizer);
        Biases = layer.Bias is null ? null : new TrainedTensor(layer.Name + ".bias", layer.Bias, optimizer);
    }

    public WeightedModule Layer { get; }

    public TrainedTensor Weights { get; }

    /// <summary>Null where the module has none.</summary>
    public TrainedTensor? Biases { get; }

    public float Rho { get; private set; }

    public float Lambda { get; private set; }

    /// <summary>False where the weight is pruned; null when nothing is.</summary>
    public bool[]? Keep { get; private set; }

    /// <summary>True where the weight stays as it is; null when all train.</summary>
    public bool[]? Frozen { get; private set; }

    private bool AllFrozen => Frozen is not null && !Frozen.Contains(false);

    public void SetPenalty(float rho, float lambda, ReadOnlySpan<float> targets)
    {
        using DisposeScope scope = NewDisposeScope();
        (Rho, Lambda) = (rho, lambda);
        Replace(ref target, rho == 0 ? null : Tensors.Of(targets, Layer.Weight.shape));
    }

    /// <summary>Copies the target of the quadratic penalty out.</summary>
    public void CopyTarget(Span<float> destination) => Tensors.CopyTo(target!, destination);

    public void SetMarks(bool[]? keep, bool[]? frozenMarks)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        (Keep, Frozen) = (keep, frozenMarks);
        long[] shape = Layer.Weight.shape;
        Replace(ref pruned, keep is null ? null : Tensors.Of(Array.ConvertAll(keep, k => !k), shape));
        Replace(ref frozen, frozenMarks is null ? null : Tensors.Of(frozenMarks, shape));
        Replace(ref still, (pruned, frozen) switch
        {
            (null, null) => null,
            ({ } p, null) => p.alias(),
            (null, { } f) => f.alias(),
            ({ } p, { } f) => p.logical_or(f),
        });
        if (still is not null)
        {
            // The optimizer's memory must neither revive a pruned weight nor move a frozen one.
            foreach (Tensor moment in Weights.Moments)
            {
                moment.masked_fill_(still, 0);
            }
        }

        WeightsChanged();
    }

    /// <summary>Follows weights that were put in: pruned ones go, and frozen ones are held where they are now.</summary>
    public void WeightsChanged()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        if (pruned is not null)
        {
            Layer.Weight.masked_fill_(pruned, 0);
        }

        Replace(ref held, frozen is null ? null : Layer.Weight.detach().clone());
    }

    /// <summary>
    /// One step of the optimizer on the gradient of loss + decay/2 ||W||^2 + rho/2 ||W - target||^2 + lambda ||W||_1: the terms are
    /// added to the gradient where it stands, so that autograd has no part in them.
    /// </summary>
    public void Step(ITorchOptimizer optimizer, double rate, int step)
    {
        if (Biases is not null)
        {
            Biases.Step(optimizer, Biases.Gradient, rate, step);
        }

        Tensor gradient = Weights.Gradient, w = Layer.Weight;
        if (AllFrozen)
        {
            gradient.zero_();
            return;
        }

        if (Rho + optimizer.Decay != 0)
        {
            using Scalar factor = (Rho + optimizer.Decay).ToScalar();
            gradient.add_(w, factor);
        }

        if (target is not null)
        {
            using Scalar factor = (-Rho).ToScalar();
            gradient.add_(target, factor);
        }

        if (Lambda != 0)
        {
            using Scalar factor = Lambda.ToScalar();
            gradient.add_(w.sign(), factor);
        }

        if (still is not null)
        {
            gradient.masked_fill_(still, 0);
        }

        Weights.Step(optimizer, gradient, rate, step);

        // Whatever an optimizer does beside the gradient, such as a decay of its own.
        if (pruned is not null)
        {
            w.masked_fill_(pruned, 0);
        }

        if (frozen is not null)
        {
            w.copy_(where(frozen, held!, w));
        }
    }

    public void Dispose()
    {
        Weights.Dispose();
        Biases?.Dispose();
        foreach (Tensor? tensor in (Tensor?[])[target, pruned, frozen, still, held])
        {
            tensor?.Dispose();
        }
    }

    private void Replace(ref Tensor? kept, Tensor? by)
    {
        kept?.Dispose();
        kept = by is null ? null : Tensors.Keep(by, device);
    }
}
