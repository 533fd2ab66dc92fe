namespace AdmmKit.Experiments.Recipes;

/// <summary>Everything that a search for the layers' shares depends on besides data, objective and platform. Written to and read from JSON.</summary>
public sealed record SearchRecipe
{
    /// <summary>The network and how it is trained; without prune and quantize, which the search fills in.</summary>
    public Recipe Network { get; init; } = new();

    /// <summary>alpha_i with which the search begins, as shares of the layers' weights, by layer.</summary>
    public IReadOnlyDictionary<string, double> InitialKeepFraction { get; init; } = new Dictionary<string, double>();

    /// <summary>The same for layers that are not named.</summary>
    public double OtherKeepFraction { get; init; } = 0.5;

    /// <summary>Layers that keep their initial share.</summary>
    public IReadOnlyList<string> Held { get; init; } = [];

    /// <summary>How many points a probe's validation accuracy may lie below that of the dense network.</summary>
    public double ProbeBudget { get; init; } = 1;

    /// <summary>The largest reduction that is tried; exp(-this) is what it leaves of the costliest layer's initial share.</summary>
    public double LargestReduction { get; init; } = 3;

    /// <summary>Probes of each binary search.</summary>
    public int Bisections { get; init; } = 5;

    /// <summary>How a candidate is tried.</summary>
    public ProbeRecipe Probe { get; init; } = new();

    /// <summary>How the candidate that was found is pruned in full; its shares are filled in.</summary>
    public PruneRecipe Final { get; init; } = new() { Retrain = new() { LearningRate = 2e-3 } };

    /// <summary>The search for bits after pruning; null for no quantization.</summary>
    public BitsRecipe? Bits { get; init; }
}

/// <summary>A short compression: what one probe does.</summary>
public sealed record ProbeRecipe
{
    /// <summary>How many training images it sees, from the first on; all if not given.</summary>
    public int? TrainingImages { get; init; } = 20_000;

    /// <summary>The ADMM phase.</summary>
    public AdmmRecipe Admm { get; init; } = new() { Iterations = 2, RhoGrowth = 3 };

    /// <summary>The masked retraining.</summary>
    public TrainingRecipe Retrain { get; init; } = new() { Epochs = 2, LearningRate = 2e-3 };
}

/// <summary>The search for bits: convolutions give them up first, sec. 5.2 in [Ren2019].</summary>
public sealed record BitsRecipe
{
    /// <summary>Bits with which it begins, 1 to 8.</summary>
    public int MostBits { get; init; } = 5;

    /// <summary>Bits below which it does not go.</summary>
    public int FewestBits { get; init; } = 2;

    /// <summary>How many points a probe may lie below the pruned network.</summary>
    public double ProbeBudget { get; init; } = 0.3;

    /// <summary>How a probe quantizes; bits are filled in.</summary>
    public QuantizeRecipe Probe { get; init; } = new() { Admm = new() { Iterations = 2, FinalLearningRate = 1e-5, RhoGrowth = 10 } };

    /// <summary>How the network is quantized in full; bits are filled in.</summary>
    public QuantizeRecipe Final { get; init; } = new();
}
