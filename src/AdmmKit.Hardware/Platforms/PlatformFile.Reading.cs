using System.Globalization;
using AdmmKit.Networks;

namespace AdmmKit.Hardware.Platforms;

/// <content>What each kind of platform has in its file.</content>
public static partial class PlatformFile
{
    // A picosecond to a quarter of an hour, for one layer and image.
    private const double LeastMicroseconds = 1e-6, MostMicroseconds = 1e9;

    private static LawPlatform ReadLaw(JsonFields file)
    {
        file.Allow([.. CommonKeys, "law"]);
        JsonFields law = file.Object("law");
        law.Allow("form", "a", "b", "t", "q");
        string form = law.Choice("form", ["logarithmic", "linearArea"]);
        (double a, double b, double t, double q) =
            (law.Positive("a", 1e6), law.Number("b", 0, 1e6), law.Positive("t", 1e6), law.Number("q", 1, 100));
        return new LawPlatform
        {
            Name = file.Text("name"),
            Description = file.Text("description", ""),
            Source = file.Text("source", ""),
            Resources = ReadResources(file),
            Energy = ReadEnergy(file),
            Law = form == "logarithmic" ? new LogarithmicLaw(a, b, t, q) : new LinearAreaLaw(a, b, t, q),
        };
    }

    private static MeasuredPlatform ReadMeasured(JsonFields file)
    {
        file.Allow([.. CommonKeys, "layers"]);
        var layers = new List<TimedLayer>();
        var seen = new HashSet<(LayerKind, string, long)>();
        foreach (JsonFields entry in file.Objects("layers", atLeast: 1))
        {
            TimedLayer layer = ReadLayer(entry);
            layers.Add(seen.Add((layer.Kind, layer.Shape, layer.Macs)) ? layer
                : throw entry.Error("shape", FormattableString.Invariant($"{layer.Shape} with {layer.Macs} MACs was timed above already")));
        }

        return new MeasuredPlatform
        {
            Name = file.Text("name"),
            Description = file.Text("description", ""),
            Source = file.Text("source", ""),
            Resources = ReadResources(file),
            Energy = ReadEnergy(file),
            Layers = layers,
        };
    }

    private static TimedLayer ReadLayer(JsonFields file)
    {
        file.Allow("name", "kind", "shape", "macs", "denseMicroseconds", "points");
        bool convolution = file.Choice("kind", ["convolution", "fullyConnected"]) == "convolution";
        LayerKind kind = convolution ? LayerKind.Convolution : LayerKind.FullyConnected;
        string shape = file.Text("shape");
        long weights = Weights(file, shape, convolution), macs = file.Integer("macs", 1, 1L << 50);
        if (macs % weights != 0)
        {
            throw file.Error("macs", FormattableString.Invariant($"{macs} is not a multiple of the {weights} weights of {shape}"));
        }

        var points = new List<TimedPoint>();
        foreach (JsonFields entry in file.Objects("points", atLeast: 2))
        {
            entry.Allow("keepFraction", "microseconds");
            var point = new TimedPoint(entry.Positive("keepFraction", 1), Seconds(entry, "microseconds"));
            points.Add(points.Count == 0 || points[^1].KeepFraction < point.KeepFraction ? point
                : throw entry.Error("keepFraction", FormattableString.Invariant(
                    $"{point.KeepFraction} is not above {points[^1].KeepFraction}, the one before it: sort the points")));
        }

        return new TimedLayer(file.Text("name"), kind, shape, macs, Seconds(file, "denseMicroseconds"), points);
    }

    private static long Weights(JsonFields file, string shape, bool convolution)
    {
        string[] parts = shape.Split('x');
        long weights = 1;
        foreach (string part in parts)
        {
            // No sign, no blank, no leading zero: a layer has one way to write its shape, which is what is looked up.
            weights = part is [>= '1' and <= '9', ..] && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int n)
                && weights * n <= int.MaxValue ? weights * n : 0;
        }

        string example = convolution ? "a convolution as 50x20x5x5" : "a fully connected layer as 500x800";
        return parts.Length == (convolution ? 4 : 2) && weights > 0 ? weights
            : throw file.Error("shape", $"{file.Raw("shape")} is not a shape: write {example}");
    }

    private static double Seconds(JsonFields file, string key) =>
        (double)((decimal)file.Number(key, LeastMicroseconds, MostMicroseconds) / MicrosecondsPerSecond);

    private static PlatformResources ReadResources(JsonFields file) => new()
    {
        DensePes = file.OptionalPositive("pesDense"),
        SparsePes = file.OptionalPositive("pesSparse"),
        SramKiB = file.OptionalPositive("sramKiB"),
        IndexBits = file.Has("indexBits") ? (int)file.Integer("indexBits", 0, 64) : null,
        FrequencyMHz = file.OptionalPositive("frequencyMHz"),
        BandwidthGBPerSecond = file.OptionalPositive("bandwidthGBPerSecond"),
    };

    private static EnergyTable? ReadEnergy(JsonFields file)
    {
        if (!file.Has("energyPicojoules"))
        {
            return null;
        }

        JsonFields energy = file.Object("energyPicojoules");
        energy.Allow("mac", "weightRead", "inputRead", "partialSum", "bufferRead", "bufferWrite", "dram", "wordBits");
        double Of(string key) => energy.Number(key, 0, 1e9);
        return new EnergyTable(
            Of("mac"), Of("weightRead"), Of("inputRead"), Of("partialSum"), Of("bufferRead"), Of("bufferWrite"), Of("dram"),
            (int)energy.Integer("wordBits", 1, 1024));
    }
}
