using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Training;

namespace AdmmKit.Pipeline;

/// <summary>
/// The steps of Fig. 2 in [Ren2019]: pretrain, ADMM prune, hard prune, masked retraining, ADMM quantize, snap. Each goes
/// from one immutable record to the next and sets the network up by itself, so that one can stop, look and go on at any
/// of them. The network passed along is the tool they work with; what it holds between two steps does not matter.
/// </summary>
public sealed class CompressionPipeline
{
    private readonly ITrainable network;
    private readonly IPipelineObserver? observer;

    /// <summary>Sets up the steps.</summary>
    /// <param name="network">The network to compress.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    public CompressionPipeline(ITrainable network, IPipelineObserver? observer = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        this.network = network;
        this.observer = observer;
    }

    /// <summary>Trains the dense network from where it stands.</summary>
    /// <param name="phase">Length and learning rate.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public TrainedNetwork Pretrain(TrainingPhase phase, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(phase);
        Free();
        Evaluation validation = Train(phase, cancellation);
        return new TrainedNetwork(NetworkWeights.CopyFrom(network), validation);
    }

    /// <summary>Moves the weights towards a constraint set by ADMM, sec. 3.2 in [Ren2019].</summary>
    /// <param name="start">Where to start. Weights that are zero in <paramref name="keepZeros"/> stay zero.</param>
    /// <param name="constraint">The set, such as a cardinality for each layer.</param>
    /// <param name="options">How to iterate.</param>
    /// <param name="keepZeros">A network pruned before, whose zeros are kept (rising ratios in stages); null for none.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public AdmmOutcome AdmmPrune(
        NetworkWeights start, INetworkConstraint constraint, AdmmOptions options, PrunedNetwork? keepZeros = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(start);
        Free();
        start.CopyTo(network);
        Mask(keepZeros);
        return RunAdmm(constraint, options, keepZeros, cancellation);
    }

    /// <summary>Sets the weights that did not survive to zero: takes Z, evaluates it.</summary>
    /// <param name="outcome">What ADMM left.</param>
    public PrunedNetwork HardPrune(AdmmOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        Free();
        outcome.Projected.CopyTo(network);
        return new PrunedNetwork(outcome.Projected, network.Evaluate(DataSplit.Validation));
    }

    /// <summary>Trains the survivors alone; pruned weights stay exactly zero.</summary>
    /// <param name="pruned">The pruned network.</param>
    /// <param name="phase">Length and learning rate.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public PrunedNetwork Retrain(PrunedNetwork pruned, TrainingPhase phase, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pruned);
        ArgumentNullException.ThrowIfNull(phase);
        Free();
        pruned.Weights.CopyTo(network);
        Mask(pruned);
        Evaluation validation = Train(phase, cancellation);
        return new PrunedNetwork(NetworkWeights.CopyFrom(network), validation);
    }

    /// <summary>Finds the interval q_i of each layer from its retrained survivors, sec. 3.4.2 in [Ren2019].</summary>
    /// <param name="pruned">The pruned network.</param>
    /// <param name="bits">n_i of each layer, 1 to 8.</param>
    /// <exception cref="AdmmKitException">A layer has no survivors, or bits are out of range.</exception>
    public IReadOnlyList<LayerLevels> FindLevels(PrunedNetwork pruned, IReadOnlyList<int> bits)
    {
        ArgumentNullException.ThrowIfNull(pruned);
        ArgumentNullException.ThrowIfNull(bits);
        if (bits.Count != network.Layers.Count)
        {
            throw new AdmmKitException(FormattableString.Invariant($"{bits.Count} numbers of bits for {network.Layers.Count} layers: give one a layer."));
        }

        return [.. bits.Select((n, i) => NetworkWeights.CountNonZero(pruned.Weights.Weights[i]) > 0
            ? new LayerLevels(n, IntervalSearch.Find(pruned.Weights.Weights[i], n))
            : throw new AdmmKitException($"Layer '{network.Layers[i].Name}' has no survivors: keep at least one weight of it."))];
    }

    /// <summary>Moves the survivors towards their levels by ADMM; the support stays as it is.</summary>
    /// <param name="pruned">The pruned, retrained network.</param>
    /// <param name="levels">Bits and interval of each layer.</param>
    /// <param name="options">How to iterate.</param>
    /// <param name="searchAgain">Whether q_i is searched anew in each iteration instead of held.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public QuantizeOutcome AdmmQuantize(
        PrunedNetwork pruned, IReadOnlyList<LayerLevels> levels, AdmmOptions options, bool searchAgain = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pruned);
        ArgumentNullException.ThrowIfNull(levels);
        Free();
        pruned.Weights.CopyTo(network);
        Mask(pruned);
        EqualDistanceLevels[] constraints = [.. levels.Select((l, i) => new EqualDistanceLevels(pruned.Mask(i), l.Bits, searchAgain ? null : l.Q))];
        var perLayer = new PerLayer(constraints.Select((c, i) => (c, i)).ToDictionary(p => network.Layers[p.i].Name, p => (IConstraint)p.c));
        AdmmOutcome outcome = RunAdmm(perLayer, options, pruned, cancellation);
        if (searchAgain)
        {
            // The last projection chose its own q: find it again from the levels, and round every weight to exactly level x q.
            levels = [.. levels.Select((l, i) => l with { Q = constraints[i].IntervalFor(network.Layers[i], outcome.Projected.Weights[i]) })];
            for (int i = 0; i < constraints.Length; i++)
            {
                float[] z = outcome.Projected.Weights[i];
                new EqualDistanceLevels(pruned.Mask(i), levels[i].Bits, levels[i].Q).Project(network.Layers[i], z, z, options.Rho.Initial);
            }
        }

        return new QuantizeOutcome(outcome, levels);
    }

    /// <summary>
    /// Puts every survivor at its level (takes Z) and, with a phase given, trains the biases alone once more, which are
    /// not quantized.
    /// </summary>
    /// <param name="outcome">What ADMM left.</param>
    /// <param name="biasTraining">Length and learning rate of the biases' training; null for none.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public QuantizedNetwork Snap(QuantizeOutcome outcome, TrainingPhase? biasTraining = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        Free();
        outcome.Admm.Projected.CopyTo(network);
        if (biasTraining is not null)
        {
            for (int i = 0; i < network.Layers.Count; i++)
            {
                network.SetFrozen(i, true);
            }

            Train(biasTraining, cancellation);
        }

        return new QuantizedNetwork(NetworkWeights.CopyFrom(network), outcome.Levels, network.Evaluate(DataSplit.Validation));
    }

    /// <summary>Trains a whole phase, evaluating after each epoch.</summary>
    private Evaluation Train(TrainingPhase phase, CancellationToken cancellation)
    {
        network.BeginPhase(phase);
        Evaluation validation = network.Evaluate(DataSplit.Validation);
        for (int done = 0; done < phase.Steps;)
        {
            int steps = Math.Min(network.StepsPerEpoch, phase.Steps - done);
            double loss = network.Train(steps, observer, cancellation);
            done += steps;
            validation = network.Evaluate(DataSplit.Validation);
            observer?.Epoch(new EpochResult(phase.Name, (done + network.StepsPerEpoch - 1) / network.StepsPerEpoch, loss, validation));
        }

        return validation;
    }

    private AdmmOutcome RunAdmm(INetworkConstraint constraint, AdmmOptions options, PrunedNetwork? keepZeros, CancellationToken cancellation)
    {
        var trainer = new AdmmTrainer(network, constraint, options);
        for (int i = 0; keepZeros is not null && i < network.Layers.Count; i++)
        {
            if (trainer.Projected[i].Zip(keepZeros.Weights.Weights[i]).Any(p => p.First != 0 && p.Second == 0))
            {
                throw new AdmmKitException(
                    $"Layer '{network.Layers[i].Name}': this constraint brings pruned weights back to life, so their zeros cannot be kept: use a set that only takes weights away, or do not keep the zeros.");
            }
        }

        trainer.Run(observer, observer, cancellation);
        NetworkWeights weights = NetworkWeights.CopyFrom(network);
        return new AdmmOutcome(weights, new NetworkWeights([.. trainer.Projected.Select(z => (float[])z.Clone())], weights.Biases), trainer.History);
    }

    /// <summary>Takes away what an earlier step may have left: penalties, masks, frozen weights.</summary>
    private void Free()
    {
        for (int i = 0; i < network.Layers.Count; i++)
        {
            network.SetPenalty(i, Penalty.None);
            network.SetMask(i, []);
            network.SetFrozen(i, false);
        }
    }

    private void Mask(PrunedNetwork? pruned)
    {
        for (int i = 0; pruned is not null && i < network.Layers.Count; i++)
        {
            network.SetMask(i, pruned.Mask(i));
        }
    }
}
