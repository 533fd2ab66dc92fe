using AdmmKit.Baselines;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Admm;

/// <summary>What ADMM is compared with: pruning by magnitude, L1 regularization, shared values.</summary>
public class BaselineTests
{
    private static readonly float[] A = [1, 2, 3, 5, -4, 0.5f, 2.5f, -1];
    private static readonly NetworkSpec Spec = NetworkSpec.Create("lenet-300-100", new(1, 12, 12), 5);

    [Fact]
    public void Magnitude_pruning_projects_and_evaluates()
    {
        var network = new QuadraticNetwork(2, A, A);
        PrunedNetwork pruned = MagnitudePruning.Prune(network, NetworkWeights.CopyFrom(network), Cardinalities(3, 8));
        Assert.Equal([0f, 0f, 3f, 5f, -4f, 0f, 0f, 0f], pruned.Weights.Weights[0]);
        Assert.Equal(A, pruned.Weights.Weights[1]);
        Assert.Equal(1 + 4 + 0.25 + 6.25 + 1, pruned.Validation.Loss, 1e-6);
        var unequal = new NetworkWeights([A, [.. A.Select(a => a / 2)]], [new float[2], new float[2]]);
        PrunedNetwork together = MagnitudePruning.Prune(network, unequal, new NetworkCardinality(4));
        Assert.Equal([0f, 0f, 3f, 5f, -4f, 0f, 2.5f, 0f], together.Weights.Weights[0]);
        Assert.Equal(0, NetworkWeights.CountNonZero(together.Weights.Weights[1]));
    }

    [Fact]
    public void Weights_pruned_before_stay_pruned_and_sets_that_revive_them_are_refused()
    {
        var network = new QuadraticNetwork(2, A);
        NetworkWeights start = NetworkWeights.CopyFrom(network);
        PrunedNetwork first = MagnitudePruning.Prune(network, start, Cardinalities(4));
        var other = new NetworkWeights([[9, 8, 0.1f, -0.2f, 0.3f, 7, -0.4f, 6]], start.Biases);
        PrunedNetwork second = MagnitudePruning.Prune(network, other, Cardinalities(2), first);
        Assert.Equal([0f, 0f, 0f, 0f, 0.3f, 0f, -0.4f, 0f], second.Weights.Weights[0]);
        var circulant = new PerLayer(new Dictionary<string, IConstraint> { ["layer1"] = new BlockCirculant(2) });
        var e = Assert.Throws<AdmmKitException>(() => MagnitudePruning.Prune(network, start, circulant, first));
        Assert.Contains("'layer1'", e.Message, StringComparison.Ordinal);
        Assert.Throws<AdmmKitException>(() => MagnitudePruning.Prune(network, start, Cardinalities(9)));
        Assert.Equal(A, start.Weights[0]);
    }

    [Fact]
    public void L1_is_set_on_the_layers_named_and_taken_off_again()
    {
        var network = new QuadraticNetwork(2, A, A);
        network.SetPenalty(0, new Penalty.L1(9));
        L1Regularization.Set(network, 3, ["layer2"]);
        Assert.Equal([Penalty.None, new Penalty.L1(3)], network.Penalties);
        network.Train(1, null, CancellationToken.None);
        // The minimum of h/2 (w - a)^2 + lambda |w| is a, made smaller by lambda / h, at least 0.
        Assert.Equal([0f, 0.5f, 1.5f, 3.5f, -2.5f, 0f, 1f, 0f], NetworkWeights.CopyFrom(network).Weights[1].Select(Math.Abs)
            .Zip(A, (w, a) => MathF.CopySign(w, a)).Select(w => w == 0 ? 0 : w));
        Assert.Equal(A, NetworkWeights.CopyFrom(network).Weights[0]);
        L1Regularization.Set(network, 1);
        Assert.All(network.Penalties, p => Assert.Equal(new Penalty.L1(1), p));
        L1Regularization.Remove(network);
        Assert.All(network.Penalties, p => Assert.Equal(Penalty.None, p));
    }

    [Fact]
    public void L1_refuses_unknown_layers_and_a_lambda_that_is_not_positive()
    {
        var network = new QuadraticNetwork(2, A);
        Assert.Throws<AdmmKitException>(() => L1Regularization.Set(network, 0));
        Assert.Throws<AdmmKitException>(() => L1Regularization.Set(network, float.NaN));
        var e = Assert.Throws<AdmmKitException>(() => L1Regularization.Set(network, 1, ["layr1"]));
        Assert.Contains("Did you mean 'layer1'?", e.Message, StringComparison.Ordinal);
        Assert.Equal([Penalty.None], network.Penalties);
    }

    [Fact]
    public void After_L1_more_of_the_weight_is_in_the_survivors()
    {
        using TrainableNetwork network = Blobs();
        TrainedNetwork dense = new CompressionPipeline(network).Pretrain(Phase("pretrain", 60));
        double ShareOfSurvivors(float lambda)
        {
            dense.Weights.CopyTo(network);
            if (lambda > 0)
            {
                L1Regularization.Set(network, lambda);
            }

            network.BeginPhase(Phase("l1", 60));
            network.Train(60, null, CancellationToken.None);
            L1Regularization.Remove(network);
            NetworkWeights trained = NetworkWeights.CopyFrom(network);
            PrunedNetwork pruned = MagnitudePruning.Prune(network, trained, Fractions(0.05));
            return pruned.Weights.Weights.Sum(Norm) / trained.Weights.Sum(Norm);
        }

        static double Norm(float[] w) => w.Sum(x => Math.Abs((double)x));
        Assert.True(ShareOfSurvivors(1e-3f) > 1.5 * ShareOfSurvivors(0));
    }

    [Fact]
    public void Pruned_by_magnitude_in_two_rounds_and_retrained_like_any_pruned_network()
    {
        using TrainableNetwork network = Blobs();
        var pipeline = new CompressionPipeline(network);
        PrunedNetwork at = new(pipeline.Pretrain(Phase("pretrain", 60)).Weights, new(0, 0, 0));
        foreach (double keep in new[] { 0.2, 0.05 })
        {
            PrunedNetwork pruned = MagnitudePruning.Prune(network, at.Weights, Fractions(keep), at);
            PrunedNetwork retrained = pipeline.Retrain(pruned, Phase("retrain", 60));
            Assert.Equal(pruned.Weights.Survivors, retrained.Weights.Survivors);
            Assert.True(retrained.Validation.Loss < pruned.Validation.Loss, $"{keep}: {pruned.Validation}, then {retrained.Validation}");
            Assert.DoesNotContain(true, at.Mask(0).Zip(retrained.Mask(0), (a, b) => !a && b));
            at = retrained;
        }

        Assert.True(at.Validation.Accuracy > 0.9, $"{at.Validation}");
    }

    [Fact]
    public void Shared_values_are_trained_to_the_mean_of_what_their_members_want()
    {
        var network = new QuadraticNetwork(2, A);
        var pruned = new PrunedNetwork(new([[1, 1.1f, 0, -2, 0.9f, -2.1f, 0, -1.9f]], [new float[2]]), new(0, 0, 0));
        SharedNetwork clustered = WeightSharing.Cluster(network, pruned, [1]);
        Assert.All(clustered.Weights.Weights[0].Zip([1, 1, 0, -2, 1, -2, 0, -2]), p => Assert.Equal(p.Second, p.First, 1e-6f));
        Assert.Equal(clustered.Validation, network.Evaluate(DataSplit.Validation));

        SharedNetwork trained = WeightSharing.Retrain(network, clustered, Phase("shared", 3));
        // Members of one cluster jump to 1, 2 and -4, of the other to 5, 0.5 and -1.
        float low = (1 + 2 - 4) / 3f, high = (5 + 0.5f - 1) / 3f;
        Assert.Equal([low, low, 0, high, low, high, 0, high], trained.Weights.Weights[0]);
        Assert.Equal(trained.Layers[0].ToWeights(), trained.Weights.Weights[0]);
        Assert.Equal(network.Evaluate(DataSplit.Validation), trained.Validation);
        Assert.Equal((6 * 1) + (2 * 32), trained.DataBits);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void Shared_values_of_a_real_network_get_better_and_stay_shared(int stepsPerMean)
    {
        using TrainableNetwork network = Blobs();
        TrainedNetwork dense = new CompressionPipeline(network).Pretrain(Phase("pretrain", 60));
        PrunedNetwork pruned = MagnitudePruning.Prune(network, dense.Weights, Fractions(0.05));
        SharedNetwork clustered = WeightSharing.Cluster(network, pruned, [3, 2, 1]);
        var steps = new Steps();
        SharedNetwork trained = WeightSharing.Retrain(network, clustered, Phase("shared", 40), stepsPerMean, steps);
        Assert.Equal(40, steps.Last);
        Assert.True(trained.Validation.Loss < clustered.Validation.Loss);
        for (int i = 0; i < 3; i++)
        {
            Assert.InRange(trained.Weights.Weights[i].Where(w => w != 0).Distinct().Count(), 2, 1 << (3 - i));
            Assert.Equal(pruned.Mask(i), trained.Weights.Weights[i].Select(w => w != 0));
            Assert.Equal(clustered.Layers[i].Codes, trained.Layers[i].Codes);
        }
    }

    [Fact]
    public void Weight_sharing_refuses_wrong_bits_and_steps()
    {
        var network = new QuadraticNetwork(2, A);
        var pruned = new PrunedNetwork(NetworkWeights.CopyFrom(network), new(0, 0, 0));
        Assert.Throws<AdmmKitException>(() => WeightSharing.Cluster(network, pruned, [1, 2]));
        Assert.Throws<AdmmKitException>(() => WeightSharing.Cluster(network, pruned, [9]));
        SharedNetwork shared = WeightSharing.Cluster(network, pruned, [2]);
        Assert.Throws<AdmmKitException>(() => WeightSharing.Retrain(network, shared, Phase("shared", 3), 0));
    }

    private static TrainableNetwork Blobs() =>
        new(Spec, TestData.BlobData(Spec.Input, 5, 500), new EngineOptions { BatchSize = 50, Threads = 1 });

    private static TrainingPhase Phase(string name, int steps) => new(name, steps, new LearningRate.Cosine(2e-3));

    private static PerLayer Cardinalities(params int[] survivors) => new(
        survivors.Select((k, i) => (k, i)).ToDictionary(p => $"layer{p.i + 1}", p => (IConstraint)new Cardinality(p.k)));

    private static PerLayer Fractions(double keep) => new(
        Spec.Layers.ToDictionary(l => l.Name, l => (IConstraint)new Cardinality((int)(keep * l.WeightCount))));

    private sealed class Steps : IProgress<TrainingProgress>
    {
        public int Last { get; private set; }

        public void Report(TrainingProgress value) => Last = value.Step;
    }
}
