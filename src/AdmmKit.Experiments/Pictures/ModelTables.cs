using AdmmKit.Notebooks;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Pictures;

/// <summary>Tables about one compressed network.</summary>
public static class ModelTables
{
    /// <summary>
    /// The five sizes that belong together (<see cref="LayerSizes"/>), from what papers print to what lies on the disk, in bytes and
    /// as so many times less than float32.
    /// </summary>
    /// <param name="model">The network.</param>
    /// <param name="title">The title; null: its architecture and survivors.</param>
    public static Table Sizes(CompressedNetwork model, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ModelSizes sizes = ModelSizes.Of(model);
        double dense = 4.0 * model.Spec.WeightCount, all = dense + (4.0 * model.Spec.BiasCount);
        object?[] Row(string name, double bits, string counted, double of) => [name, Math.Round(bits / 8, 1), of / (bits / 8), counted];
        return new Table(
            title ?? FormattableString.Invariant($"{model.Spec.Name}, {model.Survivors} of {model.Spec.WeightCount} weights"),
            ["size", "bytes", "compressionRatio", "what is counted"],
            [
                Row("weight data", sizes.WeightDataBits, "survivors x bits", dense),
                Row("as the paper", sizes.PaperBits, "and an index of 5 bits (conv) or 8 bits (fc) a survivor", dense),
                Row("relative index", sizes.RelativeBits, "values, and an index that can be decoded", dense),
                Row("file", sizes.FileBits, "everything: biases, headers, checksum", all),
                Row("entropy bound", sizes.BoundBits, "the least for independent positions and levels", dense),
            ]);
    }

    /// <summary>Its layers: shape, survivors, bits and interval.</summary>
    /// <param name="model">The network.</param>
    /// <param name="title">The title; null: its architecture and survivors.</param>
    public static Table Layers(CompressedNetwork model, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        double macs = model.Layers.Sum(l => l.KeepFraction * l.Layer.Macs);
        return new Table(
            title ?? FormattableString.Invariant($"{model.Spec.Name}, {model.Survivors} of {model.Spec.WeightCount} weights"),
            ["layer", "shape", "weights", "survivors", "keepFraction (%)", "share of survivors (%)", "share of MACs (%)", "bits", "q"],
            [
                .. model.Layers.Select(l => new object?[]
                {
                    l.Layer.Name, l.Layer.Shape, l.Layer.WeightCount, l.Survivors, 100 * l.KeepFraction,
                    100.0 * l.Survivors / Math.Max(1, model.Survivors), macs == 0 ? null : 100 * l.KeepFraction * l.Layer.Macs / macs,
                    l.Bits, l.IsQuantized ? l.Q : null,
                }),
            ]);
    }

    /// <summary>
    /// A network before and after compression, a row a layer and one for all. Bytes before are those of float32, after those of the
    /// layer's part in an .admm file; the row "other" has batch normalizations, header and checksum.
    /// </summary>
    /// <param name="before">The network as it was.</param>
    /// <param name="after">The compressed one, of the same layers.</param>
    /// <param name="title">The title; null: its name.</param>
    public static Table BeforeAfter(CompressedNetwork before, CompressedNetwork after, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        FileSize size = after.Size;
        long normalizations = 4L * after.Spec.Normalizations.Sum(n => (long)n.Count);
        double layers = size.Layers.Sum(l => l.TotalBits) / 8;
        double Macs(CompressedNetwork model) => model.Layers.Sum(l => l.KeepFraction * l.Layer.Macs);
        static object?[] Row(CompressedLayer was, CompressedLayer now, LayerSize part) =>
        [
            now.Layer.Name, now.Layer.Shape, now.Layer.WeightCount, was.Survivors, now.Survivors, now.KeepFraction, now.Bits,
            4L * (now.Layer.WeightCount + now.Layer.Rows), Math.Round(part.TotalBits / 8, 1),
            Math.Round(was.KeepFraction * was.Layer.Macs), Math.Round(now.KeepFraction * now.Layer.Macs),
        ];
        long biased = 4L * (after.Spec.WeightCount + (long)after.Spec.BiasCount);
        return new Table(
            title ?? $"{after.Spec.Name}, before and after",
            ["layer", "shape", "weights", "before", "survivors", "keepFraction", "bits", "bytes before", "bytes", "MACs before", "MACs"],
            [
                .. before.Layers.Zip(after.Layers, size.Layers).Select(l => Row(l.First, l.Second, l.Third)),
                ["other", null, null, null, null, null, null, normalizations, Math.Round(size.TotalBytes - layers, 1), null, null],
                [
                    "total", null, after.Spec.WeightCount, before.Survivors, after.Survivors, after.KeepFraction, null,
                    biased + normalizations, size.TotalBytes, Math.Round(Macs(before)), Math.Round(Macs(after)),
                ],
            ]);
    }

    /// <summary>
    /// What is left of its layers' structure: outputs without any weight and inputs that nobody reads, and how the survivors are
    /// spread over the outputs.
    /// </summary>
    /// <param name="model">The network.</param>
    /// <param name="title">The title; null: its architecture and survivors.</param>
    public static Table Structure(CompressedNetwork model, string? title = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new Table(
            title ?? FormattableString.Invariant($"{model.Spec.Name}, {model.Survivors} of {model.Spec.WeightCount} weights"),
            ["layer", "outputs", "without weights", "mean of an output", "fullest output", "inputs", "never read"],
            [
                .. model.Layers.Select(l =>
                {
                    (var ofOutput, var ofInput) = (new int[l.Layer.Rows], new int[l.Layer.Columns]);
                    foreach (int position in l.Positions)
                    {
                        ofOutput[position / l.Layer.Columns]++;
                        ofInput[position % l.Layer.Columns]++;
                    }

                    return new object?[]
                    {
                        l.Layer.Name, l.Layer.Rows, ofOutput.Count(n => n == 0), (double)l.Survivors / l.Layer.Rows, ofOutput.Max(),
                        l.Layer.Columns, ofInput.Count(n => n == 0),
                    };
                }),
            ]);
    }
}
