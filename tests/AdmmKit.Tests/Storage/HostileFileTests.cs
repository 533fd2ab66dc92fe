using System.Buffers.Binary;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Storage;

public class HostileFileTests
{
    // A level takes a bit in the file and 6 bytes in memory, hence 48; the rest is the description and the error.
    private const long Allowance = 65_536;

    private static long Bound(int length) => (64L * length) + Allowance;

    [Fact]
    public void Ten_thousand_mutants_are_errors_or_networks_and_nothing_else()
    {
        byte[][] sources = [.. Enumerable.Range(0, 12).Select(i => Small((ulong)i).Bytes()), Residual().Bytes()];
        Mutants.Outcome raw = Check(Mutants.Of("compressed networks", 10_000, sources));
        // All but the checksum of a mutant is wrong only by accident; with the checksum made right the checks behind it are reached.
        Mutants.Outcome sealedAgain = Check(Mutants.Of("compressed networks", 10_000, sources).Select(Resealed));
        Assert.Equal((10_000, 10_000), (raw.Count, sealedAgain.Count));
        Assert.InRange(sealedAgain.Valid, 500, 9_500);
        Assert.True(sealedAgain.Messages.Count > 20, $"only {sealedAgain.Messages.Count} kinds of errors");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_huge_count_anywhere_but_in_a_bias_is_an_error_or_a_network(ulong seed)
    {
        CompressedNetwork network = Small(seed);
        var places = new List<int>(Enumerable.Range(0, network.Size.HeaderBytes));
        int start = network.Size.HeaderBytes;
        foreach (LayerSize layer in network.Size.Layers)
        {
            places.AddRange(Enumerable.Range(start, (int)((layer.TotalBits - layer.BiasBits) / 8)));
            start += (int)(layer.TotalBits / 8);
        }

        Mutants.Outcome outcome = Check(Mutants.OfEveryCount(network.Bytes(), places).Select(Resealed));
        Assert.True(outcome.Messages.Count > 10, $"only {outcome.Messages.Count} kinds of errors");
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
    public void Damage_among_batch_normalizations_is_found()
    {
        CompressedNetwork network = Residual();
        byte[] source = network.Bytes();
        int start = (int)(source.Length - 4 - (network.Size.NormalizationBits / 8));
        for (int cut = start; cut < source.Length; cut += 97)
        {
            byte[] shorter = source[..cut];
            Reseal(shorter);
            Assert.Throws<BadFileException>(() => CompressedNetwork.Read(shorter, "cut"));
        }

        // The first scale, the first variance (after scales, shifts and means of 16 channels) and the last one.
        foreach ((int at, float value, string message) in new[]
        {
            (start, float.NaN, "'bn1' has NaN at index 0"), (start + 192, -1f, "'bn1' has -1 at index 48"),
            (source.Length - 8, float.PositiveInfinity, "'layer3.2.bn2' has Infinity at index 255"),
        })
        {
            byte[] damaged = [.. source];
            BinaryPrimitives.WriteSingleLittleEndian(damaged.AsSpan(at), value);
            Reseal(damaged);
            Assert.Contains(message, Assert.Throws<BadFileException>(() => CompressedNetwork.Read(damaged, "x")).Message, StringComparison.Ordinal);
        }

        byte[] negativeMean = [.. source];
        BinaryPrimitives.WriteSingleLittleEndian(negativeMean.AsSpan(start + 128), -1);
        Reseal(negativeMean);
        Assert.Equal(-1, CompressedNetwork.Read(negativeMean, "mean").Normalizations[0][32]);
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

    private static Mutants.Outcome Check(IEnumerable<byte[]> mutants) => Mutants.Check(mutants, mutant =>
    {
        CompressedNetwork network = CompressedNetwork.Read(mutant, "mutant");
        return () =>
        {
            Assert.True(mutant.AsSpan().SequenceEqual(network.Bytes()), "what was read is written in other bytes");
            Assert.Equal(mutant.Length, network.Size.TotalBytes);
        };
    }, Allowance);

    /// <summary>A network of a few kilobytes with sparse and dense, quantized, float32 and empty layers.</summary>
    private static CompressedNetwork Small(ulong seed)
    {
        var random = new RandomStream(seed, "small network");
        NetworkSpec spec = seed % 2 == 0
            ? NetworkSpec.Create("lenet-300-100", new ImageShape(1, 2, 3), 2)
            : NetworkSpec.Create("lenet5", new ImageShape(1, 16, 16), 3);
        return new CompressedNetwork(spec, [.. spec.Layers.Select((l, i) => RandomNetworks.Layer(
            l, random,
            keep: ((int)seed / 2 + i) % 5 == 0 ? 0 : l.WeightCount < 700 ? 1 : 0.003,
            bits: (seed + (ulong)i) % 4 == 0 ? CompressedLayer.FloatBits : 1 + (int)((seed + (ulong)i) % 8),
            codebook: (seed + (ulong)i) % 4 == 3))]);
    }

    /// <summary>A sparse residual network with its batch normalizations.</summary>
    private static CompressedNetwork Residual()
    {
        var random = new RandomStream(5, "residual network");
        NetworkSpec spec = NetworkSpec.Create("resnet20", new ImageShape(3, 8, 8), 2);
        return new CompressedNetwork(
            spec, [.. spec.Layers.Select(l => RandomNetworks.Layer(l, random, 0.01, 3))], RandomNetworks.Normalizations(spec, random));
    }

    private static byte[] Resealed(byte[] mutant)
    {
        byte[] bytes = [.. mutant];
        Reseal(bytes);
        return bytes;
    }

    private static void Reseal(byte[] bytes)
    {
        if (bytes.Length >= 4)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan()[^4..], Crc32.Compute(bytes.AsSpan()[..^4]));
        }
    }
}
