using AdmmKit.Hardware.Platforms;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Results;

/// <summary>What a platform makes of a compressed network, as rows of results tell it.</summary>
internal static class HardwareQuantities
{
    private const string DelayOn = "delay on ", SpeedupOn = "speedup on ", SlowestOn = "slowest layer's speedup on ", SlowerOn = "layers slower than dense on ";
    private const string Prefix = "platform-";

    /// <summary>Share of a layer's weights that is left.</summary>
    public static double Keep(CompressedLayer layer) => (double)layer.Survivors / layer.Layer.WeightCount;

    /// <summary>Delay for one image, in the platform's unit.</summary>
    public static double Delay(Platform platform, CompressedNetwork model) => model.Layers.Sum(l => platform.Delay(l.Layer, Keep(l)));

    /// <summary>Every quantity with its unit and value.</summary>
    public static IReadOnlyList<(string Quantity, string Unit, double Value)> Of(Platform platform, CompressedNetwork model) =>
    [
        (DelayOn + platform.Name, platform.DelayUnit, Delay(platform, model)),
        (SpeedupOn + platform.Name, "x", model.Layers.Sum(l => platform.DenseDelay(l.Layer)) / Delay(platform, model)),
        (SlowestOn + platform.Name, "x", model.Layers.Min(l => platform.Speedup(l.Layer, Keep(l)))),
        (SlowerOn + platform.Name, "", model.Layers.Count(l => platform.Delay(l.Layer, Keep(l)) > platform.DenseDelay(l.Layer))),
    ];

    /// <summary>The file of a platform beside results that tell of it.</summary>
    public static string FileName(Platform platform) => Prefix + PortablePath.FileName(platform.Name) + ".json";

    /// <summary>Rows that are not what the platforms beside them make of the models beside them.</summary>
    /// <param name="folder">The folder of results.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="models">Its models by the row that they belong to.</param>
    /// <exception cref="AdmmKitException">A platform cannot be read.</exception>
    public static IEnumerable<string> Problems(string folder, IReadOnlyList<ResultRow> rows, ILookup<string, CompressedNetwork> models)
    {
        var known = new List<string>();
        foreach (string file in Directory.EnumerateFiles(folder, Prefix + "*.json").Order(StringComparer.Ordinal))
        {
            Platform platform = PlatformFile.Load(file);
            known.Add(platform.Name);
            foreach (IGrouping<string, CompressedNetwork> group in models)
            {
                foreach (var quantity in group.SelectMany(m => Of(platform, m)).GroupBy(q => q.Quantity))
                {
                    double mean = quantity.Average(q => q.Value);
                    ResultRow? row = rows.FirstOrDefault(r => r.Row == group.Key && r.Quantity == quantity.Key);
                    if (row is not null && !(Math.Abs(row.Ours.GetValueOrDefault(double.NaN) - mean) <= 1e-5 * Math.Abs(mean)))
                    {
                        yield return FormattableString.Invariant(
                            $"'{row.Row}', {row.Quantity} is {(object?)row.Ours ?? "missing"}, but {Path.GetFileName(file)} and its {group.Count()} models give {mean:R}");
                    }
                }
            }
        }

        foreach (ResultRow row in rows.Where(r => new[] { DelayOn, SpeedupOn, SlowestOn, SlowerOn }.Any(q => r.Quantity.StartsWith(q, StringComparison.Ordinal))))
        {
            if (!known.Any(name => row.Quantity.EndsWith(" on " + name, StringComparison.Ordinal)))
            {
                yield return $"'{row.Row}', {row.Quantity} tells of a platform whose file is not beside it";
            }
        }
    }
}
