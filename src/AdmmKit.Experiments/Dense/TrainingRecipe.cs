using AdmmKit.Networks;

namespace AdmmKit.Experiments.Dense;

/// <summary>How a dense network is trained from scratch: everything, besides the data, that its bits depend on.</summary>
public sealed record TrainingRecipe
{
    /// <summary>The architecture, one of <see cref="NetworkSpec.Architectures"/>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Passes over the training images.</summary>
    public int Epochs { get; init; } = 30;

    /// <summary>Images in a mini-batch.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>The highest learning rate of SGD with momentum 0.9; it falls to zero along a cosine.</summary>
    public double LearningRate { get; init; } = 0.05;

    /// <summary>Epochs in which the learning rate rises to that.</summary>
    public double WarmUpEpochs { get; init; } = 1;

    /// <summary>Weight decay; biases and batch normalizations are not decayed.</summary>
    public float Decay { get; init; } = 5e-4f;

    /// <summary>Training images are moved by up to this many pixels each way.</summary>
    public int MaxShift { get; init; }

    /// <summary>Whether training images are mirrored with probability 1/2.</summary>
    public bool Flip { get; init; }

    /// <summary>The seed of every random choice.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>A recipe that suits the architecture.</summary>
    /// <param name="architecture">One of <see cref="NetworkSpec.Architectures"/>.</param>
    public static TrainingRecipe For(string architecture) => IsForColour(architecture)
        ? new TrainingRecipe { Architecture = architecture, Epochs = 44, LearningRate = 0.08, WarmUpEpochs = 2, MaxShift = 4, Flip = true }
        : new TrainingRecipe { Architecture = architecture, Epochs = 20, MaxShift = 2 };

    /// <summary>Whether the architecture is meant for CIFAR-10 and not for digits.</summary>
    /// <param name="architecture">One of <see cref="NetworkSpec.Architectures"/>.</param>
    public static bool IsForColour(string architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        return !architecture.StartsWith("lenet", StringComparison.Ordinal);
    }

    /// <summary>Checks that every number is in range.</summary>
    /// <exception cref="AdmmKitException">One is not; the message says which.</exception>
    public void Check()
    {
        string? wrong = this switch
        {
            { Epochs: < 1 or > 10_000 } => FormattableString.Invariant($"{Epochs} epochs are not 1 to 10000"),
            { BatchSize: < 1 or > 4096 } => FormattableString.Invariant($"a batch of {BatchSize} images is not 1 to 4096"),
            _ when !(LearningRate > 0 && LearningRate <= 10) => FormattableString.Invariant($"a learning rate of {LearningRate} is not above 0 and at most 10"),
            _ when !(WarmUpEpochs >= 0 && WarmUpEpochs < Epochs) => FormattableString.Invariant($"{WarmUpEpochs} epochs of warm-up are not 0 or more and fewer than all {Epochs}"),
            _ when !(Decay >= 0 && Decay < 1) => FormattableString.Invariant($"a weight decay of {Decay} is not 0 or more and below 1"),
            { MaxShift: < 0 or > 100 } => FormattableString.Invariant($"a shift of {MaxShift} pixels is not 0 to 100"),
            _ => null,
        };
        if (wrong is not null)
        {
            throw new AdmmKitException($"The training recipe cannot be used: {wrong}.");
        }
    }
}
