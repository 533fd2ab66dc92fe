using Microsoft.CodeAnalysis;

namespace AdmmKit.Packages.Tests;

/// <summary>What code can be compiled against here: .NET, all of AdmmKit, and the packages that it needs.</summary>
internal static class Loaded
{
    /// <summary>The assemblies.</summary>
    public static IReadOnlyList<PortableExecutableReference> All { get; } =
    [
        .. from file in ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
           select MetadataReference.CreateFromFile(file),
    ];
}
