using System.Diagnostics;

namespace AdmmKit.Jupyter.Tests.Kernel;

/// <summary>Runs Jupyter's own programs and the tool, with folders of Jupyter that are empty but for what a test puts there.</summary>
internal sealed class JupyterPrograms : IDisposable
{
    private const int TimeoutMilliseconds = 300_000;

    /// <summary>A Python with Jupyter's client, nbconvert and nbformat; null where there is none.</summary>
    public static string? Python { get; } = Array.Find(["/usr/bin/python3", "python3"], HasJupyter);

    /// <summary>The folder of Jupyter's data, and below it that of its work.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("admmkit-jupyter-").FullName;

    /// <summary>The tool that was built with these tests.</summary>
    public static string Tool => Path.Combine(AppContext.BaseDirectory, "AdmmKit.Cli.dll");

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Runs a program to its end; the exit code, and all that it wrote.</summary>
    public (int Code, string Text) Run(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        try
        {
            Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
            return process.WaitForExit(TimeoutMilliseconds) && Task.WaitAll([output, errors], 10_000)
                ? (process.ExitCode, output.Result + errors.Result)
                : throw new TimeoutException($"{program} {string.Join(' ', arguments)} does not end.");
        }
        finally
        {
            Kill(process);
        }
    }

    /// <summary>Starts a program in the folder, its outputs redirected.</summary>
    public Process Start(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        };
        foreach (string name in (string[])["DATA_DIR", "RUNTIME_DIR", "CONFIG_DIR"])
        {
            start.Environment["JUPYTER_" + name] = Folder;
        }

        start.Environment["JUPYTER_PATH"] = "";
        return Process.Start(start)!;
    }

    /// <summary>Ends a process and its children, whatever state they are in.</summary>
    public static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }

    private static bool HasJupyter(string python)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(python, ["-c", "import jupyter_client, nbconvert, nbformat"])
            {
                RedirectStandardError = true,
            })!;
            return process.WaitForExit(TimeoutMilliseconds) && process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

/// <summary>A test that needs libzmq and Jupyter's programs; skipped, with what to install, where they are not there.</summary>
public sealed class JupyterFactAttribute : ZmqFactAttribute
{
    public JupyterFactAttribute()
    {
        if (JupyterPrograms.Python is null)
        {
            Skip ??= Checkout.SkipFor("No Python has jupyter_client, nbconvert and nbformat: apt install jupyter-nbconvert.");
        }
    }
}
