using AdmmKit.Interop;
using AdmmKit.Interop.Onnx;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Interop;

/// <summary>Damaged and hostile ONNX files.</summary>
public class OnnxHostileTests
{
    [Fact]
    public void Ten_thousand_mutants_are_errors_or_networks_and_nothing_else()
    {
        // All operators, the three forms, and what PyTorch leaves of a program.
        NetworkSpec mixed = OnnxNetworks.Mixed();
        NetworkWeights weights = OnnxNetworks.Random(mixed, 0.2, 3).Weights;
        byte[][] sources =
        [
            .. Enum.GetValues<OnnxForm>().Select(f => OnnxNetworks.Written(mixed, weights, new OnnxExport { Form = f, Ending = OnnxEnding.Softmax })),
            .. new[] { "lenet", "resnet", "mobile" }.Select(n => File.ReadAllBytes(OnnxFileTests.PathOf(n))),
        ];
        // Of the graph itself, not only of the weights, which are most of a file.
        byte[] small = Small().File();
        byte[][] graphs = [small, .. sources.Select(s => s[..2000])];
        foreach ((string name, IEnumerable<byte[]> mutants) in new[]
        {
            ("files", Mutants.Of("onnx", Mutants.Wanted, sources)),
            ("graphs", Mutants.Of("onnx graphs", Mutants.Wanted / 2, small).Concat(Mutants.Of("onnx graphs, cut", Mutants.Wanted / 2, graphs))),
            ("counts", Mutants.OfEveryCount(small, Enumerable.Range(0, small.Length))),
        })
        {
            Mutants.Outcome outcome = Mutants.Check(mutants, mutant =>
            {
                OnnxNetwork network = OnnxFile.Read(mutant, "some.onnx");
                return () => CheckNetwork(network, mutant.Length);
            });
            Assert.True(outcome.Messages.Count > 30, $"{name}: only {outcome.Messages.Count} kinds of errors");
            Assert.InRange(outcome.Valid, 1, outcome.Count - 1);
        }
    }

    [Fact]
    public void Every_truncation_is_an_error()
    {
        byte[] source = Small().File();
        for (int length = 0; length < source.Length; length++)
        {
            byte[] cut = source[..length];
            Assert.ThrowsAny<AdmmKitException>(() => OnnxFile.Read(cut, "cut"));
        }
    }

    [Fact]
    public void A_small_file_may_name_a_big_network_and_costs_little()
    {
        var sparse = new ProtobufWriter();
        sparse.Message(1, OnnxWeights.Singles("w", [1], [2f]));
        sparse.Message(2, OnnxWeights.Longs("", 999_999_999));
        sparse.Varint(3, 1000);
        sparse.Varint(3, 1_000_000);
        byte[] bytes = new OnnxBytes(0, 1, 1000, 1000).Raw(15, sparse).Node("Flatten", ["x"], "f").Node("Gemm", ["f", "w"], "y", ("transB", 1)).File();
        long before = GC.GetAllocatedBytesForCurrentThread();
        OnnxNetwork network = OnnxFile.Read(bytes, "big");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        Assert.Equal(1_000_000_000, network.Spec.WeightCount);
    }

    [Fact]
    public void Huge_shapes_and_endless_graphs_are_errors_that_cost_little()
    {
        OnnxBytes endless = new OnnxBytes(0, 1, 4, 4).Floats("c.weight", [1, 1, 1, 1]).Node("Conv", ["x", "c.weight"], "0");
        for (int i = 0; i < 5000; i++)
        {
            endless.Node("Relu", [FormattableString.Invariant($"{i}")], FormattableString.Invariant($"{i + 1}"));
        }

        endless.Outputs.Add("5000");
        OnnxBytes Wide() => new OnnxBytes(0, 1 << 27, 1, 1).Floats("s", [], 2);
        foreach ((OnnxBytes bytes, string part) in new[]
        {
            (endless, "4096 steps"),
            (new OnnxBytes(0, 1 << 20, 1 << 20, 1 << 20).Node("Relu", ["x"], "y"), "more than"),
            (new OnnxBytes(0, 1 << 30, 1, 1).Node("Relu", ["x"], "y"), "open"),
            (Wide().Node("Sub", ["x", "s"], "y"), "at most 32768"),
            (Wide().Node("BatchNormalization", ["x", "s", "s", "s", "s"], "y"), "at most 32768"),
            (new OnnxBytes(0, 1, 9, 9).Floats("w", [1, 1, 1, 1]).Node("Conv", ["x", "w"], "y", ("pads", new[] { 1 << 30, 1 << 30, 1 << 30, 1 << 30 })), "paddings"),
            (new OnnxBytes(0, 1, 9, 9).Longs("p", 0, 1 << 30, 0, 0, 0, 1 << 30, 0, 0).Node("Pad", ["x", "p"], "y"), "beyond"),
        })
        {
            byte[] file = bytes.File();
            long before = GC.GetAllocatedBytesForCurrentThread();
            string message = Assert.ThrowsAny<AdmmKitException>(() => OnnxFile.Read(file, "hostile")).Message;
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000 + (64 * file.Length));
            Assert.Contains(part, message, StringComparison.Ordinal);
        }
    }

    private static void CheckNetwork(OnnxNetwork network, int length)
    {
        Assert.NotEmpty(network.Spec.Layers);
        // What is read can be asked for, and is finite or refused, unless a sparse tensor stands for very much.
        if (network.Spec.Layers.Sum(l => (long)l.WeightCount) > 64L * length)
        {
            return;
        }

        try
        {
            NetworkWeights weights = network.Weights;
            Assert.Equal(network.Spec.Layers.Select(l => (l.WeightCount, l.Rows)), weights.Weights.Zip(weights.Biases, (w, b) => (w.Length, b.Length)));
            Assert.All(weights.Weights.Concat(weights.Biases), v => Assert.True(Array.TrueForAll(v, float.IsFinite)));
            network.Spec.CheckNormalizations(weights.Normalizations);
        }
        catch (BadFileException e)
        {
            Assert.Contains("finite", e.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>A network of few weights with many kinds of operators.</summary>
    private static OnnxBytes Small() => new OnnxBytes(0, 2, 6, 6)
        .Floats("mean", [1, 2, 1, 1]).Floats("c.weight", [4, 1, 3, 3]).Floats("c.bias", [4])
        .Floats("b.weight", [4]).Floats("b.bias", [4]).Floats("b.mean", [4]).Floats("b.var", [4])
        .Longs("pads", 0, 2, 0, 0, 0, 2, 0, 0).Longs("from", 0, 0).Longs("to", 9, 9).Longs("axes", 2, 3).Longs("step", 2, 2)
        .Longs("first", 0).Longs("rest", -1).Bytes("f.weight", OnnxType.Int8, [3, 8], [.. Enumerable.Range(0, 24).Select(i => (byte)(i - 9))])
        .Floats("scale", [], 0.25f).Floats("f.bias", [3])
        .Node("Sub", ["x", "mean"], "centred")
        .Named("c", "Conv", ["centred", "c.weight", "c.bias"], "c", ("group", 2), ("pads", new[] { 1, 1, 1, 1 }), ("strides", new[] { 1, 1 }))
        .Node("BatchNormalization", ["c", "b.weight", "b.bias", "b.mean", "b.var"], "b", ("epsilon", 1e-3f))
        .Node("Relu", ["b"], "r").Node("Dropout", ["r"], "d").Node("LRN", ["d"], "n", ("size", 3))
        .Node("MaxPool", ["n"], "p", ("kernel_shape", new[] { 2, 2 }), ("strides", new[] { 2, 2 }))
        .Node("Slice", ["c", "from", "to", "axes", "step"], "s").Node("Pad", ["s", "pads"], "wide").Node("Concat", ["p", "p"], "twice", ("axis", 1))
        .Node("Add", ["wide", "twice"], "sum").Node("AveragePool", ["sum"], "a", ("kernel_shape", new[] { 3, 3 }), ("strides", new[] { 3, 3 }))
        .Node("Shape", ["a"], "shape").Node("Gather", ["shape", "first"], "batch").Node("Concat", ["batch", "rest"], "flat", ("axis", 0))
        .Node("Reshape", ["a", "flat"], "in").Node("DequantizeLinear", ["f.weight", "scale"], "w")
        .Node("Gemm", ["in", "w", "f.bias"], "out", ("transB", 1)).Node("Softmax", ["out"], "y", ("axis", 1));
}
