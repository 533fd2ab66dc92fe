using AdmmKit.Storage;

namespace AdmmKit.Experiments.Accounting;

/// <summary>Table 6 of [Ren2019]: sizes of AlexNet, VGG-16 and ResNet-50.</summary>
internal static class SizeTable
{
    public const string RoundedVgg = "138M weights of 4 bytes; with all 138,344,128 it is 553.4 MB.";
    private const string RoundedAlexNet = "60.9M weights of 4 bytes; with all 60,954,656 it is 243.8 MB.";
    private const string RoundedTernary = "138M weights of 2 bits; with all 138,344,128 it is 34.59 MB.";
    private const string BatchNorm = "25.6M numbers of 4 bytes, batch normalization included; the weights alone take 102.0 MB.";
    private const string Binary = "MiB: 7.62 MB are 7.27 MiB. The rest of the table is decimal.";

    /// <summary>A printed line, bits as "conv fc" and sizes as "size ratio", and why some of it is not reproduced.</summary>
    private sealed record Line(
        string Row, NetworkTable Network, string Degradation, string Survivors, string Bits, string Data, string Model)
    {
        public string? WhySurvivors { get; init; }

        public string? WhyData { get; init; }

        public string? WhyModel { get; init; }

        public string? WhyModelRatio { get; init; }

        public double DenseBytes => 4.0 * Network.WeightCount;
    }

    public static AccountingTable Create()
    {
        var table = new AccountingTable("table6", "Table 6: model sizes of AlexNet, VGG-16 and ResNet-50");
        Notes(table);
        AlexNet(table);
        Vgg16(table);
        ResNet50(table);
        return table;
    }

    /// <summary>The five sizes of a model, and the bits of index a survivor in three of them.</summary>
    public static void FiveSizes(AccountingTable table, AccountedModel model)
    {
        const string source = "layer table, masks drawn at random";
        ModelSizes sizes = model.Sizes;
        void Bytes(string quantity, double bits, int seeds = 0) =>
            table.Add(model.Row, quantity, "B", null, bits / 8, source, seeds: seeds);
        void Index(string quantity, double bits, int seeds = 0) => table.Add(
            model.Row, quantity, "b", null, (bits - sizes.WeightDataBits) / sizes.Survivors, source, seeds: seeds);
        table.Add(model.Row, "survivors", "", null, (double)sizes.Survivors, "layer table x densities");
        Bytes("weightDataBytes", sizes.WeightDataBits);
        Bytes("paperBytes", sizes.PaperBits);
        Bytes("relativeBytes", sizes.RelativeBits, seeds: 1);
        Bytes("fileBytes", sizes.FileBits, seeds: 1);
        Bytes("boundBytes", sizes.BoundBits);
        Index("paperIndexBits", sizes.PaperBits);
        Index("relativeIndexBits", sizes.RelativeBits, seeds: 1);
        Index("boundIndexBits", sizes.BoundBits);
    }

    private static void AlexNet(AccountingTable table)
    {
        NetworkTable net = NetworkTable.AlexNet;
        Dense(table, new("AlexNet, original", net, "0.0%", "60.9M", "32b 32b", "243.6MB 1x", "243.6MB 1x")
        {
            WhySurvivors = PruningTables.AlexNetTotal,
            WhyData = RoundedAlexNet,
            WhyModel = RoundedAlexNet,
        });
        AccountedModel model = AccountedModels.AlexNetAs7;
        Pruned(table, model, new("AlexNet, ADMM-NN 2.25M", net, "0.2%", "2.25M", "5b 3b", "1.06MB 231x", "2.45MB 99x")
        {
            WhyModel = Widths(model, "Even 5 bits for all would be 2.47 MB; which widths were meant is not said."),
        });
        FiveSizes(table, model);
        FiveSizes(table, AccountedModels.AlexNetAs24);
        Published22(table, AccountedModels.AlexNet24, Published.AlexNet24,
            new("AlexNet, iterative pruning [22]", net, "0.0%", "6.7M", "8b 5b", "5.4MB 45x", "9.0MB 27x")
            {
                WhyData = "Not MB: 5.4 is the average of bits a weight that Table 4 of [22] gives. 6.7M x 5.4 bits are 4.5 MB.",
                WhyModel = Padded(AccountedModels.AlexNet24, "243.6 MB / 27"),
            });
        FiveSizes(table, AccountedModels.AlexNet24);
        Dense(table, new("AlexNet, binary quantization [33]", net, "3.0%", "60.9M", "1b 1b", "7.3MB 32x", "7.3MB 32x")
        {
            WhySurvivors = PruningTables.AlexNetTotal,
            WhyData = Binary,
            WhyModel = Binary,
        });
        Dense(table, new("AlexNet, ternary quantization [33]", net, "1.8%", "60.9M", "2b 2b", "15.2MB 16x", "15.2MB 16x")
        {
            WhySurvivors = PruningTables.AlexNetTotal,
        });
    }

    private static void Vgg16(AccountingTable table)
    {
        NetworkTable net = NetworkTable.Vgg16;
        Dense(table, new("VGG-16, original", net, "0.0%", "138M", "32b 32b", "552MB 1x", "552MB 1x")
        {
            WhyData = RoundedVgg,
            WhyModel = RoundedVgg,
        });
        AccountedModel model = AccountedModels.VggEqual;
        const string either = "8 bits in convolutions and 5 in fully connected layers would be 8.43 MB, 6 for all 8.38 MB: "
            + "as the data size is rounded, either can be meant.";
        Pruned(table, model, new("VGG-16, ADMM-NN 6.9M", net, "0.1%", "6.9M", "5b 3b", "3.2MB 173x", "8.3MB 66.5x")
        {
            WhyModel = Widths(model, either),
        });
        FiveSizes(table, model);
        FiveSizes(table, AccountedModels.VggAs24);
        Published22(table, AccountedModels.Vgg24, Published.Vgg24,
            new("VGG-16, iterative pruning [22]", net, "0.0%", "10.3M", "8b 5b", "8.2MB 67x", "17.8MB 31x")
            {
                WhyModel = Padded(AccountedModels.Vgg24, "552 MB / 31"),
            });
        FiveSizes(table, AccountedModels.Vgg24);
        Dense(table, new("VGG-16, binary quantization [33]", net, "2.2%", "138M", "1b 1b", "17.3MB 32x", "17.3MB 32x"));
        Dense(table, new("VGG-16, ternary quantization [33]", net, "1.1%", "138M", "2b 2b", "34.5MB 16x", "34.5MB 16x")
        {
            WhyData = RoundedTernary,
            WhyModel = RoundedTernary,
        });
    }

    private static void ResNet50(AccountingTable table)
    {
        NetworkTable net = NetworkTable.ResNet50;
        Dense(table, new("ResNet-50, original", net, "0.0%", "25.6M", "32b 32b", "102.4MB 1x", "102.4MB 1x")
        {
            WhySurvivors = PruningTables.ResNetTotal,
            WhyData = BatchNorm,
            WhyModel = BatchNorm,
        });
        AccountedModel model = AccountedModels.ResNet3M6;
        Pruned(table, model, new("ResNet-50, ADMM-NN 3.6M", net, "0.0%", "3.6M", "6b 6b", "2.7MB 38x", "4.1MB 25.3x")
        {
            WhyModel = Widths(model, "3 bits for all fit: 3.6M x (6 + 3) bits are 4.05 MB."),
            WhyModelRatio = "102.4 MB / 4.05 MB, and 4.05 MB is 3.6M x (6 + 3) bits; over the printed 4.1 MB it would be 25.0x.",
        });
        FiveSizes(table, model);
        model = AccountedModels.ResNet1M47;
        Pruned(table, model, new("ResNet-50, ADMM-NN 1.47M", net, "2.0%", "1.47M", "4b 4b", "0.73MB 140x", "1.65MB 62x")
        {
            WhyModel = Widths(model, "5 bits for all fit: 1.47M x (4 + 5) bits are 1.654 MB."),
        });
        FiveSizes(table, model);
    }

    /// <summary>A line in which no weight is zero, so that there is no index.</summary>
    private static void Dense(AccountingTable table, Line line)
    {
        const string source = "layer table x bits";
        double weights = line.Network.WeightCount, bytes = weights * Bounded.Printed(line.Bits.Split(' ')[0]).Value / 8;
        (string[] data, string[] model) = (line.Data.Split(' '), line.Model.Split(' '));
        Chosen(table, line);
        table.Add(line.Row, "survivors", "", line.Survivors, weights, "layer table", line.WhySurvivors);
        table.Add(line.Row, "weightDataBytes", "B", data[0], bytes, source, line.WhyData);
        table.Add(line.Row, "dataCompressionRatio", "x", data[1], line.DenseBytes / bytes, source);
        table.Add(line.Row, "paperBytes", "B", model[0], bytes, source, line.WhyModel);
        table.Add(line.Row, "paperCompressionRatio", "x", model[1], line.DenseBytes / bytes, source);
    }

    /// <summary>A line of the paper's method: what it prints is checked against itself, the size against our way of counting.</summary>
    private static void Pruned(AccountingTable table, AccountedModel model, Line line)
    {
        string[] printed = line.Data.Split(' ');
        Bounded survivors = Bounded.Printed(line.Survivors), data = Bounded.Printed(printed[0]), bits = model.ConvolutionBits;
        Chosen(table, line);
        if (model.ConvolutionBits == model.FullyConnectedBits)
        {
            table.Add(line.Row, "survivors", "", line.Survivors, data * 8 / bits, "printed weightDataBytes / bits", line.WhySurvivors);
            table.Add(line.Row, "weightDataBytes", "B", printed[0], survivors * bits / 8, "printed survivors x bits", line.WhyData);
        }
        else
        {
            Bounded bytes = line.DenseBytes / Bounded.Printed(printed[1]);
            table.PaperOnly(line.Row, "survivors", "", line.Survivors);
            table.Add(line.Row, "bitsPerSurvivor", "b", "3.7b", data * 8 / survivors, "printed weightDataBytes / survivors");
            table.Add(line.Row, "weightDataBytes", "B", printed[0], bytes, "layer table / printed ratio", line.WhyData);
        }

        Sizes(table, line, model.Sizes.PaperBits / 8.0, "layer table, 5 and 8 bits of index");
    }

    /// <summary>A line of [22], which publishes its densities.</summary>
    private static void Published22(AccountingTable table, AccountedModel model, string[] densities, Line line)
    {
        const string source = "layer table x densities of [22]";
        Bounded survivors = Published.Survivors(line.Network, densities);
        Bounded data = Published.DataBytes(line.Network, densities, model.ConvolutionBits, model.FullyConnectedBits);
        Chosen(table, line);
        table.Add(line.Row, "survivors", "", line.Survivors, survivors, source, line.WhySurvivors);
        table.Add(line.Row, "weightDataBytes", "B", line.Data.Split(' ')[0], data, source + " x bits", line.WhyData);
        Sizes(table, line, model.PaddedBytes, "layer table, masks drawn at random, padded index as in [22]", seeds: 1);
    }

    private static void Sizes(AccountingTable table, Line line, double bytes, string source, int seeds = 0)
    {
        (string[] printedData, string[] printedModel) = (line.Data.Split(' '), line.Model.Split(' '));
        Bounded data = Bounded.Printed(printedData[0]), model = Bounded.Printed(printedModel[0]);
        Bounded index = (model - data) * 8 / Bounded.Printed(line.Survivors);
        const string quotient = "layer table / printed bytes";
        table.Add(line.Row, "dataCompressionRatio", "x", printedData[1], line.DenseBytes / data, quotient);
        table.Add(line.Row, "paperBytes", "B", printedModel[0], bytes, source, line.WhyModel, seeds);
        table.Add(line.Row, "paperCompressionRatio", "x", printedModel[1], line.DenseBytes / model, quotient, line.WhyModelRatio);
        table.Add(line.Row, "impliedIndexBits", "b", null, index, "printed paperBytes - weightDataBytes");
    }

    private static void Chosen(AccountingTable table, Line line)
    {
        string[] bits = line.Bits.Split(' ');
        table.PaperOnly(line.Row, "accuracyDegradation", "points", line.Degradation);
        table.PaperOnly(line.Row, "convolutionBits", "b", bits[0]);
        table.PaperOnly(line.Row, "fullyConnectedBits", "b", bits[1]);
    }

    private static string Widths(AccountedModel model, string which)
    {
        ModelSizes sizes = model.Sizes;
        double bits = (sizes.BoundBits - sizes.WeightDataBits) / sizes.Survivors;
        return $"Not counted with 5 and 8 bits of index. {which} Positions drawn at the split below need at least "
            + FormattableString.Invariant($"{bits:0.0} bits each, ")
            + FormattableString.Invariant($"{sizes.BoundBits / 8e6:0.00} MB in all.");
    }

    private static string Padded(AccountedModel model, string quotient) =>
        $"{quotient}, the ratio that [22] publishes. Ours has random masks at its densities, {model.PaddedIndexBits} bits of index "
        + "and zeros as padding, as [22]; gaps of its real masks differ, and its codebooks are not counted here.";

    private static void Notes(AccountingTable table)
    {
        double convolutions = AccountedModels.ConvolutionSurvivors("2.25M", "1.06MB") / 1e6;
        double published = AccountedModels.AlexNet24.Survivors.Take(5).Sum() / 1e6;
        table.Note("MB are 10^6 bytes. Accuracies and bits are the paper's; nothing was trained.");
        table.Note("paperBytes stands beside the printed \"total model size\": weight data and an index of fixed width for each "
            + "survivor, 5 bits in convolutions and 8 in fully connected layers, no padding, no biases, which is how the 2.73 KB of "
            + "Table 5 come out. impliedIndexBits is what the print itself leaves for the index of a survivor.");
        table.Note("relativeBytes: a relative index with escapes in the best width of each layer. fileBytes: the whole .admm file, "
            + "with headers and biases (for ResNet-50, batch normalization folded into them). boundBytes: log2 C(N, k) for the "
            + "positions of each layer, and full bits for the values, because random masks have no levels to take an entropy of.");
        table.Note("Where no densities are published, the split is assumed, and the row says which. How many survivors are in "
            + "convolutions follows from the printed data size at 5 and 3 bits; within convolutions and within fully connected layers "
            + "they are shared in proportion to a published profile, or equally. Scaled up from Table 7, conv1 of AlexNet stays dense.");
        table.Note("AlexNet and ResNet-50 are printed smaller than the bound of independent positions at the assumed splits. They can "
            + "be that small only if their layers differ more in density, or if positions are not independent; VGG-16 is printed "
            + "larger than its bound.");
        table.Note("Masks are drawn with one seed. Of all figures only relativeBytes, fileBytes and the padded sizes of [22] depend on "
            + "it, by less than 0.1 %.");
        table.Note(FormattableString.Invariant($"AlexNet's print leaves {convolutions:0.000}M survivors in convolutions, where the ")
            + FormattableString.Invariant($"densities of [24] give {published:0.000}M: this model may prune only the fully connected ")
            + "layers further than [24].");
        table.Note("ResNet-50, 1.47M: Table 4 says that pruning alone costs 0.8 points, Table 6 that pruning and 4 bits cost 2.0.");
    }
}
