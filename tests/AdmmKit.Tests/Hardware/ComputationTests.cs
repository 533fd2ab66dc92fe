using AdmmKit.Experiments.Hardware;
using AdmmKit.Hardware.Computation;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Storage;

namespace AdmmKit.Tests.Hardware;

public class ComputationTests
{
    // 2x4x4 images, three 3x3 filters: 3x2x2 outputs, 54 weights, 54 x 4 = 216 MACs; 12 inputs to 5 classes: 60.
    private static readonly NetworkSpec Tiny = new("tiny", new(2, 4, 4),
        [new Node.Convolution("conv", 3, 3), new Node.Relu(), new Node.FullyConnected("fc", 5)]);

    public static TheoryData<string> Architectures => [.. NetworkSpec.Architectures];

    [Fact]
    public void A_tiny_network_is_counted_as_by_hand()
    {
        var report = ComputationReport.Of(Tiny, [0.5, 0.2], [3, 2]);
        Assert.Equal([(32L, 12L), (12L, 5L)], report.Layers.Select(l => (l.Inputs, l.Outputs)));
        Assert.Equal((216 + 60, 2 * 276), (report.DenseMacs, report.DenseOperations));
        Assert.Equal((108 + 12, 240), (report.Macs, report.Operations));
        Assert.Equal((216 * 3) + (24 * 2), report.OperationBits);
        Assert.Equal([27.0, 12.0], report.Layers.Select(l => l.Survivors));
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Every_network_of_the_library_is_counted(string architecture)
    {
        ImageShape input = UsualInputs.Network(architecture).Input;
        NetworkSpec spec = NetworkSpec.Create(architecture, input, 10);
        var report = ComputationReport.Dense(spec, 32);
        Assert.Equal(spec.Layers, report.Layers.Select(l => l.Layer));
        Assert.Equal(spec.Layers.Sum(l => l.Macs), report.DenseMacs);
        Assert.Equal(report.DenseOperations * 32.0, report.OperationBits);
        Assert.Equal(input.Size, report.Layers[0].Inputs);
        Assert.Equal(10, report.Layers[^1].Outputs);
        // A row's weights are used once for each of its outputs.
        Assert.All(report.Layers, l => Assert.Equal(l.DenseMacs, l.Outputs * l.Layer.Columns));
        Assert.All(report.Layers, l => Assert.True(l.Inputs >= l.Layer.InputChannels));
    }

    [Fact]
    public void AlexNets_convolutions_have_the_operations_of_table_8()
    {
        var report = ComputationReport.Dense(NetworkSpec.Create("alexnet", new(3, 227, 227), 1000), 32);
        Assert.Equal([211, 448, 299, 224, 150, 75, 34, 8], report.Layers.Select(l => Math.Round(l.DenseOperations / 1e6)));
    }

    [Fact]
    public void A_compressed_network_is_counted_by_its_survivors()
    {
        NetworkSpec spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        var random = new RandomStream(1, "computation");
        var model = new CompressedNetwork(spec, [.. spec.Layers.Select((l, i) => RandomNetworks.Layer(l, random, 0.1, 2 + i))]);
        var report = ComputationReport.Of(model);
        // 24x24 and 8x8 outputs a filter.
        int[] positions = [576, 64, 1, 1];
        double[] macs = [.. model.Layers.Zip(positions, (l, p) => (double)l.Survivors * p)];
        Assert.All(report.Layers.Zip(macs), l => Assert.Equal(l.Second, l.First.Macs, 6));
        Assert.Equal(macs.Zip([2, 3, 4, 5], (m, b) => 2 * m * b).Sum(), report.OperationBits, 5);
    }

    [Theory]
    [InlineData(1.01, 8, 2, "'conv'", "1.01", "between 0 and 1")]
    [InlineData(double.NaN, 8, 2, "'conv'", "NaN", "between 0 and 1")]
    [InlineData(0.5, 0, 2, "'conv'", "0 bits", "1 to 64")]
    [InlineData(0.5, 8, 1, "'tiny' has 2 layers", "1 keepFractions", "one of each")]
    public void Wrong_numbers_are_refused(double keepFraction, int bits, int count, params string[] words)
    {
        var e = Assert.Throws<AdmmKitException>(() => ComputationReport.Of(
            Tiny, [.. Enumerable.Repeat(keepFraction, count)], [.. Enumerable.Repeat(bits, count)]));
        Assert.All(words, w => Assert.Contains(w, e.Message, StringComparison.Ordinal));
    }
}
