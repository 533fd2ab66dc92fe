using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Experiments;
using AdmmKit.Training;
using static AdmmKit.Tests.Interop.CaffeBytes;

namespace AdmmKit.Tests.Interop;

/// <summary>Networks of the library with Caffe's numbers, also through the tool, which writes to the console.</summary>
[Collection(nameof(CommandLineTests))]
public class CaffeNetworkTests
{
    private const double Mnist = 1 / 256.0;

    private static readonly NetworkSpec LeNet5 = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
    private static readonly NetworkSpec Small = NetworkSpec.LeNet300100(new(1, 2, 2), 3);

    private static CaffeModelFile Read(params byte[][] parts) => CaffeModelFile.Read([.. parts.SelectMany(p => p)], "some-file");

    private static float[] Weights(LayerInfo layer) => Values(layer.WeightCount, layer.Name);

    private static float[] Biases(LayerInfo layer) => Values(layer.Rows, layer.Name + " biases");

    private static byte[] Numbered(NetworkSpec spec, int layer, string name, string type)
    {
        LayerInfo info = spec.Layers[layer];
        return Layer(name, type, [.. Packed(Weights(info)), .. Shape(ShapeOf(info))], [.. Packed(Biases(info)), .. Shape(info.Rows)]);
    }

    private static byte[] Relu(string name) => Layer(name, "ReLU");

    /// <summary>LeNet-5 as Caffe's own example calls its layers.</summary>
    private static byte[][] CaffesLeNet5() =>
    [
        Images(), Numbered(LeNet5, 0, "conv1", "Convolution"), Layer("pool1", "Pooling"), Numbered(LeNet5, 1, "conv2", "Convolution"),
        Layer("pool2", "Pooling"), Numbered(LeNet5, 2, "ip1", "InnerProduct"), Relu("relu1"), Numbered(LeNet5, 3, "ip2", "InnerProduct"),
        Layer("loss", "SoftmaxWithLoss"),
    ];

    private static byte[][] Small300100(params string[] names) =>
    [
        Images(), Numbered(Small, 0, names[0], "InnerProduct"), Relu("r1"), Numbered(Small, 1, names[1], "InnerProduct"), Relu("r2"),
        Numbered(Small, 2, names[2], "InnerProduct"),
    ];

    private static void AssertSame(NetworkSpec spec, NetworkWeights read, double factor = 255 / 256.0)
    {
        for (int i = 0; i < spec.Layers.Count; i++)
        {
            float[] expected = Weights(spec.Layers[i]);
            Assert.Equal(i > 0 ? expected : [.. expected.Select(w => (float)(w * factor))], read.Weights[i]);
            Assert.Equal(Biases(spec.Layers[i]), read.Biases[i]);
        }
    }

    private static StoredModel Surgery(string file) => StoredModel.Load(ModelFactAttribute.PathOf(file)!, "lenet-300-100");

    [Fact]
    public void Layers_are_the_same_by_their_names_or_else_by_their_places()
    {
        AssertSame(LeNet5, CaffeNetwork.Read(Read(CaffesLeNet5()), LeNet5));
        AssertSame(Small, CaffeNetwork.Read(Read(Small300100("ip1", "ip2", "ip3")), Small));
        // By name the order does not count, and other layers may stand beside them.
        byte[] other = Layer("aux", "InnerProduct", [.. Packed([1]), .. Shape(1, 1)]);
        AssertSame(Small, CaffeNetwork.Read(Read(
            Images(), other, Numbered(Small, 2, "fc3", "InnerProduct"), Numbered(Small, 1, "fc2", "InnerProduct"), Relu("r2"),
            Numbered(Small, 0, "fc1", "InnerProduct"), Relu("r1")), Small));
        // By names that are given.
        var names = new Dictionary<string, string> { ["fc1"] = "ip9", ["fc2"] = "ip8" };
        AssertSame(Small, CaffeNetwork.Read(Read([.. Small300100("ip9", "ip8", "fc3"), other]), Small, names: names));
        Assert.Contains(
            "'some-file': There is no layer 'ip8'. Did you mean 'ip9'?",
            Assert.Throws<AdmmKitException>(() => CaffeNetwork.Read(Read(Small300100("ip9", "ip7", "fc3")), Small, names: names)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "There is no layer 'fc4'",
            Assert.Throws<AdmmKitException>(() => CaffeNetwork.Read(
                Read(Small300100("ip1", "ip2", "ip3")), Small, names: new Dictionary<string, string> { ["fc4"] = "ip1" })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Old_files_and_the_layers_of_network_surgery_are_read_too()
    {
        byte[] Old(int i)
        {
            LayerInfo l = Small.Layers[i];
            return OldLayer("ip", 14, [.. OldShape(l.Rows, l.Columns), .. Unpacked(Weights(l))], [.. OldShape(l.Rows), .. Packed(Biases(l))]);
        }

        AssertSame(Small, CaffeNetwork.Read(Read(Old(0), OldLayer("r", 18), Old(1), OldLayer("r", 18), Old(2)), Small, Mnist));
        // Without any other layer nothing is known of ReLUs.
        AssertSame(Small, CaffeNetwork.Read(Read([.. Enumerable.Range(0, 3).Select(i => Numbered(Small, i, "cip", "CInnerProduct"))]), Small, Mnist));
    }

    [Fact]
    public void A_layer_without_biases_has_zeros()
    {
        LayerInfo first = Small.Layers[0];
        NetworkWeights read = CaffeNetwork.Read(Read(
            Layer("a", "InnerProduct", [.. Packed(Weights(first)), .. Shape(ShapeOf(first))]),
            Numbered(Small, 1, "b", "InnerProduct"), Numbered(Small, 2, "c", "InnerProduct")), Small, Mnist);
        Assert.Equal(new float[first.Rows], read.Biases[0]);
    }

    [Fact]
    public void Another_scale_of_the_pixels_is_made_up_for()
    {
        CaffeModelFile Of(params byte[][] data) => Read([.. data, .. Small300100("ip1", "ip2", "ip3")[1..]]);
        AssertSame(Small, CaffeNetwork.Read(Of(Images(0.5f)), Small), 127.5);
        AssertSame(Small, CaffeNetwork.Read(Of(Images(0.5f), Images(0.5f)), Small), 127.5);
        AssertSame(Small, CaffeNetwork.Read(Of(Images(0.5f)), Small, Mnist));
        AssertSame(Small, CaffeNetwork.Read(Of(), Small, 1 / 255.0), 1);
        byte[] mean = Bytes(100, Bytes(100, Scale(0.5f), Single(5, 33)));
        AssertSame(Small, CaffeNetwork.Read(Of(mean), Small, 0.5), 127.5);
        void Refused(string message, Func<object> read) =>
            Assert.Contains(message, Assert.ThrowsAny<AdmmKitException>(read).Message, StringComparison.Ordinal);
        Refused("does not say what its images were multiplied by: give the input scale", () => CaffeNetwork.Read(Of(), Small));
        Refused("from which a mean was subtracted, which 'lenet-300-100' does not do", () => CaffeNetwork.Read(Of(mean), Small));
        Refused("several layers that read images, each in its own way", () => CaffeNetwork.Read(Of(Images(0.5f), Images(0.25f)), Small));
        Refused("multiplied by a positive number, not by 0", () => CaffeNetwork.Read(Of(Images(0)), Small));
        Refused("not by NaN", () => CaffeNetwork.Read(Of(Images(float.NaN)), Small));
        Refused("no float32 any more", () => CaffeNetwork.Read(Of(), Small, 1e300));
    }

    [Fact]
    public void The_function_of_the_pixels_is_the_same()
    {
        // What Caffe computes, for pixels / 256, with the weights of the file; what the kit computes with those that were read.
        var random = new RandomStream(1, "caffe pixels");
        NetworkWeights read = CaffeNetwork.Read(Read(Small300100("ip1", "ip2", "ip3")), Small);
        for (int trial = 0; trial < 20; trial++)
        {
            int[] pixels = [.. Enumerable.Range(0, 4).Select(_ => random.NextInt(256))];
            double[] caffe = [.. pixels.Select(p => p / 256.0)], kit = [.. pixels.Select(p => p / 255.0)];
            for (int i = 0; i < 3; i++)
            {
                caffe = Output(Small.Layers[i], Weights(Small.Layers[i]), caffe, relu: i < 2);
                kit = Output(Small.Layers[i], read.Weights[i], kit, relu: i < 2);
            }

            double largest = caffe.Max(Math.Abs);
            Assert.All(caffe.Zip(kit), p => Assert.InRange(p.Second, p.First - (1e-6 * largest), p.First + (1e-6 * largest)));
        }

        static double[] Output(LayerInfo layer, float[] weights, double[] input, bool relu) =>
        [
            .. Enumerable.Range(0, layer.Rows)
                .Select(r => Biases(layer)[r] + input.Select((x, c) => x * weights[(r * layer.Columns) + c]).Sum())
                .Select(y => relu ? Math.Max(y, 0) : y),
        ];
    }

    [Fact]
    public void Another_network_is_refused_with_layer_and_shapes()
    {
        void Refused(string message, NetworkSpec spec, params byte[][] parts)
        {
            string refusal = Assert.Throws<BadFileException>(() => CaffeNetwork.Read(Read(parts), spec, Mnist)).Message;
            Assert.Contains("'some-file'", refusal, StringComparison.Ordinal);
            Assert.Contains(message, refusal, StringComparison.Ordinal);
        }

        byte[][] small = Small300100("ip1", "ip2", "ip3");
        Refused("3 layers with numbers (ip1, ip2, ip3), but 'lenet5' has 4 (conv1, conv2, fc1, fc2)", LeNet5, small);
        Refused("layer 'ip1' has weights of 300x4, but 'fc1' needs 300x784", NetworkSpec.LeNet300100(NetworkSpec.Mnist, 3), small);
        Refused("layer 'ip3' has weights of 3x100, but 'fc3' needs 4x100", NetworkSpec.LeNet300100(Small.Input, 4), small);
        Refused(
            "layer 'b' has biases of 2, but 'fc2' needs 100", Small, Numbered(Small, 0, "a", "InnerProduct"),
            Layer("b", "InnerProduct", [.. Packed(Weights(Small.Layers[1])), .. Shape(100, 300)], [.. Packed([1, 2]), .. Shape(2)]),
            Numbered(Small, 2, "c", "InnerProduct"));
        Refused("layer 'ip1' is of the type Convolution, but 'fc1' is a fully connected layer", Small, [Numbered(Small, 0, "ip1", "Convolution"), .. small[2..]]);
        Refused("layer 'bn' is of the type 'BatchNorm'", Small, [.. small, Layer("bn", "BatchNorm", [.. Packed([1]), .. Shape(1)])]);
        Refused(
            "layer 'ip1' has 4 blobs, more than weights and biases", Small,
            [Layer("ip1", "CInnerProduct", Shape(0), Shape(0), Shape(0), Shape(0)), .. small[2..]]);
        Refused("layer 'ip1' has NaN at index 0 of its weights", Small, [Layer("ip1", "InnerProduct", [.. Packed([float.NaN, .. Weights(Small.Layers[0])[1..]]), .. Shape(300, 4)]), .. small[2..]]);
        Refused("has a ReLU after fc1, but 'lenet5-relu' has one after conv1, conv2, fc1", NetworkSpec.LeNet5(NetworkSpec.Mnist, 10, relu: true), CaffesLeNet5());
        Refused("has a ReLU after fc1, but 'lenet-300-100' has one after fc1, fc2", Small, [.. small[..4], small[5]]);
        Refused("has a ReLU after no layer", Small, [.. small[..2], small[3], small[5]]);
        NetworkSpec residual = NetworkSpec.Create("resnet20", NetworkSpec.Cifar, 10);
        Assert.Contains(
            "batch normalizations, which 'resnet20' has, are not read",
            Assert.Throws<AdmmKitException>(() => CaffeNetwork.Read(Read(small), residual)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_tool_reads_it_and_writes_it_in_other_formats()
    {
        using var folder = new TemporaryFolder();
        string source = folder.Write("a.caffemodel", [.. CaffesLeNet5().SelectMany(p => p)]), target = Path.Combine(folder.Path, "a.admm");
        Assert.Equal(0, CommandLineTests.Run(["export", source, "--architecture", "lenet5", "--to", "admm"]).Code);
        AssertSame(LeNet5, CompressedNetwork.Load(target).Decode());
        Assert.Equal(0, CommandLineTests.Run(["export", source, "--architecture", "lenet5", "--to", "safetensors"]).Code);
        AssertSame(LeNet5, StoredModel.Load(Path.Combine(folder.Path, "a.safetensors")).Decode());
        Assert.Equal(0, CommandLineTests.Run(["export", source, "--architecture", "lenet5", "--input-scale", "0.5", "--to", "admm"]).Code);
        AssertSame(LeNet5, CompressedNetwork.Load(target).Decode(), 127.5);
        (int code, string shown, _) = CommandLineTests.Run(["inspect", source, "--architecture", "lenet5"]);
        Assert.Equal(0, code);
        Assert.Contains("430,500 of 430,500 weights survive", shown, StringComparison.Ordinal);
        // A recipe may begin with it.
        AssertSame(LeNet5, PretrainedModel.Load(source, LeNet5));
        // As it is evaluated here, and after it was written in this kit's format.
        string[] synthetic = ["--synthetic", "--seed", "3", "--threads", "1"];
        (code, string evaluated, _) = CommandLineTests.Run(["evaluate", source, "--architecture", "lenet5", "--input-scale", "0.5", .. synthetic]);
        Assert.Equal(0, code);
        Assert.Equal(evaluated, CommandLineTests.Run(["evaluate", target, .. synthetic]).Output);
    }

    [Theory]
    [InlineData(1, "does not say which architecture it is: name it with --architecture, one of lenet5,", "inspect", "FILE.caffemodel")]
    [InlineData(2, "Did you mean 'lenet5'?", "inspect", "FILE.caffemodel", "--architecture", "lenet6")]
    [InlineData(1, "but 'lenet-300-100' has 3", "evaluate", "FILE.caffemodel", "--architecture", "lenet-300-100", "--synthetic")]
    [InlineData(1, "only files that end in .caffemodel, .net or .onnx have another input scale", "inspect", "FILE.admm", "--input-scale", "1")]
    [InlineData(1, "names its own architecture: leave 'lenet5' out", "inspect", "FILE.admm", "--architecture", "lenet5")]
    [InlineData(1, "is the file that is exported", "export", "FILE.admm", "--to", "admm")]
    [InlineData(1, "Could not read", "time", "MISSING.caffemodel", "--architecture", "lenet5")]
    public void What_has_to_be_said_is_asked_for(int code, string message, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        folder.Write("FILE.caffemodel", [.. CaffesLeNet5().SelectMany(p => p)]);
        var zeros = new NetworkWeights([.. Small.Layers.Select(l => new float[l.WeightCount])], [.. Small.Layers.Select(l => new float[l.Rows])]);
        CompressedNetwork.FromWeights(Small, zeros, [0, 0, 0], [32, 32, 32]).Save(Path.Combine(folder.Path, "FILE.admm"));
        arguments[1] = Path.Combine(folder.Path, arguments[1]);
        (int got, _, string error) = CommandLineTests.Run(arguments);
        Assert.Equal(code, got);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [ModelFact(ModelFactAttribute.Dense300100, ModelFactAttribute.Sparse300100)]
    public void The_networks_of_network_surgery_have_their_survivors_and_five_sizes()
    {
        Assert.Equal(266_200, Surgery(ModelFactAttribute.Dense300100).Survivors);
        CompressedNetwork sparse = Surgery(ModelFactAttribute.Sparse300100).Compress();
        Assert.Equal([4351, 552, 49], sparse.Layers.Select(l => l.Survivors));
        var sizes = ModelSizes.Of(sparse);
        Assert.Equal(32 * 4952, sizes.WeightDataBits);
        Assert.Equal((32 + 8) * 4952, sizes.PaperBits);
        Assert.InRange(sizes.RelativeBits, sizes.WeightDataBits + (5 * 4952), sizes.WeightDataBits + (10 * 4952));
        Assert.InRange(sizes.BoundBits, sizes.WeightDataBits, sizes.RelativeBits);
        Assert.Equal(sparse.Size.TotalBytes * 8.0, sizes.FileBits, 1e-6);
    }

    [ModelFact(ModelFactAttribute.Dense300100, ModelFactAttribute.Sparse300100, Mnist = true)]
    public void The_networks_of_network_surgery_get_as_many_images_right_as_in_Caffe()
    {
        ImageSet test = DataSource.Open(new DataRequest { Name = "mnist" }).Test;
        StoredModel original = Surgery(ModelFactAttribute.Dense300100), sparse = Surgery(ModelFactAttribute.Sparse300100);
        Assert.Equal(9772, new ScalarNetwork(original.Spec, original.Decode()).CountCorrect(test));
        Assert.Equal(9801, new ScalarNetwork(sparse.Spec, sparse.Decode()).CountCorrect(test));
        Assert.Equal(9801, ScalarNetwork.CountCorrect(sparse.Compress(), test));
    }
}
