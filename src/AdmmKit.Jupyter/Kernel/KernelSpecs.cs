using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Sessions;
using AdmmKit.Storage;

namespace AdmmKit.Jupyter.Kernel;

/// <summary>A kernel that Jupyter would find.</summary>
/// <param name="Name">Its name, that of its folder.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="DisplayName">What menus call it; null where its file cannot be read.</param>
/// <param name="Arguments">How it is started; empty where its file cannot be read.</param>
/// <param name="IsOwn">Whether AdmmKit registered it.</param>
public sealed record KernelSpec(string Name, string Folder, string? DisplayName, IReadOnlyList<string> Arguments, bool IsOwn)
{
    /// <summary>A file of the command that is not there; null where all is well, as far as names with a folder say.</summary>
    public string? MissingFile => Arguments.Take(2).FirstOrDefault(a => Path.IsPathRooted(a) && !File.Exists(a));
}

/// <summary>
/// Registers kernels with Jupyter: a folder for each with <c>kernel.json</c> in it, among the data of the user or of an installation.
/// </summary>
/// <param name="dataFolder">Jupyter's data folder; kernels are in "kernels" below it.</param>
public sealed class KernelSpecs(string dataFolder)
{
    private const int MaxBytes = 1 << 20;
    private const string SpecFile = "kernel.json", Logo = "logo-svg.svg", Mark = "admmkit";

    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly (string Name, CellLanguage Language, bool IsOthersToo)[] Own =
    [
        ("admmkit-csharp", CellLanguage.CSharp, false),
        ("admmkit-fsharp", CellLanguage.FSharp, false),
        // The names in the metadata of notebooks of .NET Interactive, and of ours: they open without a question.
        (".net-csharp", CellLanguage.CSharp, true),
        (".net-fsharp", CellLanguage.FSharp, true),
    ];

    /// <summary>The folder with a folder for each kernel.</summary>
    public string Folder { get; } = Path.Combine(Path.GetFullPath(dataFolder), "kernels");

    /// <summary>Jupyter's data folder of this user, by Jupyter's own rules.</summary>
    public static string UserDataFolder()
    {
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return Variable("JUPYTER_DATA_DIR")
            ?? (OperatingSystem.IsWindows()
                ? Path.Combine(Variable("APPDATA") ?? home, "jupyter")
                : OperatingSystem.IsMacOS()
                    ? Path.Combine(home, "Library", "Jupyter")
                    : Path.Combine(Variable("XDG_DATA_HOME") ?? Path.Combine(home, ".local", "share"), "jupyter"));
    }

    /// <summary>Jupyter's data folder of an installation, such as a virtual environment of Python.</summary>
    /// <param name="prefix">The folder of the installation.</param>
    public static string DataFolderOf(string prefix) => Path.Combine(prefix, "share", "jupyter");

    /// <summary>
    /// The data folders that Jupyter looks into, in its order: an earlier one hides kernels of the same name in later ones.
    /// </summary>
    public static IReadOnlyList<string> SearchedDataFolders() =>
    [
        .. (Variable("JUPYTER_PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
        UserDataFolder(),
        .. OperatingSystem.IsWindows()
            ? Variable("PROGRAMDATA") is { } common ? [Path.Combine(common, "jupyter")] : Array.Empty<string>()
            : ["/usr/local/share/jupyter", "/usr/share/jupyter"],
    ];

    /// <summary>The kernels that are registered here, by name.</summary>
    public IReadOnlyList<KernelSpec> List() => !Directory.Exists(Folder)
        ? []
        : [.. Directory.EnumerateDirectories(Folder).Order(StringComparer.Ordinal).Where(IsKernel).Select(Read)];

    /// <summary>Registers the kernels of C# and F#; names that another program has taken are left alone.</summary>
    /// <param name="tool">The command that is the tool, such as the path of dotnet and of the tool's assembly.</param>
    /// <param name="environment">Variables that the tool needs.</param>
    /// <param name="others">Other data folders that Jupyter looks into: what another program has there is not to be hidden.</param>
    /// <returns>What was written, and the kernels of other programs for which a name was left out.</returns>
    /// <exception cref="AdmmKitException">The folder cannot be written.</exception>
    public (IReadOnlyList<KernelSpec> Written, IReadOnlyList<KernelSpec> Others) Install(
        IReadOnlyList<string> tool, IReadOnlyDictionary<string, string> environment, IEnumerable<string> others)
    {
        ArgumentNullException.ThrowIfNull(tool);
        KernelSpec[] taken = [.. others.Prepend(dataFolder).Distinct().SelectMany(f => new KernelSpecs(f).List()).Where(k => !k.IsOwn)];
        var written = new List<KernelSpec>();
        var left = new List<KernelSpec>();
        foreach ((string name, CellLanguage language, bool isOthersToo) in Own)
        {
            // Jupyter takes names without regard to case.
            if (Array.Find(taken, k => k.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } other)
            {
                left.Add(other);
                continue;
            }

            string folder = Path.Combine(Folder, name);
            Write(Path.Combine(folder, Logo), LogoOf(language));
            // Last: without it the folder is no kernel.
            Write(Path.Combine(folder, SpecFile), Description(tool, environment, language, isOthersToo).ToJsonString(Written) + "\n");
            written.Add(Read(folder));
        }

        return (written, left);
    }

    /// <summary>Removes AdmmKit's kernels, and nothing else.</summary>
    /// <returns>What was removed.</returns>
    /// <exception cref="AdmmKitException">A file cannot be removed.</exception>
    public IReadOnlyList<KernelSpec> Uninstall()
    {
        KernelSpec[] own = [.. List().Where(k => k.IsOwn)];
        foreach (KernelSpec kernel in own)
        {
            try
            {
                File.Delete(Path.Combine(kernel.Folder, SpecFile));
                File.Delete(Path.Combine(kernel.Folder, Logo));
                if (!Directory.EnumerateFileSystemEntries(kernel.Folder).Any())
                {
                    Directory.Delete(kernel.Folder);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new AdmmKitException(
                    $"Could not remove the kernel in '{kernel.Folder}': {e.Message.TrimEnd('.')}. "
                    + "Check that you may write there, then run again.", e);
            }
        }

        return own;
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    private static bool IsKernel(string folder) => File.Exists(Path.Combine(folder, SpecFile));

    private static KernelSpec Read(string folder)
    {
        string name = Path.GetFileName(folder), path = Path.Combine(folder, SpecFile);
        try
        {
            if (new FileInfo(path).Length <= MaxBytes && JsonNode.Parse(File.ReadAllBytes(path)) is JsonObject spec)
            {
                string[] arguments = [.. (spec["argv"] as JsonArray ?? []).Select(a => (string)a!)];
                return new KernelSpec(name, folder, (string?)spec["display_name"], arguments, spec["metadata"]?[Mark] is not null);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException
            or ArgumentException)
        {
            // Not ours, then; Jupyter complains of it when it is chosen.
        }

        return new KernelSpec(name, folder, null, [], false);
    }

    private static void Write(string path, string text) =>
        AtomicFile.Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));

    private static JsonObject Description(
        IReadOnlyList<string> tool, IReadOnlyDictionary<string, string> environment, CellLanguage language, bool isOthersToo)
    {
        string[] arguments =
            [.. tool, "kernel", "run", "--connection-file", "{connection_file}", "--language", KernelInfo.Word(language)];
        return new JsonObject
        {
            ["argv"] = new JsonArray([.. arguments.Select(a => (JsonNode?)a)]),
            ["env"] = new JsonObject(environment.Select(v => KeyValuePair.Create<string, JsonNode?>(v.Key, v.Value))),
            ["display_name"] = $"{KernelInfo.Name(language)} (AdmmKit{(isOthersToo ? ", as .net-" + KernelInfo.Word(language) : "")})",
            ["language"] = KernelInfo.Name(language),
            ["interrupt_mode"] = "message",
            ["metadata"] = new JsonObject { [Mark] = new JsonObject { ["version"] = KernelInfo.Version } },
        };
    }

    // A layer's weights, most of them pruned, and the language's name.
    private static string LogoOf(CellLanguage language) => $"""
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" width="64" height="64">
          <rect x="2" y="2" width="60" height="60" rx="8" fill="#14324a"/>
          <path fill="#2b5876" d="M8 8h10v10h-10z M20 8h10v10h-10z M44 8h10v10h-10z M8 20h10v10h-10z"/>
          <path fill="#e69f00" d="M32 8h10v10h-10z M20 20h10v10h-10z M44 20h10v10h-10z"/>
          <text x="32" y="55" font-family="sans-serif" font-size="22" text-anchor="middle" fill="#ffffff">{KernelInfo.Name(language)}</text>
        </svg>

        """;
}
