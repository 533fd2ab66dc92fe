using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Data;
using AdmmKit.Training;

namespace AdmmKit.Tests.Interop;

/// <summary>What is written is run by onnxruntime, and gives what the engine gives.</summary>
public class OnnxRuntimeTests
{
    // Of the largest output: sums of float32 in another order.
    private const double Near = 1e-4;

    private static string Results(params string[] path) => Path.Combine([LayeringTests.Root, "results", .. path]);

    [OnnxRuntimeFact]
    public void LeNet5_in_every_form() => Check(CompressedNetwork.Load(Results("table5", "AdmmKit-167x-conv-3-b-fc-2-b-seed1.admm")), 20);

    [OnnxRuntimeFact]
    public void ResNet20_in_every_form() =>
        Check(CompressedNetwork.Load(Directory.GetFiles(Results("resnet20-pruned"), "*.admm").Order(StringComparer.Ordinal).Last()), 4);

    [OnnxRuntimeFact]
    public void AlexNet_in_every_form()
    {
        NetworkSpec spec = NetworkSpec.Create("alexnet", new(3, 227, 227), 1000);
        (NetworkWeights weights, _) = OnnxNetworks.Random(spec, 0.1, 4);
        Check(spec, weights, 2);
    }

    [OnnxRuntimeFact]
    public void Every_step_in_every_form()
    {
        NetworkSpec spec = OnnxNetworks.Mixed();
        Check(spec, OnnxNetworks.Random(spec, 0.3, 5).Weights, 9);
        Check(spec, OnnxNetworks.Random(spec, 1, 32).Weights, 1);
    }

    [OnnxRuntimeFact]
    public void Probabilities_where_they_are_wanted()
    {
        using var folder = new TemporaryFolder();
        NetworkSpec spec = OnnxNetworks.Mixed();
        NetworkWeights weights = OnnxNetworks.Random(spec, 1, 32).Weights;
        ImageSet images = OnnxNetworks.Images(spec, 3);
        (string soft, string log) = (Path.Combine(folder.Path, "soft.onnx"), Path.Combine(folder.Path, "log.onnx"));
        OnnxFile.Write(soft, spec, weights, new OnnxExport { Ending = OnnxEnding.Softmax });
        OnnxFile.Write(log, spec, weights, new OnnxExport { Ending = OnnxEnding.LogSoftmax });
        float[][] scores = OnnxNetworks.Predict(spec, weights, images);
        float[][] expected = [.. scores.Select(r => r.Select(v => (float)(Math.Exp(v) / r.Sum(s => Math.Exp(s)))).ToArray())];
        float[][][] found = OnnxRuntime.Run([(soft, images), (log, images)]);
        Assert.InRange(OnnxRuntime.Difference(expected, found[0]), 0, Near);
        Assert.InRange(OnnxRuntime.Difference(expected, [.. found[1].Select(r => r.Select(MathF.Exp).ToArray())]), 0, Near);
    }

    [OnnxRuntimeFact]
    public void Images_that_are_standardized_already()
    {
        using var folder = new TemporaryFolder();
        NetworkSpec spec = OnnxNetworks.Mixed();
        NetworkWeights weights = OnnxNetworks.Random(spec, 1, 32).Weights;
        ImageSet images = OnnxNetworks.Images(spec, 2);
        string file = Path.Combine(folder.Path, "network.onnx");
        OnnxFile.Write(file, spec, weights, new OnnxExport { Standardize = false });
        var standardize = (Node.Standardize)spec.Nodes[0];
        int plane = spec.Input.Height * spec.Input.Width;
        float[] input = [.. images.Pixels.ToArray().Select((p, i) => ((p * (1f / 255)) - standardize.Means[i / plane % 3]) / standardize.Deviations[i / plane % 3])];
        float[][] found = OnnxRuntime.Run([(file, input, [2, 3, 18, 18])])[0];
        Assert.InRange(OnnxRuntime.Difference(OnnxNetworks.Predict(spec, weights, images), found), 0, Near);
        OnnxNetwork read = OnnxFile.Read(file, new OnnxImport { Standardize = standardize });
        OnnxNetworks.AssertSame(spec, read.Spec);
    }

    [OnnxRuntimeFact]
    public void What_PyTorch_wrote_gives_the_same_when_it_is_written_again()
    {
        using var folder = new TemporaryFolder();
        foreach (string name in OnnxFileTests.FromPyTorch)
        {
            OnnxNetwork network = OnnxFile.Read(OnnxFileTests.PathOf(name));
            string again = Path.Combine(folder.Path, name + ".onnx");
            OnnxFile.Write(again, network.Spec, network.Weights, new OnnxExport { Ending = network.Ending });
            var images = OnnxFileTests.ImagesOf(network.Spec);
            float[][][] both = OnnxRuntime.Run([(OnnxFileTests.PathOf(name), images), (again, images)]);
            Assert.InRange(OnnxRuntime.Difference(both[0], both[1]), 0, 1e-6);
        }
    }

    private static void Check(CompressedNetwork model, int count) => Check(model.Spec, model.Decode(), count);

    private static void Check(NetworkSpec spec, NetworkWeights weights, int count)
    {
        using var folder = new TemporaryFolder();
        ImageSet images = OnnxNetworks.Images(spec, count);
        float[][] expected = OnnxNetworks.Predict(spec, weights, images);
        foreach (OnnxForm form in Enum.GetValues<OnnxForm>())
        {
            string file = Path.Combine(folder.Path, form + ".onnx");
            OnnxFile.Write(file, spec, weights, new OnnxExport { Form = form });
            OnnxNetwork read = OnnxFile.Read(file);
            OnnxNetworks.AssertSame(spec, read.Spec);
            OnnxNetworks.AssertSame(weights, read.Weights);
            Assert.Empty(read.Notes);
            double difference = OnnxRuntime.Difference(expected, OnnxRuntime.Run([(file, images)])[0]);
            Assert.True(difference < Near, $"{spec.Name}, {form}: {difference}");
            File.Delete(file);
        }
    }
}
