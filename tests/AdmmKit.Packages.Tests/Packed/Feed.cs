using System.Diagnostics;
using System.Text;

namespace AdmmKit.Packages.Tests.Packed;

/// <summary>Tests that take the packages which <see cref="Feed"/> makes.</summary>
[CollectionDefinition(nameof(Feed))]
public class FeedCollection : ICollectionFixture<Feed>;

/// <summary>A folder with the packages of this build, made once, and a package cache of its own: nothing older is taken for them.</summary>
public sealed class Feed : IDisposable
{
    // Far beyond what any of these programs takes: only one that hangs meets it.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string top = Directory.CreateTempSubdirectory("admmkit-packages-").FullName;

    /// <summary>Packs what is built.</summary>
    public Feed()
    {
        Run(Checkout.Root, "pack", "AdmmKit.sln", "--no-build", "-c", Configuration, "-o", Folder);
        // What the packages need is what the solution was restored with: no network is asked for it again.
        File.WriteAllText(Path.Combine(top, "NuGet.config"), $"""
            <configuration>
              <packageSources>
                <clear />
                <add key="packed" value="{Folder}" />
                <add key="restored" value="{Restored()}" />
              </packageSources>
            </configuration>
            """);
    }

    /// <summary>How the tests were built, and so what they pack.</summary>
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>The packages.</summary>
    public string Folder => Path.Combine(top, "feed");

    /// <summary>Where packages are unpacked that a program asks for.</summary>
    public string Cache => Path.Combine(top, "cache");

    /// <summary>The path of a package.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="kind">nupkg, or snupkg for its symbols.</param>
    public string PathOf(string id, string kind = "nupkg") => Path.Combine(Folder, $"{id}.{PackedProjects.Version}.{kind}");

    /// <summary>A new folder outside of the checkout.</summary>
    public string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(top, name)).FullName;

    /// <summary>Runs dotnet, which must succeed.</summary>
    /// <returns>What it wrote.</returns>
    public string Run(string folder, params string[] arguments) => RunProgram("dotnet", folder, arguments);

    /// <summary>Runs a program, which must succeed.</summary>
    /// <returns>What it wrote.</returns>
    public string RunProgram(string program, string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What the test's own build left in the environment is not for another.
        foreach (string name in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["NUGET_PACKAGES"] = Cache;
        start.Environment["AdmmKitVersion"] = PackedProjects.Version;
        start.Environment["ADMMKIT_OFFLINE"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        // No process stays behind.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        using var process = new Process { StartInfo = start };
        var output = new StringBuilder();
        void Keep(object sender, DataReceivedEventArgs e)
        {
            lock (output)
            {
                output.Append(e.Data).Append('\n');
            }
        }

        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
        }

        // Until all that it wrote is there.
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{output}");
        return output.ToString();
    }

    // "global-packages: FOLDER", of the machine's own cache and not of ours.
    private static string Restored()
    {
        var start = new ProcessStartInfo("dotnet", ["nuget", "locals", "global-packages", "--list"]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        string line = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    /// <summary>Removes the folder.</summary>
    public void Dispose() => Directory.Delete(top, recursive: true);
}
