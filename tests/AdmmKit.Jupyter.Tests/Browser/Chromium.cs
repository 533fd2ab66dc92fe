using Microsoft.Playwright;

namespace AdmmKit.Jupyter.Tests.Browser;

/// <summary>Browsers take both cores for themselves: these run one after the other.</summary>
[CollectionDefinition(nameof(Chromium), DisableParallelization = true)]
public sealed class BrowserCollection;

/// <summary>A Chromium of the system, without a window; nothing is downloaded.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private readonly IPlaywright playwright;
    private readonly IBrowser browser;
    private readonly List<string> outside = [];
    private readonly List<string> complaints = [];

    private Chromium(IPlaywright playwright, IBrowser browser) => (this.playwright, this.browser) = (playwright, browser);

    /// <summary>Its path; null where there is none.</summary>
    public static string? Program { get; } = Find("chromium", "chromium-browser", "google-chrome");

    /// <summary>Addresses asked for that are not among those allowed; each was refused.</summary>
    public IReadOnlyList<string> Outside => outside;

    /// <summary>What pages wrote to the console as an error, and scripts that failed.</summary>
    public IReadOnlyList<string> Complaints => complaints;

    /// <summary>The first of some programs that is on the PATH, or null.</summary>
    public static string? Find(params string[] names) => names
        .SelectMany(n => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(f => Path.Combine(f, n)))
        .FirstOrDefault(File.Exists);

    public static async Task<Chromium> Start()
    {
        IPlaywright playwright = await Microsoft.Playwright.Playwright.CreateAsync();
        try
        {
            return new Chromium(playwright, await playwright.Chromium.LaunchAsync(new()
            {
                ExecutablePath = Program,
                // Root has no sandbox; small containers have a small /dev/shm.
                Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
                Timeout = 60_000,
            }));
        }
        catch
        {
            playwright.Dispose();
            throw;
        }
    }

    /// <summary>A page that may ask for some addresses alone.</summary>
    /// <param name="allowed">What these begin with, such as "file:".</param>
    /// <param name="scheme">Light or dark.</param>
    /// <param name="offline">Whether there is no network.</param>
    public async Task<IPage> Open(string allowed, ColorScheme scheme = ColorScheme.Light, bool offline = false)
    {
        IBrowserContext context = await browser.NewContextAsync(new()
        {
            ColorScheme = scheme,
            Offline = offline,
            ViewportSize = new() { Width = 1280, Height = 900 },
        });
        context.Request += (_, request) => Note(request.Url, allowed);
        await context.RouteAsync(url => !IsAllowed(url, allowed), route => route.AbortAsync());
        IPage page = await context.NewPageAsync();
        page.SetDefaultTimeout(30_000);
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                Complain($"{message.Text} ({message.Location})");
            }
        };
        page.WebSocket += (_, socket) => Note(socket.Url.Replace("ws://", "http://", StringComparison.Ordinal), allowed);
        page.PageError += (_, error) => Complain(error);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        await browser.CloseAsync();
        playwright.Dispose();
    }

    // What is in the page itself is no request.
    private static bool IsAllowed(string url, string allowed) =>
        url.StartsWith(allowed, StringComparison.Ordinal) || url.StartsWith("data:", StringComparison.Ordinal)
        || url.StartsWith("blob:", StringComparison.Ordinal) || url.StartsWith("about:", StringComparison.Ordinal);

    private void Note(string url, string allowed)
    {
        if (!IsAllowed(url, allowed))
        {
            lock (outside)
            {
                outside.Add(url);
            }
        }
    }

    private void Complain(string text)
    {
        lock (complaints)
        {
            complaints.Add(text);
        }
    }
}

/// <summary>A test that needs Chromium; skipped, with what to install, where it is not there.</summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute()
    {
        if (Chromium.Program is null)
        {
            Skip = Checkout.SkipFor("No chromium on the PATH: apt install chromium.");
        }
    }
}
