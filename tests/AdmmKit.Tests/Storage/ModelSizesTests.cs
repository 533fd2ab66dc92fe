using System.Numerics;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Storage;

public class ModelSizesTests
{
    private static readonly NetworkSpec LeNet5 = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);

    // A split of the paper's 2.57K survivors in which its 0.89 KB come true: 2,005 x 3 + 565 x 2 bits.
    private static readonly int[] PaperSurvivors = [105, 1900, 445, 120];
    private static readonly int[] PaperBits = [3, 3, 2, 2];

    [Fact]
    public void The_five_sizes_at_the_paper_s_point()
    {
        ModelSizes sizes = ModelSizes.Of("lenet5", NetworkSpec.Mnist, 10, [.. LeNet5.Layers.Select((l, i) =>
            LayerSizes.Of(l, Masks.Random(l, PaperSurvivors[i], 1), PaperBits[i], PaperBits[i]))]);
        Assert.Equal(2570, sizes.Survivors);
        Assert.Equal((2005 * 3) + (565 * 2), sizes.WeightDataBits);
        Assert.Equal((2005 * 8) + (565 * 10), sizes.PaperBits);
        Assert.Equal((893.125, 2711.25), (sizes.WeightDataBits / 8.0, sizes.PaperBits / 8.0));
        // The paper prints 2.73 KB, which is less than what positions drawn at random take in any code.
        Assert.InRange(sizes.RelativeBits / 8.0, 2900, 3100);
        Assert.InRange(sizes.BoundBits / 8.0, 2730, sizes.RelativeBits / 8.0);
        // Real positions, and float32 biases.
        Assert.InRange(sizes.FileBits / 8.0, (0.98 * sizes.BoundBits / 8.0) + (580 * 4), (1.08 * sizes.BoundBits / 8.0) + (580 * 4));
        Assert.InRange(sizes.IndexBits / sizes.IndexBoundBits, 0.99, 1.1);
    }

    [Fact]
    public void The_sizes_of_a_network_are_those_of_its_file_and_of_its_parts()
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            CompressedNetwork network = RandomNetworks.Create(seed);
            var sizes = ModelSizes.Of(network);
            Assert.Equal(network.Bytes().Length * 8.0, sizes.FileBits, 1e-3);
            Assert.Equal(network.Size.IndexBits, sizes.IndexBits, 1e-6);
            Assert.Equal((network.Survivors, network.WeightDataBits), (sizes.Survivors, sizes.WeightDataBits));
            foreach ((CompressedLayer layer, LayerSizes size) in network.Layers.Zip(sizes.Layers))
            {
                Assert.Equal((layer.Layer.Name, layer.Survivors, layer.Bits), (size.Name, size.Survivors, size.Bits));
                Assert.Equal(layer.Survivors * (layer.Bits + (layer.Layer.Kind == LayerKind.Convolution ? 5L : 8L)), size.PaperBits);
                // The bare facts give the same, but for the entropy of the values, which they do not hold.
                int? codebook = layer.Coding == ValueCoding.Codebook ? layer.Codebook.Length : null;
                LayerSizes facts = LayerSizes.Of(layer.Layer, layer.Positions, layer.Bits, layer.Bits, codebook);
                Assert.Equal((size.WeightDataBits, size.PaperBits, size.RelativeBits), (facts.WeightDataBits, facts.PaperBits, facts.RelativeBits));
                Assert.True(size.BoundBits <= facts.BoundBits + 1e-6);
                Assert.Equal(size.IndexBoundBits, facts.IndexBoundBits);
                Assert.InRange(facts.IndexBits, 0, (1.2 * facts.IndexBoundBits) + 400);
                Assert.Equal(facts.IndexBits / Math.Max(1, facts.IndexBoundBits), facts.IndexOverBound, facts.IndexBoundBits > 0 ? 1e-9 : 1e9);
            }
        }
    }

    [Fact]
    public void The_bound_knows_the_entropy_of_levels_and_codes()
    {
        LayerInfo layer = IndexFormatTests.Layer("fc", 1, 8);
        double positions = Math.Log2(70);
        double uneven = (3 * -0.75 * Math.Log2(0.75)) + (-0.75 * Math.Log2(0.75)) + 2;
        CompressedLayer levels = CompressedLayer.Quantized(layer, 3, 0.5f, [0, 2, 3, 7], [1, 1, -4, 1], [0]);
        Assert.Equal(positions + uneven, LayerSizes.Of(levels).BoundBits, 1e-9);
        CompressedLayer codes = CompressedLayer.Clustered(layer, 4, [0, 2, 3, 7], [1, 1, 0, 1], [-0.1f, 3], [0]);
        Assert.Equal(positions + uneven, LayerSizes.Of(codes).BoundBits, 1e-9);
        CompressedLayer floats = CompressedLayer.Unquantized(layer, [0, 2, 3, 7], [1, 1, 1, 1], [0]);
        Assert.Equal(positions + 128, LayerSizes.Of(floats).BoundBits, 1e-9);
    }

    [Fact]
    public void Facts_that_do_not_fit_are_refused()
    {
        LayerInfo layer = LeNet5.Layers[0];
        foreach ((int bits, double entropy, int? codebook) in ((int, double, int?)[])
            [(0, 0, null), (9, 1, null), (3, 3.1, null), (3, -1, null), (3, double.NaN, null), (3, 3, 9), (3, 3, -1), (32, 32, 4)])
        {
            var e = Assert.Throws<AdmmKitException>(() => LayerSizes.Of(layer, [1], bits, entropy, codebook));
            Assert.Contains("'conv1'", e.Message, StringComparison.Ordinal);
        }

        Assert.Throws<AdmmKitException>(() => LayerSizes.Of(layer, [500], 3, 3));
    }

    [Fact]
    public void The_binomial_is_exact_where_it_can_be_counted()
    {
        for (int n = 0; n <= 300; n++)
        {
            BigInteger binomial = 1;
            for (int k = 0; k <= n; k++)
            {
                Assert.Equal(BigInteger.Log(binomial) / Math.Log(2), EntropyBound.Log2Binomial(n, k), 1e-9);
                binomial = binomial * (n - k) / (k + 1);
            }
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => EntropyBound.Log2Binomial(3, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => EntropyBound.Log2Binomial(3, -1));
    }

    [Theory]
    [InlineData(102_760_448, 1)]
    [InlineData(102_760_448, 31)]
    [InlineData(102_760_448, 32)]
    [InlineData(102_760_448, 4_450_000)]
    [InlineData(400_000, 445)]
    [InlineData(1_000_000_000, 40)]
    [InlineData(1_000_000_000, 999_999_000)]
    public void The_binomial_of_a_big_layer_is_the_sum_over_its_factors(long n, long k)
    {
        // Summed with Kahan's correction, factor by factor.
        double sum = 0, lost = 0;
        for (long i = 0; i < Math.Min(k, n - k); i++)
        {
            double term = Math.Log2((double)(n - i) / (i + 1)) - lost;
            double next = sum + term;
            lost = next - sum - term;
            sum = next;
        }

        Assert.Equal(1, EntropyBound.Log2Binomial(n, k) / sum, 1e-9);
    }
}
