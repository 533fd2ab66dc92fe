using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Purification;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Purification;

/// <summary>What has no effect goes, and what is left computes the same.</summary>
public class UnusedPathsTests
{
    private static readonly ImageShape Four = new(4, 1, 1);

    [Fact]
    public void Random_graphs_compute_the_same_and_have_nothing_left_to_remove()
    {
        (int exact, int moved, int rows, int weights) = (0, 0, 0, 0);
        for (ulong seed = 1; seed <= 150; seed++)
        {
            NetworkSpec spec = RandomGraphs.Spec(seed);
            NetworkWeights before = RandomGraphs.Weights(spec, seed), copy = RandomGraphs.Weights(spec, seed);
            PathRemoval removal = UnusedPaths.Remove(spec, before);
            string which = FormattableString.Invariant($"seed {seed}: {string.Join(", ", spec.Nodes)}");
            AssertSameBits(copy, before);
            bool constants = removal.Removed.Any(r => r.Constants > 0);
            AssertSameFunction(spec, before, removal.Weights, constants, which);

            PathRemoval again = UnusedPaths.Remove(spec, removal.Weights);
            AssertSameBits(removal.Weights, again.Weights);
            Assert.All(again.Removed, r => Assert.Equal(new LayerRemoval(r.Layer, 0, 0, 0, 0), r));

            Assert.Equal(before.Survivors - removal.Weights.Survivors, removal.Removed.Sum(r => r.Weights));
            Assert.All(removal.Removed, r => Assert.True(r is { Rows: >= 0, Columns: >= 0, Weights: >= 0 }, which));
            (exact, moved) = constants ? (exact, moved + 1) : (exact + 1, moved);
            rows += removal.Removed.Sum(r => r.Rows);
            weights += removal.Removed.Sum(r => r.Weights);
        }

        Assert.True(
            exact > 10 && moved > 40 && rows > 300 && weights > 1000, FormattableString.Invariant($"{exact} {moved} {rows} {weights}"));
    }

    [Theory]
    [InlineData("lenet5", 0.004)]
    [InlineData("lenet5-relu", 0.004)]
    [InlineData("lenet-300-100", 0.004)]
    [InlineData("resnet20", 0.05)]
    public void Networks_of_the_library_compute_the_same(string architecture, double keepFraction)
    {
        NetworkSpec spec = NetworkSpec.Create(architecture, architecture == "resnet20" ? new(3, 12, 12) : NetworkSpec.Mnist, 10);
        NetworkWeights before = RandomGraphs.Weights(spec, 3, keepFraction);
        PathRemoval removal = UnusedPaths.Remove(spec, before);
        Assert.True(removal.Weights.Survivors < before.Survivors);
        AssertSameFunction(spec, before, removal.Weights, removal.Removed.Any(r => r.Constants > 0), architecture);
    }

    [Fact]
    public void A_chain_with_known_answer()
    {
        NetworkSpec spec = new("chain", Four,
        [
            new Node.FullyConnected("a", 3), new Node.Relu(), new Node.FullyConnected("b", 4), new Node.Relu(),
            new Node.FullyConnected("c", 2),
        ]);
        NetworkWeights before = new(
            [
                [1, 2, 0, 0, /* read by a row that nobody reads */ 0, 3, 4, 0, /* negative and constant */ 0, 0, 0, 0],
                [5, 0, 6, /* constant 0.5 */ 0, 0, 0, /* unread */ 0, 7, 0, /* negative, only reads the constant 0 */ 0, 0, 8],
                [9, 10, 0, 11, /* a class without weights is still one */ 0, 0, 0, 0],
            ],
            [[0.1f, 0.2f, -0.3f], [0.4f, 0.5f, 0.6f, 0.25f], [0.7f, 0.8f]]);
        PathRemoval removal = UnusedPaths.Remove(spec, before);
        Assert.Equal([1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], removal.Weights.Weights[0]);
        Assert.Equal([0.1f, 0, 0], removal.Weights.Biases[0]);
        Assert.Equal([5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], removal.Weights.Weights[1]);
        Assert.Equal([0.4f, 0, 0, 0], removal.Weights.Biases[1]);
        Assert.Equal([9, 0, 0, 0, 0, 0, 0, 0], removal.Weights.Weights[2]);
        Assert.Equal([(float)(0.7f + (0.5 * 10) + (0.25 * 11)), 0.8f], removal.Weights.Biases[2]);
        Assert.Equal([new("a", 2, 1, 2, 0), new("b", 3, 2, 3, 0), new("c", 0, 2, 2, 1)], removal.Removed);
        AssertSameFunction(spec, before, removal.Weights, constants: true, "chain");
    }

    [Theory]
    [InlineData(0, 0.5f, true)] // moved
    [InlineData(1, 0.5f, false)] // near the edge an output reads fewer of them
    [InlineData(1, -0.5f, true)] // rectified to 0, which is the same everywhere
    [InlineData(1, 0, true)]
    public void A_constant_is_taken_out_of_a_convolution_where_it_is_the_same_everywhere(int padding, float bias, bool goes)
    {
        NetworkSpec spec = new("maps", new(1, 6, 6),
        [
            new Node.Convolution("a", 2, 1), new Node.Relu(), new Node.Convolution("b", 2, 3, Padding: padding), new Node.MaxPool(2),
            new Node.FullyConnected("c", 2),
        ]);
        float[] kernels = [.. Enumerable.Range(0, 36).Select(i => i + 1f)];
        float[] readers = [.. Enumerable.Repeat(0.01f, spec.Layers[2].WeightCount)];
        NetworkWeights before = new([[1, 0], kernels, readers], [[0, bias], [1, 2], [0, 0]]);
        PathRemoval removal = UnusedPaths.Remove(spec, before);
        float[] expected = [.. kernels.Select((w, j) => goes && j / 9 % 2 == 1 ? 0 : w)];
        Assert.Equal(expected, removal.Weights.Weights[1]);
        Assert.Equal(goes ? 0 : bias, removal.Weights.Biases[0][1]);
        // 10 + ... + 18 and 28 + ... + 36.
        Assert.Equal(padding == 0 ? [1 + (0.5f * 126), 2 + (0.5f * 288)] : [1, 2], removal.Weights.Biases[1]);
        AssertSameFunction(spec, before, removal.Weights, padding == 0, "maps");
    }

    [Fact]
    public void A_constant_map_goes_through_pooling_into_a_neuron()
    {
        NetworkSpec spec = new("maps", new(1, 4, 4),
            [new Node.Convolution("a", 2, 1), new Node.AveragePool(2), new Node.MaxPool(2, 1, 1), new Node.FullyConnected("b", 2)]);
        Assert.Equal(18, spec.Layers[1].Columns);
        float[] all = [.. Enumerable.Range(1, 36).Select(i => (float)i)];
        NetworkWeights before = new([[0, 2], all], [[0.25f, 1], [0, 3]]);
        PathRemoval removal = UnusedPaths.Remove(spec, before);
        Assert.Equal([.. all.Select((w, j) => j % 18 < 9 ? 0 : w)], removal.Weights.Weights[1]);
        // 1 + ... + 9 and 19 + ... + 27.
        Assert.Equal([0.25f * 45, 3 + (0.25f * 207)], removal.Weights.Biases[1]);
        Assert.Equal([new("a", 1, 0, 0, 0), new("b", 0, 9, 18, 2)], removal.Removed);
    }

    [Fact]
    public void Batch_normalization_of_an_empty_filter_is_a_constant()
    {
        NetworkSpec spec = new("normalized", Four,
            [new Node.Convolution("a", 2, 1, Biased: false), new Node.BatchNorm("n"), new Node.FullyConnected("b", 2)]);
        NetworkWeights before = new([[0, 0, 0, 0, 1, 1, 1, 1], [3, 4, 5, 6]], [[0, 0], [1, 1]])
        {
            Normalizations = [[2, 1, 0.5f, 0, 0.25f, 0, 4, 1]],
        };
        PathRemoval removal = UnusedPaths.Remove(spec, before);
        double constant = (2 * (0 - 0.25) / Math.Sqrt(4 + 1e-5)) + 0.5;
        Assert.Equal([0, 4, 0, 6], removal.Weights.Weights[1]);
        Assert.Equal([(float)(1 + (3 * constant)), (float)(1 + (5 * constant))], removal.Weights.Biases[1]);
        Assert.Same(before.Normalizations, removal.Weights.Normalizations);
    }

    [Fact]
    public void A_convolution_without_biases_keeps_what_reads_a_constant()
    {
        NetworkSpec spec = new("normalized", Four,
        [
            new Node.Convolution("a", 2, 1), new Node.Convolution("b", 2, 1, Biased: false), new Node.BatchNorm("n"),
            new Node.FullyConnected("c", 2),
        ]);
        NetworkWeights before = new([[0, 0, 0, 0, 1, 1, 1, 1], [3, 4, 5, 6], [1, 1, 1, 1]], [[0.5f, 0], [0, 0], [0, 0]])
        {
            Normalizations = [[1, 1, 0, 0, 0, 0, 1, 1]],
        };
        AssertSameBits(before, UnusedPaths.Remove(spec, before).Weights);
    }

    [Fact]
    public void Channels_of_sums_shortcuts_and_concatenations_are_those_that_they_came_from()
    {
        var net = new NetworkBuilder("joined", Four);
        int a = net.Add(new Node.Convolution("a", 2, 1), NetworkSpec.Image);
        int b = net.Add(new Node.Convolution("b", 2, 1), NetworkSpec.Image);
        int sum = net.Add(new Node.Add(), a, b); // constant 0.75, and what varies
        int wide = net.Add(new Node.Shortcut(4, 1), sum); // 0, 0.75, varies, 0
        net.Add(new Node.Concat(), b, wide); // 0.5, varies, 0, 0.75, varies, 0
        net.Add(new Node.FullyConnected("c", 2));
        NetworkSpec spec = net.Build();
        NetworkWeights before = new(
            [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 1], [1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0]],
            [[0.25f, 1], [0.5f, 1], [0, 0]]);
        PathRemoval removal = UnusedPaths.Remove(spec, before);
        Assert.Equal([0, 2, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0], removal.Weights.Weights[2]);
        Assert.Equal([(1 * 0.5f) + (4 * 0.75f), 0], removal.Weights.Biases[2]);
        Assert.Equal([0, 1], removal.Weights.Biases[0]);
        Assert.Equal([0, 1], removal.Weights.Biases[1]);

        // Nobody reads the varying channel behind the sum: of a it goes, of b it is still read beside the sum.
        NetworkWeights unread = before with { Weights = [before.Weights[0], before.Weights[1], [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] };
        removal = UnusedPaths.Remove(spec, unread);
        Assert.Equal([new float[8], before.Weights[1], unread.Weights[2]], removal.Weights.Weights);
        Assert.Equal([[0, 0], [0, 1], [0, 0]], removal.Weights.Biases);
    }

    [Fact]
    public void Groups_read_their_own_channels()
    {
        NetworkSpec spec = new("groups", Four,
            [new Node.Convolution("a", 4, 1), new Node.Convolution("b", 2, 1, Groups: 2), new Node.FullyConnected("c", 2)]);
        // Channels 0 and 1 belong to the first filter, 2 and 3 to the second. The second class reads neither.
        NetworkWeights before = new(
            [[.. Enumerable.Repeat(1f, 12), 0, 0, 0, 0], [1, 0, 2, 3], [4, 5, 0, 0]], [[0, 0, 0, 0.5f], [0, 0], [0, 0]]);
        PathRemoval removal = UnusedPaths.Remove(spec, before);
        Assert.Equal([1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0], removal.Weights.Weights[0]);
        Assert.Equal([1, 0, 2, 0], removal.Weights.Weights[1]);
        Assert.Equal([0, 3 * 0.5f], removal.Weights.Biases[1]);
    }

    [Fact]
    public void A_channel_counts_as_read_by_the_responses_of_its_neighbours()
    {
        NetworkSpec spec = new("responses", Four,
            [new Node.Convolution("a", 4, 1), new Node.LocalResponseNorm(3, 1), new Node.FullyConnected("b", 2)]);
        NetworkWeights before = new(
            [[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], [1, 0, 0, 0, 1, 0, 0, 0]], [[0, 0, 0, 0], [0, 0]]);
        float[] left = UnusedPaths.Remove(spec, before).Weights.Weights[0];
        Assert.Equal([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], left);
        // A constant there is divided by what varies; one of zeros is not.
        NetworkWeights constant = new(
            [[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1, 1, 1]], [[0.5f, 0, 0, 0], [0, 0]]);
        Assert.Equal([1, 1, 0, 1, 1, 1, 0, 1], UnusedPaths.Remove(spec, constant).Weights.Weights[1]);
    }

    [Fact]
    public void Weights_of_another_network_are_refused()
    {
        NetworkSpec spec = new("chain", Four, [new Node.FullyConnected("a", 3)]);
        string message = Assert.Throws<AdmmKitException>(() => UnusedPaths.Remove(spec, new([new float[11]], [new float[3]]))).Message;
        Assert.Contains("a 3x4", message, StringComparison.Ordinal);
    }

    private static void AssertSameBits(NetworkWeights expected, NetworkWeights actual)
    {
        Assert.Equal(expected.Weights, actual.Weights);
        Assert.Equal(expected.Biases, actual.Biases);
        Assert.Equal(expected.Normalizations, actual.Normalizations);
    }

    private static void AssertSameFunction(NetworkSpec spec, NetworkWeights before, NetworkWeights after, bool constants, string which)
    {
        ImageSet images = TestData.Blobs(spec.Input, spec.Classes, 20, 7);
        using var network = new Network(spec, 20, threads: 1);
        network.SetWeights(before);
        float[][] expected = network.Predict(images);
        network.SetWeights(after);
        float[][] actual = network.Predict(images);
        foreach ((float[] x, float[] y) in expected.Zip(actual))
        {
            for (int c = 0; c < x.Length; c++)
            {
                // Some ten layers in float32, in which a bias of another size rounds otherwise.
                Assert.True(constants ? Math.Abs(x[c] - y[c]) <= 2e-5 * (1 + Math.Abs(x[c])) : x[c] == y[c], $"{which}: {x[c]:r} {y[c]:r}");
            }
        }
    }
}
