using AdmmKit.Networks;

namespace AdmmKit.Experiments.Accounting;

/// <summary>
/// The compressed models of Tables 6 and 7 of [Ren2019]. Where no layer densities are published the split is assumed, and the
/// name says how: 5 and 3 bits and the printed data size leave one way to share survivors between convolutions and fully
/// connected layers, and within each kind the shares follow a published model or are equal.
/// </summary>
internal static class AccountedModels
{
    private const int ConvolutionBits = 5, FullyConnectedBits = 3;

    public static readonly AccountedModel AlexNet24 = new(
        "AlexNet, iterative pruning [22], published densities", NetworkTable.AlexNet,
        AccountedModel.AtDensities(NetworkTable.AlexNet, Published.AlexNet24), 8, 5)
    { PaddedIndexBits = 4 };

    public static readonly AccountedModel Vgg24 = new(
        "VGG-16, iterative pruning [22], published densities", NetworkTable.Vgg16,
        AccountedModel.AtDensities(NetworkTable.Vgg16, Published.Vgg24), 8, 5);

    public static readonly AccountedModel AlexNetTable7 = new(
        "AlexNet, survivors as printed, 5 b and 3 b as in Table 6", NetworkTable.AlexNet,
        [.. Published.Table7.Select(l => (int)Bounded.Printed(l.Survivors).Value)], ConvolutionBits, FullyConnectedBits);

    public static readonly AccountedModel AlexNetAs7 = Split(
        "AlexNet, ADMM-NN 2.25M, assumed split: as Table 7", NetworkTable.AlexNet,
        [.. Published.Table7.Select(l => Bounded.Printed(l.KeepFraction).Value)], "2.25M", "1.06MB");

    public static readonly AccountedModel AlexNetAs24 = Split(
        "AlexNet, ADMM-NN 2.25M, assumed split: as [24]", NetworkTable.AlexNet,
        [.. Published.AlexNet24.Select(d => Bounded.Printed(d).Value)], "2.25M", "1.06MB");

    public static readonly AccountedModel VggEqual = Split(
        "VGG-16, ADMM-NN 6.9M, assumed split: equal densities", NetworkTable.Vgg16,
        [.. NetworkTable.Vgg16.Layers.Select(_ => 1.0)], "6.9M", "3.2MB");

    public static readonly AccountedModel VggAs24 = Split(
        "VGG-16, ADMM-NN 6.9M, assumed split: as [24]", NetworkTable.Vgg16,
        [.. Published.Vgg24.Select(d => Bounded.Printed(d).Value)], "6.9M", "3.2MB");

    public static readonly AccountedModel ResNet3M6 = Equal("ResNet-50, ADMM-NN 3.6M", "3.6M", 6);

    public static readonly AccountedModel ResNet1M47 = Equal("ResNet-50, ADMM-NN 1.47M", "1.47M", 4);

    /// <summary>Survivors in convolutions, c: 5 c + 3 (n - c) bits are the printed data size.</summary>
    public static double ConvolutionSurvivors(string survivors, string dataBytes) =>
        ((8 * Bounded.Printed(dataBytes).Value) - (FullyConnectedBits * Bounded.Printed(survivors).Value))
        / (ConvolutionBits - FullyConnectedBits);

    private static AccountedModel Split(string row, NetworkTable network, double[] profile, string survivors, string dataBytes)
    {
        double convolution = ConvolutionSurvivors(survivors, dataBytes);
        int[] split = AccountedModel.Scaled(network, profile, convolution, Bounded.Printed(survivors).Value - convolution);
        return new AccountedModel(row, network, split, ConvolutionBits, FullyConnectedBits);
    }

    private static AccountedModel Equal(string row, string survivors, int bits)
    {
        NetworkTable network = NetworkTable.ResNet50;
        double density = Bounded.Printed(survivors).Value / network.WeightCount;
        double[] profile = [.. network.Layers.Select(_ => 1.0)];
        int[] split = AccountedModel.Scaled(
            network, profile, density * network.WeightsOf(LayerKind.Convolution), density * network.WeightsOf(LayerKind.FullyConnected));
        double share = 100.0 * network.WeightsOf(LayerKind.FullyConnected) / network.WeightCount;
        return new AccountedModel(
            FormattableString.Invariant($"{row}, assumed split: equal densities ({share:0.0} % of survivors in fc)"),
            network, split, bits, bits);
    }
}
