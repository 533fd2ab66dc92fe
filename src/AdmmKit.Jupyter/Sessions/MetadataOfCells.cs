using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace AdmmKit.Jupyter.Sessions;

/// <summary>
/// What the C# compiler knows of assemblies: one object a file, whether a cell names it or another assembly needs it, so that its
/// types are never two of one name.
/// </summary>
internal sealed class MetadataOfCells : MetadataReferenceResolver
{
    private static readonly ConcurrentDictionary<string, PortableExecutableReference> Known = new(StringComparer.Ordinal);

    private static readonly Dictionary<string, string> Trusted = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(Path.PathSeparator).ToLookup(f => Path.GetFileNameWithoutExtension(f), StringComparer.OrdinalIgnoreCase)
        .ToDictionary(g => g.Key, g => g.First(), StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override bool ResolveMissingAssemblies => true;

    /// <summary>The reference of a file.</summary>
    public static PortableExecutableReference Of(string path) =>
        Known.GetOrAdd(path, p => MetadataReference.CreateFromFile(p, documentation: new XmlDocs(p)));

    /// <inheritdoc/>
    public override PortableExecutableReference? ResolveMissingAssembly(MetadataReference definition, AssemblyIdentity referenceIdentity)
    {
        if (Trusted.TryGetValue(referenceIdentity.Name, out string? own))
        {
            return Of(own);
        }

        string? folder = Path.GetDirectoryName((definition as PortableExecutableReference)?.FilePath);
        string beside = Path.Combine(folder ?? "", referenceIdentity.Name + ".dll");
        return folder is not null && File.Exists(beside) ? Of(beside) : null;
    }

    /// <inheritdoc/>
    // #r is taken out of cells before they are compiled.
    public override ImmutableArray<PortableExecutableReference> ResolveReference(string reference, string? baseFilePath, MetadataReferenceProperties properties) => [];

    /// <inheritdoc/>
    public override bool Equals(object? other) => other is MetadataOfCells;

    /// <inheritdoc/>
    public override int GetHashCode() => typeof(MetadataOfCells).GetHashCode();
}
