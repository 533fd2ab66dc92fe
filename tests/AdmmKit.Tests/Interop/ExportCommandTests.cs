using System.Globalization;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Experiments;
using AdmmKit.Tests.Storage;
using AdmmKit.Training;

namespace AdmmKit.Tests.Interop;

/// <summary>`admmkit export`, and what it writes. It writes to the console, as the tests of the tool do.</summary>
[Collection(nameof(CommandLineTests))]
public class ExportCommandTests
{
    private static CompressedNetwork Model()
    {
        // Levels, a codebook and floats; conv2 is the layer in which a wrong order of dimensions shows.
        NetworkSpec spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        var random = new RandomStream(1, "export");
        return new CompressedNetwork(
            spec, [.. spec.Layers.Select((l, i) => RandomNetworks.Layer(l, random, 0.05, i == 3 ? 32 : 3, codebook: i == 2))]);
    }

    [Fact]
    public void The_weights_are_exactly_the_decoded_ones()
    {
        foreach (CompressedNetwork model in Enumerable.Range(0, 20).Select(i => RandomNetworks.Create((ulong)i)).Append(Model()))
        {
            using var stream = new MemoryStream();
            var network = NetworkTensors.Of(model);
            SafetensorsFile.Write(stream, network.Tensors, network.Metadata);
            SafetensorsFile file = SafetensorsFile.Read(stream.ToArray(), "export");
            NetworkWeights decoded = model.Decode();
            Assert.Equal(
                model.Spec.Layers.SelectMany(l => new[] { l.Name + ".weight", l.Name + ".bias" }), file.Tensors.Select(t => t.Name));
            for (int i = 0; i < model.Layers.Count; i++)
            {
                LayerInfo layer = model.Layers[i].Layer;
                Assert.Equal(Bits(decoded.Weights[i]), Bits(file[layer.Name + ".weight"].ToSingles()));
                Assert.Equal(Bits(decoded.Biases[i]), Bits(file[layer.Name + ".bias"].ToSingles()));
                Assert.Equal(layer.Shape, string.Join('x', file[layer.Name + ".weight"].Shape));
                Assert.Equal([layer.Rows], file[layer.Name + ".bias"].Shape);
            }
        }
    }

    [Fact]
    public void The_metadata_say_what_the_numbers_alone_do_not()
    {
        CompressedNetwork model = Model();
        IReadOnlyDictionary<string, string> metadata = NetworkTensors.Of(model).Metadata;
        Assert.Equal(
            ["architecture", "classes", "conv1.bits", "conv1.q", "conv2.bits", "conv2.q", "fc1.bits", "fc1.codebook", "input", "network"],
            metadata.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(("lenet5", "1x28x28", "10"), (metadata["architecture"], metadata["input"], metadata["classes"]));
        Assert.Equal(("3", "3", "8"), (metadata["conv1.bits"], metadata["fc1.bits"], metadata["fc1.codebook"]));
        Assert.Equal(model.Layers[1].Q, float.Parse(metadata["conv2.q"], CultureInfo.InvariantCulture));
    }

    [Fact]
    public void The_file_stands_beside_the_network_or_where_it_is_wanted()
    {
        using var folder = new TemporaryFolder();
        string source = Path.Combine(folder.Path, "model.admm"), beside = Path.Combine(folder.Path, "model.safetensors");
        string elsewhere = Path.Combine(folder.Path, "new", "other.bin");
        Model().Save(source);
        (int code, string output, _) = CommandLineTests.Run(["export", source, "--to", "safetensors"]);
        Assert.Equal(0, code);
        Assert.Contains("lenet5, 430,500 weights", output, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"580 biases; {new FileInfo(beside).Length:#,0} B."), output, StringComparison.Ordinal);
        Assert.Equal([50, 20, 5, 5], SafetensorsFile.Read(beside)["conv2.weight"].Shape);
        Assert.Equal(0, CommandLineTests.Run(["export", "--out", elsewhere, "--to", "safetensors", source]).Code);
        Assert.Equal(File.ReadAllBytes(beside), File.ReadAllBytes(elsewhere));
    }

    [Fact]
    public void Onnx_goes_there_and_back_with_levels_and_all()
    {
        using var folder = new TemporaryFolder();
        string At(string name) => Path.Combine(folder.Path, name);
        Model().Save(At("model.admm"));
        (int code, string output, string error) = CommandLineTests.Run(["export", At("model.admm"), "--to", "onnx", "--form", "qdq"]);
        Assert.Equal(0, code);
        Assert.Contains("lenet5, 430,500 weights", output, StringComparison.Ordinal);
        // The codebook of fc1 and the floats of fc2 are no levels, and stay as they are.
        Assert.Equal(["'fc1'", "'fc2'"], error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[0]));
        Assert.Equal(0, CommandLineTests.Run(["export", At("model.onnx"), "--to", "admm", "--out", At("again.admm")]).Code);
        CompressedNetwork before = Model(), after = CompressedNetwork.Load(At("again.admm"));
        OnnxNetworks.AssertSame(before.Decode(), after.Decode());
        Assert.Equal(["conv1", "conv2"], after.Layers.Where(l => l.IsQuantized).Select(l => l.Layer.Name));
        Assert.Equal([before.Layers[0].Q, before.Layers[1].Q], after.Layers.Take(2).Select(l => l.Q));
        foreach (string form in new[] { "dense", "sparse" })
        {
            Assert.Equal(0, CommandLineTests.Run(["export", At("model.admm"), "--to", "onnx", "--form", form, "--out", At(form + ".onnx")]).Code);
            OnnxNetworks.AssertSame(before.Decode(), OnnxFile.Read(At(form + ".onnx")).Weights);
            Assert.Contains("weights survive", CommandLineTests.Run(["inspect", At(form + ".onnx")]).Output, StringComparison.Ordinal);
        }

        Assert.True(new FileInfo(At("sparse.onnx")).Length < new FileInfo(At("dense.onnx")).Length / 5);
    }

    [Fact]
    public void What_an_onnx_does_not_say_is_said_with_it()
    {
        using var folder = new TemporaryFolder();
        string mobile = OnnxFileTests.PathOf("mobile"), resnet = OnnxFileTests.PathOf("resnet"), target = Path.Combine(folder.Path, "out.onnx");
        string[] to = ["--to", "onnx", "--out", target];
        Assert.Equal(0, CommandLineTests.Run(["export", resnet, .. to, "--input-mean", "0.5,0.25,0.75", "--input-deviation", "0.5"]).Code);
        var standardize = Assert.IsType<Node.Standardize>(OnnxFile.Read(target).Spec.Nodes[0]);
        Assert.Equal([0.5f, 0.25f, 0.75f], standardize.Means);
        Assert.Equal([0.5f, 0.5f, 0.5f], standardize.Deviations);
        Assert.Equal(0, CommandLineTests.Run(["export", resnet, .. to, "--input-mean", "0.5", "--standardized-input"]).Code);
        Assert.IsType<Node.Convolution>(OnnxFile.Read(target).Spec.Nodes[0]);
        Assert.Equal(0, CommandLineTests.Run(["export", resnet, .. to, "--input-scale", "0.015625"]).Code);
        standardize = Assert.IsType<Node.Standardize>(OnnxFile.Read(target).Spec.Nodes[0]);
        Assert.Equal((0, (float)(64 / 255.0)), (standardize.Means[0], standardize.Deviations[2]));
        Assert.Equal(0, CommandLineTests.Run(["export", OnnxFileTests.PathOf("lenet"), .. to]).Code);
        Assert.Equal(OnnxEnding.Softmax, OnnxFile.Read(target).Ending);
        Refused(1, "leave mean and deviation", ["export", mobile, .. to, "--input-mean", "0.5"]);
        Refused(1, "not '0.5;'", ["export", resnet, .. to, "--input-mean", "0.5;"]);
        Refused(1, "leave one of them out", ["export", resnet, .. to, "--input-mean", "0.5", "--input-scale", "1"]);
        Refused(1, "positive number, not by -1", ["export", resnet, .. to, "--input-scale", "-1"]);
        Refused(1, "leave 'lenet5' out", ["export", resnet, .. to, "--architecture", "lenet5"]);
        Refused(2, "There is no form 'qqd'. Did you mean 'qdq'?", ["export", resnet, .. to, "--form", "qqd"]);
        Refused(2, "--form is about an .onnx", ["export", resnet, "--to", "admm", "--form", "qdq"]);
    }

    [Fact]
    public void What_cannot_be_done_is_said()
    {
        using var folder = new TemporaryFolder();
        string source = Path.Combine(folder.Path, "model.admm");
        Model().Save(source);
        byte[] before = File.ReadAllBytes(source);
        Refused(2, "There is no format 'safetensor'. Did you mean 'safetensors'?", "export", source, "--to", "safetensor");
        Refused(2, "--to", "export", source);
        Refused(2, "--to", "export", source, "--to");
        Refused(1, "missing.admm", "export", "missing.admm", "--to", "safetensors");
        Refused(1, "no file that could be written", "export", source, "--to", "safetensors", "--out", folder.Path);
        Refused(1, "is the file that is exported", "export", source, "--out", source);
        Refused(2, "does not go with a file that ends in .admm", "export", source, "--to", "onnx", "--out", Path.Combine(folder.Path, "other.admm"));
        Assert.Equal(before, File.ReadAllBytes(source));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    private static void Refused(int code, string message, params string[] arguments)
    {
        (int got, _, string error) = CommandLineTests.Run(arguments);
        Assert.Equal(code, got);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    private static uint[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToUInt32Bits)];
}
