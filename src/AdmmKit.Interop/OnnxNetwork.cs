using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Interop;

/// <summary>A network that was read from an ONNX file.</summary>
public sealed class OnnxNetwork
{
    // Of levels that a compressed layer can have.
    private const int MaxBits = 8;

    private readonly Lazy<NetworkWeights> weights;

    internal OnnxNetwork(string name, NetworkSpec spec, IReadOnlyList<float> intervals, Func<NetworkWeights> decode)
    {
        (Name, Spec, Intervals) = (name, spec, intervals);
        weights = new Lazy<NetworkWeights>(() => Checked(decode()));
    }

    /// <summary>What the file is called in errors.</summary>
    public string Name { get; }

    /// <summary>What it computes; layers are named as in the file, see docs/formats.md.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>
    /// Weights, biases and batch normalizations. They are decoded when they are first asked for: a short file with sparse tensors can
    /// name a network of gigabytes.
    /// </summary>
    /// <exception cref="BadFileException">One of them is not finite.</exception>
    public NetworkWeights Weights => weights.Value;

    /// <summary>For each layer the interval q of which all its weights are whole multiples; 0 where the file does not say one.</summary>
    public IReadOnlyList<float> Intervals { get; }

    /// <summary>What followed the last step and was left out, because it belongs to the loss.</summary>
    public OnnxEnding Ending { get; internal init; }

    /// <summary>The name of the file's input.</summary>
    public string InputName { get; internal init; } = "";

    /// <summary>The name of the file's output.</summary>
    public string OutputName { get; internal init; } = "";

    /// <summary>What the reader should know: layers without a name, weights that the file uses twice, and the like. Often none.</summary>
    public IReadOnlyList<string> Notes { get; internal init; } = [];

    /// <summary>
    /// The network as it is stored here: levels where a layer has an interval and at most 8 bits of them, else survivors in 32 bits.
    /// </summary>
    /// <exception cref="AdmmKitException">The network cannot be stored.</exception>
    public CompressedNetwork Compress()
    {
        (float[] q, int[] bits) = ([.. Intervals], new int[Intervals.Count]);
        for (int i = 0; i < bits.Length; i++)
        {
            bits[i] = BitsOf(Weights.Weights[i], q[i]);
            q[i] = bits[i] == CompressedLayer.FloatBits ? 0 : q[i];
        }

        return CompressedNetwork.FromWeights(Spec, Weights, q, bits);
    }

    private static int BitsOf(float[] weights, float q)
    {
        if (q == 0)
        {
            return CompressedLayer.FloatBits;
        }

        float largest = weights.Max(w => MathF.Abs(MathF.Round(w / q)));
        int bits = 1;
        while (bits <= MaxBits && largest > 1 << (bits - 1))
        {
            bits++;
        }

        return bits <= MaxBits && Array.TrueForAll(weights, w => MathF.Round(w / q) * q == w) ? bits : CompressedLayer.FloatBits;
    }

    private NetworkWeights Checked(NetworkWeights read)
    {
        for (int i = 0; i < Spec.Layers.Count; i++)
        {
            if (!Array.TrueForAll(read.Weights[i], float.IsFinite) || !Array.TrueForAll(read.Biases[i], float.IsFinite))
            {
                throw new BadFileException($"'{Name}': layer '{Spec.Layers[i].Name}' has a weight or bias that is not a finite float32: a network's numbers are finite.");
            }
        }

        return read;
    }
}
