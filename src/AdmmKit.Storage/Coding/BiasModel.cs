namespace AdmmKit.Storage.Coding;

/// <summary>The biases of a layer: float32, or levels of an interval. Most are 0 where a row has no survivors.</summary>
internal sealed class BiasModel
{
    private const int Limit = 60;
    private const int CountContexts = 4;

    private readonly AdaptiveBit[] zeros = new AdaptiveBit[2 * CountContexts];
    private readonly NumberModel sizes = new();
    private readonly FloatModel floats = new();
    private AdaptiveBit sign = new(Logistic.One / 2);
    private AdaptiveBit quantized = new(Logistic.One / 2);

    public BiasModel()
    {
        for (int i = 0; i < zeros.Length; i++)
        {
            zeros[i] = new AdaptiveBit(i % CountContexts == 0 ? 60_000 : 8_000, 1);
        }
    }

    /// <summary>Codes the biases.</summary>
    /// <param name="coder">The coder.</param>
    /// <param name="given">The layer; null when decoding.</param>
    /// <param name="rowCounts">Survivors of each row.</param>
    /// <returns>The biases, and their interval and levels where they have any.</returns>
    public (float[] Biases, float Q, short[] Levels) Code(BitCoder coder, CompressedLayer? given, int[] rowCounts)
    {
        bool levels = quantized.Code(coder, given is { BiasQ: not 0 });
        float q = levels ? FloatModel.Interval(coder, given?.BiasQ ?? 0) : 0;
        float[] biases = given?.Biases ?? new float[rowCounts.Length];
        short[] biasLevels = given?.BiasLevels ?? new short[levels ? rowCounts.Length : 0];
        for (int row = 0; row < rowCounts.Length; row++)
        {
            if (levels)
            {
                biasLevels[row] = Level(coder, biasLevels[row], row, rowCounts);
            }
            else
            {
                biases[row] = Single(coder, biases[row], row, rowCounts);
            }
        }

        return (biases, q, biasLevels);
    }

    private static int Context(int[] rowCounts, int row) => rowCounts[row] switch { 0 => 0, 1 => 1, < 4 => 2, _ => 3 };

    private bool Zero(BitCoder coder, bool zero, int row, int[] rowCounts, int kind)
    {
        ref AdaptiveBit flag = ref zeros[(kind * CountContexts) + Context(rowCounts, row)];
        // A row costs memory: behind the first many of them none is free.
        int least = row < PositionModel.MaxSide ? Logistic.Least : Logistic.One / 2;
        zero = coder.Bit(zero, Math.Clamp(flag.Probability, least, Logistic.One - least));
        flag.Learn(zero, 255);
        return zero;
    }

    private float Single(BitCoder coder, float value, int row, int[] rowCounts)
    {
        if (Zero(coder, BitConverter.SingleToUInt32Bits(value) == 0, row, rowCounts, 0))
        {
            return 0;
        }

        value = floats.Single(coder, value);
        return BitConverter.SingleToUInt32Bits(value) != 0 ? value
            : throw new BadFileException(FormattableString.Invariant($"the bias of row {row} is written in more bits than it needs"));
    }

    private short Level(BitCoder coder, short level, int row, int[] rowCounts)
    {
        if (Zero(coder, level == 0, row, rowCounts, 1))
        {
            return 0;
        }

        bool negative = sign.Code(coder, level < 0, Limit);
        int size = sizes.Code(coder, Math.Abs((int)level) - 1);
        if (size >= CompressedLayer.MaxBiasLevel)
        {
            throw new BadFileException(FormattableString.Invariant(
                $"the bias of row {row} has a level beyond {CompressedLayer.MaxBiasLevel}"));
        }

        return (short)(negative ? -size - 1 : size + 1);
    }
}
