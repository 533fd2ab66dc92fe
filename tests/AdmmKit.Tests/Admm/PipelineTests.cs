using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Storage;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Admm;

/// <summary>The steps of Fig. 2, one by one, on the real engine with small images.</summary>
public class PipelineTests
{
    private static readonly NetworkSpec Spec = NetworkSpec.Create("lenet-300-100", new(1, 12, 12), 5);
    private static readonly int[] Alpha = [400, 200, 60];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void From_dense_to_decoded_file(bool searchAgain)
    {
        using var network = new TrainableNetwork(Spec, TestData.BlobData(Spec.Input, 5, 500), new EngineOptions { BatchSize = 50, Threads = 1 });
        var pipeline = new CompressionPipeline(network);
        TrainedNetwork trained = pipeline.Pretrain(Phase("pretrain", 60));
        Assert.True(trained.Validation.Accuracy > 0.95);

        AdmmOutcome outcome = pipeline.AdmmPrune(trained.Weights, Cardinalities(Alpha), Admm("prune"));
        Assert.Equal(6, outcome.History.Count);
        PrunedNetwork hard = pipeline.HardPrune(outcome);
        Assert.Equal(Alpha, hard.Weights.Weights.Select(w => NetworkWeights.CountNonZero(w)));

        PrunedNetwork retrained = pipeline.Retrain(hard, Phase("retrain", 60));
        Assert.Equal(Enumerable.Range(0, 3).Select(hard.Mask), Enumerable.Range(0, 3).Select(retrained.Mask));
        Assert.True(retrained.Validation.Accuracy > 0.9);
        Assert.True(retrained.Validation.Loss < hard.Validation.Loss);

        IReadOnlyList<LayerLevels> levels = pipeline.FindLevels(retrained, [3, 2, 1]);
        QuantizeOutcome quantized = pipeline.AdmmQuantize(retrained, levels, Admm("quantize"), searchAgain);
        QuantizedNetwork snapped = pipeline.Snap(quantized, Phase("bias", 20));
        Assert.Equal(searchAgain, !levels.SequenceEqual(snapped.Levels));
        Assert.True(snapped.Validation.Accuracy > 0.9);

        var file = new MemoryStream();
        snapped.Compress(Spec).Write(file);
        CompressedNetwork read = CompressedNetwork.Read(file.ToArray(), "test");
        NetworkWeights decoded = read.Decode();
        Assert.Equal(snapped.Weights.Weights, decoded.Weights);
        Assert.Equal(snapped.Weights.Biases, decoded.Biases);
        Assert.Equal((400 * 3) + (200 * 2) + 60, read.WeightDataBits);
        decoded.CopyTo(network);
        Assert.Equal(snapped.Validation, network.Evaluate(DataSplit.Validation));
    }

    [Theory]
    [InlineData(SnapOrder.LargestFirst)]
    [InlineData(SnapOrder.NearestFirst)]
    public void Rounds_set_the_first_survivors_to_their_levels_and_train_the_others(SnapOrder order)
    {
        using var network = new TrainableNetwork(Spec, TestData.BlobData(Spec.Input, 5, 500), new EngineOptions { BatchSize = 50, Threads = 1 });
        var pipeline = new CompressionPipeline(network);
        TrainedNetwork trained = pipeline.Pretrain(Phase("pretrain", 40));
        PrunedNetwork pruned = pipeline.HardPrune(pipeline.AdmmPrune(trained.Weights, Cardinalities(Alpha), Admm("prune")));
        QuantizeOutcome start = pipeline.AdmmQuantize(pruned, pipeline.FindLevels(pruned, [2, 2, 2]), Admm("quantize") with { Iterations = 1 });
        QuantizeOutcome outcome = pipeline.SnapInRounds(start, [0.5], order, round => Phase("round " + round, 20));

        float[] before = start.Admm.Weights.Weights[0], levels = start.Admm.Projected.Weights[0], after = outcome.Admm.Weights.Weights[0];
        int[] survivors = [.. Enumerable.Range(0, before.Length).Where(j => levels[j] != 0)];
        int[] atLevels = [.. survivors.Where(j => after[j] == outcome.Admm.Projected.Weights[0][j])];
        Assert.Equal(200, atLevels.Length);
        double Rank(int j) => order == SnapOrder.LargestFirst ? -Math.Abs(before[j]) : Math.Abs(before[j] - levels[j]);
        Assert.True(atLevels.Max(Rank) <= survivors.Except(atLevels).Min(Rank));
        Assert.All(atLevels, j => Assert.Equal(levels[j], after[j]));
        Assert.Contains(survivors.Except(atLevels), j => after[j] != before[j]);
        Assert.All(Enumerable.Range(0, before.Length).Except(survivors), j => Assert.Equal(0, after[j]));

        // Nothing is left to choose for the snap: every weight is at a level of its layer.
        QuantizedNetwork snapped = pipeline.Snap(pipeline.SnapInRounds(outcome, [0.6, 0.9], order, round => Phase("more " + round, 60)), Phase("bias", 20));
        Assert.Equal(Alpha.Sum(), snapped.Compress(Spec).Survivors);
        Assert.True(snapped.Validation.Accuracy > 0.8, $"{snapped.Validation.Accuracy}");
    }

    [Fact]
    public void A_second_stage_keeps_the_zeros_of_the_first()
    {
        using var network = new TrainableNetwork(Spec, TestData.BlobData(Spec.Input, 5, 300), new EngineOptions { BatchSize = 50, Threads = 1 });
        var pipeline = new CompressionPipeline(network);
        PrunedNetwork first = pipeline.HardPrune(pipeline.AdmmPrune(NetworkWeights.CopyFrom(network), Cardinalities(Alpha), Admm("one")));
        PrunedNetwork second = pipeline.HardPrune(pipeline.AdmmPrune(first.Weights, Cardinalities([100, 50, 20]), Admm("two"), first));
        Assert.Equal(170, second.Weights.Survivors);
        for (int i = 0; i < 3; i++)
        {
            Assert.DoesNotContain(true, first.Mask(i).Zip(second.Mask(i), (a, b) => !a && b));
        }
    }

    [Fact]
    public void Nothing_of_one_step_leaks_into_the_next()
    {
        // Pretraining after a pruning and a snap is the same as pretraining at once: masks, penalties and freezing are gone.
        NetworkWeights Pretrained(bool afterOthers)
        {
            using var network = new TrainableNetwork(Spec, TestData.BlobData(Spec.Input, 5, 300), new EngineOptions { BatchSize = 50, Threads = 1 });
            NetworkWeights start = NetworkWeights.CopyFrom(network);
            var pipeline = new CompressionPipeline(network);
            if (afterOthers)
            {
                PrunedNetwork pruned = pipeline.HardPrune(pipeline.AdmmPrune(start, Cardinalities(Alpha), Admm("one")));
                pipeline.Snap(pipeline.AdmmQuantize(pruned, pipeline.FindLevels(pruned, [2, 2, 2]), Admm("q")), Phase("bias", 3));
            }

            start.CopyTo(network);
            return pipeline.Pretrain(Phase("pretrain", 10)).Weights;
        }

        // CopyTo under a mask would lose weights, so the step frees the network and the start is set again.
        NetworkWeights clean = Pretrained(false);
        NetworkWeights later = Pretrained(true);
        Assert.Equal(clean.Weights[1].Count(w => w == 0), later.Weights[1].Count(w => w == 0));
    }

    [Fact]
    public void A_set_that_revives_pruned_weights_cannot_keep_zeros()
    {
        var network = new QuadraticNetwork(1, [1, 2, 3, 4]);
        var pipeline = new CompressionPipeline(network);
        PerLayer Set(IConstraint constraint) => new(new Dictionary<string, IConstraint> { ["layer1"] = constraint });
        NetworkWeights start = NetworkWeights.CopyFrom(network);
        PrunedNetwork pruned = pipeline.HardPrune(pipeline.AdmmPrune(start, Set(new Cardinality(1)), Admm("prune")));
        var e = Assert.Throws<AdmmKitException>(() => pipeline.AdmmPrune(pruned.Weights, Set(new BlockCirculant(2)), Admm("circulant"), pruned));
        Assert.Contains("'layer1'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_without_survivors_cannot_be_quantized()
    {
        var network = new QuadraticNetwork(1, [1, 2, 3, 4], [1, 2, 3, 4]);
        var pipeline = new CompressionPipeline(network);
        PrunedNetwork pruned = pipeline.HardPrune(pipeline.AdmmPrune(
            NetworkWeights.CopyFrom(network), new PerLayer(new Dictionary<string, IConstraint> { ["layer2"] = new Cardinality(0) }), Admm("none")));
        var e = Assert.Throws<AdmmKitException>(() => pipeline.FindLevels(pruned, [2, 2]));
        Assert.Contains("'layer2' has no survivors", e.Message, StringComparison.Ordinal);
    }

    private static TrainingPhase Phase(string name, int steps) => new(name, steps, new LearningRate.Cosine(2e-3));

    private static AdmmOptions Admm(string phase) => new()
    {
        Phase = phase,
        Iterations = 6,
        StepsPerIteration = 12,
        LearningRate = new LearningRate.Constant(2e-3),
        Rho = new RhoSchedule(0.01f, 1.5f),
    };

    private static PerLayer Cardinalities(int[] alpha) => new(
        Spec.Layers.Select((l, i) => (l.Name, alpha[i])).ToDictionary(p => p.Name, p => (IConstraint)new Cardinality(p.Item2)));
}
