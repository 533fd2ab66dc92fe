using AdmmKit.Jupyter.Sessions;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Tests.Kernel;

/// <summary>A session whose cells are a word each, so that the protocol is tested without compilers.</summary>
internal sealed class FakeSession : ICellSession
{
    public bool IsDisposed { get; private set; }

    public CellEnd Execute(string source, CellLanguage language, ICellOutput output, CancellationToken stop)
    {
        switch (source)
        {
            case "everything":
                output.Stream(false, "one ");
                output.Stream(false, "two\n");
                output.Stream(true, "wrong\n");
                output.Display(Bundle("first"), "d1");
                output.Update(Bundle("second"), "d1");
                output.Stream(false, "three\n");
                output.Result(Bundle("42"));
                return CellEnd.Succeeded;
            case "fail":
                output.Error(new CellError("DivideByZeroException", "nothing \u001b[31m<b>", ["line 1", "line 2"], 1));
                return CellEnd.Failed;
            case "wait":
                output.Stream(false, "waiting");
                stop.WaitHandle.WaitOne(TimeSpan.FromSeconds(20));
                return CellEnd.Stopped;
            case "stuck":
                output.Stream(false, "waiting");
                stop.WaitHandle.WaitOne(TimeSpan.FromSeconds(20));
                return CellEnd.Lost;
            case "break":
                throw new InvalidOperationException("the session itself is broken");
            case "lines":
                for (int i = 0; i < 50_000; i++)
                {
                    output.Stream(false, "a short line\n");
                }

                return CellEnd.Succeeded;
            case "updates":
                output.Display(Bundle("0"), "d1");
                for (int i = 1; i <= 30_000; i++)
                {
                    output.Update(Bundle($"{i}"), "d1");
                }

                return CellEnd.Succeeded;
            case "stopped?":
                return stop.IsCancellationRequested ? CellEnd.Stopped : CellEnd.Succeeded;
            case "often":
                // Writes again before the gathering of text is over, for longer than the test waits.
                while (!stop.WaitHandle.WaitOne(10))
                {
                    output.Stream(false, ".");
                }

                return CellEnd.Stopped;
            case "pairs":
                for (int i = 0; i < 40_000; i++)
                {
                    output.Stream(false, "😀"[i % 2].ToString());
                }

                output.Stream(false, "\ud83d");
                return CellEnd.Succeeded;
            case "broken json":
                var data = new Dictionary<string, string> { [MimeTypes.Plotly] = "{", [MimeTypes.Text] = "text" };
                output.Display(new MimeBundle(data), null);
                return CellEnd.Succeeded;
            default:
                output.Result(Bundle(language + ":" + source));
                return CellEnd.Succeeded;
        }
    }

    public Completion Complete(string source, int position, CellLanguage language) => new(["Console", "Convert"], position - 2, position);

    public MimeBundle? Inspect(string source, int position, CellLanguage language) =>
        source == "unknown" ? null : Bundle($"{source[..position]}|{source[position..]}");

    public Completeness Check(string source, CellLanguage language) => source switch
    {
        "if (" => Completeness.Incomplete,
        ")" => Completeness.Invalid,
        _ => Completeness.Complete,
    };

    public void Dispose() => IsDisposed = true;

    private static MimeBundle Bundle(string text) => new(new Dictionary<string, string>
    {
        [MimeTypes.Text] = text,
        [MimeTypes.Plotly] = """{"data":[],"layout":{}}""",
    });
}
