using AdmmKit.Experiments.Recipes;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Runs;

namespace AdmmKit.Tests.Experiments;

/// <summary>What is said of a recipe before anything is trained.</summary>
public class CompressionForecastTests
{
    private static readonly NetworkSpec LeNet = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);

    [Fact]
    public void Survivors_are_those_of_the_last_pruning_and_never_come_back()
    {
        var recipe = new Recipe
        {
            Prune =
            [
                Prune("first", new() { ["fc1"] = 1_000 }),
                Prune("second", new() { ["fc1"] = 2_000, ["conv1"] = 100 }) with { RemoveUnused = true },
            ],
            Quantize = new() { Bits = new Dictionary<string, int> { ["fc2"] = 5 } },
        };
        var forecast = CompressionForecast.Of(recipe, LeNet);
        Assert.Equal([100, 25_000, 1_000, 5_000], forecast.Layers.Select(l => l.Survivors));
        Assert.Equal([3, 3, 2, 5], forecast.Layers.Select(l => l.Bits));
        Assert.Equal("prune 'second' also removes paths without effect: fewer can stay.", Assert.Single(forecast.Notes));
        // A network that is pruned already has no more than it has.
        Assert.Equal([50, 25_000, 1_000, 5_000], CompressionForecast.Of(recipe, LeNet, [50, 25_000, 400_000, 5_000]).Layers.Select(l => l.Survivors));
    }

    [Fact]
    public void A_total_is_shown_in_equal_shares_and_a_rate_cannot_be_told()
    {
        var forecast = CompressionForecast.Of(new Recipe { Prune = [new() { NetworkSurvivors = 43_050 }] }, LeNet);
        Assert.Equal([50, 2_500, 40_000, 500], forecast.Layers.Select(l => l.Survivors));
        Assert.Contains("equal shares", Assert.Single(forecast.Notes), StringComparison.Ordinal);
        var e = Assert.Throws<AdmmKitException>(() => CompressionForecast.Of(new Recipe { Prune = [new() { Rate = new() { Lambda = 1e-6 } }] }, LeNet));
        Assert.Contains("rate", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<AdmmKitException>(() => CompressionForecast.Of(new Recipe { Prune = [Prune("a", new() { ["conv9"] = 1 })] }, LeNet));
        Assert.Contains("Did you mean 'conv", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.5, 4)]
    [InlineData(0.1, 3)]
    [InlineData(0.02, 2)]
    [InlineData(0.1, 32)]
    public void The_size_is_that_of_a_network_with_survivors_and_levels_at_random(double keep, int bits)
    {
        foreach (NetworkSpec spec in new[] { LeNet, OwnNetworkTests.Residual() })
        {
            var recipe = new Recipe
            {
                Prune = [new() { KeepFraction = spec.Layers.ToDictionary(l => l.Name, _ => keep) }],
                Quantize = bits == 32 ? null : new() { ConvolutionBits = bits, FullyConnectedBits = bits },
            };
            var random = new RandomStream(1, "forecast");
            HashSet<string> unbiased = [.. spec.Nodes.OfType<Node.Convolution>().Where(n => !n.Biased).Select(n => n.Name)];
            var model = new CompressedNetwork(
                spec, [.. spec.Layers.Select(l => Random(l, (int)Math.Round(keep * l.WeightCount), bits, !unbiased.Contains(l.Name), random))],
                [.. spec.Normalizations.Select(n => Enumerable.Range(0, n.Count).Select(_ => (float)random.NextDouble()).ToArray())]);
            // What the coder takes to learn that there is no structure, most of it in the smallest network.
            double predicted = CompressionForecast.Of(recipe, spec).Bytes;
            Assert.InRange(model.Size.TotalBytes / predicted, 0.95, 1.06);
        }
    }

    private static PruneRecipe Prune(string name, Dictionary<string, int> survivors) => new() { Name = name, Survivors = survivors };

    private static CompressedLayer Random(LayerInfo layer, int survivors, int bits, bool biased, RandomStream random)
    {
        var weights = new float[layer.WeightCount];
        int half = 1 << (Math.Min(bits, 8) - 1);
        int[] positions = AdmmKit.Experiments.Accounting.RandomMask.Draw(weights.Length, survivors, random);
        foreach (int at in positions)
        {
            int level = 1 + (int)(random.NextDouble() * half);
            weights[at] = bits == 32 ? (float)random.NextGaussian() : (random.NextDouble() < 0.5 ? level : -level) * 0.25f;
        }

        float[] biases = new float[layer.Rows];
        foreach (int row in positions.Select(p => p / layer.Columns).Distinct().Where(_ => biased))
        {
            biases[row] = (float)random.NextGaussian();
        }

        return CompressedLayer.FromWeights(layer, weights, bits == 32 ? 0 : 0.25f, bits, biases);
    }
}
