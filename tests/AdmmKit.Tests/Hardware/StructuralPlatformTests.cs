using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;

namespace AdmmKit.Tests.Hardware;

public class StructuralPlatformTests
{
    // 1,000 weights of 8 bits at 1 um2 a bit take 8,000 um2: of 0.018 mm2 are 10,000 um2 left, 100 PEs of 100 um2.
    private static readonly ChipStructure Structure = new(0.018, 1, 100, 200, 1, 2, 8, 8);
    private static readonly LayerInfo Layer = new("conv", LayerKind.Convolution, 10, 4, 5, 5, 50_000);
    private static readonly StructuralPlatform Platform = With(Structure, new() { IndexBits = 8 });

    [Fact]
    public void Area_that_memory_does_not_take_holds_processing_elements()
    {
        Assert.Equal(100, Platform.DensePes(Layer), 1e-9);
        // A quarter of the weights with as many bits again for indices: 4,000 um2 of memory, 14,000 um2 for PEs twice as large.
        Assert.Equal(70, Platform.SparsePes(Layer, 0.25), 1e-9);
        Assert.Equal(500e-9, Platform.DenseDelay(Layer), 1e-18);
        // 12,500 MACs, 2 ns each, 70 at a time.
        Assert.Equal(12_500 * 2e-9 / 70, Platform.SparseDelay(Layer, 0.25), 1e-18);
        Assert.Equal(500 / (12_500 * 2.0 / 70), Platform.Speedup(Layer, 0.25), 1e-12);
        Assert.Equal("s", Platform.DelayUnit);
    }

    [Fact]
    public void Break_even_is_where_the_delays_are_equal()
    {
        // d 50,000 x 2 / ((18,000 - 16,000 d) / 200) = 500, so d 40,000 = 18,000 - 16,000 d.
        Assert.Equal(18_000 / 56_000.0, Platform.BreakEvenKeepFraction(Layer), 1e-12);
    }

    [Fact]
    public void Survivors_with_indices_that_fill_the_chip_leave_nothing_to_compute_with()
    {
        StructuralPlatform full = With(Structure with { AreaMm2 = 0.015 }, Platform.Resources);
        Assert.Equal(double.PositiveInfinity, full.SparseDelay(Layer, 0.95));
        Assert.Equal(0, full.Speedup(Layer, 0.95));
        Assert.InRange(full.BreakEvenKeepFraction(Layer), 0.1, 0.9);

        StructuralPlatform small = With(Structure with { AreaMm2 = 0.008 }, Platform.Resources);
        var e = Assert.Throws<AdmmKitException>(() => small.DenseDelay(Layer));
        Assert.Contains("no area for processing elements beside the 1000 weights of 'conv'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Activations_set_a_floor_and_weights_that_memory_cannot_hold_come_from_outside()
    {
        // 50 positions, 10 outputs and 4 inputs each: 700 bytes at 2 GB/s are 350 ns.
        StructuralPlatform bound = With(Structure, new() { IndexBits = 8, BandwidthGBPerSecond = 2 });
        Assert.Equal(500e-9, bound.DenseDelay(Layer), 1e-18);
        Assert.Equal(350e-9, bound.SparseDelay(Layer, 0.01), 1e-18);
        Assert.Equal(350e-9, bound.SparseDelay(Layer, 0), 1e-18);

        // 0.5 KiB hold 4,096 of 8,000 bits: 488 bytes more to read, 13,904 um2 for PEs.
        StructuralPlatform streaming = With(Structure, new() { IndexBits = 8, BandwidthGBPerSecond = 2, SramKiB = 0.5 });
        Assert.Equal(139.04, streaming.DensePes(Layer), 1e-9);
        Assert.Equal((700 + 488) / 2e9, streaming.DenseDelay(Layer), 1e-18);
    }

    [Fact]
    public void Delay_grows_with_the_survivors()
    {
        StructuralPlatform bound = With(Structure, new() { IndexBits = 8, BandwidthGBPerSecond = 2, SramKiB = 0.5 });
        double[] delays = [.. Enumerable.Range(0, 101).Select(i => bound.SparseDelay(Layer, i / 100.0))];
        Assert.Equal(delays.Order(), delays);
        Assert.True(delays[^1] > delays[0]);
    }

    [Fact]
    public void The_examples_of_the_documentation_are_platforms()
    {
        NetworkSpec alexNet = NetworkSpec.Create("alexnet", NetworkSpec.ImageNet, 1000);
        var accelerator = Assert.IsType<StructuralPlatform>(PlatformLibrary.Find(Example("small-accelerator.json")));
        // Convolutions alone: that is what the example is about, and each can be pruned to be faster.
        IEnumerable<LayerInfo> convolutions = alexNet.Layers.Where(l => l.Kind == LayerKind.Convolution);
        Assert.All(convolutions, l => Assert.InRange(accelerator.BreakEvenKeepFraction(l), 0.2, 0.8));

        var processor = Assert.IsType<MeasuredPlatform>(PlatformLibrary.Find(Example("example-processor.json")));
        NetworkSpec leNet = NetworkSpec.Create("lenet-300-100", NetworkSpec.Mnist, 10);
        Assert.All(leNet.Layers, l => Assert.InRange(processor.BreakEvenKeepFraction(l), 0.1, 0.9));
        Assert.Equal(processor.DenseDelay(leNet.Layers[0]), processor.Delay(leNet.Layers[0], 0.95));

        Assert.Equal(2, Directory.GetFiles(Path.GetDirectoryName(Example("x"))!).Length);
    }

    private static StructuralPlatform With(ChipStructure structure, PlatformResources resources) =>
        new() { Name = "parts", Structure = structure, Resources = resources };

    private static string Example(string file) => Path.Combine(LayeringTests.Root, "docs", "platforms", file);
}
