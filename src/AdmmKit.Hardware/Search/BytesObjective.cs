using AdmmKit.Networks;

namespace AdmmKit.Hardware.Search;

/// <summary>
/// The bytes that the network takes in a file, by an estimate that needs no network: positions of the survivors at their
/// entropy, so many bits for the value of each, an interval q a layer, and the biases of the neurons that have survivors.
/// </summary>
/// <remarks>
/// For N weights of which a share k survives at independent places: N H(k) bits for positions, H being the binary entropy, and
/// k N valueBits for values. A row of n weights has none left with probability (1 - k)^n, and its bias is then not stored. A coder
/// that knows where survivors gather needs less, which a choice between shares does not depend on much.
/// </remarks>
public sealed class BytesObjective : IObjective
{
    // q in half precision.
    private const double IntervalBits = 16;

    private readonly double valueBits;
    private readonly double biasBits;

    /// <summary>Sets what values and biases take.</summary>
    /// <param name="valueBits">Bits of a survivor's value on average, above 0 and at most 32.</param>
    /// <param name="biasBits">Bits of a bias, 0 to 32.</param>
    /// <exception cref="AdmmKitException">A number is out of range.</exception>
    public BytesObjective(double valueBits = 2.5, double biasBits = 6)
    {
        if (!(valueBits > 0 && valueBits <= 32 && biasBits >= 0 && biasBits <= 32))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"A file of {valueBits} bits a value and {biasBits} bits a bias cannot be counted: values take more than 0 bits, biases 0 or more, and both at most 32."));
        }

        (this.valueBits, this.biasBits) = (valueBits, biasBits);
    }

    /// <inheritdoc/>
    public string Name => "bytes";

    /// <inheritdoc/>
    public string Unit => "B";

    /// <inheritdoc/>
    public double Cost(LayerInfo layer, double keepFraction)
    {
        ArgumentNullException.ThrowIfNull(layer);
        double live = layer.Rows * (1 - Math.Pow(1 - keepFraction, layer.Columns));
        return ((layer.WeightCount * (Entropy(keepFraction) + (keepFraction * valueBits))) + IntervalBits + (live * biasBits)) / 8;
    }

    /// <summary>
    /// The share at which positions and values take as much as values alone do in a layer that is left whole: where
    /// H(k) = (1 - k) valueBits. Found by halving; above it a layer would rather be left whole.
    /// </summary>
    /// <inheritdoc/>
    public double BreakEvenKeepFraction(LayerInfo layer)
    {
        // H(k) / (1 - k) rises from 0 without bound, so there is one such share.
        (double low, double high) = (0, 1);
        for (int i = 0; i < 40; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = Entropy(middle) < (1 - middle) * valueBits ? (middle, high) : (low, middle);
        }

        return low;
    }

    private static double Entropy(double share) =>
        share is <= 0 or >= 1 ? 0 : -(share * Math.Log2(share)) - ((1 - share) * Math.Log2(1 - share));
}
