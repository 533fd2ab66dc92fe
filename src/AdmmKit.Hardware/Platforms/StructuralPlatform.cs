using AdmmKit.Networks;

namespace AdmmKit.Hardware.Platforms;

/// <summary>
/// An accelerator known by its parts, one layer at a time on it, as sec. 5.1 in [Ren2019] compares them: the area is fixed; memory
/// takes of it what the layer's weights and indices need; processing elements (PEs) get the rest; the slower clock of PEs
/// that decode indices is theirs. With N weights, the keepFraction d and bits per stored weight w:
/// <code>
/// memory   M(d) = min(d N w, SRAM) bits,  w = weightBits dense, weightBits + indexBits sparse
/// PEs      P(d) = (area - M(d) area per bit) / area of a PE
/// compute  C(d) = d MACs x delay of a PE / P(d)
/// traffic  T(d) = (activations x activationBits + d N w - M(d)) / bandwidth
/// delay    max(C(d), T(d))
/// </code>
/// Without a bandwidth there is no T, without an SRAM size M holds all. Numbers of PEs are not rounded, so that the delay is
/// continuous in d. Activations are dense, in and out: a layer has MACs / (inputs of a filter) outputs; its inputs are counted as
/// for a stride of one, which is what a layer alone says of them.
/// </summary>
public sealed class StructuralPlatform : Platform
{
    private const double Nanosecond = 1e-9, Gigabyte = 1e9, BitsPerByte = 8, BitsPerKiB = 8192, Um2PerMm2 = 1e6;

    /// <summary>Its parts.</summary>
    public required ChipStructure Structure { get; init; }

    /// <inheritdoc/>
    public override string DelayUnit => "s";

    /// <inheritdoc/>
    public override bool RunsPrunedDense => false;

    /// <summary>How many PEs the area has room for beside a dense layer's weights.</summary>
    /// <param name="layer">The layer.</param>
    /// <returns>A number that is not rounded; not positive where the weights leave no room.</returns>
    public double DensePes(LayerInfo layer) => Pes(Held(StoredBits(layer, 1, dense: true)), Structure.DensePeUm2);

    /// <summary>How many PEs that decode indices the area has room for beside a layer's survivors and their indices.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="keepFraction">Survivors as a share of its weights, in [0, 1].</param>
    /// <returns>A number that is not rounded; not positive where the survivors leave no room.</returns>
    public double SparsePes(LayerInfo layer, double keepFraction) =>
        Pes(Held(StoredBits(layer, keepFraction, dense: false)), Structure.SparsePeUm2);

    /// <inheritdoc/>
    public override double DenseDelay(LayerInfo layer)
    {
        double pes = DensePes(layer);
        double compute = layer.Macs * Structure.DensePeNanoseconds * Nanosecond / pes;
        return pes > 0 ? Math.Max(compute, Traffic(layer, StoredBits(layer, 1, dense: true)))
            : throw new AdmmKitException(FormattableString.Invariant(
                $"The platform '{Name}' has no area for processing elements beside the {layer.WeightCount} weights of '{layer.Name}': ")
                + "make areaMm2 larger, or limit the memory by sramKiB.");
    }

    /// <summary>Infinite where survivors and indices leave no area for processing elements.</summary>
    /// <inheritdoc/>
    public override double SparseDelay(LayerInfo layer, double keepFraction)
    {
        double pes = SparsePes(layer, keepFraction);
        return pes <= 0 ? double.PositiveInfinity : Math.Max(
            keepFraction * layer.Macs * Structure.SparsePeNanoseconds * Nanosecond / pes,
            Traffic(layer, StoredBits(layer, keepFraction, dense: false)));
    }

    private double StoredBits(LayerInfo layer, double keepFraction, bool dense)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return keepFraction * layer.WeightCount * (Structure.WeightBits + (dense ? 0 : Resources.IndexBits ?? 0));
    }

    private double Held(double bits) => Resources.SramKiB is { } kib ? Math.Min(bits, kib * BitsPerKiB) : bits;

    private double Pes(double bits, double peUm2) => ((Structure.AreaMm2 * Um2PerMm2) - (bits * Structure.SramUm2PerBit)) / peUm2;

    private double Traffic(LayerInfo layer, double storedBits)
    {
        if (Resources.BandwidthGBPerSecond is not { } bandwidth)
        {
            return 0;
        }

        double positions = (double)layer.Macs / layer.WeightCount;
        double activations = positions * (layer.InputChannels + layer.Rows);
        double bits = (activations * Structure.ActivationBits) + storedBits - Held(storedBits);
        return bits / BitsPerByte / (bandwidth * Gigabyte);
    }
}
