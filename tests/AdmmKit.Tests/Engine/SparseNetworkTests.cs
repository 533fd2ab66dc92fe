using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Kernels;
using AdmmKit.Engine.Sparse;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Storage;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

public class SparseNetworkTests
{
    private static readonly Dictionary<string, NetworkSpec> Networks = new()
    {
        ["lenet5"] = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10, dropout: 0.5),
        ["lenet5-relu"] = NetworkSpec.LeNet5(new(3, 29, 35), 10, relu: true),
        ["lenet-300-100"] = NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10),
        ["mixed"] = Spec(new(2, 15, 13), Conv("a", 5, 4), Average(2), Relu, Conv("b", 7, 2), Max(3), new Node.Dropout(0.5), Full("c", 9), Relu, Full("d", 4)),
        ["no pooling"] = Spec(new(3, 19, 23), Conv("a", 6, 3), Relu, Conv("b", 9, 5), Full("c", 3)),
        ["ReLU before pooling"] = Spec(new(1, 21, 17), Conv("a", 8, 3), Relu, Average(2), Conv("b", 5, 2), Relu, Max(2), Full("c", 6)),
        ["ReLU before windows of 3"] = Spec(new(2, 20, 31), Conv("a", 8, 3), Relu, Average(3), Relu, Conv("b", 5, 3), Relu, Full("c", 6)),
        ["pooling first and twice"] = Spec(new(3, 26, 30), Max(2), Average(2), Conv("a", 4, 2), Max(1), Max(2), Max(2), Full("b", 5)),
        ["ReLU first"] = Spec(new(2, 9, 9), Relu, Relu, Average(2), Full("a", 5)),
        ["ends with a convolution"] = Spec(new(2, 12, 10), Conv("a", 4, 3), Max(2), Conv("b", 3, 2)),
        ["1x1 kernels"] = Spec(new(5, 11, 6), Conv("a", 20, 1), Relu, Conv("b", 3, 1), Average(5)),
        ["a kernel as large as the image"] = Spec(new(3, 7, 7), Conv("a", 40, 7), Relu, Conv("b", 20, 1), Max(1), Full("c", 7)),
        ["narrow"] = Spec(new(1, 40, 5), Conv("a", 6, 5), Average(1), Relu, Full("b", 18)),
        ["large plane"] = Spec(new(1, 45, 50), Conv("a", 3, 6), Max(4), Full("b", 2)),
        ["no weights"] = Spec(new(2, 7, 5), Average(2)),
        ["ReLU alone"] = Spec(new(2, 2, 2), new Node.Dropout(0.5), Relu),
    };

    private static Node Relu => new Node.Relu();

    public static TheoryData<string, string, double> Cases()
    {
        var cases = new TheoryData<string, string, double>();
        foreach (string network in Networks.Keys)
        {
            foreach (KernelSet kernels in KernelSet.Supported)
            {
                foreach (double keepFraction in Networks[network].WeightCount < 100_000 ? [0, 0.1, 0.5, 1] : new[] { 0.01 })
                {
                    cases.Add(network, kernels.Name, keepFraction);
                }
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scores_are_those_of_the_other_engines_and_the_same_bits_in_every_batch(string name, string kernels, double keepFraction)
    {
        NetworkSpec spec = Networks[name];
        NetworkWeights weights = Weights(spec, keepFraction, 3);
        // Two full blocks, and a rest that goes one by one.
        ImageSet images = TestData.Blobs(spec.Input, spec.Classes, 37, 5);
        SparseNetwork sparse = SparseNetwork.Compile(spec, weights, KernelSet.Supported.Single(k => k.Name == kernels));
        var scalar = new ScalarNetwork(spec, weights);
        using var network = new Network(spec, 64, 1);
        network.SetWeights(weights);
        float[][] fast = network.Predict(images);

        var scores = new float[images.Count * spec.Classes];
        sparse.Run(images.Pixels.Span, scores, 1);
        for (int i = 0; i < images.Count; i++)
        {
            float[] row = scores[(i * spec.Classes)..((i + 1) * spec.Classes)];
            float[] expected = scalar.Outputs(images, i);
            for (int c = 0; c < row.Length; c++)
            {
                // Sums of up to some thousand float32 numbers, each rounded, whose outputs are of the order of 1.
                Assert.Equal(expected[c], row[c], 2e-5);
                Assert.Equal(fast[i][c], row[c], 2e-5);
            }

            var alone = new float[spec.Classes];
            sparse.Run(images.Pixels.Span.Slice(i * spec.Input.Size, spec.Input.Size), alone);
            Assert.Equal(row, alone);
        }

        // A partly filled block, and numbers in place of bytes.
        var some = new float[14 * spec.Classes];
        sparse.Run(images.Pixels.Span[..(14 * spec.Input.Size)], some);
        Assert.Equal(scores[..some.Length], some);
        float[] values = [.. images.Pixels.ToArray().Select(p => p * (1f / 255))];
        var ofValues = new float[scores.Length];
        sparse.Run(values, ofValues, 1);
        Assert.Equal(scores, ofValues);
    }

    [Fact]
    public void Stored_networks_give_the_classes_of_the_scalar_evaluation()
    {
        for (ulong seed = 1; seed <= 12; seed++)
        {
            CompressedNetwork model = RandomNetworks.Create(seed);
            ImageSet images = TestData.Blobs(model.Spec.Input, model.Spec.Classes, 50, seed);
            SparseNetwork sparse = SparseNetwork.Compile(model);
            var classes = new int[images.Count];
            sparse.Classify(images.Pixels.Span, classes);
            int[] expected = new ScalarNetwork(model.Spec, model.Decode()).Classify(images);
            // Only an image between two classes may fall to either side.
            Assert.InRange(expected.Zip(classes, (e, c) => e == c ? 0 : 1).Sum(), 0, 2);
            Assert.Equal(classes.Where((c, i) => c == images.Labels.Span[i]).Count(), sparse.CountCorrect(images));
            Assert.Equal(classes[7], sparse.Classify(images.Pixels.Span.Slice(7 * model.Spec.Input.Size, model.Spec.Input.Size)));
        }
    }

    [Fact]
    public void Threads_and_callers_at_once_get_the_same_bits()
    {
        NetworkSpec spec = Networks["lenet5"];
        SparseNetwork sparse = SparseNetwork.Compile(spec, Weights(spec, 0.02, 7));
        byte[] pixels = TestData.Blobs(spec.Input, spec.Classes, 133, 9).Pixels.ToArray();
        var expected = new float[133 * spec.Classes];
        sparse.Run(pixels, expected, 1);
        foreach (int threads in new[] { 0, 2, 3, 7 })
        {
            var scores = new float[expected.Length];
            sparse.Run(pixels, scores, threads);
            Assert.Equal(expected, scores);
        }

        Thread[] callers = [.. Enumerable.Range(0, 6).Select(c => new Thread(() => CallAgainAndAgain(sparse, pixels, expected, c)))];
        failure = null;
        Array.ForEach(callers, c => c.Start());
        Array.ForEach(callers, c => c.Join());
        Assert.Null(failure);
    }

    private volatile string? failure;

    private void CallAgainAndAgain(SparseNetwork sparse, byte[] pixels, float[] expected, int caller)
    {
        var random = new RandomStream(1, "caller", caller);
        (int size, int classes) = (sparse.Spec.Input.Size, sparse.Spec.Classes);
        for (int round = 0; round < 300 && failure is null; round++)
        {
            int first = random.NextInt(133);
            int count = round % 3 == 0 ? 1 : 1 + random.NextInt(133 - first);
            var scores = new float[count * classes];
            sparse.Run(pixels.AsSpan(first * size, count * size), scores, 1 + random.NextInt(4));
            if (!scores.AsSpan().SequenceEqual(expected.AsSpan(first * classes, count * classes)))
            {
                failure = FormattableString.Invariant($"caller {caller}, round {round}: images {first}..{first + count - 1} have other scores");
            }
        }
    }

    [Fact]
    public void What_nobody_reads_and_what_is_constant_is_not_computed()
    {
        // Filter 0 has no survivors; filter 1 is read by nobody; filter 2 is read once; neuron 0 of c is constant, 1 unread, 2 lives.
        NetworkSpec spec = Spec(new(1, 6, 6), Conv("a", 3, 3), Max(2), Full("b", 3), Relu, Full("c", 2));
        var a = new float[27];
        a[9] = 1;
        a[18] = 2;
        a[26] = -1;
        var b = new float[36];
        b[1] = 3; // on filter 0
        b[12 + 8] = 4; // filter 2, for neuron 1
        b[24 + 9] = 5; // filter 2, for neuron 2
        float[] c = [7, 0, 1, 0, 0, 0];
        var weights = new NetworkWeights([a, b, c], [[0.5f, 0, 0.1f], [0.25f, 1, 0.2f], [10, 20]]);
        SparseNetwork sparse = SparseNetwork.Compile(spec, weights);
        // Filter 2: two survivors on 4 x 4 outputs; neuron 2 of b and neuron 0 of c: one each.
        Assert.Equal((2 * 16) + 1 + 1, sparse.MultiplyAdds);
        var x = new float[36];
        x[(0 * 6) + 2] = 1; // conv output (0, 2) = 2 + 0.1
        var scores = new float[2];
        sparse.Run(x, scores);
        Assert.Equal((7 * ((3 * 0.5f) + 0.25f)) + ((5 * 2.1f) + 0.2f) + 10, scores[0], 1e-5);
        Assert.Equal(20, scores[1]);
    }

    [Theory]
    [InlineData("lenet5")]
    [InlineData("ends with a convolution")]
    public void A_network_without_survivors_is_its_biases(string name)
    {
        NetworkSpec spec = Networks[name];
        NetworkWeights weights = Weights(spec, 0, 3);
        SparseNetwork sparse = SparseNetwork.Compile(spec, weights);
        Assert.Equal(0, sparse.MultiplyAdds);
        var scores = new float[20 * spec.Classes];
        sparse.Run(new byte[20 * spec.Input.Size], scores);
        int perBias = spec.Classes / weights.Biases[^1].Length;
        Assert.All(scores.Select((s, i) => (s, i)), p => Assert.Equal(weights.Biases[^1][p.i % spec.Classes / perBias], p.s));
    }

    [Fact]
    public void Images_too_large_for_blocks_go_one_by_one()
    {
        NetworkSpec spec = Spec(new(3, 320, 300), Conv("a", 2, 3), Max(2), Relu, Full("b", 3));
        NetworkWeights weights = Weights(spec, 0.1, 3);
        ImageSet images = TestData.Blobs(spec.Input, spec.Classes, 20, 5);
        var classes = new int[images.Count];
        SparseNetwork.Compile(spec, weights).Classify(images.Pixels.Span, classes, 2);
        Assert.Equal(new ScalarNetwork(spec, weights).Classify(images), classes);
    }

    [Fact]
    public void Of_equal_scores_the_first_is_the_class()
    {
        NetworkSpec spec = Spec(new(1, 1, 2), new Node.FullyConnected("fc", 4));
        SparseNetwork sparse = SparseNetwork.Compile(spec, new NetworkWeights([[0, 0, 1, 0, 0, 1, 1, 0]], [new float[4]]));
        Assert.Equal(1, sparse.Classify([255, 0]));
        Assert.Equal(2, sparse.Classify([0f, 1f]));
        Assert.Equal(0, sparse.Classify([0f, 0f]));
        Assert.Equal(0, sparse.Classify([-1f, -1f]));
    }

    [Fact]
    public void What_does_not_fit_is_refused_in_words()
    {
        NetworkSpec spec = Networks["lenet-300-100"];
        NetworkWeights weights = Weights(spec, 0.05, 3);
        SparseNetwork sparse = SparseNetwork.Compile(spec, weights);
        Refused("783 values", "784 (1x28x28)", () => sparse.Run(new byte[783], new float[10]));
        Refused("0 values", "one or more", () => sparse.Run(ReadOnlySpan<float>.Empty, default));
        Refused("room for 9 scores", "1 images", () => sparse.Run(new byte[784], new float[9]));
        Refused("room for 10 scores", "have 20", () => sparse.Run(new float[2 * 784], new float[10]));
        Refused("room for 3 classes", "2 images", () => sparse.Classify(new byte[2 * 784], new int[3]));
        Refused("room for 1 classes", "2 images", () => sparse.Classify(new byte[2 * 784]));
        NetworkWeights few = weights with { Biases = [.. weights.Biases.Take(2)] };
        Refused("do not fit 'lenet-300-100'", "fc1 300x784", () => SparseNetwork.Compile(spec, few));
        Refused("1x16x16", "use the data", () => sparse.CountCorrect(TestData.Blobs(new(1, 16, 16), 10, 3, 1)));
        weights.Biases[2][3] = float.NaN;
        Refused("'fc3'", "not a finite number", () => SparseNetwork.Compile(spec, weights));
    }

    [Fact]
    public void Steps_and_options_that_it_does_not_know_are_refused()
    {
        var strange = new NetworkSpec("strange", new(1, 8, 8), [new Node.FullyConnected("fc", 4), new Twice()]);
        Refused("'strange'", "Twice", () => SparseNetwork.Compile(strange, Weights(strange, 1, 1)));
    }

    [Fact]
    public void Scores_that_are_not_finite_have_no_class()
    {
        NetworkSpec spec = Networks["lenet5"];
        SparseNetwork sparse = SparseNetwork.Compile(spec, Weights(spec, 0.05, 3));
        float[] values = new float[3 * 784];
        Array.Fill(values, float.NaN, 2 * 784, 784);
        Refused("image 2", "not finite", () => sparse.Classify(values, new int[3]));
    }

    [Fact]
    public void A_network_of_no_steps_passes_its_input_on()
    {
        NetworkSpec spec = Spec(new(2, 3, 1), new Node.Dropout(0.5));
        var scores = new float[12];
        float[] values = [.. Enumerable.Range(0, 12).Select(i => i - 5.5f)];
        SparseNetwork.Compile(spec, new NetworkWeights([], [])).Run(values, scores);
        Assert.Equal(values, scores);
    }

    private static void Refused(string what, string more, Action action)
    {
        string message = Assert.ThrowsAny<AdmmKitException>(action).Message;
        Assert.Contains(what, message, StringComparison.Ordinal);
        Assert.Contains(more, message, StringComparison.Ordinal);
    }

    private static Node.Convolution Conv(string name, int filters, int kernel) => new(name, filters, kernel);

    private static Node.FullyConnected Full(string name, int outputs) => new(name, outputs);

    private static Node.MaxPool Max(int window) => new(window);

    private static Node.AveragePool Average(int window) => new(window);

    private static NetworkSpec Spec(ImageShape input, params Node[] nodes) => new("test", input, nodes);

    /// <summary>Weights that keep the outputs near 1; some filters and neurons have no survivors at all.</summary>
    private static NetworkWeights Weights(NetworkSpec spec, double keepFraction, ulong seed)
    {
        var random = new RandomStream(seed, "sparse weights");
        float[] Layer(LayerInfo layer)
        {
            var weights = new float[layer.WeightCount];
            for (int row = 0; row < layer.Rows; row++)
            {
                bool empty = keepFraction < 1 && random.NextInt(4) == 0;
                for (int column = 0; column < layer.Columns; column++)
                {
                    double weight = random.NextDouble() < keepFraction && !empty ? random.NextDouble(-2, 2) : 0;
                    weights[(row * layer.Columns) + column] = (float)(weight / Math.Sqrt(Math.Max(keepFraction, 1e-3) * layer.Columns));
                }
            }

            return weights;
        }

        return new NetworkWeights(
            [.. spec.Layers.Select(Layer)],
            [.. spec.Layers.Select(l => Enumerable.Range(0, l.Rows).Select(_ => (float)random.NextDouble(-0.5, 0.5)).ToArray())]);
    }

    /// <summary>A step of somebody else's.</summary>
    private sealed record Twice : Node
    {
        public override ImageShape OutputShape(ImageShape input) => input;
    }
}
