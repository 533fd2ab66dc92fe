using AdmmKit.Experiments.Accounting;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Accounting;

public class AccountedModelTests
{
    [Fact]
    public void The_printed_data_size_leaves_one_split()
    {
        Assert.Equal(865_000, AccountedModels.ConvolutionSurvivors("2.25M", "1.06MB"), 6);
        Assert.Equal(2_450_000, AccountedModels.ConvolutionSurvivors("6.9M", "3.2MB"), 6);
    }

    [Fact]
    public void A_layer_that_would_need_more_weights_than_it_has_stays_dense()
    {
        IReadOnlyList<int> survivors = AccountedModels.AlexNetAs7.Survivors;
        Assert.Equal(34_848, survivors[0]);
        Assert.Equal(865_000, survivors.Take(5).Sum());
        Assert.Equal(1_385_000, survivors.Skip(5).Sum());
        Assert.Equal(survivors[1] / 307_200.0, survivors[3] / 663_552.0, 4);
        Assert.Equal(20.0 / 19, survivors[1] / 307_200.0 / (survivors[2] / 884_736.0), 3);
    }

    [Fact]
    public void The_densities_of_24_give_its_convolutions_as_many_survivors_as_the_papers_AlexNet_has() =>
        Assert.Equal(864_856, AccountedModels.AlexNet24.Survivors.Take(5).Sum());

    [Fact]
    public void Five_sizes_are_ordered_and_belong_to_the_printed_bits()
    {
        ModelSizes sizes = AccountedModels.ResNet1M47.Sizes;
        Assert.Equal(1_470_000 * 4, sizes.WeightDataBits);
        Assert.True(sizes.WeightDataBits < sizes.BoundBits && sizes.BoundBits < sizes.RelativeBits && sizes.RelativeBits < sizes.FileBits);

        // Density 0.0576: H(d) / d = 5.52 bits a survivor; log2 C(N, k) of 54 layers is a little less.
        double d = 1_470_000.0 / NetworkTable.ResNet50.WeightCount;
        double entropy = -Math.Log2(d) - ((1 - d) / d * Math.Log2(1 - d));
        Assert.InRange((sizes.BoundBits - sizes.WeightDataBits) / sizes.Survivors, entropy - 0.01, entropy);
    }

    [Fact]
    public void Printed_sizes_are_below_the_bound_of_independent_positions_except_that_of_VGG()
    {
        static double Megabytes(AccountedModel model) => model.Sizes.BoundBits / 8e6;
        Assert.All([AccountedModels.AlexNetAs7, AccountedModels.AlexNetAs24], m => Assert.True(Megabytes(m) > 2.455));
        Assert.All([AccountedModels.VggEqual, AccountedModels.VggAs24], m => Assert.True(Megabytes(m) < 8.25));
        Assert.True(Megabytes(AccountedModels.ResNet3M6) > 4.15 && Megabytes(AccountedModels.ResNet1M47) > 1.655);
    }

    [Fact]
    public void Padding_counts_the_zeros_that_bridge_long_gaps()
    {
        var table = new NetworkTable("test", new NetworkSpec("test", new ImageShape(1, 1, 1), [new Node.FullyConnected("fc", 1000)]));
        Assert.Equal(1000 * (5 + 4) / 8.0, new AccountedModel("dense", table, [1000], 8, 5) { PaddedIndexBits = 4 }.PaddedBytes);
        double sparse = new AccountedModel("sparse", table, [20], 8, 5) { PaddedIndexBits = 1 }.PaddedBytes;
        // Gaps of 20 survivors in 1,000 places sum to almost 1,000; steps of two places take about half as many entries.
        Assert.InRange(sparse * 8 / (5 + 1), 400, 500);
    }
}
