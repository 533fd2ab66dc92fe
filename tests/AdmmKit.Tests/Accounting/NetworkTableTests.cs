using AdmmKit.Experiments.Accounting;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Accounting;

public class NetworkTableTests
{
    [Fact]
    public void AlexNet_has_the_weights_and_operations_that_the_paper_prints()
    {
        NetworkTable net = NetworkTable.AlexNet;
        Assert.Equal(
            [34_848, 307_200, 884_736, 663_552, 442_368, 37_748_736, 16_777_216, 4_096_000],
            net.Layers.Select(l => l.Layer.WeightCount));
        Assert.Equal((60_954_656L, 10_568), (net.WeightCount, net.BiasCount));
        Assert.Equal([55, 27, 13, 13, 13, 1, 1, 1], net.Layers.Select(l => l.Output.Height));
        Assert.Equal([1, 2, 1, 2, 2, 1, 1, 1], net.Layers.Select(l => l.Groups));
        Assert.Equal(105_415_200, net["conv1"].Layer.Macs);

        // Table 8, millions. Its fc3 is cut off, its conv1-5 a sum of exact numbers.
        Assert.Equal([211, 448, 299, 224, 150, 75, 34, 8], net.Layers.Select(l => (int)Math.Round(l.Operations / 1e6)));
        Assert.Equal(1_332, Math.Round(2 * net.MacsOf(LayerKind.Convolution) / 1e6));
    }

    [Fact]
    public void Vgg16_has_the_published_weights_and_macs()
    {
        NetworkTable net = NetworkTable.Vgg16;
        Assert.Equal((16, 138_344_128L, 13_416), (net.Layers.Count, net.WeightCount, net.BiasCount));
        Assert.Equal(15_470_264_320, net.Macs);
        Assert.Equal(102_760_448, net["fc1"].Layer.WeightCount);
        Assert.Equal(new ImageShape(512, 7, 7), new ImageShape(512, net["conv5_3"].Output.Height / 2, net["conv5_3"].Output.Width / 2));
    }

    [Fact]
    public void ResNet50_has_the_published_parameters_and_macs()
    {
        NetworkTable net = NetworkTable.ResNet50;
        Assert.Equal((54, 25_502_912L), (net.Layers.Count, net.WeightCount));
        Assert.Equal((23_454_912L, 2_048_000L), (net.WeightsOf(LayerKind.Convolution), net.WeightsOf(LayerKind.FullyConnected)));

        // What torchvision and the Caffe model have in all: 25,557,032 learned numbers.
        Assert.Equal(25_557_032, net.WeightCount + net.BiasCount + net.BatchNormParameters);

        // He et al. print 3.8 x 10^9 multiply-adds; with the stride in the 3x3 convolutions it would be 4.09 x 10^9.
        Assert.Equal(3_857_973_248, net.Macs);
        Assert.Equal(new ImageShape(2048, 7, 7), net["res5c_branch2c"].Output);
        Assert.Equal(net["res4a_branch2c"].Output, net["res4a_branch1"].Output);
        Assert.Equal(new ImageShape(256, 56, 56), net["res3a_branch1"].Input);
    }

    [Fact]
    public void An_unknown_layer_is_named_with_its_nearest()
    {
        var e = Assert.Throws<AdmmKitException>(() => NetworkTable.AlexNet["conv6"]);
        Assert.Contains("'conv", e.Message, StringComparison.Ordinal);
    }
}
