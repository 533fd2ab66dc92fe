using System.Buffers.Binary;
using System.Diagnostics;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Storage;

public class HostileFileTests
{
    // A level takes a bit in the file and 6 bytes in memory, hence 48; the rest is the description and the error.
    private static long Bound(int length) => (64L * length) + 65_536;

    [Fact]
    public void Ten_thousand_mutants_are_errors_or_networks_and_nothing_else()
    {
        var clock = Stopwatch.StartNew();
        byte[][] sources = [.. Enumerable.Range(0, 12).Select(i => Small((ulong)i).Bytes())];
        var random = new RandomStream(1, "mutants");
        int valid = 0;
        var messages = new HashSet<string>();
        for (int i = 0; i < 10_000; i++)
        {
            byte[] mutant = Mutate(sources, random);
            if (random.NextInt(10) != 0)
            {
                Reseal(mutant);
            }

            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                CompressedNetwork network = CompressedNetwork.Read(mutant, "mutant");
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Bound(mutant.Length));
                Assert.True(mutant.AsSpan().SequenceEqual(network.Bytes()), "what was read is written in other bytes");
                Assert.Equal(mutant.Length, network.Size.TotalBytes);
                valid++;
            }
            catch (BadFileException e)
            {
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Bound(mutant.Length));
                Assert.StartsWith("'mutant' ", e.Message, StringComparison.Ordinal);
                messages.Add(new string([.. e.Message.Where(c => !char.IsDigit(c))]));
            }
        }

        // Checks of every depth are reached: a harmless change of a bias, and errors of many kinds.
        Assert.InRange(valid, 500, 9_500);
        Assert.True(messages.Count > 20, $"only {messages.Count} kinds of errors");
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), "a mutant hangs the reader");
    }

    [Fact]
    public void Every_truncation_is_an_error()
    {
        byte[] source = Small(3).Bytes();
        for (int length = 0; length < source.Length; length++)
        {
            byte[] cut = source[..length];
            Assert.Throws<BadFileException>(() => CompressedNetwork.Read(cut, "cut"));
            Reseal(cut);
            Assert.Throws<BadFileException>(() => CompressedNetwork.Read(cut, "cut"));
        }
    }

    [Fact]
    public void Trailing_bytes_are_an_error()
    {
        byte[] longer = [.. Small(3).Bytes(), 0];
        Reseal(longer);
        var e = Assert.Throws<BadFileException>(() => CompressedNetwork.Read(longer, "longer"));
        Assert.Contains("after its last layer", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_small_file_may_name_a_big_network_and_costs_little()
    {
        NetworkSpec spec = NetworkSpec.Create("lenet-300-100", new ImageShape(1, 1000, 3000), 10);
        var network = new CompressedNetwork(spec, spec.Layers.Select(l => CompressedLayer.Unquantized(l, [], [], new float[l.Rows])).ToArray());
        byte[] bytes = network.Bytes();
        Assert.Equal((900_000_000 + 31_000, 0), (spec.WeightCount, network.Survivors));
        long before = GC.GetAllocatedBytesForCurrentThread();
        CompressedNetwork.Read(bytes, "big");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Bound(bytes.Length));
    }

    [Fact]
    public void A_count_that_the_file_cannot_hold_takes_no_memory()
    {
        foreach (int survivors in new[] { 899_000_000, 900_000_000, 900_000_001, int.MaxValue })
        {
            var writer = new ByteWriter();
            writer.Bytes("ADMM"u8);
            writer.Byte(1);
            writer.Varint(13);
            writer.Bytes("lenet-300-100"u8);
            foreach (int number in new[] { 1, 1000, 3000, 10, 3 })
            {
                writer.Varint(number);
            }

            writer.Byte(1);
            writer.Single(0.5f);
            writer.Varint(survivors);
            writer.Byte(0);
            writer.Bytes(new byte[2000]);
            byte[] bytes = [.. writer.Written.Span, 0, 0, 0, 0];
            Reseal(bytes);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<BadFileException>(() => CompressedNetwork.Read(bytes, "liar"));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, Bound(bytes.Length));
        }
    }

    [Fact]
    public void An_endless_stream_is_cut_off()
    {
        var e = Assert.Throws<BadFileException>(() => NetworkFile.CheckLength(NetworkFile.MaxBytes + 1L, "endless"));
        Assert.Contains("'endless'", e.Message, StringComparison.Ordinal);
        NetworkFile.CheckLength(NetworkFile.MaxBytes, "long");
    }

    private static CompressedNetwork Small(ulong seed)
    {
        var random = new RandomStream(seed, "small network");
        NetworkSpec spec = seed % 2 == 0
            ? NetworkSpec.Create("lenet-300-100", new ImageShape(1, 2, 3), 2)
            : NetworkSpec.Create("lenet5", new ImageShape(1, 16, 16), 3);
        return new CompressedNetwork(spec, spec.Layers.Select(l =>
            RandomNetworks.Layer(l, random, l.WeightCount < 700 && seed % 3 == 0 ? 1 : 0.003, seed % 5 == 0 ? 32 : 1 + (int)(seed % 8), codebook: seed % 4 == 3)).ToArray());
    }

    private static byte[] Mutate(byte[][] sources, RandomStream random)
    {
        byte[] source = sources[random.NextInt(sources.Length)];
        byte[] mutant = [.. source];
        // The first bytes hold the counts; a uniform choice would mostly hit biases.
        int end = random.NextInt(2) == 0 ? Math.Min(60, mutant.Length) : mutant.Length;
        int at = random.NextInt(end);
        switch (random.NextInt(6))
        {
            case 0:
                return mutant[..at];
            case 1:
                for (int flips = 1 + random.NextInt(8); flips > 0; flips--)
                {
                    mutant[random.NextInt(end)] ^= (byte)(1 << random.NextInt(8));
                }

                return mutant;
            case 2:
                byte[] other = sources[random.NextInt(sources.Length)];
                int from = random.NextInt(other.Length);
                return [.. mutant[..at], .. other[from..]];
            case 3:
                byte[][] counts = [[0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x80, 0x00], [0xC0, 0x84, 0x3D], [0xFF]];
                byte[] count = counts[random.NextInt(counts.Length)];
                return [.. mutant[..at], .. count, .. mutant[Math.Min(at + 1, mutant.Length)..]];
            case 4:
                int removed = Math.Min(1 + random.NextInt(4), mutant.Length - at);
                return [.. mutant[..at], .. mutant[(at + removed)..]];
            default:
                mutant[at] = (byte)random.NextInt(256);
                return mutant;
        }
    }

    private static void Reseal(byte[] bytes)
    {
        if (bytes.Length >= 4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan()[^4..], Crc32.Compute(bytes.AsSpan()[..^4]));
        }
    }
}
