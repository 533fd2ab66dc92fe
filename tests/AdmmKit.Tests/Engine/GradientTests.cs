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
        ["fully connected"] = new("test", new(1, 5, 7), [new Node.FullyConnected("f1", 37), new Node.Relu(), new Node.FullyConnected("f2", 21), new Node.Relu(), new Node.FullyConnected("f3", 9)]),
    };

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

    [Theory]
    [MemberData(nameof(Cases))]
    public void Outputs_and_gradients_match_the_definition(string networkName, string kernelName) =>
        Check(networkName, kernelName, keepFraction: 1);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Those_of_few_survivors_do(string networkName, string kernelName) => Check(networkName, kernelName, keepFraction: 0.2);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Those_of_many_survivors_do(string networkName, string kernelName) => Check(networkName, kernelName, keepFraction: 0.95);

    /// <summary>Layers with less than all weights run sparse, however many these are.</summary>
    private static void Check(string networkName, string kernelName, double keepFraction)
    {
        NetworkSpec spec = Networks[networkName];
        KernelSet kernels = KernelSet.Supported.Single(k => k.Name == kernelName);
        // 37 images: one full block and part of another.
        ImageSet images = TestData.Blobs(spec.Input, spec.Classes, 37, 5);
        var data = new DataSet("blobs", "", images, images, images, new Dictionary<string, string>());
        using var network = new TrainableNetwork(spec, data, new EngineOptions { BatchSize = 37, Threads = 2 }, kernels);
        RandomizeBiases(network);
        for (int layer = 0; layer < spec.Layers.Count && keepFraction < 1; layer++)
        {
            var random = new RandomStream(9, "mask", layer);
            network.Network.Parameters[layer].SparseBelow = 2;
            network.SetMask(layer, [.. Enumerable.Range(0, spec.Layers[layer].WeightCount).Select(_ => random.NextDouble(0, 1) < keepFraction)]);
        }

        NetworkWeights start = NetworkWeights.CopyFrom(network);
        double[][] w = ReferenceNetwork.ToDouble(start.Weights);
        double[][] b = ReferenceNetwork.ToDouble(start.Biases);
        var reference = new ReferenceNetwork(spec);
        double[][] inputs = [.. Enumerable.Range(0, images.Count).Select(i =>
            images.Pixels.Slice(i * spec.Input.Size, spec.Input.Size).ToArray().Select(p => p / 255.0).ToArray())];
        double TotalLoss() => inputs.Select((x, i) => reference.Loss(w, b, x, images.Labels.Span[i])).Sum();

        double loss = network.Network.Forward(new Batch(images, null, 0, images.Count, 0, 0), training: true, 0);
        Assert.Equal(TotalLoss(), loss, 1e-4 * images.Count);
        network.Network.Backward();
        for (int layer = 0; layer < spec.Layers.Count; layer++)
        {
            var parameters = network.Network.Parameters[layer];
            Assert.Equal(keepFraction < 1, parameters.Sparse is not null);
            int[] survivors = [.. Enumerable.Range(0, w[layer].Length).Where(i => parameters.Keep?[i] != false)];
            float[] gradient = (parameters.Sparse?.Gradient ?? parameters.WeightGradient).Span.ToArray();
            Compare(gradient, survivors, w[layer], TotalLoss, $"{spec.Layers[layer].Name} weights");
            Compare(parameters.BiasGradient.Span.ToArray(), [.. Enumerable.Range(0, b[layer].Length)], b[layer], TotalLoss, $"{spec.Layers[layer].Name} biases");
        }
    }

    /// <summary>Compares a sample of entries; the error is relative to the layer's gradient, 1e-3 at most.</summary>
    private static void Compare(float[] gradient, int[] positions, double[] parameters, Func<double> loss, string what)
    {
        const double H = 1e-6;
        double scale = Math.Sqrt(gradient.Average(g => (double)g * g));
        Assert.True(scale > 1e-6, $"{what}: no gradient at all");
        Assert.Equal(positions.Length, gradient.Length);
        int stride = Math.Max(1, positions.Length / 60);
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

    private static void RandomizeBiases(TrainableNetwork network)
    {
        for (int layer = 0; layer < network.Layers.Count; layer++)
        {
            var random = new RandomStream(3, "biases", layer);
            network.SetBiases(layer, [.. Enumerable.Range(0, network.Layers[layer].Rows).Select(_ => (float)random.NextDouble(-0.1, 0.1))]);
        }
    }
}
