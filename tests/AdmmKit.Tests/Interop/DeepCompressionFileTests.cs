using AdmmKit.Experiments.Results;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Experiments;
using AdmmKit.Tests.Storage;
using AdmmKit.Training;

namespace AdmmKit.Tests.Interop;

/// <summary>Files of Deep Compression, also through the tool, which writes to the console.</summary>
[Collection(nameof(CommandLineTests))]
public class DeepCompressionFileTests
{
    private static readonly LayerInfo Conv = new("conv", LayerKind.Convolution, 2, 1, 5, 5, 50);
    private static readonly LayerInfo Last = new("fc", LayerKind.FullyConnected, 3, 20, 1, 1, 60);
    private static readonly NetworkSpec LeNet5 = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);

    // The published file: entries of each layer, padding included, in the order of its layers.
    private static readonly int[] SqueezeNetEntries =
    [
        13902, 1528, 1020, 3073, 2038, 1023, 3081, 4085, 4071, 12288, 8160, 4067, 12343, 12161, 4602, 27558, 9205, 9132, 27564, 24388,
        8190, 44919, 16371, 16303, 45038, 105973,
    ];

    /// <summary>The convolutions of SqueezeNet 1.0 (Iandola et al. 2016); what they compute does not matter here.</summary>
    private static LayerInfo[] SqueezeNet()
    {
        static LayerInfo Layer(string name, int filters, int channels, int kernel) =>
            new(name, LayerKind.Convolution, filters, channels, kernel, kernel, 0);
        var layers = new List<LayerInfo> { Layer("conv1", 96, 3, 7) };
        int channels = 96;
        for (int fire = 2; fire <= 9; fire++)
        {
            int squeeze = 16 * (fire / 2);
            layers.Add(Layer($"fire{fire}/conv1x1_1", squeeze, channels, 1));
            layers.Add(Layer($"fire{fire}/conv1x1_2", 4 * squeeze, squeeze, 1));
            layers.Add(Layer($"fire{fire}/conv3x3_2", 4 * squeeze, squeeze, 3));
            channels = 8 * squeeze;
        }

        return [.. layers, Layer("conv_final", 1000, channels, 1)];
    }

    private static IReadOnlyList<CompressedLayer> Read(byte[] bytes, params LayerInfo[] layers) =>
        DeepCompressionFile.Read(bytes, "some-file", layers);

    private static byte[] Floats(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    /// <summary>Two layers as bytes: eight codes of 8 bits in a convolution, three of 4 bits in a fully connected layer.</summary>
    private static byte[] ByHand()
    {
        var conv = new float[256];
        // Neither in order nor without doubles: 3 and 255 are the same value, 4 is another zero.
        (conv[1], conv[2], conv[3], conv[4], conv[255]) = (0.5f, -1, 0.25f, -0f, 0.25f);
        return
        [
            8, 0, 0, 0, 3, 0, 0, 0,
            .. Floats(conv), .. Floats(7, -8),
            // The codes; gaps 0, 1, 15 and 2 with the first of each pair in the lower half of a byte.
            1, 2, 0, 3, 255, 4, 2, 1, 0x10, 0x2F, 0x00, 0x40,
            .. Floats(0, 9, -9, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14), .. Floats(1, 2, 3),
            // An odd number of codes and of gaps: each list fills its last byte with zero bits.
            0x01, 0x02, 0xFF, 0x01,
        ];
    }

    [Fact]
    public void The_bytes_are_those_that_the_published_decoder_reads()
    {
        byte[] bytes = ByHand();
        // Gaps 0 1 15 2 0 0 0 4: positions 0 2 18 21 22 23 24 29, of which 18 and 23 only bridge.
        IReadOnlyList<CompressedLayer> read = Read(bytes, Conv, Last);
        Assert.Equal([0, 2, 21, 22, 24, 29], read[0].Positions);
        Assert.Equal([-1f, 0.25f, 0.5f], read[0].Codebook);
        Assert.Equal([2, 0, 1, 1, 0, 2], read[0].Codes);
        Assert.Equal((8, ValueCoding.Codebook), (read[0].Bits, read[0].Coding));
        Assert.Equal([7f, -8f], read[0].Biases);
        // Gaps 15, 15, 1: the codes 1, 0 and 2 at positions 15, 31 and 33.
        Assert.Equal([15, 33], read[1].Positions);
        Assert.Equal([-9f, 9f], read[1].Codebook);
        Assert.Equal([1, 0], read[1].Codes);
        Assert.Equal(4, read[1].Bits);
        // What is written of it has an ordered codebook and no other padding than is needed, and holds the same.
        byte[] written = DeepCompressionFile.Encode(read).ToArray();
        Assert.Equal(bytes.Length - 1, written.Length); // position 23 is bridged for nothing: 7 codes, as many bytes of gaps
        Assert.Equal(7, written[0]);
        AssertSame(read, Read(written, Conv, Last));
        Assert.Equal(written, DeepCompressionFile.Encode(Read(written, Conv, Last)).ToArray());
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        for (ulong seed = 0; seed < 60; seed++)
        {
            CompressedLayer[] layers = RandomLayers(seed);
            LayerInfo[] infos = [.. layers.Select(l => l.Layer)];
            AssertSame(layers, Read(DeepCompressionFile.Encode(layers).ToArray(), infos));
        }
    }

    /// <summary>Two layers, levels or clusters of so few bits that they fit, from empty to dense.</summary>
    private static CompressedLayer[] RandomLayers(ulong seed)
    {
        var random = new RandomStream(seed, "deep compression");
        double Keep() => random.NextInt(5) switch { 0 => 0, 1 => 1, 2 => 0.5, _ => 0.01 + (0.05 * random.NextDouble()) };
        return
        [
            RandomNetworks.Layer(LeNet5.Layers[random.NextInt(2)], random, Keep(), 1 + random.NextInt(7), random.NextInt(2) == 0),
            RandomNetworks.Layer(Last, random, Keep(), 1 + random.NextInt(3), random.NextInt(2) == 0),
        ];
    }

    private static void AssertSame(IReadOnlyList<CompressedLayer> expected, IReadOnlyList<CompressedLayer> read)
    {
        Assert.Equal(expected.Select(l => l.Layer), read.Select(l => l.Layer));
        foreach ((CompressedLayer e, CompressedLayer r) in expected.Zip(read))
        {
            Assert.Equal(e.Positions, r.Positions);
            Assert.Equal(e.ToWeights(), r.ToWeights());
            Assert.Equal(e.Biases, r.Biases);
        }
    }

    [Fact]
    public void SqueezeNet_takes_the_bytes_of_the_published_file()
    {
        LayerInfo[] layers = SqueezeNet();
        Assert.Equal(1_244_448, layers.Sum(l => l.WeightCount));
        // As many survivors without any gap take as many entries.
        CompressedLayer[] filled =
        [
            .. layers.Zip(SqueezeNetEntries, (l, n) => CompressedLayer.Quantized(
                l, 1, 0.5f, [.. Enumerable.Range(0, n)], [.. Enumerable.Range(0, n).Select(k => (short)(1 - (2 * (k % 2))))], new float[l.Rows])),
        ];
        byte[] bytes = DeepCompressionFile.Encode(filled).ToArray();
        Assert.Equal(675_763, bytes.Length);
        AssertSame(filled, Read(bytes, layers));
    }

    [ModelFact(ModelFactAttribute.SqueezeNet)]
    public void The_published_SqueezeNet_is_read()
    {
        LayerInfo[] layers = SqueezeNet();
        string path = ModelFactAttribute.PathOf(ModelFactAttribute.SqueezeNet)!;
        IReadOnlyList<CompressedLayer> read = DeepCompressionFile.Read(path, layers);
        Assert.Equal(415_921, read.Sum(l => l.Survivors));
        Assert.All(read, l => Assert.InRange(l.Codebook.Length, 250, 255));
        // Written again it has as many entries: the same rule for padding.
        Assert.Equal(new FileInfo(path).Length, DeepCompressionFile.Encode(read).Length);
    }

    [Fact]
    public void What_is_wrong_is_named_with_its_place()
    {
        byte[] good = ByHand();
        string Refusal(byte[] bytes, params LayerInfo[] layers)
        {
            string message = Assert.Throws<BadFileException>(() => Read(bytes, layers)).Message;
            Assert.StartsWith("'some-file' is no file of Deep Compression with these ", message, StringComparison.Ordinal);
            Assert.EndsWith("Is it another network, or damaged?", message, StringComparison.Ordinal);
            return message;
        }

        string Changed(int at, params byte[] to) => Refusal([.. good[..at], .. to, .. good[(at + to.Length)..]], Conv, Last);

        int codes = 8 + 1024 + 8, gaps = codes + 8, second = gaps + 4;
        Assert.Contains("2 layers (conv 2x1x5x5, fc 3x20)", Refusal([], Conv, Last), StringComparison.Ordinal);
        Assert.Contains("it ends too early", Refusal(good[..7], Conv, Last), StringComparison.Ordinal);
        Assert.Contains("it ends before its codebook of layer 'conv'", Refusal(good[..1000], Conv, Last), StringComparison.Ordinal);
        Assert.Contains("it ends before its biases of layer 'conv'", Refusal(good[..(codes - 1)], Conv, Last), StringComparison.Ordinal);
        Assert.Contains("it ends before its codes of layer 'conv'", Refusal(good[..(gaps - 1)], Conv, Last), StringComparison.Ordinal);
        Assert.Contains("it ends before its index of layer 'fc'", Refusal(good[..^1], Conv, Last), StringComparison.Ordinal);
        Assert.Contains("1 bytes are left after its last layer", Refusal([.. good, 0], Conv, Last), StringComparison.Ordinal);
        Assert.Contains("layer 'conv' has 4294967295 entries for its 50 weights", Changed(0, 255, 255, 255, 255), StringComparison.Ordinal);
        Assert.Contains("layer 'conv' has 51 entries for its 50 weights", Changed(0, 51), StringComparison.Ordinal);
        Assert.Contains("the codebook of layer 'conv' does not begin with zero", Changed(8, Floats(1)), StringComparison.Ordinal);
        Assert.Contains("or holds a number that is not finite", Changed(second, Floats(0, float.NaN)), StringComparison.Ordinal);
        Assert.Contains("Layer 'conv' has the bias NaN", Changed(8 + 1024, Floats(float.NaN)), StringComparison.Ordinal);
        Assert.Contains("the index of layer 'conv' leads beyond its 50 weights", Changed(gaps, 0xFF, 0xFF, 0xFF, 0xFF), StringComparison.Ordinal);
        Assert.Contains("padding after a layer's weights is not zero", Changed(good.Length - 1, 0x11), StringComparison.Ordinal);
        Refusal(good, Last, Conv);
        Refusal(good, Conv);
    }

    [Fact]
    public void What_no_file_can_hold_is_not_written()
    {
        var random = new RandomStream(1, "too many values");
        CompressedLayer levels = RandomNetworks.Layer(Last, random, 1, 8);
        Assert.Contains(
            "a file of Deep Compression has 15 of 4 bits beside zero for a fully connected layer: quantize it to fewer bits",
            Assert.Throws<AdmmKitException>(() => DeepCompressionFile.Encode([levels])).Message, StringComparison.Ordinal);
        NetworkSpec residual = NetworkSpec.Create("resnet20", NetworkSpec.Cifar, 10);
        var network = new CompressedNetwork(
            residual, [.. residual.Layers.Select(l => CompressedLayer.Unquantized(l, [], [], new float[l.Rows]))], RandomNetworks.Normalizations(residual, random));
        Assert.Contains("'resnet20' has batch normalizations", Assert.Throws<AdmmKitException>(
            () => DeepCompressionFile.WriteNetwork("never-written.net", network)).Message, StringComparison.Ordinal);
        Assert.False(File.Exists("never-written.net"));
    }

    [Fact]
    public void The_tool_writes_and_reads_it()
    {
        var random = new RandomStream(1, "deep compression, tool");
        var model = new CompressedNetwork(LeNet5, [.. LeNet5.Layers.Select((l, i) => RandomNetworks.Layer(l, random, 0.02, i < 2 ? 5 : 3))]);
        using var folder = new TemporaryFolder();
        string source = Path.Combine(folder.Path, "a.admm"), file = Path.Combine(folder.Path, "a.net"), back = Path.Combine(folder.Path, "b.admm");
        model.Save(source);
        Assert.Equal(0, CommandLineTests.Run(["export", source, "--to", "net"]).Code);
        Assert.Equal(DeepCompressionFile.Encode(model.Layers).ToArray(), File.ReadAllBytes(file));
        Assert.Equal(0, CommandLineTests.Run(["export", file, "--architecture", "lenet5", "--to", "admm", "--out", back]).Code);
        NetworkWeights expected = model.Decode(), read = CompressedNetwork.Load(back).Decode();
        Assert.Equal(expected.Weights, read.Weights);
        Assert.Equal(expected.Biases, read.Biases);
        // Trained on other pixels: only the first layer changes, value by value.
        StoredModel scaled = StoredModel.Load(file, "lenet5", inputScale: 1 / 256.0);
        Assert.Equal(model.Survivors, scaled.Survivors);
        read = scaled.Decode();
        Assert.Equal(expected.Weights[0].Select(w => (float)(w * (255 / 256.0))), read.Weights[0]);
        Assert.Equal(expected.Weights.Skip(1), read.Weights.Skip(1));
        (int code, string shown, _) = CommandLineTests.Run(["inspect", file, "--architecture", "lenet5"]);
        Assert.Equal(0, code);
        Assert.Contains(FormattableString.Invariant($"{model.Survivors:#,0} of 430,500 weights survive"), shown, StringComparison.Ordinal);
        Assert.Contains("32 values", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void Ten_thousand_mutants_are_errors_or_layers_and_nothing_else()
    {
        // Small codes in their first bytes, or all of the file would be codebooks: fully connected layers have short ones.
        var random = new RandomStream(1, "deep compression, mutants");
        LayerInfo[] layers = [Last, Last with { Name = "fc2", InputChannels = 100 }];
        byte[][] sources =
        [
            .. new[] { 0.05, 0.3, 1 }.Select(keep => DeepCompressionFile.Encode([.. layers.Select(l => RandomNetworks.Layer(l, random, keep, 3))]).ToArray()),
        ];
        byte[] conv = ByHand();
        // Where zero and the values are; the rest of a convolution's codebook is nothing but more of them.
        int[] places = [.. Enumerable.Range(0, 30), .. Enumerable.Range(1020, conv.Length - 1020)];
        foreach ((IEnumerable<byte[]> mutants, LayerInfo[] of) in new[]
        {
            (Mutants.Of("deep compression", Mutants.Wanted, sources), layers),
            (sources.SelectMany(s => Mutants.OfEveryCount(s, Enumerable.Range(0, s.Length))), layers),
            (Mutants.Of("deep compression, convolution", Mutants.Wanted, conv), [Conv, Last]),
            (Mutants.OfEveryCount(conv, places), [Conv, Last]),
        })
        {
            Mutants.Outcome outcome = Mutants.Check(mutants, mutant =>
            {
                IReadOnlyList<CompressedLayer> read = Read(mutant, of);
                return () => AssertSame(read, Read(DeepCompressionFile.Encode(read).ToArray(), of));
            }, allowance: 65_536);
            Assert.InRange(outcome.Valid, 50, outcome.Count - 500);
            Assert.True(outcome.Messages.Count > 5, $"only {outcome.Messages.Count} kinds of errors");
            Assert.All(outcome.Messages, m => Assert.StartsWith("'some-file' ", m, StringComparison.Ordinal));
        }
    }
}
