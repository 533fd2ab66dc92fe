using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Pictures;

/// <summary>Compressed networks of one architecture beside each other, layer by layer.</summary>
public static class ModelChart
{
    // More parts than this cannot be told apart in a bar.
    private const int MostParts = 8;

    /// <summary>
    /// Which layers a platform spends its time on: one bar a network, stacked of its layers, in % of the dense network's delay. Of a
    /// deep network the layers of a stage ("layer1.0.conv1", "layer1.0.conv2", ...) are one part.
    /// </summary>
    /// <param name="platform">The platform.</param>
    /// <param name="models">The networks, all of one architecture, and what stands below their bars; at least one.</param>
    /// <exception cref="AdmmKitException">The platform knows nothing of a layer.</exception>
    public static BarChart Delay(Platform platform, IReadOnlyList<(string Label, CompressedNetwork Model)> models)
    {
        ArgumentNullException.ThrowIfNull(platform);
        ArgumentNullException.ThrowIfNull(models);
        CompressedNetwork first = models[0].Model;
        double dense = first.Spec.Layers.Sum(platform.DenseDelay);
        bool deep = first.Layers.Count > MostParts;
        var parts = first.Layers.Index().GroupBy(l => deep ? l.Item.Layer.Name.Split('.')[0] : l.Item.Layer.Name, l => l.Index);
        double Delay(CompressedLayer layer) => 100 * platform.Delay(layer.Layer, HardwareQuantities.Keep(layer)) / dense;
        return new BarChart(
            $"{first.Spec.Name}: delay on {platform.Name}, {(deep ? "stage by stage" : "layer by layer")}", "network",
            "delay (% of dense)", [.. models.Select(m => m.Label)],
            [.. parts.Select(part => new BarSeries(part.Key, [.. models.Select(m => part.Sum(i => Delay(m.Model.Layers[i])))]))])
        {
            Layout = BarLayout.Stacked,
        };
    }

    /// <summary>What each layer keeps of its weights, network beside network, with the break-even of a platform if one is given.</summary>
    /// <param name="models">The networks, all of one architecture, and their names in the legend; at least one.</param>
    /// <param name="platform">A platform of one break-even for all layers, as a law has; or null.</param>
    public static BarChart KeepFractions(IReadOnlyList<(string Label, CompressedNetwork Model)> models, LawPlatform? platform = null)
    {
        ArgumentNullException.ThrowIfNull(models);
        IReadOnlyList<CompressedLayer> layers = models[0].Model.Layers;
        return new BarChart(
            $"{models[0].Model.Spec.Name}: what each layer keeps", "layer", "keepFraction (%)", [.. layers.Select(l => l.Layer.Name)],
            [.. models.Select(m => new BarSeries(m.Label, [.. m.Model.Layers.Select(l => 100 * HardwareQuantities.Keep(l))]))])
        {
            Reference = platform is null ? null : new(
                100 * platform.BreakEvenKeepFraction(layers[0].Layer), $"break-even of {platform.Name}"),
        };
    }
}
