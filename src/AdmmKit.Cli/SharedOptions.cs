using System.CommandLine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Dense;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Networks;

namespace AdmmKit.Cli;

/// <summary>Options that several commands share.</summary>
internal sealed class SharedOptions
{
    public Option<string?> Data { get; } = new("--data")
    {
        Description = "Folder of the images; for MNIST four IDX files, plain or gzip. Without it: ADMMKIT_DATA, the cache, a download, else synthetic digits.",
        HelpName = "DIR",
    };

    /// <summary>For the commands that work on any data, which add it; the others are about MNIST.</summary>
    public Option<string> DataSet { get; } = new("--data-set")
    {
        Description = "The data set in that folder: " + string.Join(", ", DataSource.Names) + ". cifar10 is never downloaded or drawn. Default: mnist, or what a given network's input calls for.",
        DefaultValueFactory = _ => DataSource.Names[0],
        HelpName = "NAME",
    };

    public Option<bool> Synthetic { get; } = new("--synthetic") { Description = "Use the built-in synthetic digits." };

    public Option<ulong> Seed { get; } = new("--seed") { Description = "Seed of every random choice.", DefaultValueFactory = _ => 1, HelpName = "S" };

    public Option<int> Threads { get; } = new("--threads")
    {
        Description = "Threads that train and evaluate; 0 means all cores. The result does not depend on it.",
        DefaultValueFactory = _ => 0,
        HelpName = "T",
    };

    public Option<bool> Force { get; } = new("--force") { Description = "Runs again what is done or was cut off, from the beginning." };

    public SharedOptions()
    {
        Threads.Validators.Add(result =>
        {
            // A value that is no number is reported by the parser itself.
            if (result.Tokens is [var token] && int.TryParse(token.Value, out int threads) && threads is < 0 or > 1024)
            {
                result.AddError("--threads must be 0 (all cores) to 1024.");
            }
        });
        DataSet.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !DataSource.Names.Contains(token.Value))
            {
                result.AddError(Names.Unknown("data set", token.Value, DataSource.Names));
            }
        });
    }

    public void AddTo(Command command)
    {
        command.Options.Add(Data);
        command.Options.Add(Synthetic);
        command.Options.Add(Seed);
        command.Options.Add(Threads);
    }

    public DataSet OpenData(ParseResult parsed, CancellationToken cancellation, string? name = null) => DataSource.Open(
        new DataRequest
        {
            Name = name ?? (parsed.CommandResult.Command.Options.Contains(DataSet) ? parsed.GetValue(DataSet)! : DataSource.Names[0]),
            Directory = parsed.GetValue(Data),
            Synthetic = parsed.GetValue(Synthetic),
            Seed = parsed.GetValue(Seed),
        },
        line => Console.Error.WriteLine(line), cancellation);

    /// <summary>The data set that an architecture is meant for.</summary>
    public DataSet OpenDataFor(ParseResult parsed, string architecture, CancellationToken cancellation)
    {
        bool colour = TrainingRecipe.IsForColour(architecture);
        return colour && parsed.GetValue(Synthetic)
            ? throw new AdmmKitException($"'{architecture}' learns from CIFAR-10, and the digits that --synthetic draws are grey: leave it out, and name a folder with CIFAR-10 by --data.")
            : OpenData(parsed, cancellation, colour ? "cifar10" : "mnist");
    }

    /// <summary>
    /// The data set that is named; else the one whose images have as many channels as the network reads, or the only one that is in the
    /// folder.
    /// </summary>
    public DataSet OpenDataFor(ParseResult parsed, ImageShape input, CancellationToken cancellation)
    {
        if (parsed.GetResult(DataSet) is { Implicit: false } || parsed.GetValue(Synthetic))
        {
            return OpenData(parsed, cancellation);
        }

        bool Absent(string name) => DataSource.IsForOthers(new DataRequest { Name = name, Directory = parsed.GetValue(Data) });
        string[] names = input.Channels == NetworkSpec.Cifar.Channels ? ["cifar10", "mnist"] : ["mnist", "cifar10"];
        return OpenData(parsed, cancellation, Absent(names[0]) && !Absent(names[1]) ? names[1] : names[0]);
    }

    /// <summary>The data set of that name if it is at hand, never a drawn one; null where it is not.</summary>
    public DataSet? OpenFiles(ParseResult parsed, string name, CancellationToken cancellation)
    {
        var request = new DataRequest { Name = name, Directory = parsed.GetValue(Data) };
        return DataSource.IsForOthers(request) ? null : DataSource.OpenFiles(request, line => Console.Error.WriteLine(line), cancellation);
    }

    /// <summary>Says what a run learns from, before it begins.</summary>
    public static void Announce(DataSet data) => Console.WriteLine(
        $"Data: {data.Name} ({data.Source}); {data.Training.Count} images to train, {data.Validation.Count} to choose by, {data.Test.Count} to test.");

    /// <summary>The manifest of what was just done.</summary>
    public Manifest Manifest(ParseResult parsed, DataOrigin? data, object? recipe = null)
    {
        int threads = parsed.GetValue(Threads);
        return Experiments.Results.Manifest.Describe("admmkit", parsed.Tokens.Select(t => t.Value), recipe, data) with
        {
            Seed = parsed.GetValue(Seed),
            Threads = threads > 0 ? threads : Environment.ProcessorCount,
        };
    }
}
