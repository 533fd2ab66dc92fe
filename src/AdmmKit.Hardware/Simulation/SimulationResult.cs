namespace AdmmKit.Hardware.Simulation;

/// <summary>
/// Where multiplier slots (one multiplier in one cycle) went that did no useful work. Together with the useful ones they are all slots.
/// </summary>
/// <param name="Zeros">An operand was a stored zero: a placeholder of the zero-run index, or a zero that the array does not skip.</param>
/// <param name="Edges">The product belongs to no output: it lies beyond the edge of the plane.</param>
/// <param name="Fragments">The last vector of a channel was not full.</param>
/// <param name="Conflicts">The PE waited for a bank of its accumulators.</param>
/// <param name="Fifo">The PE had used up what was broadcast, and a slower one held up the next vector.</param>
/// <param name="Imbalance">The PE had finished its share of a group, or had none, and waited for the others.</param>
/// <param name="Delivery">All had finished, and the operands were not there yet.</param>
public sealed record LostSlots(long Zeros, long Edges, long Fragments, long Conflicts, long Fifo, long Imbalance, long Delivery)
{
    /// <summary>All of them.</summary>
    public long Total => Zeros + Edges + Fragments + Conflicts + Fifo + Imbalance + Delivery;

    /// <summary>The causes with their names, in this order.</summary>
    public IReadOnlyList<(string Cause, long Slots)> Causes =>
    [
        ("zeros", Zeros), ("edges", Edges), ("fragments", Fragments), ("conflicts", Conflicts), ("fifo", Fifo), ("imbalance", Imbalance),
        ("delivery", Delivery),
    ];
}

/// <summary>Words between the on-chip buffer and the array; placeholders are counted with what they are stored among.</summary>
/// <param name="WeightWords">Weights, each once for the image.</param>
/// <param name="WeightIndexBits">Index bits that come with them.</param>
/// <param name="ActivationWords">Input activations, once for each group of output channels that reads them.</param>
/// <param name="ActivationIndexBits">Index bits that come with them.</param>
/// <param name="OutputWords">Outputs, uncompressed.</param>
public sealed record Traffic(long WeightWords, long WeightIndexBits, long ActivationWords, long ActivationIndexBits, long OutputWords);

/// <summary>How an array computes a layer for one image.</summary>
/// <param name="Layer">The layer's name.</param>
/// <param name="Cycles">Cycles.</param>
/// <param name="UsefulMacs">Multiplications of a survivor with an activation that is not zero, for an output that exists.</param>
/// <param name="Multipliers">Multipliers of the array.</param>
/// <param name="DenseCycles">
/// Cycles of a dense array with as many PEs and multipliers, divided in the same way: each PE computes its outputs one by one, as a
/// dot product over (input channel, kernel row, kernel column) with all of its multipliers.
/// </param>
/// <param name="Lost">What the other slots were lost to.</param>
/// <param name="Traffic">Words that moved.</param>
public sealed record SimulationResult(
    string Layer, long Cycles, long UsefulMacs, int Multipliers, long DenseCycles, LostSlots Lost, Traffic Traffic)
{
    /// <summary>Slots in all: cycles x multipliers.</summary>
    public long Slots => Cycles * Multipliers;

    /// <summary>Useful share of all slots; 0 where there are none.</summary>
    public double Utilisation => Slots == 0 ? 0 : (double)UsefulMacs / Slots;

    /// <summary>How many times as fast as the dense array; infinite where nothing is left to do.</summary>
    public double Speedup => (double)DenseCycles / Cycles;

    /// <summary>Layers one after the other.</summary>
    /// <param name="name">What to call them together.</param>
    /// <param name="layers">The results of the same array, at least one.</param>
    public static SimulationResult Sum(string name, IReadOnlyList<SimulationResult> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentOutOfRangeException.ThrowIfZero(layers.Count);
        long Lost(Func<LostSlots, long> part) => layers.Sum(l => part(l.Lost));
        long Moved(Func<Traffic, long> part) => layers.Sum(l => part(l.Traffic));
        return new(
            name, layers.Sum(l => l.Cycles), layers.Sum(l => l.UsefulMacs), layers[0].Multipliers, layers.Sum(l => l.DenseCycles),
            new(
                Lost(l => l.Zeros), Lost(l => l.Edges), Lost(l => l.Fragments), Lost(l => l.Conflicts), Lost(l => l.Fifo),
                Lost(l => l.Imbalance), Lost(l => l.Delivery)),
            new(
                Moved(t => t.WeightWords), Moved(t => t.WeightIndexBits), Moved(t => t.ActivationWords),
                Moved(t => t.ActivationIndexBits), Moved(t => t.OutputWords)));
    }
}
