using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Engine;

/// <summary>Every layer's outputs and gradients against the double-precision definition and its central differences.</summary>
public class GradientTests
{
    private static readonly Dictionary<string, NetworkSpec> Networks = new()
    {
        ["max pool"] = new("test", new(2, 9, 11), [new Node.Convolution("c1", 7, 3), new Node.MaxPool(2), new Node.Relu(), new Node.FullyConnected("f1", 6)]),
        ["max pool of three"] = new("test", new(1, 12, 13), [new Node.Convolution("c1", 5, 3), new Node.MaxPool(3), new Node.FullyConnected("f1", 4)]),
        ["average pool"] = new("test", new(1, 10, 8), [new Node.Convolution("c1", 5, 3), new Node.AveragePool(2), new Node.FullyConnected("f1", 4)]),
        ["two convolutions"] = new("test", new(3, 9, 9),
            [new Node.Convolution("c1", 6, 3), new Node.Relu(), new Node.Convolution("c2", 11, 4), new Node.MaxPool(2), new Node.FullyConnected("f1", 13), new Node.Relu(), new Node.FullyConnected("f2", 3)]),
        ["many channels"] = new("test", new(1, 12, 12), [new Node.Convolution("c1", 12, 3), new Node.Convolution("c2", 5, 5), new Node.FullyConnected("f1", 2)]),
        ["padding and stride"] = new("test", new(3, 9, 8),
            [new Node.Convolution("c1", 6, 3, Padding: 1), new Node.Relu(), new Node.Convolution("c2", 9, 3, 2, 1), new Node.Convolution("c3", 5, 1, 2), new Node.FullyConnected("f1", 4)]),
        ["wide stride"] = new("test", new(3, 13, 15),
            [new Node.Convolution("c1", 12, 5, 3, 2), new Node.Relu(), new Node.Convolution("c2", 3, 3, 2), new Node.FullyConnected("f1", 3)]),
        ["groups"] = new("test", new(2, 8, 8),
            [new Node.Convolution("c1", 8, 3), new Node.Convolution("c2", 12, 3, Padding: 1, Groups: 2), new Node.Relu(), new Node.Convolution("c3", 6, 3, 2, 1, 3), new Node.FullyConnected("f1", 4)]),
        ["planes of a power of two"] = new("test", new(3, 8, 8),
            [new Node.Convolution("c1", 9, 3, Padding: 1), new Node.Convolution("c2", 5, 3, Padding: 1), new Node.Relu(), new Node.Convolution("c3", 4, 5, 2, 2), new Node.FullyConnected("f1", 4)]),
        ["batch normalization"] = new("test", new(2, 8, 7),
        [
            new Node.Standardize([0.4f, 0.6f], [0.2f, 0.3f]), new Node.Convolution("c1", 6, 3, Biased: false), new Node.BatchNorm("b1"), new Node.Relu(),
            new Node.Convolution("c2", 5, 3, Padding: 1, Biased: false), new Node.BatchNorm("b2"), new Node.GlobalAveragePool(), new Node.FullyConnected("f1", 4),
        ]),
        ["overlapping pooling"] = new("test", new(2, 8, 9),
            [new Node.Convolution("c1", 5, 3), new Node.MaxPool(3, 2), new Node.Relu(), new Node.FullyConnected("f1", 4)]),
        ["padded pooling"] = new("test", new(1, 7, 8),
        [
            new Node.Convolution("c1", 3, 3, Padding: 1), new Node.Relu(), new Node.MaxPool(3, 2, 1),
            new Node.Convolution("c2", 4, 2), new Node.MaxPool(2, 1), new Node.FullyConnected("f1", 3),
        ]),
        ["padded average pooling"] = new("test", new(1, 7, 8),
        [
            new Node.Convolution("c1", 3, 3, Padding: 1), new Node.Relu(), new Node.AveragePool(3, 2, 1),
            new Node.Convolution("c2", 4, 2, Padding: 1), new Node.AveragePool(3, 1, 1, CountsPadding: false), new Node.AveragePool(2, 3), new Node.FullyConnected("f1", 3),
        ]),
        // Seven channels, and three that are fewer than the five of the sum.
        ["local response"] = new("test", new(2, 6, 5),
        [
            new Node.Convolution("c1", 7, 3), new Node.Relu(), new Node.LocalResponseNorm(5, 2),
            new Node.Convolution("c2", 3, 2), new Node.LocalResponseNorm(5, 1), new Node.FullyConnected("f1", 3),
        ]),
        // Fifteen channels of 36 positions are more than one task takes at once.
        ["local response, another exponent"] = new("test", new(1, 8, 8),
            [new Node.Convolution("c1", 15, 3), new Node.LocalResponseNorm(3, 1.5, 0.6, 0.5), new Node.MaxPool(2), new Node.FullyConnected("f1", 3)]),
        ["overlapping branches"] = OverlappingBranches(),
        ["residual"] = Residual(),
        ["branches"] = Branches(),
        ["a kernel larger than its image"] = new("test", new(2, 1, 1), [new Node.Convolution("c1", 40, 3, 2, 1), new Node.FullyConnected("f1", 3)]),
        ["two heads"] = TwoHeads(),
        ["fully connected"] = new("test", new(1, 5, 7), [new Node.FullyConnected("f1", 37), new Node.Relu(), new Node.FullyConnected("f2", 21), new Node.Relu(), new Node.FullyConnected("f3", 9)]),
    };

    /// <summary>One output read by three steps, sums of three, concatenation, and each kind of step that takes part.</summary>
    private static NetworkSpec Branches()
    {
        var net = new NetworkBuilder("test", new(2, 9, 9));
        int stem = net.Add(new Node.Convolution("c1", 6, 3));
        int left = net.Add(new Node.Convolution("c2", 6, 3, Padding: 1), stem);
        int middle = net.Add(new Node.Relu(), stem);
        int sum = net.Add(new Node.Add(), left, middle, stem);
        int pooled = net.Add(new Node.MaxPool(2), net.Add(new Node.Relu(), sum));
        int averaged = net.Add(new Node.AveragePool(2), stem);
        int both = net.Add(new Node.Concat(), pooled, averaged);
        int half = net.Add(new Node.Shortcut(15, 2), both);
        int mean = net.Add(new Node.GlobalAveragePool(), half);
        int flat = net.Add(new Node.FullyConnected("f1", 15), half);
        net.Add(new Node.Add(), mean, flat);
        net.Add(new Node.FullyConnected("f2", 4));
        return net.Build();
    }

    /// <summary>One output read by three steps, two of which add their gradients to the last one's.</summary>
    private static NetworkSpec OverlappingBranches()
    {
        var net = new NetworkBuilder("test", new(1, 7, 7));
        int stem = net.Add(new Node.Convolution("c1", 5, 3));
        net.Add(new Node.LocalResponseNorm(3, 1), stem);
        int normalized = net.Add(new Node.MaxPool(3, 2));
        int pooled = net.Add(new Node.MaxPool(3, 2), stem);
        net.Add(new Node.Relu(), stem);
        int halved = net.Add(new Node.MaxPool(2, 3, 1));
        net.Add(new Node.Concat(), normalized, pooled, halved);
        net.Add(new Node.FullyConnected("f1", 4));
        return net.Build();
    }

    /// <summary>Two convolutions and two fully connected layers that read the same numbers.</summary>
    private static NetworkSpec TwoHeads()
    {
        var net = new NetworkBuilder("test", new(1, 6, 6));
        int trunk = net.Add(new Node.Convolution("c1", 5, 3));
        int left = net.Add(new Node.Convolution("c2", 3, 1), trunk);
        int right = net.Add(new Node.Convolution("c3", 3, 1), trunk);
        int sum = net.Add(new Node.Add(), left, right);
        int first = net.Add(new Node.FullyConnected("f1", 4), sum);
        int second = net.Add(new Node.FullyConnected("f2", 4), sum);
        net.Add(new Node.Add(), first, second);
        return net.Build();
    }

    /// <summary>A block of a residual network that halves its images, and one that does not.</summary>
    private static NetworkSpec Residual()
    {
        var net = new NetworkBuilder("test", new(1, 6, 6));
        net.Add(new Node.Convolution("c1", 4, 3, Padding: 1, Biased: false));
        net.Add(new Node.BatchNorm("b1"));
        int last = net.Add(new Node.Relu());
        foreach (int stride in (int[])[2, 1])
        {
            int shortcut = stride == 1 ? last : net.Add(new Node.Shortcut(6, 2), last);
            net.Add(new Node.Convolution($"c2.{stride}", 6, 3, stride, 1, Biased: false), last);
            net.Add(new Node.BatchNorm($"b2.{stride}"));
            net.Add(new Node.Relu());
            net.Add(new Node.Convolution($"c3.{stride}", 6, 3, Padding: 1, Biased: false));
            int body = net.Add(new Node.BatchNorm($"b3.{stride}"));
            net.Add(new Node.Add(), body, shortcut);
            last = net.Add(new Node.Relu());
        }

        net.Add(new Node.GlobalAveragePool());
        net.Add(new Node.FullyConnected("f", 3));
        return net.Build();
    }

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (string network in Networks.Keys)
        {
            foreach (KernelSet kernels in KernelSet.Supported)
            {
                cases.Add(network, kernels.Name);
            }
        }

        return cases;
    }

    // 37 images: one full block and part of another. 5 images: part of a small block.
    [Theory]
    [MemberData(nameof(Cases))]
    public void Outputs_and_gradients_match_the_definition(string networkName, string kernelName) => Check(networkName, kernelName, 37, keepFraction: 1);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_small_batch_matches_the_definition(string networkName, string kernelName) => Check(networkName, kernelName, 5, keepFraction: 1);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Those_of_few_survivors_do(string networkName, string kernelName) => Check(networkName, kernelName, 37, keepFraction: 0.2);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Those_of_many_survivors_do(string networkName, string kernelName) => Check(networkName, kernelName, 37, keepFraction: 0.95);

    /// <summary>Layers with less than all weights run sparse if they can, however many these are.</summary>
    private static void Check(string networkName, string kernelName, int count, double keepFraction)
    {
        NetworkSpec spec = Networks[networkName];
        KernelSet kernels = KernelSet.Supported.Single(k => k.Name == kernelName);
        ImageSet images = TestData.Blobs(spec.Input, spec.Classes, count, 5);
        var data = new DataSet("blobs", "", images, images, images, new Dictionary<string, string>());
        using var network = new TrainableNetwork(spec, data, new EngineOptions { BatchSize = count, Threads = 2 }, kernels);
        Randomize(network);
        for (int layer = 0; layer < spec.Layers.Count && keepFraction < 1; layer++)
        {
            var random = new RandomStream(8, "mask", layer);
            network.Network.Parameters[layer].SparseBelow = 2;
            network.SetMask(layer, [.. Enumerable.Range(0, spec.Layers[layer].WeightCount).Select(_ => random.NextDouble(0, 1) < keepFraction)]);
        }

        NetworkWeights start = NetworkWeights.CopyFrom(network);
        double[][] w = ReferenceNetwork.ToDouble(start.Weights);
        double[][] b = ReferenceNetwork.ToDouble(start.Biases);
        double[][] n = ReferenceNetwork.ToDouble(start.Normalizations);
        var reference = new ReferenceNetwork(spec);
        double[][] inputs = [.. Enumerable.Range(0, images.Count).Select(i =>
            images.Pixels.Slice(i * spec.Input.Size, spec.Input.Size).ToArray().Select(p => p / 255.0).ToArray())];
        byte[] labels = images.Labels.ToArray();
        double TotalLoss() => reference.Loss(w, b, n, inputs, labels);

        double loss = network.Network.Forward(new Batch(images, null, 0, images.Count, 0, 0), training: true, 0);
        Assert.Equal(TotalLoss(), loss, 1e-4 * images.Count);
        network.Network.Backward();
        // A second time, so that a gradient which is added to must have been written anew.
        network.Network.Forward(new Batch(images, null, 0, images.Count, 0, 0), training: true, 0);
        network.Network.Backward();
        for (int layer = 0; layer < spec.Layers.Count; layer++)
        {
            var parameters = network.Network.Parameters[layer];
            Assert.Equal(keepFraction < 1 && parameters.CanRunSparse, parameters.Sparse is not null);
            int[] survivors = [.. Enumerable.Range(0, w[layer].Length).Where(i => parameters.Keep?[i] != false)];
            float[] gradient = parameters.Sparse is { } sparse ? sparse.Gradient.Span.ToArray() : [.. survivors.Select(i => parameters.WeightGradient.Span[i])];
            Compare(gradient, survivors, w[layer], TotalLoss, $"{spec.Layers[layer].Name} weights");
            if (Biased(spec, spec.Layers[layer].Name))
            {
                Compare(parameters.BiasGradient.Span.ToArray(), [.. Enumerable.Range(0, b[layer].Length)], b[layer], TotalLoss, $"{spec.Layers[layer].Name} biases");
            }
        }

        for (int norm = 0; norm < n.Length; norm++)
        {
            Compare(network.Network.Normalizations[norm].Gradients.Span.ToArray(), [.. Enumerable.Range(0, n[norm].Length / 2)], n[norm], TotalLoss, spec.Normalizations[norm].Name);
        }

        // In inference batch normalization takes its running values, which the step above has moved.
        double[][] outputs = reference.Outputs(w, b, ReferenceNetwork.ToDouble(NetworkWeights.CopyFrom(network).Normalizations), inputs, training: false);
        float[][] predicted = network.Network.Predict(images);
        for (int i = 0; i < images.Count; i++)
        {
            Assert.Equal(outputs[i].Select(v => Math.Round(v, 3)), predicted[i].Select(v => Math.Round((double)v, 3)), (x, y) => Math.Abs(x - y) < 3e-3);
        }
    }

    private static bool Biased(NetworkSpec spec, string layer) =>
        !spec.Nodes.OfType<Node.Convolution>().Any(c => c.Name == layer && !c.Biased);

    /// <summary>Compares a sample of entries; the error is relative to the layer's gradient, 1e-3 at most.</summary>
    private static void Compare(float[] gradient, int[] positions, double[] parameters, Func<double> loss, string what)
    {
        const double H = 1e-7; // small, lest a ReLU switches within it
        double scale = Math.Sqrt(gradient.Average(g => (double)g * g));
        Assert.True(scale > 1e-6, $"{what}: no gradient at all");
        Assert.Equal(positions.Length, gradient.Length);
        int stride = Math.Max(1, positions.Length / 30);
        for (int k = 0; k < positions.Length; k += stride)
        {
            int i = positions[k];
            double kept = parameters[i];
            parameters[i] = kept + H;
            double up = loss();
            parameters[i] = kept - H;
            double down = loss();
            parameters[i] = kept;
            double expected = (up - down) / (2 * H);
            double error = Math.Abs(expected - gradient[k]) / Math.Max(Math.Abs(expected), scale);
            Assert.True(error <= 1e-3, $"{what}[{i}]: {gradient[k]} instead of {expected}, relative error {error:e1}");
        }
    }

    private static void Randomize(TrainableNetwork network)
    {
        for (int layer = 0; layer < network.Layers.Count; layer++)
        {
            if (Biased(network.Spec, network.Layers[layer].Name))
            {
                network.SetBiases(layer, Around(0, network.Layers[layer].Rows, layer));
            }
        }

        for (int norm = 0; norm < network.Normalizations.Count; norm++)
        {
            int channels = network.Normalizations[norm].Channels;
            network.SetNormalization(norm, [.. Around(1, channels, norm), .. Around(0, channels, norm + 100), .. Around(0, channels, 200), .. Around(1, channels, 300)]);
        }
    }

    private static float[] Around(double center, int count, int stream)
    {
        var random = new RandomStream(3, "parameters", stream);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(center + random.NextDouble(-0.1, 0.1)))];
    }
}
