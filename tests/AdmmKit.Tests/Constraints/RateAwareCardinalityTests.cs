using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Networks;
using AdmmKit.Tests.Admm;

namespace AdmmKit.Tests.Constraints;

/// <summary>The laws, where all places cost the same: the sets are then those of <see cref="NetworkCardinality"/>.</summary>
public class RateAwareCardinalityTests : ProjectionLaws
{
    private const double Uniform = 3;
    private static readonly LayerInfo[] Net = [Named("a", 20, 30), Named("b", 7, 11), Named("c", 3, 5)];
    private static readonly LayerInfo[] Tiny = [Named("a", 2, 2), Named("b", 1, 4), Named("c", 1, 2)];
    private static readonly float[] Rho = [0.5f, 0.003f, 1.5f];

    protected override IEnumerable<Case> Large() =>
    [
        Joined(Net, RateAwareCardinality.ForSurvivors(Same(), 300, 0)),
        Joined(Net, RateAwareCardinality.ForSurvivors(Same(), 0, 0)),
        Joined(Net, BitsFor(300)),
        Joined(Net, BitsFor(0)),
    ];

    protected override IEnumerable<Case> Small() =>
        from k in new[] { 0, 5, 10 }
        from set in new[] { RateAwareCardinality.ForSurvivors(Same(), k, 0), BitsFor(k) }
        select Joined(Tiny, set, kept => kept.Count(x => x) <= k);

    protected override IEnumerable<(LayerInfo, Func<IConstraint>, string[])> Invalid() =>
    [
        (FullyConnected(1, 10), () => Joined(Tiny, RateAwareCardinality.ForSurvivors(Same(), 11, 0)).Set, ["11", "0 to 10", "a, b, c"]),
        (FullyConnected(1, 10), () => Joined(Tiny, RateAwareCardinality.ForSurvivors(Same(), 1, -1)).Set, ["lambda is -1"]),
        (FullyConnected(1, 10), () => Joined(Tiny, RateAwareCardinality.ForLambda(Same(), double.NaN)).Set, ["lambda is NaN"]),
        (FullyConnected(1, 10), () => Joined(Tiny, RateAwareCardinality.ForBits(Same(), -1, 1)).Set, ["budget", "-1"]),
        (FullyConnected(1, 10), () => Joined(Tiny, RateAwareCardinality.ForBits(Same(), 1, double.PositiveInfinity)).Set, ["value"]),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Where_all_places_cost_the_same_it_is_the_networks_cardinality(bool ties)
    {
        var random = new RandomStream(5, "uniform");
        float[][] v = [.. Net.Select(l => Enumerable.Range(0, l.WeightCount)
            .Select(_ => ties ? random.NextInt(7) - 3 : (float)random.NextGaussian()).ToArray())];
        foreach (int k in new[] { 0, 1, 40, 300, 500 })
        {
            float[][] expected = Project(new NetworkCardinality(k), Net, v, Rho);
            Assert.Equal(expected, Project(RateAwareCardinality.ForSurvivors(Same(), k, 0), Net, v, Rho));
            Assert.Equal(expected, Project(BitsFor(k), Net, v, Rho));
        }
    }

    [Fact]
    public void The_objective_is_the_least_over_all_supports()
    {
        var random = new RandomStream(7, "supports");
        for (int trial = 0; trial < 200; trial++)
        {
            var costs = new Given([.. Tiny.Select(l => Draw(l, () => (float)random.NextDouble(0.1, 9)))]);
            // Many ties and zeros in every other one.
            float[][] v = [.. Tiny.Select(l => Draw(l, () => trial % 2 == 0 ? (float)random.NextGaussian() : random.NextInt(4) - 1))];
            double lambda = random.NextDouble(0, 0.1);
            (double Gain, double Bits)[] weights = [.. v.SelectMany((x, i) => x.Select((w, j) =>
                (0.5 * Rho[i] * ((double)w * w), (double)costs.Values[i][j])))];

            float[][] free = Project(RateAwareCardinality.ForLambda(costs, lambda), Tiny, v, Rho);
            Assert.Equal(Least(weights, lambda, _ => true), Objective(weights, Support(free), lambda), 1e-9);
            Assert.Equal(weights.Select(w => w.Gain > lambda * w.Bits), Support(free));

            int alpha = random.NextInt(11);
            float[][] most = Project(RateAwareCardinality.ForSurvivors(costs, alpha, lambda), Tiny, v, Rho);
            Assert.Equal(Least(weights, lambda, s => s.Count(x => x) <= alpha), Objective(weights, Support(most), lambda), 1e-9);

            double budget = random.NextDouble(0, 90), valueBits = random.NextInt(3);
            var set = RateAwareCardinality.ForBits(costs, budget, valueBits);
            bool[] spent = Support(Project(set, Tiny, v, Rho));
            double Bits(bool[] s) => s.Zip(weights, (kept, w) => kept ? w.Bits + valueBits + RateAwareCardinality.ZeroBits : 0).Sum();
            const double Step = 1e-3;
            Assert.InRange(Bits(spent), 0, budget + Step);
            Assert.Equal(Least(weights, 0, s => Bits(s) <= Bits(spent) + Step), Objective(weights, spent, 0), 1e-9);
            // What is left is less than the dearest weight that could still be bought.
            double dearest = weights.Zip(spent, (w, kept) => !kept && w.Gain > 0 ? w.Bits + valueBits + RateAwareCardinality.ZeroBits : -1).Max();
            Assert.True(dearest < 0 || budget - Bits(spent) < dearest + Step, $"{budget - Bits(spent)} bits are left, {dearest} would do");
        }
    }

    [Fact]
    public void The_first_of_equal_ones_stays_and_a_zero_takes_nothing_from_the_budget()
    {
        LayerInfo[] layers = [Named("a", 1, 4), Named("b", 1, 2)];
        float[][] v = [[0, 2, -2, 0], [2, -2]];
        float[] rho = [1, 1];
        Assert.Equal(new float[][] { [0, 2, -2, 0], [2, 0] }, Project(RateAwareCardinality.ForSurvivors(Same(), 3, 0.1), layers, v, rho));
        Assert.Equal(new float[][] { [0, 2, 0, 0], [0, 0] }, Project(BitsFor(1), layers, v, rho));
        // Zeros are cheap here, and are still no answer.
        var costs = new Given([[0.1f, 9, 9, 0.1f], [9, 9]]);
        Assert.Equal(v, Project(RateAwareCardinality.ForSurvivors(costs, 4, 0), layers, v, rho));
        Assert.Equal(v, Project(RateAwareCardinality.ForBits(costs, 4 * 11, 0), layers, v, rho));
    }

    [Fact]
    public void Survivors_gather_where_they_are_cheap()
    {
        var random = new RandomStream(9, "gather");
        LayerInfo[] layers = [Named("a", 60, 80), Convolution(12, 6, 3, 3)];
        float[][] v = [.. layers.Select(l => Draw(l, () => (float)random.NextGaussian()))];
        float[] rho = [1, 1];
        double Bits(float[][] z)
        {
            float[][] bits = [.. layers.Select(l => new float[l.WeightCount])];
            new RowColumnCosts().Bits(layers, z, bits);
            return z.Zip(bits, (w, b) => w.Zip(b, (x, cost) => x != 0 ? cost : 0).Sum()).Sum();
        }

        var set = RateAwareCardinality.ForSurvivors(new RowColumnCosts(), 200, 0.3);
        float[][] plain = Project(new NetworkCardinality(200), layers, v, rho), gathered = plain;
        for (int i = 0; i < 8; i++)
        {
            set.Freeze(layers, gathered);
            gathered = Project(set, layers, v, rho);
        }

        Assert.Equal(200, gathered.Sum(w => w.Count(x => x != 0)));
        Assert.True(Bits(gathered) < 0.85 * Bits(plain), $"{Bits(gathered):f0} bits, {Bits(plain):f0} without costs");
    }

    [Fact]
    public void Costs_that_are_no_costs_are_refused_in_words()
    {
        foreach (float bad in new[] { 0, -1, float.NaN, float.PositiveInfinity })
        {
            LayerInfo[] layers = [Named("a", 1, 2)];
            var set = RateAwareCardinality.ForLambda(new Given([[1, bad]]), 1);
            var e = Assert.Throws<AdmmKitException>(() => Project(set, layers, [[1, 1]], [1]));
            Assert.Contains("'a'", e.Message, StringComparison.Ordinal);
            Assert.Contains("index 1", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_trainer_freezes_the_costs_at_W_then_at_each_Z_and_at_a_state_that_it_loads()
    {
        var costs = new Recording();
        AdmmTrainer Trainer(LazyNetwork network) => new(network, RateAwareCardinality.ForSurvivors(costs, 5, 1e-7), new AdmmOptions
        {
            Iterations = 3, StepsPerIteration = 1, Evaluate = false,
        });
        AdmmTrainer trainer = Trainer(new LazyNetwork(8, 6));
        Assert.Equal([14, 5], costs.Survivors);
        Assert.Equal(trainer.Projected, costs.Last);
        trainer.Iterate(null, CancellationToken.None);
        Assert.Equal(3, costs.Survivors.Count);
        Assert.Equal(trainer.Projected, costs.Last);
        var state = new MemoryStream();
        trainer.SaveState(state);
        state.Position = 0;
        var later = new LazyNetwork(8, 6);
        AdmmTrainer resumed = Trainer(later);
        later.Train(1, null, CancellationToken.None);
        costs.Forget();
        resumed.LoadState(state);
        Assert.Equal([5], costs.Survivors);
        Assert.Equal(trainer.Projected, costs.Last);
    }

    private static RateAwareCardinality BitsFor(int survivors) =>
        RateAwareCardinality.ForBits(Same(), survivors * (Uniform + 2 + RateAwareCardinality.ZeroBits) + 0.01, 2);

    private static Given Same() => new(null);

    private static LayerInfo Named(string name, int rows, int columns) => FullyConnected(rows, columns) with { Name = name };

    private static float[] Draw(LayerInfo layer, Func<float> next) => [.. Enumerable.Range(0, layer.WeightCount).Select(_ => next())];

    private static Case Joined(LayerInfo[] layers, RateAwareCardinality set, Func<bool[], bool>? feasible = null)
    {
        double[] weights = [.. layers.SelectMany((l, i) => Enumerable.Repeat((double)Rho[i], l.WeightCount))];
        return new Case(
            FullyConnected(1, weights.Length), new JoinedSet(layers, set, set.Description, Rho),
            feasible is null ? null : BruteForce.OverSupports(weights.Length, feasible, weights), weights);
    }

    private static float[][] Project(INetworkConstraint set, LayerInfo[] layers, float[][] v, float[] rho)
    {
        float[][] z = [.. layers.Select(l => new float[l.WeightCount])];
        set.Project(layers, v, z, rho);
        Assert.All(v.Zip(z), p => Assert.All(p.First.Zip(p.Second), w => Assert.True(w.Second == 0 || w.Second == w.First)));
        return z;
    }

    private static bool[] Support(float[][] z) => [.. z.SelectMany(x => x).Select(x => x != 0)];

    private static double Objective((double Gain, double Bits)[] weights, bool[] kept, double lambda) =>
        weights.Zip(kept, (w, k) => k ? lambda * w.Bits : w.Gain).Sum();

    private static double Least((double Gain, double Bits)[] weights, double lambda, Func<bool[], bool> feasible) =>
        Enumerable.Range(0, 1 << weights.Length)
            .Select(mask => weights.Select((_, i) => (mask >> i & 1) == 1).ToArray())
            .Where(feasible).Min(kept => Objective(weights, kept, lambda));

    /// <summary>Costs that are given once for all; all the same where there are none.</summary>
    private sealed class Given(float[][]? values) : ISurvivorCosts
    {
        public float[][] Values => values!;

        public void Bits(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z, IReadOnlyList<float[]> bits)
        {
            for (int i = 0; i < layers.Count; i++)
            {
                if (values is null)
                {
                    bits[i].AsSpan().Fill((float)Uniform);
                }
                else
                {
                    values[i].CopyTo(bits[i], 0);
                }
            }
        }
    }

    /// <summary>Row and column costs that remember what they were asked about.</summary>
    private sealed class Recording : ISurvivorCosts
    {
        public List<int> Survivors { get; } = [];

        public float[][] Last { get; private set; } = [];

        public void Forget()
        {
            Survivors.Clear();
            Last = [];
        }

        public void Bits(IReadOnlyList<LayerInfo> layers, IReadOnlyList<float[]> z, IReadOnlyList<float[]> bits)
        {
            Last = [.. z.Select(x => (float[])x.Clone())];
            Survivors.Add(Last.Sum(x => x.Count(w => w != 0)));
            new RowColumnCosts().Bits(layers, z, bits);
        }
    }
}
