using AdmmKit.Experiments.Hardware;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Results;

/// <summary>
/// A network in a file of any kind: compressed (.admm), with all weights in float32 (.safetensors), or of another program: ONNX
/// (.onnx), Caffe (.caffemodel), Deep Compression (.net). The last two do not say which network they hold.
/// </summary>
public sealed class StoredModel
{
    /// <summary>How the names of files with dense networks end.</summary>
    public const string DenseExtension = ".safetensors";

    /// <summary>How the names of ONNX's files end.</summary>
    public const string OnnxExtension = ".onnx";

    /// <summary>How the names of Caffe's files end.</summary>
    public const string CaffeExtension = ".caffemodel";

    /// <summary>How the names of Deep Compression's files end.</summary>
    public const string DeepCompressionExtension = ".net";

    private readonly Func<NetworkWeights> decode;

    private StoredModel(NetworkSpec spec, Func<NetworkWeights> decode, int survivors, long weightDataBits, CompressedNetwork? compressed) =>
        (Spec, this.decode, Survivors, WeightDataBits, Compressed) = (spec, decode, survivors, weightDataBits, compressed);

    /// <summary>What the network computes.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>Weights that are not zero.</summary>
    public int Survivors { get; }

    /// <summary>Bits of their values: the paper's "data size"; 32 each in a dense network.</summary>
    public long WeightDataBits { get; }

    /// <summary>What the reader of the file should know; only of an .onnx, and mostly nothing.</summary>
    public IReadOnlyList<string> Notes { get; private init; } = [];

    /// <summary>What an .onnx computes of the network's outputs; left out here, where it belongs to the loss.</summary>
    public OnnxEnding Ending { get; private init; }

    internal CompressedNetwork? Compressed { get; }

    /// <summary>Opens a file by its name: one of the kinds that end as said above, or a compressed network.</summary>
    /// <param name="path">The file.</param>
    /// <param name="architecture">The architecture of a network whose file names none; otherwise null.</param>
    /// <param name="images">
    /// The shape and the classes of the images that such a network is for; asked for only then. Without it, those that it is usually for.
    /// </param>
    /// <param name="inputScale">
    /// What pixels of 0 to 255 were multiplied by where the network was trained; null for what a .caffemodel says of it, and 1/255 in
    /// a .net, and in an .onnx that does not scale them itself. All others are for pixels divided by 255.
    /// </param>
    /// <param name="standardize">
    /// Mean and deviation of the pixels, in [0, 1], that were brought to 0 and 1 before an .onnx reads them; null for none.
    /// </param>
    /// <exception cref="BadFileException">The file is damaged, or not of a network that is known.</exception>
    /// <exception cref="AdmmKitException">It cannot be read, or the architecture or scale has to be given, or must not be.</exception>
    public static StoredModel Load(
        string path,
        string? architecture = null,
        Func<(ImageShape Input, int Classes)>? images = null,
        double? inputScale = null,
        Node.Standardize? standardize = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (inputScale is not null && Extension(path) is not (CaffeExtension or DeepCompressionExtension or OnnxExtension))
        {
            throw new AdmmKitException($"'{path}' holds a network for pixels in [0, 1]; only files that end in {CaffeExtension}, {DeepCompressionExtension} or {OnnxExtension} have another input scale: leave it out.");
        }

        if (standardize is not null && Extension(path) != OnnxExtension)
        {
            throw new AdmmKitException($"'{path}' holds a network for pixels in [0, 1]; only one that ends in {OnnxExtension} may be for pixels of another mean and deviation: leave them out.");
        }

        switch (Extension(path))
        {
            case OnnxExtension:
                return architecture is null ? Of(OnnxFile.Read(path, Import(images, inputScale, standardize)))
                    : throw new AdmmKitException($"'{path}' says itself what it computes: leave '{architecture}' out.");
            case DenseExtension:
                return Of(SafetensorsFile.Read(path), architecture, images);
            case CaffeExtension:
                NetworkSpec spec = Unnamed(path, architecture, images);
                return Of(spec, CaffeNetwork.Read(CaffeModelFile.Read(path), spec, inputScale));
            case DeepCompressionExtension:
                return Of(DeepCompressionFile.ReadNetwork(path, Unnamed(path, architecture, images), inputScale));
            default:
                return architecture is null ? Of(CompressedNetwork.Load(path))
                    : throw new AdmmKitException($"'{path}' is a compressed network and names its own architecture: leave '{architecture}' out.");
        }
    }

    /// <summary>Reads the bytes of a file that says which network it holds.</summary>
    /// <param name="bytes">All of them.</param>
    /// <param name="name">The file's name, by whose end its kind is told.</param>
    /// <exception cref="AdmmKitException">The file is damaged, or not of a network that is known.</exception>
    public static StoredModel Read(byte[] bytes, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Extension(name) switch
        {
            DenseExtension => Of(SafetensorsFile.Read(bytes.AsMemory(), name)),
            OnnxExtension => Of(OnnxFile.Read(bytes.AsMemory(), name)),
            _ => Of(CompressedNetwork.Read(bytes, name)),
        };
    }

    /// <summary>The weights. A short compressed file can name a network of gigabytes: first see what it is for.</summary>
    public NetworkWeights Decode() => decode();

    /// <summary>The network as it is stored here: the one that was read, or its survivors in 32 bits.</summary>
    /// <exception cref="AdmmKitException">A weight or bias is not finite.</exception>
    public CompressedNetwork Compress()
    {
        int layers = Spec.Layers.Count;
        return Compressed ?? CompressedNetwork.FromWeights(
            Spec, Decode(), new float[layers], [.. Enumerable.Repeat(CompressedLayer.FloatBits, layers)]);
    }

    /// <summary>Whether a file says which network it holds; of a .safetensors only its content can tell.</summary>
    /// <param name="path">The file.</param>
    internal static bool NamesItsNetwork(string path) => Extension(path) is not (CaffeExtension or DeepCompressionExtension);

    private static string Extension(string name) => Path.GetExtension(name);

    private static StoredModel Of(CompressedNetwork model) => new(model.Spec, model.Decode, model.Survivors, model.WeightDataBits, model);

    private static StoredModel Of(NetworkSpec spec, NetworkWeights weights) =>
        new(spec, () => weights, weights.Survivors, 32L * weights.Survivors, null);

    private static StoredModel Of(OnnxNetwork network)
    {
        // Levels of an interval stay what they are.
        CompressedNetwork? compressed = network.Intervals.Any(q => q > 0) ? network.Compress() : null;
        NetworkWeights weights = network.Weights;
        return new(network.Spec, () => weights, weights.Survivors, compressed?.WeightDataBits ?? (32L * weights.Survivors), compressed)
        {
            Notes = network.Notes,
            Ending = network.Ending,
        };
    }

    private static OnnxImport Import(Func<(ImageShape Input, int Classes)>? images, double? inputScale, Node.Standardize? standardize)
    {
        if (inputScale is { } scale)
        {
            double deviation = 1 / (255 * scale);
            standardize = standardize is not null ? throw new AdmmKitException("Pixels have an input scale, or mean and deviation: leave one of them out.")
                : deviation > 0 && float.IsNormal((float)deviation) ? new Node.Standardize([0], [(float)deviation])
                : throw new AdmmKitException(FormattableString.Invariant($"Pixels are multiplied by a positive number, not by {scale}: give another input scale."));
        }

        return new OnnxImport { Input = images is null ? null : () => images().Input, Standardize = standardize };
    }

    private static StoredModel Of(SafetensorsFile file, string? architecture = null, Func<(ImageShape Input, int Classes)>? images = null)
    {
        NetworkSpec? spec = NetworkTensors.SpecOf(file);
        if (spec is not null && architecture is not null && architecture != spec.Name)
        {
            throw new AdmmKitException($"'{file.Name}' says that it is '{spec.Name}', not '{architecture}': leave the architecture out.");
        }

        spec ??= Unnamed(file.Name, architecture, images);
        return Of(spec, NetworkTensors.Read(file, spec));
    }

    private static NetworkSpec Unnamed(string file, string? architecture, Func<(ImageShape Input, int Classes)>? images)
    {
        if (architecture is null)
        {
            string metadata = Extension(file) == DenseExtension ? " (metadata \"architecture\", \"input\", \"classes\")" : "";
            throw new AdmmKitException($"'{file}' does not say which architecture it is{metadata}: name it with --architecture, one of {string.Join(", ", NetworkSpec.Architectures)}.");
        }

        return images?.Invoke() is { } made
            ? NetworkSpec.Create(architecture, made.Input, made.Classes) : UsualInputs.Network(architecture);
    }
}
