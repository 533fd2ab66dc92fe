using AdmmKit.Hardware.Simulation;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Hardware;

public class SimulatorTests
{
    private static readonly Node.Convolution[] Convolutions =
    [
        new("plain", 10, 3), new("padded", 12, 5, Padding: 2), new("grouped", 8, 3, Padding: 1, Groups: 2), new("strided", 6, 5, Stride: 2),
        new("both", 6, 3, Stride: 2, Padding: 1, Groups: 2), new("shortcut", 8, 1, Stride: 2), new("wide", 70, 1),
        new("far", 4, 7, Stride: 4, Padding: 3),
    ];

    private static readonly PeArray[] Arrays =
    [
        .. PeArray.Presets.Select(PeArray.Preset),
        PeArray.Preset("scnn") with { Name = "gated", SkipsZeroWeights = false, SkipsZeroActivations = false },
        PeArray.Preset("scnn") with { Name = "crowded", AccumulatorBanks = 4, BankQueue = 0, FifoDepth = 1, PeRows = 2, PeColumns = 3 },
        PeArray.Preset("sticker-like") with
        {
            Name = "narrow", IndexBits = 1, FifoDepth = 2, AccumulatorBanks = 2, PeRows = 3, PeColumns = 1,
        },
        PeArray.Preset("output-channel") with { Name = "starved", DeliveredBits = 24, FifoDepth = 0, FiltersPerGroup = 0 },
    ];

    public static IEnumerable<object[]> Cases => from a in Arrays from c in Convolutions select new object[] { a.Name, c.Name };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_slot_is_useful_or_lost_to_one_cause(string array, string convolution)
    {
        foreach ((double keep, double active) in new[] { (1.0, 1.0), (0.4, 1.0), (0.1, 0.3), (0.02, 0.9), (0, 0.5) })
        {
            SimulatedLayer layer = Layer(Find(convolution), keep, active);
            PeArray used = Arrays.Single(a => a.Name == array);
            SimulationResult result = ArraySimulator.Run(used, layer);
            Assert.Equal(result.Slots, result.UsefulMacs + result.Lost.Total);
            Assert.All(result.Lost.Causes, c => Assert.InRange(c.Slots, 0, result.Slots));
            Assert.Equal(Macs(layer), result.UsefulMacs);
            // Work bound below; above, one multiplier that takes each pair of stored operands in turn, or else the delivery of words.
            long bound = (result.UsefulMacs + result.Multipliers - 1) / result.Multipliers;
            long serial = result.UsefulMacs + result.Lost.Zeros + result.Lost.Edges;
            Assert.InRange(result.Cycles, bound, serial + (result.Lost.Delivery / result.Multipliers));
            Assert.Equal(result, ArraySimulator.Run(used, layer, threads: 1));
        }
    }

    // Wide enough an index has no placeholders, which a removed weight can add.
    [Theory]
    [InlineData("scnn")]
    [InlineData("output-channel")]
    [InlineData("sticker-like")]
    public void Removing_a_weight_never_takes_longer(string name)
    {
        PeArray array = PeArray.Preset(name) with { FifoDepth = 0, AccumulatorBanks = 0, IndexBits = 30 };
        foreach (Node.Convolution convolution in Convolutions)
        {
            SimulatedLayer layer = Layer(convolution, 0.5, 0.6);
            var random = new RandomStream(3, "removal");
            long before = ArraySimulator.Run(array, layer).Cycles, first = before;
            foreach (int position in Enumerable.Range(0, 40).Select(_ => random.NextInt(layer.Weights.Length)))
            {
                layer.Weights[position] = false;
                long after = ArraySimulator.Run(array, layer).Cycles;
                Assert.InRange(after, 0, before);
                before = after;
            }

            Array.Clear(layer.Weights);
            Assert.Equal(0, ArraySimulator.Run(array, layer).Cycles);
            Assert.True(first > 0);
        }
    }

    [Fact]
    public void With_a_narrow_index_removing_a_weight_can_take_longer()
    {
        var layer = new LayerInfo("fc", LayerKind.FullyConnected, 1, 64, 1, 1, 64);
        var mask = new bool[64];
        (mask[15], mask[31], mask[47]) = (true, true, true);
        PeArray array = PeArray.Preset("sticker-like") with { IndexBits = 4 };
        SimulationResult three = ArraySimulator.Run(array, SimulatedLayer.FullyConnected(layer, mask));
        mask[31] = false;
        SimulationResult two = ArraySimulator.Run(array, SimulatedLayer.FullyConnected(layer, mask));
        Assert.Equal((3, 3), (three.Cycles, three.Traffic.WeightWords));
        Assert.Equal((3, 3), (two.Cycles, two.Traffic.WeightWords));
        mask[15] = false;
        // 47 zeros: two placeholders and the survivor, as many words for a third of the work.
        Assert.Equal(3, ArraySimulator.Run(array, SimulatedLayer.FullyConnected(layer, mask)).Cycles);
    }

    // With a barrier in each channel: the placeholders of one filter fall into the channels where the other has survivors.
    [Fact]
    public void Placeholders_take_their_cycles_where_the_zeros_are()
    {
        var layer = new LayerInfo("fc", LayerKind.FullyConnected, 2, 70, 1, 1, 140);
        var mask = new bool[140];
        (mask[63], mask[70 + 15], mask[70 + 31], mask[70 + 47], mask[70 + 63]) = (true, true, true, true, true);
        PeArray array = PeArray.Preset("sticker-like") with { PeRows = 1, PeColumns = 2, FifoDepth = 1 };
        SimulationResult result = ArraySimulator.Run(array, SimulatedLayer.FullyConnected(layer, mask));
        Assert.Equal((4, 8, 3), (result.Cycles, result.Traffic.WeightWords, result.Lost.Zeros));
    }

    [Theory]
    [InlineData("scnn")]
    [InlineData("sticker-like")]
    public void Deeper_FIFOs_more_banks_and_longer_queues_never_slow_down(string name)
    {
        SimulatedLayer layer = Layer(new("c", 40, 3, Padding: 1), 0.3, 0.5);
        PeArray array = PeArray.Preset(name) with { PeRows = 2, PeColumns = 2, AccumulatorBanks = 4, BankQueue = 0, FifoDepth = 1 };
        long worst = Cycles(array);
        Assert.True(Cycles(array with { FifoDepth = 8 }) < worst);
        Assert.True(Cycles(array with { FifoDepth = 0 }) <= Cycles(array with { FifoDepth = 8 }));
        if (array.MultipliersPerElement > 1)
        {
            Assert.True(Cycles(array with { BankQueue = 4 }) < worst);
            Assert.True(Cycles(array with { AccumulatorBanks = 32 }) < worst);
            Assert.True(Cycles(array with { AccumulatorBanks = 0 }) < Cycles(array with { AccumulatorBanks = 32 }));
        }

        long Cycles(PeArray a) => ArraySimulator.Run(a, layer).Cycles;
    }

    // A real mask: the fullest of 64 filters decides, however empty the others are.
    [Fact]
    public void A_single_full_filter_holds_up_all_others()
    {
        var convolution = new Node.Convolution("c", 64, 3);
        var mask = new bool[64 * 10 * 9];
        Array.Fill(mask, true, 0, 90);
        SimulationResult result = ArraySimulator.Run(
            PeArray.Preset("sticker-like") with { FifoDepth = 0 }, SimulatedLayer.Of(convolution, new(10, 6, 6), mask));
        Assert.Equal(90 * 36, result.Cycles);
        Assert.Equal(255L * 90 * 36, result.Lost.Imbalance);
    }

    [Fact]
    public void Operands_that_come_too_slowly_are_waited_for()
    {
        SimulatedLayer layer = SimulatedLayer.Product(4, 8, 4, Mask(32, 1), Mask(32, 1));
        PeArray array = PeArray.Preset("scnn") with { DeliveredBits = 10, FiltersPerGroup = 4 };
        SimulationResult result = ArraySimulator.Run(array, layer);
        // 64 words of 16 bits and their 4-bit indices, 10 bits a cycle.
        Assert.Equal(128, result.Cycles);
        Assert.Equal(new Traffic(32, 128, 32, 128, 16), result.Traffic);
    }

    // How long it takes is measured by the benchmarks.
    [Fact]
    public void Conv4_of_AlexNet_is_simulated_whole()
    {
        var convolution = new Node.Convolution("conv4", 384, 3, Padding: 1, Groups: 2);
        SimulatedLayer layer = SimulatedLayer.Of(convolution, new(384, 13, 13), Mask(663_552, 0.1));
        SimulationResult result = ArraySimulator.Run(PeArray.Preset("scnn"), layer, threads: 1);
        Assert.InRange(result.Speedup, 2, 10);
    }

    [Fact]
    public void Wrong_arrays_and_masks_are_refused_in_words()
    {
        PeArray scnn = PeArray.Preset("scnn");
        SimulatedLayer layer = Layer(Find("plain"), 1, 1);
        Refused(() => PeArray.Preset("scn"), "'scn'", "Did you mean 'scnn'", "output-channel");
        Refused(() => ArraySimulator.Run(scnn with { PeRows = 0 }, layer), "'scnn'", "0 rows of PEs", "1 to 1024");
        Refused(
            () => ArraySimulator.Run(scnn with { PeRows = 1024, PeColumns = 1024, WeightVector = 256, ActivationVector = 256 }, layer),
            "'scnn'", "68719476736 multipliers");
        Refused(() => ArraySimulator.Run(scnn with { IndexBits = 31 }, layer), "31 bits of the zero-run index");
        Refused(() => ArraySimulator.Run(scnn with { AccumulatorBanks = 24 }, layer), "24 banks", "power of two");
        Refused(() => ArraySimulator.Run(scnn with { FifoDepth = -1 }, layer), "-1 vectors in the FIFO");
        Refused(() => SimulatedLayer.Of(Find("plain"), new(4, 9, 9), new bool[3]), "'plain'", "3 entries", "360 weights");
        Refused(() => SimulatedLayer.Of(Find("plain"), new(4, 9, 9), new bool[360], new bool[5]), "'plain'", "5 entries", "324 inputs");
        Refused(() => SimulatedLayer.UniformMask(4, 1.5, new RandomStream(1, "x")), "1.5", "0 to 1");
    }

    private static void Refused(Action act, params string[] words)
    {
        string message = Assert.Throws<AdmmKitException>(act).Message;
        Assert.All(words, w => Assert.Contains(w, message, StringComparison.Ordinal));
    }

    private static Node.Convolution Find(string name) => Convolutions.Single(c => c.Name == name);

    private static bool[] Mask(int count, double density) => SimulatedLayer.UniformMask(count, density, new RandomStream(1, "mask"));

    private static SimulatedLayer Layer(Node.Convolution convolution, double keep, double active)
    {
        var input = new ImageShape(4, 11, 9);
        bool[]? activations = active < 1 ? SimulatedLayer.UniformMask(input.Size, active, new RandomStream(1, "activations")) : null;
        return SimulatedLayer.Of(convolution, input, Mask(convolution.Layer(input).WeightCount, keep), activations);
    }

    // Straight from the definition of a convolution.
    private static long Macs(SimulatedLayer l)
    {
        (int kernel, int channels) = (l.Layer.KernelWidth, l.Layer.InputChannels);
        long macs = 0;
        for (int w = 0; w < l.Weights.Length; w++)
        {
            (int filter, int column) = Math.DivRem(w, l.Layer.Columns);
            int channel = (filter / (l.Layer.Rows / l.Groups) * channels) + (column / (kernel * kernel));
            for (int o = 0; l.Weights[w] && o < l.Output.Height * l.Output.Width; o++)
            {
                int y = (o / l.Output.Width * l.Stride) + (column / kernel % kernel) - l.Padding;
                int x = (o % l.Output.Width * l.Stride) + (column % kernel) - l.Padding;
                bool inside = y >= 0 && y < l.Input.Height && x >= 0 && x < l.Input.Width;
                macs += inside && (l.Activations is null || l.Activations[(((channel * l.Input.Height) + y) * l.Input.Width) + x]) ? 1 : 0;
            }
        }

        return macs;
    }
}
