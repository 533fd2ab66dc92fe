namespace AdmmKit.Hardware.Simulation;

/// <summary>
/// The clocks of all PEs within one group of output channels. Vectors are broadcast in order; a PE multiplies each with all vectors
/// of its own in that block, then takes the next. A vector can be sent when the one that is a FIFO's depth before it is used up
/// everywhere.
/// </summary>
internal sealed class ElementClocks
{
    private readonly int broadcastSize, ownSize;
    private readonly long[] time, usedUp;
    private readonly AccumulatorBanks[] banks;
    private long sent, vectors;

    /// <summary>Sets all clocks to zero.</summary>
    /// <param name="array">The array.</param>
    /// <param name="ownFilters">Whether each PE has its own filters; otherwise its own activations.</param>
    /// <param name="outputs">Rows and columns of the output.</param>
    public ElementClocks(PeArray array, bool ownFilters, (int Height, int Width) outputs)
    {
        (broadcastSize, ownSize) = ownFilters
            ? (array.ActivationVector, array.WeightVector) : (array.WeightVector, array.ActivationVector);
        (time, usedUp) = (new long[array.Elements], new long[array.FifoDepth]);
        banks = array.AccumulatorBanks == 0 ? []
            : [.. time.Select(_ => new AccumulatorBanks(array.AccumulatorBanks, array.BankQueue, outputs.Height, outputs.Width))];
    }

    /// <summary>Cycles that PEs waited for their banks, all PEs together.</summary>
    public long Conflicts { get; private set; }

    /// <summary>Cycles that PEs waited for a vector to be sent, all PEs together.</summary>
    public long FifoWaits { get; private set; }

    /// <summary>The cycle in which the last PE is done with the group.</summary>
    public long Finish()
    {
        for (int p = 0; p < banks.Length; p++)
        {
            long drained = Math.Max(time[p], banks[p].Drained);
            Conflicts += drained - time[p];
            time[p] = drained;
        }

        return time.Max();
    }

    /// <summary>Cycles that PEs wait at the end of the group, all PEs together.</summary>
    public long Idle(long finish) => time.Sum(t => finish - t);

    /// <summary>A block: its vectors are sent, and each PE multiplies them with its own.</summary>
    public void Block(OperandList broadcast, OperandList[] own)
    {
        int count = broadcast.Vectors(broadcastSize);
        if (banks.Length == 0 && usedUp.Length == 0)
        {
            for (int p = 0; p < time.Length; p++)
            {
                time[p] += (long)count * own[p].Vectors(ownSize);
            }

            return;
        }

        for (int v = 0; v < count; v++)
        {
            Send(broadcast.Span.Slice(v * broadcastSize, Math.Min(broadcastSize, broadcast.Count - (v * broadcastSize))), own);
        }
    }

    private void Send(ReadOnlySpan<Operand> vector, OperandList[] own)
    {
        int slot = usedUp.Length == 0 ? 0 : (int)(vectors % usedUp.Length);
        if (vectors >= usedUp.Length && usedUp.Length > 0)
        {
            sent = Math.Max(sent, usedUp[slot]);
        }

        long last = sent;
        for (int p = 0; p < time.Length; p++)
        {
            if (own[p].Count == 0)
            {
                continue;
            }

            FifoWaits += Math.Max(0, sent - time[p]);
            long start = Math.Max(sent, time[p]);
            time[p] = start + own[p].Vectors(ownSize);
            if (banks.Length > 0)
            {
                long unhindered = time[p];
                time[p] = banks[p].Multiply(vector, own[p].Span, ownSize, start);
                Conflicts += time[p] - unhindered;
            }

            last = Math.Max(last, time[p]);
        }

        vectors++;
        if (usedUp.Length > 0)
        {
            usedUp[slot] = last;
        }
    }
}

/// <summary>The accumulators of one PE: each bank adds one product a cycle, and a few can wait before it.</summary>
internal sealed class AccumulatorBanks(int banks, int queue, int height, int width)
{
    // The cycle in which a bank will have added all that was sent to it.
    private readonly long[] done = new long[banks];

    /// <summary>The cycle in which all banks are done.</summary>
    public long Drained { get; private set; }

    /// <summary>Multiplies a vector with all others, one of them a cycle or, where banks are behind, later.</summary>
    /// <returns>The cycle after the last one.</returns>
    public long Multiply(ReadOnlySpan<Operand> vector, ReadOnlySpan<Operand> others, int size, long start)
    {
        for (int from = 0; from < others.Length; from += size)
        {
            long latest = 0;
            foreach (Operand a in vector)
            {
                foreach (Operand b in others[from..Math.Min(from + size, others.Length)])
                {
                    if ((uint)(a.Row + b.Row) < (uint)height && (uint)(a.Column + b.Column) < (uint)width)
                    {
                        ref long bank = ref done[(a.Address + b.Address) & (banks - 1)];
                        bank = Math.Max(bank, start) + 1;
                        latest = Math.Max(latest, bank);
                    }
                }
            }

            Drained = Math.Max(Drained, latest);
            start = Math.Max(start + 1, latest - queue);
        }

        return start;
    }
}
