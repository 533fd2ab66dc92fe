using System.CommandLine;
using AdmmKit.Experiments.Results;
using AdmmKit.Interop;
using AdmmKit.Storage;

namespace AdmmKit.Cli;

internal static class ExportCommand
{
    private const string Onnx = "onnx";

    private static readonly Dictionary<string, OnnxForm> Forms = new(StringComparer.Ordinal)
    {
        ["dense"] = OnnxForm.Dense,
        ["qdq"] = OnnxForm.Quantized,
        ["sparse"] = OnnxForm.Sparse,
    };

    // Each writes a network to a file, whose name ends as the format is called; an .onnx in the form that is given.
    private static readonly Dictionary<string, Action<CompressedNetwork, string, OnnxExport>> Writers = new(StringComparer.Ordinal)
    {
        ["safetensors"] = (model, target, _) => WriteSafetensors(model, target),
        [Onnx] = WriteOnnx,
        ["net"] = (model, target, _) => DeepCompressionFile.WriteNetwork(target, model),
        ["admm"] = (model, target, _) => model.Save(target),
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

    /// <summary>Writes a compressed network; of an .onnx, levels in a byte each, which every runtime brings back to the same weights.</summary>
    /// <param name="format">The format.</param>
    /// <param name="model">The network.</param>
    /// <param name="target">The file.</param>
    /// <param name="ending">What an .onnx computes of the network's outputs.</param>
    public static void Write(string format, CompressedNetwork model, string target, OnnxEnding ending) =>
        Writers[format](model, target, new OnnxExport { Form = OnnxForm.Quantized, Ending = ending });

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = $"A network: {ModelOptions.Kinds}." };
        var to = new Option<string?>("--to")
        {
            Description = "The format: " + string.Join(", ", Writers.Keys) + "; net is Deep Compression's. Default: what --out ends in.",
            HelpName = "FORMAT",
        };
        var options = new ModelOptions();
        var output = new Option<string?>("--out")
        {
            Description = "The file to write. Default: beside FILE, ending in the format's name.",
            HelpName = "PATH",
        };
        var form = new Option<string>("--form")
        {
            Description = "How weights stand in an .onnx: dense, as floats; qdq, as levels in a byte each where they are levels; sparse, the survivors alone.",
            HelpName = "FORM",
            DefaultValueFactory = _ => "dense",
        };
        var standardized = new Option<bool>("--standardized-input")
        {
            Description = "An .onnx is for images whose pixels have been standardized already: it does not do so itself.",
        };
        var command = new Command("export", "Writes a network of any kind in a format that other programs read, or as .admm.")
        {
            file, to, output, form, standardized,
        };
        options.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetResult(form) is { Tokens: [var said] } && !Forms.ContainsKey(said.Value))
            {
                result.AddError(Names.Unknown("form", said.Value, Forms.Keys));
            }

            string? ending = result.GetResult(output) is { Tokens: [var path] } ? Path.GetExtension(path.Value).TrimStart('.') : null;
            string? wanted = result.GetResult(to) is { Tokens: [var format] } ? format.Value : ending;
            if (wanted is null)
            {
                result.AddError($"Say what to write: --to with one of {string.Join(", ", Writers.Keys)}, or --out with a file that ends so.");
            }
            else if (!Writers.ContainsKey(wanted))
            {
                result.AddError(Names.Unknown("format", wanted, Writers.Keys));
            }
            else if (ending is not null && ending != wanted && Writers.ContainsKey(ending))
            {
                result.AddError($"--to {wanted} does not go with a file that ends in .{ending}, by which every command tells what it holds: leave --to out, or name the file otherwise.");
            }
            else if (wanted != Onnx && new Option[] { form, standardized }.FirstOrDefault(o => result.GetResult(o) is { Implicit: false }) is { } only)
            {
                result.AddError($"{only.Name} is about an .onnx: leave it out, or write one with --to {Onnx}.");
            }
        });
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            string source = parsed.GetValue(file)!;
            string format = parsed.GetValue(to) ?? Path.GetExtension(parsed.GetValue(output)!).TrimStart('.');
            StoredModel stored = options.Load(parsed, source);
            CompressedNetwork model = stored.Compress();
            string target = parsed.GetValue(output) ?? Path.ChangeExtension(source, format);
            if (Path.GetFullPath(target) == Path.GetFullPath(source))
            {
                throw new AdmmKitException($"'{target}' is the file that is exported: name another one with --out.");
            }

            OutputFolder.CheckFile(target);
            Writers[format](model, target, new OnnxExport
            {
                Form = Forms[parsed.GetValue(form)!],
                Standardize = !parsed.GetValue(standardized),
                Ending = stored.Ending,
            });
            Console.WriteLine(FormattableString.Invariant(
                $"{target}: {model.Spec.Name}, {model.Spec.WeightCount:#,0} weights, of which {model.Survivors:#,0} are not zero, ")
                + FormattableString.Invariant($"and {model.Spec.BiasCount:#,0} biases; {new FileInfo(target).Length:#,0} B."));
            return CommandLineTool.Success;
        }));
        return command;
    }

    private static void WriteOnnx(CompressedNetwork model, string target, OnnxExport options)
    {
        foreach (string note in OnnxFile.Write(target, model, options))
        {
            Console.Error.WriteLine(note);
        }
    }

    private static void WriteSafetensors(CompressedNetwork model, string target)
    {
        var network = NetworkTensors.Of(model);
        SafetensorsFile.Write(target, network.Tensors, network.Metadata);
    }
}
