using AdmmKit.Networks;

namespace AdmmKit.Training;

/// <summary>
/// The seam between the library and a training engine: a network with its data, loss and optimizer. The engine owns its
/// tensors, which may live on another device, and adds the penalty inside its own update; weights cross the seam only
/// when Z and U are updated, once in hundreds of steps. Layers are addressed by their position in <see cref="Layers"/>.
/// </summary>
public interface ITrainable
{
    /// <summary>The layers with weights, in order from input to output.</summary>
    IReadOnlyList<LayerInfo> Layers { get; }

    /// <summary>Steps (mini-batches) that see every training image once.</summary>
    int StepsPerEpoch { get; }

    /// <summary>Steps done since the phase began.</summary>
    int StepsDone { get; }

    /// <summary>Copies the weights W_i, row-major, out of the engine.</summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="destination">Receives <see cref="LayerInfo.WeightCount"/> numbers.</param>
    void CopyWeights(int layer, Span<float> destination);

    /// <summary>Replaces the weights W_i.</summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="source"><see cref="LayerInfo.WeightCount"/> numbers, row-major.</param>
    void SetWeights(int layer, ReadOnlySpan<float> source);

    /// <summary>Copies the biases b_i out of the engine.</summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="destination">Receives <see cref="LayerInfo.Rows"/> numbers.</param>
    void CopyBiases(int layer, Span<float> destination);

    /// <summary>Replaces the biases b_i.</summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="source"><see cref="LayerInfo.Rows"/> numbers.</param>
    void SetBiases(int layer, ReadOnlySpan<float> source);

    /// <summary>The batch normalizations, which train beside the weights and are neither pruned nor quantized.</summary>
    IReadOnlyList<NormalizationInfo> Normalizations => [];

    /// <summary>Copies a batch normalization out of the engine.</summary>
    /// <param name="normalization">Which one.</param>
    /// <param name="destination">Receives <see cref="NormalizationInfo.Count"/> numbers.</param>
    void CopyNormalization(int normalization, Span<float> destination) => throw new ArgumentOutOfRangeException(nameof(normalization));

    /// <summary>Replaces a batch normalization.</summary>
    /// <param name="normalization">Which one.</param>
    /// <param name="source"><see cref="NormalizationInfo.Count"/> numbers.</param>
    void SetNormalization(int normalization, ReadOnlySpan<float> source) => throw new ArgumentOutOfRangeException(nameof(normalization));

    /// <summary>Sets the term that training adds to the loss for this layer, in place of the one before.</summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="penalty">The term; <see cref="Penalty.None"/> removes it.</param>
    void SetPenalty(int layer, Penalty penalty);

    /// <summary>
    /// Pins weights to exactly zero, now and after every later step, whatever the optimizer's state. An empty mask lifts
    /// the pin (the weights stay at zero until training moves them).
    /// </summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="keep">True where the weight lives; <see cref="LayerInfo.WeightCount"/> entries, or none.</param>
    void SetMask(int layer, ReadOnlySpan<bool> keep);

    /// <summary>Pins weights where they stand, in place of those pinned before; biases and all other weights still train.</summary>
    /// <param name="layer">Which layer.</param>
    /// <param name="frozen">True where the weight stays; <see cref="LayerInfo.WeightCount"/> entries, or none to free all.</param>
    void SetFrozen(int layer, ReadOnlySpan<bool> frozen);

    /// <summary>
    /// Begins a phase: clears the optimizer's moments, sets the step counter to zero, and derives every random stream of
    /// the phase from (seed, phase name, epoch).
    /// </summary>
    /// <param name="phase">Name, length and learning rate.</param>
    void BeginPhase(TrainingPhase phase);

    /// <summary>
    /// Trains on; several calls continue one phase without a seam. A call that is cancelled leaves its part of the mean loss
    /// in the state: the call that does the remaining steps returns the mean over both.
    /// </summary>
    /// <param name="steps">Mini-batches to see; with 0 only the mean that a cancelled call left is returned.</param>
    /// <param name="progress">Told between two steps how it goes, at the end of each epoch for sure; may save the state. Or null.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>The mean loss over these steps, penalty not counted.</returns>
    /// <exception cref="DivergedException">The loss is no longer finite.</exception>
    double Train(int steps, IProgress<TrainingProgress>? progress, CancellationToken cancellation);

    /// <summary>Evaluates the network as it stands (no dropout, no augmentation).</summary>
    /// <param name="split">Which images.</param>
    Evaluation Evaluate(DataSplit split);

    /// <summary>Writes everything that training depends on within a phase: weights, moments, step, masks, penalties.</summary>
    /// <param name="stream">Where to.</param>
    void SaveState(Stream stream);

    /// <summary>
    /// Reads what <see cref="SaveState"/> wrote; training then goes on to the same bits. The phase must have been begun
    /// with the same <see cref="TrainingPhase"/>: the state says where the phase stands, not how it goes. After an error the
    /// phase must be begun again.
    /// </summary>
    /// <param name="stream">Where from.</param>
    /// <exception cref="BadFileException">The bytes are damaged or belong to another network.</exception>
    void LoadState(Stream stream);
}

/// <summary>Which images an evaluation runs on.</summary>
public enum DataSplit
{
    /// <summary>The images that training sees.</summary>
    Training,

    /// <summary>Images held out of the training set; every choice is made on these.</summary>
    Validation,

    /// <summary>The test set; nothing is chosen on it.</summary>
    Test,
}

/// <summary>The result of an evaluation.</summary>
/// <param name="Correct">Images whose largest output is at their label.</param>
/// <param name="Count">Images evaluated.</param>
/// <param name="Loss">Mean softmax cross-entropy, in nats.</param>
public sealed record Evaluation(int Correct, int Count, double Loss)
{
    /// <summary>Share of correct images, 0 to 1.</summary>
    public double Accuracy => Count == 0 ? 0 : (double)Correct / Count;
}

/// <summary>Where a phase of training stands.</summary>
/// <param name="Phase">The phase's name.</param>
/// <param name="Step">Steps done in the phase.</param>
/// <param name="Steps">Steps of the whole phase.</param>
/// <param name="Loss">Mean loss since the phase began its current epoch, penalty not counted.</param>
/// <param name="ImagesPerSecond">Training images a second, lately.</param>
public sealed record TrainingProgress(string Phase, int Step, int Steps, double Loss, double ImagesPerSecond);

/// <summary>One phase of training, such as pretraining or masked retraining.</summary>
/// <param name="Name">Names the phase; part of what its random streams are derived from.</param>
/// <param name="Steps">Steps of the whole phase, over which the schedule runs.</param>
/// <param name="LearningRate">The learning rate over the phase.</param>
public sealed record TrainingPhase(string Name, int Steps, LearningRate LearningRate);
