namespace AdmmKit.Engine.Sparse;

/// <summary>
/// One call that several threads share block by block: the caller and helpers of the runtime's thread pool. The caller never waits
/// for a helper that has not begun; such a one finds nothing to do, or helps with a later call that uses this object.
/// </summary>
internal sealed class SparseJob(SparseNetwork network) : IThreadPoolWorkItem
{
    private SparseRequest request;
    private int done;
    private int queued;

    // Number of the call in the high half, blocks not yet taken in the low half: a thread that comes late cannot take a block of
    // a newer call for one of an older.
    private ulong ticket;

    /// <summary>Computes all blocks and returns when they are done.</summary>
    public void Run(in SparseRequest request, int blocks, int threads, SparseNetwork.Scratch scratch)
    {
        this.request = request;
        Volatile.Write(ref done, 0);
        uint call = (uint)(Volatile.Read(ref ticket) >> 32) + 1;
        Interlocked.Exchange(ref ticket, ((ulong)call << 32) | (uint)blocks);
        // Helpers of earlier calls that have not begun will help with this one, so that the queue does not grow on a busy machine.
        for (int helper = 1 + Volatile.Read(ref queued); helper < threads; helper++)
        {
            Interlocked.Increment(ref queued);
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        Drain(scratch);
        var spinner = new SpinWait();
        while (Volatile.Read(ref done) < blocks)
        {
            spinner.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>What a helper does.</summary>
    public void Execute()
    {
        Interlocked.Decrement(ref queued);
        if ((uint)Volatile.Read(ref ticket) == 0)
        {
            return;
        }

        SparseNetwork.Scratch scratch;
        try
        {
            scratch = network.Rent();
        }
        catch (OutOfMemoryException)
        {
            // The caller has its own and does all the work.
            return;
        }

        Drain(scratch);
        network.Return(scratch);
    }

    /// <summary>Takes blocks until there are none left.</summary>
    private void Drain(SparseNetwork.Scratch scratch)
    {
        while (true)
        {
            ulong seen = Volatile.Read(ref ticket);
            int left = (int)(uint)seen;
            if (left == 0)
            {
                return;
            }

            if (Interlocked.CompareExchange(ref ticket, seen - 1, seen) == seen)
            {
                // The call cannot end, nor its request change, before this block is counted as done.
                network.RunBlock(request, left - 1, scratch);
                Interlocked.Increment(ref done);
            }
        }
    }
}
