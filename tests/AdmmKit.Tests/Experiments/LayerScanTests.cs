using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Search;
using AdmmKit.Networks;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Experiments;

/// <summary>A sensitivity scan whose points are kept.</summary>
public sealed class LayerScanTests : IDisposable
{
    private static readonly ImageShape Shape = new(1, 8, 8);
    private static readonly NetworkSpec Spec = new("two layers", Shape, [new Node.FullyConnected("a", 12), new Node.Relu(), new Node.FullyConnected("b", 4)]);

    private readonly TemporaryFolder folder = new();
    private readonly DataSet data = TestData.BlobData(Shape, 4, 64);

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_scan_that_was_cut_off_goes_on_to_the_same_bits()
    {
        NetworkWeights weights = Weights(1);
        string whole = Scan(weights, "whole").Points().ToCsv();
        using var stop = new CancellationTokenSource();
        var told = new List<ScanProgress>();
        Assert.Throws<OperationCanceledException>(() => Scan(weights, "parts", p =>
        {
            told.Add(p);
            if (p.Done == 5)
            {
                stop.Cancel();
            }
        }, stop.Token));
        Assert.Equal(5, told.Count);
        Assert.All(told, p => Assert.Equal(1 + (2 * 3), p.Points));
        Assert.Null(told[0].Layer);
        Assert.Equal("a", told[1].Layer);
        LayerScan rest = Scan(weights, "parts");
        Assert.Equal(2, rest.Evaluated);
        Assert.Equal(whole, rest.Points().ToCsv());
    }

    [Fact]
    public void Other_weights_and_other_images_are_another_scan()
    {
        Scan(Weights(1), "one");
        Assert.Equal(0, Scan(Weights(1), "one").Evaluated);
        Assert.Equal(7, Scan(Weights(2), "one").Evaluated);
        DataSet others = data with { Checksums = new Dictionary<string, string> { ["images"] = "other" } };
        Assert.Equal(7, LayerScan.Run(Spec, Weights(1), others, Path.Combine(folder.Path, "one"), [0.5, 0.25]).Evaluated);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{ \"key\": \"0\", \"points\": [] }")]
    [InlineData("{ \"key\": \"KEY\", \"points\": [null] }")]
    [InlineData("{ \"key\": \"KEY\", \"points\": [{ \"layer\": \"c\", \"survivors\": 1, \"correct\": 1, \"loss\": 0 }] }")]
    [InlineData("{ \"key\": \"KEY\", \"points\": [{ \"layer\": \"a\", \"survivors\": 1, \"correct\": 1000000, \"loss\": 0 }] }")]
    public void A_damaged_file_of_points_is_told(string content)
    {
        Scan(Weights(1), "damaged");
        string home = Assert.Single(Directory.GetDirectories(Path.Combine(folder.Path, "damaged")));
        File.WriteAllText(Path.Combine(home, "points.json"), content.Replace("KEY", Path.GetFileName(home)["scan-".Length..], StringComparison.Ordinal));
        Assert.Contains("Delete that file", Assert.Throws<AdmmKitException>(() => Scan(Weights(1), "damaged")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_least_share_is_the_last_before_too_much_is_lost()
    {
        LayerScan scan = Scan(Weights(1), "least");
        Assert.All(scan.Scan.Curves, c => Assert.Equal(0, scan.LeastKeepFraction(c, 100)));
        Assert.All(scan.Scan.Curves, c =>
        {
            double least = scan.LeastKeepFraction(c, 2);
            Assert.Contains(c.Points, p => (double)p.Survivors / c.Layer.WeightCount == least);
            Assert.All(c.Points.Where(p => (double)p.Survivors / c.Layer.WeightCount >= least), p =>
                Assert.True(p.Validation.Correct >= scan.Scan.Dense.Correct - (0.02 * scan.Scan.Dense.Count)));
        });
        Assert.Equal(2, Assert.Single(scan.Chart().Panels).Series.Count);
    }

    private LayerScan Scan(NetworkWeights weights, string name, Action<ScanProgress>? progress = null, CancellationToken cancellation = default) =>
        LayerScan.Run(Spec, weights, data, Path.Combine(folder.Path, name), [0.5, 0.25], 1, progress, cancellation);

    private NetworkWeights Weights(ulong seed)
    {
        using var network = new TrainableNetwork(Spec, data, new EngineOptions { Seed = seed, Threads = 1 });
        return NetworkWeights.CopyFrom(network);
    }
}
