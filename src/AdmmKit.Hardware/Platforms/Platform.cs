using AdmmKit.Networks;

namespace AdmmKit.Hardware.Platforms;

/// <summary>Hardware that a network runs on: how long a layer takes dense, and how long it takes with its survivors alone.</summary>
public abstract class Platform
{
    /// <summary>Names the platform, such as "admm-nn-40nm".</summary>
    public required string Name { get; init; }

    /// <summary>What it is, in a sentence.</summary>
    public string Description { get; init; } = "";

    /// <summary>Where its numbers come from.</summary>
    public string Source { get; init; } = "";

    /// <summary>The unit of all delays: "s", or "MACs" where only relative delays are known (dense MACs at the dense rate).</summary>
    public abstract string DelayUnit { get; }

    /// <summary>
    /// Whether a pruned layer can also run dense, zeros and all, where that is faster. A processor can; an accelerator whose
    /// processing elements are built for sparse layers cannot, unless the layer's structure is restored (Fig. 5 in [Ren2019]).
    /// </summary>
    public abstract bool RunsPrunedDense { get; }

    /// <summary>What is known of its hardware.</summary>
    public PlatformResources Resources { get; init; } = new();

    /// <summary>Energies of single events; null where they are not known.</summary>
    public EnergyTable? Energy { get; init; }

    /// <summary>Delay of a dense layer for one image, in <see cref="DelayUnit"/>.</summary>
    /// <param name="layer">The layer.</param>
    /// <exception cref="AdmmKitException">The platform knows nothing of such a layer.</exception>
    public abstract double DenseDelay(LayerInfo layer);

    /// <summary>Delay of a layer that is computed with its survivors alone, for one image, in <see cref="DelayUnit"/>.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="keepFraction">Survivors as a share of its weights, in [0, 1].</param>
    /// <exception cref="AdmmKitException">The platform knows nothing of such a layer.</exception>
    public abstract double SparseDelay(LayerInfo layer, double keepFraction);

    /// <summary>Delay of a layer as the platform runs it: dense where nothing is pruned.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="keepFraction">Survivors as a share of its weights, in [0, 1].</param>
    public double Delay(LayerInfo layer, double keepFraction)
    {
        double dense = DenseDelay(layer);
        double sparse = keepFraction < 1 ? SparseDelay(layer, keepFraction) : dense;
        return RunsPrunedDense ? Math.Min(dense, sparse) : sparse;
    }

    /// <summary>How many times as fast as dense a layer runs.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="keepFraction">Survivors as a share of its weights, in [0, 1].</param>
    public double Speedup(LayerInfo layer, double keepFraction) => DenseDelay(layer) / Delay(layer, keepFraction);

    /// <summary>
    /// The share of weights at which a layer is as fast sparse as dense, sec. 5.1 in [Ren2019]: its inverse is the break-even
    /// pruning ratio. 0 where sparse is never faster, 1 where it always is. Found by bisection, which takes the sparse delay to
    /// grow with the survivors.
    /// </summary>
    /// <param name="layer">The layer.</param>
    public virtual double BreakEvenKeepFraction(LayerInfo layer) => BreakEven.KeepFraction(DenseDelay(layer), d => SparseDelay(layer, d));
}

/// <summary>Energies of single events, in pJ.</summary>
/// <param name="Mac">One multiply-accumulate.</param>
/// <param name="WeightRead">Reading a weight in a processing element's scratchpad.</param>
/// <param name="InputRead">Reading an input activation there.</param>
/// <param name="PartialSum">Reading or writing a partial sum there.</param>
/// <param name="BufferRead">Reading a word from the on-chip buffer.</param>
/// <param name="BufferWrite">Writing a word to it.</param>
/// <param name="Dram">Moving a word from or to memory off the chip.</param>
/// <param name="WordBits">Bits of a word, to which all of these belong.</param>
public sealed record EnergyTable(
    double Mac, double WeightRead, double InputRead, double PartialSum, double BufferRead, double BufferWrite, double Dram, int WordBits);
