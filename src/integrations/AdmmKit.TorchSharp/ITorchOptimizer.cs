using TorchSharp;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>
/// How gradients become steps. The optimizer computes and the network keeps the moments: so it can clear those of weights that
/// are pruned, begin a phase without any, and save and load them to the same bits. TorchSharp's own optimizers hide theirs.
/// </summary>
public interface ITorchOptimizer
{
    /// <summary>Tensors that are kept for each parameter, of its shape and zero at the beginning of a phase.</summary>
    int MomentCount { get; }

    /// <summary>decay/2 ||W||^2 is added to the loss; biases and batch normalizations are not decayed.</summary>
    float Decay { get; }

    /// <summary>Changes a parameter in place. Gradients are switched off, and tensors made here are disposed after the step.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="gradient">Its gradient, penalties included; 0 where the weight is pruned or frozen. May be changed.</param>
    /// <param name="moments">What is kept for it, to be changed in place. Where the gradient is and was 0, 0 must stay.</param>
    /// <param name="learningRate">The learning rate of this step.</param>
    /// <param name="step">The step within the phase, from 1.</param>
    void Step(Tensor parameter, Tensor gradient, IReadOnlyList<Tensor> moments, double learningRate, int step);
}

/// <summary>Adam (Kingma and Ba 2015), with the same formulas as that of AdmmKit's own engine.</summary>
public sealed record TorchAdam : ITorchOptimizer
{
    /// <summary>Decay of the first moment.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the root of the second moment.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <inheritdoc/>
    public float Decay { get; init; }

    /// <inheritdoc/>
    public int MomentCount => 2;

    /// <inheritdoc/>
    public void Step(Tensor parameter, Tensor gradient, IReadOnlyList<Tensor> moments, double learningRate, int step)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        ArgumentNullException.ThrowIfNull(gradient);
        ArgumentNullException.ThrowIfNull(moments);
        using Scalar beta1 = Beta1.ToScalar(), rest1 = (1 - Beta1).ToScalar(), beta2 = Beta2.ToScalar(), rest2 = (1 - Beta2).ToScalar();
        using Scalar scale = (1 / Math.Sqrt(1 - Math.Pow(Beta2, step))).ToScalar(), epsilon = Epsilon.ToScalar();
        using Scalar rate = (-learningRate / (1 - Math.Pow(Beta1, step))).ToScalar();
        (Tensor first, Tensor second) = (moments[0], moments[1]);
        first.mul_(beta1).add_(gradient, rest1);
        second.mul_(beta2).addcmul_(gradient, gradient, rest2);
        parameter.addcdiv_(first, second.sqrt().mul_(scale).add_(epsilon), rate);
    }
}

/// <summary>Stochastic gradient descent: v = momentum v + rate g; w = w - v, as in AdmmKit's own engine.</summary>
public sealed record TorchSgd : ITorchOptimizer
{
    /// <summary>Share of the velocity that is kept.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <inheritdoc/>
    public float Decay { get; init; }

    /// <inheritdoc/>
    public int MomentCount => 1;

    /// <inheritdoc/>
    public void Step(Tensor parameter, Tensor gradient, IReadOnlyList<Tensor> moments, double learningRate, int step)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        ArgumentNullException.ThrowIfNull(moments);
        using Scalar momentum = Momentum.ToScalar(), rate = learningRate.ToScalar();
        parameter.sub_(moments[0].mul_(momentum).add_(gradient, rate));
    }
}
