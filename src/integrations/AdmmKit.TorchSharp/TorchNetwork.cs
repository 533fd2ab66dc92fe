using System.Diagnostics;
using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>A TorchSharp module with its data, loss and optimizer as an <see cref="ITrainable"/>: what AdmmKit can compress.</summary>
/// <remarks>
/// Its layers are the module's Conv2d and Linear modules by their dotted names, its normalizations BatchNorm1d and BatchNorm2d. Other
/// modules with numbers of their own (<see cref="Skipped"/>) are left as they are and do not train. The module is worked on where it
/// is: nothing is copied. After compressing it is in evaluation mode. Random numbers of the module (dropout) come from torch's global
/// generator, which each step seeds from (seed, phase, step).
/// <para>On one machine with one number of threads the same seed gives the same bits, also where training was saved and loaded.</para>
/// </remarks>
public sealed partial class TorchNetwork : ITrainable, IDisposable
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(250);

    private readonly nn.Module<Tensor, Tensor> module;
    private readonly ITorchData data;
    private readonly TorchOptions options;
    private readonly Device device;
    private readonly ModuleParts parts;
    private readonly TrainedLayer[] layers;
    private readonly TrainedTensor[] normalizing;
    private readonly global::TorchSharp.Modules.Parameter[] untrained;
    private TrainingPhase phase = new("none", 1, new LearningRate.Constant(0));
    private int step;
    private double lossSum;
    private long lossExamples;

    /// <summary>Takes a module with a data set of AdmmKit.</summary>
    /// <param name="module">The module; its weights are the network's.</param>
    /// <param name="data">What it learns from, in batches of 64 as they are; <see cref="ImageData"/> says more.</param>
    /// <param name="options">How it trains; null for Adam and softmax cross-entropy on the CPU.</param>
    /// <exception cref="AdmmKitException">The module has no layer that can be compressed, or does not take the data.</exception>
    public TorchNetwork(nn.Module<Tensor, Tensor> module, DataSet data, TorchOptions? options = null)
        : this(module, new ImageData(data), options)
    {
    }

    /// <summary>Takes a module with data of any kind.</summary>
    /// <param name="module">The module; its weights are the network's.</param>
    /// <param name="data">What it learns from.</param>
    /// <param name="options">How it trains; null for Adam and softmax cross-entropy on the CPU.</param>
    /// <exception cref="AdmmKitException">The module has no layer that can be compressed, or does not take the data.</exception>
    public TorchNetwork(nn.Module<Tensor, Tensor> module, ITorchData data, TorchOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(data);
        (this.module, this.data, this.options) = (module, data, options ?? new TorchOptions());
        device = DeviceOf(this.options.Device);
        if (this.options.Threads > 0)
        {
            set_num_threads(this.options.Threads);
        }

        module.to(device);
        ModuleParts found = ModuleParts.Of(module);
        parts = this.options.Spec is { } given ? found.InOrderOf(given) : found.Traced(module, data.InputShape, device);
        Layers = [.. parts.Layers.Select(l => l.Info)];
        Normalizations = [.. parts.Normalizations.Select(n => n.Info)];
        layers = [.. parts.Layers.Select(l => new TrainedLayer(l, this.options.Optimizer, device))];
        normalizing = [.. parts.Normalizations.SelectMany(n => new[]
        {
            new TrainedTensor(n.Name + ".weight", n.Scale, this.options.Optimizer),
            new TrainedTensor(n.Name + ".bias", n.Shift, this.options.Optimizer),
        })];
        untrained = [.. parts.Skipped.SelectMany(s => s.Parameters).Where(p => p.requires_grad)];
        foreach (global::TorchSharp.Modules.Parameter parameter in untrained)
        {
            parameter.requires_grad = false;
        }

        seed = this.options.Seed;
        batches = data;
    }

    /// <inheritdoc/>
    public IReadOnlyList<LayerInfo> Layers { get; }

    /// <inheritdoc/>
    public IReadOnlyList<NormalizationInfo> Normalizations { get; }

    /// <summary>
    /// Modules with numbers of their own that are no layer here, such as Conv1d, Embedding or LayerNorm, or layers whose weights require
    /// no gradient: they stay as they are, are in no file, and do not train while this network lives. An empty name is the module itself.
    /// </summary>
    public IReadOnlyList<string> Skipped => [.. parts.Skipped.Select(s => s.Name)];

    /// <inheritdoc/>
    public int StepsPerEpoch => batches.StepsPerEpoch;

    /// <inheritdoc/>
    public int StepsDone => step;

    /// <inheritdoc/>
    public void CopyWeights(int layer, Span<float> destination) => Tensors.CopyTo(layers[layer].Layer.Weight, destination);

    /// <inheritdoc/>
    public void SetWeights(int layer, ReadOnlySpan<float> source)
    {
        CheckLength(layer, source.Length, Layers[layer].WeightCount, "weights");
        Tensors.Set(layers[layer].Layer.Weight, source);
        layers[layer].WeightsChanged();
    }

    /// <inheritdoc/>
    public void CopyBiases(int layer, Span<float> destination)
    {
        if (layers[layer].Layer.Bias is { } biases)
        {
            Tensors.CopyTo(biases, destination);
        }
        else
        {
            destination.Clear();
        }
    }

    /// <inheritdoc/>
    public void SetBiases(int layer, ReadOnlySpan<float> source)
    {
        CheckLength(layer, source.Length, Layers[layer].Rows, "biases");
        CheckBiases(layers[layer].Layer, source);
        if (layers[layer].Layer.Bias is { } biases)
        {
            Tensors.Set(biases, source);
        }
    }

    /// <inheritdoc/>
    public void CopyNormalization(int normalization, Span<float> destination)
    {
        (int channels, int at) = (Normalizations[normalization].Channels, 0);
        foreach (Tensor values in parts.Normalizations[normalization].Values)
        {
            Tensors.CopyTo(values, destination.Slice(channels * at++, channels));
        }
    }

    /// <inheritdoc/>
    public void SetNormalization(int normalization, ReadOnlySpan<float> source)
    {
        NormalizationInfo info = Normalizations[normalization];
        if (source.Length != info.Count)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Batch normalization '{info.Name}' of {info.Channels} channels takes {info.Count} numbers, not {source.Length}."));
        }

        SetNormalization(parts.Normalizations[normalization], source);
    }

    /// <inheritdoc/>
    public void SetPenalty(int layer, Penalty penalty)
    {
        switch (penalty)
        {
            case Penalty.NoPenalty:
                layers[layer].SetPenalty(0, 0, []);
                break;
            case Penalty.Quadratic quadratic:
                CheckLength(layer, quadratic.Target.Length, Layers[layer].WeightCount, "penalty targets");
                layers[layer].SetPenalty(quadratic.Rho, 0, quadratic.Target.Span);
                break;
            case Penalty.L1 l1:
                layers[layer].SetPenalty(0, l1.Lambda, []);
                break;
            default:
                throw new AdmmKitException($"TorchNetwork does not know the penalty {penalty?.GetType().Name ?? "null"}.");
        }
    }

    /// <inheritdoc/>
    public void SetMask(int layer, ReadOnlySpan<bool> keep) =>
        layers[layer].SetMarks(Marks(layer, keep, "mask entries"), layers[layer].Frozen);

    /// <inheritdoc/>
    public void SetFrozen(int layer, ReadOnlySpan<bool> frozen) =>
        layers[layer].SetMarks(layers[layer].Keep, Marks(layer, frozen, "marks of frozen weights"));

    /// <inheritdoc/>
    public void BeginPhase(TrainingPhase phase)
    {
        ArgumentNullException.ThrowIfNull(phase);
        foreach (TrainedTensor tensor in Trained())
        {
            tensor.ClearMoments();
        }

        EnterPhase(phase, 0);
    }

    /// <inheritdoc/>
    public double Train(int steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        TimeSpan lastReport = TimeSpan.Zero;
        (double recentLoss, long recentExamples) = (0, 0);
        TrainingMode();
        for (int i = 0; i < steps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            (double loss, long examples) = Step();
            lossSum += loss * examples;
            lossExamples += examples;
            recentLoss += loss * examples;
            recentExamples += examples;
            TimeSpan now = clock.Elapsed;
            if (progress is not null && (now - lastReport > ProgressInterval || step % StepsPerEpoch == 0 || i == steps - 1))
            {
                progress.Report(new TrainingProgress(
                    phase.Name, step, phase.Steps, recentLoss / recentExamples, recentExamples / (now - lastReport).TotalSeconds));
                lastReport = now;
                (recentLoss, recentExamples) = (0, 0);
                // Whoever was told may have evaluated.
                TrainingMode();
            }
        }

        double mean = lossExamples == 0 ? 0 : lossSum / lossExamples;
        (lossSum, lossExamples) = (0, 0);
        return mean;
    }

    /// <inheritdoc/>
    public Evaluation Evaluate(DataSplit split)
    {
        module.eval();
        (long correct, long count, double loss) = (0, 0, 0);
        using IDisposable noGradient = no_grad();
        using DisposeScope whole = NewDisposeScope();
        foreach (TorchBatch batch in batches.EvaluationBatches(split))
        {
            using DisposeScope scope = NewDisposeScope();
            using (batch)
            {
                Tensor targets = batch.Targets.to(device);
                Tensor outputs = module.call(batch.Inputs.to(device));
                long examples = outputs.shape[0];
                loss += options.Loss(outputs, targets).ToDouble() * examples;
                correct += options.CountCorrect(outputs, targets);
                count += examples;
            }
        }

        return new Evaluation((int)correct, (int)count, count == 0 ? 0 : loss / count);
    }

    /// <summary>Gives back what was made for training. The module stays, and is its owner's to dispose.</summary>
    public void Dispose()
    {
        foreach (TrainedLayer layer in layers)
        {
            layer.Dispose();
        }

        foreach (TrainedTensor tensor in normalizing)
        {
            tensor.Dispose();
        }

        foreach (global::TorchSharp.Modules.Parameter parameter in untrained)
        {
            parameter.requires_grad = true;
        }
    }

    internal static void CheckBiases(WeightedModule layer, ReadOnlySpan<float> source)
    {
        if (layer.Bias is null && source.ContainsAnyExcept(0f))
        {
            throw new AdmmKitException($"Layer '{layer.Name}' of the module has no biases, but biases that are not 0 are given: is it another network?");
        }
    }

    internal static void SetNormalization(NormalizationModule normalization, ReadOnlySpan<float> source)
    {
        (int channels, int at) = (normalization.Info.Channels, 0);
        foreach (Tensor values in normalization.Values)
        {
            Tensors.Set(values, source.Slice(channels * at++, channels));
        }
    }

    private static Device DeviceOf(string name)
    {
        try
        {
            var found = new Device(name);
            return found.type != DeviceType.CUDA || cuda.is_available() ? found : throw new AdmmKitException(
                $"The device '{name}' is asked for, but libtorch finds no CUDA here: use \"cpu\", or a TorchSharp-cuda package and its driver.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new AdmmKitException($"There is no device '{name}': say \"cpu\", \"cuda\" or \"cuda:1\".", e);
        }
    }

    private IEnumerable<TrainedTensor> Trained() =>
        layers.SelectMany(l => l.Biases is null ? new[] { l.Weights } : [l.Weights, l.Biases]).Concat(normalizing);

    private void TrainingMode()
    {
        module.train();
        foreach (SkippedModule skipped in parts.Skipped.Where(s => s.Name.Length > 0 && !s.Module.children().Any()))
        {
            // Running statistics of what is left alone stay as they are, too.
            skipped.Module.eval();
        }
    }

    private (double Loss, long Examples) Step()
    {
        using DisposeScope scope = NewDisposeScope();
        using TorchBatch batch = batches.TrainingBatch(seed, phase.Name, step / StepsPerEpoch, step % StepsPerEpoch);
        random.manual_seed((long)(RandomStream.Key(seed, "torch/" + phase.Name, step) >> 1));
        Tensor outputs = module.call(batch.Inputs.to(device));
        Tensor loss = options.Loss(outputs, batch.Targets.to(device));
        if (loss.numel() != 1)
        {
            throw new AdmmKitException($"The loss has shape {string.Join("x", loss.shape)}: it must be one number, the mean over the batch.");
        }

        double value = loss.ToDouble();
        double rate = phase.LearningRate.At(step, phase.Steps);
        if (!double.IsFinite(value))
        {
            throw new DivergedException(FormattableString.Invariant(
                $"The loss is not a finite number at step {step} of phase '{phase.Name}' (learning rate {rate:g3}): lower the learning rate or rho."));
        }

        loss.backward();
        using IDisposable noGradient = no_grad();
        step++;
        foreach (TrainedLayer layer in layers)
        {
            layer.Step(options.Optimizer, rate, step);
        }

        foreach (TrainedTensor tensor in normalizing)
        {
            tensor.Step(options.Optimizer, tensor.Gradient, rate, step);
        }

        return (value, outputs.shape[0]);
    }

    private void EnterPhase(TrainingPhase newPhase, int newStep)
    {
        (phase, step) = (newPhase, newStep);
        (lossSum, lossExamples) = (0, 0);
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
}
