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

    /// <summary>Formats whose files say which network they hold.</summary>
    public static IReadOnlyList<string> WholeFormats { get; } = [.. Writers.Keys.Where(f => f != "net")];

    /// <summary>The format that a file's name ends in, one of <see cref="WholeFormats"/>; "admm" where it ends in none.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="AdmmKitException">It ends in something else; the nearest one is suggested.</exception>
    public static string FormatOf(string file)
    {
        string format = Path.GetExtension(file).TrimStart('.');
        return format.Length == 0 ? "admm" : WholeFormats.Contains(format) ? format
            : throw new AdmmKitException($"--out '{file}' is of no kind that can be written. {Names.Unknown("format", format, WholeFormats)}");
    }

    /// <summary>Writes a network.</summary>
    /// <param name="format">The format.</param>
    /// <param name="model">The network.</param>
    /// <param name="target">The file.</param>
    public static void Write(string format, CompressedNetwork model, string target) => Writers[format](model, target);

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
