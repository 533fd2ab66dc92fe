using AdmmKit.Experiments.Report;
using Microsoft.Playwright;

namespace AdmmKit.Jupyter.Tests.Browser;

/// <summary>The report over the committed results, as a person opens it: from a file, without a network.</summary>
[Collection(nameof(Chromium))]
public sealed class ReportPageTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("admmkit-page-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [BrowserFact]
    public async Task It_sorts_filters_and_shows_its_pictures_without_a_network()
    {
        string results = Path.Combine(Checkout.Root, "results"), file = Path.Combine(folder, "report.html");
        ResultsReport.Load(results).SaveHtml(file);
        await using Chromium chromium = await Chromium.Start();
        foreach (ColorScheme scheme in new[] { ColorScheme.Light, ColorScheme.Dark })
        {
            IPage page = await chromium.Open("file:", scheme, offline: true);
            await page.GotoAsync(new Uri(file).AbsoluteUri);
            await Sorts(page);
            await Filters(page);
            await ShowsPictures(page, Directory.GetFiles(results, "*.svg", SearchOption.AllDirectories).Length, scheme);
        }

        Assert.Empty(chromium.Outside);
        Assert.True(chromium.Complaints.Count == 0, string.Join('\n', chromium.Complaints));
    }

    private static async Task Sorts(IPage page)
    {
        ILocator table = page.Locator("#results-table1 table.sortable").First;
        Task<double[]> Values() => table.EvaluateAsync<double[]>(
            "t => [...t.tBodies[0].rows].map(r => r.cells[2]).filter(c => c.dataset.value).map(c => Number(c.dataset.value))");
        ILocator heading = table.Locator("thead th").Nth(2), button = heading.Locator("button");
        double[] before = await Values();
        await button.ClickAsync();
        Assert.Equal(before.Order(), await Values());
        Assert.Equal("ascending", await heading.GetAttributeAsync("aria-sort"));

        await button.PressAsync("Enter");
        Assert.Equal(before.OrderDescending(), await Values());
        Assert.Equal("descending", await heading.GetAttributeAsync("aria-sort"));
        Assert.NotEqual(before.Order(), before.AsEnumerable());
    }

    private static async Task Filters(IPage page)
    {
        ILocator folders = page.Locator("section.folder:visible");
        int all = await folders.CountAsync();
        await page.Locator("#filter input[value=missed]").CheckAsync();
        Assert.InRange(await folders.CountAsync(), 1, all - 1);
        Assert.Equal(0, await folders.Locator("tbody tr[data-status]:not([data-status~=missed]):visible").CountAsync());
        Assert.Equal(await folders.CountAsync(), await page.Locator("nav li:visible").CountAsync());
        await page.Locator("#filter input[value='']").CheckAsync();
        Assert.Equal(all, await folders.CountAsync());
    }

    private static async Task ShowsPictures(IPage page, int count, ColorScheme scheme)
    {
        await page.EvaluateAsync("document.querySelectorAll('details.fold').forEach(d => { d.open = true; })");
        ILocator pictures = page.Locator("figure > svg:visible");
        Assert.Equal(count, await pictures.CountAsync());
        foreach (ILocator picture in await pictures.AllAsync())
        {
            LocatorBoundingBoxResult? box = await picture.BoundingBoxAsync();
            Assert.True(box is { Width: > 300, Height: > 100 }, $"A picture is {box?.Width} x {box?.Height}.");
        }

        string[] cut = await page.EvaluateAsync<string[]>(
            """
            () => [...document.querySelectorAll("figure > svg")].flatMap(svg => {
              const room = svg.getBoundingClientRect();
              return [...svg.querySelectorAll("text")].filter(text => {
                const box = text.getBoundingClientRect();
                return box.left < room.left - 1 || box.right > room.right + 1 || box.top < room.top - 1 || box.bottom > room.bottom + 1;
              }).map(text => `${svg.parentElement.id}: ${text.textContent}`);
            })
            """);
        Assert.Empty(cut);

        // The page and the pictures in it are of one scheme.
        double[] lightness = await page.EvaluateAsync<double[]>(
            """
            () => [getComputedStyle(document.body).backgroundColor, ...[...document.querySelectorAll("figure .ground")].map(g => getComputedStyle(g).fill)]
              .map(c => Math.max(...c.match(/\d+/g).slice(0, 3).map(Number)))
            """);
        Assert.True(lightness.Length > 1 && lightness.All(l => scheme == ColorScheme.Light ? l > 200 : l < 80), string.Join(' ', lightness));
        Assert.True(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"), "The page is wider than its window.");
    }
}
