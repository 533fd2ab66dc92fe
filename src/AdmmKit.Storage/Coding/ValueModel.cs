namespace AdmmKit.Storage.Coding;

/// <summary>
/// Levels and codes of survivors: the sign, which follows its neighbours in a kernel, then the size as a path through a binary
/// tree. Little can be foreseen of either; what counts is to learn fast how often each occurs.
/// </summary>
internal sealed class ValueModel
{
    // Bits that a learned probability remembers, and how fast the mixture learns (Mixer).
    private const int Memory = 100;
    private const int Rate = 1;

    // Survivors behind the first so many cost a fifth of a bit or more, so that a file accounts for the memory that they take.
    private const int Free = 1 << 16;
    private const int Toll = Logistic.One / 8;

    private const int Nodes = 256;
    private const int NearContexts = 4;
    private const int MeanContexts = 8;

    // By the signs of the left and the upper neighbour.
    private readonly AdaptiveBit[] signs = Even(3 * 3);

    // By the node of the tree alone, by the sizes of its neighbours, by the mean size in its column.
    private readonly AdaptiveBit[] alone = Even(Nodes);
    private readonly AdaptiveBit[] near = Even(Nodes * NearContexts);
    private readonly AdaptiveBit[] inColumn = Even(Nodes * MeanContexts);
    private readonly Mixer mixer = new([37_000, 16_000, 9_000], Rate);
    private int count;

    /// <summary>Codes a level, which is not 0.</summary>
    public int Level(BitCoder coder, int bits, int level, in Surroundings around)
    {
        ref AdaptiveBit sign = ref signs[(3 * (1 + Math.Sign(around.Left))) + 1 + Math.Sign(around.Up)];
        bool negative = coder.Bit(level < 0, Tolled(sign.Probability));
        sign.Learn(negative, Memory);
        int size = 1 + Size(coder, bits - 1, Math.Abs(level) - 1, around, tolled: false);
        return negative ? -size : size;
    }

    /// <summary>Codes a place in a codebook.</summary>
    public int Code(BitCoder coder, int bits, int code, in Surroundings around) => Size(coder, bits, code, around, tolled: true);

    private static AdaptiveBit[] Even(int contexts)
    {
        var bits = new AdaptiveBit[contexts];
        Array.Fill(bits, new AdaptiveBit(Logistic.One / 2, 1));
        return bits;
    }

    private static int Mean(Tally values) => values.Count == 0 ? 0 : Math.Min(MeanContexts - 1, values.Size / values.Count);

    private int Size(BitCoder coder, int bits, int value, in Surroundings around, bool tolled)
    {
        int sizes = Math.Abs(around.Left) + Math.Abs(around.Up);
        int beside = sizes == 0 ? 0 : Math.Min(NearContexts - 1, 1 + (sizes / 2));
        int column = Mean(around.Column);
        Span<int> inputs = mixer.Inputs;
        int node = 1;
        for (int i = bits - 1; i >= 0; i--)
        {
            ref AdaptiveBit a = ref alone[node];
            ref AdaptiveBit b = ref near[(node * NearContexts) + beside];
            ref AdaptiveBit c = ref inColumn[(node * MeanContexts) + column];
            inputs[0] = Logistic.Stretch(a.Probability);
            inputs[1] = Logistic.Stretch(b.Probability);
            inputs[2] = Logistic.Stretch(c.Probability);
            int probability = mixer.Predict();
            bool bit = coder.Bit(((value >> i) & 1) != 0, tolled && i == bits - 1 ? Tolled(probability) : probability);
            mixer.Learn(bit);
            a.Learn(bit, Memory);
            b.Learn(bit, Memory);
            c.Learn(bit, Memory);
            node = (node << 1) | (bit ? 1 : 0);
        }

        return node - (1 << bits);
    }

    private int Tolled(int probability) => count++ < Free ? probability : Math.Clamp(probability, Toll, Logistic.One - Toll);
}
