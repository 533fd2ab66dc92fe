using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using AdmmKit.Engine.Data;

namespace AdmmKit.Tests.Data;

public sealed class DownloadTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, byte[]> files = [];
    private readonly List<string> log = [];

    public DownloadTests()
    {
        files["train-images-idx3-ubyte.gz"] = TemporaryFolder.Gzip(TemporaryFolder.Idx(TemporaryFolder.Ramp(144), 12, 3, 4));
        files["train-labels-idx1-ubyte.gz"] = TemporaryFolder.Gzip(TemporaryFolder.Idx(TemporaryFolder.Ramp(12, 3), 12));
        files["t10k-images-idx3-ubyte.gz"] = TemporaryFolder.Gzip(TemporaryFolder.Idx(TemporaryFolder.Ramp(72), 6, 3, 4));
        files["t10k-labels-idx1-ubyte.gz"] = TemporaryFolder.Gzip(TemporaryFolder.Idx(TemporaryFolder.Ramp(6, 3), 6));
    }

    private string Cache => Path.Combine(folder.Path, "kit", "downloaded");

    public void Dispose() => folder.Dispose();

    private DataRequest From(params Uri[] mirrors) => new()
    {
        EnvironmentDirectory = null,
        CacheDirectory = Cache,
        Mirrors = mirrors,
        Offline = false,
        Timeout = TimeSpan.FromSeconds(30),
        ValidationCount = 4,
        SyntheticTraining = 40,
        SyntheticTest = 20,
        Published = [.. files.Select(f => new PublishedFile(f.Key, Convert.ToHexStringLower(SHA256.HashData(f.Value)), ""))],
    };

    private DataSet Open(DataRequest request) => DataSource.Open(request, log.Add);

    private void AssertCacheHolds(params string[] names)
    {
        string[] found = Directory.Exists(Cache) ? [.. Directory.GetFiles(Cache).Select(f => Path.GetFileName(f))] : [];
        Assert.Equal(names.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        Assert.All(names, name => Assert.Equal(files[name], File.ReadAllBytes(Path.Combine(Cache, name))));
    }

    [Fact]
    public void Files_are_downloaded_once_and_then_come_from_the_cache()
    {
        using var server = new FileServer(files.GetValueOrDefault);
        Assert.Equal("downloaded", Open(From(server.Address)).Name);
        AssertCacheHolds([.. files.Keys]);
        Assert.Equal(4, server.Requests.Count);
        Assert.Contains(log, line => line.StartsWith("Downloading http://127.0.0.1", StringComparison.Ordinal));
        Open(From(server.Address));
        Open(From(server.Address) with { Offline = true });
        Assert.Equal(4, server.Requests.Count);
    }

    [Fact]
    public void A_damaged_file_in_the_cache_is_fetched_again()
    {
        using var server = new FileServer(files.GetValueOrDefault);
        Open(From(server.Address));
        File.WriteAllBytes(Path.Combine(Cache, "t10k-labels-idx1-ubyte.gz"), [1, 2, 3]);
        Open(From(server.Address));
        AssertCacheHolds([.. files.Keys]);
        Assert.Equal("t10k-labels-idx1-ubyte.gz", server.Requests[^1]);
        Assert.Equal(5, server.Requests.Count);
    }

    [Fact]
    public void A_wrong_checksum_goes_on_to_the_next_mirror()
    {
        using var wrong = new FileServer(name => name == "t10k-images-idx3-ubyte.gz" ? [9, 9] : files.GetValueOrDefault(name));
        using var right = new FileServer(files.GetValueOrDefault);
        Assert.Equal("downloaded", Open(From(wrong.Address, right.Address)).Name);
        AssertCacheHolds([.. files.Keys]);
        Assert.Contains(log, line => line.Contains("has SHA-256", StringComparison.Ordinal));
        Assert.Equal(2, right.Requests.Count); // what the first mirror gave intact is kept
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_silent_mirror_is_left_after_the_timeout(bool fromTheStart)
    {
        using var silent = new FileServer(files.GetValueOrDefault, silent: fromTheStart, stallAfter: 20);
        using var right = new FileServer(files.GetValueOrDefault);
        var clock = Stopwatch.StartNew();

        // The good mirror stands there several times, so that a busy machine on which it too is slow once does not matter.
        DataRequest request = From(silent.Address, right.Address, right.Address, right.Address, right.Address);
        Assert.Equal("downloaded", Open(request with { Timeout = TimeSpan.FromSeconds(0.5) }).Name);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.4, 20);
        Assert.Contains(log, line => line.Contains("silent for 0.5 s", StringComparison.Ordinal));
        AssertCacheHolds([.. files.Keys]);
    }

    [Fact]
    public void Where_all_mirrors_fail_the_digits_are_drawn_and_the_log_says_so()
    {
        using var stalling = new FileServer(files.GetValueOrDefault, stallAfter: 20);
        using var empty = new FileServer(_ => null);
        Uri refused = Refused();
        DataSet data = Open(From(refused, stalling.Address, empty.Address) with { Timeout = TimeSpan.FromSeconds(1) });
        Assert.Equal("synthetic digits", data.Name);
        Assert.Contains(log, line => line.Contains("404", StringComparison.Ordinal) || line.Contains("silent", StringComparison.Ordinal));
        Assert.Contains("SYNTHETIC", log[^1], StringComparison.Ordinal);
        AssertCacheHolds(); // no half file, no temporary one
    }

    [Fact]
    public void All_downloading_together_is_bounded()
    {
        using var silent = new FileServer(files.GetValueOrDefault, silent: true);
        var clock = Stopwatch.StartNew();
        DataRequest request = From(silent.Address, silent.Address) with
        {
            Timeout = TimeSpan.FromMinutes(1),
            TotalTimeout = TimeSpan.FromSeconds(0.3),
        };
        Assert.Equal("synthetic digits", Open(request).Name);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.2, 20);
        Assert.InRange(silent.Requests.Count, 0, 1);
    }

    [Fact]
    public void Offline_asks_no_mirror()
    {
        using var server = new FileServer(files.GetValueOrDefault);
        Assert.Equal("synthetic digits", Open(From(server.Address) with { Offline = true }).Name);
        Assert.Empty(server.Requests);
        Assert.Contains("switched off", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_cache_that_cannot_be_written_is_not_fatal()
    {
        using var server = new FileServer(files.GetValueOrDefault);
        string blocked = Path.Combine(folder.Write("a-file", []), "cache");
        Assert.Equal("synthetic digits", Open(From(server.Address) with { CacheDirectory = blocked }).Name);
    }

    [Fact]
    public void The_user_can_stop_a_download()
    {
        using var server = new FileServer(files.GetValueOrDefault, silent: true);
        using var stop = new CancellationTokenSource(200);
        DataRequest request = From(server.Address) with { Timeout = TimeSpan.FromMinutes(1) };
        Assert.ThrowsAny<OperationCanceledException>(() => DataSource.Open(request, log.Add, stop.Token));
        AssertCacheHolds();
    }

    private static Uri Refused()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new Uri(FormattableString.Invariant($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/"));
    }
}
