using AdmmKit.Baselines;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Admm;

public class SensitivityScanTests
{
    private static readonly double[] Every = [.. Enumerable.Range(1, 39).Select(k => k / 40.0)];

    [Fact]
    public void A_curve_is_what_pruning_one_layer_alone_costs()
    {
        float[] a = [4, -3, 2, 1], b = [8, 1, 1, 1];
        var network = new QuadraticNetwork(2, a, b);
        SensitivityScan scan = SensitivityScan.Run(network, NetworkWeights.CopyFrom(network), [0.25, 0.75, 0.5]);
        Assert.Equal(0, scan.Dense.Loss);
        Assert.Equal(["layer1", "layer2"], scan.Curves.Select(c => c.Layer.Name));
        Assert.Equal([(4, 0), (3, 1), (2, 5), (1, 14), (0, 30)], scan.Curves[0].Points.Select(p => (p.Survivors, p.Cost)));
        Assert.Equal([(4, 0), (3, 1), (2, 2), (1, 3), (0, 67)], scan.Curves[1].Points.Select(p => (p.Survivors, p.Validation.Loss)));
        Assert.Equal([4, 4, 3.5, 3, 2.25, 0.5, 0], new[] { -1, 0, 0.5, 1, 4, 22, 31 }.Select(scan.Curves[0].SurvivorsFor));
        Assert.Equal(a, NetworkWeights.CopyFrom(network).Weights[0]);
    }

    [Fact]
    public void Every_budget_is_met_exactly_at_equal_costs()
    {
        NetworkWeights weights = Weights(40, 40, 40);
        var network = new QuadraticNetwork(2, [.. weights.Weights]);
        SensitivityScan scan = SensitivityScan.Run(network, weights, Every);
        double Cost(int layer, int survivors) => scan.Curves[layer].Points.Single(p => p.Survivors == survivors).Cost;
        for (int total = 3; total <= 120; total++)
        {
            int[] split = [.. scan.Split(total).Values];
            Assert.Equal(total, split.Sum());
            Assert.All(split, k => Assert.InRange(k, 1, 40));
            // But for one weight of rounding, no layer pays more than another one that could have pruned on.
            for (int i = 0; i < 3; i++)
            {
                for (int j = 0; j < 3; j++)
                {
                    Assert.True(split[i] == 40 || split[j] == 1 || Cost(i, split[i] + 1) <= Cost(j, split[j] - 1),
                        $"{total}: {string.Join(' ', split)}");
                }
            }
        }
    }

    [Fact]
    public void A_layer_that_can_do_without_weights_gives_them_up_first()
    {
        // Only four of the second layer's weights are wanted; the others only harm, so pruning them costs nothing.
        float[] needed = [5, 4, 3, 2, 2, 3, 4, 5], wanted = [5, 5, 5, 5, 0, 0, 0, 0];
        var network = new QuadraticNetwork(2, needed, wanted);
        var noisy = new NetworkWeights([needed, [.. wanted.Select(x => x == 0 ? 0.5f : x)]], [new float[2], new float[2]]);
        SensitivityScan scan = SensitivityScan.Run(network, noisy, [.. Enumerable.Range(1, 7).Select(k => k / 8.0)]);
        Assert.Equal(1, scan.Dense.Loss);
        Assert.Equal([0, 0, 0, 0, 0, 24], scan.Curves[1].Points.Take(6).Select(p => p.Cost));
        Assert.Equal(4, scan.Curves[1].SurvivorsFor(0));
        Assert.Equal([8, 4], scan.Split(12).Values);
        Assert.Equal([8, 6], scan.Split(14).Values);
        Assert.Equal([6, 4], scan.Split(10).Values);
    }

    [Fact]
    public void The_least_total_cost_is_that_of_all_splits()
    {
        // Costs of a quadratic add up, and those of one layer are convex.
        NetworkWeights weights = Weights(8, 10, 6);
        var network = new QuadraticNetwork(2, [.. weights.Weights]);
        SensitivityScan scan = SensitivityScan.Run(network, weights, [.. Enumerable.Range(1, 119).Select(k => k / 120.0)]);
        double[][] costs = [.. scan.Curves.Select(c => c.Points.OrderBy(p => p.Survivors).Select(p => p.Cost).ToArray())];
        for (int total = 3; total <= 24; total++)
        {
            double least = (from a in Enumerable.Range(1, 8)
                            from b in Enumerable.Range(1, 10)
                            where total - a - b is >= 1 and <= 6
                            select costs[0][a] + costs[1][b] + costs[2][total - a - b]).Min();
            int[] split = [.. scan.Split(total, SplitRule.LeastTotalCost).Values];
            Assert.Equal(total, split.Sum());
            Assert.Equal(least, split.Select((k, i) => costs[i][k]).Sum(), 1e-9);
        }
    }

    [Fact]
    public void A_price_at_which_many_weights_go_at_once_is_crossed_in_part()
    {
        // Eight equal weights: all are worth a price below 1, none is worth more; the budget asks for five of them.
        float[] equal = [1, 1, 1, 1, 1, 1, 1, 1], large = [9, 9, 9, 9];
        var network = new QuadraticNetwork(2, equal, large);
        SensitivityScan scan = SensitivityScan.Run(network, NetworkWeights.CopyFrom(network), [0.5]);
        Assert.Equal([8, 8, 0], new[] { -1, 0.99, 1.01 }.Select(scan.Curves[0].SurvivorsAtPrice));
        Assert.Equal([5, 4], scan.Split(9, SplitRule.LeastTotalCost).Values);
    }

    [Fact]
    public void Every_layer_keeps_its_minimum()
    {
        NetworkWeights weights = Weights(40, 40, 2);
        var network = new QuadraticNetwork(2, [weights.Weights[0], [.. weights.Weights[1].Select(w => w * 1e-3f)], weights.Weights[2]]);
        SensitivityScan scan = SensitivityScan.Run(network, NetworkWeights.CopyFrom(network));
        Assert.Equal(1, scan.Split(20)["layer2"]);
        Assert.Equal(5, scan.Split(20, minimum: 5)["layer2"]);
        Assert.Equal([5, 5, 2], scan.Split(12, minimum: 5).Values);
        Assert.Equal([40, 40, 2], scan.Split(82).Values);
    }

    [Fact]
    public void What_cannot_be_scanned_or_split_is_refused()
    {
        NetworkWeights weights = Weights(8, 8);
        var network = new QuadraticNetwork(2, [.. weights.Weights]);
        var e = Assert.Throws<AdmmKitException>(() => SensitivityScan.Run(network, weights, [0]));
        Assert.Contains("keep fraction 0 ", e.Message, StringComparison.Ordinal);
        Assert.Throws<AdmmKitException>(() => SensitivityScan.Run(network, weights, [0.5, 1]));
        Assert.Throws<AdmmKitException>(() => SensitivityScan.Run(network, weights, [double.NaN]));
        SensitivityScan scan = SensitivityScan.Run(network, weights);
        e = Assert.Throws<AdmmKitException>(() => scan.Split(1));
        Assert.Contains("2 (at least 1 a layer) to 16", e.Message, StringComparison.Ordinal);
        Assert.Throws<AdmmKitException>(() => scan.Split(17));
        Assert.Throws<AdmmKitException>(() => scan.Split(9, minimum: 5));
        Assert.Throws<AdmmKitException>(() => scan.Split(9, minimum: 0));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => SensitivityScan.Run(network, weights, cancellation: cancelled.Token));
    }

    [Fact]
    public void A_budget_split_by_sensitivity_loses_less_than_one_split_evenly()
    {
        NetworkSpec spec = NetworkSpec.Create("lenet-300-100", new(1, 12, 12), 5);
        var options = new EngineOptions { BatchSize = 50, Threads = 1 };
        using var network = new TrainableNetwork(spec, TestData.BlobData(spec.Input, 5, 500), options);
        NetworkWeights dense = new CompressionPipeline(network)
            .Pretrain(new TrainingPhase("pretrain", 60, new LearningRate.Cosine(2e-3))).Weights;
        SensitivityScan scan = SensitivityScan.Run(network, dense);
        int total = spec.WeightCount / 10;
        PrunedNetwork split = Pruned(scan.Split(total));
        PrunedNetwork cheapest = Pruned(scan.Split(total, SplitRule.LeastTotalCost));
        PrunedNetwork even = Pruned(spec.Layers.ToDictionary(l => l.Name, l => (int)Math.Ceiling(0.1 * l.WeightCount)));
        Assert.Equal(total, split.Weights.Survivors);
        Assert.Equal(total, cheapest.Weights.Survivors);
        Assert.True(split.Validation.Loss < even.Validation.Loss, $"{split.Validation.Loss} {even.Validation.Loss}");
        Assert.True(cheapest.Validation.Loss < split.Validation.Loss, $"{cheapest.Validation.Loss} {split.Validation.Loss}");

        PrunedNetwork Pruned(IReadOnlyDictionary<string, int> survivors) => MagnitudePruning.Prune(
            network, dense, new PerLayer(survivors.ToDictionary(p => p.Key, p => (IConstraint)new Cardinality(p.Value))));
    }

    /// <summary>Gaussian weights whose scale differs from layer to layer.</summary>
    private static NetworkWeights Weights(params int[] counts)
    {
        var random = new RandomStream(2, "sensitivity");
        return new NetworkWeights(
            [.. counts.Select((n, i) => Enumerable.Range(0, n).Select(_ => (float)((i + 1) * random.NextGaussian())).ToArray())],
            [.. counts.Select(_ => new float[2])]);
    }
}
