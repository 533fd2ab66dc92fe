using AdmmKit.Constraints;
using AdmmKit.Networks;
using AdmmKit.Purification;

namespace AdmmKit.Experiments.Recipes;

/// <summary>Finds what is wrong with a recipe before anything is trained, and turns it into constraints.</summary>
internal static class RecipeChecks
{
    /// <summary>What a survivor's place costs, by the model that all rate-aware prunings take.</summary>
    private static RowColumnCosts Costs => new();

    public static void Check(Recipe recipe, NetworkSpec spec)
    {
        Range("batchSize", recipe.BatchSize, 1, 4096);
        Range("maxShift", recipe.MaxShift, 0, Math.Min(spec.Input.Height, spec.Input.Width) / 2);
        Training("pretrain", recipe.Pretrain);
        if (recipe.TrainingImages is { } images)
        {
            Range("trainingImages", images, recipe.BatchSize, int.MaxValue);
        }

        foreach (PruneRecipe stage in recipe.Prune)
        {
            string where = $"prune '{stage.Name}'";
            if (recipe.Prune.Count(p => p.Name == stage.Name) > 1 || string.IsNullOrWhiteSpace(stage.Name))
            {
                throw new AdmmKitException($"{where}: each pruning needs a name of its own, since random streams, checkpoints and files are named by it.");
            }

            Known("method", stage.Method, PruneMethods.All);
            Admm(where, stage.Admm, spec);
            Training(where + ", l1", stage.L1.Training);
            Positive(where + ", l1, lambda", stage.L1.Lambda);
            Training(where + ", retrain", stage.Retrain);
            Purification(stage.Purify)?.Check();
            string[] counts =
            [
                .. stage.Survivors.Count + stage.KeepFraction.Count > 0 ? ["survivors or keepFraction by layer"] : Array.Empty<string>(),
                .. stage.TotalSurvivors is null ? Array.Empty<string>() : ["totalSurvivors"],
                .. stage.NetworkSurvivors is null ? Array.Empty<string>() : ["networkSurvivors"],
                .. stage.Rows.Count == 0 ? Array.Empty<string>() : ["rows"],
            ];
            if (stage.Rate is { } rate)
            {
                Rate(where, stage, rate, counts);
            }
            else if (counts.Length != 1)
            {
                throw new AdmmKitException(counts.Length == 0
                    ? $"{where} names no layer: say how many weights stay, with survivors, keepFraction, totalSurvivors, networkSurvivors or rows."
                    : $"{where} has {string.Join(" and ", counts)}: give one of them.");
            }

            if (stage.TotalSurvivors is { } total)
            {
                Range(where + ", totalSurvivors", total, spec.Layers.Count, spec.WeightCount);
            }
            else
            {
                Constraints(stage, spec).Validate(spec.Layers);
            }
        }

        if (recipe.Quantize is { } quantize)
        {
            Known("method", quantize.Method, QuantizeMethods.All);
            Admm("quantize", quantize.Admm, spec);
            Rounds(quantize);
            LevelRate(quantize);
            if (quantize.Biases is { } biases)
            {
                Training("quantize, biases", biases);
            }

            foreach (int bits in Bits(quantize, spec))
            {
                IntervalSearch.LevelsPerSign(bits);
            }

            if (quantize.Method == QuantizeMethods.Joint)
            {
                JointConstraints(quantize, spec).Validate(spec.Layers);
            }
            else if (quantize.Survivors.Count > 0)
            {
                throw new AdmmKitException(
                    $"quantize has survivors, which only the method '{QuantizeMethods.Joint}' takes: leave them out, or prune by a prune entry.");
            }

            if (recipe.Prune.SelectMany(p => p.Survivors).FirstOrDefault(s => s.Value == 0).Key is { } empty)
            {
                throw new AdmmKitException(
                    $"Layer '{empty}' is pruned to 0 weights, which leaves nothing to quantize: keep at least one weight of it, or leave quantize out.");
            }
        }
    }

    public static PurificationOptions? Purification(PurifyRecipe? purify) =>
        purify is null ? null : new(purify.Survivors, purify.NormShare, purify.MaxDrop);

    public static INetworkConstraint Constraints(PruneRecipe stage, NetworkSpec spec)
    {
        if (stage.Rate is { } rate)
        {
            return rate.CodedBytes is { } bytes ? RateAwareCardinality.ForBits(Costs, 8.0 * bytes, rate.ValueBits)
                : stage.NetworkSurvivors is { } most ? RateAwareCardinality.ForSurvivors(Costs, most, rate.Lambda)
                : RateAwareCardinality.ForLambda(Costs, rate.Lambda);
        }

        if (stage.NetworkSurvivors is { } all)
        {
            return new NetworkCardinality(all);
        }

        var constraints = stage.Rows.ToDictionary(r => r.Key, r => (IConstraint)new FilterSparsity(r.Value));
        foreach ((string layer, int survivors) in stage.Survivors)
        {
            spec.IndexOf(layer);
            constraints[layer] = new Cardinality(survivors);
        }

        foreach ((string layer, double keepFraction) in stage.KeepFraction)
        {
            int index = spec.IndexOf(layer);
            if (!(keepFraction > 0 && keepFraction <= 1))
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"Layer '{layer}': keepFraction {keepFraction} must be above 0 and at most 1 (it is the share that stays, not the share that is pruned)."));
            }

            int kept = (int)Math.Round(keepFraction * spec.Layers[index].WeightCount);
            if (kept == 0)
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"Layer '{layer}': keepFraction {keepFraction} keeps none of its {spec.Layers[index].WeightCount} weights: raise it, or say survivors 0 if that is meant."));
            }

            if (!constraints.TryAdd(layer, new Cardinality(kept)))
            {
                throw new AdmmKitException($"Layer '{layer}' has both survivors and a keepFraction: give one of them.");
            }
        }

        return new PerLayer(constraints);
    }

    /// <summary>Pruning and levels in one set for each layer.</summary>
    public static PerLayer JointConstraints(QuantizeRecipe quantize, NetworkSpec spec)
    {
        int[] bits = Bits(quantize, spec);
        if (!spec.Layers.Select(l => l.Name).Order(StringComparer.Ordinal).SequenceEqual(quantize.Survivors.Keys.Order(StringComparer.Ordinal)))
        {
            quantize.Survivors.Keys.ToList().ForEach(name => spec.IndexOf(name));
            throw new AdmmKitException($"quantize by '{QuantizeMethods.Joint}' needs survivors for every layer: {string.Join(", ", spec.Layers.Select(l => l.Name))}.");
        }

        return new PerLayer(spec.Layers.Select((l, i) => (l, i)).ToDictionary(
            p => p.l.Name, p => (IConstraint)new SparseLevels(quantize.Survivors[p.l.Name], bits[p.i])));
    }

    public static int[] Bits(QuantizeRecipe quantize, NetworkSpec spec)
    {
        foreach (string layer in quantize.Bits.Keys)
        {
            spec.IndexOf(layer);
        }

        return [.. spec.Layers.Select(l => quantize.Bits.TryGetValue(l.Name, out int bits)
            ? bits
            : l.Kind == LayerKind.Convolution ? quantize.ConvolutionBits : quantize.FullyConnectedBits)];
    }

    private static void Rate(string where, PruneRecipe stage, RateRecipe rate, string[] counts)
    {
        if (stage.Method != PruneMethods.Admm)
        {
            throw new AdmmKitException($"{where} has a rate, which only the method '{PruneMethods.Admm}' takes: leave one of them out.");
        }

        if (counts.Length > 0 && (rate.CodedBytes is not null || counts is not ["networkSurvivors"]))
        {
            throw new AdmmKitException(
                $"{where} has {string.Join(" and ", counts)} beside {(rate.CodedBytes is null ? "a rate" : "rate.codedBytes")}: a rate goes with networkSurvivors, with codedBytes, or alone.");
        }

        if (rate.CodedBytes is { } bytes)
        {
            Range(where + ", rate, codedBytes", bytes, 1, int.MaxValue);
            if (rate.Lambda != 0)
            {
                throw new AdmmKitException($"{where} has rate.lambda beside rate.codedBytes, which finds the lambda itself: leave one of them out.");
            }
        }
        else if (!(rate.Lambda > 0 && double.IsFinite(rate.Lambda)))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{where}: rate.lambda is {rate.Lambda}, but must be positive, or give rate.codedBytes: 1e-7 to 1e-5 are usual."));
        }

        if (!(rate.ValueBits >= 0 && rate.ValueBits <= 32))
        {
            throw new AdmmKitException(FormattableString.Invariant($"{where}: rate.valueBits is {rate.ValueBits}, but must be 0 to 32."));
        }
    }

    private static void LevelRate(QuantizeRecipe quantize)
    {
        if (!(quantize.LevelRate >= 0 && double.IsFinite(quantize.LevelRate)))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"quantize: levelRate is {quantize.LevelRate}, but must be finite and not negative; 0 takes the nearest level."));
        }

        if (quantize.LevelRate > 0 && (quantize.Method != QuantizeMethods.Levels || quantize.Rounds.Count > 0))
        {
            throw new AdmmKitException(
                $"quantize has a levelRate, which only the method '{QuantizeMethods.Levels}' without rounds takes: leave it out, or the rounds.");
        }
    }

    private static void Rounds(QuantizeRecipe quantize)
    {
        Training("quantize, roundTraining", quantize.RoundTraining);
        Known("roundOrder", quantize.RoundOrder, [QuantizeMethods.LargestFirst, QuantizeMethods.NearestFirst]);
        double before = 0;
        foreach (double share in quantize.Rounds)
        {
            if (!(share > before && share < 1))
            {
                throw new AdmmKitException(FormattableString.Invariant(
                    $"quantize, rounds: the share {share} must be more than {before}, the one before it, and less than 1."));
            }

            before = share;
        }
    }

    private static void Known(string what, string value, IReadOnlyList<string> valid)
    {
        if (!valid.Contains(value))
        {
            throw new AdmmKitException(Names.Unknown(what, value, valid));
        }
    }

    private static void Positive(string what, float value)
    {
        if (!(value > 0 && float.IsFinite(value)))
        {
            throw new AdmmKitException(FormattableString.Invariant($"{what} is {value}, but must be positive."));
        }
    }

    private static void Training(string where, TrainingRecipe training)
    {
        Range(where + ", epochs", training.Epochs, 0, 100_000);
        Rate(where, training.LearningRate);
    }

    private static void Admm(string where, AdmmRecipe admm, NetworkSpec spec)
    {
        foreach ((string layer, float rho) in admm.RhoPerLayer)
        {
            spec.IndexOf(layer);
            Positive($"{where}, rhoPerLayer of '{layer}'", rho);
        }

        Range(where + ", iterations", admm.Iterations, 1, 10_000);
        Range(where + ", epochsPerIteration", admm.EpochsPerIteration, 1, 1_000);
        Rate(where, admm.LearningRate);
        if (admm.FinalLearningRate is { } final && !(final >= 0 && double.IsFinite(final)))
        {
            throw new AdmmKitException(FormattableString.Invariant($"{where}: finalLearningRate {final} must not be negative."));
        }

        if (!(admm.Rho > 0 && float.IsFinite(admm.Rho) && admm.RhoGrowth >= 1 && float.IsFinite(admm.RhoGrowth)))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{where}: rho {admm.Rho} must be positive and rhoGrowth {admm.RhoGrowth} at least 1. The paper uses 0.003 and 1."));
        }
    }

    private static void Rate(string where, double rate)
    {
        if (!(rate > 0 && double.IsFinite(rate)))
        {
            throw new AdmmKitException(FormattableString.Invariant($"{where}: learningRate {rate} must be positive. 0.001 is usual for Adam."));
        }
    }

    private static void Range(string what, int value, int minimum, int maximum)
    {
        if (value < minimum || value > maximum)
        {
            throw new AdmmKitException(FormattableString.Invariant($"{what} is {value}, but must be {minimum} to {maximum}."));
        }
    }
}
