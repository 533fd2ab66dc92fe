using AdmmKit.Experiments.Results;
using AdmmKit.Networks;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Pipeline;

namespace AdmmKit.Tests.Notebooks;

/// <summary>What can be shown, of each kind something usual and something that is meant to break it.</summary>
internal static class Shown
{
    public const string Hostile = "<script>alert('x')</script> \"quotes\" ]]> --> & ${x} a name that goes on and on so that no line of any chart holds it";

    public static LayerInfo Convolution { get; } = new("conv2", LayerKind.Convolution, 50, 20, 5, 5, 1_600_000);

    public static LayerInfo Full { get; } = new("ip1", LayerKind.FullyConnected, 500, 800, 1, 1, 400_000);

    public static IReadOnlyDictionary<string, Func<IDisplayable>> All { get; } = Everything();

    /// <summary>Weights that are neither all alike nor many alike: a sum of two waves, of which so many survive.</summary>
    public static float[] Weights(int count, double keepFraction = 1)
    {
        float[] w = [.. Enumerable.Range(0, count).Select(i => (float)(0.1 * (Math.Sin(i * 12.9898) + (0.5 * Math.Cos(i * 0.37)))))];
        float[] sizes = [.. w.Select(Math.Abs).Order()];
        float least = sizes[Math.Min(count - 1, (int)(count * (1 - keepFraction)))];
        return [.. w.Select(v => Math.Abs(v) >= least ? v : 0)];
    }

    private static Dictionary<string, Func<IDisplayable>> Everything()
    {
        double[] x = [1, 2, double.NaN, 4];
        float[] strange = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 1, -2, float.MaxValue, float.Epsilon, 0, 3];
        LayerInfo one = new("res2", LayerKind.Convolution, 512, 256, 1, 1, 1), first = new("conv1", LayerKind.Convolution, 96, 3, 11, 11, 1);
        return new()
        {
            ["lines"] = () => new LineChart("Lines", "x", [new("y", [new("s", [1, 2], [3, 4])])]),
            ["hostile lines"] = () => new LineChart(Hostile, Hostile, [new(Hostile, [.. Enumerable.Range(0, 30).Select(i => new ChartSeries(Hostile + i, x, x, Labels: ["", Hostile, "", "a"]))])]),
            ["scatter"] = () => LineChart.Scatter("Methods", "survivors", "top-1 (%)", new ChartSeries("paper", [5, 6], [99.1, 99.2], Labels: ["a", "b"])),
            ["bars"] = () => new BarChart("Bars", "x", "y", ["a", "b"], [new("s", [1, 2])]),
            ["hostile bars"] = () => new BarChart(Hostile, Hostile, Hostile, [Hostile, "", "]]>"], [new(Hostile, [1, double.NaN, double.PositiveInfinity])]),
            ["weights"] = () => HeatMap.OfWeights(Full, Weights(400_000)),
            ["pooled mask"] = () => HeatMap.OfMask(Full, Weights(400_000, 0.01)),
            ["mask"] = () => HeatMap.OfMask(Convolution, Weights(25_000, 0.12)),
            ["large matrix"] = () => new HeatMap("fc6", 4096, 9216, new float[4096 * 9216]),
            ["one cell"] = () => new HeatMap("One", 1, 1, new float[] { 5 }) { ShowValues = true },
            ["one row"] = () => new HeatMap("Row", 1, 300, Weights(300)),
            ["one column"] = () => new HeatMap("Column", 3000, 1, Weights(3000)),
            ["shown values"] = () => new HeatMap("Values", 2, 3, new float[] { 1.5f, 0, -2.25f, float.NaN, 0.125f, 1e-9f }) { ShowValues = true },
            ["values without room"] = () => new HeatMap("Values", 30, 40, Weights(1200)) { ShowValues = true },
            ["strange map"] = () => new HeatMap(Hostile, 3, 3, strange) { XTitle = Hostile, YTitle = Hostile, Unit = Hostile, Absent = "]]> <none>", ShowValues = true },
            ["empty map"] = () => new HeatMap("", 2, 2, new float[] { float.NaN, float.NaN, float.NaN, float.NaN }) { XTitle = "", YTitle = "", Unit = "" },
            ["equal map"] = () => new HeatMap("Zeros", 2, 2, new float[4]) { Ends = (-1, 1) },
            ["kernels"] = () => KernelGrid.Of(Convolution, Weights(25_000, 0.12)),
            ["kernels of one channel"] = () => new KernelGrid("conv1", 20, 1, 5, 5, Weights(500, 0.5)),
            ["kernels of three channels"] = () => KernelGrid.Of(first, Weights(96 * 363)),
            ["points"] = () => KernelGrid.Of(one, Weights(512 * 256, 0.3)),
            ["large kernel"] = () => new KernelGrid(Hostile, 7, 9, 60, 60, Weights(7 * 9 * 3600)),
            ["strange kernels"] = () => new KernelGrid("s", 1, 1, 3, 3, strange),
            ["histogram"] = () => new Histogram("Weights", "weight", Weights(5000)),
            ["levels"] = () => Histogram.OfSurvivors("conv2", Weights(25_000, 0.12), new LayerLevels(3, 0.04f)),
            ["all levels"] = () => Histogram.OfSurvivors("8 bits", Weights(25_000), new LayerLevels(8, 0.001f)) with { YScale = AxisScale.Logarithmic },
            ["strange histogram"] = () => new Histogram(Hostile, Hostile, strange) { Levels = [new(1, Hostile), new(double.NaN, ""), new(2, "")], LevelsName = Hostile },
            ["empty histogram"] = () => new Histogram("", "", ReadOnlyMemory<float>.Empty),
            ["one value"] = () => new Histogram("One", "x", new float[] { 7, 7, 7 }) { Levels = [new(7, "7")] },
            ["distant levels"] = () => new Histogram("Far", "x", new float[] { 0, 1e6f }) { Levels = [new(1, "a"), new(1.001, "b"), new(1e6, "c")] },
            ["table"] = () => new Table("Table", ["a", "b"], [["x", 1.5]]),
            ["hostile table"] = () => new Table(Hostile, [Hostile, ""], [[Hostile, double.NaN], [null, double.PositiveInfinity]]) { Note = Hostile },
            ["comparison"] = () => ComparisonTable.Of([new(Hostile, "top1", "%", 99.2, 99.1, null, 1, ResultStatus.Trend, Hostile)], Hostile),
            ["progress"] = () => new ProgressView("prune", 0.42, [new("loss", "0.1234")], ["pretrained"]),
            ["hostile progress"] = () => new ProgressView(Hostile, double.NaN, [new(Hostile, Hostile)], [.. Enumerable.Repeat(Hostile, 50)]),
            ["end"] = () => new ProgressView("Finished", 1, [], [], Ended: true),
        };
    }
}
