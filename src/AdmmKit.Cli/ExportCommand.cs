using System.CommandLine;
using AdmmKit.Interop;
using AdmmKit.Storage;

namespace AdmmKit.Cli;

internal static class ExportCommand
{
    // Each writes a network to a file, whose name ends as the format is called.
    private static readonly Dictionary<string, Action<CompressedNetwork, string>> Writers = new(StringComparer.Ordinal)
    {
        ["safetensors"] = WriteSafetensors,
        ["net"] = (model, target) => DeepCompressionFile.WriteNetwork(target, model),
        ["admm"] = (model, target) => model.Save(target),
    };

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = $"A network: {ModelOptions.Kinds}." };
        var to = new Option<string>("--to")
        {
            Description = "The format: " + string.Join(", ", Writers.Keys) + "; net is Deep Compression's.",
            HelpName = "FORMAT",
            Required = true,
        };
        var options = new ModelOptions();
        var output = new Option<string?>("--out")
        {
            Description = "The file to write. Default: beside FILE, ending in the format's name.",
            HelpName = "PATH",
        };
        var command = new Command("export", "Writes a network of any kind in a format that other programs read, or as .admm.")
        {
            file, to, output,
        };
        options.AddTo(command);
        command.Validators.Add(result =>
        {
            // A missing value is reported by the parser itself.
            if (result.GetResult(to) is { Tokens: [var token] } && !Writers.ContainsKey(token.Value))
            {
                result.AddError(Names.Unknown("format", token.Value, Writers.Keys));
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            string source = parsed.GetValue(file)!, format = parsed.GetValue(to)!;
            CompressedNetwork model = options.Load(parsed, source).Compress();
            string target = parsed.GetValue(output) ?? Path.ChangeExtension(source, format);
            if (Path.GetFullPath(target) == Path.GetFullPath(source))
            {
                throw new AdmmKitException($"'{target}' is the file that is exported: name another one with --out.");
            }

            OutputFolder.CheckFile(target);
            Writers[format](model, target);
            Console.WriteLine(FormattableString.Invariant(
                $"{target}: {model.Spec.Name}, {model.Spec.WeightCount:#,0} weights, of which {model.Survivors:#,0} are not zero, ")
                + FormattableString.Invariant($"and {model.Spec.BiasCount:#,0} biases; {new FileInfo(target).Length:#,0} B."));
            return CommandLineTool.Success;
        }));
        return command;
    }

    private static void WriteSafetensors(CompressedNetwork model, string target)
    {
        var network = NetworkTensors.Of(model);
        SafetensorsFile.Write(target, network.Tensors, network.Metadata);
    }
}
