using System.Globalization;

namespace AdmmKit.Benchmarks;

/// <summary>The command line of one mode: values by position, <c>--name value</c> and <c>--flag</c>.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> values = new(StringComparer.Ordinal);

    /// <summary>Reads a command line; nothing unknown is ignored.</summary>
    /// <param name="args">What follows the mode.</param>
    /// <param name="mode">What the mode takes, as in its usage line: "[threads] [--rounds N] [--quick]".</param>
    /// <exception cref="UsageException">An option is unknown or lacks its value, or there is a value too many.</exception>
    public Arguments(IReadOnlyList<string> args, string mode)
    {
        const StringSplitOptions trimmed = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        string[][] items = [.. mode.Split(['[', ']'], trimmed).Select(i => i.Split(' '))];
        string[] options = [.. items.Select(i => i[0]).Where(i => i.StartsWith('-'))];
        var positions = new Queue<string>(items.Select(i => i[0]).Where(i => !i.StartsWith('-')));
        for (int i = 0; i < args.Count; i++)
        {
            string name = args[i];
            if (!name.StartsWith('-'))
            {
                values[positions.Count > 0 ? positions.Dequeue() : throw new UsageException($"'{name}' is one value too many.")] = name;
                continue;
            }

            if (!options.Contains(name))
            {
                throw new UsageException(Names.Unknown("option", name, options));
            }

            bool flag = items.First(o => o[0] == name).Length == 1;
            values[name] = flag ? "" : ++i < args.Count ? args[i] : throw new UsageException($"{name} needs a value behind it.");
        }
    }

    /// <summary>Whether an option or value was given.</summary>
    public bool Has(string name) => values.ContainsKey(name);

    /// <summary>A text, or null where it was not given.</summary>
    public string? Text(string name) => values.GetValueOrDefault(name);

    /// <summary>A count of at least one.</summary>
    /// <exception cref="UsageException">It is something else.</exception>
    public int Count(string name, int otherwise) => Text(name) is not { } text ? otherwise
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0 ? count
        : throw new UsageException($"{name} must be a whole number of at least 1, not '{text}'.");
}

/// <summary>The command line is wrong: exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
