using System.Globalization;
using AdmmKit.Networks;
using AdmmKit.Storage;

namespace AdmmKit.Tests.Storage;

public class HostileFileTests
{
    // What a coder learns, the counts of rows and columns, survivors that cost next to nothing (PositionModel, ValueModel), the error.
    private const long Allowance = 4_000_000;

    // ADMMKIT_MUTANTS sets how many; a hundred thousand take some minutes.
    private static readonly int Wanted = int.TryParse(Environment.GetEnvironmentVariable("ADMMKIT_MUTANTS"), CultureInfo.InvariantCulture, out int count) ? count : 10_000;

    private static long Bound(int length) => (64L * length) + Allowance;

    [Fact]
    public void Mutants_are_errors_or_networks_and_nothing_else()
    {
        byte[][] sources = [.. Enumerable.Range(0, 12).Select(i => Small((ulong)i).Bytes()), Residual().Bytes(), Graph().Bytes()];
        Mutants.Outcome raw = Check(Mutants.Of("compressed networks", Wanted, sources));
        // All but the checksum of a mutant is wrong only by accident; with the checksum made right the checks behind it are reached.
        Mutants.Outcome sealedAgain = Check(Mutants.Of("compressed networks", Wanted, sources).Select(Resealed));
        Assert.Equal((Wanted, Wanted), (raw.Count, sealedAgain.Count));
        Assert.InRange(sealedAgain.Valid, Wanted / 100, Wanted * 99 / 100);
        Assert.True(sealedAgain.Messages.Count > 10, $"only {sealedAgain.Messages.Count} kinds of errors");
    }

    [Fact]
    public void Every_truncation_is_an_error()
    {
        byte[] source = Small(3).Bytes();
        for (int length = 0; length < source.Length; length++)
        {
            byte[] cut = source[..length];
            Assert.Throws<BadFileException>(() => CompressedNetwork.Read(cut, "cut"));
        }

        // With a checksum made right, what is left may by chance be the code of another network.
        Mutants.Outcome outcome = Check(Enumerable.Range(0, 200).Select(i => Resealed(source[..(i * source.Length / 200)])));
        Assert.InRange(outcome.Valid, 0, 5);
    }

    [Fact]
    public void Trailing_bytes_are_an_error()
    {
        byte[] longer = [.. Small(3).Bytes(), 0];
        NetworkFile.Seal(longer);
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

    /// <summary>A network that the library has no name for, so that the file has its graph.</summary>
    private static CompressedNetwork Graph()
    {
        var random = new RandomStream(6, "graph");
        var spec = new NetworkSpec("somebody's", new ImageShape(1, 8, 8),
            [new Node.Convolution("a", 4, 3, Groups: 1), new Node.BatchNorm("b"), new Node.Convolution("c", 4, 3, Groups: 4), new Node.Relu(), new Node.FullyConnected("d", 3)]);
        return new CompressedNetwork(spec, [.. spec.Layers.Select(l => RandomNetworks.Layer(l, random, 0.3, 3))], RandomNetworks.Normalizations(spec, random));
    }

    private static byte[] Resealed(byte[] mutant)
    {
        byte[] bytes = [.. mutant];
        NetworkFile.Seal(bytes);
        return bytes;
    }
}
