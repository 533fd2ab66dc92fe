namespace AdmmKit.Hardware.Fitting;

/// <summary>A layer pruned to a density, and how many times as fast it ran: what [Ren2019] prints.</summary>
/// <param name="Method">Whose pruning: "Han [24]", "Mao [36]", "Wen [53]", "Ours1", "Ours2", or "Fig. 4" for the break-even.</param>
/// <param name="Layer">The layer of AlexNet, the layers where only a mean is known, or what Fig. 4 says of its own.</param>
/// <param name="Density">What is left of its multiply-accumulates, in (0, 1).</param>
/// <param name="Speedup">Dense delay over sparse delay.</param>
public sealed record PublishedSpeedup(string Method, string Layer, double Density, double Speedup)
{
    private const string BreakEvenMethod = "Fig. 4";

    // Table 8: operations of AlexNet's convolutions in millions, two a multiply-accumulate.
    private static readonly double[] DenseOperations = [211, 448, 299, 224, 150];

    // Tables 8 and 9, line by line. Ours1 has conv1 dense in Table 9 but not in Table 8: there it is no pair.
    private static readonly (string Method, double[] Operations, double[] Speedups, int First)[] Lines =
    [
        ("Han [24]", [177, 170, 105, 83, 56], [0.16, 1.4, 1.6, 1.5, 1.5], 0),
        ("Mao [36]", [175, 116, 67, 52, 35], [0.17, 2.6, 3, 3, 3], 0),
        ("Wen [53]", [180, 107, 44, 42, 36], [0.15, 2.9, 4.6, 3.8, 2.9], 0),
        ("Ours1", [133, 31, 18, 16, 11], [1, 7, 7.5, 7.2, 7.1], 1),
    ];

    // Table 9: of Ours2 the speedups of conv2 to conv5 and that 25.5 times fewer weights are left in all five layers, conv1 dense.
    private static readonly double[] Ours2Speedups = [8.6, 9.0, 8.8, 8.6];
    private const double Ours2CompressionRatio = 25.5, Conv1Weights = 34_848, Conv2To5Weights = 307_200 + 884_736 + 663_552 + 442_368;

    /// <summary>
    /// All 21: each remaining share of operations in Table 8 with its speedup in Table 9, the mean of Ours2's conv2 to conv5, and
    /// the break-even of Fig. 4 (55 % pruned), whose other bars the paper does not print as numbers.
    /// </summary>
    public static IReadOnlyList<PublishedSpeedup> All { get; } =
    [
        .. Lines.SelectMany(line => Enumerable.Range(line.First, DenseOperations.Length - line.First).Select(i => new PublishedSpeedup(
            line.Method, FormattableString.Invariant($"conv{i + 1}"), line.Operations[i] / DenseOperations[i], line.Speedups[i]))),
        new("Ours2", "mean of conv2 to conv5",
            (((Conv1Weights + Conv2To5Weights) / Ours2CompressionRatio) - Conv1Weights) / Conv2To5Weights, Ours2Speedups.Average()),
        new(BreakEvenMethod, "a DNN layer", 0.45, 1),
    ];

    /// <summary>Methods whose layers can be left out of a fit and then predicted by it.</summary>
    public static IReadOnlyList<string> Methods { get; } = [.. All.Select(p => p.Method).Distinct().Where(m => m != BreakEvenMethod)];
}
