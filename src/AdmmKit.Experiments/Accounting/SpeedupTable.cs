using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Fitting;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Accounting;

/// <summary>Table 9 of [Ren2019]: speedup of AlexNet's convolutions, as printed and as a law of delay against density has it.</summary>
internal static class SpeedupTable
{
    private const string Law = "Table 8's densities, admm-nn-40nm";
    private static readonly int[] Layers = [.. Enumerable.Range(0, PublishedHardware.Convolutions)];

    /// <summary>A row of Table 9 and what is computed for it, by layer.</summary>
    /// <param name="Name">The row.</param>
    /// <param name="Speedups">Printed.</param>
    /// <param name="KeepFractions">What pruning leaves of a layer, whether or not it pays.</param>
    /// <param name="Restored">Whether the platform runs the layer faster with its structure restored, Fig. 5 in [Ren2019].</param>
    /// <param name="Aware">Whether the method restores such layers: ADMM-NN does, the ones it is compared with do not.</param>
    private sealed record Method(string Name, Bounded[] Speedups, Bounded[] KeepFractions, bool[] Restored, bool Aware)
    {
        /// <summary>Printed speedups, but for restored layers, which are as fast as dense.</summary>
        public Bounded[] PrintedRestored => [.. Layers.Select(l => Restored[l] ? 1.0 : Speedups[l])];

        public Bounded[] Predicted(Platform platform, bool restoring) =>
            [.. Layers.Select(l => restoring && Restored[l] ? 1.0 : Speedup(platform, l, KeepFractions[l]))];
    }

    /// <summary>What stands for the accelerator of the paper: the law fitted to its speedups.</summary>
    internal static Platform Platform() => PlatformLibrary.Find("admm-nn-40nm");

    public static AccountingTable Create()
    {
        var table = new AccountingTable("table9", "Table 9: speedup of AlexNet's convolutions");
        Platform platform = Platform();
        LayerInfo conv4 = PublishedHardware.Layer(3).Layer;
        Bounded breakEven = 1 / platform.BreakEvenKeepFraction(conv4);
        table.Add("Sec. 5.1", "breakEvenCompressionRatio", "x", "2.22x", breakEven, platform.Name,
            "The law is not forced through this point: 2.22 is 1 / 0.45, and the paper says \"about 55 %\" pruned.");
        var methods = new List<Method>();
        foreach (var line in PublishedHardware.Table9)
        {
            Method method = Read(platform, line.Method, line.Densities, line.Speedups);
            Predictions(table, platform, method, line.Speedups);
            Overall(table, platform, method, line.Overall);
            CompressionRatios(table, method, line.CompressionRatio);
            table.PaperOnly(line.Method, "accuracyDegradation", "points", line.Degradation);
            methods.Add(method);
        }

        Notes(table, platform, methods);
        table.Picture("delay.svg", Picture(platform, methods));
        return table;
    }

    private static Method Read(Platform platform, string name, string densities, string[] speedups)
    {
        // Ours2 is not published by layer. Its conv1 is pruned no further than Ours1's: both leave it dense.
        Bounded[] kept = [.. Layers.Select(l => name == "ADMM-NN 2" && l > 0
            ? 1 / Bounded.Printed(PublishedHardware.Ours2WithoutConv1)
            : PublishedHardware.KeepFraction(densities, l))];
        bool[] restored = [.. Layers.Select(l => kept[l].Value > platform.BreakEvenKeepFraction(PublishedHardware.Layer(l).Layer))];
        return new(name, [.. speedups.Select(Bounded.Printed)], kept, restored, densities == PublishedHardware.Ours);
    }

    private static Bounded Speedup(Platform platform, int layer, Bounded keepFraction)
    {
        double At(double keep) => platform.Speedup(PublishedHardware.Layer(layer).Layer, Math.Min(keep, 1));
        return new(At(keepFraction.Value), At(keepFraction.High), At(keepFraction.Low));
    }

    private static void Predictions(AccountingTable table, Platform platform, Method method, string[] printed)
    {
        Bounded[] predicted = method.Predicted(platform, method.Aware);
        foreach (int l in Layers)
        {
            (string layer, double keep) = (PublishedHardware.Layers[l], 100 * method.KeepFractions[l].Value);
            double error = 100 * ((predicted[l].Value / method.Speedups[l].Value) - 1);
            string? why = method.Speedups[l].Meets(predicted[l]) ? null : FormattableString.Invariant(
                $"The law is a fit and is {error:+0.0;-0.0} % off here, at a keepFraction of {keep:0.0} %")
                + (method.Name == "ADMM-NN 2" ? ", the mean of conv2 to conv5: single layers are not published." : ".");
            table.Add(method.Name, layer + "KeepFraction", "%", null, keep, "Table 8, sec. 6.2");
            table.Add(method.Name, layer + "Speedup", "x", printed[l], predicted[l], Law, why);
            table.Add(method.Name, layer + "SpeedupError", "%", null, error, "predicted / printed - 1");
            // What the paper says of its own method: conv1 is left as it is, the others are pruned.
            string? paper = method.Aware ? (l == 0 ? "1" : "0") : null;
            table.Add(method.Name, layer + "StaysDense", "", paper, method.Restored[l] ? 1 : 0, "keepFraction above that of break-even");
        }
    }

    private static void Overall(AccountingTable table, Platform platform, Method method, string printed)
    {
        Bounded[] asIs = method.Predicted(platform, restoring: false), restored = method.Predicted(platform, restoring: true);
        Bounded law = Weighted(method.Aware ? restored : asIs);
        table.Add(method.Name, "overallSpeedup", "x", printed, Weighted(method.Speedups).Point, "printed layers and dense operations");
        string? why = Bounded.Printed(printed).Meets(law) ? null : "The errors of the layers, see SpeedupError.";
        table.Add(method.Name, "predictedOverallSpeedup", "x", printed, law, Law, why);
        table.Add(method.Name, "predictedOverallSpeedupUnrestored", "x", null, Weighted(asIs), Law);
        table.Add(method.Name, "predictedOverallSpeedupRestored", "x", null, Weighted(restored), Law + ", layers beyond break-even dense");
        table.Add(method.Name, "overallSpeedupRestored", "x", null, Weighted(method.PrintedRestored),
            "printed layers, those beyond break-even dense");
    }

    /// <summary>"Weighted sum", sec. 6.2: the time of all layers together.</summary>
    private static Bounded Weighted(Bounded[] speedups)
    {
        double[] operations = [.. Layers.Select(l => (double)PublishedHardware.Layer(l).Operations)];
        return operations.Sum() / Layers.Select(l => operations[l] / speedups[l]).Aggregate((a, b) => a + b);
    }

    private static void CompressionRatios(AccountingTable table, Method method, string printed)
    {
        Bounded Keep(int layer, bool restored) => restored && method.Restored[layer] ? 1.0 : method.KeepFractions[layer];
        Bounded pruned = PublishedHardware.CompressionRatio(Layers.Length, l => Keep(l, restored: false));
        Bounded restored = PublishedHardware.CompressionRatio(Layers.Length, l => Keep(l, restored: true));
        bool second = method.Name == "ADMM-NN 2";
        string? why = method.Name == "ADMM-NN 1" ? FormattableString.Invariant(
            $"Only with conv1 pruned to {100 * method.KeepFractions[0].Value:0} %, as in Table 8, can it be 13.1x; with conv1 dense, ")
            + FormattableString.Invariant($"as sec. 6.2 says, it is {restored.Value:0.0}x.") : null;
        table.Add(method.Name, "compressionRatio", "x", printed, second ? restored : pruned,
            second ? "40.5x in conv2 to conv5, conv1 dense" : "Table 8's densities", why);
        table.Add(method.Name, "compressionRatioRestored", "x", null, restored, "layers beyond break-even dense");
        if (second)
        {
            Bounded weights = Layers.Sum(l => (double)PublishedHardware.Layer(l).Layer.WeightCount);
            Bounded conv1 = PublishedHardware.Layer(0).Layer.WeightCount;
            table.Add(method.Name, "conv2To5CompressionRatio", "x", PublishedHardware.Ours2WithoutConv1,
                (weights - conv1) / ((weights / Bounded.Printed(printed)) - conv1), "printed compressionRatio, conv1 dense");
        }
    }

    private static void Notes(AccountingTable table, Platform platform, List<Method> methods)
    {
        double[] errors = [.. methods.Where(m => m.Name != PublishedHardware.Dense).SelectMany(m => Layers
            .Where(l => !(m.Aware && m.Restored[l]))
            .Select(l => Math.Abs((m.Predicted(platform, m.Aware)[l].Value / m.Speedups[l].Value) - 1)))];
        Method first = methods[1];
        double even = 100 * platform.BreakEvenKeepFraction(PublishedHardware.Layer(0).Layer);
        double unseen = 100 * LawFit.Logarithmic(HardwareFitTable.WithoutBreakEven).BreakEvenKeepFraction;
        double pruned = Weighted(first.Predicted(platform, restoring: false)).Value;
        double restored = Weighted(first.Predicted(platform, restoring: true)).Value;
        table.Note("Printed speedups stand beside those of the platform admm-nn-40nm at the densities of Table 8. Its law was fitted to "
            + FormattableString.Invariant($"these very points, so agreement (mean error {100 * errors.Average():0.0} %, worst ")
            + FormattableString.Invariant($"{100 * errors.Max():0.0} % of {errors.Length} layers) says that one curve of density alone ")
            + "explains the table, not more.");
        table.Note("A layer is restored where its keepFraction is above "
            + FormattableString.Invariant($"{even:0.0} %, the break-even of the platform. This holds for conv1 of every method, which ")
            + "keep 63 to 85 %, and for no other layer. The break-even of Fig. 4 is one of the points that the law was fitted to. "
            + FormattableString.Invariant($"Fitted without it, it has its break-even at {unseen:0.0} % ({100 / unseen:0.00}x), and the ")
            + "same layers stay dense.");
        table.Note(FormattableString.Invariant($"With conv1 pruned to {100 * first.KeepFractions[0].Value:0} % ADMM-NN 1 would be ")
            + FormattableString.Invariant($"{pruned:0.00}x as fast as dense, with conv1 dense it is {restored:0.00}x."));
        Method[] others = [.. methods.Where(m => !m.Aware && m.Name != PublishedHardware.Dense)];
        IEnumerable<string> baselines = others.Select(m =>
            FormattableString.Invariant($"{m.Name} {Weighted(m.PrintedRestored).Value:0.0}x by the print and ")
            + FormattableString.Invariant($"{Weighted(m.Predicted(platform, restoring: true)).Value:0.0}x by the law"));
        table.Note("\"Speedups will be observed in baselines if they leave CONV1 unchanged\" (sec. 6.2): " + string.Join(", ", baselines)
            + ".");
        table.Note("Part of ADMM-NN's lead in Table 9 is this choice. By the print ADMM-NN 1 is "
            + string.Join(", ", others.Select(m => Lead(first, m)))
            + ". The share is that of the logarithm: leads multiply.");
        table.Note("The column of all convolutions is the time of the dense network over that of the pruned one, each layer weighted by "
            + "its dense operations. Speedups of ADMM-NN 2's layers are all predicted at 40.5x, as only that mean of conv2 to conv5 is "
            + "printed; what pruning would leave of its conv1 is not, and Table 8's 63 % stand for it.");
        table.Note("The paper derives break-even at equal area (sec. 5.1) and Table 9 at an equal number of processing elements (sec. "
            + "6.2), where a layer of density 0.84 should not take six times as long as dense. The law joins both sets of points and "
            + "explains neither.");
        table.Note("`delay.svg` shows where the time goes: each layer's share of the dense network's time, as printed and by the law.");
    }

    private static string Lead(Method first, Method other)
    {
        double ours = Weighted(first.Speedups).Value;
        double printed = ours / Weighted(other.Speedups).Value, restored = ours / Weighted(other.PrintedRestored).Value;
        return FormattableString.Invariant($"{printed:0.00}x as fast as {other.Name} and {restored:0.00}x if that leaves conv1 dense ")
            + FormattableString.Invariant($"({100 * (1 - (Math.Log(restored) / Math.Log(printed))):0} % of the lead)");
    }

    private static BarChart Picture(Platform platform, List<Method> methods)
    {
        var bars = new List<(string Name, Bounded[]? Speedups)>();
        foreach (Method method in methods)
        {
            if (method.Name == PublishedHardware.Dense)
            {
                bars.Add((method.Name + ", dense", method.Speedups));
                continue;
            }

            bars.Add(("", null));
            bars.Add((method.Name + ", printed", method.Speedups));
            bars.Add((method.Name + ", law", method.Predicted(platform, method.Aware)));
            if (!method.Aware)
            {
                bars.Add((method.Name + ", restored", method.Predicted(platform, restoring: true)));
            }
        }

        double all = Layers.Sum(l => (double)PublishedHardware.Layer(l).Operations);
        return new BarChart(
            "Delay of AlexNet's convolutions, as printed and by the law",
            "method; restored: by the law, with layers beyond break-even left dense",
            "delay (% of the dense network's)",
            [.. bars.Select(b => b.Name)],
            [.. Layers.Select(l => new BarSeries(PublishedHardware.Layers[l], [.. bars.Select(b => b.Speedups is { } speedups
                ? 100 * PublishedHardware.Layer(l).Operations / (all * speedups[l].Value) : double.NaN)]))])
        {
            Layout = BarLayout.Stacked,
            Reference = new(100, "dense"),
        };
    }
}
