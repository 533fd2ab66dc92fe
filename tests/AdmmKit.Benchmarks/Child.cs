using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AdmmKit.Benchmarks;

/// <summary>Programs that print JSON, run one after the other, each in a process of its own.</summary>
internal static class Child
{
    /// <summary>Runs this very program.</summary>
    public static string Self(params string[] arguments)
    {
        // Either "AdmmKit.Benchmarks job" or "dotnet AdmmKit.Benchmarks.dll job".
        string program = Environment.ProcessPath ?? "dotnet";
        bool host = Path.GetFileNameWithoutExtension(program) == "dotnet";
        return Output(program, host ? [Path.Combine(AppContext.BaseDirectory, "AdmmKit.Benchmarks.dll"), .. arguments] : arguments);
    }

    /// <summary>Runs a command line in the system's shell.</summary>
    public static string Shell(string command) =>
        OperatingSystem.IsWindows() ? Output("cmd", ["/c", command]) : Output("/bin/sh", ["-c", command]);

    /// <summary>The JSON object in the last line of an output that begins one.</summary>
    /// <exception cref="AdmmKitException">There is none.</exception>
    public static JsonObject LastObject(string output, string program)
    {
        string? line = output.Split('\n').LastOrDefault(l => l.StartsWith('{'));
        try
        {
            return line is not null && JsonNode.Parse(line) is JsonObject found ? found : throw new AdmmKitException(
                $"'{program}' printed no line that begins a JSON object: it must print its measurements as the mode 'job' does.");
        }
        catch (JsonException e)
        {
            throw new AdmmKitException(
                $"What '{program}' printed is not JSON: {e.Message.TrimEnd('.')}. It must print its figures as the mode 'job' does.", e);
        }
    }

    private static string Output(string program, string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            string command = string.Join(' ', arguments.Prepend(program));
            return process.ExitCode == 0 ? output : throw new AdmmKitException(FormattableString.Invariant(
                $"'{command}' ended with exit code {process.ExitCode}; what it complained of stands above. Run it by itself first."));
        }
        catch (Win32Exception e)
        {
            throw new AdmmKitException($"Could not start '{program}': {e.Message.TrimEnd('.')}. Check the command.", e);
        }
    }
}
