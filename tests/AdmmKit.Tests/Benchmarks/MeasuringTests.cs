using System.Text.Json.Nodes;
using AdmmKit.Benchmarks;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Benchmarks;

/// <summary>What the benchmarks count, compare and accept; never how fast anything is.</summary>
public class MeasuringTests
{
    [Fact]
    public void A_step_is_three_passes_a_layer_but_two_for_the_first()
    {
        // By hand: conv1 20 x 24 x 24 x 25 multiply-accumulates, conv2 50 x 8 x 8 x 500, fc1 500 x 800, fc2 10 x 500.
        const double conv1 = 288_000, others = 1_600_000 + 400_000 + 5_000;
        NetworkSpec lenet = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        Assert.Equal(2 * 64 * conv1, Flops.Forward(lenet.Layers[0], 64));
        Assert.Equal(64 * ((4 * conv1) + (6 * others)), Flops.Step(lenet, 64));
        Assert.Equal((4 * 784 * 300) + (6 * 31_000), Flops.Step(NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10), 1));
    }

    [Fact]
    public void Quantities_are_compared_with_the_peers_of_the_same_work()
    {
        JsonObject[] ours =
        [
            Parse("""{"engine":"E","threads":2,"train_dense":300,"infer_sparse_batch1_us":20,"top_k_37.7M_projection_ms":50,"own":1}"""),
            Parse("""{"engine":"E","threads":2,"train_dense":100,"infer_sparse_batch1_us":10,"top_k_37.7M_projection_ms":40,"own":2}"""),
        ];
        JsonObject[] theirs =
        [
            Parse("""{"torch":"1","threads":2,"train_dense":100,"infer_batch1_us":100,"top_k_37.7M_a_ms":100,"top_k_37.7M_b_ms":25}"""),
            Parse("""{"torch":"1","threads":2,"train_dense":200,"infer_batch1_us":100,"top_k_37.7M_a_ms":100,"top_k_37.7M_b_ms":20}"""),
        ];
        IReadOnlyList<Comparison> all = Comparison.Of(ours, theirs);
        Assert.Equal(
            [
                "train_dense|train_dense|images/s", "infer_sparse_batch1_us|infer_batch1_us|us",
                "top_k_37.7M_projection_ms|top_k_37.7M_a_ms|ms", "top_k_37.7M_projection_ms|top_k_37.7M_b_ms|ms", "own||images/s",
            ],
            all.Select(c => $"{c.Key}|{c.PeerKey}|{c.Unit}"));
        Assert.Equal([3, 0.5], all[0].TimesPeer);
        Assert.Equal([5, 10], all[1].TimesPeer);
        Assert.Equal([0.5, 0.5], all[3].TimesPeer);
        Assert.Equal([1, 2], all[4].Ours);
        Assert.Empty(all[4].TimesPeer);
        Assert.Equal(all.Count, all.Select(c => c.Title).Distinct().Count());
        Assert.All(Comparison.Of(ours, []), c => Assert.Null(c.PeerKey));
    }

    [Fact]
    public void A_round_that_lacks_a_quantity_is_refused()
    {
        AdmmKitException e = Assert.Throws<AdmmKitException>(
            () => Comparison.Of([Parse("""{"train_dense":1}"""), Parse("""{"train_admm":1}""")], []));
        Assert.Contains("train_dense", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Arguments_are_read_by_position_and_by_name()
    {
        var arguments = new Arguments(["2", "--rounds", "5", "64", "--quick"], "[threads] [batch] [--rounds N] [--out DIR] [--quick]");
        Assert.Equal((2, 64, 5), (arguments.Count("threads", 1), arguments.Count("batch", 1), arguments.Count("--rounds", 1)));
        Assert.True(arguments.Has("--quick"));
        Assert.Null(arguments.Text("--out"));
        Assert.Equal(7, new Arguments([], "[threads]").Count("threads", 7));
    }

    [Theory]
    [InlineData("--round 3", "--rounds")]
    [InlineData("--rounds", "needs a value")]
    [InlineData("1 2", "'2' is one value too many")]
    [InlineData("0", "at least 1, not '0'")]
    [InlineData("two", "not 'two'")]
    public void A_wrong_command_line_says_what_is_wrong(string line, string expected)
    {
        UsageException e = Assert.Throws<UsageException>(
            () => new Arguments(line.Split(' '), "[threads] [--rounds N]").Count("threads", 1));
        Assert.Contains(expected, e.Message, StringComparison.Ordinal);
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
}
