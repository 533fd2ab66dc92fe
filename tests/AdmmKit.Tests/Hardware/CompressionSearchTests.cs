using AdmmKit.Hardware.Platforms;
using AdmmKit.Hardware.Search;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Hardware;

/// <summary>The search of Fig. 5 on networks whose accuracy is a known function of what is left of the layers.</summary>
public class CompressionSearchTests
{
    private const int Images = 10_000;

    private static readonly NetworkSpec Spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);

    private static readonly LawPlatform Fitted = new() { Name = "fitted", Law = new LogarithmicLaw(0.036, 0.573, 0.110, 1.23) };

    private static readonly Evaluation Dense = new(9_900, Images, 0);

    /// <summary>Each layer costs accuracy once it has less than it needs, in proportion to the logarithm.</summary>
    private static Func<Candidate, Evaluation> Needs(params double[] needed) => candidate =>
    {
        double lost = candidate.KeepFraction.Zip(needed, (keep, need) => Math.Max(0, Math.Log(need / keep))).Sum();
        return new Evaluation((int)Math.Round(Dense.Correct - (lost * 500)), Images, 0);
    };

    private static SearchOptions From(double conv1, double conv2, double fc1, double fc2) => new()
    {
        Initial = new Dictionary<string, double> { ["conv1"] = conv1, ["conv2"] = conv2, ["fc1"] = fc1, ["fc2"] = fc2 },
        Budget = 0.005,
        Bisections = 12,
    };

    [Fact]
    public void Reductions_are_proportional_to_the_computation_and_the_search_ends_at_the_budget()
    {
        SearchOptions options = From(0.4, 0.3, 0.3, 0.3);
        SearchResult result = CompressionSearch.Run(Spec, Dense, new DelayObjective(Fitted), options, Needs(0.01, 0.1, 0.01, 0.01));

        // conv2 is the costliest; it may go down to 0.1 exp(-0.1), where the budget of 50 images is used up.
        Assert.Equal(Math.Log(3) + 0.1, result.Best.Reduction, 0.01);
        Assert.Equal(0.1 * Math.Exp(-0.1), result.Best.KeepFraction[1], 0.001);
        double most = Spec.Layers.Max(l => (double)l.Macs);
        foreach ((LayerInfo layer, double keep, double start) in Spec.Layers.Zip(result.Best.KeepFraction, [0.4, 0.3, 0.3, 0.3]))
        {
            Assert.Equal(start * Math.Exp(-result.Best.Reduction * layer.Macs / most), keep, 1e-4);
        }

        Assert.Empty(result.Restored);
        Assert.All(result.Path.Where(p => p.Accepted), p => Assert.True(p.Validation.Correct >= Dense.Correct - 50));
        Assert.All(result.Path.Where(p => !p.Accepted), p => Assert.True(p.Validation.Correct < Dense.Correct - 50));
        Assert.Equal(result.Path.Where(p => p.Accepted).Min(p => p.Candidate.Cost), result.Best.Cost);
    }

    [Fact]
    public void A_layer_that_cannot_surpass_its_break_even_is_restored_and_the_others_are_reduced_further()
    {
        // conv1 needs 60 % of its weights, more than the 45 % at which it breaks even, and costs accuracy already where it starts.
        SearchResult result = CompressionSearch.Run(
            Spec, Dense, new DelayObjective(Fitted), From(0.58, 0.2, 0.2, 0.2), Needs(0.6, 0.1, 0.05, 0.05));
        Assert.Equal(["conv1"], result.Restored);
        Assert.Equal(1, result.Best.KeepFraction[0]);
        ProbedCandidate first = result.Path.Last(p => p.Candidate.Step == "reduce" && p.Accepted);
        Assert.True(first.Candidate.KeepFraction[0] > 0.45);
        Assert.Contains(result.Path, p => p.Candidate.Step.StartsWith("below break-even", StringComparison.Ordinal) && !p.Accepted);

        // What conv1 no longer costs goes to the others.
        Assert.True(result.Best.KeepFraction[1] < first.Candidate.KeepFraction[1]);
        Assert.True(result.Best.Cost < first.Candidate.Cost);
    }

    [Fact]
    public void A_layer_that_can_surpass_its_break_even_does()
    {
        SearchResult result = CompressionSearch.Run(
            Spec, Dense, new DelayObjective(Fitted), From(0.66, 0.2, 0.2, 0.2), Needs(0.1, 0.1, 0.05, 0.05));
        Assert.Empty(result.Restored);
        Assert.True(result.Best.KeepFraction[0] < Fitted.BreakEvenKeepFraction(Spec.Layers[0]));
        Assert.All(Spec.Layers.Zip(result.Best.KeepFraction), p => Assert.True(Fitted.Speedup(p.First, p.Second) >= 1));
    }

    [Fact]
    public void Least_delay_is_less_delay_than_least_survivors_at_the_same_accuracy()
    {
        Func<Candidate, Evaluation> probe = Needs(0.3, 0.05, 0.005, 0.05);
        SearchOptions options = From(0.66, 0.12, 0.08, 0.19);
        SearchResult size = CompressionSearch.Run(Spec, Dense, new SurvivorsObjective(), options, probe);
        SearchResult delay = CompressionSearch.Run(Spec, Dense, new DelayObjective(Fitted), options, probe);
        double Delay(SearchResult r) => Spec.Layers.Zip(r.Best.KeepFraction, Fitted.Delay).Sum();
        double Survivors(SearchResult r) => Spec.Layers.Zip(r.Best.KeepFraction, (l, k) => l.WeightCount * k).Sum();
        Assert.True(Delay(delay) < Delay(size));
        Assert.True(Survivors(size) < Survivors(delay));
        Assert.Empty(size.Restored);
        Assert.All(size.Path, p => Assert.Contains(p.Candidate.Step, new[] { "initial", "reduce" }));
    }

    [Theory]
    [InlineData(0.3, 0.05, 0.005, 0.05)]
    [InlineData(0.05, 0.05, 0.05, 0.05)]
    [InlineData(0.6, 0.02, 0.002, 0.1)]
    public void Layers_pushed_one_by_one_keep_less_within_the_same_budget(params double[] needed)
    {
        SearchOptions options = From(0.66, 0.12, 0.08, 0.19);
        Func<Candidate, Evaluation> probe = Needs(needed);
        SearchResult together = CompressionSearch.Run(Spec, Dense, new SurvivorsObjective(), options, probe);
        SearchResult refined = CompressionSearch.Run(
            Spec, Dense, new SurvivorsObjective(), options with { Refinements = 60, Decimals = 6 }, probe);
        // A common reduction leaves layers above what they need, for the sake of the largest.
        Assert.True(refined.Best.Cost < 0.97 * together.Best.Cost, $"{refined.Best.Cost:f0} refined, {together.Best.Cost:f0} together");
        Assert.All(refined.Path, p => Assert.Equal(p.Validation.Correct >= Dense.Correct - 50, p.Accepted));
        Assert.Equal(refined.Path.Where(p => p.Accepted).Min(p => p.Candidate.Cost), refined.Best.Cost);
        // No layer can be pushed by a quarter of a halving more.
        for (int i = 0; i < needed.Length; i++)
        {
            double[] keep = [.. refined.Best.KeepFraction];
            keep[i] *= Math.Exp(-Math.Log(2) / 4);
            int correct = probe(refined.Best with { KeepFraction = keep }).Correct;
            Assert.True(correct < Dense.Correct - 50, $"{Spec.Layers[i].Name} could keep less");
        }
    }

    [Fact]
    public void Pushes_save_the_most_first_stop_when_none_is_left_and_leave_what_is_held_alone()
    {
        SearchOptions options = From(0.66, 0.12, 0.08, 0.19) with { Refinements = 3, Held = ["fc1"] };
        SearchResult few = CompressionSearch.Run(Spec, Dense, new SurvivorsObjective(), options, Needs(0.1, 0.05, 0.08, 0.05));
        Assert.Equal(3, few.Path.Count(p => p.Candidate.Step.StartsWith("push ", StringComparison.Ordinal)));
        Assert.Equal("push conv2", few.Path[^3].Candidate.Step);
        SearchResult all = CompressionSearch.Run(
            Spec, Dense, new SurvivorsObjective(), options with { Refinements = 1000 }, Needs(0.1, 0.05, 0.08, 0.05));
        Assert.InRange(all.Path.Count, 16, 60);
        Assert.DoesNotContain(all.Path, p => p.Candidate.Step == "push fc1");
        Assert.All(all.Path, p => Assert.Equal(0.08, p.Candidate.KeepFraction[2]));
        // Nothing is left to push where no candidate has kept half of the budget.
        SearchResult none = CompressionSearch.Run(
            Spec, Dense, new SurvivorsObjective(), From(1, 1, 1, 1) with { Refinements = 10, Budget = 0 }, Needs(2, 2, 2, 2));
        Assert.Equal(1, none.Best.KeepFraction.Min());
    }

    [Fact]
    public void A_network_that_is_pruned_already_is_reduced_in_proportion_to_what_is_left()
    {
        SearchOptions options = From(0.2, 0.1, 0.002, 0.02) with { CostAtInitial = true, Decimals = 6 };
        SearchResult result = CompressionSearch.Run(Spec, Dense, new SurvivorsObjective(), options, Needs(0.01, 0.05, 0.0001, 0.001));
        // conv2 has 2,500 weights left and fc1 800: dense, fc1 would be the larger by far.
        Assert.Equal(0.1 * Math.Exp(-result.Best.Reduction), result.Best.KeepFraction[1], 1e-6);
        Assert.Equal(0.002 * Math.Exp(-result.Best.Reduction * 800 / 2_500), result.Best.KeepFraction[2], 1e-6);
    }

    [Fact]
    public void Held_layers_keep_their_share()
    {
        SearchOptions options = From(0.4, 0.3, 0.3, 0.25) with { Held = ["fc1", "fc2"] };
        SearchResult result = CompressionSearch.Run(Spec, Dense, new DelayObjective(Fitted), options, Needs(0.1, 0.1, 0.1, 0.1));
        Assert.All(result.Path, p => Assert.Equal((0.3, 0.25), (p.Candidate.KeepFraction[2], p.Candidate.KeepFraction[3])));
    }

    [Fact]
    public void A_held_layer_keeps_its_share_above_its_break_even_too()
    {
        SearchOptions options = From(0.4, 0.3, 0.6, 0.3) with { Held = ["fc1"] };
        SearchResult result = CompressionSearch.Run(Spec, Dense, new DelayObjective(Fitted), options, Needs(0.3, 0.2, 0.6, 0.2));
        Assert.All(result.Path, p => Assert.Equal(0.6, p.Candidate.KeepFraction[2]));
        Assert.Empty(result.Restored);
    }

    [Fact]
    public void No_answer_has_a_layer_that_is_pruned_and_slower_than_dense()
    {
        var random = new RandomStream(1, "needs");
        int restored = 0, dense = 0;
        for (int n = 0; n < 300; n++)
        {
            double[] needs = [.. Enumerable.Range(0, 4).Select(_ => random.NextDouble(0.02, 1))];
            SearchOptions options = From(random.NextDouble(0.2, 1), random.NextDouble(0.2, 1), random.NextDouble(0.2, 1), random.NextDouble(0.2, 1)) with
            {
                Budget = random.NextDouble(0.01, 0.2),
                Bisections = 1 + random.NextInt(6),
            };
            SearchResult result;
            try
            {
                result = CompressionSearch.Run(Spec, Dense, new DelayObjective(Fitted), options, Needs(needs));
            }
            catch (AdmmKitException)
            {
                continue; // Even a mild start is beyond this budget.
            }

            Assert.All(Spec.Layers.Zip(result.Best.KeepFraction), p => Assert.True(Fitted.Speedup(p.First, p.Second) >= 1));
            Assert.True(result.Best.Cost <= result.DenseCost * (1 + 1e-9));
            restored += result.Restored.Count;
            dense += result.Best.KeepFraction.All(k => k >= 1) ? 1 : 0;
        }

        Assert.True(restored > 100 && dense > 0, $"{restored} restored, {dense} left dense: the cases are too easy");
    }

    [Fact]
    public void A_start_that_is_too_much_is_made_milder_and_a_budget_that_cannot_be_kept_is_an_error()
    {
        SearchResult result = CompressionSearch.Run(Spec, Dense, new SurvivorsObjective(), From(0.3, 0.1, 0.1, 0.3), Needs(0.1, 0.3, 0.1, 0.1));
        Assert.False(result.Path[0].Accepted);
        Assert.Equal(0.3162, result.Path[1].Candidate.KeepFraction[1], 1e-4);
        var e = Assert.Throws<AdmmKitException>(() =>
            CompressionSearch.Run(Spec, Dense, new SurvivorsObjective(), From(0.3, 0.1, 0.1, 0.3), Needs(1, 1, 1, 1)));
        Assert.Contains("mildest start", e.Message, StringComparison.Ordinal);
        Assert.Contains("98.50 %", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_options_are_refused_in_words()
    {
        void Refused(SearchOptions options, string text) => Assert.Contains(
            text,
            Assert.Throws<AdmmKitException>(() => CompressionSearch.Run(Spec, Dense, new SurvivorsObjective(), options, Needs(0, 0, 0, 0))).Message,
            StringComparison.Ordinal);
        Refused(new() { Initial = new Dictionary<string, double> { ["conv3"] = 0.5 } }, "Did you mean 'conv1'");
        Refused(new() { Held = ["fcc1"] }, "Did you mean 'fc1'");
        Refused(new() { Initial = new Dictionary<string, double> { ["conv1"] = 1.5 } }, "conv1 is 1.5");
        Refused(new() { InitialKeepFraction = double.NaN }, "NaN");
        Refused(new() { Budget = -0.1 }, "budget -0.1");
        Refused(new() { Bisections = 0 }, "0 bisections");
        Refused(new() { LargestReduction = 0 }, "largest reduction 0");
        Refused(new() { Refinements = -1 }, "-1 refinements");
        Refused(new() { Decimals = 0 }, "0 decimals");
    }

    [Fact]
    public void Convolutions_give_up_bits_first()
    {
        // Convolutions need 3 bits, fully connected layers 2.
        static Evaluation Probe(int conv, int fc) => new(9_900 - (conv < 3 ? 500 : 0) - (fc < 2 ? 500 : 0), Images, 0);
        IReadOnlyList<ProbedBits> path = BitsSearch.Run(Spec, Dense, new BitsOptions { MostBits = 5, FewestBits = 1 }, Probe);
        Assert.Equal([(5, 5), (4, 5), (3, 5), (2, 5), (3, 4), (3, 3), (3, 2), (3, 1)], path.Select(p => (p.ConvolutionBits, p.FullyConnectedBits)));
        ProbedBits chosen = path.Last(p => p.Accepted);
        Assert.Equal((3, 2), (chosen.ConvolutionBits, chosen.FullyConnectedBits));
    }

    [Fact]
    public void Bits_stop_at_the_fewest_and_wrong_ones_are_refused()
    {
        IReadOnlyList<ProbedBits> path = BitsSearch.Run(
            NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10), Dense, new BitsOptions { MostBits = 3, FewestBits = 2 }, (_, _) => Dense);
        Assert.Equal([(3, 3), (3, 2)], path.Select(p => (p.ConvolutionBits, p.FullyConnectedBits)));
        Assert.Throws<AdmmKitException>(() => BitsSearch.Run(Spec, Dense, new BitsOptions { MostBits = 9 }, (_, _) => Dense));
        Assert.Throws<AdmmKitException>(() => BitsSearch.Run(Spec, Dense, new BitsOptions { MostBits = 2, FewestBits = 3 }, (_, _) => Dense));
        Assert.Contains(
            "5 bits", Assert.Throws<AdmmKitException>(() => BitsSearch.Run(Spec, Dense, new(), (_, _) => new(0, Images, 0))).Message, StringComparison.Ordinal);
    }
}
