using AdmmKit.Networks;

namespace AdmmKit.Hardware.Platforms;

/// <summary>An accelerator of which only relative delays are known: one law for all layers.</summary>
public sealed class LawPlatform : Platform
{
    /// <summary>The law.</summary>
    public required IDelayLaw Law { get; init; }

    /// <inheritdoc/>
    public override string DelayUnit => "MACs";

    /// <inheritdoc/>
    public override bool RunsPrunedDense => false;

    /// <inheritdoc/>
    public override double DenseDelay(LayerInfo layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return layer.Macs;
    }

    /// <inheritdoc/>
    public override double SparseDelay(LayerInfo layer, double keepFraction) => DenseDelay(layer) * Law.RelativeDelay(keepFraction);
}
