namespace AdmmKit.Experiments.Accounting;

/// <summary>Table 8 of [Ren2019]: operations of AlexNet's layers, and operations times bits.</summary>
internal static class ComputationTable
{
    private const string LayerTable = "layer table, two operations a MAC";
    private const string Point =
        "Misprint: the decimal point should be a comma. The printed operations times 8 bits are 1,000 times as many.";

    public static AccountingTable Create()
    {
        var table = new AccountingTable("table8", "Table 8: computation of AlexNet");
        foreach ((string method, string[] operations, string convolutions, string? compressionRatio) in PublishedHardware.Table8)
        {
            Operations(table, method, operations);
            Bounded sum = method == PublishedHardware.Dense
                ? Enumerable.Range(0, PublishedHardware.Convolutions).Sum(l => (double)PublishedHardware.Layer(l).Operations)
                : Sum(operations);
            string source = method == PublishedHardware.Dense ? LayerTable : "sum of the printed layers";
            table.Add(method, "convolutionOperations", "", convolutions, sum, source);
            OperationBits(table, method, operations);
            if (compressionRatio is not null)
            {
                Overall(table, method, compressionRatio);
            }
        }

        Claims(table);
        Notes(table);
        return table;
    }

    private static void Operations(AccountingTable table, string method, string[] printed)
    {
        foreach ((int l, string layer) in PublishedHardware.Layers.Index())
        {
            (Bounded Ours, string Source)? recomputed = Recomputed(method, l, printed[l]);
            if (recomputed is { } known)
            {
                table.Add(method, layer + "Operations", "", printed[l], known.Ours, known.Source);
            }
            else
            {
                table.PaperOnly(method, layer + "Operations", "", printed[l]);
            }

            if (method != PublishedHardware.Dense)
            {
                Bounded keep = PublishedHardware.KeepFraction(method, l);
                table.Add(method, layer + "KeepFraction", "%", null, keep * 100, "printed operations / layer table");
            }
        }
    }

    /// <summary>A layer's operations from something else than their own print; null where there is nothing else.</summary>
    private static (Bounded Ours, string Source)? Recomputed(string method, int layer, string printed)
    {
        double dense = PublishedHardware.Layer(layer).Operations;
        var quantized = PublishedHardware.Table8Bits.FirstOrDefault(m => m.Method == PublishedHardware.Ours && m.Method == method);
        return method switch
        {
            _ when printed == PublishedHardware.Table8[0].Operations[layer] => (dense, LayerTable),
            "Han [24]" => (Bounded.Printed(Published.AlexNet24[layer]) * (dense / 100), "layer table x densities of [24]"),
            _ when quantized.Bits is { } bits && layer < bits.Length =>
                (Bounded.Printed(quantized.OperationBits[layer]) / bits[layer], "printed operations x bits / bits"),
            _ => null,
        };
    }

    private static void OperationBits(AccountingTable table, string method, string[] operations)
    {
        foreach ((_, int[] bits, string[] printed, string convolutions) in PublishedHardware.Table8Bits.Where(m => m.Method == method))
        {
            Bounded sum = 0;
            for (int l = 0; l < bits.Length; l++)
            {
                Bounded product = Bounded.Printed(operations[l]) * bits[l];
                sum += product;
                table.Add(method, PublishedHardware.Layers[l] + "Bits", "b", null, bits[l], "quotient of the printed metrics");
                Product(PublishedHardware.Layers[l] + "OperationBits", printed[l], product);
            }

            Product("convolutionOperationBits", convolutions, sum);
        }

        // Only these three have a decimal point.
        void Product(string quantity, string printed, Bounded ours) => table.Add(
            method, quantity, "", printed, ours, "printed operations x bits",
            printed.Contains('.', StringComparison.Ordinal) ? Point : null);
    }

    private static void Overall(AccountingTable table, string method, string printed)
    {
        int layers = PublishedHardware.Layers.Length;
        Bounded compressionRatio = PublishedHardware.CompressionRatio(layers, l => method == "Han [24]"
            ? Bounded.Printed(Published.AlexNet24[l]) / 100
            : PublishedHardware.KeepFraction(method, l));
        string source = method == "Han [24]" ? "layer table x densities of [24]" : "layer table x printed operations / layer table";
        table.Add(method, "compressionRatio", "x", printed, compressionRatio, source, method == PublishedHardware.Ours
            ? FormattableString.Invariant($"It does not follow from the row itself, which leaves {compressionRatio.Value:0.0}x, and ")
                + FormattableString.Invariant($"{compressionRatio.High:0.0}x at most however its numbers were rounded: ")
                + "nearly all weights are in fully connected layers, and there it prints the operations of [24], which is pruned 9x."
            : null);
    }

    /// <summary>What secs. 6.1 and 7 say in words.</summary>
    private static void Claims(AccountingTable table)
    {
        const string source = "sums of the printed layers, over those of ADMM-NN";
        string[] Printed(string method) => PublishedHardware.Table8.Single(m => m.Method == method).Operations;
        Bounded Operations(string method) => Sum(Printed(method));
        Bounded Bits(string method) => PublishedHardware.Table8Bits.Single(m => m.Method == method).Bits
            .Zip(Printed(method), (bits, operations) => Bounded.Printed(operations) * bits).Aggregate((a, b) => a + b);
        Bounded ours = Operations(PublishedHardware.Ours);
        foreach (string method in PublishedHardware.Table8.Select(m => m.Method).Where(m => m != PublishedHardware.Ours))
        {
            table.Add(method, "operationsOverOurs", "x", null, Operations(method) / ours, source);
        }

        table.Add("Han [24]", "operationBitsOverOurs", "x", "3.6x", (Bits("Han [24]") / Bits(PublishedHardware.Ours)).Point, source);
    }

    private static Bounded Sum(string[] operations) =>
        operations.Take(PublishedHardware.Convolutions).Select(Bounded.Printed).Aggregate((a, b) => a + b);

    private static void Notes(AccountingTable table)
    {
        table.Note("An operation is half a multiply-accumulate: the paper's heading says MAC operations, but conv1 has 105.4M "
            + "multiply-accumulates and is printed as 211M. Images are 227 x 227, conv2, conv4 and conv5 have two groups.");
        table.Note("Operations of ADMM-NN are checked by the second metric, those of Han [24] by the densities that [24] publishes. Of Mao "
            + "[36] and Wen [53] only these operations are known: keepFraction is what they imply, sum and compressionRatio follow.");
        table.Note("The bits, 7 in conv1 and 5 in the other convolutions of ADMM-NN, 8 in [24], are not printed; they are the quotients of "
            + "the two metrics, which are whole to the print's last digit.");
        table.Note("\"Close to 3x\" fewer operations than prior work (sec. 6.1) is 2.8x against Han [24], and 2.1x and 2.0x against "
            + "Mao [36] and Wen [53]. The \"3.6x reduction in the amount of computation\" of sec. 7 is operations times bits, against Han "
            + "[24].");
        table.Note("This ADMM-NN is another model than Table 7's, whose conv1 keeps 81 % and whose fully connected layers keep 2.8 to "
            + "9.3 %.");
    }
}
