using AdmmKit.Hardware.Simulation;
using AdmmKit.Networks;
using BenchmarkDotNet.Attributes;

namespace AdmmKit.Benchmarks;

/// <summary>The simulator of sparse arrays on conv4 of AlexNet, on one core.</summary>
public class Simulation
{
    private SimulatedLayer conv4 = null!;

    /// <summary>A preset.</summary>
    [Params("scnn", "output-channel", "sticker-like")]
    public string Array { get; set; } = "";

    /// <summary>Share of the weights, and of the activations.</summary>
    [Params(0.1, 1)]
    public double Density { get; set; }

    /// <summary>Draws the mask.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var layer = new Node.Convolution("conv4", 384, 3, Padding: 1, Groups: 2);
        var input = new ImageShape(384, 13, 13);
        bool[] Mask(int count, string purpose) => SimulatedLayer.UniformMask(count, Density, new RandomStream(1, purpose));
        conv4 = SimulatedLayer.Of(layer, input, Mask(384 * 192 * 9, "weights"), Mask(input.Size, "activations"));
    }

    /// <summary>Simulates it.</summary>
    [Benchmark]
    public long Cycles() => ArraySimulator.Run(PeArray.Preset(Array), conv4, threads: 1).Cycles;
}
