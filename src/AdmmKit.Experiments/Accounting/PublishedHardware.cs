using AdmmKit.Networks;

namespace AdmmKit.Experiments.Accounting;

/// <summary>Tables 8 and 9 of [Ren2019] as they are printed, as data: computation and speedup of AlexNet's layers.</summary>
internal static class PublishedHardware
{
    /// <summary>Layers of Table 8, in order; Table 9 has the convolutions.</summary>
    public static readonly string[] Layers = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc1", "fc2", "fc3"];

    /// <summary>Number of convolutions, which come first.</summary>
    public const int Convolutions = 5;

    /// <summary>Row of the dense network in both tables.</summary>
    public const string Dense = "AlexNet";

    /// <summary>"Ours" of Table 8, whose densities are behind "Ours1" of Table 9.</summary>
    public const string Ours = "ADMM-NN";

    /// <summary>The first metric of Table 8: operations by layer, of all convolutions, and how far the network is pruned.</summary>
    public static readonly (string Method, string[] Operations, string Convolutions, string? CompressionRatio)[] Table8 =
    [
        (Dense, ["211M", "448M", "299M", "224M", "150M", "75M", "34M", "8M"], "1,332M", null),
        (Ours, ["133M", "31M", "18M", "16M", "11M", "7M", "3M", "2M"], "209M", "13x"),
        ("Han [24]", ["177M", "170M", "105M", "83M", "56M", "7M", "3M", "2M"], "591M", "9x"),
        ("Mao [36]", ["175M", "116M", "67M", "52M", "35M", "5M", "2M", "1.5M"], "445M", "12x"),
        ("Wen [53]", ["180M", "107M", "44M", "42M", "36M", "75M", "34M", "8M"], "409M", "1.03x"),
    ];

    /// <summary>The second metric: bits a weight, operations times bits by convolution and in all, misprints included.</summary>
    public static readonly (string Method, int[] Bits, string[] OperationBits, string Convolutions)[] Table8Bits =
    [
        (Ours, [7, 5, 5, 5, 5], ["931M", "155M", "90M", "80M", "55M"], "1,311M"),
        ("Han [24]", [8, 8, 8, 8, 8], ["1.416M", "1.360M", "840M", "664M", "448M"], "4.728M"),
    ];

    /// <summary>
    /// Table 9: whose densities of Table 8 a row has, its speedup by convolution and in all, how far convolutions are pruned,
    /// accuracy lost.
    /// </summary>
    public static readonly (
        string Method, string Densities, string[] Speedups, string Overall, string CompressionRatio, string Degradation)[] Table9 =
    [
        (Dense, Dense, ["1x", "1x", "1x", "1x", "1x"], "1x", "1x", "0.0%"),
        ("ADMM-NN 1", Ours, ["1x", "7x", "7.5x", "7.2x", "7.1x"], "3.6x", "13.1x", "0.0%"),
        ("ADMM-NN 2", Ours, ["1x", "8.6x", "9.0x", "8.8x", "8.6x"], "3.9x", "25.5x", "1.5%"),
        ("Han [24]", "Han [24]", ["0.16x", "1.4x", "1.6x", "1.5x", "1.5x"], "0.64x", "2.7x", "0.0%"),
        ("Mao [36]", "Mao [36]", ["0.17x", "2.6x", "3x", "3x", "3x"], "0.81x", "4.1x", "0.0%"),
        ("Wen [53]", "Wen [53]", ["0.15x", "2.9x", "4.6x", "3.8x", "2.9x"], "0.77x", "5x", "0.0%"),
    ];

    /// <summary>Sec. 6.2: how far conv2 to conv5 are pruned in "Ours2", which Table 9 does not print by layer.</summary>
    public const string Ours2WithoutConv1 = "40.5x";

    /// <summary>A layer of AlexNet.</summary>
    public static TableLayer Layer(int index) => NetworkTable.AlexNet[Layers[index]];

    /// <summary>A layer's keepFraction as the printed operations of Table 8 have it; all where the print is the dense one.</summary>
    public static Bounded KeepFraction(string method, int layer)
    {
        string printed = Table8.Single(m => m.Method == method).Operations[layer];
        return printed == Table8[0].Operations[layer] ? 1.0 : Bounded.Printed(printed) / Layer(layer).Operations;
    }

    /// <summary>How far so many first layers are pruned together when each keeps such a share.</summary>
    public static Bounded CompressionRatio(int layers, Func<int, Bounded> keepFraction)
    {
        int[] all = [.. Enumerable.Range(0, layers)];
        double weights = all.Sum(l => (double)Layer(l).Layer.WeightCount);
        return weights / all.Select(l => keepFraction(l) * Layer(l).Layer.WeightCount).Aggregate((a, b) => a + b);
    }
}
