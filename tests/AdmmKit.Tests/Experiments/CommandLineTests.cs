using AdmmKit.Cli;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Search;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Engine;

namespace AdmmKit.Tests.Experiments;

/// <summary>The tool as a person uses it. Console output is process-wide, so these run one after the other.</summary>
[CollectionDefinition(nameof(CommandLineTests), DisableParallelization = true)]
[Collection(nameof(CommandLineTests))]
public sealed class CommandLineTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("admmkit-test").FullName;

    [Theory]
    [InlineData("--help", "  admmkit [command] [options]")]
    [InlineData("platform show --help", "  admmkit platform show ")]
    public void Help_calls_the_tool_as_people_do(string arguments, string usage)
    {
        (int code, string output, _) = Run(arguments);
        Assert.Equal(0, code);
        Assert.Contains(usage, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reprodce", "Did you mean 'reproduce'")]
    [InlineData("reproduce tabel1", "Did you mean 'table1'?")]
    [InlineData("reproduce --quik", "Did you mean '--quick'?")]
    [InlineData("reproduce --quick --full", "exclude each other")]
    [InlineData("reproduce --seed one", "--seed")]
    [InlineData("reproduce --threads -1", "--threads")]
    [InlineData("compress --keepfraction 0.1", "--keep-fraction")]
    [InlineData("compress --recipe r.json --rho 1", "--recipe")]
    [InlineData("compress --max-drop 0.2 --survivors fc1=5 --rho 1", "--survivors, --rho")]
    [InlineData("compress --max-drop 0.2 --recipe r.json", "--recipe")]
    [InlineData("compress --max-drop -1", "0 or more points")]
    [InlineData("compress --max-drop 100", "less than 100")]
    [InlineData("compress --max-drop half", "--max-drop")]
    [InlineData("compress --max-drop 0.2 --objective byts", "Did you mean 'bytes'?")]
    [InlineData("compress --objective bytes", "give --max-drop too")]
    [InlineData("compress --architecture lenet6 --synthetic", "Did you mean 'lenet5'?")]
    [InlineData("compress --max-drop 1 --architecture lenet6 --synthetic", "Did you mean 'lenet5'?")]
    [InlineData("compress net.safetensors", "--max-drop 0.5")]
    [InlineData("compress net.safetensors --max-drop 1 --dry-run", "--dry-run")]
    [InlineData("compress --platform admm-nn-40nm", "give --dry-run too")]
    [InlineData("compress --recipe r.json --architecture lenet5", "--recipe")]
    [InlineData("scan", "model")]
    [InlineData("inspect", "file")]
    [InlineData("verify", "DIR")]
    [InlineData("verify results --synthetic", "--synthetic")]
    public void Wrong_usage_exits_with_2_and_says_what_is_right(string arguments, string message)
    {
        (int code, _, string error) = Run(arguments);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inspect missing.admm", "missing.admm")]
    [InlineData("verify missing-folder", "missing-folder")]
    [InlineData("compress --survivors conv9=5 --synthetic", "Did you mean 'conv")]
    [InlineData("compress --survivors conv1=501 --synthetic", "501")]
    [InlineData("compress --conv-bits 9 --synthetic", "1 to 8")]
    [InlineData("compress --keep-fraction fc1=2 --synthetic", "above 0 and at most 1")]
    [InlineData("compress --keep-fraction fc1=0.2 --keep-fraction fc1=0.3 --synthetic", "'fc1' has a share already")]
    [InlineData("compress --recipe missing.json", "missing.json")]
    [InlineData("compress missing.safetensors --keep-fraction 0.5", "missing.safetensors")]
    [InlineData("compress --keep-fraction 0.5 --dry-run --platform admm-nn-40", "Did you mean 'admm-nn-40nm'?")]
    [InlineData("scan missing.safetensors --synthetic", "missing.safetensors")]
    [InlineData("reproduce --data missing-folder", "missing-folder")]
    public void Failure_exits_with_1_and_says_what_to_do(string arguments, string message)
    {
        (int code, _, string error) = Run(arguments + (arguments.Split(' ')[0] is "inspect" or "verify" ? "" : " --out " + Path.Combine(folder, "x")));
        Assert.Equal(1, code);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("compress --synthetic --out", "/", "no file that could be written")]
    [InlineData("compress --synthetic --out", ".", "no file that could be written")]
    public void A_place_for_results_that_is_none_is_told_before_the_run(string arguments, string place, string message)
    {
        (int code, _, string error) = Run([.. arguments.Split(' '), place]);
        Assert.Equal(1, code);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("inspect ")]
    [InlineData("verify ")]
    [InlineData("compress --recipe ")]
    [InlineData("reproduce --data ")]
    public void An_empty_argument_is_wrong_usage(string arguments)
    {
        (int code, _, string error) = Run(arguments);
        Assert.Equal(2, code);
        Assert.Contains("An argument is empty", error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_killed_process_left_in_the_output_folder_goes_after_an_hour()
    {
        string Write(string name, TimeSpan age)
        {
            string path = Path.Combine(folder, name);
            File.WriteAllText(path, "half a file");
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow - age);
            return name;
        }

        (TimeSpan old, TimeSpan young) = (TimeSpan.FromHours(2), TimeSpan.FromMinutes(10));
        Write($".{new Guid(1, 2, 3, new byte[8]):N}.tmp", old);
        Write(".admmkit-12.tmp", old);
        string[] kept = [Write($".{Guid.Empty:N}.tmp", young), Write(".mine.tmp", old), Write("mine.tmp", old)];
        OutputFolder.CheckWritable(folder);
        Assert.Equal(kept.Order(), Directory.GetFiles(folder).Select(f => Path.GetFileName(f)!).Order());
    }

    [Fact]
    public void Inspect_counts_every_byte()
    {
        NetworkSpec spec = NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10);
        CompressedLayer[] layers = [.. spec.Layers.Select(l => CompressedLayer.Quantized(l, 2, 0.25f, [1, 5, 9], [1, -2, 2], new float[l.Rows]))];
        string path = Path.Combine(folder, "model.admm");
        new CompressedNetwork(spec, layers).Save(path);
        (int code, string output, _) = Run("inspect " + path);
        Assert.Equal(0, code);
        Assert.Contains("9 of 266,200 weights survive", output, StringComparison.Ordinal);
        Assert.Contains(FormattableString.Invariant($"file {new FileInfo(path).Length:#,0} B"), output, StringComparison.Ordinal);
        Assert.Contains("300x784", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_passes_good_results_and_fails_on_all_that_is_wrong()
    {
        DataSet digits = SyntheticDigits.Create(1, 10, 50, 1);
        NetworkSpec spec = NetworkSpec.LeNet300100(NetworkSpec.Mnist, 10);
        CompressedLayer[] layers = [.. spec.Layers.Select(l => CompressedLayer.Quantized(l, 2, 0.25f, [1, 5, 9], [1, -2, 2], new float[l.Rows]))];
        var model = new CompressedNetwork(spec, layers);
        string results = Path.Combine(folder, "results"), file = Path.Combine(results, "model.admm");
        model.Save(file);
        var manifest = new Manifest
        {
            Commit = new string('0', 40),
            Dirty = false,
            CommandLine = "test",
            Data = new DataOrigin(digits.Name, digits.Source, digits.Checksums),
            Models = [ModelRecord.Of(file, model, "row", digits.Test)],
        };
        manifest.Save(Path.Combine(results, "manifest.json"));
        ResultRow row = new("row", "survivors", "", null, 9, null, 1, ResultStatus.Trend, "test");
        ResultRows.Write(Path.Combine(results, "rows.csv"), [row]);
        (int code, string output, _) = Run("verify --threads 1 " + folder);
        Assert.Equal(0, code);
        Assert.Contains("of 50 images correct", output, StringComparison.Ordinal);
        Assert.EndsWith("1 folders, 1 models, 1 of them evaluated; 0 skipped, 0 problems." + Environment.NewLine, output, StringComparison.Ordinal);

        (manifest with { Dirty = true }).Save(Path.Combine(results, "manifest.json"));
        ResultRows.Write(Path.Combine(results, "rows.csv"), [row with { Ours = 8 }]);
        (code, output, _) = Run("verify " + folder);
        Assert.Equal(1, code);
        Assert.Contains("results/manifest.json: the source that ran had changes", output, StringComparison.Ordinal);
        Assert.Contains("results/rows.csv: 'row', survivors is 8, but its 1 models give 9", output, StringComparison.Ordinal);
        Assert.Contains("2 problems.", output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_printed_recipe_is_the_one_that_the_flags_stand_for()
    {
        (int code, string output, _) = Run("compress --print-recipe --survivors conv1=100 --keep-fraction 0.05 --rho 0.01");
        Assert.Equal(0, code);
        var recipe = AdmmKit.Experiments.Recipes.RecipeJson.Parse(output, "printed");
        Assert.Equal(100, recipe.Prune[0].Survivors["conv1"]);
        Assert.Equal(["conv2", "fc1", "fc2"], recipe.Prune[0].KeepFraction.Keys.Order());
        Assert.Equal(0.01f, recipe.Prune[0].Admm.Rho);
    }

    [Fact]
    public void What_may_be_lost_is_all_that_must_be_said()
    {
        using var images = new TemporaryFolder();
        // 5,000 of the training images are held out.
        foreach ((string name, int count, ulong seed) in new[] { ("train", 6_000, 1UL), ("t10k", 100, 2UL) })
        {
            ImageSet blobs = TestData.Blobs(new ImageShape(1, 10, 10), 10, count, seed);
            images.Write($"{name}-images-idx3-ubyte", TemporaryFolder.Idx(blobs.Pixels.ToArray(), count, 10, 10));
            images.Write($"{name}-labels-idx1-ubyte", TemporaryFolder.Idx(blobs.Labels.ToArray(), count));
        }

        string file = Path.Combine(folder, "small.admm");
        string[] command =
        [
            "compress", "--max-drop", "10", "--objective", "bytes", "--architecture", "lenet-300-100", "--epochs", "8", "--iterations", "2",
            "--data", images.Path, "--threads", "1", "--out", file,
        ];
        (int code, string output, string error) = Run(command);
        Assert.True(code == 0, error);
        Assert.Contains("Promise kept: ", output, StringComparison.Ordinal);
        Assert.Contains("of 10 points lost on 5000 validation images", output, StringComparison.Ordinal);
        Assert.Contains("100 test images", output, StringComparison.Ordinal);
        Assert.True(CompressedNetwork.Load(file).Survivors < 0.5 * CompressedNetwork.Load(file).Spec.WeightCount);
        Assert.All(SearchRecord.Load(Path.Combine(folder, "small.search.json")), s => Assert.Equal("bytes", s.Objective));
        Assert.NotNull(Manifest.Load(Path.Combine(folder, "small.manifest.json")));
    }

    [Fact]
    public void A_log_on_a_disk_that_fills_up_does_not_end_the_run()
    {
        (TextWriter output, int lines) = (Console.Out, 0);
        using var full = new FullWriter();
        Console.SetOut(full);
        try
        {
            lines = ConsoleObserver.Watch(observer =>
            {
                observer.Milestone("no room for this");
                observer.Point(new("phase", 1, 2, 1, 0.5, 1, 100, 0.9, null, TimeSpan.Zero));
                return full.Attempts;
            });
        }
        finally
        {
            Console.SetOut(output);
        }

        Assert.Equal(2, lines);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static (int Code, string Output, string Error) Run(string arguments) => Run(arguments.Split(' '));

    internal static (int Code, string Output, string Error) Run(string[] arguments)
    {
        (TextWriter output, TextWriter error) = (Console.Out, Console.Error);
        using var newOutput = new StringWriter();
        using var newError = new StringWriter();
        Console.SetOut(newOutput);
        Console.SetError(newError);
        Spectre.Console.AnsiConsole.Console = Spectre.Console.AnsiConsole.Create(
            new Spectre.Console.AnsiConsoleSettings { Out = new Spectre.Console.AnsiConsoleOutput(newOutput) });
        try
        {
            return (CommandLineTool.Run(arguments), newOutput.ToString(), newError.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }

    private sealed class FullWriter : StringWriter
    {
        public int Attempts { get; private set; }

        public override void WriteLine(string? value)
        {
            Attempts++;
            throw new IOException("No space left on device");
        }
    }
}
