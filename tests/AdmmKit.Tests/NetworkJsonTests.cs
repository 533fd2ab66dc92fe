using AdmmKit.Engine;
using AdmmKit.Hardware.Simulation;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Purification;
using AdmmKit.Tests.Storage;
using AdmmKit.Training;

namespace AdmmKit.Tests;

/// <summary>Networks that the library has no name for: as text, in compressed files and in safetensors.</summary>
public class NetworkJsonTests
{
    private static readonly NetworkSpec Loose = NetworkSpec.OfLayers(
        "module", NetworkSpec.Mnist,
        [
            new("features.0", LayerKind.Convolution, 8, 1, 3, 3, 1000), new("features.3", LayerKind.Convolution, 16, 2, 3, 3, 2000),
            new("head", LayerKind.FullyConnected, 10, 64, 1, 1, 640),
        ],
        [new("features.1", 8)]);

    public static TheoryData<string> Architectures => [.. NetworkSpec.Architectures];

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Every_architecture_is_read_as_it_was_written(string name)
    {
        ImageShape input = name is "alexnet" or "caffenet" ? new(3, 227, 227) : name is "vgg16" or "resnet50" ? NetworkSpec.ImageNet : NetworkSpec.Cifar;
        Same(NetworkSpec.Create(name, input, 10));
    }

    [Fact]
    public void Random_graphs_and_loose_layers_are_read_as_they_were_written()
    {
        for (ulong seed = 0; seed < 100; seed++)
        {
            Same(RandomGraphs.Spec(seed));
        }

        Same(Loose);
    }

    [Fact]
    public void The_text_is_what_the_documentation_shows()
    {
        const string Text = """
            {"name":"mine","input":[1,28,28],"steps":[
            {"step":"convolution","name":"conv1","filters":8,"kernel":5,"stride":2},
            {"step":"relu"},
            {"step":"convolution","name":"conv2","filters":8,"kernel":1},
            {"step":"add","from":[2,1]},
            {"step":"fullyConnected","name":"fc","outputs":10}]}
            """;
        NetworkSpec spec = NetworkJson.Parse(Text, "text");
        Assert.Equal(Text.ReplaceLineEndings("\n"), NetworkJson.Write(spec));
        Assert.Equal(["conv1 8x1x5x5", "conv2 8x8x1x1", "fc 10x1152"], spec.Layers.Select(l => $"{l.Name} {l.Shape}"));
    }

    [Theory]
    [InlineData("""{"name":"a","input":[1,8,8],"steps":[{"step":"convolutoin","name":"c","filters":1,"kernel":1}]}""", "step 0", "'convolution'")]
    [InlineData("""{"name":"a","input":[1,8,8],"steps":[{"step":"convolution","name":"c","filtres":1,"kernel":1}]}""", "step 0", "'filters'")]
    [InlineData("""{"name":"a","input":[1,8,8],"steps":[{"step":"relu"},{"step":"convolution","name":"c","kernel":1}]}""", "step 1", "needs \"filters\"")]
    [InlineData("""{"name":"a","input":[1,8,8],"steps":[{"step":"maxPool","window":-2}]}""", "step 0", "\"window\" is a whole number")]
    [InlineData("""{"name":"a","input":[1,8,8],"steps":[{"step":"relu","from":[1]}]}""", "'a' is not a network")]
    [InlineData("""{"name":"a","input":[1,8],"steps":[{"step":"relu"}]}""", "[3, 32, 32]")]
    [InlineData("""{"name":"a","input":[1,8,8],"stepps":[]}""", "'steps'")]
    [InlineData("""{"name":"a","input":[1,8,8],"name":"b","steps":[{"step":"relu"}]}""", "\"name\" twice")]
    [InlineData("""{"name":"a","input":[1,8,8],"steps":[{"step":"fullyConnected","name":"f","outputs":100000000},{"step":"fullyConnected","name":"g","outputs":100000000}]}""", "Step 0", "at most")]
    [InlineData("""{"name":"a","input":[1,100000000,100000000],"steps":[{"step":"relu"}]}""", "Step 0", "at most")]
    [InlineData("""{"name":"a","input":[1,8,8],"steps":[{"step":"looseLayer","name":"f","kind":"dense","rows":1,"inputChannels":1,"kernelHeight":1,"kernelWidth":1,"macs":1}]}""", "kind 'dense'")]
    [InlineData("{", "'file.json'")]
    [InlineData("[]", "'file.json'")]
    [InlineData("""{"name":7,"input":[1,8,8],"steps":[{"step":"relu"}]}""", "'file.json'")]
    public void What_is_wrong_is_said_with_its_place(string text, params string[] parts)
    {
        var e = Assert.Throws<BadFileException>(() => NetworkJson.Parse(text, "file.json"));
        Assert.All(parts, p => Assert.Contains(p, e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Any_graph_can_be_stored_in_both_kinds_of_files()
    {
        for (ulong seed = 0; seed < 30; seed++)
        {
            CompressedNetwork model = Model(seed % 5 == 0 ? Loose : RandomGraphs.Spec(seed), seed);
            CompressedNetwork read = CompressedNetwork.Read(model.Bytes(), "file");
            Assert.Equal(NetworkJson.Write(model.Spec), NetworkJson.Write(read.Spec));
            Equal(model.Decode(), read.Decode());
            Assert.Equal(model.Bytes(), read.Bytes());

            NetworkTensors tensors = NetworkTensors.Of(model);
            using var stream = new MemoryStream();
            SafetensorsFile.Write(stream, tensors.Tensors, tensors.Metadata);
            var file = SafetensorsFile.Read(stream.ToArray().AsMemory(), "file");
            NetworkSpec spec = NetworkTensors.SpecOf(file)!;
            Assert.Equal(NetworkJson.Write(model.Spec), NetworkJson.Write(spec));
            Equal(model.Decode(), NetworkTensors.Read(file, spec));
        }
    }

    [Fact]
    public void A_graph_costs_less_than_a_fifth_of_its_text()
    {
        NetworkSpec named = NetworkSpec.Create("resnet20", NetworkSpec.Cifar, 10);
        NetworkSpec spec = new("somebody's", named.Input, named.Nodes, named.Inputs);
        CompressedNetwork Stored(NetworkSpec net) => new(
            net, [.. net.Layers.Select(l => CompressedLayer.Unquantized(l, [], [], new float[l.Rows]))], [.. net.Normalizations.Select(n => new float[n.Count])]);
        Assert.InRange(Stored(spec).Size.HeaderBits / 8, 20, NetworkJson.Write(spec).Length / 5);
        Assert.InRange(Stored(named).Size.HeaderBits / 8, 0, 2);
    }

    [Fact]
    public void A_network_of_a_known_name_and_another_graph_keeps_its_graph()
    {
        var spec = new NetworkSpec("lenet5", new ImageShape(1, 8, 8), [new Node.Convolution("conv1", 2, 3), new Node.Relu(), new Node.FullyConnected("fc", 3)]);
        CompressedNetwork model = Model(spec, 3);
        Assert.Equal(NetworkJson.Write(spec), NetworkJson.Write(CompressedNetwork.Read(model.Bytes(), "file").Spec));
    }

    [Fact]
    public void A_network_without_a_graph_is_not_computed()
    {
        Assert.False(Loose.HasGraph);
        Assert.Equal(10, Loose.Classes);
        CompressedNetwork model = Model(Loose, 1);
        foreach (Func<object> compute in (Func<object>[])[
            () => new Network(Loose), () => new ScalarNetwork(Loose, model.Decode()), () => AdmmKit.Engine.Sparse.SparseNetwork.Compile(model),
            () => SimulatedLayer.Of(Loose, (_, l) => new bool[l.WeightCount], (_, _) => null).ToArray(),
            () => AdmmKit.Purification.UnusedPaths.Remove(Loose, model.Decode())])
        {
            Assert.Contains("not how they are connected", Assert.Throws<AdmmKitException>(compute).Message, StringComparison.Ordinal);
        }

        Assert.Equal(model.Decode().Survivors, model.WithCompactParameters(8).WithOrderedRows().Decode().Survivors);
    }

    private static CompressedNetwork Model(NetworkSpec spec, ulong seed)
    {
        var random = new RandomStream(seed, "network of any graph");
        return new CompressedNetwork(
            spec, [.. spec.Layers.Select(l => RandomNetworks.Layer(l, random))], RandomNetworks.Normalizations(spec, random));
    }

    private static void Equal(NetworkWeights expected, NetworkWeights actual)
    {
        Assert.Equal(expected.Weights, actual.Weights);
        Assert.Equal(expected.Normalizations, actual.Normalizations);
    }

    private static void Same(NetworkSpec spec)
    {
        string text = NetworkJson.Write(spec);
        NetworkSpec read = NetworkJson.Parse(text, "text");
        Assert.Equal(text, NetworkJson.Write(read));
        Assert.Equal(spec.Nodes, read.Nodes);
        Assert.Equal(spec.Inputs, read.Inputs);
        Assert.Equal(spec.Layers, read.Layers);
        Assert.Equal(spec.Normalizations, read.Normalizations);
        Assert.Equal(spec.Shapes, read.Shapes);
    }
}
