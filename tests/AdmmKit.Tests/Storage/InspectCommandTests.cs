using AdmmKit.Cli;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Experiments;
using Spectre.Console;

namespace AdmmKit.Tests.Storage;

/// <summary>What `admmkit inspect` shows. It writes to the console, as the tests of the tool do.</summary>
[Collection(nameof(CommandLineTests))]
public class InspectCommandTests
{
    [Fact]
    public void Five_sizes_stand_side_by_side_in_120_columns()
    {
        NetworkSpec spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        var random = new RandomStream(1, "inspect");
        var model = new CompressedNetwork(spec,
            [.. spec.Layers.Select((l, i) => RandomNetworks.Layer(l, random, 0.01, i == 3 ? 32 : 7, codebook: i == 2))]);
        string[] lines = Shown(model);
        var sizes = ModelSizes.Of(model);
        LayerSizes All(ModelSizes m) => new("total", 0, 0, m.WeightDataBits, m.PaperBits, m.RelativeBits, m.FileBits, m.BoundBits);
        Assert.Equal(Five(All(sizes)), Cells(lines, "total")[1..6]);
        LayerSizes fc1 = sizes.Layers[2];
        int second = Array.FindIndex(lines, l => l.Contains("Five sizes", StringComparison.Ordinal));
        string[] cells = Cells(lines[second..], "fc1");
        Assert.Equal([.. Five(fc1), FormattableString.Invariant($"{fc1.IndexBits / 8:#,0.#}"), FormattableString.Invariant($"{fc1.IndexOverBound:0.000}")], cells[1..8]);
        Assert.Contains(lines, l => l.Contains("128 values", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("counts neither padding for longer gaps", StringComparison.Ordinal));
        Assert.All(lines.Where(l => l.StartsWith(' ') || l.StartsWith('─')), l => Assert.InRange(l.TrimEnd().Length, 0, 120));
    }

    [Fact]
    public void Computation_is_counted_dense_and_left()
    {
        NetworkSpec spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        var random = new RandomStream(1, "inspect");
        var model = new CompressedNetwork(spec, [.. spec.Layers.Select(l => RandomNetworks.Layer(l, random, 0.01, 3))]);
        string[] lines = Shown(model);
        int table = Array.FindIndex(lines, l => l.Contains("Computation for one image", StringComparison.Ordinal));
        // conv2: 25,000 weights at 8 x 8 positions; a survivor is two operations at each.
        int left = model.Layers[1].Survivors * 64;
        Assert.Equal(
            ["1,600,000", Text(left), "3,200,000", Text(2 * left), FormattableString.Invariant($"{left / 16e3:0.###}"), "%", Text(6 * left)],
            Cells(lines[table..Array.FindIndex(lines, l => l.Contains("Five sizes", StringComparison.Ordinal))], "conv2")[1..]);
        Assert.Equal(["layers", "2,293,000"], Cells(lines, "all")[1..3]);
    }

    private static string Text(int count) => FormattableString.Invariant($"{count:#,0}");

    private static string[] Five(LayerSizes s) =>
    [
        .. new[] { (double)s.WeightDataBits, s.PaperBits, s.RelativeBits, s.FileBits, s.BoundBits }
            .Select(bits => FormattableString.Invariant($"{bits / 8:#,0.#}")),
    ];

    private static string[] Cells(string[] lines, string first) =>
        Assert.Single(lines, l => l.TrimStart().StartsWith(first + " ", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Shown(CompressedNetwork model)
    {
        (TextWriter output, IAnsiConsole console) = (Console.Out, AnsiConsole.Console);
        using var written = new StringWriter();
        Console.SetOut(written);
        AnsiConsole.Console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(written) });
        AnsiConsole.Profile.Width = 140;
        try
        {
            InspectCommand.Show(model);
            return written.ToString().Split('\n');
        }
        finally
        {
            Console.SetOut(output);
            AnsiConsole.Console = console;
        }
    }
}
