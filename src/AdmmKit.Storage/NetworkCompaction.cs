using AdmmKit.Networks;

namespace AdmmKit.Storage;

/// <summary>Forms of a compressed network that compute the same, or nearly, and take fewer bytes.</summary>
public static class NetworkCompaction
{
    // The part of a half precision number's mantissa that an interval keeps: it is coded in 11 bits.
    private const int MantissaBits = 5;

    /// <summary>
    /// The network with intervals of few bits: every q and the interval of each layer's biases rounded to half precision with a
    /// mantissa of 5 bits, and biases rounded to levels. Biases of rows that nobody reads become 0, which changes nothing; those
    /// that are 0 stay 0. Weights stay at their levels; codebooks and floats stay as they are.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="biasBits">Bits of a bias, 2 to 12: levels go to 2^(bits - 1) of either sign.</param>
    /// <exception cref="AdmmKitException">The number of bits is out of range, or an interval is beyond half precision.</exception>
    public static CompressedNetwork WithCompactParameters(this CompressedNetwork network, int biasBits)
    {
        ArgumentNullException.ThrowIfNull(network);
        if (biasBits is < 2 or > 12)
        {
            throw new AdmmKitException(FormattableString.Invariant($"Biases of {biasBits} bits: give them 2 to 12."));
        }

        bool[][] read = RowGraph.ReadRows(network);
        return new CompressedNetwork(
            network.Spec, [.. network.Layers.Select((l, i) => Compact(l, read[i], biasBits))], network.Normalizations);
    }

    /// <summary>
    /// The network with the rows of each layer in the order that costs the least to write: those with the most survivors first,
    /// those without any last, the columns of the layers that read them likewise. It computes the same sums in another order, so
    /// that outputs may differ by roundings. Rows that reach a sum, a concatenation, the output or a layer of several groups stay.
    /// </summary>
    /// <param name="network">The network.</param>
    public static CompressedNetwork WithOrderedRows(this CompressedNetwork network)
    {
        ArgumentNullException.ThrowIfNull(network);
        for (int layer = 0; layer < network.Layers.Count; layer++)
        {
            CompressedLayer l = network.Layers[layer];
            var counts = new int[l.Layer.Rows];
            foreach (int position in l.Positions)
            {
                counts[position / l.Layer.Columns]++;
            }

            network = RowGraph.WithRows(network, layer, [.. Enumerable.Range(0, counts.Length).OrderByDescending(r => counts[r])]);
        }

        return network;
    }

    private static CompressedLayer Compact(CompressedLayer layer, bool[] read, int biasBits)
    {
        CompressedLayer result = layer.Coding == ValueCoding.Levels
            ? CompressedLayer.Quantized(layer.Layer, layer.Bits, Short(layer, layer.Q), layer.Positions, layer.Levels, layer.Biases)
            : layer;
        float[] biases = [.. layer.Biases.Select((b, row) => read[row] ? b : 0)];
        int largest = 1 << (biasBits - 1);
        float top = biases.Max(Math.Abs);
        if (top == 0)
        {
            return result.WithBiasLevels(1, new short[biases.Length]);
        }

        // Where the largest lie far out, it is better to clip them than to widen all intervals.
        float[] intervals = [.. Enumerable.Range(0, 16).Select(i => Short(layer, top / largest * (1 - (i / 24f))))];
        float q = intervals.MinBy(candidate => biases.Sum(b => Math.Pow(b - (Level(b, candidate, largest) * candidate), 2)));
        return result.WithBiasLevels(q, [.. biases.Select(b => Level(b, q, largest))]);
    }

    private static short Level(float bias, float q, int largest) => (short)Math.Clamp(MathF.Round(bias / q), -largest, largest);

    private static float Short(CompressedLayer layer, float q)
    {
        const int dropped = 10 - MantissaBits;
        int bits = BitConverter.HalfToUInt16Bits((Half)q);
        float result = (float)BitConverter.UInt16BitsToHalf((ushort)((bits + (1 << (dropped - 1))) & ~((1 << dropped) - 1)));
        return result > 0 && float.IsFinite(result) ? result : throw new AdmmKitException(FormattableString.Invariant(
            $"Layer '{layer.Layer.Name}' has an interval of {q:R}, which half precision cannot hold: scale the layer."));
    }
}
