using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Tables;

namespace AdmmKit.Experiments.Search;

/// <summary>Recipes of searches for the networks that come with data.</summary>
public static class SearchPresets
{
    private static readonly Dictionary<string, Func<SearchRecipe>> Presets = new(StringComparer.Ordinal)
    {
        ["lenet5"] = () => LeNet5,
        ["resnet20"] = () => ResNet20,
    };

    /// <summary>Names that <see cref="Create"/> knows.</summary>
    public static IReadOnlyCollection<string> Names => Presets.Keys;

    /// <summary>A recipe by name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="AdmmKitException">There is no such recipe; the nearest name is suggested.</exception>
    public static SearchRecipe Create(string name) => Presets.TryGetValue(name, out var create)
        ? create() : throw new AdmmKitException(AdmmKit.Names.Unknown("preset", name, Names));

    /// <summary>Recipes of the same network to show beside what a preset finds: the paper's 85x, split by hand.</summary>
    /// <param name="preset">The preset's name; null for a recipe that is none.</param>
    public static IReadOnlyDictionary<string, Recipe> Beside(string? preset) => preset != "lenet5" ? new Dictionary<string, Recipe>()
        : new Dictionary<string, Recipe>
        {
            ["85x split by hand"] = PaperRecipes.Full with { Prune = [.. PaperRecipes.Full.Prune.Where(p => p.Name is "40x" or "85x")], Quantize = null },
        };

    /// <summary>How to compress a network within a drop of accuracy.</summary>
    /// <param name="architecture">The network.</param>
    /// <param name="maxDrop">How many points the file may lie below the dense network on the validation images.</param>
    /// <param name="seed">The seed of every random choice.</param>
    public static DropRecipe WithinDrop(string architecture, double maxDrop, ulong seed = 1) => new()
    {
        Network = new() { Architecture = architecture, Seed = seed, Pretrain = new() { Epochs = 8 } },
        MaxDrop = maxDrop,
        // Conv1 keeps less than there: above 0.6 its positions would take more bytes than they save.
        InitialKeepFraction = architecture.StartsWith("lenet5", StringComparison.Ordinal)
            ? new Dictionary<string, double>(Han) { ["conv1"] = 0.5 } : new Dictionary<string, double>(),
    };

    /// <summary>
    /// The same for a network with batch normalizations that is trained already. The loss does not depend on how large the weights
    /// before one are, so that only a strong penalty brings them to their projection: rho is seven times the paper's and more than
    /// doubles with each iteration, however few they are; learning rates are halved, since the network is not to be learnt anew.
    /// </summary>
    /// <param name="recipe">How to compress within a drop of accuracy.</param>
    public static DropRecipe ForNormalized(DropRecipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        static AdmmRecipe Admm(AdmmRecipe admm) => admm with
        {
            Rho = 2e-2f,
            RhoGrowth = Math.Max(admm.RhoGrowth, 2.5f),
            LearningRate = admm.LearningRate / 2,
        };
        static TrainingRecipe Training(TrainingRecipe training) => training with { LearningRate = training.LearningRate / 2 };
        static QuantizeRecipe Quantize(QuantizeRecipe quantize) => quantize with
        {
            Admm = Admm(quantize.Admm),
            RoundTraining = Training(quantize.RoundTraining),
        };
        return recipe with
        {
            Probe = recipe.Probe with { Admm = Admm(recipe.Probe.Admm), Retrain = Training(recipe.Probe.Retrain) },
            Stage = recipe.Stage with { Admm = Admm(recipe.Stage.Admm), Retrain = Training(recipe.Stage.Retrain) },
            FinalTraining = Training(recipe.FinalTraining),
            Bits = recipe.Bits with { Probe = Quantize(recipe.Bits.Probe), Final = Quantize(recipe.Bits.Final) },
        };
    }

    private static Dictionary<string, double> Han => new() { ["conv1"] = 0.66, ["conv2"] = 0.12, ["fc1"] = 0.08, ["fc2"] = 0.19 };

    // It begins with the shares of [Han2015], 12x, as the paper does: conv1 keeps two thirds there.
    private static SearchRecipe LeNet5 => new()
    {
        Network = new() { Architecture = "lenet5-relu", Pretrain = new() { Epochs = 8 } },
        InitialKeepFraction = Han,
        ProbeBudget = 0.5,
        Probe = new() { TrainingImages = 20_000 },
        Final = new() { Admm = new() { Iterations = 10, RhoGrowth = 1.3f }, Retrain = new() { Epochs = 12, LearningRate = 2e-3 } },
        Bits = new()
        {
            ProbeBudget = 0.2,
            Final = new() { Admm = new() { Iterations = 6, RhoGrowth = 1.5f }, Rounds = [0.5, 0.75, 0.9, 0.97], RoundTraining = new() { Epochs = 3, LearningRate = 2e-3 }, Biases = new() { Epochs = 2 } },
        },
    };

    // No shares were published for it; the fully connected layer is pruned moderately, as sec. 5.1 in [Ren2019] advises.
    private static SearchRecipe ResNet20 => new()
    {
        Network = new() { Architecture = "resnet20", Pretrained = "results/resnet20/resnet20.safetensors", MaxShift = 4, Flip = true },
        OtherKeepFraction = 0.6,
        InitialKeepFraction = new Dictionary<string, double> { ["linear"] = 0.3 },
        Held = ["linear"],
        ProbeBudget = 3,
        Bisections = 4,
        LargestReduction = 2.4,
        Probe = new() { TrainingImages = 6_000, Admm = new() { Iterations = 2, Rho = 1e-2f, RhoGrowth = 5, LearningRate = 5e-4 }, Retrain = new() { Epochs = 2, LearningRate = 1e-3 } },
        Final = new() { Admm = new() { Iterations = 4, Rho = 5e-3f, RhoGrowth = 2.5f, LearningRate = 5e-4 }, Retrain = new() { Epochs = 7, LearningRate = 1.5e-3 } },
    };
}
