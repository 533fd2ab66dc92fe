using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Hardware.Computation;

/// <summary>Where the weights of a layer come from.</summary>
public enum WeightSource
{
    /// <summary>Memory off the chip: the network does not fit on it.</summary>
    Dram,

    /// <summary>The buffer on the chip, into which they were loaded once for all (sec. 4.3 in [Ren2019]).</summary>
    Buffer,
}

/// <summary>Energy of a layer for one image, in pJ.</summary>
/// <param name="Name">The layer.</param>
/// <param name="Compute">Multiply-accumulates.</param>
/// <param name="OnChip">Scratchpads of the processing elements and the buffer.</param>
/// <param name="OffChip">Weights and indices from memory off the chip.</param>
public sealed record LayerEnergy(string Name, double Compute, double OnChip, double OffChip)
{
    /// <summary>All three.</summary>
    public double Total => Compute + OnChip + OffChip;
}

/// <summary>Energy of a network for one image, in pJ.</summary>
/// <param name="Network">The network's name.</param>
/// <param name="Layers">Its layers with weights, in order; steps without weights are not counted.</param>
public sealed record EnergyReport(string Network, IReadOnlyList<LayerEnergy> Layers)
{
    /// <summary>Multiply-accumulates.</summary>
    public double Compute => Layers.Sum(l => l.Compute);

    /// <summary>Scratchpads of the processing elements and the buffer.</summary>
    public double OnChip => Layers.Sum(l => l.OnChip);

    /// <summary>Weights and indices from memory off the chip.</summary>
    public double OffChip => Layers.Sum(l => l.OffChip);

    /// <summary>All three.</summary>
    public double Total => Layers.Sum(l => l.Total);
}

/// <summary>What of the energy of a network is not in the network and not in the table of energies.</summary>
public sealed record EnergyOptions
{
    private readonly int imagesPerLoad = 1;

    /// <summary>Where weights come from.</summary>
    public WeightSource Weights { get; init; }

    /// <summary>Images, at least 1, for which weights are loaded once.</summary>
    /// <exception cref="AdmmKitException">It is less.</exception>
    public int ImagesPerLoad
    {
        get => imagesPerLoad;
        init => imagesPerLoad = value >= 1 ? value
            : throw new AdmmKitException(FormattableString.Invariant(
                $"Weights cannot be loaded once for {value} images: give at least 1."));
    }

    /// <summary>Bits of an input and of an output; the words of the energy table where not given.</summary>
    public int? ActivationBits { get; init; }

    /// <summary>Bits of a survivor's index by the kind of its layer; 5 in convolutions and 8 elsewhere, as [Ren2019] counts.</summary>
    public Func<LayerKind, int> IndexBits { get; init; } = LayerSizes.PaperIndexBits;
}

/// <summary>
/// Counts what a layer moves, and weighs it with the energies of single events. The model, for one image:
/// <list type="bullet">
/// <item>a multiply-accumulate costs itself, one weight read, one input read and two accesses to a partial sum (read and
/// write) in the scratchpads of a processing element;</item>
/// <item>each weight is moved once, from memory off the chip or from the buffer, and serves
/// <see cref="EnergyOptions.ImagesPerLoad"/> images;</item>
/// <item>in a pruned layer a weight takes its index with it wherever it goes; a layer with all its weights has no index;</item>
/// <item>inputs are read from the buffer once and outputs written to it once, dense;</item>
/// <item>weights, indices and activations of other widths than the table's words cost as many times the access as they
/// have times the bits. Multiply-accumulates and partial sums do not become cheaper with fewer bits.</item>
/// </list>
/// An input that is read again because it did not stay in a scratchpad, spilled partial sums, control and leakage are not in it:
/// it compares two networks on one machine, and is no estimate of a chip's power.
/// </summary>
/// <param name="table">Energies of single events.</param>
/// <param name="options">How weights are loaded, and widths; without it the network is loaded from DRAM for each image.</param>
public sealed class EnergyModel(EnergyTable table, EnergyOptions? options = null)
{
    private readonly EnergyOptions options = options ?? new();

    /// <summary>Energy of a network.</summary>
    /// <param name="computation">What it computes.</param>
    public EnergyReport Of(ComputationReport computation)
    {
        ArgumentNullException.ThrowIfNull(computation);
        return new(computation.Network, [.. computation.Layers.Select(Of)]);
    }

    /// <summary>Energy of a layer.</summary>
    /// <param name="layer">What it computes.</param>
    public LayerEnergy Of(LayerComputation layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return Of(layer, indexed: layer.KeepFraction < 1);
    }

    /// <summary>
    /// The largest keepFraction at which the layer takes no more energy pruned, index and all, than dense; 1 where any pruning
    /// saves. Energy is linear in the survivors, so it follows from both ends.
    /// </summary>
    /// <param name="layer">What the layer computes; its own keepFraction does not matter.</param>
    public double BreakEvenKeepFraction(LayerComputation layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        LayerComputation all = layer with { KeepFraction = 1 };
        double dense = Of(all, indexed: false).Total, none = Of(layer with { KeepFraction = 0 }, indexed: true).Total;
        double allIndexed = Of(all, indexed: true).Total;
        return allIndexed <= dense ? 1 : (dense - none) / (allIndexed - none);
    }

    private LayerEnergy Of(LayerComputation layer, bool indexed)
    {
        double Words(int bits) => (double)bits / table.WordBits;
        double weight = Words(layer.Bits + (indexed ? options.IndexBits(layer.Layer.Kind) : 0));
        double activation = Words(options.ActivationBits ?? table.WordBits);
        double loaded = layer.Survivors * weight / options.ImagesPerLoad;
        double scratchpads = layer.Macs * ((weight * table.WeightRead) + (activation * table.InputRead) + (2 * table.PartialSum));
        double buffer = activation * ((layer.Inputs * table.BufferRead) + (layer.Outputs * table.BufferWrite));
        return options.Weights == WeightSource.Dram
            ? new(layer.Layer.Name, layer.Macs * table.Mac, scratchpads + buffer, loaded * table.Dram)
            : new(layer.Layer.Name, layer.Macs * table.Mac, scratchpads + buffer + (loaded * table.BufferRead), 0);
    }
}
