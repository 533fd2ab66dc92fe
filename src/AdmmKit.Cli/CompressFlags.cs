using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Search;
using AdmmKit.Networks;

namespace AdmmKit.Cli;

/// <summary>The flags of <c>compress</c> that stand for a recipe.</summary>
internal sealed class CompressFlags(Option<string?> architecture, Option<ulong> seed)
{
    private readonly Option<string[]> survivors = new("--survivors")
    {
        Description = "Weights that stay, by layer; repeatable.",
        HelpName = "LAYER=COUNT",
    };

    private readonly Option<string[]> keep = new("--keep-fraction")
    {
        Description = "Share of the weights that stay, by layer or for all; repeatable. Default 0.1 where no network is given.",
        HelpName = "[LAYER=]F",
    };

    private readonly Option<int?> convBits = new("--conv-bits")
    {
        Description = "Bits a weight of convolutions, 1 to 8. Default 3.",
        HelpName = "N",
    };

    private readonly Option<int?> fcBits = new("--fc-bits")
    {
        Description = "Bits a weight of fully connected layers, 1 to 8. Default 2.",
        HelpName = "N",
    };

    private readonly Option<float?> rho = new("--rho")
    {
        Description = "ADMM penalty in the first iteration. Default 0.003.",
        HelpName = "R",
    };

    private readonly Option<int?> iterations = new("--iterations")
    {
        Description = "ADMM iterations, an epoch each, for pruning and for quantizing. Default 10.",
        HelpName = "K",
    };

    private readonly Option<int?> epochs = new("--epochs")
    {
        Description = "Epochs of pretraining and of retraining. Default 10.",
        HelpName = "E",
    };

    private readonly Option<int?> images = new("--training-images")
    {
        Description = "Learns from the first so many training images alone, to be done sooner. Default: all.",
        HelpName = "N",
    };

    /// <summary>What a recipe in a file says, and therefore must not be said beside it.</summary>
    public IReadOnlyList<Option> All => [survivors, keep, convBits, fcBits, rho, iterations, epochs, images, seed];

    /// <summary>What an accuracy budget chooses.</summary>
    public IReadOnlyList<Option> Chosen => [survivors, keep, convBits, fcBits, rho];

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { survivors, keep, convBits, fcBits, rho, iterations, epochs, images })
        {
            command.Options.Add(option);
        }
    }

    /// <summary>Whether how far to prune is said.</summary>
    public bool SayHowFar(SymbolResult result) => result.GetResult(survivors) is not null || result.GetResult(keep) is not null;

    /// <summary>The recipe that the flags stand for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="given">The network that is compressed, and its file; null to train one.</param>
    public Recipe Says(ParseResult parsed, GivenModel? given)
    {
        string name = parsed.GetValue(architecture) ?? "lenet5";
        NetworkSpec spec = given?.Spec ?? NetworkSpec.Create(name, NetworkSpec.Mnist, 10);
        var counts = new Dictionary<string, int>();
        foreach (string item in parsed.GetValue(survivors) ?? [])
        {
            (string layer, string value) = Split(item, "--survivors");
            if (counts.ContainsKey(layer))
            {
                throw new AdmmKitException($"--survivors {item}: '{layer}' has a number already: give one.");
            }

            counts[layer] = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int count)
                ? count : throw new AdmmKitException($"--survivors {item}: '{value}' is not a whole number of weights. Write conv1=100.");
        }

        var shares = new Dictionary<string, double>();
        double? others = null;
        foreach (string item in parsed.GetValue(keep) ?? [])
        {
            (string layer, string value) = Split(item.Contains('=', StringComparison.Ordinal) ? item : "=" + item, "--keep-fraction");
            double fraction = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out double f)
                ? f : throw new AdmmKitException($"--keep-fraction {item}: '{value}' is not a number. Write 0.1 for all layers, or {spec.Layers[^1].Name}=0.1.");
            if (fraction is not (> 0 and <= 1))
            {
                throw new AdmmKitException($"--keep-fraction {item}: a share of the weights is above 0 and at most 1.");
            }

            if (layer.Length > 0 ? !shares.TryAdd(layer, fraction) : others is not null)
            {
                throw new AdmmKitException($"--keep-fraction {item}: {(layer.Length > 0 ? $"'{layer}' has a share" : "there is one for all layers")} already: give one.");
            }

            others = layer.Length > 0 ? others : fraction;
        }

        // A layer's own share counts, wherever it stands.
        foreach (LayerInfo rest in spec.Layers.Where(l => others is not null && !counts.ContainsKey(l.Name)))
        {
            shares.TryAdd(rest.Name, others!.Value);
        }

        if (counts.Count + shares.Count == 0)
        {
            shares = spec.Layers.ToDictionary(l => l.Name, _ => 0.1);
        }

        int rounds = parsed.GetValue(iterations) ?? 10;
        int passes = parsed.GetValue(epochs) ?? 10;
        float penalty = parsed.GetValue(rho) ?? 3e-3f;
        return Network(parsed, given, passes) with
        {
            Prune =
            [
                new()
                {
                    Survivors = counts,
                    KeepFraction = shares,
                    Admm = new() { Iterations = rounds, Rho = penalty, RhoGrowth = 1.4f },
                    Retrain = new() { Epochs = passes, LearningRate = 2e-3 },
                },
            ],
            Quantize = new()
            {
                ConvolutionBits = parsed.GetValue(convBits) ?? 3,
                FullyConnectedBits = parsed.GetValue(fcBits) ?? 2,
                Admm = new() { Iterations = rounds, Rho = penalty, RhoGrowth = 1.8f, FinalLearningRate = 1e-5 },
            },
        };
    }

    /// <summary>What --max-drop stands for.</summary>
    public DropRecipe Within(ParseResult parsed, double points, GivenModel? given)
    {
        DropRecipe recipe = SearchPresets.WithinDrop(given?.Spec.Name ?? parsed.GetValue(architecture) ?? "lenet5", points);
        recipe = recipe with { Network = Network(parsed, given, parsed.GetValue(epochs) ?? recipe.Network.Pretrain.Epochs) };
        if (parsed.GetValue(epochs) is { } passes)
        {
            recipe = recipe with
            {
                Stage = recipe.Stage with { Retrain = recipe.Stage.Retrain with { Epochs = passes } },
                FinalTraining = recipe.FinalTraining with { Epochs = passes },
            };
        }

        if (parsed.GetValue(iterations) is { } count)
        {
            QuantizeRecipe final = recipe.Bits.Final;
            recipe = recipe with
            {
                Stage = recipe.Stage with { Admm = recipe.Stage.Admm with { Iterations = count } },
                Bits = recipe.Bits with { Final = final with { Admm = final.Admm with { Iterations = count } } },
            };
        }

        return given?.Spec.Normalizations.Count > 0 ? SearchPresets.ForNormalized(recipe) : recipe;
    }

    /// <summary>The network: the one that is given, or one to train.</summary>
    private Recipe Network(ParseResult parsed, GivenModel? given, int pretraining)
    {
        var recipe = new Recipe { Seed = parsed.GetValue(seed), TrainingImages = parsed.GetValue(images) };
        return given?.Start(recipe)
            ?? recipe with { Architecture = parsed.GetValue(architecture) ?? "lenet5", Pretrain = new() { Epochs = pretraining } };
    }

    private static (string Layer, string Value) Split(string item, string option)
    {
        int at = item.LastIndexOf('=');
        return at >= 0 ? (item[..at], item[(at + 1)..])
            : throw new AdmmKitException($"{option} {item}: write LAYER=VALUE, such as conv1=100.");
    }
}
