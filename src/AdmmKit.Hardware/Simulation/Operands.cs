namespace AdmmKit.Hardware.Simulation;

/// <summary>
/// A stored weight or activation. The sums of a weight's and an activation's row, column and address are those of the output that
/// their product belongs to; a stored zero has a row that no sum brings back into the plane.
/// </summary>
internal readonly record struct Operand(short Row, short Column, int Address)
{
    public static readonly Operand Zero = new(short.MinValue, 0, 0);
}

/// <summary>Stored operands of one block: an input channel, and a phase of the stride.</summary>
/// <param name="Items">Where they are.</param>
/// <param name="Start">The first of them.</param>
/// <param name="Count">How many, stored zeros included.</param>
/// <param name="NonZero">How many of them are not zero.</param>
internal readonly record struct OperandList(Operand[] Items, int Start, int Count, int NonZero)
{
    public ReadOnlySpan<Operand> Span => Items.AsSpan(Start, Count);

    /// <summary>Vectors that they fill, the last one perhaps in part.</summary>
    public int Vectors(int size) => (Count + size - 1) / size;
}

/// <summary>
/// Writes a stream of operands as an array stores it: without its zeros, and with a placeholder for each 2^b zeros of a run. Zeros
/// after the last operand take nothing, as blocks know how many they hold.
/// </summary>
/// <param name="skipsZeros">Whether zeros are left out at all.</param>
/// <param name="indexBits">Bits b of the zero-run index.</param>
internal sealed class OperandWriter(bool skipsZeros, int indexBits)
{
    private Operand[] items = new Operand[64];
    private int start, count, nonZero, run;

    /// <summary>Begins a block.</summary>
    /// <param name="newRun">Whether the index starts anew; otherwise the run of zeros before the block goes on.</param>
    /// <param name="keep">Whether the blocks written so far are still needed.</param>
    public void Begin(bool newRun, bool keep)
    {
        (start, nonZero) = (keep ? count : 0, 0);
        count = start;
        run = newRun ? 0 : run;
    }

    public void Add(bool isSet, Operand operand)
    {
        if (!isSet)
        {
            run++;
            if (!skipsZeros)
            {
                Append(Operand.Zero);
            }

            return;
        }

        for (int placeholders = skipsZeros ? run >> indexBits : 0; placeholders > 0; placeholders--)
        {
            Append(Operand.Zero);
        }

        Append(operand);
        (run, nonZero) = (0, nonZero + 1);
    }

    /// <summary>The block. Its items are valid until the next one begins, unless that one keeps them: then <see cref="Items"/> has them.</summary>
    public OperandList End() => new(items, start, count - start, nonZero);

    /// <summary>All that was written and kept.</summary>
    public Operand[] Items => items;

    private void Append(Operand operand)
    {
        if (count == items.Length)
        {
            Array.Resize(ref items, 2 * count);
        }

        items[count++] = operand;
    }
}
