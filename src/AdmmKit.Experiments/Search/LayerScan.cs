using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using AdmmKit.Baselines;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Networks;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Search;

/// <summary>How far a scan is.</summary>
/// <param name="Layer">The layer at work; null for the network as it is.</param>
/// <param name="Done">Points that are known.</param>
/// <param name="Points">All points.</param>
/// <param name="TimeLeft">Estimate from the points evaluated so far; zero where nothing is known yet.</param>
public sealed record ScanProgress(string? Layer, int Done, int Points, TimeSpan TimeLeft);

/// <summary>
/// A <see cref="SensitivityScan"/> of a network on a data set's validation images, whose points are kept in a file as they are found:
/// a scan that was cut off goes on there, and one with another grid evaluates only what is new.
/// </summary>
/// <param name="Network">The network's name.</param>
/// <param name="Data">The data set's name.</param>
/// <param name="Scan">The curves.</param>
/// <param name="Evaluated">Points that were evaluated now; the others were known.</param>
public sealed record LayerScan(string Network, string Data, SensitivityScan Scan, int Evaluated)
{
    // So many lines have colours of their own in a panel.
    private const int LayersInPanel = 6;

    /// <summary>Scans.</summary>
    /// <param name="spec">The network.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="data">The data; only its validation images are looked at.</param>
    /// <param name="folder">Where points are kept, each scan in a folder named by the hash of network, weights and data.</param>
    /// <param name="keepFractions">The grid, each more than 0 and less than 1; null for that of <see cref="SensitivityScan"/>.</param>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <param name="progress">Told after each point, or null.</param>
    /// <param name="cancellation">Stops between two points.</param>
    /// <exception cref="AdmmKitException">
    /// The images do not fit, a keepFraction is out of range, the folder cannot be used, or another process works on this scan.
    /// </exception>
    public static LayerScan Run(
        NetworkSpec spec, NetworkWeights weights, DataSet data, string folder, IReadOnlyList<double>? keepFractions = null, int threads = 0,
        Action<ScanProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(data);
        spec.CheckGraph();
        RecipeNetwork.CheckFits(spec, $"'{spec.Name}'", data);
        keepFractions ??= SensitivityScan.DefaultKeepFractions;
        SensitivityScan.CheckGrid(keepFractions);
        string key = Key(spec, weights, data), home = Path.Combine(folder, "scan-" + key);
        using FileStream ours = RunStore.Lock(home);
        var known = new ScanFile(Path.Combine(home, "points.json"), key, spec, data.Validation.Count);
        int points = 1 + spec.Layers.Sum(l => SensitivityScan.Grid(l, keepFractions).Count()), done = 0, evaluated = 0;
        using var network = new TrainableNetwork(spec, data, new EngineOptions { Threads = threads });
        var clock = new Stopwatch();
        Evaluation Around(LayerInfo? layer, int survivors, Func<Evaluation> evaluate)
        {
            if (known.Find(layer, survivors) is not { } point)
            {
                clock.Start();
                point = evaluate();
                known.Add(layer, survivors, point);
                clock.Stop();
                evaluated++;
            }

            done++;
            progress?.Invoke(new(layer?.Name, done, points, evaluated == 0 ? TimeSpan.Zero : clock.Elapsed / evaluated * (points - done)));
            return point;
        }

        return new LayerScan(spec.Name, data.Name, SensitivityScan.Run(network, weights, keepFractions, Around, cancellation), evaluated);
    }

    /// <summary>Every point, from all weights of a layer down to none.</summary>
    public Table Points() => new(
        $"{Network} on {Data}: one layer pruned by magnitude, without retraining",
        ["layer", "keepFraction", "survivors", "correct", "images", "accuracy", "loss"],
        [
            .. Scan.Curves.SelectMany(c => c.Points.Select(p => new object?[]
            {
                c.Layer.Name, (double)p.Survivors / c.Layer.WeightCount, p.Survivors, p.Validation.Correct, p.Validation.Count,
                p.Validation.Accuracy, p.Validation.Loss,
            })),
        ]);

    /// <summary>The smallest keepFraction of a layer down to which no point of the grid loses more than so much accuracy.</summary>
    /// <param name="curve">The layer's curve.</param>
    /// <param name="points">Points of validation accuracy, of 100, that may be lost.</param>
    public double LeastKeepFraction(SensitivityCurve curve, double points)
    {
        ArgumentNullException.ThrowIfNull(curve);
        double least = Scan.Dense.Correct - (points / 100 * Scan.Dense.Count) - 1e-9;
        return (double)curve.Points.TakeWhile(p => p.Validation.Correct >= least).Last().Survivors / curve.Layer.WeightCount;
    }

    /// <summary>Accuracy over keepFraction, a line a layer; of a network of many layers a plot for each six of them.</summary>
    public LineChart Chart() => new(
        $"{Network} on {Data}: how much each layer bears", "keepFraction (%) of the layer that is pruned",
        [
            .. Scan.Curves.Chunk(LayersInPanel).Select(some => new ChartPanel("validation accuracy (%)", [.. some.Select(Line)])
            {
                Reference = new(100 * Scan.Dense.Accuracy, "nothing pruned"),
            }),
        ],
        AxisScale.Logarithmic);

    private static ChartSeries Line(SensitivityCurve curve) => new(
        curve.Layer.Name,
        [.. curve.Points.Select(p => 100.0 * p.Survivors / curve.Layer.WeightCount)],
        [.. curve.Points.Select(p => 100 * p.Validation.Accuracy)]);

    private static string Key(NetworkSpec spec, NetworkWeights weights, DataSet data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Text(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        Text(FormattableString.Invariant($"scan {RunStore.Revision}"));
        Text(NetworkJson.Write(spec));
        foreach (float[] values in weights.Weights.Concat(weights.Biases).Concat(weights.Normalizations))
        {
            hash.AppendData(MemoryMarshal.AsBytes<float>(values));
        }

        data.Checksums.OrderBy(c => c.Key, StringComparer.Ordinal).ToList().ForEach(c => Text($"{c.Key} {c.Value}"));
        Text(FormattableString.Invariant($"{data.Training.Count}/{data.Validation.Count}"));
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    /// <summary>The points of a scan in a file, which is written anew with each.</summary>
    private sealed class ScanFile
    {
        private const long MaximumBytes = 64 << 20;

        private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
        {
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
        };

        private readonly string path;
        private readonly string key;
        private readonly Dictionary<(string? Layer, int Survivors), Evaluation> points;

        public ScanFile(string path, string key, NetworkSpec spec, int images)
        {
            (this.path, this.key) = (path, key);
            try
            {
                Stored stored = File.Exists(path) ? Read(path) : new Stored(key, []);
                HashSet<string?> layers = [.. spec.Layers.Select(l => l.Name), null];
                bool Known(StoredPoint? p) => p is not null && layers.Contains(p.Layer) && p.Correct >= 0 && p.Correct <= images;
                if (stored.Key != key || !stored.Points.All(Known))
                {
                    throw new JsonException("it belongs to another scan, or was changed");
                }

                points = stored.Points.ToDictionary(p => (p.Layer, p.Survivors), p => new Evaluation(p.Correct, images, p.Loss));
            }
            catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or ArgumentException)
            {
                throw new AdmmKitException(
                    $"The points in '{path}' cannot be read: {e.Message.TrimEnd('.')}. Delete that file, and the same command finds them again.",
                    e);
            }
        }

        public Evaluation? Find(LayerInfo? layer, int survivors) => points.GetValueOrDefault((layer?.Name, survivors));

        public void Add(LayerInfo? layer, int survivors, Evaluation found)
        {
            points.Add((layer?.Name, survivors), found);
            IEnumerable<StoredPoint> all = points.Select(p => new StoredPoint(p.Key.Layer, p.Key.Survivors, p.Value.Correct, p.Value.Loss));
            AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, new Stored(key, [.. all]), Options));
        }

        private static Stored Read(string path) => new FileInfo(path).Length <= MaximumBytes
            && JsonSerializer.Deserialize<Stored>(File.ReadAllBytes(path), Options) is { } read ? read
            : throw new JsonException("it holds no points");

        // No layer: the network as it is.
        private sealed record StoredPoint(string? Layer, int Survivors, int Correct, double Loss);

        private sealed record Stored(string Key, IReadOnlyList<StoredPoint> Points);
    }
}
