using System.Text;
using AdmmKit.Networks;

namespace AdmmKit.Storage.Coding;

/// <summary>A whole network as the arithmetic code holds it: its name and shape, its layers, its batch normalizations.</summary>
internal static class NetworkModel
{
    // The place of a name in this list is what a file holds: new names go to the end, and none is ever taken away.
    private static readonly (string Name, ImageShape Input, int Classes)[] Known =
    [
        ("lenet5", NetworkSpec.Mnist, 10), ("lenet5-relu", NetworkSpec.Mnist, 10), ("lenet-300-100", NetworkSpec.Mnist, 10),
        ("resnet20", NetworkSpec.Cifar, 10), ("resnet32", NetworkSpec.Cifar, 10), ("resnet56", NetworkSpec.Cifar, 10),
        ("vgg-small", NetworkSpec.Cifar, 10), ("alexnet", new(3, 227, 227), 1000), ("caffenet", new(3, 227, 227), 1000),
        ("vgg16", NetworkSpec.ImageNet, 1000), ("resnet50", NetworkSpec.ImageNet, 1000),
    ];

    private const int NameBits = 5;
    private const uint OtherName = (1 << NameBits) - 1;

    // In place of a name: the graph itself.
    private const uint Graph = OtherName - 1;
    private const int MaxNameLength = 100;
    private const int UsualShape = 60_000;

    /// <summary>Codes a network.</summary>
    /// <param name="coder">The coder.</param>
    /// <param name="given">The network; null when decoding.</param>
    /// <param name="sizes">Receives the bits of each layer.</param>
    /// <returns>The network, and the bits of its head and of its batch normalizations.</returns>
    public static (CompressedNetwork Network, double HeaderBits, double NormalizationBits) Code(
        BitCoder coder, CompressedNetwork? given, List<LayerSize> sizes)
    {
        NetworkSpec spec = Spec(coder, given?.Spec);
        double header = coder.Cost;
        var model = new LayerModel(coder);
        var layers = new CompressedLayer[spec.Layers.Count];
        ChannelActivity.Walk(spec, (i, plan) =>
        {
            (layers[i], int[] rowCounts, LayerSize size) = model.Code(plan, given?.Layers[i]);
            sizes.Add(size);
            return rowCounts;
        });
        double start = coder.Cost;
        var normalizations = new float[spec.Normalizations.Count][];
        for (int i = 0; i < normalizations.Length; i++)
        {
            normalizations[i] = new float[spec.Normalizations[i].Count];
            for (int k = 0; k < normalizations[i].Length; k++)
            {
                normalizations[i][k] = coder.Single(given?.Normalizations[i][k] ?? 0);
            }
        }

        return (given ?? new CompressedNetwork(spec, layers, normalizations), header, coder.Cost - start);
    }

    /// <summary>Codes what the network is: its name where the library knows it by that, else its graph as text.</summary>
    public static NetworkSpec Spec(BitCoder coder, NetworkSpec? given)
    {
        uint index = given is not null && NetworkFile.IsNamed(given) ? IndexOf(given.Name) : Graph;
        index = coder.Plain(index, NameBits);
        if (index != Graph)
        {
            (string name, ImageShape input, int classes) = Rest(coder, index, given is null ? null : (given.Name, given.Input, given.Classes));
            return given ?? NetworkFile.Named(name, input, classes);
        }

        string text = new TextModel().Code(coder, given is null ? null : NetworkJson.Write(given), NetworkJson.MaxLength);
        if (given is not null)
        {
            return given;
        }

        NetworkSpec spec = NetworkJson.Parse(text, "its graph");
        NetworkFile.Check(spec);
        return !NetworkFile.IsNamed(spec) && NetworkJson.Write(spec) == text ? spec
            : throw new BadFileException("its graph is written otherwise than this kit writes it");
    }

    /// <summary>Codes an architecture's name and shape.</summary>
    public static void Head(BitCoder coder, (string Name, ImageShape Input, int Classes) given) =>
        Rest(coder, coder.Plain(IndexOf(given.Name), NameBits), given);

    private static uint IndexOf(string architecture) =>
        Array.FindIndex(Known, k => k.Name == architecture) is var at && at >= 0 ? (uint)at : OtherName;

    private static (string Name, ImageShape Input, int Classes) Rest(
        BitCoder coder, uint index, (string Name, ImageShape Input, int Classes)? given)
    {
        string name = index < Known.Length ? Known[index].Name
            : index == OtherName ? OtherNameOf(coder, given?.Name)
            : throw new BadFileException(FormattableString.Invariant($"it is of architecture {index}, which a later release knows"));
        (string Name, ImageShape Input, int Classes) usual = index < Known.Length ? Known[index] : (name, default, 0);
        if (coder.Bit(given == usual, UsualShape))
        {
            return usual;
        }

        var numbers = new NumberModel();
        var input = new ImageShape(
            numbers.Code(coder, given?.Input.Channels ?? 0),
            numbers.Code(coder, given?.Input.Height ?? 0),
            numbers.Code(coder, given?.Input.Width ?? 0));
        int classes = numbers.Code(coder, given?.Classes ?? 0);
        return (name, input, classes) != usual ? (name, input, classes)
            : throw new BadFileException("its shape is the usual one of its architecture, but is written out");
    }

    private static string OtherNameOf(BitCoder coder, string? given)
    {
        byte[] bytes = given is null ? [] : Encoding.UTF8.GetBytes(given);
        int length = new NumberModel().Code(coder, bytes.Length);
        if (length > MaxNameLength)
        {
            throw new BadFileException(FormattableString.Invariant($"its architecture's name is longer than {MaxNameLength} bytes"));
        }

        Array.Resize(ref bytes, length);
        foreach (ref byte b in bytes.AsSpan())
        {
            b = (byte)coder.Plain(b, 8);
        }

        string name = Encoding.UTF8.GetString(bytes);
        return !Known.Any(k => k.Name == name) ? name
            : throw new BadFileException($"it writes out the name '{name}', which has a number");
    }
}
