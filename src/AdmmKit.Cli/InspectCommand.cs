using System.CommandLine;
using System.Globalization;
using AdmmKit.Storage;
using Spectre.Console;

namespace AdmmKit.Cli;

internal static class InspectCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A compressed network (.admm)." };
        var command = new Command("inspect", "Shows what is in a compressed network, layer by layer, every byte counted.") { file };
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            Show(CompressedNetwork.Load(parsed.GetValue(file)!));
            return CommandLineTool.Success;
        }));
        return command;
    }

    public static void Show(CompressedNetwork model)
    {
        var table = new Table().Border(TableBorder.Simple).Title(Markup.Escape($"{model.Spec.Name}, input {model.Spec.Input}, {model.Spec.Classes} classes"));
        foreach (string column in new[] { "layer", "shape", "survivors", "keepFraction", "bits", "q", "header", "index B", "values B", "biases B", "total B" })
        {
            table.AddColumn(new TableColumn(column) { NoWrap = true, Alignment = column is "layer" or "shape" ? Justify.Left : Justify.Right });
        }

        string Bytes(double bits) => (bits / 8).ToString("#,0.#", CultureInfo.InvariantCulture);
        foreach ((CompressedLayer layer, LayerSize size) in model.Layers.Zip(model.Size.Layers))
        {
            table.AddRow(
                layer.Layer.Name,
                layer.Layer.Shape,
                layer.Survivors.ToString("#,0", CultureInfo.InvariantCulture),
                layer.KeepFraction.ToString("0.00000", CultureInfo.InvariantCulture),
                layer.Bits.ToString(CultureInfo.InvariantCulture),
                layer.IsQuantized ? layer.Q.ToString("g5", CultureInfo.InvariantCulture) : "-",
                Bytes(size.HeaderBytes * 8),
                Bytes(size.IndexBits),
                Bytes(size.ValueBits + size.PaddingBits),
                Bytes(size.BiasBits),
                Bytes(size.TotalBits));
        }

        ConsoleTables.Write(table);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{model.Survivors:#,0} of {model.Spec.WeightCount:#,0} weights survive (compressionRatio {model.CompressionRatio:f1}); weight data {model.WeightDataBits / 8.0:#,0.#} B; file {model.Size.TotalBytes:#,0} B, of which {model.Size.HeaderBytes} B network header and {model.Size.ChecksumBytes} B checksum."));
    }
}
