using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Tests.Kernel;
using Microsoft.Playwright;

namespace AdmmKit.Jupyter.Tests.Browser;

/// <summary>Jupyter Notebook in a browser, with AdmmKit's kernel: a person opens the quickstart and runs all of it.</summary>
[Collection(nameof(Chromium))]
public class JupyterNotebookTests
{
    private const string Quickstart = "00-quickstart-csharp.ipynb";

    // Jupyter Notebook looks for the widgets of Python, which Debian has in a package of its own.
    private static readonly string[] Harmless = ["/nbextensions/widgets/notebook/js/extension.js"];

    private const int LongestRun = 480_000; // ms; on two quiet cores it takes 45 s, beside other work many times that

    [NotebookInBrowserFact]
    public async Task The_quickstart_runs_its_progress_moves_and_a_chart_appears()
    {
        await using JupyterServer jupyter = await JupyterServer.Start();
        WriteWithoutOutputs(Path.Combine(Checkout.Root, "notebooks", Quickstart), Path.Combine(jupyter.Notebooks, Quickstart));
        await using Chromium chromium = await Chromium.Start();
        IPage page = await chromium.Open(jupyter.Address);

        await page.GotoAsync(jupyter.AddressOf(Quickstart));
        await page.WaitForFunctionAsync("() => window.Jupyter && Jupyter.notebook && Jupyter.notebook.kernel && Jupyter.notebook.kernel.is_connected()");
        Assert.StartsWith(".net-csharp", await page.EvaluateAsync<string>("Jupyter.notebook.kernel.name"), StringComparison.Ordinal);
        Assert.Equal(0, await page.Locator(".output_subarea").CountAsync());
        await page.EvaluateAsync(
            """
            () => {
              window.seen = new Map();
              new MutationObserver(() => {
                for (const [index, area] of document.querySelectorAll(".output_area").entries()) {
                  const texts = window.seen.get(index) ?? new Set();
                  window.seen.set(index, texts.add(area.textContent));
                }
              }).observe(document.getElementById("notebook-container"), { childList: true, subtree: true, characterData: true });
            }
            """);

        await page.ClickAsync("#celllink");
        await page.ClickAsync("#run_all_cells");
        await page.WaitForFunctionAsync(
            """
            () => {
              const cells = Jupyter.notebook.get_cells().filter(c => c.cell_type === "code" && c.get_text().trim() !== "");
              return cells.some(c => c.output_area.outputs.some(o => o.output_type === "error"))
                || cells.every(c => Number.isInteger(c.input_prompt_number));
            }
            """, null, new() { Timeout = LongestRun, PollingInterval = 500 });

        string[] errors = await page.Locator(".output_error").AllInnerTextsAsync() is { Count: > 0 } texts ? [.. texts] : [];
        Assert.True(errors.Length == 0, string.Join('\n', errors) + jupyter.Log);
        int changes = await page.EvaluateAsync<int>("Math.max(...[...window.seen.values()].map(texts => texts.size - 1))");
        Assert.True(changes >= 2, $"The progress changed {changes} times.");
        await ShowsAChart(page);
        Assert.Empty(chromium.Outside);
        string[] complaints = [.. chromium.Complaints.Where(c => !Harmless.Any(h => c.Contains(h, StringComparison.Ordinal)))];
        Assert.True(complaints.Length == 0, string.Join('\n', complaints));
    }

    private static async Task ShowsAChart(IPage page)
    {
        ILocator charts = page.Locator(".output_subarea svg:visible, .output_subarea img[src^='data:image/svg+xml']:visible");
        Assert.True(await charts.CountAsync() > 0, "There is no chart.");
        await charts.First.ScrollIntoViewIfNeededAsync();
        LocatorBoundingBoxResult? box = await charts.First.BoundingBoxAsync();
        Assert.True(box is { Width: > 200, Height: > 100 }, $"The chart is {box?.Width} x {box?.Height}.");
    }

    /// <summary>Copies a notebook as it is before it was ever run.</summary>
    private static void WriteWithoutOutputs(string from, string to)
    {
        JsonNode notebook = JsonNode.Parse(File.ReadAllText(from))!;
        foreach (JsonNode? cell in notebook["cells"]!.AsArray().Where(c => (string?)c!["cell_type"] == "code"))
        {
            cell!["outputs"] = new JsonArray();
            cell["execution_count"] = null;
        }

        File.WriteAllText(to, notebook.ToJsonString());
    }
}

/// <summary>A test that needs Jupyter Notebook, libzmq and a browser; skipped, with what to install, where one is not there.</summary>
public sealed class NotebookInBrowserFactAttribute : ZmqFactAttribute
{
    public NotebookInBrowserFactAttribute()
    {
        string library = Path.Combine(Checkout.Root, "src", "AdmmKit.Experiments", "bin", "Release", "net10.0", "AdmmKit.Experiments.dll");
        Skip ??= Checkout.SkipFor(Chromium.Program is null ? "No chromium on the PATH: apt install chromium."
            : JupyterServer.Program is null ? "No jupyter-notebook on the PATH: apt install jupyter-notebook."
            : !File.Exists(library) ? "The notebooks use the Release build: dotnet build AdmmKit.sln -c Release."
            : null);
    }
}
