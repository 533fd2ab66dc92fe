using AdmmKit.Networks;

namespace AdmmKit.Storage.Coding;

/// <summary>The survivors of a layer with their values.</summary>
internal sealed class SurvivorContent(
    CompressedLayer? given, LayerInfo layer, ValueCoding coding, int bits, float[] codebook, ValueModel values, FloatModel floats)
    : LayerContent(given?.Positions)
{
    private readonly List<short> levels = [];
    private readonly List<byte> codes = [];
    private readonly List<float> singles = [];

    /// <summary>Bits of all values so far.</summary>
    public double ValueBits { get; private set; }

    /// <summary>The layer that was decoded.</summary>
    public CompressedLayer Layer(float q, float[] biases, float biasQ, short[] biasLevels)
    {
        CompressedLayer result = coding switch
        {
            ValueCoding.Levels => CompressedLayer.Quantized(layer, bits, q, Positions, [.. levels], biases),
            ValueCoding.Codebook => CompressedLayer.Clustered(layer, bits, Positions, [.. codes], codebook, biases),
            _ => CompressedLayer.Unquantized(layer, Positions, [.. singles], biases),
        };
        return biasQ == 0 ? result : result.WithBiasLevels(biasQ, biasLevels);
    }

    protected override int Value(BitCoder coder, int index, in Surroundings around)
    {
        double start = coder.Cost;
        int context = coding switch
        {
            ValueCoding.Levels => Level(coder, index, around),
            ValueCoding.Codebook => Code(coder, index, around),
            _ => Single(coder, index),
        };
        ValueBits += coder.Cost - start;
        return context;
    }

    private int Level(BitCoder coder, int index, in Surroundings around)
    {
        int level = values.Level(coder, bits, given?.Levels[index] ?? 0, around);
        if (given is null)
        {
            levels.Add((short)level);
        }

        return level;
    }

    private int Code(BitCoder coder, int index, in Surroundings around)
    {
        int code = values.Code(coder, bits, given?.Codes[index] ?? 0, around);
        if (code >= codebook.Length)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"layer '{layer.Name}' has the code {code}, but a codebook of {codebook.Length} values"));
        }

        if (given is null)
        {
            codes.Add((byte)code);
        }

        return code + 1;
    }

    private int Single(BitCoder coder, int index)
    {
        float value = floats.Single(coder, given?.Values[index] ?? 0);
        if (given is null)
        {
            singles.Add(value);
        }

        return value < 0 ? -1 : 1;
    }
}
