using System.CommandLine;
using AdmmKit.Engine;

namespace AdmmKit.Cli;

/// <summary>Options of the commands that time this machine.</summary>
internal sealed class TimingFlags
{
    private readonly SharedOptions shared = new();

    public TimingFlags()
    {
        Batch.Validators.Add(result =>
        {
            // A value that is no number is reported by the parser itself.
            if (result.Tokens is [var token] && int.TryParse(token.Value, out int batch) && batch is < 1 or > 4096)
            {
                result.AddError("--batch must be 1 to 4096.");
            }
        });
        Seconds.Validators.Add(result =>
        {
            if (result.Tokens is [_] && result.GetValueOrDefault<double>() is not (>= 0 and <= 3600))
            {
                result.AddError("--seconds must be 0 to 3600.");
            }
        });
    }

    public Option<int> Batch { get; } = new("--batch") { Description = "Images of a pass.", DefaultValueFactory = _ => 64, HelpName = "B" };

    public Option<double> Seconds { get; } = new("--seconds")
    {
        Description = "Seconds that each comparison takes at least: more on a busy machine.",
        DefaultValueFactory = _ => new TimingOptions().MinSeconds,
        HelpName = "S",
    };

    public Option<int> Threads => shared.Threads;

    public TimingOptions Options(ParseResult parsed) => new()
    {
        Batch = parsed.GetValue(Batch),
        Threads = parsed.GetValue(Threads),
        MinSeconds = parsed.GetValue(Seconds),
    };
}
