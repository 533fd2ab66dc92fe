using AdmmKit.Networks;

namespace AdmmKit.Tests;

public class NetworkSpecTests
{
    [Fact]
    public void LeNet5_has_the_weights_and_macs_that_the_paper_counts()
    {
        NetworkSpec net = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        Assert.Equal([500, 25_000, 400_000, 5_000], net.Layers.Select(l => l.WeightCount));
        Assert.Equal([288_000L, 1_600_000, 400_000, 5_000], net.Layers.Select(l => l.Macs));
        Assert.Equal((430_500, 580, 10), (net.WeightCount, net.BiasCount, net.Classes));
    }

    [Fact]
    public void LeNet300100_has_the_published_weights()
    {
        NetworkSpec net = NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10);
        Assert.Equal([235_200, 30_000, 1_000], net.Layers.Select(l => l.WeightCount));
    }

    [Fact]
    public void Unknown_names_suggest_the_nearest()
    {
        var e = Assert.Throws<AdmmKitException>(() => NetworkSpec.Create("lenet-5", NetworkSpec.Mnist, 10));
        Assert.Contains("'lenet5'", e.Message, StringComparison.Ordinal);
        e = Assert.Throws<AdmmKitException>(() => NetworkSpec.LeNet5(NetworkSpec.Mnist, 10).IndexOf("conv3"));
        Assert.Contains("Did you mean 'conv", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_too_small_for_the_network_are_refused()
    {
        var e = Assert.Throws<AdmmKitException>(() => NetworkSpec.Create("lenet5", new ImageShape(1, 8, 8), 10));
        Assert.Contains("conv2", e.Message, StringComparison.Ordinal);
    }
}
