using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Results;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Tables;

/// <summary>
/// The five sizes of the model of Table 5 in [Ren2019], as far as it is published: 2.57K survivors, 3 bits in convolutions
/// and 2 in fully connected layers. From 0.89 KB of data it follows that about 2,005 survivors are in convolutions and 565 in
/// fully connected layers; how they are split further is assumed, and their positions are drawn.
/// </summary>
internal static class PapersPoint
{
    private const string Row = "ADMM-NN 2.57K, conv 3 b, fc 2 b; 105, 1900, 445, 120 survivors at random";

    public static IEnumerable<ResultRow> Rows()
    {
        NetworkSpec spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        (int Survivors, int Bits)[] layers = [(105, 3), (1_900, 3), (445, 2), (120, 2)];
        // Random positions have no levels to take an entropy of: all bits of a value count in the bound.
        var sizes = ModelSizes.Of(spec.Name, spec.Input, spec.Classes, [.. spec.Layers.Zip(layers, (layer, l) => LayerSizes.Of(
            layer, RandomMask.Draw(layer.WeightCount, l.Survivors, new RandomStream(1, "paper's point/" + layer.Name)), l.Bits, l.Bits))]);
        ResultRow Size(string quantity, double? paper, double bits) => new(
            Row, quantity, "B", paper, Math.Round(bits / 8, 1), null, 1, ResultStatus.Accounting, "positions drawn at random; nothing was trained");
        return
        [
            new ResultRow(Row, "survivors", "", 2_570, sizes.Survivors, null, 0, ResultStatus.Accounting, "[Ren2019] Table 5"),
            Size("weightDataBytes", 890, sizes.WeightDataBits),
            Size("paperBytes", 2_730, sizes.PaperBits),
            Size("relativeBytes", null, sizes.RelativeBits),
            Size("fileBytes", null, sizes.FileBits),
            Size("boundBytes", null, sizes.BoundBits),
        ];
    }
}
