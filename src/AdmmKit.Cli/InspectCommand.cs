using System.CommandLine;
using System.Globalization;
using AdmmKit.Hardware.Computation;
using AdmmKit.Storage;
using AdmmKit.Storage.Indexing;
using Spectre.Console;

namespace AdmmKit.Cli;

internal static class InspectCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = $"A network: {ModelOptions.Kinds}." };
        var options = new ModelOptions();
        var command = new Command("inspect", "Shows what is in a network, layer by layer, every byte counted that it takes as .admm.") { file };
        options.AddTo(command);
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            Show(options.Load(parsed, parsed.GetValue(file)!).Compress());
            return CommandLineTool.Success;
        }));
        return command;
    }

    public static void Show(CompressedNetwork model)
    {
        FileSize size = model.Size;
        string normalizations = size.NormalizationBits > 0 ? $", {Bytes(size.NormalizationBits)} B batch normalizations" : "";
        ConsoleTables.Write(Layers(model, size));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{model.Survivors:#,0} of {model.Spec.WeightCount:#,0} weights survive (compressionRatio {model.CompressionRatio:f1}); "
            + $"weight data {Bytes(model.WeightDataBits)} B; file {size.TotalBytes:#,0} B, "
            + $"of which {Bytes(size.HeaderBits + size.FrameBits + size.RoundingBits)} B header and checksum{normalizations}."));
        Console.WriteLine();
        ConsoleTables.Write(Computation(model));
        ConsoleTables.Write(Sizes(model));
        Console.WriteLine(
            "\"As the paper\" gives each survivor 5 index bits in a convolution and 8 in a fully connected layer, and counts neither "
            + "padding for longer gaps (here: escapes) nor biases; a decoder needs both, \"relative\" counts the padding and \"file\" "
            + "the biases, too: so the paper's figure can be the smallest. \"Index\" is the "
            + "file's part for positions, \"of bound\" what it is of log2 C(N, k), which independent positions need: below 1 the coder makes use of structure.");
    }

    private static Table Layers(CompressedNetwork model, FileSize size)
    {
        Table table = ConsoleTables.New(
            $"{model.Spec.Name}, input {model.Spec.Input}, {model.Spec.Classes} classes",
            ["layer", "shape"],
            ["survivors", "keepFraction", "bits", "q", "header", "index B", "values B", "biases B", "total B"]);
        foreach ((CompressedLayer layer, LayerSize part) in model.Layers.Zip(size.Layers))
        {
            table.AddRow(
                layer.Layer.Name,
                layer.Layer.Shape,
                layer.Survivors.ToString("#,0", CultureInfo.InvariantCulture),
                layer.KeepFraction.ToString("0.00000", CultureInfo.InvariantCulture),
                layer.Bits.ToString(CultureInfo.InvariantCulture),
                layer.Coding switch
                {
                    ValueCoding.Levels => layer.Q.ToString("g5", CultureInfo.InvariantCulture),
                    ValueCoding.Codebook => string.Create(CultureInfo.InvariantCulture, $"{layer.Codebook.Length} values"),
                    _ => "-",
                },
                Bytes(part.HeaderBits + part.CodebookBits),
                Bytes(part.IndexBits),
                Bytes(part.ValueBits),
                Bytes(part.BiasBits),
                Bytes(part.TotalBits));
        }

        return table;
    }

    private static Table Computation(CompressedNetwork model)
    {
        var report = ComputationReport.Of(model);
        Table table = ConsoleTables.New(
            "Computation for one image, two operations a MAC, as the paper counts",
            ["layer"],
            ["dense MACs", "MACs left", "dense operations", "left", "of dense", "operations x bits"]);
        foreach (LayerComputation l in report.Layers)
        {
            Row(l.Layer.Name, l.DenseMacs, l.Macs, l.DenseOperations, l.Operations, l.OperationBits);
        }

        Row("all layers", report.DenseMacs, report.Macs, report.DenseOperations, report.Operations, report.OperationBits);
        return table;

        void Row(string name, double denseMacs, double macs, double denseOperations, double operations, double bits) => table.AddRow(
            name, Count(denseMacs), Count(macs), Count(denseOperations), Count(operations),
            string.Create(CultureInfo.InvariantCulture, $"{100 * macs / denseMacs:0.###} %"), Count(bits));
    }

    private static Table Sizes(CompressedNetwork model)
    {
        var sizes = ModelSizes.Of(model);
        Table table = ConsoleTables.New(
            "Five sizes in bytes, and the shortest index",
            ["layer"],
            ["data", "as the paper", "relative", "file", "entropy", "index", "of bound", "best", "its bytes"]);
        long best = 0;
        foreach ((CompressedLayer layer, LayerSizes s) in model.Layers.Zip(sizes.Layers))
        {
            (IIndexFormat format, IndexSize index) = IndexFormats.Best(layer.Layer, layer.Positions);
            best += index.Bits;
            Row(
                s.Name, s.WeightDataBits, s.PaperBits, s.RelativeBits, s.FileBits, s.BoundBits, s.IndexBits, s.IndexBoundBits,
                format.Name, index.Bits);
        }

        string frame = model.Normalizations.Count > 0 ? "header, normalization, checksum" : "header, checksum";
        Row(frame, 0, 0, 0, sizes.FrameBits, 0, 0, 0, "", 0);
        Row(
            "total", sizes.WeightDataBits, sizes.PaperBits, sizes.RelativeBits, sizes.FileBits, sizes.BoundBits, sizes.IndexBits,
            sizes.IndexBoundBits, "", best);
        return table;

        void Row(
            string name, long data, long paper, long relative, double file, double bound, double index, double indexBound,
            string format, long best) =>
            table.AddRow(
                name, Bytes(data), Bytes(paper), Bytes(relative), Bytes(file), Bytes(bound), Bytes(index),
                indexBound > 0 ? (index / indexBound).ToString("0.000", CultureInfo.InvariantCulture) : "", format, Bytes(best));
    }

    private static string Count(double number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Bytes(double bits) => (bits / 8).ToString("#,0.#", CultureInfo.InvariantCulture);
}
