using AdmmKit.Hardware.Computation;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;

namespace AdmmKit.Hardware.Search;

/// <summary>The energy that the network takes for one image on a platform whose energies are known.</summary>
public sealed class EnergyObjective : IObjective
{
    private readonly Platform platform;
    private readonly EnergyModel model;
    private readonly int weightBits;
    private readonly Dictionary<LayerInfo, LayerComputation> layers;

    /// <summary>An objective for the layers of one network.</summary>
    /// <param name="platform">The platform.</param>
    /// <param name="spec">The network: a layer alone does not say how many inputs it reads.</param>
    /// <param name="weightBits">Bits a weight in all layers, 1 to 64; the words of the platform's energy table where not given.</param>
    /// <param name="options">How weights are loaded, and widths; see <see cref="EnergyModel"/>.</param>
    /// <exception cref="AdmmKitException">The energies of the platform are not known, the graph of the network is not, or the bits are out of their range.</exception>
    public EnergyObjective(Platform platform, NetworkSpec spec, int? weightBits = null, EnergyOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(platform);
        ArgumentNullException.ThrowIfNull(spec);
        spec.CheckGraph();
        EnergyTable table = platform.Energy ?? throw new AdmmKitException(
            $"The platform '{platform.Name}' has no energies of single events: choose another platform, or another objective than energy.");
        (this.platform, this.weightBits, model) = (platform, weightBits ?? table.WordBits, new EnergyModel(table, options));
        layers = ComputationReport.Dense(spec, this.weightBits).Layers.ToDictionary(l => l.Layer);
    }

    /// <inheritdoc/>
    public string Name => FormattableString.Invariant($"energy on {platform.Name}, {weightBits} bits a weight");

    /// <inheritdoc/>
    public string Unit => "pJ";

    /// <summary>What a layer costs: pruned with its indices, or dense where the platform can run it so and that is less.</summary>
    /// <inheritdoc/>
    /// <exception cref="AdmmKitException">The layer is not one of the network.</exception>
    public double Cost(LayerInfo layer, double keepFraction)
    {
        LayerComputation dense = Known(layer);
        double cost = model.Of(dense with { KeepFraction = keepFraction }).Total;
        return platform.RunsPrunedDense ? Math.Min(cost, model.Of(dense).Total) : cost;
    }

    /// <inheritdoc/>
    /// <exception cref="AdmmKitException">The layer is not one of the network.</exception>
    public double BreakEvenKeepFraction(LayerInfo layer) => model.BreakEvenKeepFraction(Known(layer));

    private LayerComputation Known(LayerInfo layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return layers.TryGetValue(layer, out LayerComputation? known) ? known
            : throw new AdmmKitException(
                $"Layer '{layer.Name}' ({layer.Shape}) is not one of the network whose energy is asked for: make one for its own network.");
    }
}
