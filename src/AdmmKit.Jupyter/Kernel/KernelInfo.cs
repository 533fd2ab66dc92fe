using System.Reflection;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Sessions;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>What a kernel says about itself and its language; notebooks keep a part of it in their metadata.</summary>
internal static class KernelInfo
{
    /// <summary>AdmmKit's version.</summary>
    public static string Version { get; } =
        typeof(KernelInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <summary>The language's name, as people write it.</summary>
    public static string Name(CellLanguage language) => language == CellLanguage.CSharp ? "C#" : "F#";

    /// <summary>The language's name in file names and options.</summary>
    public static string Word(CellLanguage language) => language == CellLanguage.CSharp ? "csharp" : "fsharp";

    /// <summary>The answer to "kernel_info_request".</summary>
    public static JsonObject Content(CellLanguage language) => new()
    {
        ["status"] = "ok",
        ["protocol_version"] = Messages.Version,
        ["implementation"] = "admmkit",
        ["implementation_version"] = Version,
        ["language_info"] = new JsonObject
        {
            ["name"] = Name(language),
            ["version"] = language == CellLanguage.CSharp ? "14.0" : "10.0",
            ["mimetype"] = "text/x-" + Word(language),
            ["file_extension"] = language == CellLanguage.CSharp ? ".cs" : ".fs",
            ["pygments_lexer"] = Word(language),
            ["codemirror_mode"] = "text/x-" + Word(language),
        },
        ["banner"] = $"AdmmKit {Version}, {Name(language)} on {System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription}",
        ["help_links"] = new JsonArray(),
    };
}
