using System.Text;
using AdmmKit.Jupyter.Sessions;
using AdmmKit.Notebooks;

namespace AdmmKit.Jupyter.Tests.Sessions;

/// <summary>Keeps what a cell puts out.</summary>
internal sealed class Recorder : ICellOutput
{
    public StringBuilder Out { get; } = new();

    public StringBuilder Err { get; } = new();

    /// <summary>All kinds in order, in short.</summary>
    public List<string> Log { get; } = [];

    public List<(MimeBundle Bundle, string? Id)> Displays { get; } = [];

    public Dictionary<string, MimeBundle> Updates { get; } = [];

    public MimeBundle? Value { get; private set; }

    public CellError? Failure { get; private set; }

    /// <summary>The value as text.</summary>
    public string? Text => Value?.Data[MimeTypes.Text];

    public void Stream(bool isError, string text)
    {
        (isError ? Err : Out).Append(text);
        string kind = isError ? "err:" : "out:";
        if (Log.Count > 0 && Log[^1].StartsWith(kind, StringComparison.Ordinal))
        {
            Log[^1] = (Log[^1] + text).TrimEnd('\n');
        }
        else
        {
            Log.Add((kind + text).TrimEnd('\n'));
        }
    }

    public void Display(MimeBundle bundle, string? displayId)
    {
        Displays.Add((bundle, displayId));
        Log.Add("display:" + bundle.Data[MimeTypes.Text]);
    }

    public void Update(MimeBundle bundle, string displayId)
    {
        Updates[displayId] = bundle;
        Log.Add("update:" + bundle.Data[MimeTypes.Text]);
    }

    public void Result(MimeBundle bundle)
    {
        Value = bundle;
        Log.Add("result:" + bundle.Data[MimeTypes.Text]);
    }

    public void Error(CellError error)
    {
        Failure = error;
        Log.Add("error:" + error.Name);
    }
}
