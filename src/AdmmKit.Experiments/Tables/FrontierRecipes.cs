using AdmmKit.Experiments.Recipes;

namespace AdmmKit.Experiments.Tables;

/// <summary>
/// The smallest files of LeNet-5: structure first (whole filters and neurons, in two steps, and what nobody reads or writes with
/// them), then single weights by what their places cost, in stages that keep their zeros, then levels. And the same without one
/// of these each, to see what it is worth. How far each stage goes was settled in trial runs with seeds 1 and 2.
/// </summary>
internal static class FrontierRecipes
{
    private static Recipe Dense => new() { Architecture = "lenet5-relu", Pretrain = new() { Epochs = 8 } };

    private static PruneRecipe[] Structure =>
    [
        Stage("10-22-70", epochs: 6) with { Rows = Rows(10, 22, 70) },
        Stage("8-16-40", epochs: 6) with { Rows = Rows(8, 16, 40) },
    ];

    /// <summary>All of it: the recipes of one curve, by the bytes that the last stage's survivors may take.</summary>
    public static IEnumerable<(string Name, Recipe Recipe)> Smallest
    {
        get
        {
            Recipe dense = Dense with { SoftTargets = new() { Weight = 0.5, Temperature = 2 } };
            PruneRecipe[] wide = [.. Structure, Coded(2400, 6)], middle = [.. wide, Coded(1700, 16), Coded(1300, 24)];
            return
            [
                .. Points(dense, [.. wide, Coded(2050, 16)], "2050"),
                .. Points(dense, [.. middle, Coded(1000, 24), Coded(800, 24), Coded(650, 24)], "1700", "1300", "1000", "800", "650"),
                .. Points(dense, [.. middle, Coded(1230, 24)], "1230"),
            ];
        }
    }

    /// <summary>Without soft targets.</summary>
    public static IEnumerable<(string Name, Recipe Recipe)> RateAware =>
        Points(Dense, [.. Structure, Coded(2400, 6), Coded(1700, 16), Coded(1300, 24), Coded(1000, 24)], "1700", "1000");

    /// <summary>Without costs of places: about as many survivors as the rate-aware stages leave, wherever they are.</summary>
    public static IEnumerable<(string Name, Recipe Recipe)> StructureFirst =>
        Points(Dense, [.. Structure, Budget("2400", 3_800, 6), Budget("1700", 2_440, 16), Budget("1300", 1_770, 24), Budget("1000", 1_340, 24)], "1700", "1000");

    /// <summary>Without structure first: one budget for the network, in stages.</summary>
    public static IEnumerable<(string Name, Recipe Recipe)> Plain => Points(
        Dense,
        [Budget("12000", 12_000, 6), Budget("5000", 5_000, 6), Budget("2400", 3_800, 6), Budget("1700", 2_440, 16), Budget("1300", 1_770, 24), Budget("1000", 1_340, 24)],
        "1700", "1000");

    /// <summary>The recipes that quantize a chain of prunings after one of its stages each.</summary>
    private static IEnumerable<(string Name, Recipe Recipe)> Points(Recipe dense, IReadOnlyList<PruneRecipe> chain, params string[] stages) =>
        from stage in chain.Select((p, i) => (p.Name, Count: i + 1))
        where stages.Contains(stage.Name)
        select (stage.Name, dense with { Prune = [.. chain.Take(stage.Count)], Quantize = Levels });

    private static QuantizeRecipe Levels => new()
    {
        ConvolutionBits = 3,
        FullyConnectedBits = 3,
        Admm = new() { Iterations = 6, Rho = 2e-3f, RhoGrowth = 1.5f, FinalLearningRate = 1e-4 },
        SearchIntervalEachIteration = true,
        Rounds = [0.25, 0.5, 0.7, 0.85, 0.93, 0.97, 0.99],
        RoundTraining = new() { Epochs = 4, LearningRate = 2e-3 },
        Biases = new() { Epochs = 2 },
        BiasBits = 6,
    };

    private static PruneRecipe Coded(int bytes, int epochs) =>
        Stage(FormattableString.Invariant($"{bytes}"), epochs) with { Rate = new() { CodedBytes = bytes } };

    private static PruneRecipe Budget(string name, int survivors, int epochs) => Stage(name, epochs) with { NetworkSurvivors = survivors };

    private static PruneRecipe Stage(string name, int epochs) => new()
    {
        Name = name,
        RemoveUnused = true,
        Admm = new() { Iterations = 8, Rho = 2e-3f, RhoGrowth = 1.5f },
        Retrain = new() { Epochs = epochs, LearningRate = 2e-3 },
    };

    private static Dictionary<string, int> Rows(int conv1, int conv2, int fc1) => new() { ["conv1"] = conv1, ["conv2"] = conv2, ["fc1"] = fc1 };
}
