using System.Reflection;

namespace AdmmKit.Hardware.Platforms;

/// <summary>The platforms that come with the kit, by name, and those of files.</summary>
public static class PlatformLibrary
{
    private const string Prefix = "AdmmKit.Hardware.Presets.", Suffix = ".json";

    private static readonly Assembly Home = typeof(PlatformLibrary).Assembly;

    /// <summary>Names of the platforms that come with the kit.</summary>
    public static IReadOnlyList<string> Presets { get; } =
    [
        .. Home.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(n => n[Prefix.Length..^Suffix.Length]).Order(StringComparer.Ordinal),
    ];

    /// <summary>A platform by its name, or from a file.</summary>
    /// <param name="nameOrPath">One of <see cref="Presets"/>, or a file as in docs/platforms.md.</param>
    /// <exception cref="AdmmKitException">
    /// There is no such platform, and the nearest name is suggested; or the file is no platform.
    /// </exception>
    public static Platform Find(string nameOrPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(nameOrPath);
        if (Presets.Contains(nameOrPath))
        {
            using Stream stream = Home.GetManifestResourceStream(Prefix + nameOrPath + Suffix)!;
            return PlatformFile.Read(stream, nameOrPath);
        }

        // What looks like a path is meant as one: then the error is about the file.
        bool path = File.Exists(nameOrPath) || nameOrPath.AsSpan().ContainsAny('/', Path.DirectorySeparatorChar)
            || nameOrPath.EndsWith(Suffix, StringComparison.OrdinalIgnoreCase);
        return path ? PlatformFile.Load(nameOrPath)
            : throw new AdmmKitException(Names.Unknown("platform or file", nameOrPath, Presets));
    }
}
