namespace AdmmKit.Storage.Coding;

/// <summary>
/// Probabilities in 1/65,536 and their log odds in 1/256 nat. The tables are made by whole numbers alone, so that every machine
/// has the same ones.
/// </summary>
internal static class Logistic
{
    /// <summary>Bits of a probability.</summary>
    public const int ProbabilityBits = 16;

    /// <summary>Certainty, which no probability reaches.</summary>
    public const int One = 1 << ProbabilityBits;

    /// <summary>The least probability of either value: nothing costs more than 11 bits, and nothing is free.</summary>
    public const int Least = 32;

    /// <summary>Log odds lie between plus and minus this: 10 nats.</summary>
    public const int MaxOdds = (10 * 256) - 1;

    // e^(1/256) in 1/2^32.
    private const ulong Step = 4_311_777_104;

    private static readonly ushort[] SquashTable = BuildSquash();
    private static readonly short[] StretchTable = BuildStretch();
    private static readonly float[] CostTable = BuildCost();

    /// <summary>The probability with these log odds.</summary>
    public static int Squash(int odds) => SquashTable[Math.Clamp(odds, -MaxOdds, MaxOdds) + MaxOdds];

    /// <summary>The log odds of a probability.</summary>
    public static int Stretch(int probability) => StretchTable[Math.Clamp(probability, Least, One - Least)];

    /// <summary>What a value of that probability costs, in bits. For sizes that are shown, never for coding.</summary>
    public static double Bits(int probability) => CostTable[probability];

    private static ushort[] BuildSquash()
    {
        var table = new ushort[(2 * MaxOdds) + 1];
        UInt128 odds = UInt128.One << 32;
        for (int x = 0; x <= MaxOdds; x++)
        {
            int p = Math.Clamp((int)((odds << ProbabilityBits) / (odds + (UInt128.One << 32))), Least, One - Least);
            (table[MaxOdds + x], table[MaxOdds - x]) = ((ushort)p, (ushort)(One - p));
            odds = (odds * Step) >> 32;
        }

        return table;
    }

    private static short[] BuildStretch()
    {
        // The least log odds whose probability is not below.
        var table = new short[One];
        int x = -MaxOdds;
        for (int p = 0; p < One; p++)
        {
            while (x < MaxOdds && SquashTable[x + MaxOdds] < p)
            {
                x++;
            }

            table[p] = (short)x;
        }

        return table;
    }

    private static float[] BuildCost()
    {
        var table = new float[One + 1];
        for (int p = 0; p <= One; p++)
        {
            table[p] = (float)-Math.Log2(Math.Max(p, 0.5) / One);
        }

        return table;
    }
}
