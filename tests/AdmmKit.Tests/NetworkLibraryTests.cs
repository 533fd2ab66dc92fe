using AdmmKit.Experiments.Accounting;
using AdmmKit.Networks;

namespace AdmmKit.Tests;

/// <summary>The library's networks against published counts, and what a graph refuses.</summary>
public class NetworkLibraryTests
{
    private static readonly ImageShape Small = new(4, 6, 6);

    [Theory]
    [InlineData("alexnet")]
    [InlineData("caffenet")]
    public void AlexNet_has_the_weights_and_macs_of_the_paper(string name)
    {
        NetworkSpec net = NetworkSpec.Create(name, new(3, 227, 227), 1000);
        Assert.Equal(
            [34_848, 307_200, 884_736, 663_552, 442_368, 37_748_736, 16_777_216, 4_096_000], net.Layers.Select(l => l.WeightCount));
        Assert.Equal((60_954_656, 10_568, 1000), (net.WeightCount, net.BiasCount, net.Classes));
        Assert.Equal(
            [105_415_200L, 223_948_800, 149_520_384, 112_140_288, 74_760_192, 37_748_736, 16_777_216, 4_096_000],
            net.Layers.Select(l => l.Macs));
        Assert.Equal(NetworkTable.AlexNet.Layers.Select(l => l.Layer), net.Layers);
        Assert.Equal([55, 27, 27, 13, 13, 13, 13, 6], Heights(net, n => n is Node.Convolution or Node.MaxPool));
    }

    [Fact]
    public void AlexNet_normalizes_before_it_pools_and_CaffeNet_after()
    {
        Assert.Equal([27, 13], Heights(NetworkSpec.Create("caffenet", new(3, 227, 227), 10), n => n is Node.LocalResponseNorm));
        Assert.Equal([55, 27], Heights(NetworkSpec.Create("alexnet", new(3, 227, 227), 10), n => n is Node.LocalResponseNorm));
    }

    [Fact]
    public void Vgg16_has_the_published_weights_and_macs()
    {
        NetworkSpec net = NetworkSpec.Create("vgg16", NetworkSpec.ImageNet, 1000);
        Assert.Equal((16, 138_344_128, 13_416), (net.Layers.Count, net.WeightCount, net.BiasCount));
        Assert.Equal(15_470_264_320, net.Layers.Sum(l => l.Macs));
        Assert.Equal(NetworkTable.Vgg16.Layers.Select(l => l.Layer), net.Layers);
        Assert.Equal([112, 56, 28, 14, 7], Heights(net, n => n is Node.MaxPool));
        Assert.Equal(new ImageShape(512, 7, 7), net.Shapes[net.Nodes.ToList().FindLastIndex(n => n is Node.MaxPool)]);
    }

    [Fact]
    public void ResNet50_has_the_published_weights_and_macs()
    {
        NetworkSpec net = NetworkSpec.Create("resnet50", NetworkSpec.ImageNet, 1000);
        Assert.Equal((54, 25_502_912), (net.Layers.Count, net.WeightCount));
        // He et al. print 3.8 x 10^9 multiply-adds.
        Assert.Equal(3_857_973_248, net.Layers.Sum(l => l.Macs));
        Assert.Equal(NetworkTable.ResNet50.Layers.Select(l => l.Layer), net.Layers);
        // With 1,000 biases and two numbers a normalized channel: the 25,557,032 of the usual checkpoints.
        Assert.Equal(53, net.Normalizations.Count);
        Assert.Equal(25_557_032, net.WeightCount + 1000 + net.Normalizations.Sum(n => 2 * n.Channels));
        Assert.All(net.Nodes.OfType<Node.Convolution>(), c => Assert.False(c.Biased));
        Assert.Equal([56], Heights(net, n => n is Node.MaxPool));
        Assert.Equal(
            [.. Enumerable.Repeat(56, 3), .. Enumerable.Repeat(28, 4), .. Enumerable.Repeat(14, 6), 7, 7, 7],
            Heights(net, n => n is Node.Add));
        Assert.Equal(new ImageShape(2048, 1, 1), net.Shapes[^2]);
    }

    [Theory]
    [InlineData("resnet20", 268_336, 40_551_040, 20)]
    [InlineData("resnet32", 461_872, 68_862_592, 32)]
    [InlineData("resnet56", 848_944, 125_485_696, 56)]
    public void Residual_networks_for_small_images_have_the_published_weights(string name, int weights, long macs, int layers)
    {
        NetworkSpec net = NetworkSpec.Create(name, NetworkSpec.Cifar, 10);
        Assert.Equal((weights, macs, layers), (net.WeightCount, net.Layers.Sum(l => l.Macs), net.Layers.Count));
        // One normalization a convolution; shortcuts have no weights.
        Assert.Equal(layers - 1, net.Normalizations.Count);
        Assert.Equal(
            [new(32, 16, 16), new(64, 8, 8)],
            net.Nodes.Zip(net.Shapes).Where(s => s.First is Node.Shortcut).Select(s => s.Second));
        Assert.Equal(new ImageShape(64, 1, 1), net.Shapes[^2]);
        Assert.Equal((layers - 2) / 2, net.Nodes.Count(n => n is Node.Add));
    }

    [Fact]
    public void VggSmall_has_the_weights_of_its_description()
    {
        NetworkSpec net = NetworkSpec.Create("vgg-small", NetworkSpec.Cifar, 10);
        Assert.Equal([1_728, 36_864, 73_728, 147_456, 294_912, 589_824, 2_097_152, 5_120], net.Layers.Select(l => l.WeightCount));
        Assert.Equal([16, 8, 4], Heights(net, n => n is Node.MaxPool));
        Assert.Equal([64, 64, 128, 128, 256, 256], net.Normalizations.Select(n => n.Channels));
    }

    public static TheoryData<string> Names() => [.. NetworkSpec.Architectures];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_architecture_bears_its_name_and_has_an_output_for_each_class(string name)
    {
        NetworkSpec net = NetworkSpec.Create(name, new(3, 227, 227), 7);
        Assert.Equal((name, 7, 7), (net.Name, net.Classes, net.Layers[^1].Rows));
        Assert.Equal(net.Layers.Count, net.Layers.Select(l => l.Name).Distinct().Count());
        Refused("at least 2 classes", () => NetworkSpec.Create(name, new(3, 227, 227), 1));
    }

    [Theory]
    [InlineData("alexnet", 3, 66, "3x3 window")]
    [InlineData("alexnet", 3, 10, "conv1")]
    [InlineData("vgg16", 3, 31, "2x2 window")]
    [InlineData("vgg-small", 3, 7, "2x2 window")]
    [InlineData("resnet20", 1, 32, "channels")]
    public void Images_that_do_not_fit_are_refused(string name, int channels, int size, string message) =>
        Refused(message, () => NetworkSpec.Create(name, new(channels, size, size), 10));

    [Fact]
    public void Unknown_names_and_depths_are_refused_with_a_proposal()
    {
        Refused("'resnet20'", () => NetworkSpec.Create("resnet-20", NetworkSpec.Cifar, 10));
        Refused("take 20", () => NetworkLibrary.ResNet(21, NetworkSpec.Cifar, 10));
        Refused("take 8", () => NetworkLibrary.ResNet(2, NetworkSpec.Cifar, 10));
    }

    [Fact]
    public void A_builder_reads_the_last_step_unless_told_otherwise()
    {
        var net = new NetworkBuilder("test", Small);
        Assert.Equal(NetworkSpec.Image, net.Last);
        Assert.Equal(0, net.Add(new Node.Convolution("c1", 8, 3)));
        Assert.Equal(1, net.Add(new Node.Convolution("c2", 8, 3), NetworkSpec.Image));
        Assert.Equal(2, net.Add(new Node.Add(), 0, 1));
        Assert.Equal(3, net.Add(new Node.Relu()));
        NetworkSpec spec = net.Build();
        Assert.Equal([[-1], [-1], [0, 1], [2]], spec.Inputs);
        Assert.Equal(new ImageShape(8, 4, 4), spec.Shapes[^1]);
        Assert.Equal(128, spec.Classes);
    }

    [Fact]
    public void A_graph_reads_only_what_comes_before()
    {
        static NetworkSpec Of(params int[][] inputs) => new("test", Small, [new Node.Relu(), new Node.Relu()], inputs);
        Assert.Equal([Small, Small], Of([-1], [0]).Shapes);
        Refused("steps before it", () => Of([1], [-1]));
        Refused("steps before it", () => Of([-1], [1]));
        Refused("steps before it", () => Of([-2], [0]));
        Refused("steps before it", () => Of([-1], []));
        Refused("steps before it", () => Of([-1]));
        Refused("at least one step", () => new NetworkSpec("test", Small, []));
    }

    [Fact]
    public void Two_layers_do_not_share_a_name()
    {
        Refused("'a'", () => new NetworkSpec("test", Small, [new Node.FullyConnected("a", 3), new Node.FullyConnected("a", 3)]));
        Refused("'a'", () => new NetworkSpec("test", Small, [new Node.Convolution("a", 3, 3), new Node.BatchNorm("a")]));
    }

    [Fact]
    public void A_step_refuses_inputs_that_do_not_fit()
    {
        Refused("3 groups", () => new Node.Convolution("c", 6, 3, Groups: 3).OutputShape(Small));
        Refused("2 groups", () => new Node.Convolution("c", 5, 3, Groups: 2).OutputShape(Small));
        Refused("0 groups", () => new Node.Convolution("c", 5, 3, Groups: 0).OutputShape(Small));
        Refused("'c'", () => new Node.Convolution("c", 6, 7).OutputShape(Small));
        Refused("padding is smaller", () => new Node.Convolution("c", 6, 3, Padding: 3).OutputShape(Small));
        Refused("padding is smaller", () => new Node.MaxPool(2, 1, 2).OutputShape(Small));
        Refused("at least 1", () => new Node.MaxPool(0).OutputShape(Small));
        Refused("at least 1", () => new Node.Convolution("c", 6, 3, Stride: 0).OutputShape(Small));
        Refused("6x6", () => new Node.AveragePool(7).OutputShape(Small));
        Refused("not 4", () => new Node.LocalResponseNorm(4).OutputShape(Small));
        Refused("3 outputs", () => new Node.Shortcut(3, 1).OutputShape(Small));
        Refused("not 1 and 4", () => new Node.Standardize([0.5f], [1, 1, 1, 1]).OutputShape(Small));
        Refused("one input, not 2", () => new Node.Relu().OutputShape([Small, Small]));
        Refused("4x6x6, 4x6x5", () => new Node.Add().OutputShape([Small, Small with { Width = 5 }]));
        Refused("of one shape", () => new Node.Add().OutputShape([Small]));
        Refused("4x6x6, 4x5x6", () => new Node.Concat().OutputShape([Small, Small with { Height = 5 }]));
        Assert.Equal(new ImageShape(7, 6, 6), new Node.Concat().OutputShape([Small, Small with { Channels = 3 }]));
    }

    private static IEnumerable<int> Heights(NetworkSpec net, Func<Node, bool> which) =>
        net.Nodes.Zip(net.Shapes).Where(s => which(s.First)).Select(s => s.Second.Height);

    private static void Refused(string message, Func<object> build) =>
        Assert.Contains(message, Assert.Throws<AdmmKitException>(build).Message, StringComparison.Ordinal);
}
