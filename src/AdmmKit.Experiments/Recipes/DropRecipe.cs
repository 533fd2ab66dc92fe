namespace AdmmKit.Experiments.Recipes;

/// <summary>
/// Compression as far as an allowed drop of accuracy goes: all that <see cref="Search.DropSearch"/> needs besides data and
/// objective.
/// </summary>
public sealed record DropRecipe
{
    /// <summary>The network and how it is trained; without prune and quantize, which are what is searched.</summary>
    public Recipe Network { get; init; } = new();

    /// <summary>How many points the decoded file may lie below the dense network on the validation images.</summary>
    public double MaxDrop { get; init; } = 0.2;

    /// <summary>Share of the drop that pruning may use up; the rest is for quantization.</summary>
    public double PrunedPart { get; init; } = 0.75;

    /// <summary>How many points more a probe may lie below than a stage in full, which recovers more.</summary>
    public double ProbeMargin { get; init; } = 0.3;

    /// <summary>Shares of the layers' weights with which the first search begins, by layer.</summary>
    public IReadOnlyDictionary<string, double> InitialKeepFraction { get; init; } = new Dictionary<string, double>();

    /// <summary>The same for layers that are not named.</summary>
    public double OtherKeepFraction { get; init; } = 0.3;

    /// <summary>The largest reduction that a stage tries: exp(-this) is what it leaves of the costliest layer.</summary>
    public double LargestReduction { get; init; } = 1.6;

    /// <summary>Probes of the binary search of a stage.</summary>
    public int Bisections { get; init; } = 3;

    /// <summary>Probes of a stage, at most, that push single layers.</summary>
    public int Refinements { get; init; } = 6;

    /// <summary>How a candidate is tried.</summary>
    public ProbeRecipe Probe { get; init; } = new();

    /// <summary>How a stage prunes in full; its name and shares are filled in.</summary>
    public PruneRecipe Stage { get; init; } = new()
    {
        Admm = new() { Iterations = 6, RhoGrowth = 1.5f },
        Retrain = new() { Epochs = 8, LearningRate = 2e-3 },
    };

    /// <summary>Stages at most.</summary>
    public int MostStages { get; init; } = 8;

    /// <summary>How often a stage that lost too much is tried again, half as far each time.</summary>
    public int BackOffs { get; init; } = 2;

    /// <summary>Training of what the last stage left, kept where it helps.</summary>
    public TrainingRecipe FinalTraining { get; init; } = new() { Epochs = 16, LearningRate = 2e-3 };

    /// <summary>The search for bits, and the quantization.</summary>
    public BitsRecipe Bits { get; init; } = new()
    {
        ProbeBudget = 0.1,
        Final = new()
        {
            Admm = new() { Iterations = 6, RhoGrowth = 1.5f },
            Rounds = [0.5, 0.75, 0.9, 0.97],
            RoundTraining = new() { Epochs = 3, LearningRate = 2e-3 },
            Biases = new() { Epochs = 2 },
        },
    };
}
