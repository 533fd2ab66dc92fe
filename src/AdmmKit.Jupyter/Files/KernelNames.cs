using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Jupyter.Files;

/// <summary>Names by which notebooks call the two languages.</summary>
internal static class KernelNames
{
    private static readonly Dictionary<string, CellLanguage> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        [".net-csharp"] = CellLanguage.CSharp,
        ["admmkit-csharp"] = CellLanguage.CSharp,
        ["csharp"] = CellLanguage.CSharp,
        ["c#"] = CellLanguage.CSharp,
        [".net-fsharp"] = CellLanguage.FSharp,
        ["admmkit-fsharp"] = CellLanguage.FSharp,
        ["fsharp"] = CellLanguage.FSharp,
        ["f#"] = CellLanguage.FSharp,
    };

    public static IReadOnlyCollection<string> All => Known.Keys;

    public static CellLanguage? Parse(string name) => Known.TryGetValue(name, out CellLanguage language) ? language : null;
}
