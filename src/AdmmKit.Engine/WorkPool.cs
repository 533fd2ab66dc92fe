namespace AdmmKit.Engine;

/// <summary>
/// A few threads that share the numbered tasks of one job after another. Which thread runs a task is left to chance; a
/// task must therefore not depend on it, and none here does: every number is computed by one task, in one order.
/// </summary>
internal sealed class WorkPool : IDisposable
{
    // Between two layers of one step the next job comes within microseconds, so a worker looks for it before it sleeps.
    private const int SpinsBeforeSleep = 2000;

    private readonly Thread[] workers;
    private readonly Lock gate = new();
    private readonly object bed = new();
    private Action<int>? body;
    private int taskCount;
    private int nextTask;
    private int running;
    private int jobNumber;
    private int sleeping;
    private volatile bool stopping;
    private Exception? failure;

    public WorkPool(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
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
            nextTask = 0;
            failure = null;
            Volatile.Write(ref running, workers.Length);
            Interlocked.Increment(ref jobNumber);
            WakeSleepers();
            Drain();
            var spinner = new SpinWait();
            while (Volatile.Read(ref running) > 0)
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
        stopping = true;
        Interlocked.Increment(ref jobNumber);
        WakeSleepers();
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

    private void Drain()
    {
        Action<int> job = body!;
        int task;
        while ((task = Interlocked.Increment(ref nextTask) - 1) < taskCount)
        {
            try
            {
                job(task);
            }
#pragma warning disable CA1031 // Whatever a task throws is thrown again where the job was asked for.
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = e;
                Volatile.Write(ref nextTask, taskCount);
            }
        }
    }

    private void Work()
    {
        int seen = 0;
        while (true)
        {
            int spins = 0;
            while (Volatile.Read(ref jobNumber) == seen)
            {
                if (++spins < SpinsBeforeSleep)
                {
                    Thread.SpinWait(1);
                    continue;
                }

                lock (bed)
                {
                    // Counted first, looked second: a job announced in between is either seen here or wakes the sleeper.
                    Interlocked.Increment(ref sleeping);
                    while (Volatile.Read(ref jobNumber) == seen)
                    {
                        Monitor.Wait(bed);
                    }

                    Interlocked.Decrement(ref sleeping);
                }
            }

            if (stopping)
            {
                return;
            }

            // Every worker reports back from every job before the next is announced, so none is ever skipped.
            seen = Volatile.Read(ref jobNumber);
            Drain();
            Interlocked.Decrement(ref running);
        }
    }
}
