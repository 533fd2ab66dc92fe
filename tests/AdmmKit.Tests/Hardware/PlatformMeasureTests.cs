using System.Globalization;
using AdmmKit.Engine;
using AdmmKit.Experiments.Hardware;
using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Experiments;
using AdmmKit.Training;

namespace AdmmKit.Tests.Hardware;

/// <summary>What is timed, and what becomes of the times; how long anything takes is asserted nowhere.</summary>
[Collection(nameof(CommandLineTests))]
public sealed class PlatformMeasureTests : IDisposable
{
    private static readonly TimingOptions Quick = new()
    {
        Batch = 9,
        Threads = 1,
        KeepFractions = [0.1, 0.5, 1],
        MinSeconds = 0,
        MinRounds = 1,
    };

    private readonly string folder = Directory.CreateTempSubdirectory("admmkit-test").FullName;

    [Fact]
    public void Each_kind_of_layer_is_timed_once_and_the_file_says_the_same()
    {
        var asked = new List<(string, int, int)>();
        NetworkSpec[] networks = [Residual(), NetworkSpec.LeNet5(new(1, 16, 16), 10)];
        MeasuredPlatform platform = PlatformMeasurement.Measure(
            networks, "test", Quick, (layer, done, of) => asked.Add((layer.Name, done, of)));
        string[] names =
        [
            "conv1", "layer1.0.conv1", "layer2.0.conv1", "layer2.0.conv2", "layer3.0.conv1", "layer3.0.conv2", "linear",
            "conv1", "conv2", "fc1", "fc2",
        ];
        Assert.Equal(names.Select((n, i) => (n, i, names.Length)), asked);
        Assert.Equal(names, platform.Layers.Select(l => l.Name));
        Assert.All(platform.Layers, l =>
        {
            Assert.True(l.DenseSeconds > 0);
            Assert.Equal(Quick.KeepFractions, l.Points.Select(p => p.KeepFraction));
            Assert.All(l.Points, p => Assert.True(p.Seconds > 0));
        });
        Assert.All(Residual().Layers, l => Assert.True(platform.Delay(l, 0.3) <= platform.DenseDelay(l)));
        Assert.Contains("batch: 9", platform.Description, StringComparison.Ordinal);
        Assert.Contains("threads: 1", platform.Description, StringComparison.Ordinal);
        Assert.Contains(Network.InstructionSet, platform.Description, StringComparison.Ordinal);

        string path = Path.Combine(folder, "cpu.json");
        PlatformFile.Save(platform, path);
        var loaded = (MeasuredPlatform)PlatformFile.Load(path);
        Assert.Equal(PlatformFile.Write(platform), PlatformFile.Write(loaded));
        string picture = PlatformMeasurement.Chart(loaded, PlatformMeasurement.Kinds(networks)).ToSvg();
        Assert.Contains("layer3.0.conv2 64x64x3x3", picture, StringComparison.Ordinal);
    }

    [Fact]
    public void Times_become_a_platform_whose_break_even_lies_between_them()
    {
        LayerInfo layer = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10).Layers[1];
        MeasuredPlatform platform = PlatformMeasurement.Platform(
            [new LayerTime(layer, 2.00000049e-5, [new(0.1, 0.25, 5e-6), new(0.5, 0.8, 1.6e-5), new(0.7, 1.2, 2.4e-5)])], "made up", "");
        Assert.Equal(2e-5, platform.DenseDelay(layer));
        Assert.Equal(0.6, platform.BreakEvenKeepFraction(layer), 12);
        Assert.Equal(4, platform.Speedup(layer, 0.1), 12);
        Assert.Equal(1, platform.Speedup(layer, 0.7));
    }

    // Dense 10 us: the last crossing of a curve that dips, the last timed point where sparse is still faster, none, and a touch.
    [Theory]
    [InlineData(0.5 + (0.5 * 4 / 14), "0.05,12 0.1,3 0.5,6 1,20")]
    [InlineData(0.25, "0.05,2 0.25,6")]
    [InlineData(0, "0.05,12 0.25,60")]
    [InlineData(0.05, "0.05,10 0.25,60")]
    [InlineData(1, "0.05,12 0.5,11 1,10")]
    [InlineData(0.5 + (0.5 * 7 / 9), "0.1,3 0.3,14 0.5,3 1,12")]
    public void Break_even_is_the_last_crossing_and_not_beyond_what_was_timed(double expected, string points)
    {
        LayerInfo layer = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10).Layers[1];
        TimedPoint[] timed = [.. points.Split(' ').Select(p => p.Split(',').Select(n => double.Parse(n, CultureInfo.InvariantCulture)))
            .Select(p => new TimedPoint(p.First(), p.Last() * 1e-6))];
        var platform = new MeasuredPlatform
        {
            Name = "test",
            Layers = [new TimedLayer("conv2", layer.Kind, layer.Shape, layer.Macs, 10e-6, timed)],
        };
        double even = platform.BreakEvenKeepFraction(layer);
        Assert.Equal(expected, even, 1e-12);
        Assert.True(even == 0 || platform.SparseDelay(layer, even) <= 10e-6 * (1 + 1e-12));
    }

    [Fact]
    public void A_network_is_timed_step_by_step_in_three_ways()
    {
        NetworkSpec spec = Residual();
        NetworkTime time = NetworkTimer.Time(spec, Weights(spec), null, Quick);
        Assert.Equal(spec.Layers.Select((_, i) => i == 3 ? Execution.Dense : Execution.Sparse), time.Executions);
        Assert.Equal(spec.Layers.Select(l => l.Name), time.Steps.Select(s => s.Name).Intersect(spec.Layers.Select(l => l.Name)));
        Assert.All(time.Steps, s => Assert.True(s.DenseSeconds > 0 && s.ChosenOverDense > 0 && s.SparseOverDense > 0, s.Name));
        Assert.True(time.Steps.Sum(s => s.DenseSeconds) <= time.DenseSeconds, "With one round the steps are parts of the whole.");

        Execution[] told = [.. spec.Layers.Select((_, i) => i == 5 ? Execution.Sparse : Execution.Dense)];
        Assert.Equal(told, NetworkTimer.Time(spec, Weights(spec), told, Quick).Executions);
    }

    [Fact]
    public void Timing_can_be_cancelled_and_refuses_what_makes_no_sense()
    {
        NetworkSpec spec = NetworkSpec.LeNet300100(new(1, 5, 5), 3);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => PlatformMeasurement.Measure([spec], "test", Quick, null, cancelled.Token));
        Assert.Throws<OperationCanceledException>(() => NetworkTimer.Time(spec, Weights(spec), null, Quick, cancelled.Token));
        void Refused(TimingOptions options, string says) => Assert.Contains(
            says, Assert.Throws<AdmmKitException>(() => LayerTimer.Time(spec, spec.Layers[0], options)).Message, StringComparison.Ordinal);
        Refused(Quick with { Batch = 0 }, "at least 1 image");
        Refused(Quick with { KeepFractions = [0.5] }, "two or more");
        Refused(Quick with { KeepFractions = [0, 0.5] }, "0 0.5");
        Refused(Quick with { KeepFractions = [0.5, 0.2] }, "ascending");
        Refused(Quick with { KeepFractions = [0.2, 0.2] }, "ascending");
        Refused(Quick with { KeepFractions = [0.2, 1.5] }, "up to 1");
    }

    [Fact]
    public void The_tool_measures_a_platform_and_times_a_network_on_it()
    {
        string platform = Path.Combine(folder, "cpu.json");
        (int code, string output, string error) = CommandLineTests.Run(
            ["platform", "measure", "--architecture", "lenet-300-100", "--out", folder, "--batch", "4", "--threads", "1",
                "--seconds", "0"]);
        Assert.Equal((0, ""), (code, code == 0 ? "" : error));
        Assert.Contains("300x784", output, StringComparison.Ordinal);
        Assert.Contains("break-even", output, StringComparison.Ordinal);
        Assert.Contains("3 of 3: fc3 10x100", error, StringComparison.Ordinal);
        Assert.All(["cpu.svg", "cpu.plotly.json", "manifest.json"], f => Assert.True(File.Exists(Path.Combine(folder, f)), f));
        Assert.Equal(3, ((MeasuredPlatform)PlatformFile.Load(platform)).Layers.Count);
        IReadOnlyList<ResultRow> rows = ResultRows.Read(Path.Combine(folder, "rows.csv"));
        Assert.Equal(3, rows.Count(r => r.Quantity == "breakEvenKeepFraction" && r.Ours is >= 0 and <= 1));

        NetworkSpec spec = NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10);
        string model = Path.Combine(folder, "model.admm");
        CompressedNetwork.FromWeights(spec, Weights(spec), new float[3], [32, 32, 32]).Save(model);
        string times = Path.Combine(folder, "times");
        (code, output, error) = CommandLineTests.Run(
            ["time", model, model, "--platform", platform, "--out", times, "--batch", "4", "--threads", "1", "--seconds", "0"]);
        Assert.Equal((0, ""), (code, error));
        Assert.Single(ResultRows.Read(Path.Combine(times, "rows.csv")), r => r.Quantity == "speedup" && r.Ours > 0);
        Assert.All(ResultsVerifier.Verify(times, _ => null).Problems, p => Assert.Contains("dirty", p, StringComparison.Ordinal));
        Assert.Contains("300x784", output, StringComparison.Ordinal);
        Assert.Contains("images/s", output, StringComparison.Ordinal);
        Assert.Contains("batch: 4", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("platform measure --architecture lenet6", "Did you mean 'lenet5'?")]
    [InlineData("platform measure --batch 0", "--batch")]
    [InlineData("platform measure --seconds -1", "--seconds")]
    [InlineData("time", "file")]
    public void Wrong_usage_exits_with_2(string arguments, string message)
    {
        (int code, _, string error) = CommandLineTests.Run(arguments.Split(' '));
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static NetworkSpec Residual() => NetworkSpec.Create("resnet20", new(3, 8, 8), 4);

    /// <summary>All layers keep one weight in seventeen, but for one that keeps all.</summary>
    private static NetworkWeights Weights(NetworkSpec spec) => new(
        [.. spec.Layers.Select((l, n) => Enumerable.Range(0, l.WeightCount).Select(i => n == 3 || i % 17 == 0 ? 0.1f : 0).ToArray())],
        [.. spec.Layers.Select(l => new float[l.Rows])])
    {
        Normalizations = [.. spec.Normalizations.Select(n => Enumerable.Repeat(1f, n.Count).ToArray())],
    };
}
