using System.Net.Http;
using System.Security.Cryptography;

namespace AdmmKit.Engine.Data;

/// <summary>Fills the cache folder with the published files, from the first mirror that gives each of them intact.</summary>
internal static class MnistDownload
{
    // Six times the largest published file: a mirror that sends more is not sending MNIST.
    private const long MaximumBytes = 64L << 20;

    /// <summary>The folder holds all four files with the published checksums.</summary>
    public static bool IsComplete(DataRequest request) => request.Published.All(file => IsIntact(request.CacheDirectory, file));

    /// <summary>Downloads what the cache lacks; false where no mirror could give it, after saying so.</summary>
    public static bool TryFill(DataRequest request, Action<string> log, CancellationToken cancellationToken)
    {
        // On the pool, so that a caller's synchronization context cannot deadlock the wait.
        return Task.Run(() => TryFillAsync(request, log, cancellationToken), CancellationToken.None).GetAwaiter().GetResult();
    }

    private static async Task<bool> TryFillAsync(DataRequest request, Action<string> log, CancellationToken cancellationToken)
    {
        using var total = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        total.CancelAfter(request.TotalTimeout);
        using var handler = new SocketsHttpHandler { ConnectTimeout = request.Timeout };
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        foreach (Uri mirror in request.Mirrors)
        {
            try
            {
                Directory.CreateDirectory(request.CacheDirectory);
                foreach (PublishedFile file in request.Published.Where(f => !IsIntact(request.CacheDirectory, f)))
                {
                    await FetchAsync(client, new Uri(mirror, file.Name), file, request, log, total.Token);
                }

                return true;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                log(total.IsCancellationRequested
                    ? FormattableString.Invariant($"  downloading took more than {request.TotalTimeout.TotalSeconds:0.#} s in all, given up")
                    : FormattableString.Invariant($"  {mirror.Host}: silent for {request.Timeout.TotalSeconds:0.#} s, going on"));
                if (total.IsCancellationRequested)
                {
                    return false;
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException or BadFileException)
            {
                log($"  {mirror.Host}: {e.Message}");
            }
        }

        return false;
    }

    private static async Task FetchAsync(
        HttpClient client, Uri address, PublishedFile file, DataRequest request, Action<string> log, CancellationToken total)
    {
        string temporary = Path.Combine(request.CacheDirectory, $"{file.Name}.{Guid.NewGuid():N}.tmp");
        try
        {
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(total);
            silence.CancelAfter(request.Timeout);
            log($"Downloading {address}");
            using HttpResponseMessage response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, silence.Token);
            response.EnsureSuccessStatusCode();
            await using Stream body = await response.Content.ReadAsStreamAsync(silence.Token);
            string hash;
            await using (FileStream target = File.Create(temporary))
            {
                hash = await CopyAsync(body, target, response.Content.Headers.ContentLength, request.Timeout, silence, log);
            }

            if (hash != file.GzipSha256)
            {
                throw new BadFileException($"{file.Name} has SHA-256 {hash}, published is {file.GzipSha256}; not used");
            }

            // Renamed only when whole and checked, so that the cache never holds half a file under its real name.
            File.Move(temporary, Path.Combine(request.CacheDirectory, file.Name), overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static async Task<string> CopyAsync(
        Stream body, FileStream target, long? length, TimeSpan timeout, CancellationTokenSource silence, Action<string> log)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        long done = 0;
        long nextReport = 2L << 20;
        int got;
        while ((got = await body.ReadAsync(buffer, silence.Token)) > 0)
        {
            silence.CancelAfter(timeout);
            hash.AppendData(buffer, 0, got);
            await target.WriteAsync(buffer.AsMemory(0, got), silence.Token);
            done += got;
            if (done > MaximumBytes)
            {
                throw new BadFileException("sends more than MNIST has; not used");
            }

            if (done >= nextReport)
            {
                nextReport += 2L << 20;
                string of = length is long all ? FormattableString.Invariant($" of {all / 1048576.0:0.0}") : "";
                log(FormattableString.Invariant($"  {done / 1048576.0:0.0}{of} MiB"));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static bool IsIntact(string folder, PublishedFile file)
    {
        try
        {
            using FileStream stream = File.OpenRead(Path.Combine(folder, file.Name));
            return stream.Length <= MaximumBytes && Convert.ToHexStringLower(SHA256.HashData(stream)) == file.GzipSha256;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
