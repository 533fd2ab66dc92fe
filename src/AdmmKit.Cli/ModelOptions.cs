using System.CommandLine;
using AdmmKit.Experiments.Results;
using AdmmKit.Networks;

namespace AdmmKit.Cli;

/// <summary>What has to be said about a network's file that does not say it itself; for all commands that take such a file.</summary>
internal sealed class ModelOptions
{
    /// <summary>The kinds of files that are read.</summary>
    public const string Kinds = ".admm, .safetensors, .caffemodel, or .net of Deep Compression";

    public Option<string?> Architecture { get; } = new("--architecture")
    {
        Description = "What a .caffemodel or .net is, and a .safetensors whose metadata do not say it: " + string.Join(", ", NetworkSpec.Architectures) + ".",
        HelpName = "NAME",
    };

    public Option<double?> InputScale { get; } = new("--input-scale")
    {
        Description = "What pixels of 0 to 255 were multiplied by where a .caffemodel or .net was trained, 0.00390625 in Caffe's MNIST networks. Default: what the .caffemodel says; 1/255 for a .net.",
        HelpName = "S",
    };

    public void AddTo(Command command)
    {
        command.Options.Add(Architecture);
        command.Options.Add(InputScale);
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
    public bool AreGiven(ParseResult parsed) => new Option[] { Architecture, InputScale }.Any(o => parsed.GetResult(o) is { Implicit: false });

    /// <summary>Opens a file.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="file">The file.</param>
    /// <param name="images">The images that the network is for, asked for only if needed; null where there are none.</param>
    public StoredModel Load(ParseResult parsed, string file, Func<(ImageShape Input, int Classes)>? images = null) =>
        StoredModel.Load(file, parsed.GetValue(Architecture), images, parsed.GetValue(InputScale));
}
