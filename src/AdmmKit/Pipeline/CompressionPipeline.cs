using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Networks;
using AdmmKit.Purification;
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
    private readonly ICheckpoints? checkpoints;

    /// <summary>Sets up the steps.</summary>
    /// <param name="network">The network to compress.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    /// <param name="checkpoints">
    /// Keeps the state of each phase at every epoch, ADMM iteration and cancellation, and gives it back when the same steps
    /// are taken again; the phases then need names of their own. Null for none.
    /// </param>
    public CompressionPipeline(ITrainable network, IPipelineObserver? observer = null, ICheckpoints? checkpoints = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        this.network = network;
        this.observer = observer;
        this.checkpoints = checkpoints;
    }

    /// <summary>Trains the dense network.</summary>
    /// <param name="phase">Length and learning rate; of no steps where the network is trained already.</param>
    /// <param name="start">Where to start; null for where the network stands.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public TrainedNetwork Pretrain(TrainingPhase phase, NetworkWeights? start = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(phase);
        network.Prepare(start ?? NetworkWeights.CopyFrom(network));
        Evaluation validation = Train(phase, cancellation);
        return new TrainedNetwork(NetworkWeights.CopyFrom(network), validation);
    }

    /// <summary>Trains on with lambda ||W||_1 in the loss, which <see cref="L1Regularization"/> describes.</summary>
    /// <param name="start">Where to start.</param>
    /// <param name="lambda">The weight of the term, positive.</param>
    /// <param name="phase">Length and learning rate.</param>
    /// <param name="keepZeros">A network pruned before, whose zeros are kept; null for none.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public TrainedNetwork Regularize(
        NetworkWeights start, float lambda, TrainingPhase phase, PrunedNetwork? keepZeros = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(start);
        ArgumentNullException.ThrowIfNull(phase);
        network.Prepare(start, keepZeros);
        L1Regularization.Set(network, lambda);
        Evaluation validation = Train(phase, cancellation);
        L1Regularization.Remove(network);
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
        network.Prepare(start, keepZeros);
        return RunAdmm(constraint, options, keepZeros, cancellation);
    }

    /// <summary>Sets the weights that did not survive to zero: takes Z, evaluates it.</summary>
    /// <param name="outcome">What ADMM left.</param>
    public PrunedNetwork HardPrune(AdmmOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        network.Prepare(outcome.Projected);
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
        network.Prepare(pruned.Weights, pruned);
        Evaluation validation = Train(phase, cancellation);
        return new PrunedNetwork(NetworkWeights.CopyFrom(network), validation);
    }

    /// <summary>
    /// Removes what has no effect, and near-empty outputs and input channels while the accuracy on the validation images bears
    /// it: <see cref="Purifier"/>. Weights are only set to zero, so those on levels stay there; biases change.
    /// </summary>
    /// <param name="spec">What the network computes.</param>
    /// <param name="pruned">The pruned network.</param>
    /// <param name="options">What is near-empty, and what it may cost; null to remove only what has no effect.</param>
    /// <param name="cancellation">Stops between two evaluations.</param>
    /// <exception cref="AdmmKitException">The weights are not those of such a network, or an option is out of range.</exception>
    public PurificationResult Purify(
        NetworkSpec spec, PrunedNetwork pruned, PurificationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pruned);
        return Purifier.Run(spec, pruned.Weights, Evaluate, options ?? PurificationOptions.UnusedAlone, cancellation);

        Evaluation Evaluate(NetworkWeights weights)
        {
            network.Prepare(weights);
            return network.Evaluate(DataSplit.Validation);
        }
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
    /// <param name="rate">lambda of <see cref="RateAwareLevels"/>; 0 for the nearest levels.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public QuantizeOutcome AdmmQuantize(
        PrunedNetwork pruned, IReadOnlyList<LayerLevels> levels, AdmmOptions options, bool searchAgain = false, double rate = 0,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pruned);
        ArgumentNullException.ThrowIfNull(levels);
        network.Prepare(pruned.Weights, pruned);
        EqualDistanceLevels[] constraints = [.. levels.Select((l, i) => new EqualDistanceLevels(pruned.Mask(i), l.Bits, searchAgain ? null : l.Q))];
        var perLayer = new PerLayer(network.Layers.Zip(constraints).ToDictionary(
            p => p.First.Name, p => rate == 0 ? (IConstraint)p.Second : new RateAwareLevels(p.Second, rate)));
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
    /// Puts survivors at their levels in rounds: in each, a share of every layer's survivors is set there and frozen, and the
    /// others train on to make up for it. The authors' public code does so, nearest first; the paper does not say.
    /// </summary>
    /// <param name="outcome">What ADMM left.</param>
    /// <param name="shares">Share of the survivors that is frozen after each round, rising, in (0, 1).</param>
    /// <param name="order">Which come first.</param>
    /// <param name="phase">The training after each round, from 0.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>W and Z after the last round; <see cref="Snap"/> sets the rest.</returns>
    public QuantizeOutcome SnapInRounds(
        QuantizeOutcome outcome, IReadOnlyList<double> shares, SnapOrder order, Func<int, TrainingPhase> phase, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(shares);
        ArgumentNullException.ThrowIfNull(phase);
        NetworkWeights w = outcome.Admm.Weights;
        NetworkWeights z = outcome.Admm.Projected;
        for (int round = 0; round < shares.Count; round++)
        {
            network.Prepare(w);
            for (int i = 0; i < network.Layers.Count; i++)
            {
                bool[] keep = Array.ConvertAll(z.Weights[i], x => x != 0);
                (float[] weights, bool[] frozen) = First(w.Weights[i], z.Weights[i], shares[round], order);
                network.SetWeights(i, weights);
                network.SetMask(i, keep);
                network.SetFrozen(i, frozen);
            }

            Train(phase(round), cancellation);
            w = NetworkWeights.CopyFrom(network);
            z = w with { Weights = [.. w.Weights.Select((x, i) => Levels(i, x, z.Weights[i], outcome.Levels[i]))] };
        }

        return outcome with { Admm = outcome.Admm with { Weights = w, Projected = z } };
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
        network.Prepare(outcome.Admm.Projected);
        if (biasTraining is not null)
        {
            for (int i = 0; i < network.Layers.Count; i++)
            {
                network.SetFrozen(i, Enumerable.Repeat(true, network.Layers[i].WeightCount).ToArray());
            }

            Train(biasTraining, cancellation);
        }

        return new QuantizedNetwork(NetworkWeights.CopyFrom(network), outcome.Levels, network.Evaluate(DataSplit.Validation));
    }

    /// <summary>The share of the survivors that comes first: set to their levels, and marked. Those already there stay.</summary>
    private static (float[] Weights, bool[] Frozen) First(float[] w, float[] z, double share, SnapOrder order)
    {
        double Rank(int j) => w[j] == z[j] ? double.NegativeInfinity : order == SnapOrder.NearestFirst ? Math.Abs(w[j] - z[j]) : -Math.Abs(w[j]);
        int[] survivors = [.. Enumerable.Range(0, z.Length).Where(j => z[j] != 0).OrderBy(Rank).ThenBy(j => j)];
        var weights = (float[])w.Clone();
        var frozen = new bool[w.Length];
        foreach (int j in survivors.Take((int)Math.Round(share * survivors.Length)))
        {
            weights[j] = z[j];
            frozen[j] = true;
        }

        return (weights, frozen);
    }

    private float[] Levels(int layer, float[] w, float[] z, LayerLevels levels)
    {
        var projected = new float[w.Length];
        new EqualDistanceLevels(Array.ConvertAll(z, x => x != 0), levels.Bits, levels.Q).Project(network.Layers[layer], w, projected, 1);
        return projected;
    }

    /// <summary>Trains a whole phase, or what is left of it, evaluating after each epoch.</summary>
    private Evaluation Train(TrainingPhase phase, CancellationToken cancellation)
    {
        network.BeginPhase(phase);
        int count = (phase.Steps + network.StepsPerEpoch - 1) / network.StepsPerEpoch;
        int EndOf(int epoch) => Math.Min(epoch * network.StepsPerEpoch, phase.Steps);
        var epochs = new List<EpochResult>();
        checkpoints?.Resume(phase.Name, stream =>
        {
            epochs = StateRecord.Read<List<EpochResult>>(stream);
            if (epochs.Count > count || epochs.Any(e => e?.Validation is null))
            {
                throw new BadFileException("The training state cannot be used here: its epochs do not fit. Start again from an earlier one.");
            }

            network.LoadState(stream);
            if (network.StepsDone < EndOf(epochs.Count) || network.StepsDone > EndOf(epochs.Count + 1))
            {
                throw new BadFileException("The training state cannot be used here: its step lies in another epoch. Start again from an earlier one.");
            }
        });
        epochs.ForEach(e => observer?.Epoch(e));
        void Save() => checkpoints?.Save(phase.Name, network.StepsDone, stream =>
        {
            StateRecord.Write(stream, epochs);
            network.SaveState(stream);
        });

        while (epochs.Count < count)
        {
            int end = EndOf(epochs.Count + 1);
            double loss = Saving(Save, progress => network.Train(end - network.StepsDone, progress, cancellation));
            epochs.Add(new EpochResult(phase.Name, epochs.Count + 1, loss, network.Evaluate(DataSplit.Validation)));
            observer?.Epoch(epochs[^1]);
            Save();
        }

        return count > 0 ? epochs[^1].Validation : network.Evaluate(DataSplit.Validation);
    }

    /// <summary>Trains, saving the state when it is due and when training is cancelled.</summary>
    private T Saving<T>(Action save, Func<IProgress<TrainingProgress>, T> train)
    {
        try
        {
            return train(new Relay<TrainingProgress>(value =>
            {
                observer?.Report(value);
                if (checkpoints is { IsDue: true })
                {
                    save();
                }
            }));
        }
        catch (OperationCanceledException)
        {
            save();
            throw;
        }
    }

    private AdmmOutcome RunAdmm(INetworkConstraint constraint, AdmmOptions options, PrunedNetwork? keepZeros, CancellationToken cancellation)
    {
        var trainer = new AdmmTrainer(network, constraint, options);
        keepZeros?.CheckKept(network.Layers, trainer.Projected);
        checkpoints?.Resume(options.Phase, trainer.LoadState);
        foreach (AdmmIteration iteration in trainer.History)
        {
            observer?.Report(iteration);
        }

        void Save() => checkpoints?.Save(options.Phase, network.StepsDone, trainer.SaveState);
        var iterated = new Relay<AdmmIteration>(iteration =>
        {
            observer?.Report(iteration);
            Save();
        });
        Saving(Save, progress => trainer.Run(progress, iterated, cancellation));
        NetworkWeights weights = NetworkWeights.CopyFrom(network);
        return new AdmmOutcome(weights, weights with { Weights = trainer.Projected }, trainer.History);
    }

    /// <summary>Calls back at once, on the same thread, unlike Progress.</summary>
    private sealed class Relay<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
