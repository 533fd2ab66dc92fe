namespace AdmmKit.Hardware.Platforms;

/// <summary>What is known of a platform's hardware. All of it is optional, and null where it is not known.</summary>
public sealed record PlatformResources
{
    /// <summary>Processing elements that compute dense layers.</summary>
    public double? DensePes { get; init; }

    /// <summary>Processing elements that compute pruned layers.</summary>
    public double? SparsePes { get; init; }

    /// <summary>Memory on the chip, in KiB.</summary>
    public double? SramKiB { get; init; }

    /// <summary>Bits of the index that a survivor is stored with.</summary>
    public int? IndexBits { get; init; }

    /// <summary>Clock frequency, in MHz.</summary>
    public double? FrequencyMHz { get; init; }

    /// <summary>Bandwidth to the memory off the chip, in 10^9 bytes a second.</summary>
    public double? BandwidthGBPerSecond { get; init; }
}
