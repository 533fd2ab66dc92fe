using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Storage;

/// <summary>
/// A pruned and quantized network: what is stored, and exactly what is evaluated. See <see cref="NetworkFile"/> for the bytes.
/// </summary>
public sealed class CompressedNetwork
{
    // Sizes are known only by coding: who asks for them and then writes the file codes once.
    private readonly Lazy<(byte[] Bytes, FileSize Size)> encoded;

    /// <summary>Puts compressed layers together.</summary>
    /// <param name="spec">The network: of an architecture that <see cref="NetworkSpec.Create"/> knows, or any graph, which is then stored too.</param>
    /// <param name="layers">Its layers in order.</param>
    /// <param name="normalizations">The numbers of its batch normalizations; may be left out where it has none.</param>
    /// <exception cref="AdmmKitException">
    /// The network is too large to be stored, or a layer or a batch normalization does not fit it.
    /// </exception>
    public CompressedNetwork(NetworkSpec spec, IReadOnlyList<CompressedLayer> layers, IReadOnlyList<float[]>? normalizations = null)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(layers);
        Spec = NetworkFile.Stored(spec);
        if (!Spec.Layers.SequenceEqual(layers.Select(l => l.Layer)))
        {
            throw new AdmmKitException($"The layers do not fit '{spec.Name}' for {spec.Input} images: it needs {string.Join(", ", Spec.Layers.Select(l => $"{l.Name} {l.Shape}"))}.");
        }

        (Layers, Normalizations) = ([.. layers], [.. normalizations ?? []]);
        Spec.CheckNormalizations(Normalizations);
        encoded = new Lazy<(byte[] Bytes, FileSize Size)>(() => NetworkFile.Encode(this));
    }

    /// <summary>The network.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>Its layers in order.</summary>
    public IReadOnlyList<CompressedLayer> Layers { get; }

    /// <summary>The numbers of its batch normalizations, kept as they are; treat the arrays as read-only.</summary>
    public IReadOnlyList<float[]> Normalizations { get; }

    /// <summary>Number of weights that are not zero.</summary>
    public int Survivors => Layers.Sum(l => l.Survivors);

    /// <summary>Survivors as a part of all weights.</summary>
    public double KeepFraction => (double)Survivors / Spec.WeightCount;

    /// <summary>All weights over those that are not zero: the paper's pruning ratio.</summary>
    public double CompressionRatio => (double)Spec.WeightCount / Survivors;

    /// <summary>Bits of the surviving weights' values: the paper's "data size".</summary>
    public long WeightDataBits => Layers.Sum(l => l.WeightDataBits);

    /// <summary>Where the bytes of the file go.</summary>
    public FileSize Size => encoded.Value.Size;

    /// <summary>Compresses a network without changing any weight.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="weights">Its weights, biases and batch normalizations.</param>
    /// <param name="q">The distance q_i of two levels of each layer; 0 where it has 32 bits or a codebook.</param>
    /// <param name="bits">Bits a weight of each layer: 1 to 8, or 32 to keep values as they are.</param>
    /// <param name="codebooks">
    /// The values that the survivors of each layer share, null where they are levels or floats; see
    /// <see cref="CompressedLayer.FromWeights(LayerInfo, ReadOnlySpan{float}, float[], int, float[])"/>. Without it no layer has any.
    /// </param>
    /// <exception cref="AdmmKitException">
    /// A weight is not exactly a level times q, or not in its layer's codebook; the message says which.
    /// </exception>
    public static CompressedNetwork FromWeights(
        NetworkSpec spec,
        NetworkWeights weights,
        IReadOnlyList<float> q,
        IReadOnlyList<int> bits,
        IReadOnlyList<float[]?>? codebooks = null)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(q);
        ArgumentNullException.ThrowIfNull(bits);
        int count = spec.Layers.Count;
        if (weights.Weights.Count != count || weights.Biases.Count != count || q.Count != count || bits.Count != count
            || (codebooks is not null && codebooks.Count != count))
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{spec.Name}' has {count} layers: give weights, biases, q, bits and, if any, codebooks for each of them."));
        }

        CompressedLayer Compressed(LayerInfo layer, int i) => codebooks?[i] switch
        {
            null => CompressedLayer.FromWeights(layer, weights.Weights[i], q[i], bits[i], weights.Biases[i]),
            _ when q[i] != 0 => throw new AdmmKitException(FormattableString.Invariant(
                $"Layer '{layer.Name}' has a codebook and no levels: give q = 0, not {q[i]}.")),
            float[] codebook => CompressedLayer.FromWeights(layer, weights.Weights[i], codebook, bits[i], weights.Biases[i]),
        };
        return new CompressedNetwork(spec, spec.Layers.Select(Compressed).ToArray(), weights.Normalizations);
    }

    /// <summary>The weights that the stored network is evaluated with, to the last bit.</summary>
    public NetworkWeights Decode() =>
        new(Layers.Select(l => l.ToWeights()).ToArray(), Layers.Select(l => (float[])l.Biases.Clone()).ToArray())
        {
            Normalizations = [.. Normalizations.Select(n => (float[])n.Clone())],
        };

    /// <summary>Writes the file; a reader sees the old one or the new one, never a part.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="AdmmKitException">It cannot be written.</exception>
    public void Save(string path) => AtomicFile.Write(path, Write);

    /// <summary>Writes the bytes of the file.</summary>
    /// <param name="stream">Where to.</param>
    public void Write(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(encoded.Value.Bytes);
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="BadFileException">It is not a compressed network, or is damaged.</exception>
    /// <exception cref="AdmmKitException">It cannot be read at all.</exception>
    public static CompressedNetwork Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using FileStream stream = File.OpenRead(path);
            return Read(stream, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"Could not read '{path}': {e.Message} Check the name and that you may read it.", e);
        }
    }

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="stream">The bytes of one file.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="BadFileException">It is not a compressed network, or is damaged.</exception>
    public static CompressedNetwork Read(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var memory = new MemoryStream();
        var block = new byte[81920];
        for (int count; (count = stream.Read(block)) > 0;)
        {
            memory.Write(block, 0, count);
            NetworkFile.CheckLength(memory.Length, name);
        }

        return Read(memory.GetBuffer().AsSpan(0, (int)memory.Length), name);
    }

    /// <summary>Reads the bytes of one file.</summary>
    /// <param name="bytes">All of them.</param>
    /// <param name="name">What to call it in errors.</param>
    /// <exception cref="BadFileException">It is not a compressed network, or is damaged.</exception>
    public static CompressedNetwork Read(ReadOnlySpan<byte> bytes, string name) => NetworkFile.Decode(bytes, name);
}
