using AdmmKit.Networks;

namespace AdmmKit.Experiments.Accounting;

/// <summary>Layer densities and counts that were published, as data. In %, in the order of the layers.</summary>
internal static class Published
{
    /// <summary>AlexNet, iterative pruning: [24], also Table 4 of Deep Compression [22].</summary>
    public static readonly string[] AlexNet24 = ["84%", "38%", "35%", "37%", "37%", "9%", "9%", "25%"];

    /// <summary>VGG-16, iterative pruning: [24], also Table 5 of [22].</summary>
    public static readonly string[] Vgg24 =
        ["58%", "22%", "34%", "36%", "53%", "24%", "42%", "32%", "27%", "34%", "35%", "29%", "36%", "4%", "4%", "23%"];

    /// <summary>Table 7 of [Ren2019]: weights, survivors and their share, by layer.</summary>
    public static readonly (string Layer, string Weights, string Survivors, string KeepFraction)[] Table7 =
    [
        ("conv1", "34.8K", "28.19K", "81%"), ("conv2", "307.2K", "61.44K", "20%"), ("conv3", "884.7K", "168.09K", "19%"),
        ("conv4", "663.5K", "132.7K", "20%"), ("conv5", "442.4K", "88.48K", "20%"), ("fc1", "37.7M", "1.06M", "2.8%"),
        ("fc2", "16.8M", "0.99M", "5.9%"), ("fc3", "4.1M", "0.38M", "9.3%"),
    ];

    /// <summary>Survivors of a network at printed densities, with the bounds that their rounding leaves.</summary>
    public static Bounded Survivors(NetworkTable network, string[] densities) => Sum(network, densities, _ => 1);

    /// <summary>Bytes of their values at so many bits each.</summary>
    public static Bounded DataBytes(NetworkTable network, string[] densities, int convolutionBits, int fullyConnectedBits) =>
        Sum(network, densities, kind => (kind == LayerKind.Convolution ? convolutionBits : fullyConnectedBits) / 8.0);

    private static Bounded Sum(NetworkTable network, string[] densities, Func<LayerKind, double> perSurvivor) => network.Layers
        .Zip(densities, (l, d) => Bounded.Printed(d) * (l.Layer.WeightCount * perSurvivor(l.Layer.Kind) / 100))
        .Aggregate((a, b) => a + b);
}
