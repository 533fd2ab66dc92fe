using AdmmKit.Experiments.Hardware;
using AdmmKit.Hardware.Computation;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Hardware.Search;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Hardware;

public class EnergyTests
{
    // 2x4x4 images, three 3x3 filters: 32 inputs, 12 outputs, 54 weights, 216 MACs; 12 inputs, 5 outputs, 60 weights, 60 MACs.
    private static readonly NetworkSpec Tiny = new(
        "tiny", new(2, 4, 4), [new Node.Convolution("conv", 3, 3), new Node.FullyConnected("fc", 5)]);

    // Powers of ten, so that the digits of a sum tell the events apart.
    private static readonly EnergyTable Table = new(
        Mac: 1, WeightRead: 10, InputRead: 100, PartialSum: 1000, BufferRead: 10_000, BufferWrite: 100_000, Dram: 1e6, WordBits: 16);

    // Published values of an Eyeriss-like machine in 65 nm, in pJ, accesses of 64 bits to buffer and DRAM by four.
    private static readonly EnergyTable Eyeriss = new(0.208, 1.98, 0.20, 0.25, 18.2 / 4, 14.1 / 4, 512.0 / 4, 16);

    public static TheoryData<string> Architectures => [.. NetworkSpec.Architectures];

    [Fact]
    public void A_dense_layer_costs_what_is_counted_by_hand()
    {
        EnergyReport report = new EnergyModel(Table).Of(ComputationReport.Dense(Tiny, 16));
        LayerEnergy conv = report.Layers[0];
        Assert.Equal(216, conv.Compute);
        Assert.Equal((216 * (10 + 100 + 2000)) + (32 * 10_000) + (12 * 100_000), conv.OnChip);
        Assert.Equal(54e6, conv.OffChip);
        Assert.Equal(conv.Compute + conv.OnChip + conv.OffChip, conv.Total);
        LayerEnergy fc = report.Layers[1];
        Assert.Equal((60.0, (60 * 2110) + (12 * 10_000) + (5 * 100_000.0), 60e6), (fc.Compute, fc.OnChip, fc.OffChip));
        Assert.Equal(
            (276.0, conv.OnChip + fc.OnChip, 114e6, conv.Total + fc.Total), (report.Compute, report.OnChip, report.OffChip, report.Total));
    }

    [Fact]
    public void The_preset_has_energies_of_its_words_and_says_what_was_taken_for_them()
    {
        Platform preset = PlatformLibrary.Find("admm-nn-40nm");
        Assert.Equal(Eyeriss, preset.Energy);
        Assert.Contains("no width", preset.Source, StringComparison.Ordinal);
        Assert.Contains("64 bits", preset.Source, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pruned_layer_takes_its_indices_along_and_fewer_bits_make_words_cheaper()
    {
        // 27 survivors of 3 + 5 bits are half a word each; 12 of 8 + 8 bits a whole one. Activations of 8 bits are half a word.
        EnergyReport report = new EnergyModel(Table, new() { ActivationBits = 8 }).Of(ComputationReport.Of(Tiny, [0.5, 0.2], [3, 8]));
        (LayerEnergy conv, LayerEnergy fc) = (report.Layers[0], report.Layers[1]);
        Assert.Equal(
            (108.0, (108 * (5 + 50 + 2000)) + (16 * 10_000) + (6 * 100_000.0), 13.5e6), (conv.Compute, conv.OnChip, conv.OffChip));
        Assert.Equal((12 * (10 + 50 + 2000)) + (6 * 10_000) + (2.5 * 100_000), fc.OnChip, 6);
        Assert.Equal(12e6, fc.OffChip, 3);
    }

    [Fact]
    public void Weights_come_from_the_buffer_or_once_for_several_images()
    {
        var dense = ComputationReport.Dense(Tiny, 16);
        EnergyReport fromDram = new EnergyModel(Table).Of(dense);
        EnergyReport buffered = new EnergyModel(Table, new() { Weights = WeightSource.Buffer }).Of(dense);
        Assert.Equal(0, buffered.OffChip);
        Assert.Equal(fromDram.OnChip + (114 * 10_000), buffered.OnChip, 6);
        Assert.Equal(114e6 / 4, new EnergyModel(Table, new() { ImagesPerLoad = 4 }).Of(dense).OffChip, 3);
        var e = Assert.Throws<AdmmKitException>(() => new EnergyOptions { ImagesPerLoad = 0 });
        Assert.Contains("at least 1", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Pruning_a_network_of_the_library_saves_energy_and_the_parts_add_up(string architecture)
    {
        ImageShape input = UsualInputs.Network(architecture).Input;
        NetworkSpec spec = NetworkSpec.Create(architecture, input, 10);
        var model = new EnergyModel(Eyeriss);
        EnergyReport dense = model.Of(ComputationReport.Dense(spec, 16));
        EnergyReport pruned = model.Of(ComputationReport.Of(
            spec, [.. spec.Layers.Select(_ => 0.1)], [.. spec.Layers.Select(_ => 4)]));
        Assert.Equal(dense.Total, dense.Compute + dense.OnChip + dense.OffChip, dense.Total * 1e-12);
        Assert.All(dense.Layers.Zip(pruned.Layers), l => Assert.True(l.Second.Total < l.First.Total, l.First.Name));
        Assert.Equal(0.1 * dense.Compute, pruned.Compute, dense.Compute * 1e-12);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void At_break_even_a_pruned_layer_costs_as_much_as_a_dense_one(bool fromDram)
    {
        var options = new EnergyOptions { Weights = fromDram ? WeightSource.Dram : WeightSource.Buffer };
        var objective = new EnergyObjective(Platform(Eyeriss), Tiny, 8, options);
        Assert.Equal(("pJ", "energy on test, 8 bits a weight"), (objective.Unit, objective.Name));
        foreach (LayerInfo layer in Tiny.Layers)
        {
            double even = objective.BreakEvenKeepFraction(layer), dense = objective.Cost(layer, 1);
            Assert.InRange(even, 0.3, 0.95);
            Assert.Equal(dense, objective.Cost(layer, even), dense * 1e-9);
            Assert.True(objective.Cost(layer, even * 0.9) < dense);
            Assert.True(objective.Cost(layer, Math.Min(0.999, even * 1.05)) > dense);
        }

        // Without an index any pruning pays.
        var free = new EnergyObjective(Platform(Eyeriss), Tiny, 8, options with { IndexBits = _ => 0 });
        Assert.All(Tiny.Layers, l => Assert.Equal(1, free.BreakEvenKeepFraction(l)));
    }

    [Fact]
    public void An_objective_counts_the_words_of_the_platform_unless_told_otherwise()
    {
        var objective = new EnergyObjective(Platform(Table), Tiny);
        EnergyReport report = new EnergyModel(Table).Of(ComputationReport.Dense(Tiny, 16));
        Assert.Equal(report.Total, Tiny.Layers.Sum(l => objective.Cost(l, 1)));
    }

    [Fact]
    public void A_machine_that_can_run_a_pruned_layer_dense_does_where_indices_would_cost_more()
    {
        var platform = new MeasuredPlatform { Name = "test", Layers = [], Energy = Eyeriss };
        (var either, var sparse) = (new EnergyObjective(platform, Tiny), new EnergyObjective(Platform(Eyeriss), Tiny));
        LayerInfo layer = Tiny.Layers[0];
        Assert.Equal(either.Cost(layer, 1), either.Cost(layer, 0.95));
        Assert.True(sparse.Cost(layer, 0.95) > sparse.Cost(layer, 1));
        Assert.Equal(sparse.Cost(layer, 0.2), either.Cost(layer, 0.2));
    }

    [Fact]
    public void What_is_not_known_is_said()
    {
        var e = Assert.Throws<AdmmKitException>(() => new EnergyObjective(Platform(null), Tiny));
        Assert.Contains("'test' has no energies", e.Message, StringComparison.Ordinal);
        var objective = new EnergyObjective(Platform(Eyeriss), Tiny);
        LayerInfo other = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10).Layers[1];
        e = Assert.Throws<AdmmKitException>(() => objective.Cost(other, 0.5));
        Assert.Contains("'conv2' (50x20x5x5)", e.Message, StringComparison.Ordinal);
        Assert.Throws<AdmmKitException>(() => new EnergyObjective(Platform(Eyeriss), Tiny, 65));
    }

    private static LawPlatform Platform(EnergyTable? energy) =>
        new() { Name = "test", Law = new LogarithmicLaw(0.036, 0.573, 0.110, 1.23), Energy = energy };
}
