using AdmmKit.Interop;
using AdmmKit.Interop.Onnx;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Interop;

/// <summary>The forms in which other programs write operators, and what is said of those that are not read.</summary>
public class OnnxOperatorTests
{
    private static OnnxBytes Image(long channels = 2, long side = 8) => new(0, channels, side, side);

    private static OnnxBytes Convolution(params (string Name, object Value)[] attributes) =>
        Image().Floats("c.weight", [4, 2, 3, 3]).Node("Conv", ["x", "c.weight"], "y", attributes);

    private static OnnxBytes Vector(long count = 6) => new(0, count);

    private static Node[] Nodes(OnnxBytes bytes) => [.. bytes.Read().Spec.Nodes];

    [Fact]
    public void A_convolution_has_one_padding_on_all_sides_however_it_is_written()
    {
        Node.Convolution same = new("c", 4, 3, 1, 1, 1, false), valid = new("c", 4, 3, 1, 0, 1, false);
        Assert.Equal([same], Nodes(Convolution(("pads", new[] { 1, 1, 1, 1 }))));
        Assert.Equal([same], Nodes(Convolution(("auto_pad", "SAME_UPPER"))));
        Assert.Equal([same], Nodes(Convolution(("auto_pad", "SAME_LOWER"), ("kernel_shape", new[] { 3, 3 }))));
        Assert.Equal([valid], Nodes(Convolution(("auto_pad", "VALID"))));
        Assert.Equal([valid], Nodes(Convolution(("dilations", new[] { 1, 1 }), ("group", 1))));
        // What is padded below and at the right, and not read, makes no difference.
        OnnxBytes unread = Convolution(("pads", new[] { 1, 1, 0, 0 }), ("strides", new[] { 2, 2 }));
        Assert.Equal([new Node.Convolution("c", 4, 3, 2, 1, 1, false)], Nodes(unread));
        // A Pad before it.
        Assert.Equal([same], Nodes(Image().Longs("p", 0, 0, 1, 1, 0, 0, 1, 1).Node("Pad", ["x", "p"], "px")
            .Floats("c.weight", [4, 2, 3, 3]).Node("Conv", ["px", "c.weight"], "y")));
    }

    [Fact]
    public void Means_are_of_windows_with_or_without_the_zeros_around()
    {
        OnnxBytes Net() => Image().Floats("c.weight", [4, 2, 1, 1]).Node("Conv", ["x", "c.weight"], "c").Longs("p", 0, 0, 1, 1, 0, 0, 1, 1);
        Node Last(OnnxBytes bytes) => Nodes(bytes)[^1];
        (string, object) window = ("kernel_shape", new[] { 3, 3 }), stride = ("strides", new[] { 2, 2 });
        (string, object) pads = ("pads", new[] { 1, 1, 1, 1 });
        Assert.Equal(new Node.AveragePool(3, 2), Last(Net().Node("AveragePool", ["c"], "y", window, stride)));
        Assert.Equal(new Node.AveragePool(3, 2, 1, CountsPadding: false), Last(Net()
            .Node("AveragePool", ["c"], "y", window, stride, pads)));
        Assert.Equal(new Node.AveragePool(3, 2, 1), Last(Net()
            .Node("AveragePool", ["c"], "y", window, stride, pads, ("count_include_pad", 1))));
        // As PyTorch writes it.
        Assert.Equal(new Node.AveragePool(3, 2, 1), Last(Net().Node("Pad", ["c", "p"], "q")
            .Node("AveragePool", ["q"], "y", window, stride)));
        Refused(Net().Node("Pad", ["c", "p"], "q").Node("AveragePool", ["q"], "y", window, stride, pads),
            null, "(AveragePool)", "a second time");
        Refused(Net().Node("AveragePool", ["c"], "y", window, stride, ("ceil_mode", 1)), null, "4x4", "3x3", "ceil_mode 0");
        Assert.Equal(new Node.MaxPool(2), Last(Net()
            .Node("MaxPool", ["c"], "y", ("kernel_shape", new[] { 2, 2 }), stride, ("ceil_mode", 1))));
    }

    [Fact]
    public void A_fully_connected_layer_is_a_Gemm_or_a_MatMul_with_or_without_a_bias()
    {
        float[] rows = [1, 2, 3, 4, 5, 6], columns = [1, 4, 2, 5, 3, 6];
        OnnxBytes Weights(bool transposed) => Vector(3).Floats("f.weight", transposed ? [2, 3] : [3, 2], transposed ? rows : columns)
            .Floats("b", [2], 10, 20).Floats("b1", [1, 2], 10, 20);
        foreach ((OnnxBytes bytes, float[] weights, float[] biases) in new (OnnxBytes, float[], float[])[]
        {
            (Weights(true).Node("Gemm", ["x", "f.weight", "b"], "y", ("transB", 1)), rows, [10, 20]),
            (Weights(false).Node("Gemm", ["x", "f.weight", "b1"], "y"), rows, [10, 20]),
            (Weights(false).Node("Gemm", ["x", "f.weight"], "y", ("alpha", 2f)), [2, 4, 6, 8, 10, 12], [0, 0]),
            (Weights(true).Node("Gemm", ["x", "f.weight", "b"], "y", ("transB", 1), ("beta", 0.5f)), rows, [5, 10]),
            (Weights(false).Node("MatMul", ["x", "f.weight"], "y"), rows, [0, 0]),
            (Weights(false).Node("MatMul", ["x", "f.weight"], "m").Node("Add", ["m", "b"], "y"), rows, [10, 20]),
            (Weights(false).Node("MatMul", ["x", "f.weight"], "m").Node("Add", ["b1", "m"], "y"), rows, [10, 20]),
            (Weights(true).Node("Transpose", ["f.weight"], "t", ("perm", new[] { 1, 0 })).Node("MatMul", ["x", "t"], "m")
                .Node("Sub", ["m", "b"], "y"), rows, [-10, -20]),
        })
        {
            OnnxNetwork network = bytes.Read();
            Assert.Equal([new Node.FullyConnected("f", 2)], network.Spec.Nodes);
            Assert.Equal(weights, network.Weights.Weights[0]);
            Assert.Equal(biases, network.Weights.Biases[0]);
        }
    }

    [Fact]
    public void Older_and_newer_versions_of_an_operator_are_the_same()
    {
        OnnxBytes Net(long opset) => new OnnxBytes(0, 2, 4, 4) { Opset = opset }.Floats("c.weight", [2, 2, 1, 1])
            .Node("Conv", ["x", "c.weight"], "c");
        Node.Convolution c = new("c", 2, 1, 1, 0, 1, false);
        Node[] expected = [c, new Node.Dropout(0.25), new Node.GlobalAveragePool()];
        Assert.Equal(expected, Nodes(Net(11).Node("Dropout", ["c"], "d", ("ratio", 0.25f))
            .Node("ReduceMean", ["d"], "y", ("axes", new[] { 2, 3 }))));
        Assert.Equal(expected, Nodes(Net(18).Floats("r", [], 0.25f).Longs("axes", -2, -1).Node("Dropout", ["c", "r"], "d")
            .Node("ReduceMean", ["d", "axes"], "y", ("keepdims", 0))));
        Node[] shortcut = [c, new Node.Shortcut(4, 2)];
        Assert.Equal(shortcut, Nodes(Net(9).Node("Slice", ["c"], "s", ("starts", new[] { 0 }), ("ends", new[] { 2 }), ("axes", new[] { 1 }))
            .Longs("a", 0, 0).Longs("b", 4, 4).Longs("axes", 2, 3).Longs("step", 2, 2).Node("Slice", ["s", "a", "b", "axes", "step"], "t")
            .Node("Pad", ["t"], "y", ("pads", new[] { 0, 1, 0, 0, 0, 1, 0, 0 }), ("mode", "constant"))));
        Node[] squeezed = [c, new Node.GlobalAveragePool()];
        Assert.Equal(squeezed, Nodes(Net(11).Node("GlobalAveragePool", ["c"], "g").Node("Squeeze", ["g"], "y", ("axes", new[] { 2, 3 }))));
        Assert.Equal(squeezed, Nodes(Net(13).Longs("axes", 3, 2).Node("GlobalAveragePool", ["c"], "g")
            .Node("Squeeze", ["g", "axes"], "y")));
    }

    [Theory]
    [InlineData("conv_a", "w1", "conv_a", false)]
    [InlineData("/features/features.0/Conv", "features.0.weight", "features.0", false)]
    [InlineData("Conv_0", "block1.conv.weight", "block1.conv", false)]
    [InlineData("/layer1/layer1.0/conv1/Conv", "onnx::Conv_152", "layer1.0.conv1", false)]
    [InlineData("", "conv1_W", "conv1", false)]
    [InlineData("", "12", "conv1", true)]
    [InlineData("Conv_7", "onnx::Conv_9", "conv1", true)]
    public void Layers_are_called_as_people_call_them(string node, string weights, string expected, bool made)
    {
        OnnxNetwork network = Image().Floats(weights, [4, 2, 3, 3]).Named(node, "Conv", ["x", weights], "y").Read();
        Assert.Equal(expected, network.Spec.Layers[0].Name);
        Assert.Equal(made ? 1 : 0, network.Notes.Count);
        Assert.All(network.Notes, n => Assert.Contains("'conv1'", n, StringComparison.Ordinal));
    }

    [Fact]
    public void Layers_of_one_name_or_of_one_weight_are_told_apart()
    {
        OnnxNetwork network = Image().Floats("c.weight", [2, 2, 3, 3]).Named("", "Conv", ["x", "c.weight"], "a")
            .Named("", "Conv", ["a", "c.weight"], "y").Read();
        Assert.Equal(["c", "c_2"], network.Spec.Layers.Select(l => l.Name));
        Assert.Contains("used several times", Assert.Single(network.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void An_epsilon_of_its_own_goes_into_the_variance()
    {
        NetworkWeights Read(float epsilon, params float[] variances) => Image().Floats("c.weight", [2, 2, 1, 1])
            .Floats("n.weight", [2], 1, 2)
            .Floats("n.bias", [2]).Floats("n.mean", [2]).Floats("n.var", [2], variances).Node("Conv", ["x", "c.weight"], "c")
            .Node("BatchNormalization", ["c", "n.weight", "n.bias", "n.mean", "n.var"], "y", ("epsilon", epsilon)).Read().Weights;
        Assert.Equal([0.5f, 2], Read(1e-5f, 0.5f, 2).Normalizations[0][6..]);
        Assert.Equal([0.5f + (1e-3f - 1e-5f), 2 + (1e-3f - 1e-5f)], Read(1e-3f, 0.5f, 2).Normalizations[0][6..]);
        // Less than 1e-5 cannot be in a variance of almost nothing: it is in the scale.
        float[] small = Read(1e-7f, 0, 2).Normalizations[0];
        Assert.Equal(0f, small[6]);
        Assert.InRange(small[0] / Math.Sqrt(1e-5) * Math.Sqrt(1e-7), 1 - 1e-6, 1 + 1e-6);
    }

    [Fact]
    public void What_is_done_to_the_image_first_is_its_standardization()
    {
        OnnxBytes Start() => Image().Floats("m", [1, 2, 1, 1], 0.5f, 0.25f).Floats("d", [2, 1, 1], 0.5f, 2).Floats("s", [], 4)
            .Floats("c.weight", [2, 2, 1, 1]);
        Node.Standardize Of(OnnxBytes bytes) => Assert.IsType<Node.Standardize>(bytes.Node("Conv", ["z", "c.weight"], "y")
            .Read().Spec.Nodes[0]);
        Node.Standardize usual = Of(Start().Node("Sub", ["x", "m"], "a").Node("Div", ["a", "d"], "z"));
        Assert.Equal([0.5f, 0.25f], usual.Means);
        Assert.Equal([0.5f, 2], usual.Deviations);
        Node.Standardize other = Of(Start().Node("Mul", ["s", "x"], "a").Node("Add", ["a", "m"], "z"));
        Assert.Equal([-0.125f, -0.0625f], other.Means);
        Assert.Equal([0.25f, 0.25f], other.Deviations);
        var given = new OnnxImport { Standardize = usual };
        Assert.Equal(2, Start().Node("Conv", ["x", "c.weight"], "y").Read(given).Spec.Nodes.Count);
        Refused(Start().Node("Sub", ["x", "m"], "z")
            .Node("Conv", ["z", "c.weight"], "y"), given, "'Sub_0' (Sub)", "itself", "leave mean and deviation");
        Refused(Start().Floats("minus", [], -1).Node("Mul", ["x", "minus"], "z").Node("Conv", ["z", "c.weight"], "y"),
            null, "(Conv)", "positive");
    }

    [Fact]
    public void Weights_in_other_types_become_float32()
    {
        byte[] halves = [.. new Half[] { (Half)0.5, (Half)(-2) }.SelectMany(BitConverter.GetBytes)];
        byte[] doubles = [.. new[] { 0.5, -2.0 }.SelectMany(BitConverter.GetBytes)];
        OnnxBytes Net(string weights) => Vector(2).Node("Gemm", ["x", weights], "y", ("transB", 1));
        foreach (OnnxBytes bytes in new[]
        {
            Net("f.weight").Bytes("f.weight", OnnxType.Float16, [1, 2], halves),
            Net("f.weight").Bytes("f.weight", OnnxType.Float64, [1, 2], doubles),
            Net("f.weight").Bytes("f.weight", OnnxType.BFloat16, [1, 2], 0, 0x3F, 0, 0xC0),
            Vector(2).Bytes("h", OnnxType.Float16, [1, 2], halves).Node("Cast", ["h"], "f", ("to", 1))
                .Named("f", "Gemm", ["x", "f"], "y", ("transB", 1)),
            Vector(2).Bytes("f.weight", OnnxType.UInt8, [1, 2], 9, 4).Floats("s", [], 0.5f).Bytes("z", OnnxType.UInt8, [], 8)
                .Node("DequantizeLinear", ["f.weight", "s", "z"], "w").Node("Gemm", ["x", "w"], "y", ("transB", 1)),
            Vector(2).Bytes("f.weight", OnnxType.Int8, [1, 2], 1, 0xFC).Floats("s", [2], 0.5f, 0.5f)
                .Node("DequantizeLinear", ["f.weight", "s"], "w", ("axis", 1)).Node("Gemm", ["x", "w"], "y", ("transB", 1)),
            Vector(2).Floats("f.weight", [1, 2], 0.6f, -2.1f).Floats("s", [], 0.5f).Bytes("z", OnnxType.Int8, [], 0)
                .Node("QuantizeLinear", ["f.weight", "s", "z"], "q").Node("DequantizeLinear", ["q", "s", "z"], "w")
                .Node("Gemm", ["x", "w"], "y", ("transB", 1)),
        })
        {
            OnnxNetwork network = bytes.Read();
            Assert.Equal("f", network.Spec.Layers[0].Name);
            Assert.Equal([0.5f, -2], network.Weights.Weights[0]);
        }
    }

    [Fact]
    public void What_is_not_supported_is_said_with_the_node_what_is_and_what_to_do()
    {
        Refused(Image().Floats("c.weight", [4, 2, 3, 3]).Node("Conv", ["x", "c.weight"], "c").Named("act", "HardSwish", ["c"], "y"),
            null, "'some.onnx': node 'act' (HardSwish)", "Supported: Add, AveragePool", "Unsqueeze", "Export the network without it");
        Refused(Convolution(("pads", new[] { 1, 1, 2, 2 })), null, "node 'Conv_0' (Conv)", "8x8", "pad symmetrically");
        Refused(Convolution(("pads", new[] { 1, 2, 1, 2 })), null, "1, 2, 1, 2", "the same number on all sides");
        Refused(Convolution(("dilations", new[] { 2, 2 })), null, "dilations 2x2", "without dilation");
        Refused(Convolution(("strides", new[] { 1, 2 })), null, "stride 1x2", "square windows");
        Refused(Image().Floats("w", [4, 2, 3]).Node("Conv", ["x", "w"], "y"), null, "3 dimensions", "filters x channels x rows x columns");
        Refused(Image().Floats("w", [4, 3, 3, 3]).Node("Conv", ["x", "w"], "y"), null, "4x3x3x3", "2x8x8");
        Refused(Image().Floats("w", [4, 128]).Node("Gemm", ["x", "w"], "y", ("transB", 1)), null, "put a Flatten before it");
        Refused(Vector(5).Floats("w", [4, 6]).Node("Gemm", ["x", "w"], "y", ("transB", 1)), null, "4x6", "5 numbers");
        Refused(Vector().Floats("w", [4, 6]).Node("Gemm", ["x", "w"], "y", ("transB", 1), ("transA", 1)), null, "only transB");
        Refused(Vector().Floats("w", [4, 6]).Node("Gemm", ["x", "w"], "a", ("transB", 1)).Node("Gemm", ["x", "a"], "y"),
            null, "constant numbers of the file");
        Refused(Image().Longs("s", 4, 32).Node("Reshape", ["x", "s"], "y"), null, "[4, 32]", "2x8x8", "[batch, 128]");
        Refused(Image().Floats("c.weight", [4, 2, 1, 1]).Node("Conv", ["x", "c.weight"], "c").Node("Softmax", ["c"], "s", ("axis", 1))
            .Node("Relu", ["s"], "y"), null, "(Softmax)", "as the last operator");
        Refused(Image().Floats("c.weight", [4, 2, 1, 1]).Node("Conv", ["x", "c.weight"], "c").Floats("k", [], 2)
            .Node("Relu", ["c"], "r").Node("Mul", ["r", "k"], "y"), null, "(Mul)", "folded into the layers");
        Refused(new OnnxBytes(0, 3, 0, 0).Floats("w", [4, 3, 1, 1]).Node("Conv", ["x", "w"], "y"), null, "3x?x?", "say what shape");
        Refused(new OnnxBytes(0, 2, 0, 8).Floats("w", [4, 2, 1, 1]).Node("Conv", ["x", "w"], "y"),
            new OnnxImport { Input = () => new(3, 8, 8) }, "2x?x8", "was given 3x8x8");
        Refused(Vector().Floats("w", [4, 6]).Node("Gemm", ["x", "w"], "y", ("transB", 1)),
            new OnnxImport { Input = () => new(1, 8, 8) }, "of 6", "1x8x8");
        Refused(new OnnxBytes(0, 2, 8, 8) { Opset = 6 }.Floats("w", [4, 2, 1, 1]).Node("Conv", ["x", "w"], "y"),
            null, "version 6", "convert_version");
        Refused(new OnnxBytes(0, 2, 8, 8) { Outputs = { "y", "z" } }.Floats("w", [4, 2, 1, 1]).Node("Conv", ["x", "w"], "y")
            .Node("Relu", ["y"], "z"), null, "2 outputs ('y', 'z')");
        Refused(Image().Raw(11, OnnxBytes.Value("mask", [1])).Node("Relu", ["x"], "y"), null, "2 inputs ('mask', 'x')");
        Refused(Image().Node("Relu", ["x"], "y"), null, "without a layer");
        Refused(Image().Node("Relu", ["nothing"], "y"), null, "'nothing', which neither");
        Assert.Equal(new ImageShape(3, 5, 5), new OnnxBytes(0, 3, 0, 0).Floats("w", [4, 3, 1, 1]).Node("Conv", ["x", "w"], "y")
            .Read(new OnnxImport { Input = () => new(3, 5, 5) }).Spec.Input);
        Assert.Equal(new ImageShape(1, 2, 3), Vector().Floats("w", [4, 6]).Node("Gemm", ["x", "w"], "y", ("transB", 1))
            .Read(new OnnxImport { Input = () => new(1, 2, 3) }).Spec.Input);
    }

    [Fact]
    public void Values_in_a_file_of_their_own_are_asked_for()
    {
        var tensor = new ProtobufWriter();
        tensor.Varint(1, 4);
        tensor.Varint(2, 1);
        tensor.Text(8, "w");
        tensor.Varint(14, 1);
        Refused(Image().Raw(5, tensor).Node("Conv", ["x", "w"], "y"), null, "'w' is in a file of its own", "save_as_external_data=False");
    }

    private static void Refused(OnnxBytes bytes, OnnxImport? options, params string[] parts)
    {
        string message = Assert.ThrowsAny<AdmmKitException>(() => bytes.Read(options)).Message;
        Assert.All(parts, p => Assert.Contains(p, message, StringComparison.Ordinal));
    }
}
