using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;

namespace AdmmKit.Experiments.Tables;

/// <summary>
/// The recipes of our experiments. All train LeNet-5 with a ReLU after each pooling, as the authors' public TensorFlow code
/// does, on images that are moved by up to one pixel; how the paper's survivors are split among the layers was never
/// published.
/// </summary>
public static class PaperRecipes
{
    private const string Architecture = "lenet5-relu";

    /// <summary>Every step for real, at a moderate ratio, in about a minute.</summary>
    public static Recipe Quick { get; } = new()
    {
        Architecture = Architecture,
        Pretrain = new() { Epochs = 4 },
        Prune =
        [
            new()
            {
                Name = "quick 40x",
                Survivors = Alpha(150, 4_000, 6_000, 600),
                Admm = new() { Iterations = 5, RhoGrowth = 1.7f },
                Retrain = new() { Epochs = 4, LearningRate = 2e-3 },
            },
        ],
        Quantize = new() { Admm = new() { Iterations = 5, FinalLearningRate = 1e-5, RhoGrowth = 3 } },
    };

    /// <summary>The paper's points, 85x and 167x, in stages that keep their zeros, then 3 bits (conv) and 2 bits (fc).</summary>
    public static Recipe Full { get; } = Dense with
    {
        Prune = [Stage40, Stage("85x", Alpha(110, 2_050, 2_560, 340), 10, 12), Stage("167x", Alpha(82, 1_170, 1_080, 240), 14, 16)],
        Quantize = new()
        {
            Admm = new() { Iterations = 6, RhoGrowth = 1.5f },
            Rounds = [0.25, 0.5, 0.7, 0.85, 0.93, 0.97, 0.99],
            RoundTraining = new() { Epochs = 4, LearningRate = 2e-3 },
            Biases = new() { Epochs = 3 },
        },
    };

    /// <summary>The stages of <see cref="Full"/> up to 85x with as many survivors, shared among the layers by the scan that the baselines use.</summary>
    public static Recipe Scanned { get; } = Full with
    {
        Prune =
        [
            .. Full.Prune.Where(p => p.Name is "40x" or "85x").Select(p => p with
            {
                Survivors = new Dictionary<string, int>(),
                TotalSurvivors = p.Survivors.Values.Sum(),
            }),
        ],
        Quantize = null,
    };

    /// <summary>Magnitude pruning at once, then masked retraining.</summary>
    /// <param name="name">Names the stage.</param>
    /// <param name="survivors">Weights that stay, shared among the layers by a sensitivity scan.</param>
    public static Recipe OneShot(string name, int survivors) => Dense with { Prune = [Magnitude(name, survivors, epochs: 8)] };

    /// <summary>
    /// Iterative magnitude pruning with retraining, [Han2015]: ten rounds of 38 epochs together; ADMM takes 36 from the
    /// dense network to 85x.
    /// </summary>
    public static Recipe Iterative { get; } = Dense with
    {
        Prune = [.. IterativeRounds.Select((r, i) => Magnitude(r.Name, r.Survivors, epochs: i < 6 ? 3 : 5))],
    };

    /// <summary>Training with an L1 penalty, magnitude pruning, masked retraining, in rising stages.</summary>
    public static Recipe L1 { get; } = Dense with
    {
        Prune =
        [
            .. IterativeRounds.Where(r => r.Name is "12x" or "20x" or "40x").Select(r => Magnitude(r.Name, r.Survivors, epochs: 4) with
            {
                Method = PruneMethods.L1,
                L1 = new() { Lambda = 3e-5f, Training = new() { Epochs = 4 } },
            }),
        ],
    };

    /// <summary>Deep Compression without its Huffman code: iterative pruning to 12x, then shared values of 8 and 5 bits.</summary>
    public static Recipe Clusters { get; } = Iterative with
    {
        Prune = [.. Iterative.Prune.TakeWhile(p => p.Name != "20x")],
        Quantize = new() { Method = QuantizeMethods.Clusters, ConvolutionBits = 8, FullyConnectedBits = 5, Biases = new() { Epochs = 2, LearningRate = 3e-4 } },
    };

    /// <summary>All weights at +-q or, ternary, 0.</summary>
    /// <param name="ternary">Whether zero is a level.</param>
    public static Recipe QuantizedAlone(bool ternary) => Dense with
    {
        Quantize = new()
        {
            Method = ternary ? QuantizeMethods.Ternary : QuantizeMethods.Levels,
            ConvolutionBits = 1,
            FullyConnectedBits = 1,
            Admm = new() { Iterations = 8, RhoGrowth = 1.6f },
            Rounds = [0.5, 0.75, 0.9, 0.97],
            RoundTraining = new() { Epochs = 2, LearningRate = 1e-3 },
        },
    };

    /// <summary>40x with the paper's schedule of rho, a constant.</summary>
    /// <param name="rho">The penalty.</param>
    public static Recipe ConstantRho(float rho) => Dense with
    {
        Prune = [Stage40 with { Admm = new() { Iterations = 12, Rho = rho } }],
    };

    /// <summary>40x, then 3 and 2 bits.</summary>
    public static Recipe PruneThenQuantize { get; } = Dense with
    {
        Prune = [Stage40],
        Quantize = new() { Admm = new() { Iterations = 12, FinalLearningRate = 1e-5, RhoGrowth = 1.6f } },
    };

    /// <summary>40x and 3 and 2 bits by one projection, for as many epochs.</summary>
    public static Recipe PruneAndQuantize { get; } = Dense with
    {
        Quantize = new()
        {
            Method = QuantizeMethods.Joint,
            Survivors = Stage40.Survivors,
            Admm = new() { Iterations = 26, FinalLearningRate = 1e-5, RhoGrowth = 1.25f },
        },
    };

    /// <summary>Moderate prunings by ADMM, each from the one before.</summary>
    public static Recipe Moderate { get; } = Dense with
    {
        Prune = [Even("2x", 0.5), Even("4x", 0.25), Even("8x", 0.125), Even("16x", 0.0625)],
    };

    /// <summary>The name of the only pruning of <see cref="HardConvolutions"/>.</summary>
    public const string HardConvolutionsStage = "pruned";

    /// <summary>Convolutions pruned as hard as at 167x, at once; fully connected layers pruned too, or not. Sec. 5.1 in [Ren2019].</summary>
    /// <param name="fullyConnectedKeepFraction">Share of their weights that both fully connected layers keep; null to leave them dense.</param>
    public static Recipe HardConvolutions(double? fullyConnectedKeepFraction) => Dense with
    {
        Prune =
        [
            new()
            {
                Name = HardConvolutionsStage,
                Survivors = new Dictionary<string, int> { ["conv1"] = 110, ["conv2"] = 1_170 },
                KeepFraction = fullyConnectedKeepFraction is { } keep ? new Dictionary<string, double> { ["fc1"] = keep, ["fc2"] = keep } : new Dictionary<string, double>(),
                Admm = new() { Iterations = 8, RhoGrowth = 1.3f },
                Retrain = new() { Epochs = 8, LearningRate = 2e-3 },
            },
        ],
    };

    /// <summary>
    /// ResNet-20, trained on the first 45,000 images of CIFAR-10, at the compression of the paper's ResNet-50: one budget for the network,
    /// in three stages, then 4 bits.
    /// </summary>
    public static Recipe ResNet20 { get; } = new()
    {
        Architecture = "resnet20",
        Pretrained = "results/resnet20/resnet20.safetensors",
        MaxShift = 4,
        Flip = true,
        Prune = [Whole("3x", 89_445, 2, 4, 2), Whole("7x", 38_333, 3, 2.5f, 3), Whole("17x", 15_784, 3, 2.5f, 6)],
        Quantize = new()
        {
            ConvolutionBits = 4,
            FullyConnectedBits = 4,
            Admm = new() { Iterations = 2, LearningRate = 5e-4, FinalLearningRate = 1e-4, Rho = 1e-2f, RhoGrowth = 4 },
            Rounds = [0.7],
            RoundOrder = QuantizeMethods.NearestFirst,
            RoundTraining = new() { Epochs = 1, LearningRate = 5e-4 },
            Biases = new() { Epochs = 1, LearningRate = 5e-4 },
        },
    };

    /// <summary>A dense network trained for as long as another recipe takes in all.</summary>
    /// <param name="other">The other recipe.</param>
    public static Recipe DenseAsLongAs(Recipe other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other with { Pretrain = other.Pretrain with { Epochs = RecipeFlow.Epochs(other) }, Prune = [], Quantize = null };
    }

    private static Recipe Dense => new() { Architecture = Architecture, Pretrain = new() { Epochs = 8 } };

    private static PruneRecipe Stage40 => Stage("40x", Alpha(150, 4_000, 6_000, 600), 8, 6);

    private static IReadOnlyList<(string Name, int Survivors)> IterativeRounds =>
    [
        ("2x", 215_000), ("3x", 143_500), ("5x", 86_100), ("8x", 53_800), ("12x", 35_800), ("20x", 21_500), ("28x", 15_300),
        ("40x", 10_750), ("60x", 7_170), ("85x", 5_060),
    ];

    /// <summary>The same steps in about a quarter of the epochs; rho rises as far where there is more than one iteration.</summary>
    /// <param name="recipe">The recipe.</param>
    public static Recipe Shortened(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        TrainingRecipe Training(TrainingRecipe t) => t with { Epochs = Quarter(t.Epochs) };
        AdmmRecipe Admm(AdmmRecipe a) => a with
        {
            Iterations = Quarter(a.Iterations),
            RhoGrowth = MathF.Pow(a.RhoGrowth, Math.Max(1f, a.Iterations - 1) / Math.Max(1, Quarter(a.Iterations) - 1)),
        };
        return recipe with
        {
            Pretrain = Training(recipe.Pretrain),
            Prune = [.. recipe.Prune.Select(p => p with
            {
                Admm = Admm(p.Admm),
                L1 = p.L1 with { Training = Training(p.L1.Training) },
                Retrain = Training(p.Retrain),
            })],
            Quantize = recipe.Quantize is not { } q ? null : q with
            {
                Admm = Admm(q.Admm),
                RoundTraining = Training(q.RoundTraining),
                Biases = q.Biases is { } b ? Training(b) : null,
            },
        };
    }

    private static int Quarter(int count) => (count + 3) / 4;

    private static PruneRecipe Stage(string name, IReadOnlyDictionary<string, int> survivors, int iterations, int retrainEpochs) => new()
    {
        Name = name,
        Survivors = survivors,
        Admm = new() { Iterations = iterations, RhoGrowth = 1.3f },
        Retrain = new() { Epochs = retrainEpochs, LearningRate = 2e-3 },
    };

    private static PruneRecipe Even(string name, double keepFraction) => new()
    {
        Name = name,
        KeepFraction = new Dictionary<string, double> { ["conv1"] = keepFraction, ["conv2"] = keepFraction, ["fc1"] = keepFraction, ["fc2"] = keepFraction },
        Admm = new() { Iterations = 3, RhoGrowth = 3 },
        Retrain = new() { Epochs = 3 },
    };

    private static PruneRecipe Whole(string name, int survivors, int iterations, float growth, int retrainEpochs) => new()
    {
        Name = name,
        NetworkSurvivors = survivors,
        Admm = new() { Iterations = iterations, LearningRate = 5e-4, Rho = 5e-3f, RhoGrowth = growth },
        Retrain = new() { Epochs = retrainEpochs, LearningRate = 1.5e-3 },
    };

    private static PruneRecipe Magnitude(string name, int survivors, int epochs) => new()
    {
        Name = name,
        Method = PruneMethods.Magnitude,
        TotalSurvivors = survivors,
        Retrain = new() { Epochs = epochs, LearningRate = 2e-3 },
    };

    private static Dictionary<string, int> Alpha(int conv1, int conv2, int fc1, int fc2) =>
        new() { ["conv1"] = conv1, ["conv2"] = conv2, ["fc1"] = fc1, ["fc2"] = fc2 };
}
