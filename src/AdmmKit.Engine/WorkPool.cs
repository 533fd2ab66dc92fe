namespace AdmmKit.Engine;

/// <summary>
/// A few threads that share the numbered tasks of one job after another. Which thread runs a task is left to chance; a
/// task must therefore not depend on it, and none here does: every number is computed by one task, in one order.
/// </summary>
internal sealed class WorkPool : IDisposable
{
    // Between two layers of one step the next job comes within microseconds, so a worker looks for it before it sleeps; and for
    // long, because a thread that is woken often may be put on the core of the one that woke it.
    // With more threads than cores looking would only keep the others from working.
    private readonly int spinsBeforeSleep;

    private readonly Thread[] workers;
    private readonly Lock gate = new();
    private readonly object bed = new();
    private Action<int>? body;
    private int done;
    private int sleeping;
    private volatile bool stopping;
    private Exception? failure;

    // Number of the job in the high half, tasks not yet taken in the low half. One word holds both, so that a thread that
    // comes late can neither take a task of a newer job nor believe that an older one has tasks left.
    private ulong ticket;

    public WorkPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        spinsBeforeSleep = threads <= Environment.ProcessorCount ? 20000 : 0;
        workers = new Thread[threads - 1];
        for (int i = 0; i < workers.Length; i++)
        {
            int worker = i + 1;
            workers[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = "AdmmKit worker" };
            workers[i].Start();
        }
    }

    public int Threads { get; }

    /// <summary>Number of the thread within its pool; 0 for every thread that gives a pool its jobs.</summary>
    [field: ThreadStatic]
    public static int Worker { get; private set; }

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
            done = 0;
            failure = null;
            uint job = Announce(tasks);
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
            Announce(0);
        }

        foreach (Thread worker in workers)
        {
            worker.Join();
        }
    }

    /// <summary>Publishes a job of so many tasks under the next number and wakes who sleeps.</summary>
    private uint Announce(int tasks)
    {
        uint job = JobOf(Volatile.Read(ref ticket)) + 1;
        Interlocked.Exchange(ref ticket, ((ulong)job << 32) | (uint)tasks);
        if (Volatile.Read(ref sleeping) > 0)
        {
            lock (bed)
            {
                Monitor.PulseAll(bed);
            }
        }

        return job;
    }

    private static uint JobOf(ulong ticket) => (uint)(ticket >> 32);

    /// <summary>Takes tasks of one job, from the last to the first, until there are none left.</summary>
    private void Drain(uint job)
    {
        while (true)
        {
            ulong seen = Volatile.Read(ref ticket);
            int left = (int)(uint)seen;
            if (JobOf(seen) != job || left == 0)
            {
                return;
            }

            if (Interlocked.CompareExchange(ref ticket, seen - 1, seen) != seen)
            {
                continue;
            }

            // The job cannot end, nor its body change, before this task is counted as done.
            try
            {
                body!(left - 1);
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

    private void Work(int worker)
    {
        Worker = worker;
        uint seen = 0;
        while (!stopping)
        {
            for (int spins = 0; JobOf(Volatile.Read(ref ticket)) == seen; spins++)
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
                    while (JobOf(Volatile.Read(ref ticket)) == seen)
                    {
                        Monitor.Wait(bed);
                    }

                    Interlocked.Decrement(ref sleeping);
                }
            }

            seen = JobOf(Volatile.Read(ref ticket));
            Drain(seen);
        }
    }
}
