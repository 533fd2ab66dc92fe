using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>
/// Assemblies that cells name. Each is loaded once, beside the tool's own, so that both languages have the same types; where
/// the tool has an assembly of that name, its own is the one: otherwise a model of a cell were no model to the tool.
/// </summary>
internal static class CellReferences
{
    private static readonly Lock Gate = new();
    private static readonly HashSet<string> Folders = new(StringComparer.Ordinal);
    private static readonly HashSet<string> Warned = new(StringComparer.Ordinal);

    /// <summary>The files of .NET itself.</summary>
    public static IReadOnlyList<string> Platform { get; } = [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(Path.PathSeparator).Where(f => Path.GetDirectoryName(f) == Path.GetDirectoryName(typeof(object).Assembly.Location))];

    static CellReferences() => AssemblyLoadContext.Default.Resolving += Resolve;

    /// <summary>Loads what <c>#r</c> names.</summary>
    /// <param name="path">The path, or the name of an assembly of the platform.</param>
    /// <param name="folder">What relative paths are relative to.</param>
    /// <param name="warn">Receives a warning.</param>
    /// <returns>The file to compile against.</returns>
    /// <exception cref="AdmmKitException">There is none, or it is no assembly.</exception>
    public static string Load(string path, string folder, Action<string> warn)
    {
        string file = Path.GetFullPath(path.Replace('\\', '/'), folder);
        string name = Path.GetFileNameWithoutExtension(file);
        Assembly? own = Own(name);
        if (!File.Exists(file))
        {
            return own is not null && Path.GetFileName(path) == path
                ? own.Location
                : throw new AdmmKitException(
                    $"There is no file '{file}' (#r \"{path}\"; paths are relative to the notebook's folder). If it is built from source: dotnet build -c Release.");
        }

        try
        {
            if (own is not null)
            {
                if (own.ManifestModule.ModuleVersionId != VersionOf(file) && Warned.Add(file))
                {
                    warn($"'{path}' differs from the {name} that this tool is made of, which is used in its place: build both again (dotnet build -c Release), or delete the older one.\n");
                }

                return own.Location;
            }

            lock (Gate)
            {
                Folders.Add(Path.GetDirectoryName(file)!);
            }

            AssemblyLoadContext.Default.LoadFromAssemblyPath(file);
            return file;
        }
        catch (Exception e) when (e is BadImageFormatException or IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException($"'{file}' cannot be loaded: {e.Message.TrimEnd('.')}. #r takes .NET assemblies for this version of .NET or an older one.", e);
        }
    }

    /// <summary>Whether an assembly is of .NET itself, which every cell may use.</summary>
    public static bool IsPlatform(Assembly assembly) =>
        Path.GetDirectoryName(assembly.Location) == Path.GetDirectoryName(typeof(object).Assembly.Location);

    private static Assembly? Own(string name)
    {
        try
        {
            Assembly assembly = Assembly.Load(new AssemblyName(name));
            return assembly.Location.Length > 0 ? assembly : null;
        }
        catch (Exception e) when (e is FileNotFoundException or FileLoadException or BadImageFormatException)
        {
            return null;
        }
    }

    private static Guid VersionOf(string file)
    {
        using FileStream stream = File.OpenRead(file);
        using var image = new PEReader(stream);
        MetadataReader metadata = image.GetMetadataReader();
        return metadata.GetGuid(metadata.GetModuleDefinition().Mvid);
    }

    // What a named assembly needs itself lies beside it.
    private static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name)
    {
        string[] folders;
        lock (Gate)
        {
            folders = [.. Folders];
        }

        string? file = folders.Select(f => Path.Combine(f, name.Name + ".dll")).FirstOrDefault(File.Exists);
        return file is null ? null : context.LoadFromAssemblyPath(file);
    }
}
