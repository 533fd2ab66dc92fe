using System.IO.Compression;
using System.Security.Cryptography;
using AdmmKit.Engine.Data;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Data;

public class IdxFileTests
{
    private static IdxFile Read(byte[] bytes) => IdxFile.Read(new MemoryStream(bytes), "some-file");

    private static string Refusal(byte[] bytes)
    {
        string message = Assert.Throws<BadFileException>(() => Read(bytes)).Message;
        Assert.StartsWith("'some-file' ", message, StringComparison.Ordinal);
        return message;
    }

    [Theory]
    [InlineData(false, new[] { 5, 3, 4 })]
    [InlineData(true, new[] { 5, 3, 4 })]
    [InlineData(true, new[] { 5, 2, 3, 4 })]
    [InlineData(false, new[] { 7 })]
    [InlineData(true, new[] { 2000, 32, 33 })]
    public void Whole_files_are_read_back(bool gzip, int[] dimensions)
    {
        byte[] values = TemporaryFolder.Ramp(dimensions.Aggregate(1, (a, b) => a * b));
        byte[] bytes = TemporaryFolder.Idx(values, dimensions);
        IdxFile file = Read(gzip ? TemporaryFolder.Gzip(bytes) : bytes);
        Assert.Equal(dimensions, file.Dimensions);
        Assert.True(file.Values.Span.SequenceEqual(values));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), file.Sha256);
        Assert.Equal((dimensions[0], dimensions.Length == 1), (file.Count, file.HoldsLabels));
    }

    [Fact]
    public void Shapes_come_from_the_dimensions()
    {
        Assert.Equal(new ImageShape(1, 3, 4), Read(TemporaryFolder.Idx(new byte[12], 1, 3, 4)).Shape);
        Assert.Equal(new ImageShape(3, 2, 1), Read(TemporaryFolder.Idx(new byte[6], 1, 3, 2, 1)).Shape);
        IdxFile labels = Read(TemporaryFolder.Idx(new byte[6], 6));
        Assert.Contains("holds labels", Assert.Throws<BadFileException>(() => labels.Shape).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_magic_numbers_are_named()
    {
        Assert.Contains("0x89504e47", Refusal([0x89, 0x50, 0x4E, 0x47, 0, 0, 0, 0]), StringComparison.Ordinal);
        Assert.Contains("element type 0x0d", Refusal([0, 0, 0x0D, 3, 0, 0, 0, 0]), StringComparison.Ordinal);
        Assert.Contains("has 2 dimensions", Refusal([0, 0, 8, 2, 0, 0, 0, 0]), StringComparison.Ordinal);
        Assert.Contains("has 255 dimensions", Refusal([0, 0, 8, 255, 0, 0, 0, 0]), StringComparison.Ordinal);
    }

    [Fact]
    public void Truncated_files_say_how_much_is_missing()
    {
        byte[] whole = TemporaryFolder.Idx(new byte[60], 5, 3, 4);
        Assert.Contains("before its four-byte magic number", Refusal([]), StringComparison.Ordinal);
        Assert.Contains("before its dimensions", Refusal(whole[..14]), StringComparison.Ordinal);
        Assert.Contains("declares 60 bytes of values but only 59", Refusal(whole[..^1]), StringComparison.Ordinal);
        Assert.Contains("but only 0 ", Refusal(whole[..16]), StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_after_the_end_are_refused()
    {
        byte[] tooLong = [.. TemporaryFolder.Idx(new byte[60], 5, 3, 4), 0];
        Assert.Contains("after the 60 bytes", Refusal(tooLong), StringComparison.Ordinal);
        Assert.Contains("after the 60 bytes", Refusal(TemporaryFolder.Gzip(tooLong)), StringComparison.Ordinal);
    }

    [Fact]
    public void Impossible_dimensions_are_refused_before_anything_is_allocated()
    {
        Assert.Contains("more than 1073741824", Refusal(TemporaryFolder.Idx([], 1 << 20, 1 << 10, 2)), StringComparison.Ordinal);
        Assert.Contains("more than 1073741824", Refusal(TemporaryFolder.Idx([], -1, -1, -1, -1)), StringComparison.Ordinal);
        Assert.Contains("dimension 2 as 0", Refusal(TemporaryFolder.Idx([], 5, 0, 4)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_that_lies_about_its_size_costs_no_memory()
    {
        byte[] lying = TemporaryFolder.Gzip(TemporaryFolder.Idx(new byte[100], 1 << 30));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("declares 1073741824 bytes", Refusal(lying), StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
    }

    [Fact]
    public void A_gzip_bomb_is_refused_early()
    {
        // 64 KB that hold 64 MiB: behind the values that are declared, declared in honesty, and the start of a gigabyte.
        byte[] Bomb(byte[] start) => TemporaryFolder.Gzip([.. start, .. new byte[64 << 20]], CompressionLevel.Optimal);
        (byte[], string)[] bombs =
        [
            (Bomb(TemporaryFolder.Idx(new byte[60], 5, 3, 4)), "after the 60 bytes"),
            (Bomb(TemporaryFolder.Idx([], 64 << 20)), "more than 64 times"),
            (Bomb(TemporaryFolder.Idx([], 1 << 30)), "declares 1073741824 bytes"),
        ];
        foreach ((byte[] bomb, string message) in bombs)
        {
            Assert.InRange(bomb.Length, 0, 100_000);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Contains(message, Refusal(bomb), StringComparison.Ordinal);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
        }
    }

    [Fact]
    public void Images_that_are_nearly_empty_are_no_bomb()
    {
        byte[] gzip = TemporaryFolder.Gzip(TemporaryFolder.Idx(new byte[16 << 20], 16 << 20));
        Assert.Equal(16 << 20, Read(gzip).Count);
    }

    [Fact]
    public void Damaged_gzip_is_refused()
    {
        byte[] good = TemporaryFolder.Gzip(TemporaryFolder.Idx(TemporaryFolder.Ramp(600), 50, 3, 4));
        good[^6] ^= 1; // in the checksum
        Assert.Contains("does not decompress", Refusal(good), StringComparison.Ordinal);
        Refusal(good[..(good.Length / 2)]);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var e = Assert.Throws<BadFileException>(() => IdxFile.Read("/no/such/file-idx3-ubyte"));
        Assert.Contains("/no/such/file-idx3-ubyte", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("images")]
    [InlineData("labels")]
    [InlineData("images, gzip")]
    [InlineData("labels, gzip")]
    public void Ten_thousand_mutants_are_errors_or_files_and_nothing_else(string kind)
    {
        byte[][] sources = kind.StartsWith("images", StringComparison.Ordinal)
            ? [TemporaryFolder.Idx(TemporaryFolder.Ramp(60), 5, 3, 4), TemporaryFolder.Idx(TemporaryFolder.Ramp(48), 2, 2, 3, 4), TemporaryFolder.Idx(TemporaryFolder.Ramp(2), 1, 1, 2)]
            : [TemporaryFolder.Idx(TemporaryFolder.Ramp(9), 9), TemporaryFolder.Idx(TemporaryFolder.Ramp(300, 10), 300), TemporaryFolder.Idx([7], 1)];
        IEnumerable<byte[]> everyCount = sources.SelectMany(s => Mutants.OfEveryCount(s, Enumerable.Range(0, Math.Min(s.Length, 40))));
        bool gzip = kind.EndsWith("gzip", StringComparison.Ordinal);
        // A mutant of a gzip file mostly fails in there; packing the mutant of a plain one reaches what is behind.
        IEnumerable<byte[]>[] all = gzip
            ? [Mutants.Of(kind, 5_000, [.. sources.Select(TemporaryFolder.Gzip)]), Mutants.Of(kind, 5_000, sources).Select(TemporaryFolder.Gzip)]
            : [Mutants.Of(kind, 10_000, sources), everyCount];
        foreach (IEnumerable<byte[]> mutants in all)
        {
            Mutants.Outcome outcome = Mutants.Check(mutants, mutant =>
            {
                IdxFile file = Read(mutant);
                return () =>
                {
                    Assert.Equal(file.Values.Length, file.Dimensions.Aggregate(1L, (a, b) => a * b));
                    Assert.All(file.Dimensions, d => Assert.True(d > 0));
                };
            });
            Assert.InRange(outcome.Valid, 10, outcome.Count - 1000);
            Assert.All(outcome.Messages, m => Assert.StartsWith("'some-file' ", m, StringComparison.Ordinal));
        }
    }
}
