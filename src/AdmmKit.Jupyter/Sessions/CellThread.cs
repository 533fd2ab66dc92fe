using System.Runtime;
using System.Runtime.ExceptionServices;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>
/// Runs a cell on a thread of its own, and stops it if it has to be: a loop is aborted, a wait is interrupted. What swallows
/// both (a loop in a catch block, one in an F# module's initialization, native code) is given up after a while.
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
        using var abort = new CancellationTokenSource();
        using var ended = new ManualResetEventSlim();
        Exception? failure = null;
        (bool completed, bool stopped) = (false, false);
        var thread = new Thread(() =>
        {
            try
            {
                Aborting(action, abort.Token);
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
            stopped = true;
            if (!Stop(thread, abort, ended))
            {
                return CellEnd.Lost;
            }
        }

        if (completed)
        {
            return CellEnd.Succeeded;
        }

        // A wait that the cell does itself may see the stop before this one.
        stopped |= stop.IsCancellationRequested;
        if (!stopped && failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return CellEnd.Stopped;
    }

#pragma warning disable SYSLIB0046 // Aborting may leave what the cell was writing half changed; a cell that never ends is worse.
    private static void Aborting(Action action, CancellationToken abort) => ControlledExecution.Run(action, abort);
#pragma warning restore SYSLIB0046

    private static bool Stop(Thread thread, CancellationTokenSource abort, ManualResetEventSlim ended)
    {
        // The abort waits until the thread can be aborted, which may be never.
        _ = Task.Run(abort.Cancel);
        for (DateTime until = DateTime.UtcNow + Patience; DateTime.UtcNow < until;)
        {
            thread.Interrupt();
            if (ended.Wait(100))
            {
                return true;
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
