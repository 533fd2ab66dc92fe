namespace AdmmKit.Experiments.Recipes;

/// <summary>Everything that a compression run depends on besides the data. Written to and read from JSON.</summary>
public sealed record Recipe
{
    /// <summary>
    /// The architecture, one of <see cref="Networks.NetworkSpec.Architectures"/>; or <see cref="RecipeNetwork.OfFile"/> for that of the
    /// file in <see cref="Pretrained"/>.
    /// </summary>
    public string Architecture { get; init; } = "lenet5";

    /// <summary>The seed of every random choice.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Images in a mini-batch.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Training images are moved by up to this many pixels each way; 0 for none.</summary>
    public int MaxShift { get; init; } = 1;

    /// <summary>Whether training images are mirrored left to right with probability 1/2.</summary>
    public bool Flip { get; init; }

    /// <summary>How many training images are used, from the first on; all if not given.</summary>
    public int? TrainingImages { get; init; }

    /// <summary>
    /// A file with the dense network (.safetensors, .admm or Caffe's .caffemodel), in place of <see cref="Pretrain"/>; null for none.
    /// </summary>
    public string? Pretrained { get; init; }

    /// <summary>Training of the dense network.</summary>
    public TrainingRecipe Pretrain { get; init; } = new();

    /// <summary>Prunings in order; each starts from the one before and keeps its zeros.</summary>
    public IReadOnlyList<PruneRecipe> Prune { get; init; } = [];

    /// <summary>Quantization of the last pruning's survivors; null for none.</summary>
    public QuantizeRecipe? Quantize { get; init; }

    /// <summary>Learning from the dense network's outputs beside the labels, in all phases after it; null for the labels alone.</summary>
    public SoftTargetsRecipe? SoftTargets { get; init; }
}

/// <summary>Knowledge distillation from the dense network, which <see cref="Engine.SoftTargets"/> describes.</summary>
public sealed record SoftTargetsRecipe
{
    /// <summary>Share of the loss that follows the dense network, 0 to 1; the labels have the rest.</summary>
    public double Weight { get; init; } = 0.5;

    /// <summary>What both networks' outputs are divided by before softmax, positive.</summary>
    public double Temperature { get; init; } = 4;
}

/// <summary>A phase of plain training with Adam; the learning rate falls along a cosine.</summary>
public sealed record TrainingRecipe
{
    /// <summary>Passes over the training images.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>The first learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;
}

/// <summary>A phase of ADMM.</summary>
public sealed record AdmmRecipe
{
    /// <summary>Iterations.</summary>
    public int Iterations { get; init; } = 10;

    /// <summary>Passes over the training images in one iteration.</summary>
    public int EpochsPerIteration { get; init; } = 1;

    /// <summary>The first learning rate.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>The learning rate that the last step approaches along a cosine; the first one if not given.</summary>
    public double? FinalLearningRate { get; init; }

    /// <summary>The penalty rho in the first iteration; the paper's 3e-3, sec. 3.4.1, if not given.</summary>
    public float Rho { get; init; } = 3e-3f;

    /// <summary>Layers with a first rho of their own, by name; it grows as the others do.</summary>
    public IReadOnlyDictionary<string, float> RhoPerLayer { get; init; } = new Dictionary<string, float>();

    /// <summary>Factor of rho from one iteration to the next; 1 in the paper.</summary>
    public float RhoGrowth { get; init; } = 1;
}

/// <summary>One pruning: which weights go, then masked retraining.</summary>
public sealed record PruneRecipe
{
    /// <summary>Names the stage in tables, files and pictures, such as "85x".</summary>
    public string Name { get; init; } = "prune";

    /// <summary>
    /// What decides: <see cref="PruneMethods.Admm"/>; or, to compare with, the weights' magnitudes as they are, or after
    /// training with an L1 penalty.
    /// </summary>
    public string Method { get; init; } = PruneMethods.Admm;

    /// <summary>alpha_i by layer: weights that stay. A layer in neither map stays dense.</summary>
    public IReadOnlyDictionary<string, int> Survivors { get; init; } = new Dictionary<string, int>();

    /// <summary>Share of a layer's weights that stay, by layer, in (0, 1].</summary>
    public IReadOnlyDictionary<string, double> KeepFraction { get; init; } = new Dictionary<string, double>();

    /// <summary>
    /// Weights that stay in all, shared among the layers by a sensitivity scan of the network before the pruning; in place of
    /// the two maps.
    /// </summary>
    public int? TotalSurvivors { get; init; }

    /// <summary>
    /// Weights that stay in all, with one budget for the whole network that each projection of ADMM shares anew (footnote 1 in
    /// [Ren2019]); in place of the two maps.
    /// </summary>
    public int? NetworkSurvivors { get; init; }

    /// <summary>Whole filters or neurons that stay, by layer: structure, to be pruned before single weights. Goes with no other count.</summary>
    public IReadOnlyDictionary<string, int> Rows { get; init; } = new Dictionary<string, int>();

    /// <summary>
    /// What a survivor's place costs in the file, for the method "admm": with <see cref="NetworkSurvivors"/>, or in place of any
    /// count; null where all places cost the same.
    /// </summary>
    public RateRecipe? Rate { get; init; }

    /// <summary>The ADMM phase; for the method "admm".</summary>
    public AdmmRecipe Admm { get; init; } = new() { RhoGrowth = 1.3f };

    /// <summary>Training with the L1 penalty; for the method "l1".</summary>
    public L1Recipe L1 { get; init; } = new();

    /// <summary>The masked retraining.</summary>
    public TrainingRecipe Retrain { get; init; } = new();

    /// <summary>
    /// Whether weights without effect go too, after the pruning and again after retraining: <see cref="Purification.UnusedPaths"/>.
    /// </summary>
    public bool RemoveUnused { get; init; }

    /// <summary>
    /// At the same two places, near-empty outputs and input channels go as long as the validation accuracy bears it, and what is
    /// without effect then; null for none.
    /// </summary>
    public PurifyRecipe? Purify { get; init; }
}

/// <summary>What near-empty is, and what its removal may cost: <see cref="Purification.PurificationOptions"/>.</summary>
public sealed record PurifyRecipe
{
    /// <summary>An output or input channel of a layer with at most so many survivors is near-empty; 0 for none.</summary>
    public int Survivors { get; init; } = 1;

    /// <summary>One with at most this share of the mean norm among the living ones of its layer is, too; 0 for none.</summary>
    public double NormShare { get; init; }

    /// <summary>Points of validation accuracy that may be lost at each of the two places.</summary>
    public double MaxDrop { get; init; } = 0.05;
}

/// <summary>Pruning that counts bits: <see cref="Constraints.RateAwareCardinality"/>.</summary>
public sealed record RateRecipe
{
    /// <summary>Loss that a bit of a survivor's position is worth; left out with <see cref="CodedBytes"/>, which finds it.</summary>
    public double Lambda { get; init; }

    /// <summary>Bytes that positions and values may take by the model of the costs, in place of a number of survivors.</summary>
    public int? CodedBytes { get; init; }

    /// <summary>Bits that the value of a survivor will take on average, for <see cref="CodedBytes"/>.</summary>
    public double ValueBits { get; init; } = 2.5;
}

/// <summary>What decides which weights are pruned.</summary>
public static class PruneMethods
{
    /// <summary>ADMM, sec. 3 in [Ren2019].</summary>
    public const string Admm = "admm";

    /// <summary>The smallest weights go.</summary>
    public const string Magnitude = "magnitude";

    /// <summary>The smallest weights go after training with an L1 penalty.</summary>
    public const string L1 = "l1";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Admm, Magnitude, L1];
}

/// <summary>Training with lambda ||W||_1 added to the loss.</summary>
public sealed record L1Recipe
{
    /// <summary>lambda.</summary>
    public float Lambda { get; init; } = 1e-5f;

    /// <summary>Length and learning rate.</summary>
    public TrainingRecipe Training { get; init; } = new();
}

/// <summary>Quantization of what the prunings left, then training of the biases.</summary>
public sealed record QuantizeRecipe
{
    /// <summary>Where the values come from: one of <see cref="QuantizeMethods.All"/>.</summary>
    public string Method { get; init; } = QuantizeMethods.Levels;

    /// <summary>Bits of a convolution's weights, 1 to 8; for the methods "levels", "joint" and "clusters".</summary>
    public int ConvolutionBits { get; init; } = 3;

    /// <summary>Bits of a fully connected layer's weights, 1 to 8; for the same methods.</summary>
    public int FullyConnectedBits { get; init; } = 2;

    /// <summary>Bits of single layers, by name, in place of the two above.</summary>
    public IReadOnlyDictionary<string, int> Bits { get; init; } = new Dictionary<string, int>();

    /// <summary>alpha_i of every layer, for the method "joint".</summary>
    public IReadOnlyDictionary<string, int> Survivors { get; init; } = new Dictionary<string, int>();

    /// <summary>The ADMM phase; for all methods but "clusters".</summary>
    public AdmmRecipe Admm { get; init; } = new() { Iterations = 12, FinalLearningRate = 1e-5, RhoGrowth = 1.6f };

    /// <summary>Whether q_i is searched anew in each iteration; the paper finds it once, sec. 3.1.</summary>
    public bool SearchIntervalEachIteration { get; init; }

    /// <summary>
    /// Loss that a bit of a value is worth, for the method "levels" without rounds: levels that are rare cost more
    /// (<see cref="Constraints.RateAwareLevels"/>). 0 takes the nearest level.
    /// </summary>
    public double LevelRate { get; init; }

    /// <summary>
    /// Share of the survivors that stand at their levels after each round of snapping, rising, in (0, 1); empty to snap all
    /// at once.
    /// </summary>
    public IReadOnlyList<double> Rounds { get; init; } = [];

    /// <summary>Which survivors are set first: "largest" or "nearest" (to their levels).</summary>
    public string RoundOrder { get; init; } = QuantizeMethods.LargestFirst;

    /// <summary>Training of the others after each round.</summary>
    public TrainingRecipe RoundTraining { get; init; } = new() { Epochs = 2 };

    /// <summary>
    /// Training of the biases after the snap; null for none. For the method "clusters": training of the shared values and
    /// the biases.
    /// </summary>
    public TrainingRecipe? Biases { get; init; } = new() { Epochs = 1 };

    /// <summary>
    /// Bits of a bias, 2 to 12; intervals then have few bits too, and rows are written in the order that costs least. Null to keep
    /// biases and intervals in float32 and rows where they are.
    /// </summary>
    public int? BiasBits { get; init; }
}

/// <summary>Where the values of quantized weights come from.</summary>
public static class QuantizeMethods
{
    /// <summary>Equal-distance levels without zero for the survivors, by ADMM, sec. 3.4.2 in [Ren2019].</summary>
    public const string Levels = "levels";

    /// <summary>-q, 0 and q for all weights that are left, by ADMM.</summary>
    public const string Ternary = "ternary";

    /// <summary>Pruning and levels in one projection, by ADMM; sec. 3.3 in [Ren2019] argues against it.</summary>
    public const string Joint = "joint";

    /// <summary>Shared values found by k-means, as in Deep Compression.</summary>
    public const string Clusters = "clusters";

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Levels, Ternary, Joint, Clusters];

    /// <summary>In rounds of snapping, the largest weights first.</summary>
    public const string LargestFirst = "largest";

    /// <summary>In rounds of snapping, the weights nearest to their levels first.</summary>
    public const string NearestFirst = "nearest";
}
