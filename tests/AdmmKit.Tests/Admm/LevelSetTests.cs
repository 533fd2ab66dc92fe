using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Storage;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Admm;

/// <summary>Binary, ternary and jointly pruned and quantized weights: from the dense network by ADMM to the decoded file.</summary>
public class LevelSetTests
{
    private static readonly NetworkSpec Spec = NetworkSpec.Create("lenet-300-100", new(1, 12, 12), 5);

    [Fact]
    public void Binary_weights_of_a_quadratic_end_at_their_signs_times_the_mean_magnitude()
    {
        float[] a = [1, 2, -3, 2, -1, 3];
        var network = new QuadraticNetwork(2, a);
        var set = new EqualDistanceLevels([true, true, true, true, true, true], 1);
        AdmmOutcome outcome = Run(network, set, 60, 2);
        QuantizeOutcome named = QuantizeOutcome.FromProjected(network.Layers, outcome, [1]);
        Assert.Equal(2, named.Levels[0].Q, 1e-4f);
        Assert.Equal(a.Select(x => Math.Sign(x) * named.Levels[0].Q), named.Admm.Projected.Weights[0]);
    }

    [Fact]
    public void Ternary_weights_of_a_quadratic_end_at_zero_and_the_mean_of_the_rest()
    {
        float[] a = [0.1f, 2, -3, -0.2f, -1.9f, 3];
        var network = new QuadraticNetwork(2, a);
        QuantizeOutcome named = QuantizeOutcome.FromProjected(network.Layers, Run(network, new LevelsWithZero(1), 60, 2), [1]);
        float q = named.Levels[0].Q;
        Assert.Equal((2 + 3 + 1.9f + 3) / 4, q, 1e-4f);
        Assert.Equal([0, q, -q, 0, -q, q], named.Admm.Projected.Weights[0]);
    }

    public static TheoryData<string> Sets => ["binary", "ternary", "joint", "last layer free"];

    [Theory]
    [MemberData(nameof(Sets))]
    public void From_dense_to_decoded_file(string kind)
    {
        var options = new EngineOptions { BatchSize = 50, Threads = 1 };
        using var network = new TrainableNetwork(Spec, TestData.BlobData(Spec.Input, 5, 500), options);
        var pipeline = new CompressionPipeline(network);
        NetworkWeights dense = pipeline.Pretrain(Phase("pretrain", 60)).Weights;
        LayerInfo[] constrained = [.. Spec.Layers.Take(kind == "last layer free" ? 2 : 3)];
        var sets = new PerLayer(constrained.ToDictionary(l => l.Name, l => (IConstraint)(kind switch
        {
            "binary" => new EqualDistanceLevels(Enumerable.Repeat(true, l.WeightCount).ToArray(), 1),
            "joint" => new SparseLevels(l.WeightCount / 10, 3),
            _ => new LevelsWithZero(1),
        })));
        int[] bits = kind switch { "joint" => [3, 3, 3], "last layer free" => [1, 1, 32], _ => [1, 1, 1] };
        AdmmOutcome outcome = pipeline.AdmmPrune(dense, sets, Admm(8, 0.01f, 12));
        QuantizedNetwork snapped = pipeline.Snap(QuantizeOutcome.FromProjected(Spec.Layers, outcome, bits), Phase("biases", 20));
        Assert.True(snapped.Validation.Accuracy > 0.9, $"{snapped.Validation}");
        Assert.Equal(kind == "binary" ? Spec.WeightCount : outcome.Projected.Survivors, snapped.Weights.Survivors);

        var file = new MemoryStream();
        snapped.Compress(Spec).Write(file);
        CompressedNetwork read = CompressedNetwork.Read(file.ToArray(), "test");
        Assert.Equal(snapped.Weights.Weights, read.Decode().Weights);
        Assert.Equal(read.Layers.Zip(bits).Sum(p => (long)p.First.Survivors * p.Second), read.WeightDataBits);
        if (kind == "joint")
        {
            Assert.All(read.Layers, l => Assert.InRange(l.KeepFraction, 0.01, 0.1));
        }
    }

    [Fact]
    public void Weights_that_lie_on_no_levels_are_refused_by_name()
    {
        LayerInfo[] layers = [.. new QuadraticNetwork(1, [1, 2, 3, 4], [1, 2]).Layers];
        AdmmOutcome Outcome(float[] first) => new(Of(first), Of(first), []);
        static NetworkWeights Of(float[] first) => new([first, [1, -1]], [new float[2], new float[2]]);
        float[] w = [0.5f, 1, 0, -1];
        QuantizeOutcome named = QuantizeOutcome.FromProjected(layers, Outcome(w), [2, 1]);
        Assert.Equal([new LayerLevels(2, 0.5f), new LayerLevels(1, 1)], named.Levels);
        Assert.NotSame(w, named.Admm.Projected.Weights[0]);
        void Refused(string words, float[] first, params int[] bits)
        {
            var e = Assert.Throws<AdmmKitException>(() => QuantizeOutcome.FromProjected(layers, Outcome(first), bits));
            Assert.Contains(words, e.Message, StringComparison.Ordinal);
        }

        Refused("'layer1' does not lie on 2 ", w, 1, 1);
        Refused("'layer1' does not lie on 4 ", [0.5f, 1, 0.7f, 0], 2, 1);
        Refused("'layer1' has no survivors", new float[4], 2, 1);
        Refused("1 numbers of bits for 2 layers", w, 2);
    }

    private static AdmmOptions Admm(int iterations, float rho, int steps) => new()
    {
        Phase = "levels",
        Iterations = iterations,
        StepsPerIteration = steps,
        LearningRate = new LearningRate.Constant(2e-3),
        Rho = new RhoSchedule(rho, steps == 1 ? 1 : 1.5f),
    };

    private static AdmmOutcome Run(QuadraticNetwork network, IConstraint set, int iterations, float rho)
    {
        var only = new PerLayer(new Dictionary<string, IConstraint> { ["layer1"] = set });
        return new CompressionPipeline(network).AdmmPrune(NetworkWeights.CopyFrom(network), only, Admm(iterations, rho, 1));
    }

    private static TrainingPhase Phase(string name, int steps) => new(name, steps, new LearningRate.Cosine(2e-3));
}
