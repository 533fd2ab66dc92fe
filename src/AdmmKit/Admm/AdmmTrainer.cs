using AdmmKit.Constraints;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Admm;

/// <summary>
/// Trains a network towards a constraint set by the alternating direction method of multipliers, sec. 3.2 in [Ren2019]:
/// <code>
/// W(k+1) ~ argmin f(W) + sum_i rho_i/2 ||W_i - Z_i(k) + U_i(k)||^2     eq. (5), by training
/// Z(k+1) = Pi_S( W(k+1) + U(k) )                                       eq. (7)
/// U(k+1) = U(k) + W(k+1) - Z(k+1)                                      scaled dual variable
/// </code>
/// from Z(0) = Pi_S(W(0)), U(0) = 0.
/// </summary>
/// <remarks>[Ren2019]: see <see cref="IConstraint"/>.</remarks>
public sealed partial class AdmmTrainer
{
    // U growing for so many iterations without W and Z coming closer is no longer noise.
    private const int WarnAfter = 5;
    private const double NoProgress = 0.99;

    private readonly ITrainable network;
    private readonly INetworkConstraint constraint;
    private readonly AdmmOptions options;
    private readonly int[] constrained;
    private readonly float[][] z;
    private readonly float[][] u;

    // Z - U, which the engine reads while it trains. Between two trainings the same memory holds Z(k) and then W, so that
    // ADMM takes three arrays of the network's size and no more. Allocated when first needed.
    private readonly float[]?[] target;
    private readonly float[] rho;
    private readonly List<AdmmIteration> history = [];

    /// <summary>Projects the network's weights and begins the phase: Z(0) = Pi_S(W(0)), U(0) = 0.</summary>
    /// <param name="network">The network, usually trained already.</param>
    /// <param name="constraint">The set S.</param>
    /// <param name="options">How to iterate.</param>
    /// <exception cref="AdmmKitException">The set does not fit the network, or an option is out of range.</exception>
    public AdmmTrainer(ITrainable network, INetworkConstraint constraint, AdmmOptions options)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(constraint);
        ArgumentNullException.ThrowIfNull(options);
        Check(network, options);
        constraint.Validate(network.Layers);
        this.network = network;
        this.constraint = constraint;
        this.options = options;
        constrained = [.. Enumerable.Range(0, network.Layers.Count).Where(i => constraint.Applies(network.Layers[i]))];
        float[][] Zeros() => [.. network.Layers.Select(l => new float[l.WeightCount])];
        (z, u, target, rho) = (Zeros(), Zeros(), new float[network.Layers.Count][], new float[network.Layers.Count]);
        for (int i = 0; i < rho.Length; i++)
        {
            rho[i] = options.Rho.At(network.Layers[i].Name, 0);
            network.CopyWeights(i, z[i]);
        }

        constraint.Freeze(network.Layers, z);
        Project();
        network.BeginPhase(new TrainingPhase(options.Phase, options.Iterations * options.StepsPerIteration, options.LearningRate));
    }

    /// <summary>What each iteration so far did.</summary>
    public IReadOnlyList<AdmmIteration> History => history;

    /// <summary>Whether the last iteration is done or the stop rule has spoken.</summary>
    public bool IsDone => history.Count == options.Iterations || (history.Count > 0 && options.Stop.ShouldStop(history[^1]));

    /// <summary>Z: the projected weights, in the set. What is evaluated and kept is always these.</summary>
    public IReadOnlyList<float[]> Projected => z;

    /// <summary>U: the scaled dual variables.</summary>
    public IReadOnlyList<float[]> Dual => u;

    /// <summary>Iterates until <see cref="IsDone"/>, then takes the penalties off the network. Its weights stay W.</summary>
    /// <param name="progress">Told how training goes.</param>
    /// <param name="iterated">Told of each iteration.</param>
    /// <param name="cancellation">Stops between two training steps.</param>
    public IReadOnlyList<AdmmIteration> Run(
        IProgress<TrainingProgress>? progress = null, IProgress<AdmmIteration>? iterated = null, CancellationToken cancellation = default)
    {
        while (!IsDone)
        {
            AdmmIteration iteration = Iterate(progress, cancellation);
            iterated?.Report(iteration);
        }

        foreach (int i in constrained)
        {
            network.SetPenalty(i, Penalty.None);
        }

        return history;
    }

    /// <summary>Does one iteration: eqs. (5) and (7) and the dual update.</summary>
    /// <param name="progress">Told how training goes.</param>
    /// <param name="cancellation">Stops between two training steps.</param>
    public AdmmIteration Iterate(IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        foreach (int i in constrained)
        {
            SetRho(i, options.Rho.At(network.Layers[i].Name, history.Count));
            network.SetPenalty(i, new Penalty.Quadratic(rho[i], SetTarget(i)));
        }

        // A state loaded in the middle of an iteration has done some of its steps.
        int steps = ((history.Count + 1) * options.StepsPerIteration) - network.StepsDone;
        double loss = network.Train(steps, progress, cancellation);

        foreach (int i in constrained)
        {
            z[i].CopyTo(target[i]!, 0);
        }

        for (int i = 0; i < z.Length; i++)
        {
            network.CopyWeights(i, z[i]);
            for (int j = 0; j < z[i].Length; j++)
            {
                z[i][j] += u[i][j];
            }
        }

        Project();
        AdmmLayerResiduals[] residuals = [.. constrained.Select(UpdateDual)];
        Evaluation? evaluation = options.Evaluate ? EvaluateProjected(DataSplit.Validation) : null;
        history.Add(new AdmmIteration(history.Count + 1, loss, evaluation, residuals, Warnings(residuals)));
        return history[^1];
    }

    /// <summary>Evaluates the network with the projected weights Z in place of W.</summary>
    /// <param name="split">Which images.</param>
    public Evaluation EvaluateProjected(DataSplit split)
    {
        foreach (int i in constrained)
        {
            network.CopyWeights(i, target[i] ??= new float[z[i].Length]);
            network.SetWeights(i, z[i]);
        }

        try
        {
            return network.Evaluate(split);
        }
        finally
        {
            foreach (int i in constrained)
            {
                network.SetWeights(i, target[i]);
                SetTarget(i);
            }
        }
    }

    private static void Check(ITrainable network, AdmmOptions options)
    {
        if (options.Iterations < 1 || options.StepsPerIteration < 1)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"ADMM needs at least 1 iteration of at least 1 step, not {options.Iterations} of {options.StepsPerIteration}."));
        }

        string[] names = [.. network.Layers.Select(l => l.Name)];
        foreach ((string layer, float value) in options.Rho.PerLayer.Append(new("all layers", options.Rho.Initial)))
        {
            if (layer != "all layers" && !names.Contains(layer))
            {
                throw new AdmmKitException(Names.Unknown("layer", layer, names));
            }

            if (!(value > 0 && float.IsFinite(value) && options.Rho.Growth >= 1))
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"rho = {value} with growth {options.Rho.Growth} for {layer}: rho must be positive and its growth at least 1. The paper uses 0.003 and 1."));
            }
        }
    }

    /// <summary>What a set charges in the next projection follows from the Z of this one.</summary>
    private void Project()
    {
        constraint.Project(network.Layers, z, z, rho);
        constraint.Freeze(network.Layers, z);
    }

    /// <summary>In the scaled form U is the multiplier over rho, so it shrinks when rho grows.</summary>
    private void SetRho(int layer, float value)
    {
        float factor = rho[layer] / value;
        for (int j = 0; factor != 1 && j < u[layer].Length; j++)
        {
            u[layer][j] *= factor;
        }

        rho[layer] = value;
    }

    private float[] SetTarget(int i)
    {
        float[] result = target[i] ??= new float[z[i].Length];
        for (int j = 0; j < result.Length; j++)
        {
            result[j] = z[i][j] - u[i][j];
        }

        return result;
    }

    /// <summary>U += W - Z, and the target with it. Finds Z(k) in the target's place, then reads W into it.</summary>
    private AdmmLayerResiduals UpdateDual(int i)
    {
        (double difference, double weight, double change, double dual) = (0, 0, 0, 0);
        (float[] zNew, float[] uNew, float[] memory) = (z[i], u[i], target[i]!);
        for (int j = 0; j < zNew.Length; j++)
        {
            change += Square((double)zNew[j] - memory[j]);
        }

        network.CopyWeights(i, memory);
        for (int j = 0; j < zNew.Length; j++)
        {
            float w = memory[j];
            uNew[j] += w - zNew[j];
            memory[j] = zNew[j] - uNew[j];
            difference += Square((double)w - zNew[j]);
            weight += Square(w);
            dual += Square(uNew[j]);
        }

        static double Square(double x) => x * x;

        // rho appears above and below in the dual residual. 0 / 0 is agreement.
        static double Ratio(double squareAbove, double squareBelow) => squareAbove == 0 ? 0 : Math.Sqrt(squareAbove / squareBelow);
        return new(network.Layers[i].Name, rho[i], Ratio(difference, weight), Ratio(change, dual), Math.Sqrt(dual));
    }

    private List<string> Warnings(AdmmLayerResiduals[] now)
    {
        var warnings = new List<string>();
        for (int i = 0; history.Count >= WarnAfter && i < now.Length; i++)
        {
            AdmmLayerResiduals[] window = [.. history.TakeLast(WarnAfter).Select(h => h.Layers[i]), now[i]];
            // U alone shrinks when rho grows, so the multiplier rho U is watched.
            bool dualGrows = window.Zip(window.Skip(1)).All(p => p.Second.Rho * p.Second.DualNorm > p.First.Rho * p.First.DualNorm);
            if (dualGrows && now[i].PrimalResidual >= NoProgress * window[0].PrimalResidual)
            {
                warnings.Add(FormattableString.Invariant(
                    $"Layer '{now[i].Layer}': the dual variable has grown for {WarnAfter} iterations (||U|| = {now[i].DualNorm:g3}) while the primal residual has not fallen ({window[0].PrimalResidual:g3} to {now[i].PrimalResidual:g3}). Raise rho (now {now[i].Rho:g3}), give more steps an iteration, or keep more weights."));
            }
        }

        return warnings;
    }
}
