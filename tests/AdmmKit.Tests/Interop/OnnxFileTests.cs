using System.Text.Json;
using AdmmKit.Engine.Data;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Tests.Interop;

public class OnnxFileTests
{
    /// <summary>Files that PyTorch wrote; make.py beside them says how.</summary>
    public static readonly string[] FromPyTorch = ["lenet", "lenet-folded", "resnet", "resnet-folded", "mobile", "mobile-folded"];

    public static string PathOf(string name) => Path.Combine(LayeringTests.Root, "tests", "AdmmKit.Tests", "Interop", "Onnx", name + ".onnx");

    /// <summary>The three images of make.py.</summary>
    public static ImageSet ImagesOf(NetworkSpec spec) => new(
        spec.Input, spec.Classes, Enumerable.Range(0, 3 * spec.Input.Size).Select(i => (byte)((long)i * (i + 31) / 7 % 256)).ToArray(), new byte[3]);

    [Fact]
    public void What_PyTorch_wrote_computes_what_PyTorch_computes()
    {
        var outputs = JsonSerializer.Deserialize<Dictionary<string, float[][]>>(File.ReadAllText(Path.ChangeExtension(PathOf("outputs"), ".json")))!;
        foreach (string name in FromPyTorch)
        {
            OnnxNetwork network = OnnxFile.Read(PathOf(name));
            Assert.Equal((name, "input", "output"), (network.Spec.Name, network.InputName, network.OutputName));
            Assert.Empty(network.Notes);
            float[][] found = OnnxNetworks.Predict(network.Spec, network.Weights, ImagesOf(network.Spec));
            if (network.Ending == OnnxEnding.Softmax)
            {
                found = [.. found.Select(r => r.Select(v => (float)(Math.Exp(v) / r.Sum(s => Math.Exp(s)))).ToArray())];
            }

            Assert.InRange(OnnxRuntime.Difference(outputs[name], found), 0, 1e-5);
            Assert.Equal(name.StartsWith("lenet", StringComparison.Ordinal) ? OnnxEnding.Softmax : OnnxEnding.None, network.Ending);
        }
    }

    [Theory]
    [InlineData("lenet", "conv1 conv2 fc1 fc2", "")]
    [InlineData("resnet", "conv1 layer1.0.conv1 layer1.0.conv2 layer2.0.conv1 layer2.0.conv2 linear", "bn1 layer1.0.bn1 layer1.0.bn2 layer2.0.bn1 layer2.0.bn2")]
    [InlineData("resnet-folded", "conv1 layer1.0.conv1 layer1.0.conv2 layer2.0.conv1 layer2.0.conv2 linear", "")]
    [InlineData("mobile", "stem.0 depthwise point grouped head", "stem.1 bn_d bn_f")]
    [InlineData("mobile-folded", "stem.0 depthwise point grouped head", "bn_f")]
    public void Layers_are_called_as_in_PyTorch(string name, string layers, string normalizations)
    {
        NetworkSpec spec = OnnxFile.Read(PathOf(name)).Spec;
        Assert.Equal(layers, string.Join(' ', spec.Layers.Select(l => l.Name)));
        Assert.Equal(normalizations, string.Join(' ', spec.Normalizations.Select(n => n.Name)));
    }

    [Fact]
    public void A_network_is_read_as_it_was_written_and_written_in_the_same_bytes()
    {
        foreach (NetworkSpec spec in new[] { OnnxNetworks.Mixed(), NetworkSpec.LeNet5(NetworkSpec.Mnist, 10), NetworkSpec.Create("resnet20", new(3, 8, 8), 10) })
        {
            foreach ((double keep, int bits) in new[] { (1.0, 32), (0.2, 3), (0.5, 8), (0.1, 32) })
            {
                (NetworkWeights weights, float[] intervals) = OnnxNetworks.Random(spec, keep, bits);
                foreach (OnnxForm form in Enum.GetValues<OnnxForm>())
                {
                    var options = new OnnxExport { Form = form };
                    byte[] bytes = OnnxNetworks.Written(spec, weights, options);
                    OnnxNetwork read = OnnxFile.Read(bytes, "some.onnx");
                    OnnxNetworks.AssertSame(spec, read.Spec);
                    OnnxNetworks.AssertSame(weights, read.Weights);
                    Assert.Equal(form == OnnxForm.Quantized && bits < 32, read.Intervals.All(q => q > 0));
                    Assert.Equal(bytes, OnnxNetworks.Written(read.Spec, read.Weights, options));
                }
            }
        }
    }
}
