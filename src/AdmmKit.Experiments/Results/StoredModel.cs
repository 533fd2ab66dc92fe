using AdmmKit.Engine.Data;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Results;

/// <summary>A network in a file of either kind: compressed (.admm), or with all weights in float32 (.safetensors).</summary>
public sealed class StoredModel
{
    /// <summary>How the names of files with dense networks end.</summary>
    public const string DenseExtension = ".safetensors";

    private readonly Func<NetworkWeights> decode;

    private StoredModel(NetworkSpec spec, Func<NetworkWeights> decode, int survivors, long weightDataBits, CompressedNetwork? compressed) =>
        (Spec, this.decode, Survivors, WeightDataBits, Compressed) = (spec, decode, survivors, weightDataBits, compressed);

    /// <summary>What the network computes.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>Weights that are not zero.</summary>
    public int Survivors { get; }

    /// <summary>Bits of their values: the paper's "data size"; 32 each in a dense network.</summary>
    public long WeightDataBits { get; }

    internal CompressedNetwork? Compressed { get; }

    /// <summary>Opens a file by its name: one of <see cref="DenseExtension"/>, or a compressed network.</summary>
    /// <param name="path">The file.</param>
    /// <param name="architecture">The architecture of a dense network whose file names none; otherwise null.</param>
    /// <param name="images">Images of the shape and classes that such a network is for; asked for only then.</param>
    /// <exception cref="BadFileException">The file is damaged, or not of a network that is known.</exception>
    /// <exception cref="AdmmKitException">It cannot be read at all, or the architecture has to be given, or must not be.</exception>
    public static StoredModel Load(string path, string? architecture = null, Func<ImageSet>? images = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return IsDense(path) ? Of(SafetensorsFile.Read(path), architecture, images)
            : architecture is null ? Of(CompressedNetwork.Load(path))
            : throw new AdmmKitException($"'{path}' is a compressed network and names its own architecture: leave '{architecture}' out.");
    }

    /// <summary>Reads the bytes of a file.</summary>
    /// <param name="bytes">All of them.</param>
    /// <param name="name">The file's name, by whose end its kind is told.</param>
    /// <exception cref="AdmmKitException">The file is damaged, or not of a network that is known.</exception>
    public static StoredModel Read(byte[] bytes, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return IsDense(name) ? Of(SafetensorsFile.Read(bytes.AsMemory(), name)) : Of(CompressedNetwork.Read(bytes, name));
    }

    /// <summary>The weights. A short compressed file can name a network of gigabytes: first see what it is for.</summary>
    public NetworkWeights Decode() => decode();

    private static bool IsDense(string name) => name.EndsWith(DenseExtension, StringComparison.Ordinal);

    private static StoredModel Of(CompressedNetwork model) => new(model.Spec, model.Decode, model.Survivors, model.WeightDataBits, model);

    private static StoredModel Of(SafetensorsFile file, string? architecture = null, Func<ImageSet>? images = null)
    {
        NetworkSpec? spec = NetworkTensors.SpecOf(file);
        if (spec is not null && architecture is not null && architecture != spec.Name)
        {
            throw new AdmmKitException($"'{file.Name}' says that it is '{spec.Name}', not '{architecture}': leave the architecture out.");
        }

        if (spec is null)
        {
            if (architecture is null || images is null)
            {
                throw new AdmmKitException($"'{file.Name}' does not say which architecture it is (metadata \"architecture\", \"input\", \"classes\"): to evaluate it all the same, name it with --architecture, one of {string.Join(", ", NetworkSpec.Architectures)}.");
            }

            ImageSet made = images();
            spec = NetworkSpec.Create(architecture, made.Shape, made.Classes);
        }

        NetworkWeights weights = NetworkTensors.Read(file, spec);
        return new StoredModel(spec, () => weights, weights.Survivors, 32L * weights.Survivors, null);
    }
}
