namespace AdmmKit.Engine;

/// <summary>
/// A few threads that share the numbered tasks of one job after another. Which thread runs a task is left to chance; a
/// task must therefore not depend on it, and none here does: every number is computed by one task, in one order.
/// </summary>
internal sealed class WorkPool : IDisposable
{
    // Between two layers of one step the next job comes within microseconds, so a worker looks for it before it sleeps.
    // With more threads than cores looking would only keep the others from working.
    private readonly int spinsBeforeSleep;

    private readonly Thread[] workers;
    private readonly Lock gate = new();
    private readonly object bed = new();
    private Action<int>? body;
    private int taskCount;
    private int done;
    private int sleeping;
    private volatile bool stopping;
    private Exception? failure;

    // Number of the job in the high half, next task in the low half: a thread that comes late cannot take a task of a
    // newer job for one of its own.
    private long ticket;

    public WorkPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        spinsBeforeSleep = threads <= Environment.ProcessorCount ? 2000 : 0;
        workers = new Thread[threads - 1];
        for (int i = 0; i < workers.Length; i++)
        {
            workers[i] = new Thread(Work) { IsBackground = true, Name = "AdmmKit worker" };
            workers[i].Start();
        }
    }

    public int Threads { get; }

    /// <summary>Runs body(0) .. body(tasks - 1) and returns when all are done. Throws what a task threw.</summary>
    public void Run(int tasks, Action<int> body)
    {
        if (workers.Length == 0 || tasks == 1)
        {
            for (int i = 0; i < tasks; i++)
            {
                body(i);
            }

            return;
        }

        lock (gate)
        {
            this.body = body;
            taskCount = tasks;
            done = 0;
            failure = null;
            long job = (ticket >> 32) + 1;
            Interlocked.Exchange(ref ticket, job << 32);
            WakeSleepers();
            Drain(job);
            var spinner = new SpinWait();
            while (Volatile.Read(ref done) < tasks)
            {
                spinner.SpinOnce(sleep1Threshold: -1);
            }

            if (failure is { } e)
            {
                System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e);
            }
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            stopping = true;
            taskCount = 0;
            Interlocked.Exchange(ref ticket, ((ticket >> 32) + 1) << 32);
            WakeSleepers();
        }

        foreach (Thread worker in workers)
        {
            worker.Join();
        }
    }

    private void WakeSleepers()
    {
        if (Volatile.Read(ref sleeping) > 0)
        {
            lock (bed)
            {
                Monitor.PulseAll(bed);
            }
        }
    }

    /// <summary>Takes tasks of one job until there are none left.</summary>
    private void Drain(long job)
    {
        while (true)
        {
            long next = Volatile.Read(ref ticket);
            if (next >> 32 != job || (int)next >= Volatile.Read(ref taskCount))
            {
                return;
            }

            if (Interlocked.CompareExchange(ref ticket, next + 1, next) != next)
            {
                continue;
            }

            // The job cannot end, nor its body change, before this task is counted as done.
            try
            {
                body!((int)next);
            }
#pragma warning disable CA1031 // Whatever a task throws is thrown again where the job was asked for.
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = e;
            }

            Interlocked.Increment(ref done);
        }
    }

    private void Work()
    {
        long seen = 0;
        while (!stopping)
        {
            for (int spins = 0; Volatile.Read(ref ticket) >> 32 == seen; spins++)
            {
                if (spins < spinsBeforeSleep)
                {
                    Thread.SpinWait(1);
                    continue;
                }

                lock (bed)
                {
                    // Counted first, looked second: a job announced in between is either seen here or wakes the sleeper.
                    Interlocked.Increment(ref sleeping);
                    while (Volatile.Read(ref ticket) >> 32 == seen)
                    {
                        Monitor.Wait(bed);
                    }

                    Interlocked.Decrement(ref sleeping);
                }
            }

            seen = Volatile.Read(ref ticket) >> 32;
            Drain(seen);
        }
    }
}
