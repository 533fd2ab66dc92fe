using System.CommandLine;
using AdmmKit.Engine.Data;

namespace AdmmKit.Cli;

/// <summary>Options that several commands share.</summary>
internal sealed class SharedOptions
{
    public Option<string?> Data { get; } = new("--data")
    {
        Description = "Folder of four IDX files, plain or gzip. Without it: ADMMKIT_DATA, the cache, a download, else synthetic digits.",
        HelpName = "DIR",
    };

    public Option<bool> Synthetic { get; } = new("--synthetic") { Description = "Use the built-in synthetic digits." };

    public Option<ulong> Seed { get; } = new("--seed") { Description = "Seed of every random choice.", DefaultValueFactory = _ => 1, HelpName = "S" };

    public Option<int> Threads { get; } = new("--threads")
    {
        Description = "Threads; 0 means all cores. The result does not depend on it.",
        DefaultValueFactory = _ => 0,
        HelpName = "T",
    };

    public SharedOptions() => Threads.Validators.Add(result =>
    {
        // A value that is no number is reported by the parser itself.
        if (result.Tokens is [var token] && int.TryParse(token.Value, out int threads) && threads is < 0 or > 1024)
        {
            result.AddError("--threads must be 0 (all cores) to 1024.");
        }
    });

    public void AddTo(Command command)
    {
        command.Options.Add(Data);
        command.Options.Add(Synthetic);
        command.Options.Add(Seed);
        command.Options.Add(Threads);
    }

    public DataSet OpenData(ParseResult parsed, CancellationToken cancellation) => DataSource.Open(
        new DataRequest { Directory = parsed.GetValue(Data), Synthetic = parsed.GetValue(Synthetic), Seed = parsed.GetValue(Seed) },
        line => Console.Error.WriteLine(line), cancellation);
}
