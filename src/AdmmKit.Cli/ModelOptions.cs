using System.CommandLine;
using System.Globalization;
using AdmmKit.Experiments.Results;
using AdmmKit.Networks;

namespace AdmmKit.Cli;

/// <summary>What has to be said about a network's file that does not say it itself; for all commands that take such a file.</summary>
internal sealed class ModelOptions
{
    /// <summary>The kinds of files that are read.</summary>
    public const string Kinds = ".admm, .safetensors, .onnx, .caffemodel, or .net of Deep Compression";

    public Option<string?> Architecture { get; } = new("--architecture")
    {
        Description = "What a .caffemodel or .net is, and a .safetensors whose metadata do not say it: " + string.Join(", ", NetworkSpec.Architectures) + ".",
        HelpName = "NAME",
    };

    public Option<double?> InputScale { get; } = new("--input-scale")
    {
        Description = "What pixels of 0 to 255 were multiplied by where a .caffemodel, .net or .onnx was trained, 0.00390625 in Caffe's MNIST networks. Default: what the .caffemodel or .onnx says; else 1/255.",
        HelpName = "S",
    };

    public Option<string?> InputMean { get; } = new("--input-mean")
    {
        Description = "What was subtracted from pixels in [0, 1] before an .onnx reads them, a number a channel or one for all: 0.485,0.456,0.406.",
        HelpName = "M,...",
    };

    public Option<string?> InputDeviation { get; } = new("--input-deviation")
    {
        Description = "What they were divided by after it: 0.229,0.224,0.225.",
        HelpName = "D,...",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(Architecture);
        command.Options.Add(InputScale);
        command.Options.Add(InputMean);
        command.Options.Add(InputDeviation);
        command.Validators.Add(result =>
        {
            // A missing value is reported by the parser itself.
            if (result.GetResult(Architecture) is { Tokens: [var token] } && !NetworkSpec.Architectures.Contains(token.Value))
            {
                result.AddError(Names.Unknown("architecture", token.Value, NetworkSpec.Architectures));
            }
        });
    }

    /// <summary>Whether something is said about the file.</summary>
    public bool AreGiven(ParseResult parsed) => new Option[] { Architecture, InputScale, InputMean, InputDeviation }.Any(o => parsed.GetResult(o) is { Implicit: false });

    /// <summary>Opens a file.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="file">The file.</param>
    /// <param name="images">The images that the network is for, asked for only if needed; null where there are none.</param>
    public StoredModel Load(ParseResult parsed, string file, Func<(ImageShape Input, int Classes)>? images = null)
    {
        var model = StoredModel.Load(
            file, parsed.GetValue(Architecture), images, parsed.GetValue(InputScale), Standardization(parsed.GetValue(InputMean), parsed.GetValue(InputDeviation)));
        foreach (string note in model.Notes)
        {
            Console.Error.WriteLine($"{file}: {note}");
        }

        return model;
    }

    private static Node.Standardize? Standardization(string? mean, string? deviation)
    {
        if (mean is null && deviation is null)
        {
            return null;
        }

        float[]? means = mean is null ? null : Numbers("--input-mean", mean), deviations = deviation is null ? null : Numbers("--input-deviation", deviation);
        return new Node.Standardize(
            means ?? [.. deviations!.Select(_ => 0f)], deviations ?? [.. means!.Select(_ => 1f)]);
    }

    private static float[] Numbers(string option, string list) => [.. list.Split(',').Select(text =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number) ? number
        : throw new AdmmKitException($"{option} is a list of numbers such as 0.485,0.456,0.406, not '{list}'."))];
}
