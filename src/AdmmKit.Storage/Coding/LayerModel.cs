using AdmmKit.Networks;

namespace AdmmKit.Storage.Coding;

/// <summary>
/// Everything about one layer: how its values are coded, its survivors, its biases. What is learned stays for the next one.
/// </summary>
internal sealed class LayerModel(BitCoder coder)
{
    private readonly AdaptiveBit[] codings = Even(4);
    private readonly AdaptiveBit[] widths = Even(8);
    private readonly NumberModel counts = new();
    private readonly PositionModel positions = new(coder);
    private readonly ValueModel values = new();
    private readonly FloatModel floats = new();
    private readonly BiasModel biases = new();

    /// <summary>Codes a layer.</summary>
    /// <param name="plan">What is known of it.</param>
    /// <param name="given">The layer; null when decoding.</param>
    /// <returns>The layer, the survivors of each of its rows, and the bits it took.</returns>
    public (CompressedLayer Layer, int[] RowCounts, LayerSize Size) Code(LayerPlan plan, CompressedLayer? given)
    {
        LayerInfo layer = plan.Layer;
        double start = coder.Cost;
        ValueCoding coding = Coding(given?.Coding ?? default);
        int bits = coding == ValueCoding.Floats ? CompressedLayer.FloatBits : Width(given?.Bits ?? 0);
        float q = coding == ValueCoding.Levels ? FloatModel.Interval(coder, given?.Q ?? 0) : 0;
        double header = coder.Cost - start;

        start = coder.Cost;
        float[] codebook = coding == ValueCoding.Codebook ? Codebook(layer, bits, given?.Codebook) : [];
        double shared = coder.Cost - start;

        start = coder.Cost;
        var content = new SurvivorContent(given, layer, coding, bits, codebook, values, floats);
        int[] rowCounts = positions.Code(plan, content);
        double survivors = coder.Cost - start;

        start = coder.Cost;
        (float[] numbers, float biasQ, short[] biasLevels) = biases.Code(coder, given, rowCounts);
        var size = new LayerSize(layer.Name, header, shared, survivors - content.ValueBits, content.ValueBits, coder.Cost - start);
        return (given ?? content.Layer(q, numbers, biasQ, biasLevels), rowCounts, size);
    }

    /// <summary>What a layer takes that is stored alone.</summary>
    public static LayerSize Measure(CompressedLayer layer) => new LayerModel(new BitMeter()).Code(LayerPlan.Alone(layer.Layer), layer).Size;

    private ValueCoding Coding(ValueCoding given)
    {
        if (codings[0].Code(coder, given == ValueCoding.Levels))
        {
            return ValueCoding.Levels;
        }

        return codings[1].Code(coder, given == ValueCoding.Floats) ? ValueCoding.Floats : ValueCoding.Codebook;
    }

    private int Width(int given)
    {
        int node = 1;
        for (int i = 2; i >= 0; i--)
        {
            node = (node << 1) | (widths[node].Code(coder, (((given - 1) >> i) & 1) != 0) ? 1 : 0);
        }

        return node - 7;
    }

    private float[] Codebook(LayerInfo layer, int bits, float[]? given)
    {
        int count = counts.Code(coder, given?.Length ?? 0);
        if (count > 1 << bits)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"layer '{layer.Name}' has {count} shared values, more than {bits} bits tell apart"));
        }

        var codebook = new float[count];
        for (int i = 0; i < count; i++)
        {
            codebook[i] = coder.Single(given?[i] ?? 0);
        }

        return codebook;
    }

    private static AdaptiveBit[] Even(int count)
    {
        var bits = new AdaptiveBit[count];
        Array.Fill(bits, new AdaptiveBit(Logistic.One / 2));
        return bits;
    }
}
