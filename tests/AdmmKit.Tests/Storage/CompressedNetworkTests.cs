using System.Buffers.Binary;
using System.Text;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Tests.Storage;

public class CompressedNetworkTests
{
    private static readonly NetworkSpec Tiny = NetworkSpec.Create("lenet-300-100", new ImageShape(1, 2, 3), 2);

    [Fact]
    public void Random_networks_come_back_to_the_last_bit()
    {
        for (ulong seed = 0; seed < 60; seed++)
        {
            CompressedNetwork network = RandomNetworks.Create(seed);
            byte[] bytes = network.Bytes();
            CompressedNetwork read = CompressedNetwork.Read(bytes, "test");
            Assert.Equal((network.Spec.Name, network.Spec.Input, network.Spec.Classes), (read.Spec.Name, read.Spec.Input, read.Spec.Classes));
            NetworkWeights expected = network.Decode(), actual = read.Decode();
            for (int i = 0; i < network.Layers.Count; i++)
            {
                Assert.Equal((network.Layers[i].Bits, network.Layers[i].Q), (read.Layers[i].Bits, read.Layers[i].Q));
                Assert.Equal(network.Layers[i].Coding, read.Layers[i].Coding);
                Assert.True(network.Layers[i].Levels.AsSpan().SequenceEqual(read.Layers[i].Levels));
                Assert.True(network.Layers[i].Codes.AsSpan().SequenceEqual(read.Layers[i].Codes));
                Assert.True(expected.Weights[i].AsSpan().SequenceEqual(actual.Weights[i]));
                Assert.True(expected.Biases[i].AsSpan().SequenceEqual(actual.Biases[i]));
            }

            Assert.True(bytes.AsSpan().SequenceEqual(read.Bytes()));
        }
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 32)]
    [InlineData(0, 2, true)]
    [InlineData(1, 1)]
    [InlineData(1, 8)]
    [InlineData(1, 32)]
    [InlineData(1, 8, true)]
    [InlineData(0.3, 1)]
    [InlineData(0.3, 1, true)]
    [InlineData(0.01, 3)]
    [InlineData(0.01, 8)]
    [InlineData(0.01, 8, true)]
    public void Every_bit_of_the_file_is_accounted_for(double keep, int bits, bool codebook = false)
    {
        foreach (string architecture in NetworkSpec.Architectures.Where(a => a.StartsWith("lenet", StringComparison.Ordinal)))
        {
            NetworkSpec spec = NetworkSpec.Create(architecture, new ImageShape(1, 17, 19), 7);
            var random = new RandomStream(1, "accounting");
            var network = new CompressedNetwork(
                spec, spec.Layers.Select(l => RandomNetworks.Layer(l, random, keep, bits, codebook)).ToArray());
            FileSize size = network.Size;
            Assert.Equal(network.Bytes().Length, size.TotalBytes);
            Assert.InRange(size.FrameBits, 32 - 1e-6, 48 + 1e-6);
            // The shortest number of the last interval may save bytes, and may take one more.
            Assert.InRange(size.RoundingBits, -24, 16);
            Assert.Equal(codebook && keep > 0, size.Layers.All(l => l.CodebookBits > 32));
            foreach ((CompressedLayer layer, LayerSize part) in network.Layers.Zip(size.Layers))
            {
                Assert.True(part.HeaderBits > 0 && part.CodebookBits >= layer.Codebook.Length * 32);
                Assert.Equal(layer.Survivors > 0 && layer.Codebook.Length != 1, part.ValueBits > 0);
                // Biases drawn from a normal distribution: a sign, a few bits of exponent, 23 of mantissa.
                Assert.InRange(part.BiasBits / layer.Layer.Rows, 24, 34);
                // Nothing tells random positions and values apart, so learning that may cost a little, and nothing is saved.
                double positions = EntropyBound.Log2Binomial(layer.Layer.WeightCount, layer.Survivors);
                Assert.InRange(part.IndexBits, 0.9 * positions, (1.15 * positions) + 400);
                Assert.True(part.ValueBits < (1.05 * layer.WeightDataBits) + 100, $"{part.ValueBits} bits of values, {layer.WeightDataBits} of data");
            }
        }
    }

    [Fact]
    public void Batch_normalizations_come_back_to_the_last_bit_and_are_accounted_for()
    {
        var random = new RandomStream(4, "normalizations");
        NetworkSpec spec = NetworkSpec.Create("resnet20", new ImageShape(3, 8, 8), 2);
        CompressedLayer[] layers = [.. spec.Layers.Select(l => RandomNetworks.Layer(l, random, 0.02, 4))];
        float[][] numbers = RandomNetworks.Normalizations(spec, random);
        var network = new CompressedNetwork(spec, layers, numbers);
        byte[] bytes = network.Bytes();
        CompressedNetwork read = CompressedNetwork.Read(bytes, "test");
        Assert.Equal(numbers, read.Normalizations);
        Assert.Equal(numbers, read.Decode().Normalizations);
        Assert.NotSame(read.Normalizations[0], read.Decode().Normalizations[0]);
        Assert.True(bytes.AsSpan().SequenceEqual(read.Bytes()));

        // 16, 32 and 64 channels in 7, 6 and 6 of them.
        Assert.Equal(4 * ((7 * 16) + (6 * 32) + (6 * 64)) * 32, network.Size.NormalizationBits, 1e-3);
        Assert.Equal(bytes.Length, network.Size.TotalBytes);
        Assert.Equal(bytes.Length * 8.0, ModelSizes.Of(network).FileBits, 1e-3);

        NetworkWeights weights = network.Decode();
        CompressedNetwork again = CompressedNetwork.FromWeights(spec, weights, [.. layers.Select(l => l.Q)], [.. layers.Select(l => l.Bits)]);
        Assert.True(bytes.AsSpan().SequenceEqual(again.Bytes()));

        string Refusal(float[][]? given) => Assert.Throws<AdmmKitException>(() => new CompressedNetwork(spec, layers, given)).Message;
        Assert.Contains("19 batch normalizations of 2752 numbers in all, but 0 of 0", Refusal(null), StringComparison.Ordinal);
        Assert.Contains("19 of 2751 were given", Refusal([numbers[0][1..], .. numbers[1..]]), StringComparison.Ordinal);
        numbers[3][^1] = float.NaN;
        Assert.Contains("'layer1.1.bn1' has NaN at index 63", Refusal(numbers), StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_network_takes_a_few_bytes()
    {
        NetworkSpec spec = NetworkSpec.Create("lenet5-relu", NetworkSpec.Mnist, 10);
        var network = new CompressedNetwork(spec, [.. spec.Layers.Select(l =>
            CompressedLayer.Quantized(l, 3, 0.25f, [], [], new float[l.Rows]).WithBiasLevels(0.125f, new short[l.Rows]))]);
        byte[] bytes = network.Bytes();
        Assert.InRange(bytes.Length, 4, 40);
        Assert.Equal([0xAD, 0x02], bytes[..2]);
        Assert.Equal(Crc.Compute16(bytes.AsSpan(4)), BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(2)));
        Assert.Equal(0xCBF43926, Crc.Compute32("123456789"u8));
        Assert.Equal(0x29B1, Crc.Compute16("123456789"u8));
        Assert.Equal(0, CompressedNetwork.Read(bytes, "empty").Survivors);
    }

    [Fact]
    public void The_first_layout_is_named_in_the_error()
    {
        byte[] old = [.. "ADMM"u8, 1, 13, .. "lenet-300-100"u8, 1, 2, 3, 2, 3, .. new byte[100]];
        var e = Assert.Throws<BadFileException>(() => CompressedNetwork.Read(old, "old.admm"));
        Assert.Contains("'old.admm'", e.Message, StringComparison.Ordinal);
        Assert.Contains("an older release wrote it", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dense_weights_must_lie_on_the_levels()
    {
        LayerInfo layer = Tiny.Layers[2];
        var weights = new float[layer.WeightCount];
        (weights[3], weights[7]) = (-4 * 0.1f, 0.1f);
        var compressed = CompressedLayer.FromWeights(layer, weights, 0.1f, 3, new float[2]);
        Assert.Equal([3, 7], compressed.Positions);
        Assert.Equal([-4, 1], compressed.Levels.Select(l => (int)l));
        Assert.Equal(weights, compressed.ToWeights());
        Assert.Equal((2, 0.01, 6L), (compressed.Survivors, compressed.KeepFraction, compressed.WeightDataBits));

        foreach (float wrong in new[] { MathF.BitIncrement(0.1f), 5 * 0.1f, 0.04f, float.NaN, float.PositiveInfinity })
        {
            weights[7] = wrong;
            var e = Assert.Throws<AdmmKitException>(() => CompressedLayer.FromWeights(layer, weights, 0.1f, 3, new float[2]));
            Assert.Contains("'fc3'", e.Message, StringComparison.Ordinal);
            Assert.Contains("index 7", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        LayerInfo layer = Tiny.Layers[2];
        var biases = new float[2];
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Quantized(layer, 3, 0.1f, [4, 4], [1, 1], biases));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Quantized(layer, 3, 0.1f, [-1], [1], biases));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Quantized(layer, 3, 0.1f, [layer.WeightCount], [1], biases));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Quantized(layer, 3, 0.1f, [4], [5], biases));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Quantized(layer, 3, 0.1f, [4], [0], biases));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Quantized(layer, 3, 0.1f, [4], [], biases));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Quantized(layer, 9, 0.1f, [4], [1], biases));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Quantized(layer, 32, 0.1f, [4], [1], biases));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Quantized(layer, 3, -0.1f, [4], [1], biases));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Quantized(layer, 3, 0.1f, [4], [1], new float[3]));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Unquantized(layer, [4], [0], biases));
        Assert.Throws<AdmmKitException>(() => CompressedLayer.Unquantized(layer, [4], [1], [0, float.NaN]));
        Assert.Throws<AdmmKitException>(() => new CompressedNetwork(Tiny, []));
    }

    [Fact]
    public void A_name_alone_is_stored_only_of_the_network_that_it_describes()
    {
        var random = new RandomStream(3, "names");
        CompressedNetwork Store(NetworkSpec spec) =>
            new(spec, spec.Layers.Select(l => RandomNetworks.Layer(l, random, 0.01, 3)).ToArray());
        var image = new ImageShape(1, 16, 16);
        void IsItself(NetworkSpec spec) =>
            Assert.Equal(NetworkJson.Write(spec), NetworkJson.Write(CompressedNetwork.Read(Store(spec).Bytes(), "file").Spec));
        IsItself(new NetworkSpec("mine", image, [new Node.FullyConnected("fc", 2)]));
        IsItself(new NetworkSpec("lenet5", image, [new Node.FullyConnected("fc", 2)]));
        Node[] averaged = [.. NetworkSpec.LeNet5(image, 2).Nodes.Select(n => n is Node.MaxPool ? new Node.AveragePool(2) : n)];
        IsItself(new NetworkSpec("lenet5", image, averaged));
        var tooLarge = new NetworkSpec("mine", new(1, 1000, 1000), [new Node.FullyConnected("fc", 2000)]);
        Assert.Throws<AdmmKitException>(() => new CompressedNetwork(tooLarge, []));
        Assert.Equal("lenet5", Store(NetworkSpec.LeNet5(image, 2, dropout: 0.5)).Spec.Name);
        Assert.Throws<AdmmKitException>(() => NetworkFile.Named("lenet-300-100", new ImageShape(int.MaxValue, int.MaxValue, int.MaxValue), 2));
        Assert.Throws<AdmmKitException>(() => NetworkFile.Named("lenet-300-100", new ImageShape(1, 3000, 3000), 2));
        Assert.Equal(1000, NetworkFile.Named("lenet-300-100", new ImageShape(3, 224, 224), 1000).Classes);
    }

    [Fact]
    public void Files_are_saved_loaded_and_named_in_errors()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            CompressedNetwork network = RandomNetworks.Create(5);
            string path = Path.Combine(folder, "new", "net.admm");
            network.Save(path);
            Assert.Equal(network.Size.TotalBytes, new FileInfo(path).Length);
            Assert.True(network.Bytes().AsSpan().SequenceEqual(CompressedNetwork.Load(path).Bytes()));
            File.WriteAllText(path, "PK not a network, but long enough to be one");
            var e = Assert.Throws<BadFileException>(() => CompressedNetwork.Load(path));
            Assert.Contains(path, e.Message, StringComparison.Ordinal);
            Assert.Contains("some other kind of file", e.Message, StringComparison.Ordinal);
            Assert.Throws<AdmmKitException>(() => CompressedNetwork.Load(Path.Combine(folder, "none.admm")));
            Assert.Throws<AdmmKitException>(() => CompressedNetwork.Load(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Committed_models_keep_their_bytes()
    {
        string[] files = Directory.GetFiles(Path.Combine(LayeringTests.Root, "results"), "*.admm", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files, f => Assert.True(File.ReadAllBytes(f).AsSpan().SequenceEqual(CompressedNetwork.Load(f).Bytes()), f));
    }

    [Fact]
    public void Weights_of_a_whole_network_are_compressed_unchanged()
    {
        for (ulong seed = 0; seed < 10; seed++)
        {
            CompressedNetwork source = RandomNetworks.Create(seed);
            NetworkWeights weights = source.Decode();
            CompressedNetwork again = CompressedNetwork.FromWeights(
                source.Spec,
                weights,
                source.Layers.Select(l => l.Q).ToArray(),
                source.Layers.Select(l => l.Bits).ToArray(),
                source.Layers.Select(l => l.Coding == ValueCoding.Codebook ? l.Codebook : null).ToArray());
            Assert.True(source.Bytes().AsSpan().SequenceEqual(again.Bytes()));
            Assert.Equal(weights.Survivors, again.Survivors);
            Assert.Throws<AdmmKitException>(() => CompressedNetwork.FromWeights(source.Spec, weights, [0.1f], [3]));
        }
    }
}
