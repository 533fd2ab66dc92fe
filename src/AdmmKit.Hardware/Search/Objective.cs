using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;

namespace AdmmKit.Hardware.Search;

/// <summary>What a search makes small: a sum over layers.</summary>
public interface IObjective
{
    /// <summary>Names it: "survivors", "delay on admm-nn-40nm".</summary>
    string Name { get; }

    /// <summary>Its unit.</summary>
    string Unit { get; }

    /// <summary>What a layer costs.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="keepFraction">Survivors as a share of its weights, in (0, 1].</param>
    double Cost(LayerInfo layer, double keepFraction);

    /// <summary>The largest keepFraction at which it pays to prune the layer at all; 1 where any pruning does.</summary>
    /// <param name="layer">The layer.</param>
    double BreakEvenKeepFraction(LayerInfo layer);
}

/// <summary>The number of weights that are left: size first.</summary>
public sealed class SurvivorsObjective : IObjective
{
    /// <inheritdoc/>
    public string Name => "survivors";

    /// <inheritdoc/>
    public string Unit => "";

    /// <inheritdoc/>
    public double Cost(LayerInfo layer, double keepFraction)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return keepFraction * layer.WeightCount;
    }

    /// <inheritdoc/>
    public double BreakEvenKeepFraction(LayerInfo layer) => 1;
}

/// <summary>The time that the network takes on a platform.</summary>
/// <param name="platform">The platform.</param>
public sealed class DelayObjective(Platform platform) : IObjective
{
    /// <inheritdoc/>
    public string Name => $"delay on {platform.Name}";

    /// <inheritdoc/>
    public string Unit => platform.DelayUnit;

    /// <inheritdoc/>
    public double Cost(LayerInfo layer, double keepFraction) => platform.Delay(layer, keepFraction);

    /// <inheritdoc/>
    public double BreakEvenKeepFraction(LayerInfo layer) => platform.BreakEvenKeepFraction(layer);
}
