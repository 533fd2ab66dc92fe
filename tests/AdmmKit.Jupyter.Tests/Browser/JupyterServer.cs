using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace AdmmKit.Jupyter.Tests.Browser;

/// <summary>A Jupyter Notebook of this machine's own, on a free port of it, with folders that hold nothing but AdmmKit's kernels.</summary>
internal sealed class JupyterServer : IAsyncDisposable
{
    private static readonly TimeSpan Starting = TimeSpan.FromSeconds(90);

    private readonly string folder = Directory.CreateTempSubdirectory("admmkit-server-").FullName;
    private readonly StringBuilder log = new();
    private readonly string token = Guid.NewGuid().ToString("N");
    private Process? server;

    private JupyterServer()
    {
    }

    /// <summary>Its program; null where there is none.</summary>
    public static string? Program { get; } = Chromium.Find("jupyter-notebook");

    /// <summary>Its address, with a slash at the end.</summary>
    public string Address { get; private set; } = "";

    /// <summary>The folder of the notebooks.</summary>
    public string Notebooks => Path.Combine(folder, "notebooks");

    /// <summary>What it and its kernels wrote.</summary>
    public string Log
    {
        get
        {
            lock (log)
            {
                return log.ToString();
            }
        }
    }

    /// <summary>Registers the kernels and starts the server; it is there when this returns.</summary>
    public static async Task<JupyterServer> Start()
    {
        var jupyter = new JupyterServer();
        try
        {
            Directory.CreateDirectory(jupyter.Notebooks);
            // Notebooks name the assemblies that they use as seen from their own folder.
            Directory.CreateSymbolicLink(Path.Combine(jupyter.folder, "src"), Path.Combine(Checkout.Root, "src"));
            Directory.CreateSymbolicLink(Path.Combine(jupyter.folder, "results"), Path.Combine(Checkout.Root, "results"));
            jupyter.InstallKernels();
            await jupyter.StartServer();
            return jupyter;
        }
        catch
        {
            await jupyter.DisposeAsync();
            throw;
        }
    }

    /// <summary>The address of a notebook, with the right to open it.</summary>
    /// <param name="name">The file's name.</param>
    public string AddressOf(string name) => $"{Address}notebooks/{Uri.EscapeDataString(name)}?token={token}";

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            // The children too: a kernel must not outlive a test, whatever became of it.
            server.Kill(entireProcessTree: true);
            await server.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
            server.Dispose();
        }

        Directory.Delete(folder, recursive: true);
    }

    private void InstallKernels()
    {
        using Process install = Process.Start(Command("dotnet", Path.Combine(AppContext.BaseDirectory, "AdmmKit.Cli.dll"), "kernel", "install"))!;
        try
        {
            Task<string> output = install.StandardOutput.ReadToEndAsync(), errors = install.StandardError.ReadToEndAsync();
            if (!install.WaitForExit(60_000) || install.ExitCode != 0)
            {
                throw new InvalidOperationException($"'admmkit kernel install' failed: {output.Result}{errors.Result}");
            }
        }
        finally
        {
            install.Kill(entireProcessTree: true);
        }
    }

    private async Task StartServer()
    {
        int port = FreePort();
        Address = FormattableString.Invariant($"http://127.0.0.1:{port}/");
        // Should these tests be killed, the server ends by itself.
        server = Process.Start(Command(
            "timeout", "--kill-after=10", "900", Program!, "--no-browser", "--allow-root", "--ip=127.0.0.1",
            "--port=" + port.ToString(CultureInfo.InvariantCulture), "--NotebookApp.port_retries=0", "--NotebookApp.token=" + token,
            "--NotebookApp.enable_mathjax=False", "--notebook-dir=" + Notebooks))!;
        server.OutputDataReceived += (_, line) => Note(line.Data);
        server.ErrorDataReceived += (_, line) => Note(line.Data);
        server.BeginOutputReadLine();
        server.BeginErrorReadLine();
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var watch = Stopwatch.StartNew();
        while (!await Answers(client))
        {
            if (server.HasExited || watch.Elapsed > Starting)
            {
                throw new InvalidOperationException("Jupyter Notebook does not start: " + Log);
            }

            await Task.Delay(200);
        }
    }

    private async Task<bool> Answers(HttpClient client)
    {
        try
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri($"{Address}api/status?token={token}"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private ProcessStartInfo Command(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (string name in (string[])["DATA", "CONFIG", "RUNTIME"])
        {
            start.Environment[$"JUPYTER_{name}_DIR"] = Path.Combine(folder, name);
        }

        start.Environment["JUPYTER_PATH"] = "";
        start.Environment["ADMMKIT_OFFLINE"] = "1";
        start.Environment["IPYTHONDIR"] = Path.Combine(folder, "ipython");
        return start;
    }

    private void Note(string? line)
    {
        lock (log)
        {
            log.AppendLine(line);
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
