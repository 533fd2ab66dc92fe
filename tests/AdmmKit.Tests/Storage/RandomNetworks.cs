using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Storage;

/// <summary>Compressed networks of random shape and content, the same for the same seed.</summary>
internal static class RandomNetworks
{
    public static CompressedNetwork Create(ulong seed)
    {
        var random = new RandomStream(seed, "compressed network");
        NetworkSpec spec = random.NextInt(2) == 0
            ? NetworkSpec.Create("lenet5", new(1 + random.NextInt(3), 16 + random.NextInt(9), 16 + random.NextInt(9)), 2 + random.NextInt(20))
            : NetworkSpec.Create("lenet-300-100", new(1 + random.NextInt(3), 1 + random.NextInt(9), 1 + random.NextInt(9)), 2 + random.NextInt(20));
        return new CompressedNetwork(spec, spec.Layers.Select(layer => Layer(layer, random)).ToArray());
    }

    /// <summary>Numbers for the batch normalizations of a network.</summary>
    public static float[][] Normalizations(NetworkSpec spec, RandomStream random) =>
        [.. spec.Normalizations.Select(n => Enumerable.Range(0, n.Count).Select(_ => (float)random.NextDouble(0.1, 2)).ToArray())];

    public static CompressedLayer Layer(LayerInfo layer, RandomStream random)
    {
        double keep = random.NextInt(6) switch { 0 => 0, 1 => 1, 2 => 0.5, _ => 0.001 + (0.05 * random.NextDouble()) };
        int bits = random.NextInt(5) switch { 0 => 1, 1 => 8, 2 => CompressedLayer.FloatBits, _ => 1 + random.NextInt(8) };
        return Layer(layer, random, keep, bits, codebook: random.NextInt(3) == 0);
    }

    /// <param name="layer">The layer.</param>
    /// <param name="random">Where the content comes from.</param>
    /// <param name="keep">The part of the weights that survives.</param>
    /// <param name="bits">Bits a weight.</param>
    /// <param name="codebook">Whether values of 1 to 8 bits come from a codebook instead of being levels.</param>
    public static CompressedLayer Layer(LayerInfo layer, RandomStream random, double keep, int bits, bool codebook = false)
    {
        int[] positions = [.. Enumerable.Range(0, layer.WeightCount).Where(_ => random.NextDouble() < keep)];
        float[] biases = [.. Enumerable.Range(0, layer.Rows).Select(_ => (float)random.NextGaussian())];
        if (bits == CompressedLayer.FloatBits)
        {
            return CompressedLayer.Unquantized(layer, positions, [.. positions.Select(_ => (float)random.NextDouble(0.1, 2))], biases);
        }

        if (codebook)
        {
            float[] shared = [.. Enumerable.Range(0, 1 << bits).Select(_ => (float)random.NextDouble(-1, 1))];
            var weights = new float[layer.WeightCount];
            Array.ForEach(positions, p => weights[p] = shared[random.NextInt(shared.Length)]);
            return CompressedLayer.FromWeights(layer, weights, shared, bits, biases);
        }

        int largest = 1 << (bits - 1);
        short[] levels = [.. positions.Select(_ => (short)((1 + random.NextInt(largest)) * (random.NextInt(2) == 0 ? 1 : -1)))];
        return CompressedLayer.Quantized(layer, bits, (float)random.NextDouble(0.001, 0.3), positions, levels, biases);
    }

    public static byte[] Bytes(this CompressedNetwork network)
    {
        using var stream = new MemoryStream();
        network.Write(stream);
        return stream.ToArray();
    }
}
