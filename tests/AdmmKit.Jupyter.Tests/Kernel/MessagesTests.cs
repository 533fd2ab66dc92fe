using System.Text;
using System.Text.Json.Nodes;
using AdmmKit.Jupyter.Kernel;

namespace AdmmKit.Jupyter.Tests.Kernel;

public class MessagesTests
{
    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    // From Python: hmac.new(key.encode(), "".join(parts).encode(), "sha256").hexdigest().
    [Theory]
    [InlineData(
        KernelClient.Key, """{"msg_id":"1","msg_type":"execute_request"}|{}|{}|{"code":"1 + 1"}""",
        "9e3efa71e84f2cd443300aec34073a4d9686475f5fd460db030b795288435ded")]
    [InlineData("schlüssel", """{}|{}|{}|{"text":"äö"}""", "fa7357798f24ca071631badcd08b2ad1871c0b1871ec9ae3e4de8d9990235356")]
    [InlineData("k", "|||", "8bb990c40a7d61cb97597a942125025be50ac8beb74436e3735b98893a7f6620")]
    [InlineData("", "{}|{}|{}|{}", "")]
    public void Signatures_are_those_of_python(string key, string parts, string signature) =>
        Assert.Equal(signature, Encoding.ASCII.GetString(new Signer(key).Sign([.. parts.Split('|').Select(Bytes)])));

    [Fact]
    public void What_is_written_is_read()
    {
        var messages = new Messages(new Signer("key"));
        byte[][] parts = messages.Write([[1], [2, 3]], "execute_request", Bytes("""{"msg_id":"p"}"""), new() { ["code"] = "x" });
        Request request = messages.Read(Channel.Shell, parts, out _)!;
        Assert.Equal(("execute_request", "x"), (request.Type, request.Text("code")));
        Assert.Equal([[1], [2, 3]], request.Identities);
        Assert.Null(messages.Read(Channel.Shell, parts, out string wrong));
        Assert.Contains("used before", wrong, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Any_changed_part_makes_the_signature_wrong(int part)
    {
        byte[][] parts = new Messages(new Signer("key")).Write([], "a", null, new() { ["code"] = "x" });
        parts[part] = [.. parts[part], (byte)' '];
        Assert.Null(new Messages(new Signer("key")).Read(Channel.Shell, parts, out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123")]
    [InlineData("ABCDEF")]
    public void A_signature_of_another_length_is_wrong(string signature)
    {
        byte[][] parts = new Messages(new Signer("key")).Write([], "a", null, []);
        parts[1] = Bytes(signature);
        Assert.Null(new Messages(new Signer("key")).Read(Channel.Shell, parts, out _));
    }

    [Theory]
    [InlineData("", "{}")]
    [InlineData("[]", "{}")]
    [InlineData("{}", "{}")]
    [InlineData("""{"msg_type":1}""", "{}")]
    [InlineData("""{"msg_type":"\ud800"}""", "{}")]
    [InlineData("""{"msg_type":"a"}""", "[]")]
    [InlineData("""{"msg_type":"a"}""", "{")]
    public void Parts_that_are_not_the_protocols_are_refused(string header, string content)
    {
        byte[][] parts = [Bytes("<IDS|MSG>"), [], Bytes(header), Bytes("{}"), Bytes("{}"), Bytes(content)];
        Assert.Null(new Messages(new Signer("")).Read(Channel.Shell, parts, out string wrong));
        Assert.NotEmpty(wrong);
    }

    [Fact]
    public void No_damage_throws()
    {
        var messages = new Messages(new Signer(""));
        byte[][] good = messages.Write([[1]], "execute_request", null, new() { ["code"] = "x", ["list"] = new JsonArray(1, "ä") });
        var random = new RandomStream(1, "damaged messages", 0);
        int read = 0;
        for (int i = 0; i < 10_000; i++)
        {
            byte[][] parts = [.. good.Select(p => (byte[])p.Clone())];
            for (int changes = 1 + random.NextInt(3); changes > 0; changes--)
            {
                int part = random.NextInt(parts.Length);
                if (random.NextInt(4) == 0)
                {
                    parts = [.. parts[..part], .. parts[(part + 1)..]];
                }
                else if (parts[part].Length > 0)
                {
                    parts[part][random.NextInt(parts[part].Length)] = (byte)random.NextUInt64();
                }
            }

            read += messages.Read(Channel.Shell, parts, out _) is null ? 0 : 1;
        }

        Assert.InRange(read, 1, 9999);
    }

    [Theory]
    [InlineData("a😀b", 0, 0)]
    [InlineData("a😀b", 2, 3)]
    [InlineData("a😀b", 3, 4)]
    [InlineData("\ud83d", 1, 1)]
    public void Places_are_counted_both_ways(string text, int codePoints, int units)
    {
        Assert.Equal(units, CodePoints.ToUtf16(text, codePoints));
        Assert.Equal(codePoints, CodePoints.FromUtf16(text, units));
        Assert.Equal(text.Length, CodePoints.ToUtf16(text, int.MaxValue));
    }
}
