namespace AdmmKit.Storage.Indexing;

/// <summary>
/// A canonical Huffman code (Huffman 1952): code lengths alone define it. Codes of one length count upwards in the order of
/// their symbols, and longer ones follow. They are written highest bit first, so that a reader can go bit by bit.
/// </summary>
internal sealed class HuffmanCode
{
    /// <summary>Bits that a code length is written with.</summary>
    public const int LengthBits = 4;

    /// <summary>The longest code.</summary>
    public const int MaxLength = (1 << LengthBits) - 1;

    private readonly int[] counts = new int[MaxLength + 1];
    private readonly int[] symbols;
    private readonly uint[] codes;

    /// <param name="lengths">The length of each symbol's code, 0 where it has none.</param>
    public HuffmanCode(byte[] lengths)
    {
        Lengths = lengths;
        symbols = [.. Enumerable.Range(0, lengths.Length).Where(s => lengths[s] > 0).OrderBy(s => lengths[s]).ThenBy(s => s)];
        codes = new uint[lengths.Length];
        uint code = 0;
        int length = 0;
        foreach (int symbol in symbols)
        {
            code <<= lengths[symbol] - length;
            length = lengths[symbol];
            codes[symbol] = code++;
            counts[length]++;
        }

        // The part of all codes of the greatest length that is taken: below 1 some bits mean nothing, above 1 some mean two things.
        int taken = symbols.Sum(s => 1 << (MaxLength - lengths[s]));
        IsComplete = taken == 1 << MaxLength || symbols.Length == 0 || (symbols.Length == 1 && length == 1);
    }

    public byte[] Lengths { get; }

    /// <summary>Whether every sequence of bits is a sequence of codes; a lone symbol has the code 0, and no other is needed.</summary>
    public bool IsComplete { get; }

    /// <summary>The lengths of a best code, none longer than <see cref="MaxLength"/>.</summary>
    /// <param name="frequencies">How often each symbol occurs.</param>
    public static byte[] BestLengths(ReadOnlySpan<long> frequencies)
    {
        long[] weights = frequencies.ToArray();
        var lengths = new byte[weights.Length];
        while (!TryLengths(weights, lengths))
        {
            // Flatter frequencies give a flatter tree, at next to no cost in bits: rare symbols alone get shorter codes.
            foreach (ref long weight in weights.AsSpan())
            {
                weight = (weight + 1) / 2;
            }
        }

        return lengths;
    }

    public void Write(ByteWriter writer, int symbol)
    {
        for (int bit = Lengths[symbol] - 1; bit >= 0; bit--)
        {
            writer.Bits((codes[symbol] >> bit) & 1, 1);
        }
    }

    /// <summary>The next symbol, or -1 where no code fits, which only a code that is not complete can cause.</summary>
    public int Read(ref ByteReader reader)
    {
        int code = 0, first = 0, index = 0;
        for (int length = 1; length <= MaxLength; length++)
        {
            code |= (int)reader.Bits(1);
            if (code - first < counts[length])
            {
                return symbols[index + code - first];
            }

            index += counts[length];
            first = (first + counts[length]) << 1;
            code <<= 1;
        }

        return -1;
    }

    private static bool TryLengths(long[] weights, byte[] lengths)
    {
        // Nodes are numbered as they are made, leaves first, so a parent has a higher number than its children. Equal weights
        // are taken in this order: the same frequencies give the same code everywhere.
        var queue = new PriorityQueue<int, (long Weight, int Node)>();
        for (int symbol = 0; symbol < weights.Length; symbol++)
        {
            if (weights[symbol] > 0)
            {
                queue.Enqueue(symbol, (weights[symbol], symbol));
            }
        }

        if (queue.Count == 1)
        {
            lengths[queue.Dequeue()] = 1;
            return true;
        }

        int nodes = weights.Length;
        var parents = new int[weights.Length + queue.Count];
        while (queue.TryDequeue(out int left, out (long Weight, int) a) && queue.TryDequeue(out int right, out (long Weight, int) b))
        {
            (parents[left], parents[right]) = (nodes, nodes);
            queue.Enqueue(nodes, (a.Weight + b.Weight, nodes));
            nodes++;
        }

        var depths = new int[nodes];
        for (int node = nodes - 2; node >= 0; node--)
        {
            depths[node] = node >= weights.Length || weights[node] > 0 ? depths[parents[node]] + 1 : 0;
        }

        for (int symbol = 0; symbol < weights.Length; symbol++)
        {
            if (depths[symbol] > MaxLength)
            {
                return false;
            }

            lengths[symbol] = (byte)depths[symbol];
        }

        return true;
    }
}
