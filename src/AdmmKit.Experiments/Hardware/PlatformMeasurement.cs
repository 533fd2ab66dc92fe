using System.Globalization;
using AdmmKit.Engine;
using AdmmKit.Experiments.Results;
using AdmmKit.Hardware.Platforms;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Hardware;

/// <summary>This machine as a platform: the kit's own kernels, timed layer by layer.</summary>
public static class PlatformMeasurement
{
    private const string Source =
        "Timed by 'admmkit platform measure': each layer by itself on inputs at random, survivors at random; dense and sparse took turns, "
        + "and a sparse time is the median of their ratios times the median of the dense times.";

    /// <summary>
    /// Layers that differ in kind, shape or multiply-accumulates, which is what a platform tells apart: the first of each.
    /// </summary>
    /// <param name="networks">The networks.</param>
    public static IReadOnlyList<(NetworkSpec Spec, LayerInfo Layer)> Kinds(IReadOnlyList<NetworkSpec> networks) =>
    [
        .. networks.SelectMany(n => n.Layers.Select(l => (Spec: n, Layer: l))).DistinctBy(l => (l.Layer.Kind, l.Layer.Shape, l.Layer.Macs)),
    ];

    /// <summary>Times all kinds of layers of some networks; a kind that several have, once.</summary>
    /// <param name="networks">The networks.</param>
    /// <param name="name">What the platform is called.</param>
    /// <param name="options">Batch, threads and densities.</param>
    /// <param name="progress">Told of each layer before it is timed: what it is, how many are done, and of how many.</param>
    /// <param name="cancellation">Ends it; nothing is kept.</param>
    /// <exception cref="AdmmKitException">An option is not usable.</exception>
    public static MeasuredPlatform Measure(
        IReadOnlyList<NetworkSpec> networks, string name, TimingOptions options, Action<LayerInfo, int, int>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(networks);
        ArgumentNullException.ThrowIfNull(options);
        IReadOnlyList<(NetworkSpec Spec, LayerInfo Layer)> layers = Kinds(networks);
        var times = new List<LayerTime>();
        foreach ((NetworkSpec spec, LayerInfo layer) in layers)
        {
            progress?.Invoke(layer, times.Count, layers.Count);
            times.Add(LayerTimer.Time(spec, layer, options, cancellation));
        }

        return Platform(times, name, Describe(options));
    }

    /// <summary>How many times as fast as dense each layer is with survivors alone, over its survivors; one plot a network.</summary>
    /// <param name="platform">The platform.</param>
    /// <param name="kinds">The layers that it was timed on, of <see cref="Kinds"/>.</param>
    public static LineChart Chart(MeasuredPlatform platform, IReadOnlyList<(NetworkSpec Spec, LayerInfo Layer)> kinds)
    {
        ArgumentNullException.ThrowIfNull(platform);
        ArgumentNullException.ThrowIfNull(kinds);
        return new LineChart(
            $"{platform.Name}: survivors alone against dense, layer by layer", "keepFraction",
            [
                .. platform.Layers.Zip(kinds).GroupBy(l => l.Second.Spec.Name, l => l.First).Select(network => new ChartPanel(
                    network.Key + ": times as fast as dense",
                    [
                        .. network.Select(l => new ChartSeries(
                            $"{l.Name} {l.Shape}", [.. l.Points.Select(p => p.KeepFraction)],
                            [.. l.Points.Select(p => l.DenseSeconds / p.Seconds)])),
                    ],
                    AxisScale.Logarithmic)
                {
                    Reference = new(1, "dense"),
                }),
            ],
            AxisScale.Logarithmic);
    }

    /// <summary>The times and break-evens as rows of results, one line a kind of layer.</summary>
    /// <param name="platform">The platform.</param>
    /// <param name="kinds">The layers that it was timed on, of <see cref="Kinds"/>.</param>
    /// <param name="source">What measures them: the command.</param>
    public static IReadOnlyList<ResultRow> Rows(
        MeasuredPlatform platform, IReadOnlyList<(NetworkSpec Spec, LayerInfo Layer)> kinds, string source)
    {
        ArgumentNullException.ThrowIfNull(platform);
        ArgumentNullException.ThrowIfNull(kinds);
        var rows = new List<ResultRow>();
        foreach ((NetworkSpec spec, LayerInfo layer) in kinds)
        {
            void Add(string quantity, string unit, double value) => rows.Add(new ResultRow(
                $"{spec.Name}, {layer.Name} {layer.Shape}", quantity, unit, null, Digits(value), null, 0, ResultStatus.None, source));
            double breakEven = platform.BreakEvenKeepFraction(layer);
            Add("denseTime", "us", 1e6 * platform.DenseDelay(layer));
            Add("breakEvenKeepFraction", "", breakEven);
            if (breakEven > 0)
            {
                Add("breakEvenCompressionRatio", "x", 1 / breakEven);
            }

            foreach (double keep in new[] { 0.05, 0.1, 0.2 })
            {
                Add(FormattableString.Invariant($"speedup at {keep}"), "x", platform.DenseDelay(layer) / platform.SparseDelay(layer, keep));
            }
        }

        return rows;
    }

    internal static MeasuredPlatform Platform(IReadOnlyList<LayerTime> times, string name, string description) => new()
    {
        Name = name,
        Description = description,
        Source = Source,
        Layers =
        [
            .. times.Select(t => new TimedLayer(
                t.Layer.Name, t.Layer.Kind, t.Layer.Shape, t.Layer.Macs, Digits(t.DenseSeconds),
                [.. t.Sparse.Select(s => new TimedPoint(s.KeepFraction, Digits(s.Seconds)))])),
        ],
    };

    private static string Describe(TimingOptions options)
    {
        int threads = options.ThreadCount;
        return string.Create(CultureInfo.InvariantCulture,
            $"{RunEnvironment.Cpu()}, {Network.InstructionSet}, threads: {threads}, batch: {options.Batch}; "
            + $"AdmmKit's dense and sparse kernels, float32, time for one image.");
    }

    /// <summary>Six digits: more than any of it repeats, and a file that people can read.</summary>
    private static double Digits(double seconds) => Rounded.ToDigits(seconds, 6);
}
