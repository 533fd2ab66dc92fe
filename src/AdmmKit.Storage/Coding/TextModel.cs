using System.Text;

namespace AdmmKit.Storage.Coding;

/// <summary>
/// Text by what stood before: each bit of a byte is foreseen from the one, two and four bytes before it. A sample of the text that
/// <see cref="Networks.NetworkJson"/> writes is learned first, so that the words of a graph cost little from the start.
/// </summary>
internal sealed class TextModel
{
    // A part of the file's layout: not to be changed with the text that is written.
    private const string Sample = """
        "input":[3,32,32],"steps":[
        {"step":"standardize","means":[0.5,0.5,0.5],"deviations":[0.5,0.5,0.5]},
        {"step":"convolution","name":"conv1","filters":16,"kernel":3,"padding":1,"biased":false},
        {"step":"batchNorm","name":"bn1"},
        {"step":"relu"},
        {"step":"maxPool","window":3,"stride":2,"padding":1},
        {"step":"convolution","name":"layer1.0.conv1","filters":32,"kernel":3,"stride":2,"padding":1,"groups":32,"biased":false},
        {"step":"batchNorm","name":"layer1.0.bn1"},
        {"step":"relu"},
        {"step":"convolution","name":"layer1.0.conv2","filters":64,"kernel":1,"biased":false},
        {"step":"batchNorm","name":"layer1.0.bn2"},
        {"step":"add","from":[10,3]},
        {"step":"relu"},
        {"step":"concat","from":[12,10]},
        {"step":"averagePool","window":2},
        {"step":"globalAveragePool"},
        {"step":"looseNormalization","name":"bn","channels":16},
        {"step":"looseLayer","name":"conv","kind":"convolution","rows":16,"inputChannels":3,"kernelHeight":3,"kernelWidth":3,"macs":1000},
        {"step":"looseLayer","name":"fc","kind":"fullyConnected","rows":10,"inputChannels":64,"kernelHeight":1,"kernelWidth":1,"macs":640},
        {"step":"fullyConnected","name":"fc1","outputs":120},
        {"step":"dropout","rate":0.5},
        {"step":"fullyConnected","name":"fc2","outputs":10}]}
        """;

    private const int Orders = 3;
    private const int SlotBits = 16;
    private const int Memory = 60;

    // By the bits of the byte so far and a hash of the bytes before it. Texts are short: few share a slot.
    private readonly AdaptiveBit[][] slots = [.. Enumerable.Range(0, Orders).Select(_ => new AdaptiveBit[1 << SlotBits])];
    private readonly Mixer mixer = new([14_000, 28_000, 40_000], 2);
    private uint before;

    public TextModel()
    {
        foreach (AdaptiveBit[] order in slots)
        {
            Array.Fill(order, new AdaptiveBit(Logistic.One / 2));
        }

        var sample = new BitMeter();
        foreach (byte b in Encoding.UTF8.GetBytes(Sample.ReplaceLineEndings("\n")))
        {
            Byte(sample, b);
        }
    }

    /// <summary>Codes a text, one byte after the other, and that it ends.</summary>
    /// <param name="coder">The coder.</param>
    /// <param name="given">The text, without the character of number 0; a decoder ignores it.</param>
    /// <param name="maxBytes">Bytes that a text may have.</param>
    /// <exception cref="BadFileException">It is longer, or not UTF-8.</exception>
    public string Code(BitCoder coder, string? given, int maxBytes)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(given ?? "");
        var text = new List<byte>();
        while (true)
        {
            byte next = Byte(coder, text.Count < bytes.Length ? bytes[text.Count] : (byte)0);
            if (next == 0)
            {
                break;
            }

            text.Add(next);
            if (text.Count > maxBytes)
            {
                throw new BadFileException(FormattableString.Invariant($"it holds a text of more than {maxBytes} bytes"));
            }
        }

        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. text]);
        }
        catch (ArgumentException e)
        {
            throw new BadFileException("it holds a text that is not UTF-8", e);
        }
    }

    private byte Byte(BitCoder coder, byte value)
    {
        Span<int> inputs = mixer.Inputs;
        Span<uint> contexts = [before & 0xFF, (before & 0xFFFF) + (1U << 24), before * 2654435761U];
        Span<int> places = stackalloc int[Orders];
        uint node = 1;
        for (int i = 7; i >= 0; i--)
        {
            for (int order = 0; order < Orders; order++)
            {
                places[order] = (int)(((contexts[order] * 0x9E3779B1U) ^ (node * 0x85EBCA6BU)) >> (32 - SlotBits));
                inputs[order] = Logistic.Stretch(slots[order][places[order]].Probability);
            }

            bool bit = coder.Bit(((value >> i) & 1) != 0, mixer.Predict());
            mixer.Learn(bit);
            for (int order = 0; order < Orders; order++)
            {
                slots[order][places[order]].Learn(bit, Memory);
            }

            node = (node << 1) | (bit ? 1U : 0);
        }

        before = (before << 8) | (node & 0xFF);
        return (byte)node;
    }
}
