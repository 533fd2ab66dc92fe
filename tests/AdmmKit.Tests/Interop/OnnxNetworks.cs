using System.Runtime.InteropServices;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Storage;
using AdmmKit.Training;

namespace AdmmKit.Tests.Interop;

/// <summary>Networks that are written as ONNX, with images for them.</summary>
internal static class OnnxNetworks
{
    /// <summary>Every step that there is: residual, grouped and depthwise convolutions, normalizations, poolings, a concatenation.</summary>
    public static NetworkSpec Mixed()
    {
        var net = new NetworkBuilder("mixed", new ImageShape(3, 18, 18));
        net.Add(new Node.Standardize([0.4f, 0.5f, 0.3f], [0.2f, 0.25f, 0.3f]));
        net.Add(new Node.Convolution("stem", 8, 3, 2, 1, Biased: false));
        net.Add(new Node.BatchNorm("stem.bn"));
        int stem = net.Add(new Node.Relu());
        net.Add(new Node.Convolution("depthwise", 8, 3, Padding: 1, Groups: 8, Biased: false));
        net.Add(new Node.BatchNorm("depthwise.bn"));
        int body = net.Add(new Node.Convolution("point", 8, 1));
        net.Add(new Node.Add(), body, stem);
        int sum = net.Add(new Node.Relu());
        int grouped = net.Add(new Node.Convolution("grouped", 12, 3, Padding: 1, Groups: 4), sum);
        int narrowed = net.Add(new Node.LocalResponseNorm(3, 2e-2, 0.75, 2), grouped);
        int both = net.Add(new Node.Concat(), sum, narrowed);
        int most = net.Add(new Node.MaxPool(3, 2, 1), both);
        int shorter = net.Add(new Node.Shortcut(24, 2), both);
        int wide = net.Add(new Node.Convolution("wide", 24, 1), most);
        net.Add(new Node.Add(), wide, shorter);
        net.Add(new Node.AveragePool(3, 1, 1, CountsPadding: false));
        net.Add(new Node.AveragePool(3, 1, 1));
        net.Add(new Node.AveragePool(2));
        int tail = net.Add(new Node.Relu());
        int mean = net.Add(new Node.GlobalAveragePool(), tail);
        int fc = net.Add(new Node.FullyConnected("fc1", 24), tail);
        net.Add(new Node.Add(), fc, mean);
        net.Add(new Node.BatchNorm("fc1.bn"));
        net.Add(new Node.Convolution("again", 20, 1));
        net.Add(new Node.Relu());
        net.Add(new Node.FullyConnected("fc2", 7));
        return net.Build();
    }

    /// <summary>Random weights, of a size that keeps outputs near 1: some of them survive, as levels of few bits or as floats.</summary>
    public static (NetworkWeights Weights, float[] Intervals) Random(NetworkSpec spec, double keep, int bits)
    {
        var random = new RandomStream(3, "onnx " + spec.Name);
        (var weights, var intervals) = (new List<float[]>(), new List<float>());
        int largest = 1 << Math.Min(bits - 1, 30);
        foreach (LayerInfo layer in spec.Layers)
        {
            double deviation = Math.Sqrt(2 / (layer.Columns * keep));
            float q = bits == CompressedLayer.FloatBits ? 0 : (float)(deviation * 2 / largest);
            float Value() => q == 0 ? (float)(random.NextGaussian() * deviation) : q * (1 + random.NextInt(largest)) * ((random.NextInt(2) * 2) - 1);
            var values = new float[layer.WeightCount];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = keep == 1 || random.NextDouble() < keep ? Value() : 0;
            }

            weights.Add(values);
            intervals.Add(q);
        }

        float[] Biases(LayerInfo l) =>
            HasBias(spec, l) ? [.. Enumerable.Range(0, l.Rows).Select(_ => (float)(random.NextGaussian() * 0.1))] : new float[l.Rows];
        float[][] biases = [.. spec.Layers.Select(Biases)];
        return (new NetworkWeights([.. weights], biases) { Normalizations = RandomNetworks.Normalizations(spec, random) }, [.. intervals]);
    }

    public static ImageSet Images(NetworkSpec spec, int count)
    {
        var random = new RandomStream(4, "onnx images");
        byte[] pixels = [.. Enumerable.Range(0, count * spec.Input.Size).Select(_ => (byte)random.NextInt(256))];
        return new ImageSet(spec.Input, Math.Min(spec.Classes, 200), pixels, new byte[count]);
    }

    public static float[][] Predict(NetworkSpec spec, NetworkWeights weights, ImageSet images)
    {
        using var network = new Network(spec, images.Count, 1);
        network.SetWeights(weights);
        return network.Predict(images);
    }

    public static byte[] Written(NetworkSpec spec, NetworkWeights weights, OnnxExport? options = null)
    {
        using var stream = new MemoryStream();
        OnnxFile.Write(stream, spec, weights, options);
        return stream.ToArray();
    }

    /// <summary>The same steps, with the same numbers in them; dropout is not written.</summary>
    public static void AssertSame(NetworkSpec expected, NetworkSpec found)
    {
        expected = WithoutDropout(expected);
        Assert.Equal((expected.Name, expected.Input), (found.Name, found.Input));
        Assert.Equal(expected.Inputs.Select(i => string.Join(' ', i)), found.Inputs.Select(i => string.Join(' ', i)));
        Assert.Equal(expected.Nodes.Select(Shown), found.Nodes.Select(Shown));
    }

    public static void AssertSame(NetworkWeights expected, NetworkWeights found)
    {
        // Bit by bit; xunit's own comparison takes minutes for an AlexNet.
        static bool Equal(float[] x, float[] y) => MemoryMarshal.AsBytes(x.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(y.AsSpan()));
        static void Same(IReadOnlyList<float[]> a, IReadOnlyList<float[]> b) => Assert.True(a.Count == b.Count && a.Zip(b, Equal).All(same => same));
        Same(expected.Weights, found.Weights);
        Same(expected.Biases, found.Biases);
        Same(expected.Normalizations, found.Normalizations);
    }

    private static NetworkSpec WithoutDropout(NetworkSpec spec)
    {
        var net = new NetworkBuilder(spec.Name, spec.Input);
        var places = new List<int>();
        for (int i = 0; i < spec.Nodes.Count; i++)
        {
            int[] from = [.. spec.Inputs[i].Select(f => f == NetworkSpec.Image ? f : places[f])];
            places.Add(spec.Nodes[i] is Node.Dropout ? from[0] : net.Add(spec.Nodes[i], from));
        }

        return net.Build();
    }

    private static string Shown(Node node) => node is Node.Standardize s
        ? FormattableString.Invariant($"{string.Join(' ', s.Means)} {string.Join(' ', s.Deviations)}") : node.ToString();

    private static bool HasBias(NetworkSpec spec, LayerInfo layer) =>
        !spec.Nodes.Any(n => n is Node.Convolution { Biased: false } c && c.Name == layer.Name);
}
