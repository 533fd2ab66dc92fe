using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Admm;

/// <summary>
/// ADMM on f(W) = h/2 ||W - A||^2. For a linear subspace with projector P, and N = I - P, the iterates are known:
/// with r = h / (h + rho), W(k) = P A + r^k N A, Z(k) = P A, U(k) = r (1 - r^k) / (1 - r) N A, and so U tends to h/rho N A.
/// </summary>
public class AdmmTrainerTests
{
    private const float H = 2;
    private static readonly float[] A = [1, 2, 3, 5, -4, 0.5f, 2.5f, -1];

    [Theory]
    [InlineData(0.5f)]
    [InlineData(2f)]
    [InlineData(20f)]
    public void Iterates_follow_the_closed_form(float rho)
    {
        var network = new QuadraticNetwork(H, A);
        var constraint = Only("layer1", new BlockCirculant(2));
        var trainer = new AdmmTrainer(network, constraint, Options(30, rho));
        float[] p = Project(new BlockCirculant(2), network.Layers[0], A);
        double r = H / (H + rho);
        for (int k = 1; k <= 30; k++)
        {
            AdmmIteration iteration = trainer.Iterate(null, CancellationToken.None);
            float[] w = Weights(network, 0);
            (double difference, double weight) = (0, 0);
            for (int j = 0; j < A.Length; j++)
            {
                double n = A[j] - p[j];
                Assert.Equal(p[j] + (Math.Pow(r, k) * n), w[j], 1e-5);
                Assert.Equal(p[j], trainer.Projected[0][j], 1e-5);
                Assert.Equal(r * (1 - Math.Pow(r, k)) / (1 - r) * n, trainer.Dual[0][j], 1e-4);
                difference += Math.Pow(Math.Pow(r, k) * n, 2);
                weight += Math.Pow(p[j] + (Math.Pow(r, k) * n), 2);
            }

            Assert.Equal(Math.Sqrt(difference / weight), iteration.Layers[0].PrimalResidual, 1e-5);
        }
    }

    [Fact]
    public void When_rho_grows_the_multiplier_rho_U_goes_on_without_a_jump()
    {
        // The unscaled recursion in double: y = rho U; W = (h A + rho Z - y) / (h + rho); Z = P (W + y / rho); y += rho (W - Z).
        var network = new QuadraticNetwork(H, A);
        var set = new BlockCirculant(2);
        var trainer = new AdmmTrainer(network, Only("layer1", set), Options(6, 1) with { Rho = new RhoSchedule(1, 2, 10) });
        float[] z = Project(set, network.Layers[0], A);
        var y = new double[A.Length];
        foreach (double rho in new double[] { 1, 2, 4, 8, 10, 10 })
        {
            trainer.Iterate(null, CancellationToken.None);
            double[] w = [.. A.Select((a, j) => ((H * a) + (rho * z[j]) - y[j]) / (H + rho))];
            z = Project(set, network.Layers[0], [.. w.Select((x, j) => (float)(x + (y[j] / rho)))]);
            y = [.. y.Select((x, j) => x + (rho * (w[j] - z[j])))];
            Assert.All(y.Select((x, j) => (x, rho * trainer.Dual[0][j])), pair => Assert.Equal(pair.x, pair.Item2, 1e-4));
        }
    }

    [Fact]
    public void Cardinality_ends_at_the_largest_weights_of_the_optimum()
    {
        var network = new QuadraticNetwork(H, A);
        var trainer = new AdmmTrainer(network, Only("layer1", new Cardinality(3)), Options(200, 2));
        trainer.Run();
        float[] expected = [0, 0, 3, 5, -4, 0, 0, 0];
        Assert.All(Weights(network, 0).Zip(expected), p => Assert.Equal(p.Second, p.First, 1e-3));
        Assert.Equal(3, NetworkWeights.CountNonZero(trainer.Projected[0]));
        Assert.True(trainer.History[^1].Layers[0].PrimalResidual < 1e-4);
    }

    [Fact]
    public void Unconstrained_layers_are_trained_without_a_penalty_and_penalties_are_gone_afterwards()
    {
        var network = new QuadraticNetwork(H, A, A);
        var trainer = new AdmmTrainer(network, Only("layer2", new Cardinality(2)), Options(3, 1));
        trainer.Iterate(null, CancellationToken.None);
        Assert.IsType<Penalty.NoPenalty>(network.Penalties[0]);
        Assert.IsType<Penalty.Quadratic>(network.Penalties[1]);
        Assert.Equal("layer2", Assert.Single(trainer.History[0].Layers).Layer);
        trainer.Run();
        Assert.All(network.Penalties, p => Assert.IsType<Penalty.NoPenalty>(p));
        Assert.Equal(A, Weights(network, 0));
    }

    [Fact]
    public void The_penalty_pulls_to_Z_minus_U_with_the_layers_own_rho()
    {
        var network = new QuadraticNetwork(H, A, A);
        var options = Options(3, 1) with { Rho = new RhoSchedule(0.5f) { PerLayer = new Dictionary<string, float> { ["layer2"] = 4 } } };
        var both = new PerLayer(new Dictionary<string, IConstraint> { ["layer1"] = new Cardinality(2), ["layer2"] = new Cardinality(2) });
        var trainer = new AdmmTrainer(network, both, options);
        trainer.Iterate(null, CancellationToken.None);
        Assert.Equal([0.5f, 4f], network.Penalties.Cast<Penalty.Quadratic>().Select(p => p.Rho));
        float[][] target = [.. trainer.Projected.Zip(trainer.Dual, (z, u) => z.Zip(u, (a, b) => a - b).ToArray())];
        trainer.Iterate(null, CancellationToken.None);
        Assert.Equal(target[1], ((Penalty.Quadratic)network.Penalties[1]).Target.ToArray());
    }

    [Fact]
    public void The_stop_rule_ends_the_run_early()
    {
        var network = new QuadraticNetwork(H, A);
        var trainer = new AdmmTrainer(
            network, Only("layer1", new BlockCirculant(2)), Options(1000, 2) with { Stop = new StopRule(1e-3, 1e-3) });
        int count = trainer.Run().Count;
        Assert.InRange(count, 5, 30);
        Assert.True(trainer.History[^1].Layers[0].PrimalResidual <= 1e-3);
        Assert.True(trainer.History[^2].Layers[0].PrimalResidual > 1e-3);
    }

    [Fact]
    public void A_growing_dual_without_progress_is_warned_of()
    {
        // The loss pulls much harder than the penalty: W hardly moves while U grows.
        var network = new QuadraticNetwork(1000, A);
        var trainer = new AdmmTrainer(network, Only("layer1", new BlockCirculant(2)), Options(8, 1e-4f));
        trainer.Run();
        Assert.Contains("Raise rho", Assert.Single(trainer.History[^1].Warnings), StringComparison.Ordinal);
        Assert.Empty(trainer.History[3].Warnings);
    }

    [Fact]
    public void Evaluating_the_projection_leaves_W_in_place()
    {
        var network = new QuadraticNetwork(H, A);
        var trainer = new AdmmTrainer(network, Only("layer1", new Cardinality(2)), Options(2, 1));
        trainer.Iterate(null, CancellationToken.None);
        float[] w = Weights(network, 0);
        Evaluation projected = trainer.EvaluateProjected(DataSplit.Test);
        Assert.Equal(w, Weights(network, 0));
        Assert.NotEqual(network.Evaluate(DataSplit.Test).Loss, projected.Loss);
    }

    [Fact]
    public void Three_arrays_of_the_networks_size_are_all_that_ADMM_takes()
    {
        var network = new LazyNetwork(2_000_000, 3_000_000);
        long size = network.Layers.Sum(l => (long)l.WeightCount) * sizeof(float);
        var constraint = new PerLayer(network.Layers.ToDictionary(l => l.Name, l => (IConstraint)new Cardinality(l.WeightCount / 50)));
        AdmmTrainer trainer = null!;
        void Iterate() => trainer.Iterate(null, CancellationToken.None);

        // Histograms, lists and threads take less than a megabyte; one array of a layer has 8 MB.
        const long Small = 2_000_000;
        Assert.InRange(Allocated(() => trainer = new AdmmTrainer(network, constraint, Options(4, 1))), 2 * size, (2 * size) + Small);
        Assert.InRange(Allocated(Iterate), size, size + Small);
        Assert.InRange(Allocated(Iterate), 0, Small);
        Assert.InRange(Allocated(() => trainer.EvaluateProjected(DataSplit.Test)), 0, Small);
        Assert.InRange(Allocated(() => trainer.SaveState(Stream.Null)), 0, Small);
    }

    [Fact]
    public void An_evaluation_in_the_middle_of_training_leaves_the_penalty_as_it_was()
    {
        AdmmTrainer trainer = null!;
        var network = new LazyNetwork(8, 8);
        float[] At(bool evaluates)
        {
            trainer = new AdmmTrainer(network, Only("layer1", new Cardinality(3)), Options(3, 0.5f) with { Evaluate = false });
            trainer.Run(evaluates ? new Callback(() => trainer.EvaluateProjected(DataSplit.Test)) : null);
            return trainer.Dual[0];
        }

        float[] expected = At(evaluates: false);
        network = new LazyNetwork(8, 8);
        Assert.Equal(expected, At(evaluates: true));
    }

    [Fact]
    public void Wrong_options_are_refused()
    {
        var network = new QuadraticNetwork(H, A);
        var set = Only("layer1", new Cardinality(2));
        Assert.Throws<AdmmKitException>(() => new AdmmTrainer(network, set, Options(0, 1)));
        Assert.Throws<AdmmKitException>(() => new AdmmTrainer(network, set, Options(1, -1)));
        Assert.Throws<AdmmKitException>(() => new AdmmTrainer(network, Only("layer1", new Cardinality(9)), Options(1, 1)));
        var e = Assert.Throws<AdmmKitException>(() => new AdmmTrainer(network, Only("layr1", new Cardinality(2)), Options(1, 1)));
        Assert.Contains("Did you mean 'layer1'?", e.Message, StringComparison.Ordinal);
        var rho = new RhoSchedule { PerLayer = new Dictionary<string, float> { ["conv9"] = 1 } };
        Assert.Throws<AdmmKitException>(() => new AdmmTrainer(network, set, Options(1, 1) with { Rho = rho }));
    }

    [Fact]
    public void The_default_rho_is_the_papers() => Assert.Equal(3e-3f, new AdmmOptions().Rho.At("any", 7));

    private static long Allocated(Action action)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static AdmmOptions Options(int iterations, float rho) =>
        new() { Iterations = iterations, StepsPerIteration = 1, Rho = new RhoSchedule(rho) };

    private static PerLayer Only(string layer, IConstraint constraint) => new(new Dictionary<string, IConstraint> { [layer] = constraint });

    private static float[] Project(IConstraint constraint, LayerInfo layer, float[] v)
    {
        var z = new float[v.Length];
        constraint.Project(layer, v, z, 1);
        return z;
    }

    private static float[] Weights(ITrainable network, int layer)
    {
        var w = new float[network.Layers[layer].WeightCount];
        network.CopyWeights(layer, w);
        return w;
    }

    private sealed class Callback(Action action) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => action();
    }
}
