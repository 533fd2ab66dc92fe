namespace AdmmKit.Storage.Coding;

/// <summary>Levels and codes of survivors: the sign, then the size as a path through a binary tree.</summary>
internal sealed class ValueModel
{
    private const int Limit = 120;

    // Survivors behind the first so many cost an eighth of a bit or more, so that a file accounts for the memory that they take.
    private const int Free = 1 << 16;
    private const int Toll = Logistic.One / 8;

    private const int SignContexts = 3;
    private const int SizeContexts = 4;

    private int count;
    private readonly AdaptiveBit[] signs = new AdaptiveBit[64];
    private readonly AdaptiveBit[][] sizes = new AdaptiveBit[SizeContexts][];
    private readonly Mixer signMixer = new([40_000, 40_000, 40_000], 4);
    private readonly Mixer sizeMixer = new([25_000, 25_000, 25_000, 25_000], 4);

    public ValueModel()
    {
        Array.Fill(signs, new AdaptiveBit(Logistic.One / 2));
        for (int i = 0; i < SizeContexts; i++)
        {
            sizes[i] = new AdaptiveBit[256 * 8];
            Array.Fill(sizes[i], new AdaptiveBit(Logistic.One / 2));
        }
    }

    /// <summary>Codes a level, which is not 0.</summary>
    public int Level(BitCoder coder, int bits, int level, in Surroundings around)
    {
        bool negative = Sign(coder, level < 0, around);
        int size = 1 + Size(coder, bits - 1, Math.Abs(level) - 1, around, free: true);
        return negative ? -size : size;
    }

    /// <summary>Codes a place in a codebook.</summary>
    public int Code(BitCoder coder, int bits, int code, in Surroundings around) => Size(coder, bits, code, around, free: false);

    private bool Sign(BitCoder coder, bool negative, in Surroundings around)
    {
        int neighbours = (3 * (1 + Math.Sign(around.Left))) + 1 + Math.Sign(around.Up);
        int column = 9 + 2 + Math.Clamp(around.Column.Sign, -2, 2) + (5 * (1 + Math.Sign(around.Before)));
        int row = 24 + 3 + Math.Clamp(around.Row.Sign, -3, 3);
        ref AdaptiveBit a = ref signs[neighbours];
        ref AdaptiveBit b = ref signs[column];
        ref AdaptiveBit c = ref signs[row];
        Span<int> inputs = signMixer.Inputs;
        inputs[0] = Logistic.Stretch(a.Probability);
        inputs[1] = Logistic.Stretch(b.Probability);
        inputs[2] = Logistic.Stretch(c.Probability);
        int probability = signMixer.Predict();
        bool bit = coder.Bit(negative, count++ < Free ? probability : Math.Clamp(probability, Toll, Logistic.One - Toll));
        signMixer.Learn(bit);
        a.Learn(bit, Limit);
        b.Learn(bit, Limit);
        c.Learn(bit, Limit);
        return bit;
    }

    private int Size(BitCoder coder, int bits, int value, in Surroundings around, bool free)
    {
        int left = Math.Abs(around.Left);
        int up = Math.Abs(around.Up);
        int near = left + up == 0 ? 0 : Math.Min(3, 1 + ((left + up) >> 1));
        int row = Mean(around.Row);
        int column = Mean(around.Column);
        int node = 1;
        Span<int> inputs = sizeMixer.Inputs;
        for (int i = bits - 1; i >= 0; i--)
        {
            ref AdaptiveBit a = ref sizes[0][node];
            ref AdaptiveBit b = ref sizes[1][(node * 8) + row];
            ref AdaptiveBit c = ref sizes[2][(node * 8) + near];
            ref AdaptiveBit d = ref sizes[3][(node * 8) + column];
            inputs[0] = Logistic.Stretch(a.Probability);
            inputs[1] = Logistic.Stretch(b.Probability);
            inputs[2] = Logistic.Stretch(c.Probability);
            inputs[3] = Logistic.Stretch(d.Probability);
            int probability = sizeMixer.Predict();
            bool tolled = !free && i == bits - 1 && count++ >= Free;
            bool bit = coder.Bit(((value >> i) & 1) != 0, tolled ? Math.Clamp(probability, Toll, Logistic.One - Toll) : probability);
            sizeMixer.Learn(bit);
            a.Learn(bit, Limit);
            b.Learn(bit, Limit);
            c.Learn(bit, Limit);
            d.Learn(bit, Limit);
            node = (node << 1) | (bit ? 1 : 0);
        }

        return node - (1 << bits);
    }

    private static int Mean(Tally values) => values.Count == 0 ? 0 : Math.Min(7, 1 + (((2 * values.Size / values.Count) - 1) >> 1));
}
