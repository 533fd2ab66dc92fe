using System.Diagnostics;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Kernels;
using AdmmKit.Engine.Layers;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Engine;

/// <summary>A network of the managed engine with its data and optimizer: the kit's own <see cref="ITrainable"/>.</summary>
/// <remarks>
/// Same seed, same machine type: the same bits, whatever the number of threads and whether or not training was stopped
/// and resumed from <see cref="SaveState"/>.
/// </remarks>
public sealed unsafe partial class TrainableNetwork : ITrainable, IDisposable
{
    // Weights that one task updates: 64 KiB an array, six arrays, near a second-level cache.
    private const int UpdateChunk = 16384;
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    private readonly EngineOptions options;
    private readonly DataSet data;
    private readonly WorkPool pool;
    private readonly KernelSet kernels;
    private readonly Network network;
    private readonly List<UpdateTask> updates = [];
    private readonly Action<int> update;
    private readonly int[] order;
    private TrainingPhase phase = new("none", 1, new LearningRate.Constant(0));
    private int step;
    private double lossSum;
    private long lossImages;
    private int orderEpoch = -1;
    private ulong shiftKey;
    private ulong? flipKey;
    private ulong dropoutKey;
    private float gradientScale;
    private AdamStep adam;
    private float rate;

    /// <summary>Builds a network with weights drawn from the seed.</summary>
    /// <param name="spec">What it computes.</param>
    /// <param name="data">What it learns from.</param>
    /// <param name="options">How it trains.</param>
    /// <exception cref="AdmmKitException">The data does not fit the network, or an option is out of range.</exception>
    public TrainableNetwork(NetworkSpec spec, DataSet data, EngineOptions options)
        : this(spec, data, options, KernelSet.Best)
    {
    }

    internal TrainableNetwork(NetworkSpec spec, DataSet data, EngineOptions options, KernelSet kernels)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        if (options.BatchSize < 1 || options.MaxShift < 0 || options.Threads < 0)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Batch size {options.BatchSize}, shift {options.MaxShift} or threads {options.Threads} is out of range: a batch has at least one image, and the other two are not negative."));
        }

        this.options = options;
        this.data = data;
        this.kernels = kernels;
        Network.CheckFits(spec, data.Training);
        pool = new WorkPool(options.Threads > 0 ? options.Threads : Environment.ProcessorCount);
        network = new Network(spec, options.BatchSize, pool, kernels, forTraining: true);
        update = Update;
        order = new int[data.Training.Count];
        for (int layer = 0; layer < network.Parameters.Count; layer++)
        {
            int count = network.Parameters[layer].Info.WeightCount;
            for (int first = 0; first < count; first += UpdateChunk)
            {
                updates.Add(new UpdateTask(layer, first, Math.Min(UpdateChunk, count - first)));
            }

            updates.Add(new UpdateTask(layer, -1, network.Parameters[layer].Info.Rows));
        }

        Initialize();
    }

    /// <inheritdoc/>
    public IReadOnlyList<LayerInfo> Layers => network.Spec.Layers;

    /// <summary>What the network computes.</summary>
    public NetworkSpec Spec => network.Spec;

    /// <summary>Threads that it computes with.</summary>
    public int Threads => pool.Threads;

    /// <inheritdoc/>
    public int StepsPerEpoch => (data.Training.Count + options.BatchSize - 1) / options.BatchSize;

    /// <inheritdoc/>
    public int StepsDone => step;

    /// <summary>
    /// A teacher that training follows beside the labels, from the next step on; null, as at first, for the labels alone. The
    /// loss that <see cref="Train"/> returns is then that of <see cref="Engine.SoftTargets"/>; evaluations stay by the labels. It
    /// is no part of the state that <see cref="SaveState"/> writes: set the same one before training goes on.
    /// </summary>
    /// <exception cref="AdmmKitException">The teacher does not fit the network, a number is out of range, or it takes too much memory.</exception>
    public SoftTargets? SoftTargets
    {
        get;
        set
        {
            if (value is null)
            {
                network.SoftTargets = null;
            }
            else
            {
                Network.CheckFits(Spec, value.Teacher);
                var teacher = new Network(Spec, options.BatchSize, pool, kernels, forTraining: false);
                teacher.SetWeights(value.Teacher);
                network.SoftTargets = new SoftTargetTable(teacher, data.Training.Count, options, value);
            }

            field = value;
        }
    }

    internal Network Network => network;

    private Span<float> this[int layer] => network.Parameters[layer].Weights.Span;

    /// <inheritdoc/>
    public void CopyWeights(int layer, Span<float> destination)
    {
        network.Parameters[layer].Sparse?.WriteBack();
        this[layer].CopyTo(destination);
    }

    /// <inheritdoc/>
    public void SetWeights(int layer, ReadOnlySpan<float> source)
    {
        CheckLength(layer, source.Length, Layers[layer].WeightCount, "weights");
        source.CopyTo(this[layer]);
        network.Parameters[layer].ZeroPruned();
        network.Parameters[layer].Sparse?.ReadWeights();
    }

    /// <inheritdoc/>
    public void CopyBiases(int layer, Span<float> destination) => network.Parameters[layer].Biases.Span.CopyTo(destination);

    /// <inheritdoc/>
    public void SetBiases(int layer, ReadOnlySpan<float> source)
    {
        CheckLength(layer, source.Length, Layers[layer].Rows, "biases");
        source.CopyTo(network.Parameters[layer].Biases.Span);
    }

    /// <inheritdoc/>
    public IReadOnlyList<NormalizationInfo> Normalizations => network.Spec.Normalizations;

    /// <inheritdoc/>
    public void CopyNormalization(int normalization, Span<float> destination) =>
        network.Normalizations[normalization].Values.Span.CopyTo(destination);

    /// <inheritdoc/>
    public void SetNormalization(int normalization, ReadOnlySpan<float> source)
    {
        NormalizationInfo info = Normalizations[normalization];
        if (source.Length != info.Count)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Batch normalization '{info.Name}' of {info.Channels} channels takes {info.Count} numbers, not {source.Length}."));
        }

        source.CopyTo(network.Normalizations[normalization].Values.Span);
    }

    /// <inheritdoc/>
    public void SetPenalty(int layer, Penalty penalty)
    {
        Parameters parameters = network.Parameters[layer];
        (parameters.Rho, parameters.Lambda) = (0, 0);
        ReadOnlyMemory<float> target = default;
        switch (penalty)
        {
            case Penalty.NoPenalty:
                break;
            case Penalty.Quadratic quadratic:
                CheckLength(layer, quadratic.Target.Length, Layers[layer].WeightCount, "penalty targets");
                (parameters.Rho, target) = (quadratic.Rho, quadratic.Rho != 0 ? quadratic.Target : default);
                break;
            case Penalty.L1 l1:
                parameters.Lambda = l1.Lambda;
                break;
            default:
                throw new AdmmKitException($"The engine does not know the penalty {penalty?.GetType().Name ?? "null"}.");
        }

        parameters.SetTarget(target, LastChunk(layer));
    }

    /// <inheritdoc/>
    public void SetMask(int layer, ReadOnlySpan<bool> keep)
    {
        bool[]? marks = Marks(layer, keep, "mask entries");
        Parameters parameters = network.Parameters[layer];
        UpdateMask(parameters, marks, parameters.Frozen);
    }

    /// <inheritdoc/>
    public void SetFrozen(int layer, ReadOnlySpan<bool> frozen)
    {
        bool[]? marks = Marks(layer, frozen, "marks of frozen weights");
        Parameters parameters = network.Parameters[layer];
        UpdateMask(parameters, parameters.Keep, marks);
    }

    /// <inheritdoc/>
    public void BeginPhase(TrainingPhase phase)
    {
        ArgumentNullException.ThrowIfNull(phase);
        foreach (Parameters p in network.Parameters)
        {
            p.ClearMoments();
        }

        foreach (Normalization n in network.Normalizations)
        {
            n.First.Span.Clear();
            n.Second.Span.Clear();
        }

        EnterPhase(phase, 0);
    }

    /// <inheritdoc/>
    public double Train(int steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        TimeSpan lastReport = TimeSpan.Zero;
        (double recentLoss, long recentImages) = (0, 0);
        for (int i = 0; i < steps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            (double stepLoss, int stepImages) = Step();
            lossSum += stepLoss;
            lossImages += stepImages;
            recentLoss += stepLoss;
            recentImages += stepImages;
            TimeSpan now = clock.Elapsed;
            if (progress is not null && (now - lastReport > ProgressInterval || step % StepsPerEpoch == 0 || i == steps - 1))
            {
                progress.Report(new TrainingProgress(
                    phase.Name, step, phase.Steps, recentLoss / recentImages, recentImages / (now - lastReport).TotalSeconds));
                lastReport = now;
                (recentLoss, recentImages) = (0, 0);
            }
        }

        double mean = lossImages == 0 ? 0 : lossSum / lossImages;
        (lossSum, lossImages) = (0, 0);
        return mean;
    }

    /// <inheritdoc/>
    public Evaluation Evaluate(DataSplit split) => network.Evaluate(split switch
    {
        DataSplit.Training => data.Training,
        DataSplit.Validation => data.Validation,
        DataSplit.Test => data.Test,
        _ => throw new ArgumentOutOfRangeException(nameof(split)),
    });

    /// <inheritdoc/>
    public void Dispose() => pool.Dispose();

    private void Initialize()
    {
        // Uniform in +-sqrt(3 / inputs of a neuron): "xavier" in Caffe, where this LeNet-5 is defined.
        foreach (Parameters p in network.Parameters)
        {
            var random = new RandomStream(options.Seed, "init/" + p.Info.Name);
            double bound = Math.Sqrt(3.0 / p.Info.Columns);
            foreach (ref float w in p.Weights.Span)
            {
                w = (float)random.NextDouble(-bound, bound);
            }
        }
    }

    private void UpdateMask(Parameters parameters, bool[]? keep, bool[]? frozen)
    {
        if ((keep ?? frozen ?? parameters.Keep ?? parameters.Frozen) is not null)
        {
            (parameters.Keep, parameters.Frozen) = (keep, frozen);
            parameters.UpdateMask();
            network.MasksChanged();
        }
    }

    private bool[]? Marks(int layer, ReadOnlySpan<bool> marks, string what)
    {
        if (marks.IsEmpty)
        {
            return null;
        }

        CheckLength(layer, marks.Length, Layers[layer].WeightCount, what);
        return marks.ToArray();
    }

    private void CheckLength(int layer, int actual, int expected, string what)
    {
        if (actual != expected)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{Layers[layer].Name}' ({Layers[layer].Shape}) takes {expected} {what}, not {actual}."));
        }
    }

    private void EnterPhase(TrainingPhase newPhase, int newStep)
    {
        phase = newPhase;
        step = newStep;
        (lossSum, lossImages) = (0, 0);
        orderEpoch = -1;
        dropoutKey = RandomStream.Key(options.Seed, "dropout/" + phase.Name);
    }

    private (double Loss, int Images) Step()
    {
        int epoch = step / StepsPerEpoch;
        if (epoch != orderEpoch)
        {
            for (int i = 0; i < order.Length; i++)
            {
                order[i] = i;
            }

            new RandomStream(options.Seed, "shuffle/" + phase.Name, epoch).Shuffle(order);
            shiftKey = RandomStream.Key(options.Seed, "shift/" + phase.Name, epoch);
            flipKey = options.Flip ? RandomStream.Key(options.Seed, "flip/" + phase.Name, epoch) : null;
            orderEpoch = epoch;
        }

        int first = step % StepsPerEpoch * options.BatchSize;
        int count = Math.Min(options.BatchSize, order.Length - first);
        var batch = new Batch(data.Training, order, first, count, options.MaxShift, shiftKey, flipKey);
        double loss = network.Forward(batch, training: true, RandomStream.Mix(dropoutKey + (ulong)step));
        if (!double.IsFinite(loss))
        {
            throw new DivergedException(FormattableString.Invariant(
                $"The loss is not a finite number at step {step} of phase '{phase.Name}' (learning rate {phase.LearningRate.At(step, phase.Steps):g3}): lower the learning rate or rho."));
        }

        network.Backward();
        double now = phase.LearningRate.At(step, phase.Steps);
        gradientScale = 1f / count;
        rate = (float)now;
        if (options.Optimizer is Optimizer.Adam a)
        {
            double t = step + 1;
            adam = new AdamStep(
                a.Beta1, a.Beta2, (float)(now / (1 - Math.Pow(a.Beta1, t))), (float)(1 / Math.Sqrt(1 - Math.Pow(a.Beta2, t))), a.Epsilon);
        }

        pool.Run(updates.Count, update);
        UpdateNormalizations();
        step++;
        return (loss, count);
    }

    /// <summary>Weights in the last task of a layer.</summary>
    private int LastChunk(int layer) => ((Layers[layer].WeightCount - 1) % UpdateChunk) + 1;

    private void Update(int task)
    {
        (int layer, int first, int count) = updates[task];
        Parameters p = network.Parameters[layer];
        bool biases = first < 0;
        SparseWeights? sparse = biases ? null : p.Sparse;
        first = Math.Max(first, 0);
        count = Math.Min(count, (sparse?.Count ?? first + count) - first);
        if ((p.AllFrozen && !biases) || count <= 0)
        {
            return;
        }

        bool last = first + count == p.Info.WeightCount;
        fixed (float* target = biases || sparse is not null || p.Rho == 0 ? default
            : last ? p.TargetTail!.Span : p.Target.Span.Slice(first, count))
        {
            float* sparseTarget = sparse?.Target is { } survivors ? survivors.Pointer + first : null;
            Update(p, first, count, biases, sparse is null ? target : sparseTarget);
        }
    }

    private void Update(Parameters p, int first, int count, bool biases, float* target)
    {
        SparseWeights? sparse = biases ? null : p.Sparse;
        FloatBuffer? mask = sparse is null ? p.Mask : sparse.Mask;
        var terms = new UpdateTerms
        {
            GradientScale = gradientScale,
            Decay = biases ? 0 : options.Optimizer.Decay,
            Rho = biases ? 0 : p.Rho,
            Lambda = biases ? 0 : p.Lambda,
            Target = target,
            Mask = biases || mask is null ? null : mask.Pointer + first,
        };
        float* w = (biases ? p.Biases : sparse?.Weights ?? p.Weights).Pointer + first;
        float* g = (biases ? p.BiasGradient : sparse?.Gradient ?? p.WeightGradient).Pointer + first;
        float* m = (biases ? p.BiasFirst : sparse?.First ?? p.WeightFirst).Pointer + first;
        float* v = (biases ? p.BiasSecond : sparse?.Second ?? p.WeightSecond).Pointer + first;
        Optimize(terms, w, g, m, v, count);
    }

    private void UpdateNormalizations()
    {
        // Scales and shifts, few numbers, and like biases without weight decay.
        var terms = new UpdateTerms { GradientScale = gradientScale, Decay = 0, Rho = 0, Lambda = 0, Target = null, Mask = null };
        foreach (Normalization n in network.Normalizations)
        {
            Optimize(terms, n.Values.Pointer, n.Gradients.Pointer, n.First.Pointer, n.Second.Pointer, n.Gradients.Length);
        }
    }

    private void Optimize(in UpdateTerms terms, float* w, float* g, float* m, float* v, int count)
    {
        if (options.Optimizer is Optimizer.Sgd sgd)
        {
            kernels.Momentum(terms, rate, sgd.Momentum, w, g, m, count);
        }
        else
        {
            kernels.Adam(terms, adam, w, g, m, v, count);
        }
    }

    /// <summary>Part of a layer's weights, or with First = -1 its biases.</summary>
    private readonly record struct UpdateTask(int Layer, int First, int Count);
}
