namespace AdmmKit.Hardware.Simulation;

/// <summary>What the processing elements of an array divide among them.</summary>
public enum Partition
{
    /// <summary>The input plane: each element has a tile of it in all channels, and weights are broadcast.</summary>
    PlanarTiles,

    /// <summary>The output channels: each element has filters of its own, and activations are broadcast.</summary>
    OutputChannels,
}

/// <summary>
/// An array of processing elements (PEs) that multiplies survivors alone. In each cycle a PE multiplies a vector of weights with a
/// vector of activations of the same input channel, each with each, and adds the products to the partial sums that they belong to:
/// the Cartesian product of SCNN (Parashar et al. 2017), one of the two designs that [Ren2019] sec. 5.1 builds on.
/// </summary>
/// <remarks>
/// Vectors never mix input channels; where the stride is above 1, nor rows and columns of the image that different weights read.
/// Output channels are taken in groups whose partial sums fit into the accumulators, and all PEs wait for each other after a group.
/// Not modelled: filling and draining pipelines, exchange of halos and writing outputs (taken to be hidden by double buffers), and
/// memory off the chip.
/// </remarks>
public sealed record PeArray
{
    private static readonly Dictionary<string, PeArray> Known = new[]
    {
        new PeArray
        {
            Name = "scnn",
            Description = "8x8 PEs of 4x4 multipliers over tiles of the input plane; zero weights and zero activations are skipped",
            AccumulatorBanks = 32,
            BankQueue = 4,
            FifoDepth = 50,
        },
        new PeArray
        {
            Name = "output-channel",
            Description = "8x8 PEs of 1x16 multipliers over the filters; zero weights are skipped, zero activations are not",
            Partition = Partition.OutputChannels,
            WeightVector = 1,
            ActivationVector = 16,
            SkipsZeroActivations = false,
            FiltersPerGroup = 1,
            FifoDepth = 8,
        },
        new PeArray
        {
            Name = "sticker-like",
            Description = "16x16 PEs of one multiplier over the filters; zero weights and zero activations are skipped",
            Partition = Partition.OutputChannels,
            PeRows = 16,
            PeColumns = 16,
            WeightVector = 1,
            ActivationVector = 1,
            FiltersPerGroup = 1,
            FifoDepth = 16,
        },
    }.ToDictionary(a => a.Name, StringComparer.Ordinal);

    /// <summary>Names that <see cref="Preset"/> knows.</summary>
    /// <remarks>
    /// "scnn" has the published sizes (64 PEs, 4x4 multipliers, 4-bit index, weight FIFO of 50 vectors, 32 banks of 32 entries); the
    /// depth of the queue before a bank was not published and is ours. The other two are designs in the manner of Cambricon-X and of
    /// STICKER (Yuan et al. 2018), not models of those chips: all of their sizes are ours.
    /// </remarks>
    public static IReadOnlyCollection<string> Presets => Known.Keys;

    /// <summary>Names the array.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, in a sentence.</summary>
    public string Description { get; init; } = "";

    /// <summary>
    /// What the PEs divide among them. A plane of one position, as fully connected layers have, is always divided by output channels.
    /// </summary>
    public Partition Partition { get; init; }

    /// <summary>Rows of PEs.</summary>
    public int PeRows { get; init; } = 8;

    /// <summary>Columns of PEs.</summary>
    public int PeColumns { get; init; } = 8;

    /// <summary>Weights that a PE reads in a cycle: F of SCNN.</summary>
    public int WeightVector { get; init; } = 4;

    /// <summary>Activations that a PE reads in a cycle: I of SCNN.</summary>
    public int ActivationVector { get; init; } = 4;

    /// <summary>Whether pruned weights take no cycles; otherwise each is multiplied, or gated, in its turn.</summary>
    public bool SkipsZeroWeights { get; init; } = true;

    /// <summary>Whether activations that are zero take no cycles.</summary>
    public bool SkipsZeroActivations { get; init; } = true;

    /// <summary>Bits b of the zero-run index: a run takes a stored zero, a placeholder, for each 2^b zeros.</summary>
    public int IndexBits { get; init; } = 4;

    /// <summary>How many broadcast vectors the fastest PE can be ahead of the slowest within a group; 0 for any number.</summary>
    public int FifoDepth { get; init; }

    /// <summary>Banks of a PE's accumulators, each adding one product a cycle: a power of two; 0 for no conflicts.</summary>
    public int AccumulatorBanks { get; init; }

    /// <summary>Products that can wait before each bank; a cycle that brings more stalls the PE.</summary>
    public int BankQueue { get; init; }

    /// <summary>Partial sums that a PE holds; they decide how many filters make a group.</summary>
    public int AccumulatorEntries { get; init; } = 1024;

    /// <summary>Filters of a group (of a PE, for <see cref="Partition.OutputChannels"/>); 0: as many as the accumulators hold.</summary>
    public int FiltersPerGroup { get; init; }

    /// <summary>Bits of a weight or an activation.</summary>
    public int WordBits { get; init; } = 16;

    /// <summary>Bits of operands and indices that the buffer delivers to the array in a cycle; 0 for any number.</summary>
    public int DeliveredBits { get; init; }

    /// <summary>PEs.</summary>
    public int Elements => PeRows * PeColumns;

    /// <summary>Multipliers of one PE.</summary>
    public int MultipliersPerElement => WeightVector * ActivationVector;

    /// <summary>Multipliers of the array.</summary>
    public int Multipliers => Elements * MultipliersPerElement;

    /// <summary>A known array.</summary>
    /// <param name="name">One of <see cref="Presets"/>.</param>
    /// <exception cref="AdmmKitException">There is no such array; the nearest name is suggested.</exception>
    public static PeArray Preset(string name) => Known.TryGetValue(name, out PeArray? array)
        ? array
        : throw new AdmmKitException(Names.Unknown("array", name, Presets));

    /// <summary>Checks that such an array can be built.</summary>
    /// <exception cref="AdmmKitException">A size is out of its bounds.</exception>
    public void Check()
    {
        Within(PeRows, 1, 1024, "rows of PEs");
        Within(PeColumns, 1, 1024, "columns of PEs");
        Within(WeightVector, 1, 256, "weights in a vector");
        Within(ActivationVector, 1, 256, "activations in a vector");
        Within((long)PeRows * PeColumns * WeightVector * ActivationVector, 1, 1 << 24, "multipliers in all");
        Within(IndexBits, 1, 30, "bits of the zero-run index");
        Within(FifoDepth, 0, 1 << 20, "vectors in the FIFO");
        Within(AccumulatorBanks, 0, 1 << 16, "banks of accumulators");
        Within(BankQueue, 0, 1 << 20, "products in the queue before a bank");
        Within(AccumulatorEntries, 1, 1 << 30, "partial sums in a PE");
        Within(FiltersPerGroup, 0, 1 << 20, "filters in a group");
        Within(WordBits, 1, 64, "bits of a word");
        Within(DeliveredBits, 0, 1 << 30, "bits delivered in a cycle");
        if ((AccumulatorBanks & (AccumulatorBanks - 1)) != 0)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The array '{Name}' has {AccumulatorBanks} banks of accumulators: give it a power of two, or 0 for no conflicts."));
        }
    }

    private void Within(long value, int low, int high, string what)
    {
        if (value < low || value > high)
        {
            throw new AdmmKitException(FormattableString.Invariant($"The array '{Name}' has {value} {what}: it must be {low} to {high}."));
        }
    }
}
