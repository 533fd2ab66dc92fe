using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Hardware.Simulation;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Accounting;

/// <summary>The simulated arrays beside formulas, beside published simulations, and masks of ADMM beside random ones.</summary>
internal static class SimulatorTable
{
    private const string ScnnSource = "SCNN, Parashar et al., ISCA 2017";
    private const string SparseloopSource = "Sparseloop artifact, MICRO 2022, figure 1";
    private const int Inner = 128;

    // Both operands at this density: cycles with bitmasks and gating, and with coordinate lists and skipping.
    private static readonly (double Density, string Bitmask, string Coordinates)[] Products =
    [
        (0.01, "2113536", "34056"), (0.02, "2113536", "58124"), (0.04, "2113536", "116247"), (0.08, "2113536", "232490"),
        (0.1, "2113536", "295152"), (0.2, "2113536", "578952"), (0.4, "2113536", "1157904"), (0.8, "2113536", "3698200"),
    ];

    // Weights and activations at this density: how many times as fast as the dense array DCNN.
    private static readonly (double Density, string Speedup)[] Scnn = [(1, "0.79x"), (0.85, "1.0x"), (0.1, "24x")];

    private static readonly Lazy<AccountingTable> Table = new(Build);

    /// <summary>The table. It takes seconds, so it is made once.</summary>
    public static AccountingTable Create() => Table.Value;

    private static AccountingTable Build()
    {
        var table = new AccountingTable("simulator", "Simulator of sparse PE arrays");
        ClosedForms(table);
        IReadOnlyList<double> googLeNet = Published(table);
        SparseProducts(table);
        RealMasks(table);
        Picture(table, googLeNet);
        table.Note("\"paper\" is not [Ren2019] here but the source that a row names: SCNN and Sparseloop are simulations themselves. "
            + "Nothing was fitted to their numbers; sizes that SCNN did not publish (the queue before a bank of accumulators) are ours. "
            + "The limit of \"deliveredCycles\" was chosen after the published cycles had been seen, and the 25 % of fully connected "
            + "layers follow from how they are laid out here: neither is independent evidence.");
        table.Note("Masks are uniform, also those of activations, as in SCNN's sweep of densities, which we take to be over GoogLeNet's "
            + "inception modules; the dense array computes dot products with as many PEs and multipliers, divided in the same way. "
            + "What the model lacks: pipelines that fill, exchange of halos, and memory off the chip.");
        table.Note("Sparse products are simulated on one multiplier. \"coordinateCycles\" counts pairs of non-zero operands alone; "
            + "\"deliveredCycles\" also waits for operands of 8 bits with coordinates of 14, of which 16 bits arrive a cycle, one matrix "
            + "being fetched again for each row of the other: sizes as in AccelForge's description of that artifact, not in the artifact's "
            + "table of results.");
        table.Note("Rows of LeNet-5: means over the three committed models of results/table1, and uniform masks with as many survivors in "
            + "each layer; all activations count. \"imbalance\" is cycles over those of evenly shared survivors, on 64 PEs of one "
            + "multiplier with a filter each; the closed form takes each weight to survive for itself. speedupLaw is the law fitted to "
            + "Table 9 of [Ren2019], admm-nn-40nm, at the layer's keepFraction.");
        table.Note("Survivors of ADMM are not independent: where each PE has filters of its own the fullest one is further above the mean "
            + "than the closed form says, most in fc1, where whole neurons are gone. Tiles of the plane, which share all weights, hardly "
            + "notice. Small layers leave most of 64 PEs without a filter, which the law knows nothing of.");
        return table;
    }

    private static void ClosedForms(AccountingTable table)
    {
        var cases = SimulatorCases.ClosedForms().ToArray();
        foreach (var group in cases.GroupBy(c => c.Name))
        {
            Errors("closed form, " + group.Key, [.. group.Select(c => (c.Formula, c.Simulated))]);
        }

        Errors("closed forms", [.. cases.Select(c => (c.Formula, c.Simulated))]);

        void Errors(string row, (double Formula, double Simulated)[] pairs)
        {
            table.Add(row, "cases", "", null, pairs.Length, "formulas");
            double worst = pairs.Max(p => Math.Abs((p.Simulated / p.Formula) - 1));
            table.Add(row, "worstError", "%", null, 100 * worst, "formulas, means over 300 masks", seeds: 1);
        }
    }

    private static double[] Published(AccountingTable table)
    {
        PeArray scnn = PeArray.Preset("scnn");
        var fc = new LayerInfo("fc", LayerKind.FullyConnected, 4096, 256, 1, 1, 4096 * 256);
        SimulationResult dense = ArraySimulator.Run(scnn, SimulatedLayer.FullyConnected(fc, [.. Enumerable.Repeat(true, fc.WeightCount)]));
        Add(table, "SCNN, fully connected 1/1", "utilisation", "%", "25%", 100 * dense.Utilisation, ScnnSource, "");
        var speedups = new List<double>();
        foreach ((double density, string printed) in Scnn)
        {
            string row = FormattableString.Invariant($"SCNN, {density}/{density}");
            SimulationResult googLeNet = SimulatorCases.Simulate(scnn, SimulatorCases.GoogLeNet(), density, density);
            speedups.Add(googLeNet.Speedup);
            Add(table, row, "speedupGoogLeNet", "x", printed, googLeNet.Speedup, ScnnSource, Lost(googLeNet));
            SimulationResult alexNet = SimulatorCases.Simulate(scnn, SimulatorCases.AlexNet(), density, density);
            table.Add(row, "speedupAlexNet", "x", null, alexNet.Speedup, "scnn, uniform masks", seeds: 1);
            table.Add(row, "utilisationGoogLeNet", "%", null, 100 * googLeNet.Utilisation, "scnn, uniform masks", seeds: 1);
            table.Add(row, "utilisationAlexNet", "%", null, 100 * alexNet.Utilisation, "scnn, uniform masks", seeds: 1);
        }

        SimulationResult ahead = SimulatorCases.Simulate(scnn with { FifoDepth = 0 }, SimulatorCases.GoogLeNet(), 0.1, 0.1);
        table.Add("SCNN, 0.1/0.1", "speedupGoogLeNetUnboundedFifo", "x", null, ahead.Speedup, "scnn with another FIFO", seeds: 1);
        const string Queues = "SCNN, 1/1, conv4 of AlexNet";
        foreach (int queue in new[] { 0, 1, 4, 16, 64 })
        {
            SimulationResult conv4 = SimulatorCases.Simulate(scnn with { BankQueue = queue }, [SimulatorCases.AlexNet()[3]], 1, 1);
            table.Add(Queues, FormattableString.Invariant($"speedupQueue{queue}"), "x", null, conv4.Speedup, "scnn with other queues");
        }

        SimulationResult free = SimulatorCases.Simulate(scnn with { AccumulatorBanks = 0 }, [SimulatorCases.AlexNet()[3]], 1, 1);
        table.Add(Queues, "speedupWithoutConflicts", "x", null, free.Speedup, "scnn without banks");
        return [.. speedups];
    }

    private static void SparseProducts(AccountingTable table)
    {
        PeArray skipping = SimulatorCases.OneMultiplierEach(1) with
        {
            Name = "coordinates",
            Partition = Partition.PlanarTiles,
            IndexBits = 14,
            WordBits = 8,
        };
        PeArray gating = skipping with { Name = "bitmask", SkipsZeroWeights = false, SkipsZeroActivations = false };
        foreach ((double density, string bitmask, string coordinates) in Products)
        {
            bool[] Operand(int epoch) => SimulatedLayer.Mask(Inner * Inner, RandomMask.Draw(
                Inner * Inner, (int)Math.Round(density * Inner * Inner), new RandomStream(1, "simulated product", epoch)));
            var layer = SimulatedLayer.Product(Inner, Inner, Inner, Operand(0), Operand(1));
            string row = FormattableString.Invariant($"product {Inner}x{Inner}x{Inner}, {density}");
            Compare("bitmask", bitmask, gating, "The published cycles are 128^3 + 128^2; the 128^2 are not arithmetic, and not modelled.");
            Compare("coordinate", coordinates, skipping, "A cycle for each pair of operands; the published design waits for fetches.");
            Compare("delivered", coordinates, skipping with { DeliveredBits = 16 }, Delivered(density, coordinates));

            void Compare(string quantity, string printed, PeArray array, string why)
            {
                long cycles = ArraySimulator.Run(array, layer).Cycles;
                Add(table, row, quantity + "Cycles", "cycles", printed, cycles, SparseloopSource, why);
                double error = (cycles / Bounded.Printed(printed).Value) - 1;
                table.Add(row, quantity + "Error", "%", null, 100 * error, SparseloopSource, seeds: 1);
            }
        }
    }

    /// <summary>Why the cycles in which operands are delivered are not the published ones.</summary>
    private static string Delivered(double density, string printed)
    {
        // Words of 8 bits with coordinates of 14, 16 bits a cycle: one matrix once, the other again for each of its rows.
        const double atDensityOne = (double)Inner * Inner * (1 + Inner) * (8 + 14) / 16;
        double published = Bounded.Printed(printed).Value, steps = Math.Round(density * 256);
        const string ours = "; ours has as many survivors as are nearest to the density as printed, and whole cycles for each row.";
        return density > 0.5
            ? "At this density the published design is bound by reading both operands of each product, which is not modelled."
            : Math.Abs((atDensityOne * steps / 256) - published) < 0.5
            ? FormattableString.Invariant($"The published run rounds this density to {steps}/256: (128^2 + 128^3) x 22/16 times that is ")
                + "its number of cycles" + ours
            : FormattableString.Invariant($"The published run does not round this density: (128^2 + 128^3) x 22/16 times it is ")
                + FormattableString.Invariant($"{100 * Math.Abs((atDensityOne * density / published) - 1):0.####} % off its cycles") + ours;
    }

    private static void RealMasks(AccountingTable table)
    {
        Platform law = SpeedupTable.Platform();
        foreach (string compressionRatio in new[] { "85x", "167x" })
        {
            IReadOnlyList<CompressedNetwork> models = SimulatorCases.Models(compressionRatio);
            NetworkSpec spec = models[0].Spec;
            for (int l = 0; l < spec.Layers.Count; l++)
            {
                LayerInfo info = spec.Layers[l];
                string row = $"LeNet-5 {compressionRatio}, {info.Name}";
                double keep = models.Average(m => m.Layers[l].KeepFraction);
                SimulatedLayer[] real = [.. models.Select(m => Layer(spec, l, m.Layers[l].Positions))];
                SimulatedLayer[] uniform = [.. models.Select((m, seed) => Layer(spec, l, RandomMask.Draw(
                    info.WeightCount, m.Layers[l].Survivors, new RandomStream(1, "simulated survivors", (10 * l) + seed))))];
                Seeded("keepFraction", "%", 100 * keep);
                int positions = real[0].Input.Height * real[0].Input.Width;
                double shared = keep * info.WeightCount * positions / 64;
                double Imbalance(SimulatedLayer[] layers) => Mean(SimulatorCases.OneMultiplierEach(64), layers, r => r.Cycles) / shared;
                Seeded("imbalanceReal", "x", Imbalance(real));
                Seeded("imbalanceUniform", "x", Imbalance(uniform));
                Seeded("imbalanceClosedForm", "x", UniformImbalance.Cycles(info.Rows, info.Columns, keep, 64, positions) / shared);
                foreach (string preset in PeArray.Presets)
                {
                    Seeded($"speedupReal, {preset}", "x", Mean(PeArray.Preset(preset), real, r => r.Speedup));
                    Seeded($"speedupUniform, {preset}", "x", Mean(PeArray.Preset(preset), uniform, r => r.Speedup));
                }

                Seeded("speedupLaw", "x", law.Speedup(info, keep));

                void Seeded(string quantity, string unit, double value) =>
                    table.Add(row, quantity, unit, null, value, "results/table1", seeds: models.Count);
            }
        }

        static double Mean(PeArray array, SimulatedLayer[] layers, Func<SimulationResult, double> value) =>
            layers.Average(l => value(ArraySimulator.Run(array, l)));
    }

    private static SimulatedLayer Layer(NetworkSpec spec, int layer, int[] positions) => SimulatedLayer
        .Of(spec, (l, info) => l == layer ? SimulatedLayer.Mask(info.WeightCount, positions) : new bool[info.WeightCount], (_, _) => null)
        .ElementAt(layer);

    private static void Picture(AccountingTable table, IReadOnlyList<double> googLeNet)
    {
        double[] densities = [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1];
        double[] published = [.. Scnn.Select(s => s.Density)];
        IReadOnlyList<SimulatorCases.Shape> conv4 = [SimulatorCases.AlexNet()[3]];
        (var speedups, var utilisations) = (new List<ChartSeries>(), new List<ChartSeries>());
        foreach (string preset in PeArray.Presets)
        {
            SimulationResult[] results = [.. densities.Select(d => SimulatorCases.Simulate(PeArray.Preset(preset), conv4, d, d))];
            speedups.Add(new(preset, densities, [.. results.Select(r => r.Speedup)]));
            utilisations.Add(new(preset, densities, [.. results.Select(r => 100 * r.Utilisation)]));
        }

        speedups.Add(new("SCNN as published", published, [.. Scnn.Select(s => Bounded.Printed(s.Speedup).Value)], SeriesStyle.Markers));
        speedups.Add(new("scnn, GoogLeNet", published, googLeNet, SeriesStyle.Markers));
        table.Picture("utilisation.svg", new LineChart(
            "conv4 of AlexNet on simulated arrays, uniform masks",
            "density of weights and of activations",
            [new("speedup over the dense array", speedups, AxisScale.Logarithmic), new("multipliers in use (%)", utilisations)]));
    }

    private static string Lost(SimulationResult result) => "Multipliers are lost to " + string.Join(", ", result.Lost.Causes
        .Where(c => c.Slots > 0.01 * result.Slots).OrderByDescending(c => c.Slots)
        .Select(c => FormattableString.Invariant($"{c.Cause} {100.0 * c.Slots / result.Slots:0} %")))
        + "; the dense array has its own losses.";

    // A value that rounds to the printed one needs no reason.
    private static void Add(
        AccountingTable table, string row, string quantity, string unit, string printed, double ours, string source, string why) =>
        table.Add(row, quantity, unit, printed, ours, source, Bounded.Printed(printed).Meets(ours) ? null : why, seeds: 1);
}
