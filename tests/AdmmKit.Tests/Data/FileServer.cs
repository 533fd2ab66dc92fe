using System.Net;
using System.Net.Sockets;
using System.Text;

namespace AdmmKit.Tests.Data;

/// <summary>A local HTTP server that answers each path with bytes, with half of them and silence, or not at all.</summary>
internal sealed class FileServer : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Func<string, byte[]?> answer;
    private readonly bool silent;
    private readonly int stallAfter;

    /// <summary>Starts to listen.</summary>
    /// <param name="answer">File name to content; null answers 404.</param>
    /// <param name="silent">Accepts connections but never answers.</param>
    /// <param name="stallAfter">Goes silent after this many bytes of a body.</param>
    public FileServer(Func<string, byte[]?> answer, bool silent = false, int stallAfter = int.MaxValue)
    {
        (this.answer, this.silent, this.stallAfter) = (answer, silent, stallAfter);
        listener.Start();
        Address = new Uri(FormattableString.Invariant($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/data/"));
        _ = Task.Run(AcceptAsync);
    }

    public Uri Address { get; }

    public List<string> Requests { get; } = [];

    public void Dispose()
    {
        stop.Cancel();
        listener.Dispose();
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await listener.AcceptTcpClientAsync(stop.Token);
                _ = Task.Run(() => ServeAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient owned = client;
        try
        {
            NetworkStream stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII);
            string name = (await reader.ReadLineAsync(stop.Token))!.Split(' ')[1].Split('/')[^1];
            while (await reader.ReadLineAsync(stop.Token) is { Length: > 0 })
            {
            }

            lock (Requests)
            {
                Requests.Add(name);
            }

            if (silent)
            {
                await Task.Delay(Timeout.Infinite, stop.Token);
            }

            byte[]? body = answer(name);
            string status = body is null ? "404 Not Found" : "200 OK";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(FormattableString.Invariant(
                $"HTTP/1.1 {status}\r\nContent-Length: {body?.Length ?? 0}\r\nConnection: close\r\n\r\n")), stop.Token);
            await stream.WriteAsync(body.AsMemory(0, Math.Min(body?.Length ?? 0, stallAfter)), stop.Token);
            if (stallAfter < int.MaxValue)
            {
                await Task.Delay(Timeout.Infinite, stop.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
        }
    }
}
