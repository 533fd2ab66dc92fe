using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

/// <summary>Networks compiled for inference, each layer dense or with its survivors alone, against the fixed scalar order.</summary>
public class InferenceNetworkTests
{
    private const int Classes = 5;

    public static TheoryData<string, int, int> Architectures() => new()
    {
        // Name, rows and columns of the images, and what the channels are divided by.
        { "lenet5", 16, 1 },
        { "lenet-300-100", 9, 1 },
        { "alexnet", 67, 8 },
        { "caffenet", 67, 8 },
        { "vgg16", 32, 8 },
        { "vgg-small", 16, 4 },
        { "resnet20", 16, 1 },
        { "resnet50", 32, 8 },
    };

    /// <summary>One convolution of each kind: kernel, stride, padding, groups, channels in, filters, rows, columns.</summary>
    public static TheoryData<int, int, int, int, int, int, int, int> Convolutions() => new()
    {
        { 3, 1, 1, 1, 3, 5, 7, 6 },
        { 3, 2, 1, 1, 4, 6, 9, 8 },
        { 3, 2, 0, 2, 4, 6, 8, 9 },
        { 5, 1, 2, 2, 6, 4, 10, 7 },
        { 5, 3, 2, 1, 3, 4, 11, 13 },
        { 11, 4, 0, 1, 3, 4, 35, 31 },
        { 7, 2, 3, 1, 3, 4, 14, 14 },
        { 1, 1, 0, 1, 5, 7, 5, 3 },
        { 1, 1, 0, 1, 5, 7, 8, 8 },
        { 1, 2, 0, 1, 6, 4, 7, 8 },
        { 2, 3, 1, 1, 3, 2, 8, 8 },
        { 3, 1, 1, 4, 8, 8, 4, 33 },
        { 3, 1, 0, 1, 96, 8, 5, 5 },
    };

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Scores_are_those_of_the_fixed_scalar_order(string architecture, int size, int divisor)
    {
        int channels = architecture.StartsWith("lenet", StringComparison.Ordinal) ? 1 : 3;
        NetworkSpec spec = Narrow(NetworkSpec.Create(architecture, new(channels, size, size), Classes), divisor);
        foreach (double keepFraction in (double[])[0.02, 0.3])
        {
            NetworkWeights weights = Pruned(spec, keepFraction, 1);
            // One full block of images and part of another, and a second pass for the rest.
            ImageSet images = TestData.Blobs(spec.Input, Classes, 50, 1);
            float[] expected = Expected(spec, weights, images);
            foreach (Execution execution in Enum.GetValues<Execution>())
            {
                AssertClose(expected, Scores(spec, weights, images, execution, maxBatch: 40));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Convolutions))]
    public void Any_convolution_can_run_with_its_survivors_alone(
        int kernel, int stride, int padding, int groups, int channels, int filters, int height, int width)
    {
        var spec = new NetworkSpec("one convolution", new(channels, height, width),
        [
            new Node.Convolution("conv", filters, kernel, stride, padding, groups), new Node.Relu(), new Node.FullyConnected("fc", Classes),
        ]);
        foreach (double keepFraction in (double[])[0, 0.05, 0.4, 1])
        {
            NetworkWeights weights = Pruned(spec, keepFraction, 2);
            foreach (int batch in (int[])[1, 8, 33, 130])
            {
                ImageSet images = TestData.Blobs(spec.Input, Classes, batch, 2);
                AssertClose(Expected(spec, weights, images), Scores(spec, weights, images, Execution.Sparse, batch));
            }
        }
    }

    [Theory]
    [InlineData("lenet5", 28, 1)]
    [InlineData("resnet20", 16, 3)]
    public void Neither_threads_nor_the_other_images_change_a_bit(string architecture, int size, int channels)
    {
        NetworkSpec spec = NetworkSpec.Create(architecture, new(channels, size, size), Classes);
        NetworkWeights weights = Pruned(spec, 0.1, 3);
        ImageSet images = TestData.Blobs(spec.Input, Classes, 70, 3);
        float[] one = Scores(spec, weights, images, Execution.Sparse, 70, threads: 1);
        Assert.Equal(one, Scores(spec, weights, images, Execution.Sparse, 70, threads: 5));
        ImageSet last = images.Slice(69, 1);
        Assert.Equal(one[^Classes..], Scores(spec, weights, last, Execution.Sparse, 70, threads: 2));
    }

    [Fact]
    public void Every_instruction_set_agrees()
    {
        NetworkSpec spec = Narrow(NetworkSpec.Create("resnet20", new(3, 16, 16), Classes), 2);
        NetworkWeights weights = Pruned(spec, 0.2, 4);
        ImageSet images = TestData.Blobs(spec.Input, Classes, 40, 4);
        float[] expected = Expected(spec, weights, images);
        foreach (KernelSet kernels in KernelSet.Supported)
        {
            foreach (int maxBatch in (int[])[8, 40])
            {
                var options = new InferenceOptions { MaxBatch = maxBatch, Layers = Everywhere(spec, Execution.Sparse) };
                using var network = InferenceNetwork.Compile(spec, weights, options, kernels);
                var scores = new float[images.Count * Classes];
                network.Run(images.Pixels.Span, scores);
                AssertClose(expected, scores);
            }
        }
    }

    [Fact]
    public void Each_layer_runs_as_it_is_told_and_else_by_its_survivors()
    {
        NetworkSpec spec = NetworkSpec.LeNet5(new(1, 16, 16), Classes);
        NetworkWeights weights = Pruned(spec, 0.9, 5);
        weights = weights with { Weights = [.. weights.Weights.Select((w, i) => i is 1 or 3 ? PrunedTo(w, 0.01, i) : w)] };
        using (var network = InferenceNetwork.Compile(spec, weights))
        {
            Assert.Equal([Execution.Dense, Execution.Sparse, Execution.Dense, Execution.Sparse], network.Executions);
        }

        Execution[] told = [Execution.Sparse, Execution.Dense, Execution.Auto, Execution.Auto];
        using (var network = InferenceNetwork.Compile(spec, weights, new() { Layers = told }))
        {
            Assert.Equal([Execution.Sparse, Execution.Dense, Execution.Dense, Execution.Sparse], network.Executions);
            network.Classify(TestData.Blobs(spec.Input, Classes, 3, 5).Pixels.Span, new int[3]);
            Assert.Equal(
                ["conv1", "MaxPool", "conv2", "MaxPool", "fc1", "fc2"],
                network.StepTimes().Select(s => s.Name));
            Assert.Equal(
                [Execution.Sparse, Execution.Dense, Execution.Dense, Execution.Dense, Execution.Dense, Execution.Sparse],
                network.StepTimes().Select(s => s.Execution));
            Assert.All(network.StepTimes(), s => Assert.True(s.Seconds > 0, s.Name));
        }
    }

    [Fact]
    public void Classes_are_those_of_the_largest_scores()
    {
        NetworkSpec spec = Narrow(NetworkSpec.Create("resnet20", new(3, 16, 16), Classes), 2);
        NetworkWeights weights = Pruned(spec, 0.2, 6);
        ImageSet images = TestData.Blobs(spec.Input, Classes, 75, 6);
        float[] scores = Scores(spec, weights, images, Execution.Sparse, 32);
        using var network = InferenceNetwork.Compile(spec, weights, new() { MaxBatch = 32, Layers = Everywhere(spec, Execution.Sparse) });
        var classes = new int[images.Count];
        network.Classify(images.Pixels.Span, classes);
        int[] largest = [.. Enumerable.Range(0, images.Count).Select(i => Array.IndexOf(scores, scores.AsSpan(i * Classes, Classes).ToArray().Max(), i * Classes) % Classes)];
        Assert.Equal(largest, classes);
        Assert.Equal(classes.Where((c, i) => c == images.Labels.Span[i]).Count(), network.CountCorrect(images));
    }

    [Fact]
    public void A_normalization_is_folded_only_where_it_alone_reads_a_convolution()
    {
        var net = new NetworkBuilder("folding", new(2, 6, 6));
        int shared = net.Add(new Node.Convolution("shared", 4, 3, Padding: 1, Biased: false));
        int first = net.Add(new Node.BatchNorm("kept"), shared);
        int second = net.Add(new Node.Convolution("own", 4, 3, Padding: 1, Biased: false), first);
        int folded = net.Add(new Node.BatchNorm("folded"), second);
        int sum = net.Add(new Node.Add(), folded, shared);
        int pooled = net.Add(new Node.MaxPool(2), sum);
        net.Add(new Node.BatchNorm("after pooling"), pooled);
        net.Add(new Node.FullyConnected("fc", Classes));
        NetworkSpec spec = net.Build();
        NetworkWeights weights = Pruned(spec, 0.5, 7);
        Assert.Equal(
            ["kept", "after pooling"], NormalizationFolding.Fold(spec, weights).Spec.Normalizations.Select(n => n.Name));
        ImageSet images = TestData.Blobs(spec.Input, Classes, 40, 7);
        AssertClose(Expected(spec, weights, images), Scores(spec, weights, images, Execution.Sparse, 40));
    }

    [Fact]
    public void What_does_not_fit_is_refused_in_words()
    {
        NetworkSpec spec = NetworkSpec.LeNet5(new(1, 16, 16), Classes);
        NetworkWeights weights = Pruned(spec, 0.1, 8);
        using var network = InferenceNetwork.Compile(spec, weights);
        void Refused(Action act, string says) =>
            Assert.Contains(says, Assert.Throws<AdmmKitException>(act).Message, StringComparison.Ordinal);
        Refused(() => network.Run(new byte[255], new float[5]), "256 (1x16x16)");
        Refused(() => network.Run([], []), "one or more whole images");
        Refused(() => network.Run(new byte[512], new float[5]), "room for 5 scores");
        Refused(() => network.Classify(new byte[512], new int[3]), "room for 3 classes");
        Refused(() => InferenceNetwork.Compile(spec, weights, new() { MaxBatch = 0 }), "at least 1 image");
        Refused(() => InferenceNetwork.Compile(spec, weights, new() { Layers = [Execution.Dense] }), "4 layers");
        Refused(() => InferenceNetwork.Compile(NetworkSpec.LeNet300100(spec.Input, Classes), weights), "do not fit");
        NetworkWeights broken = weights with { Biases = [.. weights.Biases.Select(b => b.Select(_ => float.NaN).ToArray())] };
        using var damaged = InferenceNetwork.Compile(spec, broken);
        Assert.Throws<DivergedException>(() => damaged.Classify(new byte[256], new int[1]));
    }

    /// <summary>The same graph with fewer channels, which is what most of the time goes to.</summary>
    private static NetworkSpec Narrow(NetworkSpec spec, int divisor) => new(spec.Name, spec.Input,
        [.. spec.Nodes.Select((node, i) => node switch
        {
            Node.Convolution c => c with { Filters = c.Filters / divisor },
            Node.Shortcut s => s with { Filters = s.Filters / divisor },
            Node.FullyConnected f when i < spec.Nodes.Count - 1 => f with { Outputs = f.Outputs / divisor },
            _ => node,
        })],
        spec.Inputs);

    private static Execution[] Everywhere(NetworkSpec spec, Execution execution) => [.. spec.Layers.Select(_ => execution)];

    private static float[] PrunedTo(float[] weights, double keepFraction, int epoch)
    {
        var random = new RandomStream(9, "test mask", epoch);
        return [.. weights.Select(w => random.NextDouble(0, 1) < keepFraction ? w : 0)];
    }

    /// <summary>Weights that keep numbers at about their size from layer to layer, pruned at random.</summary>
    private static NetworkWeights Pruned(NetworkSpec spec, double keepFraction, ulong seed)
    {
        var random = new RandomStream(seed, "test weights");
        float[] Draw(int count, double low, double high) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextDouble(low, high))];
        return new NetworkWeights(
            [.. spec.Layers.Select((l, i) =>
            {
                double limit = Math.Sqrt(6.0 / (Math.Max(keepFraction, 1.0 / l.Columns) * l.Columns));
                return PrunedTo(Draw(l.WeightCount, -limit, limit), keepFraction, i);
            })],
            [.. spec.Layers.Select((l, i) => spec.Nodes.OfType<Node.Convolution>().Any(c => c.Name == l.Name && !c.Biased)
                ? new float[l.Rows] : Draw(l.Rows, -0.5, 0.5))])
        {
            Normalizations = [.. spec.Normalizations.Select(n => Draw(n.Channels, 0.5, 1.5).Concat(Draw(2 * n.Channels, -0.3, 0.3))
                .Concat(Draw(n.Channels, 0.5, 1.5)).ToArray())],
        };
    }

    private static float[] Expected(NetworkSpec spec, NetworkWeights weights, ImageSet images)
    {
        var network = new ScalarNetwork(spec, weights);
        return [.. Enumerable.Range(0, images.Count).SelectMany(i => network.Outputs(images, i))];
    }

    private static float[] Scores(
        NetworkSpec spec, NetworkWeights weights, ImageSet images, Execution execution, int maxBatch, int threads = 2)
    {
        var options = new InferenceOptions { MaxBatch = maxBatch, Threads = threads, Layers = Everywhere(spec, execution) };
        using var network = InferenceNetwork.Compile(spec, weights, options);
        var scores = new float[images.Count * spec.Classes];
        network.Run(images.Pixels.Span, scores);
        return scores;
    }

    /// <summary>Equal up to float32 sums of thousands of products in another order, in as many layers as ResNet-50 has.</summary>
    private static void AssertClose(float[] expected, float[] actual)
    {
        float scale = 1 + expected.Max(Math.Abs);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.InRange(actual[i] - expected[i], -1e-4f * scale, 1e-4f * scale);
        }
    }
}
