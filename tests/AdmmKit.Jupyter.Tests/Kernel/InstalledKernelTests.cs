using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace AdmmKit.Jupyter.Tests.Kernel;

/// <summary>The kernels as people have them: installed by the tool, started by Jupyter.</summary>
public sealed class InstalledKernelTests : IDisposable
{
    private readonly JupyterPrograms programs = new();

    public void Dispose() => programs.Dispose();

    [JupyterFact]
    public void Jupyters_client_runs_completes_inspects_interrupts_and_restarts()
    {
        Install();
        (int code, string text) = programs.Run(
            JupyterPrograms.Python!, Path.Combine(AppContext.BaseDirectory, "Kernel", "drive_kernel.py"));
        Assert.True(code == 0 && text.Contains("passed", StringComparison.Ordinal), text);
    }

    [JupyterFact]
    public void Nbconvert_executes_notebooks_of_both_languages()
    {
        Install();
        // One at a time: nbconvert takes the kernel of the first for all that it is given.
        WriteNotebook("c.ipynb", ".net-csharp", "var x = 6;", "Console.WriteLine($\"C# says {x * 7}\");");
        Assert.Equal((0, true), Converted("c", "C# says 42"));
        WriteNotebook("f.ipynb", ".net-fsharp", "let x = 6", "printfn \"F# says %d\" (x * 7)");
        Assert.Equal((0, true), Converted("f", "F# says 42"));
        WriteNotebook("bad.ipynb", ".net-csharp", "throw new Exception(\"on purpose\");");
        Assert.Equal((1, true), Converted("bad", "on purpose"));
    }

    [ZmqFact]
    public void A_kernel_does_not_outlive_the_program_that_started_it()
    {
        string connection = Path.Combine(programs.Folder, "connection.json");
        File.WriteAllText(connection, new JsonObject
        {
            ["transport"] = "ipc",
            ["ip"] = Path.Combine(programs.Folder, "k"),
            ["shell_port"] = 1,
            ["control_port"] = 2,
            ["iopub_port"] = 3,
            ["stdin_port"] = 4,
            ["hb_port"] = 5,
            ["key"] = "",
        }.ToJsonString());
        // A shell in Jupyter's place: it says what it started, and ends when its input does.
        using Process shell = programs.Start(
            "/bin/sh", "-c", "JPY_PARENT_PID=$$ \"$0\" \"$1\" kernel run --connection-file connection.json & echo $!; read end",
            Dotnet, JupyterPrograms.Tool);
        using var kernel = Process.GetProcessById(int.Parse(shell.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture));
        try
        {
            string socket = Path.Combine(programs.Folder, "k-1");
            Assert.True(SpinWait.SpinUntil(() => Pause(File.Exists(socket)), 60_000), "The kernel does not start.");
            shell.StandardInput.Close();
            Assert.True(SpinWait.SpinUntil(() => Pause(HasEnded(kernel)), 60_000), "The kernel outlives its parent.");
        }
        finally
        {
            JupyterPrograms.Kill(kernel);
            JupyterPrograms.Kill(shell);
        }
    }

    [Fact]
    public void The_tool_lists_installs_and_removes_kernels()
    {
        (int code, string text) = Tool("kernel", "install", "--prefix", "env");
        Assert.True(code == 0, text);
        string folder = Path.Combine(programs.Folder, "env", "share", "jupyter", "kernels");
        Assert.Contains(folder, text, StringComparison.Ordinal);
        Assert.Contains("Next: 'jupyter notebook'", text, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder, "admmkit-csharp", "kernel.json")));
        (code, text) = Tool("kernel", "list", "--prefix", "env");
        Assert.Equal(4, text.Split("AdmmKit's; can start").Length - 1);
        (code, text) = Tool("kernel", "uninstall", "--prefix", "env");
        Assert.Contains("Removed", text, StringComparison.Ordinal);
        Assert.Equal(0, code);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Theory]
    [InlineData(2, "not both", "kernel", "install", "--user", "--prefix", "x")]
    [InlineData(2, "--connection-file", "kernel", "run")]
    [InlineData(2, "Did you mean 'fsharp'?", "kernel", "run", "--connection-file", "x", "--language", "fshar")]
    [InlineData(1, "'none.json' cannot be read", "kernel", "run", "--connection-file", "none.json")]
    public void Wrong_use_is_said(int expected, string message, params string[] arguments)
    {
        (int code, string text) = Tool(arguments);
        Assert.Equal(expected, code);
        Assert.Contains(message, text, StringComparison.Ordinal);
    }

    private static string Dotnet =>
        Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    private static bool HasEnded(Process process)
    {
        // Where nobody takes note of the dead, they stay as zombies.
        string status = $"/proc/{process.Id.ToString(CultureInfo.InvariantCulture)}/stat";
        return process.HasExited || (File.Exists(status) && File.ReadAllText(status).Contains(") Z", StringComparison.Ordinal));
    }

    private static bool Pause(bool done)
    {
        if (!done)
        {
            Thread.Sleep(50);
        }

        return done;
    }

    private void Install()
    {
        (int code, string text) = Tool("kernel", "install");
        Assert.True(code == 0 && text.Contains(programs.Folder, StringComparison.Ordinal), text);
    }

    /// <summary>Executes a notebook by nbconvert: the exit code, and whether the page, or what is said in its place, has a text.</summary>
    private (int Code, bool HasText) Converted(string name, string expected)
    {
        (int code, string text) = programs.Run(JupyterPrograms.Python!, "-m", "nbconvert", "--execute", "--to", "html", name + ".ipynb");
        string page = Path.Combine(programs.Folder, name + ".html");
        return (code, (File.Exists(page) ? File.ReadAllText(page) : text).Contains(expected, StringComparison.Ordinal));
    }

    private (int Code, string Text) Tool(params string[] arguments) => programs.Run(Dotnet, [JupyterPrograms.Tool, .. arguments]);

    private void WriteNotebook(string name, string kernel, params string[] cells)
    {
        var notebook = new JsonObject
        {
            ["nbformat"] = 4,
            ["nbformat_minor"] = 5,
            ["metadata"] = new JsonObject { ["kernelspec"] = new JsonObject { ["name"] = kernel, ["display_name"] = kernel } },
            ["cells"] = new JsonArray([.. cells.Select((source, i) => (JsonNode?)new JsonObject
            {
                ["cell_type"] = "code",
                ["id"] = $"cell{i.ToString(CultureInfo.InvariantCulture)}",
                ["metadata"] = new JsonObject(),
                ["execution_count"] = null,
                ["outputs"] = new JsonArray(),
                ["source"] = source,
            })]),
        };
        File.WriteAllText(Path.Combine(programs.Folder, name), notebook.ToJsonString());
    }
}
