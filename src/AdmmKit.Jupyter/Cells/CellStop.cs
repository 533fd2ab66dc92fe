using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace AdmmKit.Jupyter.Cells;

/// <summary>
/// Stops cells from within: C# cells are compiled with calls of these in their loops, functions and awaits, and output asks, too.
/// Nothing is aborted, so that neither the process nor the variables are harmed.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class CellStop
{
    // Flows into the tasks and threads that a cell starts, and not into those of other cells.
    private static readonly AsyncLocal<CancellationToken> Token = new();

    // What a loop can afford to look at.
    private static volatile bool isRequested;

    // A thread or timer that a stopped cell left behind ends by the same exception, and may not take the process with it.
    static CellStop()
    {
        try
        {
            ExceptionHandling.SetUnhandledExceptionHandler(e => e is OperationCanceledException { CancellationToken.IsCancellationRequested: true });
        }
        catch (InvalidOperationException)
        {
            // The program around has its own, and there is only one.
        }
    }

    /// <summary>Ends the cell here if it has been stopped.</summary>
    /// <exception cref="OperationCanceledException">It has.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Check()
    {
        if (isRequested)
        {
            ThrowIfStopped();
        }
    }

    /// <summary>What a cell awaits, or its stop, whichever comes first.</summary>
    /// <param name="task">What it awaits.</param>
    public static Task Await(Task task) => task?.WaitAsync(Token.Value)!;

    /// <inheritdoc cref="Await(Task)"/>
    public static Task<T> Await<T>(Task<T> task) => task?.WaitAsync(Token.Value)!;

    /// <summary>Something else that a cell awaits: as it is.</summary>
    /// <param name="awaitable">It.</param>
    public static T Await<T>(T awaitable) => awaitable;

    /// <summary>From here on, this thread and what it starts is a cell's.</summary>
    internal static void Begin(CancellationToken stop)
    {
        isRequested = false;
        Token.Value = stop;
        stop.Register(() => isRequested = true);
    }

    /// <summary>As <see cref="Check"/>; knows also an earlier cell that was stopped.</summary>
    internal static void ThrowIfStopped() => Token.Value.ThrowIfCancellationRequested();
}
