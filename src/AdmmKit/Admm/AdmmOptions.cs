using AdmmKit.Training;

namespace AdmmKit.Admm;

/// <summary>How <see cref="AdmmTrainer"/> iterates.</summary>
public sealed record AdmmOptions
{
    /// <summary>Names the phase of training; part of what its random streams are derived from.</summary>
    public string Phase { get; init; } = "admm";

    /// <summary>Iterations k of eqs. (5) to (7) in [Ren2019], at most; at least 1.</summary>
    public int Iterations { get; init; } = 20;

    /// <summary>Training steps that approximate subproblem 1, eq. (5) in [Ren2019], in one iteration; at least 1.</summary>
    public int StepsPerIteration { get; init; } = 500;

    /// <summary>The learning rate over all iterations.</summary>
    public LearningRate LearningRate { get; init; } = new LearningRate.Constant(1e-3);

    /// <summary>The penalty rho_i of each layer over the iterations.</summary>
    public RhoSchedule Rho { get; init; } = new();

    /// <summary>When to stop before the last iteration.</summary>
    public StopRule Stop { get; init; } = StopRule.Never;

    /// <summary>Whether to evaluate the projected network on the validation images after each iteration.</summary>
    public bool Evaluate { get; init; } = true;
}

/// <summary>
/// The penalty rho over the iterations: initial x growth^k, at most the maximum. The default is the paper's constant
/// 3e-3 for all layers, sec. 3.4.1 in [Ren2019].
/// </summary>
/// <param name="Initial">rho in the first iteration, positive.</param>
/// <param name="Growth">Factor from one iteration to the next, at least 1.</param>
/// <param name="Maximum">rho never grows beyond this.</param>
public sealed record RhoSchedule(float Initial = 3e-3f, float Growth = 1, float Maximum = float.PositiveInfinity)
{
    /// <summary>Layers with an initial rho of their own, by name.</summary>
    public IReadOnlyDictionary<string, float> PerLayer { get; init; } = new Dictionary<string, float>();

    /// <summary>rho_i in iteration k.</summary>
    /// <param name="layer">The layer's name.</param>
    /// <param name="iteration">k, from 0.</param>
    public float At(string layer, int iteration) => Math.Min(
        Maximum, PerLayer.GetValueOrDefault(layer, Initial) * MathF.Pow(Growth, iteration));
}

/// <summary>Stops ADMM when W and Z agree and Z stands still: both relative residuals of every layer are small.</summary>
/// <param name="PrimalTolerance">Bound on ||W - Z|| / ||W||.</param>
/// <param name="DualTolerance">Bound on rho ||Z(k+1) - Z(k)|| / ||rho U||.</param>
public sealed record StopRule(double PrimalTolerance, double DualTolerance)
{
    /// <summary>Runs all iterations.</summary>
    public static StopRule Never { get; } = new(-1, -1);

    /// <summary>Whether an iteration was good enough to be the last.</summary>
    /// <param name="iteration">What it reported.</param>
    public bool ShouldStop(AdmmIteration iteration)
    {
        ArgumentNullException.ThrowIfNull(iteration);
        return iteration.Layers.All(l => l.PrimalResidual <= PrimalTolerance && l.DualResidual <= DualTolerance);
    }
}

/// <summary>What one iteration of ADMM did.</summary>
/// <param name="Number">k, from 1.</param>
/// <param name="Loss">Mean training loss during the iteration, penalty not counted.</param>
/// <param name="Projected">The projected network Z on the validation images, or null if not evaluated.</param>
/// <param name="Layers">One entry for each constrained layer.</param>
/// <param name="Warnings">What looks wrong, in sentences; empty when nothing does.</param>
public sealed record AdmmIteration(
    int Number, double Loss, Evaluation? Projected, IReadOnlyList<AdmmLayerResiduals> Layers, IReadOnlyList<string> Warnings);

/// <summary>Convergence of one layer.</summary>
/// <param name="Layer">The layer's name.</param>
/// <param name="Rho">rho_i of this iteration.</param>
/// <param name="PrimalResidual">||W - Z|| / ||W||.</param>
/// <param name="DualResidual">rho ||Z(k+1) - Z(k)|| / ||rho U||.</param>
/// <param name="DualNorm">||U||.</param>
public sealed record AdmmLayerResiduals(string Layer, float Rho, double PrimalResidual, double DualResidual, double DualNorm);
