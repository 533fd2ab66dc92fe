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
/// Writes a stream of operands as an array stores it: without its zeros, and with a placeholder in the place of each 2^b-th zero of a
/// run. Zeros after the last operand take nothing: it is known how many there are.
/// </summary>
/// <param name="skipsZeros">Whether zeros are left out at all.</param>
/// <param name="indexBits">Bits b of the zero-run index.</param>
internal sealed class OperandWriter(bool skipsZeros, int indexBits)
{
    private Operand[] items = new Operand[64];
    private int start, count, needed, nonZero, run, left;

    /// <summary>All that was written and kept.</summary>
    public Operand[] Items => items;

    /// <summary>Begins a stream, whose index starts anew.</summary>
    /// <param name="survivors">
    /// Operands in it that are not zero: no placeholder comes after the last one. A stream of one block may give any larger number.
    /// </param>
    public void BeginStream(int survivors) => (run, left) = (0, survivors);

    /// <summary>Begins a block of the stream.</summary>
    /// <param name="keep">Whether the blocks written so far are still needed.</param>
    public void BeginBlock(bool keep)
    {
        (start, nonZero) = (keep ? count : 0, 0);
        (count, needed) = (start, start);
    }

    public void Add(bool isSet, Operand operand)
    {
        if (isSet)
        {
            Append(operand);
            (run, left, needed, nonZero) = (0, left - 1, count, nonZero + 1);
        }
        else if (!skipsZeros)
        {
            Append(Operand.Zero);
            needed = count;
        }
        else if (++run == 1 << indexBits && left > 0)
        {
            Append(Operand.Zero);
            run = 0;
        }
    }

    /// <summary>
    /// The block. Its items are valid until the next one begins, unless that one keeps them: then <see cref="Items"/> has them.
    /// </summary>
    /// <param name="endsStream">Whether the stream ends with it, so that placeholders at its end lead to nothing.</param>
    public OperandList End(bool endsStream)
    {
        count = endsStream ? needed : count;
        return new(items, start, count - start, nonZero);
    }

    private void Append(Operand operand)
    {
        if (count == items.Length)
        {
            Array.Resize(ref items, 2 * count);
        }

        items[count++] = operand;
    }
}
