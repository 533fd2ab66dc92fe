namespace AdmmKit.Experiments.Tables;

/// <summary>A printed line of Table 1 in [Ren2019]: LeNet-5 on MNIST.</summary>
/// <param name="Row">The line's name.</param>
/// <param name="Top1">Accuracy, %.</param>
/// <param name="Survivors">Weights that are left.</param>
/// <param name="CompressionRatio">Weights of the dense network over survivors, as printed.</param>
internal sealed record Table1Row(string Row, double Top1, int Survivors, double CompressionRatio);

/// <summary>What the paper prints; our figures are put beside these.</summary>
internal static class PaperTables
{
    public static readonly Table1Row Dense = new("Original LeNet-5", 99.2, 430_500, 1);

    /// <summary>The rows of the paper's own method, by the name of the recipe's stage.</summary>
    public static readonly IReadOnlyDictionary<string, Table1Row> Table1 = new Dictionary<string, Table1Row>
    {
        ["85x"] = new("AdmmKit 85x", 99.2, 5_060, 85),
        ["167x"] = new("AdmmKit 167x", 99.0, 2_580, 167),
    };

    public static readonly IReadOnlyList<Table1Row> Table1Others =
    [
        new("Iterative pruning [24]", 99.2, 35_800, 12),
        new("Learning to share [63]", 98.1, 17_800, 24.1),
        new("Net-Trim [3]", 98.7, 9_400, 45.7),
    ];

    /// <summary>
    /// Table 5: bytes are decimal. "With index" counts neither padding entries nor the 580 biases; our files hold both.
    /// </summary>
    public const double Table5Survivors = 2_570;

    /// <summary>2.57K is a rounding: 430,500 / 167 is 2,577.8.</summary>
    public const int Table5SurvivorsAtMost = 2_577;

    public const double Table5Degradation = 0.2;
    public const double Table5DataBytes = 890;
    public const double Table5DataRatio = 1_910;
    public const double Table5BytesWithIndex = 2_730;
    public const double Table5RatioWithIndex = 623;
}
