using AdmmKit.Hardware.Simulation;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Accounting;

/// <summary>What the simulator is tried on: formulas, published layer shapes, and masks that ADMM made.</summary>
internal static class SimulatorCases
{
    // A mean over so many masks is certain to a few tenths of a percent in all cases below.
    private const int Masks = 300;

    // Inception modules of GoogLeNet (Szegedy et al. 2015, Table 1): plane, inputs, filters of 1x1, 3x3 (reduced to, filters), 5x5
    // (reduced to, filters), and after pooling.
    private static readonly int[][] Inception =
    [
        [28, 192, 64, 96, 128, 16, 32, 32], [28, 256, 128, 128, 192, 32, 96, 64], [14, 480, 192, 96, 208, 16, 48, 64],
        [14, 512, 160, 112, 224, 24, 64, 64], [14, 512, 128, 128, 256, 24, 64, 64], [14, 512, 112, 144, 288, 32, 64, 64],
        [14, 528, 256, 160, 320, 32, 128, 128], [7, 832, 256, 160, 320, 32, 128, 128], [7, 832, 384, 192, 384, 48, 128, 128],
    ];

    /// <summary>A convolution and the shape of what it reads.</summary>
    public sealed record Shape(Node.Convolution Convolution, ImageShape Input);

    /// <summary>A PE with a multiplier for each filter, and an index that is never too narrow.</summary>
    public static PeArray OneMultiplierEach(int elements) => new()
    {
        Name = "one multiplier each",
        Partition = Partition.OutputChannels,
        PeRows = 1,
        PeColumns = elements,
        WeightVector = 1,
        ActivationVector = 1,
        IndexBits = 30,
        FiltersPerGroup = 1,
    };

    /// <summary>conv1 to conv5 of AlexNet.</summary>
    public static IReadOnlyList<Shape> AlexNet()
    {
        var spec = NetworkSpec.Create("alexnet", new ImageShape(3, 227, 227), 1000);
        return [.. spec.Nodes.Select((node, i) => (node, i)).Where(n => n.node is Node.Convolution)
            .Select(n => new Shape((Node.Convolution)n.node, n.i == 0 ? spec.Input : spec.Shapes[n.i - 1]))];
    }

    /// <summary>The 54 convolutions in the inception modules of GoogLeNet.</summary>
    public static IReadOnlyList<Shape> GoogLeNet() => [.. Inception.SelectMany((m, i) =>
    {
        Shape At(int channels, int filters, int kernel) =>
            new(new Node.Convolution("inception" + i, filters, kernel, Padding: kernel / 2), new ImageShape(channels, m[0], m[0]));
        return new[] { At(m[1], m[2], 1), At(m[1], m[3], 1), At(m[3], m[4], 3), At(m[1], m[5], 1), At(m[5], m[6], 5), At(m[1], m[7], 1) };
    })];

    /// <summary>Layers with uniform masks one after the other on an array.</summary>
    public static SimulationResult Simulate(PeArray array, IReadOnlyList<Shape> shapes, double keepFraction, double active) =>
        SimulationResult.Sum("all", [.. shapes.Select((shape, i) => ArraySimulator.Run(array, SimulatedLayer.Of(
            shape.Convolution, shape.Input, Mask(shape.Convolution.Layer(shape.Input).WeightCount, keepFraction, "weights", i),
            active < 1 ? Mask(shape.Input.Size, active, "activations", i) : null)))]);

    /// <summary>A mask of the first seed, each entry for itself.</summary>
    public static bool[] Mask(int count, double density, string purpose, int epoch) =>
        SimulatedLayer.UniformMask(count, density, new RandomStream(1, "simulated " + purpose, epoch));

    /// <summary>Cases with a formula: their names, what it gives, and what the simulator gives.</summary>
    public static IEnumerable<(string Name, double Formula, double Simulated)> ClosedForms()
    {
        // Dense: a cycle for each pair of vectors. 2x2 tiles of a 13x13 plane; 64 filters of 3x3 in a group.
        PeArray scnn = PeArray.Preset("scnn") with { AccumulatorBanks = 0 };
        foreach ((int filters, int channels, int groups) in new[] { (384, 256, 1), (384, 192, 2), (256, 192, 2) })
        {
            var convolution = new Node.Convolution("c", filters, 3, Padding: 1, Groups: groups);
            var shape = new Shape(convolution, new ImageShape(channels * groups, 13, 13));
            yield return ("dense tiles", filters / 64 * channels * (64 * 9 / 4), Simulate(scnn, [shape], 1, 1).Cycles);
        }

        foreach (int filters in new[] { 64, 65, 200 })
        {
            var shape = new Shape(new Node.Convolution("c", filters, 3), new ImageShape(10, 13, 13));
            yield return ("dense filters", (filters + 63) / 64 * 90 * 11, Simulate(PeArray.Preset("output-channel"), [shape], 1, 1).Cycles);
        }

        foreach (double keep in new[] { 0.05, 0.2, 0.5 })
        {
            yield return Mean("one PE", 36 * 8 * 900 * keep, OneMultiplierEach(1), 8, 100, 3, keep);
        }

        foreach ((int elements, int filters, int channels, double keep) in new[]
        {
            (4, 64, 50, 0.1), (16, 64, 64, 0.1), (16, 48, 64, 0.3), (64, 64, 100, 0.05), (64, 64, 100, 0.1), (64, 96, 100, 0.2),
            (256, 192, 60, 0.1),
        })
        {
            double formula = UniformImbalance.Cycles(filters, channels * 9, keep, elements, 36);
            yield return Mean("largest binomial", formula, OneMultiplierEach(elements), filters, channels, 3, keep);
        }

        foreach ((int elements, int channels, int kernel, double keep) in new[]
        {
            (4, 60, 5, 0.1), (16, 60, 3, 0.1), (16, 60, 3, 0.4), (64, 30, 5, 0.2),
        })
        {
            double formula = 36 * channels * UniformImbalance.ExpectedMaximum(kernel * kernel, keep, elements);
            PeArray array = OneMultiplierEach(elements) with { FifoDepth = 1 };
            yield return Mean("barrier a channel", formula, array, elements, channels, kernel, keep);
        }
    }

    /// <summary>The committed LeNet-5 of a compressionRatio, three seeds, as built into this assembly.</summary>
    public static IReadOnlyList<CompressedNetwork> Models(string compressionRatio) => [.. Enumerable.Range(1, 3).Select(seed =>
    {
        string name = FormattableString.Invariant($"AdmmKit-{compressionRatio}-seed{seed}.admm");
        using Stream stream = typeof(SimulatorCases).Assembly.GetManifestResourceStream(name)!;
        return CompressedNetwork.Read(stream, name);
    })];

    private static (string, double, double) Mean(
        string name, double formula, PeArray array, int filters, int channels, int kernel, double keep)
    {
        var convolution = new Node.Convolution("c", filters, kernel);
        (var input, int count) = (new ImageShape(channels, 6, 6), filters * channels * kernel * kernel);
        double mean = Enumerable.Range(0, Masks).Average(m => ArraySimulator.Run(
            array, SimulatedLayer.Of(convolution, input, Mask(count, keep, "closed forms", m))).Cycles);
        return (name, formula, mean);
    }
}
