using AdmmKit.Experiments.Results;

namespace AdmmKit.Experiments.Tables;

/// <summary>
/// LeNet-5 (Caffe's) on MNIST as others compressed it, by what they print. Sizes are of all that their decoders need, but where the
/// row says otherwise; KB are powers of ten.
/// </summary>
internal static class PublishedFrontier
{
    // The network has so many weights; compression rates are of these, biases not counted.
    private const double Weights = 430_500;

    public static IReadOnlyList<ResultRow> Rows { get; } =
    [
        .. Size("Deep Compression", 44_000, 99.26, "Han, Mao and Dally, ICLR 2016"),
        .. Size("Weightless", 4_520, 99.0, "Reagen et al., ICML 2018, as Table 1 of Havasi et al. 2019 prints it"),
        .. Size("MIRACLE, larger", 3_030, 99.31, "Havasi, Peharz and Hernandez-Lobato, ICLR 2019"),
        .. Size("EPR", 2_840, 99.0, "Oktay et al., ICLR 2020"),
        .. Size("ADMM-NN, without biases and padding", 2_730, 99.0, "[Ren2019] Table 5"),
        .. Size("Bayesian compression", 2_300, 99.0, "Louizos, Ullrich and Welling, NeurIPS 2017, as Table 1 of Havasi et al. 2019 prints it"),
        .. Size("MIRACLE, smaller", 1_520, 99.04, "Havasi, Peharz and Hernandez-Lobato, ICLR 2019"),
        .. Survivors("Dynamic network surgery", 3_977, 99.09, "Guo, Yao and Chen, NeurIPS 2016"),
        .. Survivors("Sparse variational dropout 280x", Math.Round(Weights / 280), 99.25, "Molchanov, Ashukha and Vetrov, ICML 2017"),
        .. Survivors("Progressive DNN compression 246x", Math.Round(Weights / 246), null, "arXiv 1903.09769, \"almost no accuracy loss\""),
        .. Survivors("ADMM-NN-S 348x", Math.Round(Weights / 348), null, "arXiv 1907.02124, \"almost no accuracy loss\""),
    ];

    private static IEnumerable<ResultRow> Size(string row, double bytes, double top1, string source) =>
        [Printed(row, "top1", top1, source), Printed(row, "fileBytes", bytes, source)];

    private static IEnumerable<ResultRow> Survivors(string row, double survivors, double? top1, string source) =>
    [
        .. top1 is { } accuracy ? [Printed(row, "top1", accuracy, source)] : Array.Empty<ResultRow>(),
        Printed(row, "survivors", survivors, source),
        Printed(row, "compressionRatio", Math.Round(Weights / survivors, 1), source),
    ];

    private static ResultRow Printed(string row, string quantity, double value, string source) =>
        new(row, quantity, Measurements.Unit(quantity), value, null, null, 0, ResultStatus.None, source);
}
