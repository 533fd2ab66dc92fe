using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Engine;

/// <summary>
/// Learning from a teacher's outputs beside the labels: knowledge distillation (Hinton, Vinyals and Dean 2015,
/// arXiv:1503.02531, sec. 2). The loss of an image is
/// <code>
/// (1 - w) H(label, softmax(y)) + w T^2 H(softmax(t / T), softmax(y / T))
/// </code>
/// with the cross-entropy H, the network's outputs y, and the teacher's outputs t for the same image, moved and mirrored as
/// the network sees it. T^2 keeps the gradient's size whatever the temperature.
/// </summary>
/// <param name="Teacher">The teacher's weights: a network of the same architecture, such as the one before pruning.</param>
/// <param name="Weight">w, 0 to 1; 0 is training by the labels alone, to the same bits.</param>
/// <param name="Temperature">T, positive; the higher, the more the small outputs of the teacher count.</param>
public sealed record SoftTargets(NetworkWeights Teacher, double Weight, double Temperature)
{
    /// <summary>What the targets of all images under all shifts may take, in bytes: a part of a usual machine's memory.</summary>
    public const long MaximumBytes = 1_000_000_000;

    /// <summary>Refuses what would take too much memory, and numbers out of range, before anything is trained.</summary>
    /// <param name="spec">The network that is to learn.</param>
    /// <param name="trainingImages">Images that it learns from.</param>
    /// <param name="options">How it trains.</param>
    /// <param name="weight">w.</param>
    /// <param name="temperature">T.</param>
    /// <exception cref="AdmmKitException">The targets would take too much memory, or w or T is out of range.</exception>
    public static void Check(NetworkSpec spec, int trainingImages, EngineOptions options, double weight, double temperature)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(options);
        if (!(weight is >= 0 and <= 1 && temperature > 0 && double.IsFinite(temperature)))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Soft targets with weight {weight} and temperature {temperature}: the weight is 0 to 1 and the temperature positive. 0.5 and 4 are usual."));
        }

        // MaxShift is at most 2^31, so that this cannot overflow as a double.
        double variants = Batch.Variants(options.MaxShift, options.Flip), bytes = sizeof(float) * variants * trainingImages * spec.Classes;
        if (bytes > MaximumBytes)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"Soft targets for {trainingImages} training images, each moved or mirrored in {variants} ways, of {spec.Classes} classes would take {bytes / 1e6:f0} MB, more than {MaximumBytes / 1e6:f0} MB: take a smaller shift (now {options.MaxShift}), do not mirror, or train on fewer images."));
        }
    }
}
