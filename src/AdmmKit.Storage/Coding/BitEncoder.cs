using System.Runtime.InteropServices;

namespace AdmmKit.Storage.Coding;

/// <summary>
/// A binary arithmetic encoder. The code is a number in [0, 1) that is written byte by byte; each bit narrows the interval in
/// which it lies. The end takes the shortest number that lies in the last interval.
/// </summary>
internal sealed class BitEncoder : BitCoder
{
    internal const uint Full = uint.MaxValue;
    internal const int TopShift = 24;

    private readonly List<byte> bytes = [];
    private ulong low;
    private uint range = Full;

    public override bool IsDecoder => false;

    public override bool Bit(bool bit, int probability)
    {
        uint bound = (uint)(((ulong)range * (uint)probability) >> Logistic.ProbabilityBits);
        if (bit)
        {
            range = bound;
        }
        else
        {
            low += bound;
            range -= bound;
        }

        Cost += Logistic.Bits(bit ? probability : Logistic.One - probability);
        Shift();
        return bit;
    }

    public override uint Plain(uint value, int count)
    {
        for (int rest = count; rest > 0;)
        {
            int part = Math.Min(rest, 8);
            rest -= part;
            range >>= part;
            low += (ulong)range * ((value >> rest) & ((1U << part) - 1));
            Shift();
        }

        Cost += count;
        return value;
    }

    /// <summary>Ends the code; what follows its last byte counts as zeros.</summary>
    public byte[] Finish()
    {
        if (low == 0)
        {
            return [.. bytes];
        }

        if (low + range > 1UL << 32)
        {
            low = 1UL << 32;
            Carry();
            return [.. bytes];
        }

        low += (1U << TopShift) - 1;
        Carry();
        bytes.Add((byte)(low >> TopShift));
        return [.. bytes];
    }

    private void Shift()
    {
        Carry();
        while (range < 1U << TopShift)
        {
            bytes.Add((byte)(low >> TopShift));
            low = (low << 8) & Full;
            range <<= 8;
        }
    }

    private void Carry()
    {
        if (low > Full)
        {
            low &= Full;
            Span<byte> written = CollectionsMarshal.AsSpan(bytes);
            for (int i = written.Length - 1; ++written[i] == 0; i--)
            {
            }
        }
    }
}
