using System.Text;
using AdmmKit.Jupyter.Cells;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>The console of cells: what they write goes to the running cell's output, in order with its displays.</summary>
internal sealed class CellConsole(bool isError) : TextWriter
{
    private static readonly TextWriter Out = new CellConsole(false);
    private static readonly TextWriter Err = new CellConsole(true);

    public override Encoding Encoding => Encoding.UTF8;

    /// <summary>Runs something with the console of cells in place of the process's.</summary>
    public static void Run(ICellOutput output, Action action)
    {
        (TextWriter usualOut, TextWriter usualError) = (Console.Out, Console.Error);
        Console.SetOut(Out);
        Console.SetError(Err);
        CellFunctions.Output = output;
        try
        {
            action();
        }
        finally
        {
            CellFunctions.Output = null;
            Console.SetOut(usualOut);
            Console.SetError(usualError);
        }
    }

    public override void Write(char value) => CellFunctions.Output?.Stream(isError, value.ToString());

    public override void Write(string? value) => CellFunctions.Output?.Stream(isError, value ?? "");

    public override void Write(char[] buffer, int index, int count) => CellFunctions.Output?.Stream(isError, new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => CellFunctions.Output?.Stream(isError, buffer.ToString());

    public override void WriteLine() => Write('\n');

    public override void WriteLine(string? value) => Write(value + "\n");
}
