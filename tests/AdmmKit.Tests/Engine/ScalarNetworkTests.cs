using System.Security.Cryptography;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Interop;
using AdmmKit.Tests.Storage;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

public class ScalarNetworkTests
{
    private static readonly NetworkSpec Mixed = new("mixed", new ImageShape(2, 15, 13),
    [
        new Node.Convolution("a", 5, 4), new Node.AveragePool(2), new Node.Relu(), new Node.Convolution("b", 7, 2), new Node.MaxPool(3),
        new Node.Dropout(0.5), new Node.FullyConnected("c", 9), new Node.Relu(), new Node.FullyConnected("d", 4),
    ]);

    private static readonly NetworkSpec Windows = new("windows", new ImageShape(4, 15, 14),
    [
        new Node.Convolution("a", 6, 5, 3, 2, 2), new Node.LocalResponseNorm(3, 0.5, 0.75, 2), new Node.MaxPool(3, 2, 1),
        new Node.Convolution("b", 9, 1, Biased: false), new Node.LocalResponseNorm(5, 0.3, 0.5), new Node.MaxPool(2, 1),
        new Node.LocalResponseNorm(1, 0.2, 1), new Node.FullyConnected("c", 5),
    ]);

    public static TheoryData<string, double> Networks() => new()
    {
        { "windows", 1 }, { "windows", 0.3 }, { "branches", 1 }, { "branches", 0.4 }, { "resnet20", 1 },
        { "mixed", 1 }, { "mixed", 0.2 }, { "lenet5", 1 }, { "lenet5", 0.02 }, { "lenet-300-100", 1 }, { "lenet-300-100", 0.05 },
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void Outputs_are_those_of_the_definition(string name, double keepFraction)
    {
        NetworkSpec spec = Spec(name);
        NetworkWeights weights = Weights(spec, keepFraction, 3);
        ImageSet images = TestData.Blobs(spec.Input, spec.Classes, 8, 5);
        var scalar = new ScalarNetwork(spec, weights);
        var reference = new ReferenceNetwork(WithoutDropout(spec));
        int[] classes = scalar.Classify(images);
        for (int i = 0; i < images.Count; i++)
        {
            double[] image = [.. images.Pixels.Slice(i * spec.Input.Size, spec.Input.Size).ToArray().Select(p => p / 255.0)];
            double[] expected = reference.Outputs(
                ReferenceNetwork.ToDouble(weights.Weights), ReferenceNetwork.ToDouble(weights.Biases),
                ReferenceNetwork.ToDouble(weights.Normalizations), [image], training: false)[0];
            float[] actual = scalar.Outputs(images, i);
            for (int c = 0; c < expected.Length; c++)
            {
                // Each layer rounds to float32 once, 6e-8 of its outputs, which are of the order of 1.
                Assert.Equal(expected[c], actual[c], 1e-5);
            }

            Assert.Equal(Array.IndexOf(actual, actual.Max()), classes[i]);
        }
    }

    [Fact]
    public void A_stride_and_a_border_change_no_bit_of_an_order_written_out()
    {
        // One output by the sentence of the remarks: bias, then weight x input in the order of the row, in float64, rounded once.
        var spec = new NetworkSpec("order", new ImageShape(2, 7, 6), [new Node.Convolution("a", 3, 3, 2, 1)]);
        NetworkWeights weights = Weights(spec, 0.7, 8);
        ImageSet images = TestData.Blobs(spec.Input, 2, 1, 8);
        float[] outputs = new ScalarNetwork(spec, weights).Outputs(images, 0);
        for (int i = 0; i < outputs.Length; i++)
        {
            (int filter, int oy, int ox) = (i / 12, i / 3 % 4, i % 3);
            double sum = weights.Biases[0][filter];
            for (int k = 0; k < 18; k++)
            {
                (int row, int column) = ((2 * oy) + (k % 9 / 3) - 1, (2 * ox) + (k % 3) - 1);
                if (row is >= 0 and < 7 && column is >= 0 and < 6)
                {
                    sum += (double)weights.Weights[0][(filter * 18) + k] * (images.Pixels.Span[(((k / 9 * 7) + row) * 6) + column] * (1f / 255));
                }
            }

            Assert.Equal(BitConverter.SingleToInt32Bits((float)sum), BitConverter.SingleToInt32Bits(outputs[i]));
        }
    }

    [ModelFact(ModelFactAttribute.ResNet20)]
    public void The_published_ResNet_20_gets_as_many_images_right_as_elsewhere()
    {
        DataSet data = DataSource.Open(new DataRequest { Name = "cifar10" });
        ImageSet images = data.Test.Slice(0, 1000);
        NetworkSpec spec = NetworkSpec.Create("resnet20", images.Shape, images.Classes);
        NetworkWeights weights = NetworkTensors.Read(SafetensorsFile.Read(ModelFactAttribute.PathOf(ModelFactAttribute.ResNet20)!), spec);
        using var network = new Network(spec, 64);
        network.SetWeights(weights);
        Assert.InRange(network.Evaluate(images).Correct, 914, 916);
        Assert.InRange(new ScalarNetwork(spec, weights).CountCorrect(images), 914, 916);
    }

    [Theory]
    [InlineData("lenet5")]
    [InlineData("lenet-300-100")]
    public void The_fast_engine_sees_the_same_class_and_threads_change_nothing(string name)
    {
        NetworkSpec spec = Spec(name);
        ImageSet images = SyntheticDigits.Create(1, 2, 1000, 1).Test;
        NetworkWeights weights = Weights(spec, 0.05, 11);
        var scalar = new ScalarNetwork(spec, weights);
        int[] classes = scalar.Classify(images, 1);
        Assert.Equal(classes, scalar.Classify(images, 2));
        Assert.Equal(classes, scalar.Classify(images, 7));
        Assert.True(classes.Distinct().Count() > 1);

        using var network = new Network(spec, 64, 1);
        network.SetWeights(weights);
        float[][] fast = network.Predict(images);
        // Only an image between two classes may fall to either side.
        Assert.InRange(classes.Where((c, i) => c != Array.IndexOf(fast[i], fast[i].Max())).Count(), 0, 2);

        int correct = scalar.CountCorrect(images);
        Assert.Equal(classes.Where((c, i) => c == images.Labels.Span[i]).Count(), correct);
        var model = CompressedNetwork.FromWeights(spec, weights, new float[spec.Layers.Count], [.. spec.Layers.Select(_ => CompressedLayer.FloatBits)]);
        Assert.Equal(correct, ScalarNetwork.CountCorrect(model, images));
    }

    [Theory]
    // Both found by programs in another language that follow the remarks of ScalarNetwork and share no code.
    [InlineData("6c3e1353f067c59837bdc6168edae0a5daa3bf6316276f15096e238073de351a", "mixed", "lenet5", "lenet-300-100")]
    [InlineData("d226449d4919e5171a7d0a1153bfdb74c89e03d4c0e8e0fc1074647de1c4b435", "windows", "branches", "resnet20")]
    public void The_bits_are_the_same_on_every_machine(string sha256, params string[] networks)
    {
        // Weights, pixels and sums are made of the operations of IEEE 754 alone, so whatever runs this test gets these bits.
        var bytes = new List<byte>();
        foreach (string name in networks)
        {
            NetworkSpec spec = Spec(name);
            var random = new RandomStream(9, "pixels");
            byte[] pixels = [.. Enumerable.Range(0, 4 * spec.Input.Size).Select(_ => (byte)random.NextInt(256))];
            var images = new ImageSet(spec.Input, spec.Classes, pixels, new byte[4]);
            var scalar = new ScalarNetwork(spec, Weights(spec, 0.3, 4));
            bytes.AddRange(Enumerable.Range(0, 4).SelectMany(i => scalar.Outputs(images, i)).SelectMany(BitConverter.GetBytes));
        }

        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData([.. bytes])));
    }

    [Fact]
    public void Of_equal_outputs_the_first_is_the_class()
    {
        var spec = new NetworkSpec("ties", new ImageShape(1, 1, 2), [new Node.FullyConnected("fc", 4)]);
        var images = new ImageSet(spec.Input, 4, new byte[] { 255, 0, 0, 255, 255, 255, 0, 0 }, new byte[] { 1, 2, 1, 0 });
        var weights = new NetworkWeights([[0, 0, 1, 0, 0, 1, 1, 0]], [new float[4]]);
        var scalar = new ScalarNetwork(spec, weights);
        Assert.Equal([1, 2, 1, 0], scalar.Classify(images));
        Assert.Equal(4, scalar.CountCorrect(images));
        Assert.Equal(3, new ScalarNetwork(spec, weights with { Biases = [[0, 0, 0, 0.5f]] }).Classify(images)[3]);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        NetworkSpec spec = Spec("lenet-300-100");
        NetworkWeights weights = Weights(spec, 0.1, 1);
        ImageSet small = TestData.Blobs(new ImageShape(1, 16, 16), 10, 3, 1);
        Assert.Throws<AdmmKitException>(() => new ScalarNetwork(spec, weights).Classify(small));
        Assert.Throws<AdmmKitException>(() => new ScalarNetwork(Spec("lenet5"), weights));
        Assert.Throws<AdmmKitException>(() => new ScalarNetwork(spec, weights with { Biases = [.. weights.Biases.Take(2)] }));
        Assert.Throws<AdmmKitException>(() => ScalarNetwork.CountCorrect(RandomNetworks.Create(1), small));
        Assert.Throws<AdmmKitException>(() => new ScalarNetwork(spec, weights with { Normalizations = [new float[4]] }));
        NetworkSpec normalized = Spec("branches");
        NetworkWeights good = Weights(normalized, 1, 1);
        Assert.Throws<AdmmKitException>(() => new ScalarNetwork(normalized, good with { Normalizations = [] }));
        good.Normalizations[1][^1] = -1e-9f;
        Assert.Contains("'n2' has -1E-09", Assert.Throws<AdmmKitException>(() => new ScalarNetwork(normalized, good)).Message, StringComparison.Ordinal);
        var odd = new NetworkSpec("odd", spec.Input, [new Node.LocalResponseNorm(5, 1e-4, 0.7), new Node.FullyConnected("c", 2)]);
        Assert.Contains("0.7", Assert.Throws<AdmmKitException>(() => new ScalarNetwork(odd, Weights(odd, 1, 1))).Message, StringComparison.Ordinal);
        weights.Biases[2][3] = float.PositiveInfinity;
        Assert.Throws<DivergedException>(() => new ScalarNetwork(spec, weights).CountCorrect(TestData.Blobs(spec.Input, 10, 3, 1)));
    }

    private static NetworkSpec Spec(string name) => name switch
    {
        "mixed" => Mixed,
        "windows" => Windows,
        "branches" => Branches(),
        "resnet20" => NetworkSpec.Create(name, new ImageShape(3, 8, 8), 3),
        _ => NetworkSpec.Create(name, NetworkSpec.Mnist, 10),
    };

    /// <summary>Outputs that several steps read, one of them through a dropout; sums, concatenations, shortcuts, normalizations.</summary>
    private static NetworkSpec Branches()
    {
        var net = new NetworkBuilder("branches", new ImageShape(2, 9, 8));
        int standard = net.Add(new Node.Standardize([0.4f, 0.6f], [0.2f, 0.3f]));
        net.Add(new Node.Convolution("a", 6, 3, 2, 1, Biased: false));
        int norm = net.Add(new Node.BatchNorm("n1"));
        int relu = net.Add(new Node.Relu());
        int dropped = net.Add(new Node.Dropout(0.3), norm);
        int shortcut = net.Add(new Node.Shortcut(6, 2), standard);
        net.Add(new Node.Add(), relu, dropped, shortcut);
        int second = net.Add(new Node.BatchNorm("n2"));
        net.Add(new Node.Concat(), second, relu, dropped);
        net.Add(new Node.GlobalAveragePool());
        net.Add(new Node.FullyConnected("b", 5));
        return net.Build();
    }

    private static NetworkSpec WithoutDropout(NetworkSpec spec)
    {
        var net = new NetworkBuilder("x", spec.Input);
        var places = new Dictionary<int, int> { [NetworkSpec.Image] = NetworkSpec.Image };
        foreach ((int i, Node node) in spec.Nodes.Index())
        {
            places[i] = node is Node.Dropout ? places[spec.Inputs[i][0]] : net.Add(node, [.. spec.Inputs[i].Select(f => places[f])]);
        }

        return net.Build();
    }

    /// <summary>Weights that keep the outputs near 1, with whole numbers and square roots alone behind them.</summary>
    private static NetworkWeights Weights(NetworkSpec spec, double keepFraction, ulong seed)
    {
        var random = new RandomStream(seed, "scalar weights");
        float Weight(LayerInfo layer) => random.NextDouble() < keepFraction
            ? (float)(random.NextDouble(-2, 2) / Math.Sqrt(keepFraction * layer.Columns)) : 0;
        return new NetworkWeights(
            [.. spec.Layers.Select(l => Enumerable.Range(0, l.WeightCount).Select(_ => Weight(l)).ToArray())],
            [.. spec.Layers.Select(l => Enumerable.Range(0, l.Rows).Select(_ => (float)random.NextDouble(-0.1, 0.1)).ToArray())])
        {
            Normalizations = [.. spec.Normalizations.Select(n => Enumerable.Range(0, n.Count)
                .Select(i => (float)(i < n.Channels || i >= 3 * n.Channels ? random.NextDouble(0.5, 1.5) : random.NextDouble(-0.3, 0.3))).ToArray())],
        };
    }
}
