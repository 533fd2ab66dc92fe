using System.Globalization;
using AdmmKit.Cli;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Experiments;
using AdmmKit.Tests.Storage;
using Spectre.Console;

namespace AdmmKit.Tests.Hardware;

/// <summary>`admmkit simulate` as a person uses it. It writes to the console, as the tests of the tool do.</summary>
[Collection(nameof(CommandLineTests))]
public class SimulateCommandTests
{
    [Fact]
    public void A_file_is_simulated_layer_by_layer_in_140_columns()
    {
        using var folder = new TemporaryFolder();
        NetworkSpec spec = NetworkSpec.LeNet5(NetworkSpec.Mnist, 10);
        var random = new RandomStream(1, "simulate");
        string path = Path.Combine(folder.Path, "model.admm");
        new CompressedNetwork(spec, [.. spec.Layers.Select(l => RandomNetworks.Layer(l, random, 0.05, 3))]).Save(path);
        (int code, string output, _) = Run("simulate", path, "--array", "sticker-like");
        Assert.Equal(0, code);
        string[] lines = output.Split('\n');
        long[] cycles = [.. new[] { "conv1", "conv2", "fc1", "fc2", "total" }.Select(l => Number(Cells(lines, l)[1]))];
        Assert.Equal(cycles[^1], cycles[..^1].Sum());
        double[] shares = [.. Cells(lines, "total")[4..].Select(c => double.Parse(c, CultureInfo.InvariantCulture))];
        Assert.InRange(shares.Sum(), 99.5, 100.5);
        Assert.All(lines.Where(l => l.StartsWith(' ') || l.StartsWith('─')), l => Assert.InRange(l.TrimEnd().Length, 0, 140));
        Assert.Contains("256 multipliers", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_masks_depend_on_the_seed_and_not_on_the_threads()
    {
        string[] arguments = ["simulate", "--architecture", "lenet5", "--keep-fraction", "0.1", "--activation-density", "0.5"];
        string first = Run(arguments).Output;
        Assert.Equal(first, Run([.. arguments, "--threads", "1"]).Output);
        Assert.NotEqual(first, Run([.. arguments, "--seed", "2"]).Output);
        string[] dense = Run("simulate", "--architecture", "lenet5", "--keep-fraction", "1").Output.Split('\n');
        Assert.True(Number(Cells(dense, "total")[1]) > Number(Cells(first.Split('\n'), "total")[1]));
    }

    [Theory]
    [InlineData(2, "Give a compressed network or --architecture", "simulate")]
    [InlineData(2, "Give a compressed network or --architecture", "simulate", "x.admm", "--architecture", "lenet5")]
    [InlineData(2, "--keep-fraction goes with --architecture", "simulate", "x.admm", "--keep-fraction", "0.1")]
    [InlineData(2, "Did you mean 'alexnet'?", "simulate", "--architecture", "alexnt")]
    [InlineData(2, "Did you mean 'scnn'?", "simulate", "--architecture", "lenet5", "--array", "scn")]
    [InlineData(2, "Did you mean '--array'", "simulate", "--architecture", "lenet5", "--aray", "scnn")]
    [InlineData(1, "missing.admm", "simulate", "missing.admm")]
    [InlineData(1, "share from 0 to 1, not 1.5", "simulate", "--architecture", "lenet5", "--keep-fraction", "1.5")]
    public void Wrong_usage_is_answered_in_words(int code, string message, params string[] arguments)
    {
        (int actual, _, string error) = Run(arguments);
        Assert.Equal(code, actual);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    private static long Number(string cell) => long.Parse(cell, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);

    // The first table; the second one, of traffic, names the layers again.
    private static string[] Cells(string[] lines, string first) =>
        lines.First(l => l.TrimStart().StartsWith(first + " ", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        (TextWriter output, TextWriter error, IAnsiConsole console) = (Console.Out, Console.Error, AnsiConsole.Console);
        using var written = new StringWriter();
        using var complained = new StringWriter();
        Console.SetOut(written);
        Console.SetError(complained);
        AnsiConsole.Console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(written) });
        AnsiConsole.Profile.Width = 140;
        try
        {
            return (CommandLineTool.Run(arguments), written.ToString(), complained.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
            AnsiConsole.Console = console;
        }
    }
}
