using System.Runtime.ExceptionServices;
using AdmmKit.Jupyter.Cells;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>
/// Runs a cell on a thread of its own, and stops it if it has to be: by <see cref="CellStop"/>, and a wait by an interrupt. What sees
/// neither (a long call of a library, an F# loop that says nothing, native code) is given up after a while; to abort it could
/// take the process with it.
/// </summary>
internal static class CellThread
{
    // As deep as recursion in a program's main thread may go, and some more.
    private const int StackBytes = 16 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Runs it; comes back when it has ended, or after <paramref name="stop"/> and three more seconds.</summary>
    /// <param name="action">What to run.</param>
    /// <param name="stop">Stops it.</param>
    /// <returns>Whether it ended by itself, was stopped, or still runs. What it threw itself comes through.</returns>
    public static CellEnd Run(Action action, CancellationToken stop)
    {
        if (stop.IsCancellationRequested)
        {
            return CellEnd.Stopped;
        }

        using var ended = new ManualResetEventSlim();
        Exception? failure = null;
        bool completed = false;
        var thread = new Thread(() =>
        {
            try
            {
                CellStop.Begin(stop);
                action();
                completed = true;
            }
            catch (Exception e)
            {
                failure = e;
            }

            Signal(ended);
        }, StackBytes)
        { IsBackground = true, Name = "cell" };
        thread.Start();
        try
        {
            ended.Wait(stop);
        }
        catch (OperationCanceledException)
        {
            if (!Stop(thread, ended))
            {
                return CellEnd.Lost;
            }
        }

        if (completed)
        {
            return CellEnd.Succeeded;
        }

        if (!stop.IsCancellationRequested && failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return CellEnd.Stopped;
    }

    private static bool Stop(Thread thread, ManualResetEventSlim ended)
    {
        for (DateTime until = DateTime.UtcNow + Patience; DateTime.UtcNow < until;)
        {
            if (ended.Wait(100))
            {
                return true;
            }

            // One that works sees the stop by itself, and should not meet an interrupt in a lock later.
            if ((thread.ThreadState & ThreadState.WaitSleepJoin) != 0)
            {
                thread.Interrupt();
            }
        }

        return false;
    }

    private static void Signal(ManualResetEventSlim ended)
    {
        try
        {
            ended.Set();
        }
        catch (Exception e) when (e is ThreadInterruptedException or ObjectDisposedException)
        {
            // Interrupted on the very way out: once more; or nobody waits any longer.
            if (e is ThreadInterruptedException)
            {
                ended.Set();
            }
        }
    }
}
