using AdmmKit.Jupyter.Kernel;

namespace AdmmKit.Jupyter.Tests.Kernel;

public sealed class ConnectionFileTests : IDisposable
{
    private const string Good = """
        {"shell_port": 1001, "iopub_port": 1002, "stdin_port": 1003, "control_port": 1004, "hb_port": 1005, "ip": "127.0.0.1",
        "key": "secret", "transport": "tcp", "signature_scheme": "hmac-sha256", "kernel_name": "admmkit-csharp"}
        """;

    private readonly string path = Path.GetTempFileName();

    public void Dispose() => File.Delete(path);

    [Fact]
    public void A_file_of_jupyter_is_read()
    {
        File.WriteAllText(path, Good);
        ConnectionFile file = ConnectionFile.Load(path);
        Assert.Equal("tcp://127.0.0.1:1001", file.Address(file.ShellPort));
        Assert.Equal((1002, 1003, 1004, 1005, "secret"), (file.IoPubPort, file.StdinPort, file.ControlPort, file.HeartbeatPort, file.Key));
        Assert.Equal("ipc:///tmp/k-7", (file with { Transport = "ipc", Ip = "/tmp/k" }).Address(7));
    }

    [Theory]
    [InlineData("1001", "0", "'shell_port' is not a port")]
    [InlineData("1001", "\"1001\"", "'shell_port' is not a port")]
    [InlineData("\"hb_port\": 1005, ", "", "'hb_port' is not a port")]
    [InlineData("\"tcp\"", "\"tcpp\"", "Did you mean 'tcp'?")]
    [InlineData("\"secret\"", "7", "'key' is not a text")]
    [InlineData("hmac-sha256", "hmac-md5", "'hmac-md5' are not known")]
    [InlineData("}", "", "is wrong")]
    [InlineData("1001", "1001e99999", "'shell_port' is not a port")]
    public void What_is_wrong_is_said(string old, string replacement, string message)
    {
        File.WriteAllText(path, Good.Replace(old, replacement, StringComparison.Ordinal));
        BadFileException e = Assert.Throws<BadFileException>(() => ConnectionFile.Load(path));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_files_are_refused()
    {
        string Refusal(string path) => Assert.Throws<BadFileException>(() => ConnectionFile.Load(path)).Message;
        Assert.Contains("cannot be read", Refusal(path + ".none"), StringComparison.Ordinal);
        File.WriteAllText(path, "[]");
        Assert.Contains("not a JSON object", Refusal(path), StringComparison.Ordinal);
        File.WriteAllBytes(path, new byte[1 << 17]);
        Assert.Contains("more than 65536", Refusal(path), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_library_it_is_said_what_to_install()
    {
        string message = Assert.Throws<AdmmKitException>(() => LibZmq.Find(["libzmq.so.5", "libzmq.so"], _ => 0)).Message;
        Assert.Contains("tried: libzmq.so.5, libzmq.so", message, StringComparison.Ordinal);
        Assert.Contains("apt install libzmq5", message, StringComparison.Ordinal);
        Assert.Equal(7, LibZmq.Find(["first", "second"], name => name == "second" ? 7 : 0));
    }

    [ZmqFact]
    public void An_address_in_use_is_said()
    {
        using var client = new KernelClient();
        AdmmKitException e = Assert.Throws<AdmmKitException>(() => new Wire(
            client.Connection with { Transport = "tcp", Ip = "203.0.113.1" }, (_, _) => { }, () => { }, TextWriter.Null));
        Assert.Contains("could not bind to tcp://203.0.113.1:1", e.Message, StringComparison.Ordinal);
    }
}
