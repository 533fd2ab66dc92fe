using System.Globalization;
using AdmmKit.Jupyter.Cells;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>Lets the threads of a cell put out one after another, no more than a notebook can hold, and nothing once it is stopped.</summary>
internal sealed class GuardedOutput(ICellOutput inner) : ICellOutput
{
    /// <summary>Characters of console output a cell; a loop that prints fills a notebook, and the viewer's memory, in seconds.</summary>
    public const int MaxStream = 1_000_000;

    /// <summary>Displays a cell, updates not counted.</summary>
    public const int MaxDisplays = 1_000;

    private readonly Lock gate = new();

    private long streamed;
    private int displayed;
    private bool closed;

    public void Stream(bool isError, string text)
    {
        CellStop.ThrowIfStopped();
        lock (gate)
        {
            if (closed || text.Length == 0 || streamed > MaxStream)
            {
                return;
            }

            long room = MaxStream - streamed;
            streamed += text.Length;
            inner.Stream(isError, text.Length <= room ? text : text[..(int)room] + string.Create(
                CultureInfo.InvariantCulture, $"\n[cut: a cell shows at most {MaxStream:#,0} characters of console output]\n"));
        }
    }

    public void Display(MimeBundle bundle, string? displayId)
    {
        CellStop.ThrowIfStopped();
        lock (gate)
        {
            if (closed || displayed > MaxDisplays)
            {
                return;
            }

            if (displayed++ == MaxDisplays)
            {
                inner.Stream(true, string.Create(CultureInfo.InvariantCulture, $"[cut: a cell shows at most {MaxDisplays:#,0} displays; update one instead]\n"));
                return;
            }

            inner.Display(bundle, displayId);
        }
    }

    public void Update(MimeBundle bundle, string displayId)
    {
        CellStop.ThrowIfStopped();
        Locked(() => inner.Update(bundle, displayId));
    }

    public void Result(MimeBundle bundle) => Locked(() => inner.Result(bundle));

    public void Error(CellError error) => Locked(() => inner.Error(error));

    /// <summary>What a thread that the cell left behind puts out from now on goes nowhere.</summary>
    public void Close() => Locked(() => closed = true);

    private void Locked(Action action)
    {
        lock (gate)
        {
            if (!closed)
            {
                action();
            }
        }
    }
}
