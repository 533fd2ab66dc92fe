using System.Diagnostics;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Storage.Indexing;

namespace AdmmKit.Tests.Storage;

/// <summary>What every index format must do.</summary>
public class IndexFormatTests
{
    private static readonly LayerInfo Small = Layer("small", 7, 9);

    public static TheoryData<string> Formats => [.. IndexFormats.All.Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Formats))]
    public void Positions_come_back_and_take_the_bits_that_were_counted(string name)
    {
        IIndexFormat format = IndexFormats.Named(name);
        foreach ((LayerInfo layer, int[] positions) in Cases())
        {
            IndexSize size = format.Measure(layer, positions);
            var writer = new ByteWriter();
            // An index need not begin or end at a whole byte.
            writer.Bits(5, 3);
            format.Write(writer, layer, positions);
            string what = $"{name}, {layer.Name}, {positions.Length} survivors";
            Assert.True(writer.BitCount - 3 == size.Bits, $"{what}: {writer.BitCount - 3} bits written, {size.Bits} counted");
            Assert.True(size.SideBits >= 0 && size.EscapeBits >= 0 && size.SideBits + size.EscapeBits <= size.Bits, what);
            writer.Bits(1, 1);
            writer.Pad();
            var reader = new ByteReader(writer.Written.Span);
            Assert.Equal(5u, reader.Bits(3));
            int[] read = format.Read(ref reader, layer, positions.Length);
            Assert.True(positions.AsSpan().SequenceEqual(read), what);
            Assert.Equal(1u, reader.Bits(1));
            reader.Pad();
            Assert.Equal(0, reader.RemainingBits);
        }
    }

    [Theory]
    // 63 weights: 6 bits a position.
    [InlineData("fixed", 5 * 6, 0, 0, 6)]
    // Gaps 3 0 0 0 37: 4 bits take five codes and two escapes, 28 bits; 3 bits take five escapes, 30; 5 and 6 bits take 30, too.
    [InlineData("relative", 5 + 28, 5, 8, 4)]
    [InlineData("bitmap", 63, 0, 0, 1)]
    // Six row pointers that count to 5, and columns of 9.
    [InlineData("csr", (6 * 3) + (5 * 4), 18, 0, 4)]
    // Before the runs 3 and 37 - 1 pruned weights, 6 bits each; runs of 4 - 1 and 1 - 1 survivors, 3 escapes and 2 codes of a bit.
    [InlineData("run-length", 10 + 12 + 5, 10, 3, 6)]
    // An alphabet of one gap: a table of two lengths, then a bit a gap, and for 3 and 37 another 6 bits.
    [InlineData("huffman", 4 + 8 + 5 + (2 * 6), 12, 14, 0)]
    public void Five_survivors_take_what_one_counts_by_hand(string name, long bits, long side, long escapes, int width) =>
        Assert.Equal(new IndexSize(bits, side, escapes, width), IndexFormats.Named(name).Measure(Small, [3, 4, 5, 6, 44]));

    [Theory]
    [MemberData(nameof(Formats))]
    public void Bits_that_mean_nothing_are_an_error(string name)
    {
        IIndexFormat format = IndexFormats.Named(name);
        LayerInfo[] layers = [Small, Layer("wide", 3, 1000), Layer("one", 1, 1), Layer("tall", 300, 2)];
        var random = new RandomStream(1, "hostile index");
        var bytes = new byte[600];
        int valid = 0, bad = 0;
        for (int trial = 0; trial < 4000; trial++)
        {
            LayerInfo layer = layers[random.NextInt(layers.Length)];
            int survivors = random.NextInt(4) == 0 ? random.NextInt(2) : random.NextInt(layer.WeightCount + 1);
            Span<byte> source = bytes.AsSpan(0, random.NextInt(bytes.Length));
            Damaged(format, layer, survivors, random, source);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                var reader = new ByteReader(source);
                int[] positions = format.Read(ref reader, layer, survivors);
                Assert.Equal(survivors, positions.Length);
                IndexFormats.Check(layer, positions);
                valid++;
            }
            catch (BadFileException e)
            {
                Assert.NotEmpty(e.Message);
                bad++;
            }

            // The survivors, a code table of at most 4,097 symbols or what an adaptive code learns, and an error.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400_000);
        }

        Assert.True(valid > 20 && bad > 200, $"{valid} valid, {bad} bad");
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_truncation_is_an_error(string name)
    {
        IIndexFormat format = IndexFormats.Named(name);
        int[] positions = Masks.Random(Small, 20, 1);
        var writer = new ByteWriter();
        format.Write(writer, Small, positions);
        writer.Pad();
        for (int length = 0; length < writer.Written.Length; length++)
        {
            ReadOnlyMemory<byte> cut = writer.Written[..length];
            Assert.Throws<BadFileException>(() => Read(format, cut, Small, positions.Length));
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Wrong_arguments_are_refused(string name)
    {
        IIndexFormat format = IndexFormats.Named(name);
        foreach (int[] wrong in (int[][])[[3, 3], [4, 3], [-1], [63]])
        {
            var e = Assert.Throws<AdmmKitException>(() => format.Measure(Small, wrong));
            Assert.Contains("'small'", e.Message, StringComparison.Ordinal);
            Assert.Throws<AdmmKitException>(() => format.Write(new ByteWriter(), Small, wrong));
        }

        var plenty = new byte[100_000];
        Assert.Throws<BadFileException>(() => Read(format, plenty, Small, 64));
        Assert.Throws<BadFileException>(() => Read(format, plenty, Small, -1));
    }

    [Fact]
    public void The_best_format_depends_on_the_layer()
    {
        LayerInfo layer = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10).Layers[2];
        int[][] masks = [[], [399_999], Masks.Random(layer, 4000, 1), Masks.Random(layer, 200_000, 1), Clustered(layer)];
        foreach (int[] positions in masks)
        {
            (IIndexFormat best, IndexSize size) = IndexFormats.Best(layer, positions);
            Assert.Equal(IndexFormats.All.Min(f => f.Measure(layer, positions).Bits), size.Bits);
            Assert.Equal(best.Measure(layer, positions), size);
        }

        Assert.Equal("fixed", IndexFormats.Best(layer, [399_999]).Format.Name);
        Assert.Equal("coded", IndexFormats.Best(layer, Masks.Random(layer, 4000, 1)).Format.Name);
        Assert.Equal("bitmap", IndexFormats.Best(layer, Masks.Random(layer, 200_000, 1)).Format.Name);
        Assert.Equal("run-length", IndexFormats.Best(layer, Clustered(layer)).Format.Name);
    }

    [Fact]
    public void An_unknown_format_is_an_error_that_suggests_one()
    {
        var e = Assert.Throws<AdmmKitException>(() => IndexFormats.Named("relativ"));
        Assert.Contains("Did you mean 'relative'?", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_relative_width_is_the_best_of_all()
    {
        foreach ((LayerInfo layer, int[] positions) in Cases().Where(c => c.Layer.WeightCount < 30_000))
        {
            IndexSize size = new RelativeIndex().Measure(layer, positions);
            bool contiguous = positions.Length == 0 || positions[^1] == positions.Length - 1;
            Assert.Equal(contiguous ? 0 : Enumerable.Range(1, 31).Min(w => Masks.RelativeBits(positions, w)), size.Bits - size.SideBits);
            Assert.Equal(contiguous ? 0 : Masks.RelativeBits(positions, size.Width), size.Bits - size.SideBits);
        }
    }

    [Fact]
    public void Huffman_codes_are_never_longer_than_their_table_can_say()
    {
        // Fibonacci's numbers give the deepest tree that their sum allows: 40 levels here, and 15 can be written.
        var frequencies = new long[41];
        (frequencies[0], frequencies[1]) = (1, 1);
        for (int i = 2; i < frequencies.Length; i++)
        {
            frequencies[i] = frequencies[i - 1] + frequencies[i - 2];
        }

        byte[] lengths = HuffmanCode.BestLengths(frequencies);
        Assert.Equal(HuffmanCode.MaxLength, lengths.Max());
        Assert.True(new HuffmanCode(lengths).IsComplete);
        // Without a limit the code is the best there is: a dyadic source takes its entropy.
        Assert.Equal([3, 3, 2, 1, 0], HuffmanCode.BestLengths([1, 1, 2, 4, 0]));
        Assert.False(new HuffmanCode([1, 1, 1]).IsComplete);
        Assert.False(new HuffmanCode([2, 1, 0]).IsComplete);
        Assert.False(new HuffmanCode([2]).IsComplete);
    }

    [Fact]
    public void A_layer_of_a_hundred_million_weights_is_measured_at_once()
    {
        LayerInfo layer = Layer("fc6", 4096, 25_088);
        var positions = new int[4_450_000];
        var random = new RandomStream(1, "big layer");
        for (int k = 0, next = 0; k < positions.Length; k++)
        {
            next += random.NextInt(45);
            positions[k] = next++;
        }

        var clock = Stopwatch.StartNew();
        long before = GC.GetAllocatedBytesForCurrentThread();
        (IIndexFormat format, IndexSize size) = IndexFormats.Best(layer, positions);
        // The coded index takes a copy of the positions and its own bytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 60_000_000);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
        // 45 gaps that are alike: log2 45 = 5.49 bits each.
        Assert.Equal("coded", format.Name);
        Assert.InRange((double)size.Bits / positions.Length, Math.Log2(45), Math.Log2(45) + 0.1);
    }

    internal static LayerInfo Layer(string name, int rows, int columns) =>
        new(name, LayerKind.FullyConnected, rows, columns, 1, 1, (long)rows * columns);

    private static IEnumerable<(LayerInfo Layer, int[] Positions)> Cases()
    {
        LayerInfo[] layers =
        [
            Small, Layer("one", 1, 1), Layer("row", 1, 4099), Layer("column", 513, 1), Layer("eight", 8, 8),
            .. NetworkSpec.LeNet5(NetworkSpec.Mnist, 10).Layers,
        ];
        foreach (LayerInfo layer in layers)
        {
            int n = layer.WeightCount;
            yield return (layer, []);
            yield return (layer, [.. Enumerable.Range(0, n)]);
            yield return (layer, [0]);
            yield return (layer, [n / 2]);
            yield return (layer, [n - 1]);
            yield return (layer, [.. Enumerable.Range(0, n).Where(i => i % 2 == 1)]);
            yield return (layer, [.. new[] { 0, n / 3, n - 1 }.Distinct()]);
            yield return (layer, Clustered(layer));
            foreach (double keep in new[] { 0.005, 0.1, 0.5, 0.97 })
            {
                yield return (layer, Masks.Random(layer, (int)(n * keep), 1));
            }
        }

        // A gap beyond every alphabet and short code, among many short ones.
        yield return (Layer("huge gap", 30_000, 1000), [.. Enumerable.Range(0, 500).Select(i => i * 3), 29_999_999]);
    }

    private static int[] Clustered(LayerInfo layer)
    {
        var random = new RandomStream(1, "clusters of " + layer.Name);
        var positions = new SortedSet<int>();
        for (int cluster = 0; cluster < 5; cluster++)
        {
            int start = random.NextInt(layer.WeightCount);
            positions.UnionWith(Enumerable.Range(start, Math.Min(layer.WeightCount / 12, layer.WeightCount - start)));
        }

        return [.. positions];
    }

    /// <summary>Fills bytes with what the format writes for that many survivors, some bits changed, or with random bits.</summary>
    private static void Damaged(IIndexFormat format, LayerInfo layer, int survivors, RandomStream random, Span<byte> bytes)
    {
        foreach (ref byte b in bytes)
        {
            b = (byte)random.NextInt(256);
        }

        if (random.NextInt(3) == 0)
        {
            return;
        }

        var writer = new ByteWriter();
        format.Write(writer, layer, Masks.Random(layer, survivors, random.NextUInt64()));
        writer.Pad();
        writer.Written.Span[..Math.Min(bytes.Length, writer.Written.Length)].CopyTo(bytes);
        for (int flips = random.NextInt(4); flips > 0 && bytes.Length > 0; flips--)
        {
            bytes[random.NextInt(Math.Min(bytes.Length, writer.Written.Length + 1))] ^= (byte)(1 << random.NextInt(8));
        }
    }

    private static int[] Read(IIndexFormat format, ReadOnlyMemory<byte> bytes, LayerInfo layer, int survivors)
    {
        var reader = new ByteReader(bytes.Span);
        return format.Read(ref reader, layer, survivors);
    }
}
