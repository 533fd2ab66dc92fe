using System.ComponentModel;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using System.Text.Json;

namespace AdmmKit.Experiments.Results;

/// <summary>What the process finds out about itself. Whatever cannot be found out is left empty: no run fails over it.</summary>
internal static class RunEnvironment
{
    public static string Runtime => RuntimeInformation.FrameworkDescription;

    public static string OperatingSystem => RuntimeInformation.OSDescription;

    private static readonly Lazy<(string? Commit, bool? Dirty)> AtStart = new(FindCheckout);

    /// <summary>
    /// Commit of the checkout that the program was built in, and whether it has changes; as of the first question, which is
    /// to be asked when the work begins: hours later the checkout may be another.
    /// </summary>
    public static (string? Commit, bool? Dirty) Checkout => AtStart.Value;

    /// <summary>Whether a line of git's status is about more than a file that no build takes up, such as a log or a recipe.</summary>
    internal static bool CouldChangeTheProgram(string line) => line.Length > 3
        && (!line.StartsWith("??", StringComparison.Ordinal) || line[3..].StartsWith("src/", StringComparison.Ordinal)
            || line.EndsWith(".props", StringComparison.Ordinal) || line.EndsWith(".targets", StringComparison.Ordinal));

    private static (string? Commit, bool? Dirty) FindCheckout()
    {
        // A program installed inside some other repository must not report that one's commit.
        string? root = Git(AppContext.BaseDirectory, "rev-parse", "--show-toplevel");
        if (root is null || !File.Exists(Path.Combine(root, "AdmmKit.sln")))
        {
            return (null, null);
        }

        // Results are left out: the run that writes them would call itself dirty.
        string? status = Git(root, "status", "--porcelain", "--untracked-files=all", "--", ".", ":(exclude)results");
        return (Git(root, "rev-parse", "HEAD"), status?.Split('\n').Any(CouldChangeTheProgram));
    }

    /// <summary>Packages that the program was built with, and the versions of AdmmKit's own assemblies.</summary>
    public static IReadOnlyDictionary<string, string> Packages()
    {
        var versions = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(AppContext.BaseDirectory, "*.deps.json"))
        {
            try
            {
                using JsonDocument json = JsonDocument.Parse(File.ReadAllBytes(file));
                foreach (JsonProperty library in json.RootElement.GetProperty("libraries").EnumerateObject())
                {
                    string[] parts = library.Name.Split('/');
                    if (parts.Length == 2 && library.Value.GetProperty("type").GetString() == "package")
                    {
                        versions[parts[0]] = parts[1];
                    }
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException)
            {
                continue;
            }
        }

        foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
        {
            if (assembly.GetName() is { Name: { } name, Version: { } version } && name.StartsWith("AdmmKit", StringComparison.Ordinal))
            {
                versions[name] = assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? version.ToString();
            }
        }

        return versions;
    }

    /// <summary>The processor's name on Linux, else its architecture.</summary>
    public static string Cpu()
    {
        const string cpuInfo = "/proc/cpuinfo";
        string? line = File.Exists(cpuInfo)
            ? File.ReadLines(cpuInfo).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))
            : null;
        string architecture = RuntimeInformation.ProcessArchitecture.ToString();
        return line is null ? architecture : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    /// <summary>Vector instructions, the widest first.</summary>
    public static IReadOnlyList<string> Instructions()
    {
        (string Name, bool Supported)[] all =
        [
            ("AVX-512", Avx512F.IsSupported), ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported), ("NEON", AdvSimd.IsSupported),
        ];
        return [.. all.Where(i => i.Supported).Select(i => i.Name)];
    }

    private static string? Git(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("git", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using Process? git = Process.Start(start);
            if (git is null)
            {
                return null;
            }

            git.ErrorDataReceived += (_, _) => { };
            git.BeginErrorReadLine();
            string output = git.StandardOutput.ReadToEnd().Trim();
            git.WaitForExit();
            return git.ExitCode == 0 ? output : null;
        }
        catch (Exception e) when (e is Win32Exception or IOException or InvalidOperationException)
        {
            return null;
        }
    }
}
