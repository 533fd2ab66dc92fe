using System.Diagnostics;
using System.Globalization;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Networks;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Engine;
using Xunit.Abstractions;

namespace AdmmKit.Tests.Runs;

/// <summary>The tool, killed, interrupted and started twice, ends with the bits of a run that nobody disturbed.</summary>
public sealed class KillTests(KillTests.Undisturbed undisturbed, ITestOutputHelper log) : IClassFixture<KillTests.Undisturbed>, IDisposable
{
    private readonly TemporaryFolder folder = new();

    [Fact]
    public void Killed_at_any_moment_it_goes_on_to_the_same_bits()
    {
        // ADMMKIT_KILLS=100 for more of it.
        int wanted = int.TryParse(Environment.GetEnvironmentVariable("ADMMKIT_KILLS"), CultureInfo.InvariantCulture, out int count) ? count : 3;
        var random = new RandomStream(1, "kills");
        (int kills, int rounds) = (0, 0);
        bool done = false;
        while (kills < wanted || !done)
        {
            string home = Path.Combine(folder.Path, rounds.ToString(CultureInfo.InvariantCulture));
            using ToolProcess tool = undisturbed.Start(home);
            TimeSpan moment = undisturbed.Time * random.NextDouble(0.05, 0.9);
            done = kills >= wanted || tool.EndsWithin(moment);
            if (done)
            {
                Assert.True(tool.ExitCode() == 0, tool.Output + tool.Error);
                AssertSame(home);
                rounds++;
                continue;
            }

            tool.Kill();
            kills++;
            log.WriteLine(string.Create(CultureInfo.InvariantCulture, $"killed after {moment.TotalSeconds:f2} s and {tool.Points} epochs"));
        }

        log.WriteLine(FormattableString.Invariant($"{kills} kills, {rounds} runs, each with the same bits"));
    }

    [SignalTheory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void Interrupted_it_says_so_and_the_same_command_goes_on(string signal)
    {
        using (ToolProcess tool = undisturbed.Start(folder.Path))
        {
            tool.WaitForPoints(4);
            tool.Signal(signal);
            Assert.Equal(130, tool.ExitCode());
            Assert.StartsWith("Stopped. What was trained is saved; the same command", tool.Error, StringComparison.Ordinal);
        }

        Assert.NotEmpty(Directory.GetFiles(folder.Path, "*.checkpoint", SearchOption.AllDirectories));
        using ToolProcess again = undisturbed.Start(folder.Path);
        Assert.True(again.ExitCode() == 0, again.Output + again.Error);
        // The checkpoint was used: less was left to train.
        Assert.InRange(again.Points, 1, undisturbed.Points - 3);
        AssertSame(folder.Path);
    }

    [Fact]
    public void A_second_process_on_the_same_run_is_told_and_one_on_another_seed_is_not()
    {
        using ToolProcess first = undisturbed.Start(folder.Path);
        first.WaitForPoints(1);
        using ToolProcess second = undisturbed.Start(folder.Path), other = undisturbed.Start(folder.Path, seed: 2);
        Assert.Equal(1, second.ExitCode());
        Assert.StartsWith("error: Another process is working on this very run", second.Error, StringComparison.Ordinal);
        Assert.True(first.ExitCode() == 0, first.Output + first.Error);
        Assert.True(other.ExitCode() == 0, other.Output + other.Error);
        File.Delete(Path.Combine(folder.Path, "seed2.admm"));
        AssertSame(folder.Path);
    }

    [FullDeviceFact]
    public void Output_that_cannot_be_written_from_the_start_is_a_failure_in_words()
    {
        using ToolProcess tool = undisturbed.Start(folder.Path, outputTo: "/dev/full");
        Assert.Equal(1, tool.ExitCode());
        Assert.StartsWith("error: Could not read or write: No space left on device", tool.Error, StringComparison.Ordinal);
    }

    public void Dispose() => folder.Dispose();

    private void AssertSame(string home)
    {
        Dictionary<string, byte[]> expected = Undisturbed.Models(undisturbed.Home), actual = Undisturbed.Models(home);
        foreach ((string name, byte[] bytes) in expected)
        {
            Assert.Equal(bytes, actual[name]);
        }

        // Beside the model others may be writing, so that a temporary file goes there only when it is old.
        string[] left = [.. Directory.EnumerateFiles(Path.Combine(home, "runs"), "*", SearchOption.AllDirectories).Where(f => f.EndsWith(".tmp", StringComparison.Ordinal) || f.EndsWith(".checkpoint", StringComparison.Ordinal))];
        Assert.Empty(left);
    }

    /// <summary>The same run in peace, once for all of these tests.</summary>
    public sealed class Undisturbed : IDisposable
    {
        private readonly TemporaryFolder folder = new();

        public Undisturbed()
        {
            var shape = new ImageShape(1, 10, 10);
            // 5,000 of the training images are held out.
            foreach ((string name, int images, ulong seed) in new[] { ("train", 6_000, 1UL), ("t10k", 100, 2UL) })
            {
                ImageSet blobs = TestData.Blobs(shape, 10, images, seed);
                folder.Write($"data/{name}-images-idx3-ubyte", TemporaryFolder.Idx(blobs.Pixels.ToArray(), images, shape.Height, shape.Width));
                folder.Write($"data/{name}-labels-idx1-ubyte", TemporaryFolder.Idx(blobs.Labels.ToArray(), images));
            }

            foreach (ulong seed in new ulong[] { 1, 2 })
            {
                Recipe recipe = new()
                {
                    Architecture = "lenet-300-100",
                    Seed = seed,
                    BatchSize = 32,
                    Pretrain = new() { Epochs = 10 },
                    Prune =
                    [
                        new()
                        {
                            Name = "5x",
                            KeepFraction = new Dictionary<string, double> { ["fc1"] = 0.2, ["fc2"] = 0.2 },
                            Admm = new() { Iterations = 4, RhoGrowth = 2 },
                            Retrain = new() { Epochs = 8 },
                        },
                    ],
                    Quantize = new() { Admm = new() { Iterations = 4, RhoGrowth = 3 }, Biases = new() { Epochs = 2 } },
                };
                File.WriteAllText(RecipeFile(seed), RecipeJson.Write(recipe));
            }

            var clock = Stopwatch.StartNew();
            using ToolProcess tool = Start(Home);
            Assert.True(tool.ExitCode() == 0, tool.Output + tool.Error);
            (Time, Points) = (clock.Elapsed, tool.Points);
        }

        public string Home => Path.Combine(folder.Path, "undisturbed");

        public TimeSpan Time { get; }

        public int Points { get; }

        /// <summary>All models in a folder, those of its runs too, by their place in it.</summary>
        public static Dictionary<string, byte[]> Models(string home) => Directory
            .EnumerateFiles(home, "*.admm", SearchOption.AllDirectories)
            .ToDictionary(f => Path.GetRelativePath(home, f), File.ReadAllBytes);

        public ToolProcess Start(string home, ulong seed = 1, string? outputTo = null) => new(
            outputTo, "compress", "--recipe", RecipeFile(seed), "--data", Path.Combine(folder.Path, "data"), "--threads", "1",
            "--out", Path.Combine(home, FormattableString.Invariant($"seed{seed}.admm")));

        public void Dispose() => folder.Dispose();

        private string RecipeFile(ulong seed) => Path.Combine(folder.Path, FormattableString.Invariant($"seed{seed}.json"));
    }

    private sealed class FullDeviceFactAttribute : FactAttribute
    {
        public FullDeviceFactAttribute() => Skip = File.Exists("/dev/full") && File.Exists("/bin/sh") ? null : "Needs /dev/full of Linux.";
    }

    private sealed class SignalTheoryAttribute : TheoryAttribute
    {
        public SignalTheoryAttribute() => Skip = !File.Exists("/bin/sh") ? "Signals are sent with the shell's kill."
            : IgnoresInterrupts() ? "These tests were started with SIGINT ignored (in the background, or by nohup), which their processes inherit."
            : null;

        private static bool IgnoresInterrupts() => File.Exists("/proc/self/status")
            && File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("SigIgn:", StringComparison.Ordinal)) is { } line
            && (ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 2) != 0;
    }
}
