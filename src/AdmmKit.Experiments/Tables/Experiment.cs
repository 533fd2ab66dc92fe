using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Results;

namespace AdmmKit.Experiments.Tables;

/// <summary>One line of an experiment: a model that one of its recipes makes, with what the paper prints about it.</summary>
/// <param name="Row">The line's name.</param>
/// <param name="Variant">Which of the experiment's recipes.</param>
/// <param name="Model">Which model of the run: "dense", the name of a pruning, or "quantized".</param>
public sealed record ExperimentLine(string Row, string Variant, string Model)
{
    /// <summary>Printed values by quantity, as in <see cref="ResultRow.Quantity"/>.</summary>
    public IReadOnlyDictionary<string, double> Printed { get; init; } = new Dictionary<string, double>();

    /// <summary>What lines have in common whose names differ in their last word alone: "ADMM 40x" and "ADMM 85x" are on one curve.</summary>
    public string Curve => CurveOf(Row);

    /// <summary>A row's name without its last word.</summary>
    /// <param name="row">The name.</param>
    internal static string CurveOf(string row) => row.LastIndexOf(' ') is var end and > 0 ? row[..end] : row;

    /// <summary>Where the line stands on the x axis of the experiment's picture; null where it has none.</summary>
    public double? X { get; init; }
}

/// <summary>A table or claim of the paper: recipes to run, for several seeds each, and lines to fill.</summary>
/// <param name="Name">Names it on the command line, and its folder of results.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Variants">The recipes by name.</param>
/// <param name="Lines">The lines.</param>
public sealed record Experiment(
    string Name, string Title, IReadOnlyDictionary<string, Recipe> Variants, IReadOnlyList<ExperimentLine> Lines)
{
    /// <summary>Lines that only the paper has.</summary>
    public IReadOnlyList<ResultRow> Others { get; init; } = [];

    /// <summary>An accuracy in %: for each curve a row says up to which compressionRatio its mean reaches it; null for none.</summary>
    public double? BestAt { get; init; }

    /// <summary>
    /// Models up to this size are published. Barely pruned networks in float32 would make up most of a folder; they stay in the store.
    /// </summary>
    public int PublishedBytes { get; init; } = 120_000;

    /// <summary>The title of a picture of test error over the bytes of the complete files; null for no such picture.</summary>
    public string? FrontierTitle { get; init; }

    /// <summary>What the x axis of its picture shows; null for no such picture. The axis is logarithmic.</summary>
    public string? XTitle { get; init; }
}
