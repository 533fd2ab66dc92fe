using AdmmKit.Engine;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Purification;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Purification;

/// <summary>Near-empty outputs and channels go while the accuracy bears it.</summary>
public class PurifierTests
{
    private static readonly NetworkSpec Spec = new(
        "chain", new(1, 1, 5), [new Node.FullyConnected("a", 5), new Node.Relu(), new Node.FullyConnected("b", 2)]);

    // Rows of one survivor (0, 1, 2), of two, and of three; each is read by both classes.
    private static readonly NetworkWeights Weights = new(
        [
            [
                1, 0, 0, 0, 0,
                0, 2, 0, 0, 0,
                0, 0, 3, 0, 0,
                0, 0.5f, 0, 0.5f, 0,
                4, 4, 4, 4, 4,
            ],
            [1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        ],
        [new float[5], new float[2]]);

    [Theory]
    [InlineData(1, 0, 0, new[] { 0, 0, 0 }, new int[] { 3, 4 })] // none is needed
    [InlineData(1, 0, 0, new[] { 0, 1, 0 }, new int[] { 1, 3, 4 })]
    [InlineData(1, 0, 0.1, new[] { 0, 1, 0 }, new int[] { 3, 4 })] // 0.1 points are one image
    [InlineData(1, 0, 0.1, new[] { 1, 1, 1 }, new int[] { 1, 2, 3, 4 })] // the smallest is tried first
    [InlineData(1, 0, 0.2, new[] { 1, 1, 1 }, new int[] { 2, 3, 4 })]
    [InlineData(2, 0, 0, new[] { 0, 1, 1 }, new int[] { 1, 2 })] // what has two survivors includes the inputs of the classes
    [InlineData(0, 0.25, 0, new[] { 0, 0, 0 }, new int[] { 0, 1, 2, 4 })] // of norms 1, 2, 3, 0.7 and 8.9 the mean is 3.1
    [InlineData(0, 0, 9, new[] { 0, 0, 0 }, new int[] { 0, 1, 2, 3, 4 })]
    public void Rows_go_while_the_accuracy_bears_it(int survivors, double normShare, double maxDrop, int[] needed, int[] left)
    {
        Evaluation Evaluate(NetworkWeights w) => new(900 - needed.Where((images, row) => images > 0 && Empty(w, row)).Count(), 1000, 0);
        PurificationResult result = Purifier.Run(Spec, Weights, Evaluate, new(survivors, normShare, maxDrop));
        Assert.Equal(left, Enumerable.Range(0, 5).Where(row => !Empty(result.Network.Weights, row)));
        // The classes no longer read the others.
        Assert.Equal(2 * left.Length, NetworkWeights.CountNonZero(result.Network.Weights.Weights[1]));
        Assert.Equal(Evaluate(result.Network.Weights), result.Network.Validation);
        Assert.Equal(900, result.Before.Correct);
        Assert.Equal(5 - left.Length, result.Removed[0].Rows);
        Assert.Equal((5 - left.Length) * 2, result.Removed[1].Weights);
        Assert.InRange(result.Evaluations, 1, 20);
    }

    [Fact]
    public void Input_channels_go_too_and_classes_stay()
    {
        // The column of the fifth input has one survivor, and so have the class that is read least and the neuron that it reads.
        NetworkSpec spec = new("chain", new(1, 1, 5), [new Node.FullyConnected("a", 2), new Node.Relu(), new Node.FullyConnected("b", 2)]);
        NetworkWeights weights = new([[1, 2, 3, 4, 0, 5, 6, 7, 8, 9], [1, 2, 0, 3]], [new float[2], new float[2]]);
        PurificationResult result = Purifier.Run(spec, weights, w => new Evaluation(w.Weights[1][0] != 0 ? 10 : 9, 10, 0), new(1, 0, 0));
        Assert.Equal([1, 2, 3, 4, 0, 5, 6, 7, 8, 9], result.Network.Weights.Weights[0]);
        Assert.Equal([1, 2, 0, 3], result.Network.Weights.Weights[1]);

        // A convolution's channels are those of the image: here the second one, with one survivor of 18.
        spec = new("maps", new(2, 4, 4), [new Node.Convolution("a", 2, 3), new Node.FullyConnected("b", 2)]);
        float[] kernels = [.. Enumerable.Range(0, 36).Select(j => j / 9 % 2 == 0 || j == 9 ? 1f : 0)];
        weights = new([kernels, [.. Enumerable.Repeat(1f, 16)]], [new float[2], new float[2]]);
        PathRemoval unused = UnusedPaths.Remove(spec, weights);
        Assert.Equal(0, unused.Removed.Sum(r => r.Weights));
        result = Purifier.Run(spec, weights, _ => new Evaluation(10, 10, 0), new(1, 0, 0));
        Assert.Equal([.. kernels.Select((w, j) => j == 9 ? 0 : w)], result.Network.Weights.Weights[0]);
    }

    [Fact]
    public void What_is_made_near_empty_is_tried_next()
    {
        // Without the first neuron of a, the second one of b reads one input of its two, and goes, and with it the third of a.
        NetworkSpec spec = new("chain", new(1, 1, 2),
        [
            new Node.FullyConnected("a", 3), new Node.Relu(), new Node.FullyConnected("b", 2), new Node.Relu(),
            new Node.FullyConnected("c", 2),
        ]);
        NetworkWeights weights = new([[1, 0, 2, 3, 4, 5], [0, 6, 7, 1, 0, 2], [1, 2, 3, 4]], [new float[3], new float[2], new float[2]]);
        // The second neuron of a is needed, and the first of b with two of what it reads.
        static Evaluation Evaluate(NetworkWeights w) =>
            new(w.Weights[0][2] == 0 || w.Weights[0][3] == 0 || w.Weights[1][1] == 0 || w.Weights[1][2] == 0 ? 9 : 10, 10, 0);
        NetworkWeights left = Purifier.Run(spec, weights, Evaluate, new(1, 0, 0)).Network.Weights;
        Assert.Equal([0, 0, 2, 3, 4, 5], left.Weights[0]);
        Assert.Equal([0, 6, 7, 0, 0, 0], left.Weights[1]);
        Assert.Equal([1, 0, 3, 0], left.Weights[2]);
    }

    [Fact]
    public void Accuracy_that_says_nothing_decides_nothing()
    {
        // Even where all removals seem to cost nothing: not of a network that is mostly wrong, and no layer's last survivor.
        static Evaluation Half(NetworkWeights w) => new(499, 1000, 0);
        Assert.Equal(Weights.Weights, Purifier.Run(Spec, Weights, Half, new(100, 0, 1)).Network.Weights.Weights);
        PurificationResult result = Purifier.Run(Spec, Weights, _ => new Evaluation(500, 1000, 0), new(100, 0, 1));
        Assert.All(result.Network.Weights.Weights, w => Assert.InRange(NetworkWeights.CountNonZero(w), 1, 5));
    }

    [Fact]
    public void The_pipeline_evaluates_on_validation_images_and_sets_the_network_up_by_itself()
    {
        var spec = new NetworkSpec(
            "small", new(1, 8, 8), [new Node.FullyConnected("a", 20), new Node.Relu(), new Node.FullyConnected("b", 4)]);
        using var network = new TrainableNetwork(spec, TestData.BlobData(spec.Input, 4, 300), new EngineOptions { Threads = 1 });
        var pipeline = new CompressionPipeline(network);
        NetworkWeights dense = pipeline.Pretrain(new TrainingPhase("dense", 60, new LearningRate.Constant(5e-3))).Weights;
        // Every neuron keeps one of its weights in turn, and a few keep more.
        float[] thin = [.. dense.Weights[0].Select((w, j) => j % 64 == 3 * (j / 64) || (j / 64 < 8 && j % 4 == 0) ? w : 0)];
        PrunedNetwork pruned = pipeline.Retrain(
            new PrunedNetwork(dense with { Weights = [thin, dense.Weights[1]] }, new Evaluation(0, 100, 0)),
            new TrainingPhase("thin", 60, new LearningRate.Constant(5e-3)));
        Assert.InRange(pruned.Validation.Accuracy, 0.6, 1);
        // And nobody reads one of them.
        float[] last = [.. pruned.Weights.Weights[1].Select((w, j) => j % 20 == 5 ? 0 : w)];
        NetworkWeights sparse = pruned.Weights with { Weights = [pruned.Weights.Weights[0], last] };
        pruned = pruned with { Weights = sparse };
        // A mask left by another step would hide weights from the evaluation.
        network.SetMask(0, new bool[spec.Layers[0].WeightCount]);
        PurificationResult unused = pipeline.Purify(spec, pruned);
        sparse.CopyTo(network);
        Assert.Equal(network.Evaluate(DataSplit.Validation).Correct, unused.Network.Validation.Correct);
        Assert.Equal(UnusedPaths.Remove(spec, sparse).Weights.Weights, unused.Network.Weights.Weights);
        Assert.Equal(1, unused.Evaluations);
        PurificationResult more = pipeline.Purify(spec, pruned, new PurificationOptions(2, 0, 5));
        Assert.True(more.Network.Weights.Survivors < unused.Network.Weights.Survivors);
        Assert.InRange(more.Network.Validation.Correct, more.Before.Correct - 5, 100);
    }

    [Theory]
    [InlineData(-1, 0, 0)]
    [InlineData(0, -0.1, 0)]
    [InlineData(0, 0, double.NaN)]
    [InlineData(0, double.PositiveInfinity, 0)]
    public void Negative_options_are_refused(int survivors, double normShare, double maxDrop) => Assert.Contains(
        "none of the three is negative",
        Assert.Throws<AdmmKitException>(() =>
            Purifier.Run(Spec, Weights, _ => new Evaluation(1, 1, 0), new(survivors, normShare, maxDrop))).Message,
        StringComparison.Ordinal);

    private static bool Empty(NetworkWeights w, int row) => NetworkWeights.CountNonZero(w.Weights[0].AsSpan(5 * row, 5)) == 0;
}
