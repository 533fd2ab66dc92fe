using System.Globalization;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;

namespace AdmmKit.Experiments.Tables;

/// <summary>The experiments that train: Tables 1 and 5, the baselines, and the paper's claims.</summary>
public static class ExperimentCatalogue
{
    private static readonly Dictionary<string, Func<bool, Experiment>> Builders = new(StringComparer.Ordinal)
    {
        ["table1"] = Table1,
        ["table5"] = Table5,
        ["baselines"] = Baselines,
        ["rho"] = Rho,
        ["order"] = Order,
        ["moderate"] = Moderate,
        ["section5.1"] = Section51,
        ["frontier"] = Frontier,
        ["resnet20-pruned"] = ResNet20,
    };

    /// <summary>All names.</summary>
    public static IReadOnlyCollection<string> Names => Builders.Keys;

    /// <summary>An experiment by name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="full">The full recipes, or shortened ones.</param>
    /// <exception cref="AdmmKitException">There is no such experiment.</exception>
    public static Experiment Create(string name, bool full) => Builders.TryGetValue(name, out var build)
        ? build(full)
        : throw new AdmmKitException(AdmmKit.Names.Unknown("experiment", name, Builders.Keys));

    private static Experiment Table1(bool full)
    {
        // Table 1 alone needs no quantization, but with it the run serves Table 5 too.
        Recipe recipe = full ? PaperRecipes.Full : PaperRecipes.Quick;
        return new Experiment("table1", "Table 1: pruning LeNet-5", Single(recipe),
        [
            new("Original LeNet-5", "lenet5", "dense") { Printed = Values(top1: 99.2, survivors: 430_500) },
            .. recipe.Prune.Select(p => new ExperimentLine("AdmmKit " + p.Name, "lenet5", p.Name) { Printed = Table1Values(p.Name) }),
        ])
        {
            Others =
            [
                .. Paper("Iterative pruning [24]", "table1", Values(99.2, 35_800, 12)),
                .. Paper("Learning to share [63]", "table1", Values(98.1, 17_800, 24.1)),
                .. Paper("Net-Trim [3]", "table1", Values(98.7, 9_400, 45.7)),
                .. full ? [] : Paper("ADMM-NN 85x", "table1", Table1Values("85x")).Concat(Paper("ADMM-NN 167x", "table1", Table1Values("167x"))),
            ],
        };
    }

    private static Experiment Table5(bool full)
    {
        Recipe recipe = full ? PaperRecipes.Full : PaperRecipes.Quick;
        var printed = new Dictionary<string, double>
        {
            ["accuracyDegradation"] = 0.2,
            ["survivors"] = 2_570,
            ["weightDataBytes"] = 890,
            ["weightDataCompressionRatio"] = 1_910,
            ["paperBytes"] = 2_730,
            ["paperCompressionRatio"] = 623,
        };
        return new Experiment("table5", "Table 5: size of LeNet-5", Single(recipe),
        [
            new(full ? "AdmmKit 167x, conv 3 b, fc 2 b" : "AdmmKit quick 40x, conv 3 b, fc 2 b", "lenet5", "quantized")
            {
                Printed = full ? printed : new Dictionary<string, double>(),
            },
        ])
        {
            Others =
            [
                .. PapersPoint.Rows(),
                .. Paper("Iterative pruning [22]", "table5", new Dictionary<string, double>
                {
                    ["survivors"] = 35_800, ["weightDataBytes"] = 24_200, ["paperBytes"] = 52_100, ["accuracyDegradation"] = 0.1,
                }),
            ],
        };
    }

    private static Experiment Baselines(bool full)
    {
        (string Name, int Survivors)[] oneShot = [("12x", 35_800), ("20x", 21_500), ("40x", 10_750)];
        var variants = new Dictionary<string, Recipe>
        {
            ["ADMM"] = PaperRecipes.Full,
            ["scanned"] = PaperRecipes.Scanned,
            ["iterative"] = PaperRecipes.Iterative,
            ["L1"] = PaperRecipes.L1,
            ["clusters"] = PaperRecipes.Clusters,
            ["binary"] = PaperRecipes.QuantizedAlone(ternary: false),
            ["ternary"] = PaperRecipes.QuantizedAlone(ternary: true),
        };
        foreach ((string name, int survivors) in oneShot)
        {
            variants["one-shot " + name] = PaperRecipes.OneShot(name, survivors);
        }

        IEnumerable<ExperimentLine> Stages(string row, string variant) => variants[variant].Prune.Select(p => new ExperimentLine(
            $"{row} {p.Name}", variant, p.Name)
        { X = Ratio(p.Name) });
        return new Experiment("baselines", "LeNet-5: ADMM and what it is compared with", Modes(variants, full),
        [
            new("Dense LeNet-5", "ADMM", "dense"),
            .. Stages("ADMM", "ADMM"),
            .. Stages("ADMM, split by the scan,", "scanned"),
            .. oneShot.Select(o => new ExperimentLine("One-shot magnitude " + o.Name, "one-shot " + o.Name, o.Name) { X = Ratio(o.Name) }),
            .. Stages("Iterative magnitude", "iterative").Select(l => l with
            {
                Printed = l.Model == "12x" ? Values(99.2, 35_800, 12) : l.Printed,
            }),
            .. Stages("L1 then magnitude", "L1"),
            new("Iterative 12x, shared values of 8 b and 5 b", "clusters", "quantized")
            {
                Printed = new Dictionary<string, double> { ["accuracyDegradation"] = 0.1, ["survivors"] = 35_800, ["weightDataBytes"] = 24_200, ["paperBytes"] = 52_100 },
            },
            new("All weights at 1 bit", "binary", "quantized"),
            new("All weights ternary", "ternary", "quantized"),
        ])
        {
            BestAt = 99.2,
            XTitle = "compressionRatio (weights / survivors)",
        };
    }

    private static Experiment Rho(bool full)
    {
        float[] rhos = [1e-3f, 3e-3f, 1e-2f];
        static string Label(float rho) => rho.ToString("0.####", CultureInfo.InvariantCulture);
        return new Experiment("rho", "Sec. 3.4.1: 40x with a constant rho", Modes(rhos.ToDictionary(Label, PaperRecipes.ConstantRho), full),
            [.. rhos.Select(r => new ExperimentLine("rho " + Label(r), Label(r), "40x") { X = Math.Round((double)r, 6) })])
        {
            XTitle = "rho",
        };
    }

    private static Experiment Order(bool full) => new(
        "order", "Sec. 3.3: pruning first, then quantization, against one projection; 40x, conv 3 b, fc 2 b",
        Modes(new Dictionary<string, Recipe> { ["after"] = PaperRecipes.PruneThenQuantize, ["joint"] = PaperRecipes.PruneAndQuantize }, full),
        [new("Pruned, then quantized", "after", "quantized"), new("Pruned and quantized jointly", "joint", "quantized")]);

    private static Experiment Moderate(bool full)
    {
        Recipe moderate = full ? PaperRecipes.Moderate : PaperRecipes.Shortened(PaperRecipes.Moderate);
        var variants = new Dictionary<string, Recipe> { ["pruned"] = moderate, ["dense"] = PaperRecipes.DenseAsLongAs(moderate) };
        return new Experiment("moderate", "Sec. 4.1: moderate pruning and accuracy", variants,
        [
            new("Dense", "pruned", "dense") { X = 1 },
            .. PaperRecipes.Moderate.Prune.Select(p => new ExperimentLine("ADMM " + p.Name, "pruned", p.Name) { X = Ratio(p.Name) }),
            new("Dense, trained as long as ADMM 16x", "dense", "dense"),
        ])
        {
            XTitle = "compressionRatio (weights / survivors)",
        };
    }

    private static Experiment Section51(bool full)
    {
        (string Row, double? KeepFraction)[] rows =
            [("Convolutions alone", null), ("Convolutions, fc 3.5x", 1 / 3.5), ("Convolutions, fc 12x", 1 / 12.0), ("Convolutions, fc 100x", 0.01)];
        return new Experiment(
            "section5.1", "Sec. 5.1: convolutions pruned hard (conv1 4.5x, conv2 21x), and fully connected layers dense or pruned",
            Modes(rows.ToDictionary(r => r.Row, r => PaperRecipes.HardConvolutions(r.KeepFraction)), full),
            [new("Dense LeNet-5", rows[0].Row, "dense"), .. rows.Select(r => new ExperimentLine(r.Row, r.Row, PaperRecipes.HardConvolutionsStage))]);
    }

    private static Experiment Frontier(bool full)
    {
        (string Curve, IEnumerable<(string Name, Recipe Recipe)> Points)[] curves =
        [
            ("Structure first, rate-aware, soft targets", FrontierRecipes.Smallest),
            ("Structure first, rate-aware", FrontierRecipes.RateAware),
            ("Structure first", FrontierRecipes.StructureFirst),
            ("Plain ADMM", FrontierRecipes.Plain),
        ];
        var points = curves.SelectMany(c => c.Points.Select(p => (Row: $"{c.Curve} {p.Name}", p.Name, p.Recipe))).ToArray();
        string last = points[0].Row;
        return new Experiment(
            "frontier", "The smallest LeNet-5: complete files, and what structure, rate-aware projections and soft targets are worth",
            Modes(points.ToDictionary(p => p.Row, p => p.Recipe), full),
            [
                new("Dense LeNet-5", last, "dense"),
                .. points.Select(p => new ExperimentLine(p.Row, p.Row, "quantized")),
                .. points.Select(p => new ExperimentLine("Before quantization: " + p.Row, p.Row, p.Name)),
            ])
        {
            Others = PublishedFrontier.Rows,
            FrontierTitle = "LeNet-5 on MNIST: test error over the bytes of the complete file (ours: mean over seeds, 95 % intervals)",
        };
    }

    private static Experiment ResNet20(bool full)
    {
        Recipe recipe = full ? PaperRecipes.ResNet20 : PaperRecipes.Shortened(PaperRecipes.ResNet20);
        var variants = recipe.Prune.Select((p, i) => (p.Name, Recipe: recipe with { Prune = [.. recipe.Prune.Take(i + 1)] })).ToDictionary(v => v.Name, v => v.Recipe);
        return new Experiment(
            "resnet20-pruned", "Tables 4 and 6 on a stand-in: ResNet-20 on CIFAR-10 in place of ResNet-50 on ImageNet", variants,
            [
                new("Dense ResNet-20", variants.Keys.First(), "dense"),
                .. variants.Keys.Select(name => new ExperimentLine("Pruned " + name, name, name)),
                .. variants.Keys.Select(name => new ExperimentLine($"Pruned and 4 b {name}", name, "quantized")),
            ])
        {
            Others =
            [
                .. Paper("ResNet-50 on ImageNet 7x", "table4", new Dictionary<string, double> { ["survivors"] = 3_600_000, ["compressionRatio"] = 7, ["accuracyDegradation"] = 0 }),
                .. Paper("ResNet-50 on ImageNet 17.4x", "table4", new Dictionary<string, double> { ["survivors"] = 1_470_000, ["compressionRatio"] = 17.4, ["accuracyDegradation"] = 0.8 }),
                .. Paper("ResNet-50 on ImageNet 17.4x, 4 b", "table6", new Dictionary<string, double>
                {
                    ["survivors"] = 1_470_000, ["weightDataBytes"] = 730_000, ["paperBytes"] = 1_650_000, ["accuracyDegradation"] = 2,
                }),
            ],
        };
    }

    private static Dictionary<string, Recipe> Single(Recipe recipe) => new() { ["lenet5"] = recipe };

    private static Dictionary<string, Recipe> Modes(IReadOnlyDictionary<string, Recipe> variants, bool full) =>
        variants.ToDictionary(v => v.Key, v => full ? v.Value : PaperRecipes.Shortened(v.Value));

    private static double Ratio(string stage) => double.Parse(stage.TrimEnd('x'), CultureInfo.InvariantCulture);

    private static Dictionary<string, double> Table1Values(string stage) => stage switch
    {
        "85x" => Values(99.2, 5_060, 85),
        "167x" => Values(99.0, 2_580, 167),
        _ => new Dictionary<string, double>(),
    };

    private static Dictionary<string, double> Values(double top1, double survivors, double compressionRatio = 1) => new()
    {
        ["top1"] = top1,
        ["survivors"] = survivors,
        ["compressionRatio"] = compressionRatio,
    };

    private static IEnumerable<ResultRow> Paper(string row, string table, IReadOnlyDictionary<string, double> values) => values.Select(v => new ResultRow(
        row, v.Key, Measurements.Unit(v.Key), v.Value, null, null, 0, ResultStatus.None, "[Ren2019] Table " + table["table".Length..]));
}
