using System.Security.Cryptography;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Storage.Coding;
using AdmmKit.Tests.Engine;

namespace AdmmKit.Tests.Storage;

/// <summary>What the arithmetic code of the file makes of a pruned network's structure, and that it is the same on every machine.</summary>
public class CodedFileTests
{
    private static readonly NetworkSpec LeNet5 = NetworkSpec.Create("lenet5-relu", NetworkSpec.Mnist, 10);

    [Fact]
    public void The_same_network_has_the_same_bytes_on_every_machine()
    {
        CompressedNetwork network = Structured(1, 0.1).WithCompactParameters(4);
        foreach ((CompressedNetwork stored, string golden) in new[]
        {
            (network, "9846f09bf612961c7d721eb92b10ee4ad1e44c3a7c592def15a6988c61029c71"),
            (RandomNetworks.Create(3), "3d2281b34268541d0881eeb316fc319f776207ded854e1ae0493720b41baa0a7"),
        })
        {
            string hash = Convert.ToHexStringLower(SHA256.HashData(stored.Bytes()));
            Assert.True(hash == golden, $"the SHA-256 of the bytes is {hash}");
        }
    }

    [Fact]
    public void Structure_takes_the_index_below_the_bound_of_independent_positions()
    {
        CompressedNetwork network = Structured(1, 0.1);
        var sizes = ModelSizes.Of(network);
        Assert.True(sizes.IndexBits < 0.7 * sizes.IndexBoundBits, $"{sizes.IndexBits} bits, bound {sizes.IndexBoundBits}");
        // The columns of rows that are gone are known to be gone: fc2 reads the 40 live rows of fc1, and hardly says so.
        LayerSizes fc2 = sizes.Layers[3];
        Assert.InRange(fc2.IndexBits, 0, EntropyBound.Log2Binomial(400, fc2.Survivors) + 60);
        Assert.All(sizes.Layers, l => Assert.Equal(l.IndexBits / l.IndexBoundBits, l.IndexOverBound, 1e-9));
    }

    [Fact]
    public void Every_place_may_be_the_only_one()
    {
        NetworkSpec spec = NetworkSpec.Create("lenet-300-100", new ImageShape(1, 2, 3), 2);
        LayerInfo last = spec.Layers[2];
        foreach (int position in new[] { 0, 1, 99, 100, 198, 199 })
        {
            foreach (short level in (short[])[-4, -1, 1, 4])
            {
                CompressedLayer[] layers = [.. spec.Layers.Select(l => CompressedLayer.Quantized(l, 3, 0.1f, [], [], new float[l.Rows]))];
                layers[2] = CompressedLayer.Quantized(last, 3, 0.3f, [position], [level], [0, -0f]);
                CompressedLayer read = CompressedNetwork.Read(new CompressedNetwork(spec, layers).Bytes(), "one").Layers[2];
                Assert.Equal([position], read.Positions);
                Assert.Equal([level], read.Levels);
                Assert.Equal(0.3f, read.Q);
                Assert.Equal(BitConverter.SingleToInt32Bits(-0f), BitConverter.SingleToInt32Bits(read.Biases[1]));
            }
        }
    }

    [Fact]
    public void Intervals_that_half_precision_cannot_hold_come_back_too()
    {
        LayerInfo layer = LeNet5.Layers[3];
        foreach (float q in new[] { 0.1f, 0.25f, (float)(Half)0.1f, 1e-30f, 65_504f, 65_505f, float.Epsilon, (float)Half.Epsilon, 1e30f, 1 + (1 / 32f), 1 + (1 / 64f) })
        {
            CompressedLayer[] layers = [.. LeNet5.Layers.Select(l => CompressedLayer.Quantized(l, 1, q, [0], [1], new float[l.Rows]))];
            layers[3] = layers[3].WithBiasLevels(MathF.Min(q, 1e30f), [.. Enumerable.Range(0, 10).Select(i => (short)((i - 5) * 6_553))]);
            var network = new CompressedNetwork(LeNet5, layers);
            CompressedNetwork read = CompressedNetwork.Read(network.Bytes(), "q");
            Assert.Equal(network.Layers.Select(l => (l.Q, l.BiasQ)), read.Layers.Select(l => (l.Q, l.BiasQ)));
            Assert.Equal(network.Layers[3].Biases, read.Layers[3].Biases);
            Assert.Equal(network.Bytes(), read.Bytes());
        }
    }

    [Fact]
    public void Large_layers_are_coded_by_their_gaps_and_dense_ones_in_time()
    {
        NetworkSpec spec = NetworkSpec.Create("alexnet", new ImageShape(3, 227, 227), 1000);
        var random = new RandomStream(2, "large layers");
        CompressedLayer[] layers = [.. spec.Layers.Select((l, i) =>
        {
            var positions = new List<int>();
            for (int next = random.NextInt(60); next < l.WeightCount; next += 1 + random.NextInt(i == 2 ? 1 : 60))
            {
                positions.Add(next);
            }

            return i == 2
                ? CompressedLayer.Unquantized(l, [.. positions], [.. positions.Select(_ => (float)random.NextDouble(0.1, 1))], new float[l.Rows])
                : CompressedLayer.Quantized(l, 3, 0.01f, [.. positions], [.. positions.Select(_ => (short)(1 + random.NextInt(4)))], new float[l.Rows]);
        })];
        var network = new CompressedNetwork(spec, layers);
        byte[] bytes = network.Bytes();
        CompressedNetwork read = CompressedNetwork.Read(bytes, "large");
        Assert.All(network.Layers.Zip(read.Layers), pair => Assert.True(
            pair.First.Positions.AsSpan().SequenceEqual(pair.Second.Positions) && pair.First.Levels.AsSpan().SequenceEqual(pair.Second.Levels)
            && pair.First.Values.AsSpan().SequenceEqual(pair.Second.Values)));
        Assert.True(bytes.AsSpan().SequenceEqual(read.Bytes()));
        // 61 gaps that are alike: log2 60 = 5.9 bits each.
        var sizes = ModelSizes.Of(network);
        Assert.All(sizes.Layers.Where(l => l.Name.StartsWith("fc", StringComparison.Ordinal)), l => Assert.InRange(l.IndexBits / l.Survivors, 5.5, 6.1));
    }

    [Fact]
    public void Compact_parameters_keep_levels_and_round_biases()
    {
        CompressedNetwork network = Structured(2, 0.1);
        CompressedNetwork compact = network.WithCompactParameters(5);
        Assert.True(compact.Bytes().Length < network.Bytes().Length - 1500);
        foreach ((CompressedLayer before, CompressedLayer after) in network.Layers.Zip(compact.Layers))
        {
            Assert.Equal(before.Positions, after.Positions);
            Assert.Equal(before.Levels, after.Levels);
            Assert.InRange(after.Q / before.Q, 0.984, 1.016);
            Assert.Equal((float)(Half)after.Q, after.Q);
            Assert.All(after.BiasLevels, l => Assert.InRange(l, -16, 16));
            Assert.Equal(after.BiasLevels.Select(l => l * after.BiasQ), after.Biases);
        }

        // The rows of fc1 that nobody reads have no use for a bias; the classes have.
        bool[] read = [.. Enumerable.Range(0, 500).Select(row => network.Layers[3].Positions.Any(p => p % 500 == row))];
        Assert.Contains(false, read);
        Assert.All(read.Zip(compact.Layers[2].Biases), pair => Assert.True(pair.First || pair.Second == 0));
        Assert.All(compact.Layers[3].Biases.Zip(network.Layers[3].Biases), pair => Assert.Equal(pair.Second, pair.First, 0.3));
        Assert.Equal(compact.Bytes(), CompressedNetwork.Read(compact.Bytes(), "compact").Bytes());
        Assert.Throws<AdmmKitException>(() => network.WithCompactParameters(1));
    }

    [Fact]
    public void Biases_that_nobody_reads_change_nothing()
    {
        CompressedNetwork network = Structured(3, 0.1);
        bool[][] read = RowGraph.ReadRows(network);
        CompressedLayer[] layers = [.. network.Layers.Select((l, i) => CompressedLayer.Quantized(
            l.Layer, l.Bits, l.Q, l.Positions, l.Levels, [.. l.Biases.Select((b, row) => read[i][row] ? b : 0)]))];
        Assert.Contains(network.Layers.Zip(layers), pair => !pair.First.Biases.AsSpan().SequenceEqual(pair.Second.Biases));
        Assert.Equal(Outputs(network), Outputs(new CompressedNetwork(LeNet5, layers)));
    }

    [Fact]
    public void Rows_in_order_compute_the_same_in_fewer_bytes()
    {
        CompressedNetwork network = Structured(4, 0.1).WithCompactParameters(5);
        CompressedNetwork ordered = network.WithOrderedRows();
        Assert.True(ordered.Bytes().Length < network.Bytes().Length - 30, $"{ordered.Bytes().Length} of {network.Bytes().Length} bytes");
        Assert.Equal(network.Layers.Select(l => l.Survivors), ordered.Layers.Select(l => l.Survivors));
        Assert.All(Outputs(network).Zip(Outputs(ordered)), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
        Assert.Equal(ordered.Bytes(), ordered.WithOrderedRows().Bytes());

        // Rows that a residual sum reads stay where they are, those between two convolutions of a block move with their normalization.
        NetworkSpec spec = NetworkSpec.Create("resnet20", new ImageShape(3, 8, 8), 2);
        var random = new RandomStream(4, "ordered");
        var residual = new CompressedNetwork(
            spec, [.. spec.Layers.Select(l => RandomNetworks.Layer(l, random, 0.05, 3))], RandomNetworks.Normalizations(spec, random));
        CompressedNetwork moved = residual.WithOrderedRows();
        Assert.Equal(residual.Layers[0].Biases, moved.Layers[0].Biases);
        Assert.NotEqual(residual.Layers[1].Biases, moved.Layers[1].Biases);
        Assert.NotEqual(residual.Normalizations[1], moved.Normalizations[1]);
        Assert.All(Outputs(residual).Zip(Outputs(moved)), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
    }

    [Fact]
    public void A_hostile_header_takes_little_memory_and_time()
    {
        // Ten million classes, or inputs: nothing but their number is in the file.
        foreach ((string name, ImageShape input, int classes) in new[]
        {
            ("lenet5", NetworkSpec.Mnist, 1_900_000), ("lenet-300-100", new ImageShape(1, 1000, 3000), 10), ("resnet20", new ImageShape(3, 8, 8), 10_000_000),
            ("alexnet", new ImageShape(3, 227, 227), 200_000),
        })
        {
            var coder = new BitEncoder();
            NetworkModel.Head(coder, (name, input, classes));
            byte[] bytes = [0xAD, 0x02, 0, 0, .. coder.Finish(), .. new byte[12]];
            NetworkFile.Seal(bytes);
            Mutants.Check([bytes], mutant =>
            {
                CompressedNetwork.Read(mutant, "hostile");
                return () => { };
            }, 4_000_000);
        }
    }

    [Fact]
    public void Costs_are_positive_finite_and_follow_the_structure()
    {
        CompressedNetwork network = Structured(5, 0.1);
        float[][] z = [.. network.Layers.Select(l => l.ToWeights())];
        float[][] bits = [.. z.Select(w => new float[w.Length])];
        ISurvivorCosts costs = new CoderCosts();
        costs.Bits(LeNet5.Layers, z, bits);
        Assert.All(bits, layer => Assert.All(layer, b => Assert.InRange(b, CoderCosts.LeastBits, 60)));
        // A place in a row without survivors costs more than one in a live row of the same column; fullness makes cheap.
        int[] rows = [.. Enumerable.Range(0, 500).Select(r => network.Layers[2].Positions.Count(p => p / 800 == r))];
        int dead = Array.IndexOf(rows, 0), full = Array.IndexOf(rows, rows.Max());
        Assert.All(Enumerable.Range(0, 800), c => Assert.True(bits[2][(dead * 800) + c] > bits[2][(full * 800) + c] + 1));
        // A place's own survival does not matter.
        int at = network.Layers[2].Positions[17];
        float before = bits[2][at];
        z[2][at] = 0;
        costs.Bits(LeNet5.Layers, z, bits);
        Assert.Equal(before, bits[2][at], 0.05);
        // Nothing at all, and everything.
        costs.Bits(LeNet5.Layers, [.. z.Select(w => new float[w.Length])], bits);
        Assert.All(bits, layer => Assert.All(layer, b => Assert.InRange(b, CoderCosts.LeastBits, 60)));
        Array.ForEach(z, w => Array.Fill(w, 1));
        costs.Bits(LeNet5.Layers, z, bits);
        Assert.All(bits, layer => Assert.All(layer, b => Assert.Equal(CoderCosts.LeastBits, b)));
    }

    /// <summary>LeNet-5 with 8 of 20, 16 of 50 and 40 of 500 live rows, 3 bits, float32 biases.</summary>
    private static CompressedNetwork Structured(ulong seed, double keep)
    {
        var random = new RandomStream(seed, "structured network");
        int[] live = [8, 16, 40, 10];
        bool[] inputs = [true];
        var layers = new List<CompressedLayer>();
        for (int i = 0; i < live.Length; i++)
        {
            LayerInfo layer = LeNet5.Layers[i];
            bool[] rows = new bool[layer.Rows];
            for (int left = live[i]; left > 0;)
            {
                int row = random.NextInt(rows.Length);
                left -= rows[row] ? 0 : 1;
                rows[row] = true;
            }

            int map = layer.Columns / inputs.Length;
            int[] positions = [.. Enumerable.Range(0, layer.WeightCount).Where(p =>
                rows[p / layer.Columns] && inputs[p % layer.Columns / map] && random.NextDouble() < (i is 0 or 3 ? 0.5 : keep))];
            short[] levels = [.. positions.Select(_ => (short)((1 + random.NextInt(4)) * (random.NextInt(2) == 0 ? 1 : -1)))];
            float[] biases = [.. Enumerable.Range(0, layer.Rows).Select(_ => (float)random.NextGaussian())];
            layers.Add(CompressedLayer.Quantized(layer, 3, (float)random.NextDouble(0.05, 0.2), positions, levels, biases));
            inputs = rows;
        }

        return new CompressedNetwork(LeNet5, layers);
    }

    private static float[] Outputs(CompressedNetwork network)
    {
        ImageSet images = TestData.Blobs(network.Spec.Input, network.Spec.Classes, 3, 9);
        var scalar = new ScalarNetwork(network.Spec, network.Decode());
        return [.. Enumerable.Range(0, images.Count).SelectMany(i => scalar.Outputs(images, i))];
    }
}
