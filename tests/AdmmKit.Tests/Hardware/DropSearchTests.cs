using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Search;
using AdmmKit.Hardware.Search;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Engine;

namespace AdmmKit.Tests.Hardware;

/// <summary>Compression within an allowed drop, with real training: the promise is kept, and nothing is trained twice.</summary>
public sealed class DropSearchTests : IDisposable
{
    private static readonly DropRecipe Small = new()
    {
        Network = new() { Architecture = "lenet-300-100", BatchSize = 32, Pretrain = new() { Epochs = 3 } },
        MaxDrop = 5,
        ProbeMargin = 5,
        OtherKeepFraction = 0.5,
        Bisections = 2,
        Refinements = 2,
        Probe = new() { TrainingImages = 160, Admm = new() { Iterations = 1 }, Retrain = new() { Epochs = 1 } },
        Stage = new() { Admm = new() { Iterations = 2, RhoGrowth = 5 }, Retrain = new() { Epochs = 2 } },
        MostStages = 2,
        FinalTraining = new() { Epochs = 1 },
        Bits = new()
        {
            MostBits = 4,
            FewestBits = 3,
            ProbeBudget = 5,
            Probe = new() { Admm = new() { Iterations = 1 }, Biases = null },
            Final = new() { Admm = new() { Iterations = 1 }, Biases = new() { Epochs = 1 } },
        },
    };

    private readonly TemporaryFolder folder = new();
    private readonly DataSet data = TestData.BlobData(NetworkSpec.Mnist, 10, 320);
    private readonly List<string> lines = [];

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_promise_is_kept_by_the_decoded_file(bool bytes)
    {
        IObjective objective = bytes ? new BytesObjective() : new SurvivorsObjective();
        FinishedDrop found = Search("kept", Small).Run(objective);
        Assert.True(found.Drop <= Small.MaxDrop, $"{found.Drop} points lost");
        var stored = new MemoryStream();
        found.Run.Quantized!.Model.Write(stored);
        CompressedNetwork decoded = CompressedNetwork.Read(stored.ToArray(), "stored");
        Assert.Equal(found.Validation.Correct, ScalarNetwork.CountCorrect(decoded, data.Validation));
        Assert.True(decoded.Survivors < 0.6 * decoded.Spec.WeightCount);
        Assert.Equal(found.Searches.Count, found.Searches.Count(s => s.Objective == objective.Name));
        Assert.NotEmpty(found.Searches);

        // Each stage keeps the zeros of the one before.
        foreach ((ModelResult before, ModelResult after) in found.Run.Pruned.Zip(found.Run.Pruned.Skip(1)))
        {
            Assert.All(before.Model.Decode().Weights.Zip(after.Model.Decode().Weights), layer =>
                Assert.DoesNotContain(layer.First.Zip(layer.Second), w => w.First == 0 && w.Second != 0));
        }

        // Nothing is trained again, and the recipe alone does the same.
        int points = lines.Count(l => l == "point");
        FinishedDrop again = Search("kept", Small).Run(objective);
        Assert.Equal(points, lines.Count(l => l == "point"));
        Assert.Equal(found.Validation, again.Validation);
        Assert.Equal(Bytes(found.Run), Bytes(new CompressionRun(found.Run.Recipe, data).Execute(1)));
    }

    [Fact]
    public void A_search_cut_off_again_and_again_ends_as_one_that_was_not()
    {
        FinishedDrop whole = Search("whole", Small).Run(new SurvivorsObjective());
        FinishedDrop? resumed = null;
        for (int cuts = 0; resumed is null; cuts++)
        {
            using var source = new CancellationTokenSource();
            int left = 5;
            try
            {
                resumed = Search("cut", Small, () =>
                {
                    if (--left == 0)
                    {
                        source.Cancel();
                    }
                }, source.Token).Run(new SurvivorsObjective());
                Assert.True(cuts >= 2, $"only {cuts} cuts");
            }
            catch (OperationCanceledException)
            {
                Assert.InRange(cuts, 0, 80);
            }
        }

        Assert.Equal(Bytes(whole.Run), Bytes(resumed.Run));
        Assert.Equal(whole.Validation, resumed.Validation);
    }

    [Fact]
    public void A_stage_that_loses_too_much_is_followed_by_milder_ones()
    {
        // Probes let everything pass, so the first stage asks for next to nothing.
        DropRecipe bold = Small with { ProbeMargin = 90, LargestReduction = 12, MostStages = 1, BackOffs = 8, MaxDrop = 4 };
        FinishedDrop found = Search("bold", bold).Run(new SurvivorsObjective());
        Assert.Contains(lines, l => l.Contains("a milder step", StringComparison.Ordinal));
        Assert.True(found.Drop <= 4, $"{found.Drop} points lost");
        Assert.True(found.Searches[0].Result.Best.Cost < found.Run.Pruned[^1].Model.Survivors);
    }

    [Fact]
    public void A_promise_that_cannot_be_kept_is_an_error_and_not_a_network()
    {
        foreach (DropRecipe recipe in new[] { Small with { MostStages = 0 }, Small with { ProbeMargin = 90, LargestReduction = 20, BackOffs = 0, MaxDrop = 0 } })
        {
            var e = Assert.Throws<AdmmKitException>(() => Search("none", recipe).Run(new SurvivorsObjective()));
            Assert.Contains("allow a larger drop", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_quantization_that_loses_too_much_is_followed_by_more_bits_then_by_the_stage_before()
    {
        // Probes let one bit pass, and so large a rate for the biases spoils every network, whatever its bits.
        var spoilt = new QuantizeRecipe { Admm = new() { Iterations = 1 }, Biases = new() { LearningRate = 30 } };
        DropRecipe recipe = Small with
        {
            FinalTraining = new() { Epochs = 0 },
            Bits = new()
            {
                MostBits = 1,
                FewestBits = 1,
                ProbeBudget = 99,
                Probe = new() { Admm = new() { Iterations = 1 }, Biases = null },
                Final = spoilt,
            },
        };
        var e = Assert.Throws<AdmmKitException>(() => Search("spoilt", recipe).Run(new SurvivorsObjective()));
        Assert.Contains("allow a larger drop", e.Message, StringComparison.Ordinal);
        bool Refused(string line) => line.StartsWith("conv", StringComparison.Ordinal) && line.EndsWith("too little", StringComparison.Ordinal);
        string[] refused = [.. lines.Where(Refused)];
        int stages = lines.Count(l => l.Contains("the stage before takes its place", StringComparison.Ordinal));
        Assert.True(stages >= 1);
        Assert.Equal(
            Enumerable.Range(0, 3 * stages).Select(i => FormattableString.Invariant($"fc {1 + (i % 3)} b")),
            refused.Select(l => l.Split(", ")[1].Split(':')[0]));
    }

    [Fact]
    public void What_is_wrong_with_the_recipe_is_told_before_anything_is_trained()
    {
        void Refused(DropRecipe wrong, string text)
        {
            var e = Assert.Throws<AdmmKitException>(() => Search("wrong", wrong).Run(new SurvivorsObjective()));
            Assert.Contains(text, e.Message, StringComparison.Ordinal);
            Assert.False(Directory.Exists(Path.Combine(folder.Path, "wrong")), "something was trained");
        }

        Refused(Small with { MaxDrop = -1 }, "drop of -1");
        Refused(Small with { MaxDrop = double.NaN }, "drop of NaN");
        Refused(Small with { PrunedPart = 1.5 }, "1.5");
        Refused(Small with { Network = Small.Network with { Quantize = new() } }, "leave those out");
        Refused(Small with { InitialKeepFraction = new Dictionary<string, double> { ["fc9"] = 0.5 } }, "fc9");
        Refused(Small with { OtherKeepFraction = 0 }, "is 0");
        Refused(Small with { Bits = Small.Bits with { MostBits = 9 } }, "bits are 1 to 8");
        Refused(Small with { Stage = Small.Stage with { Admm = new() { Iterations = 0 } } }, "iterations");
        Refused(Small with { FinalTraining = new() { Epochs = -1 } }, "epochs");
        Refused(Small with { Network = Small.Network with { TrainingImages = 321 } }, "321");
    }

    private DropSearch Search(string name, DropRecipe recipe, Action? onPoint = null, CancellationToken cancellation = default)
    {
        string to = Path.Combine(folder.Path, name);
        return new DropSearch(recipe, data, new RunStore(to), Path.Combine(to, "probes"), 1, new Watcher(lines, onPoint), cancellation);
    }

    private static byte[] Bytes(RunResult run)
    {
        var stored = new MemoryStream();
        run.Quantized!.Model.Write(stored);
        return stored.ToArray();
    }

    private sealed class Watcher(List<string> lines, Action? onPoint) : IRunObserver
    {
        public void Progress(RunProgress progress)
        {
        }

        public void Point(RunProgress progress)
        {
            lines.Add("point");
            onPoint?.Invoke();
        }

        public void Milestone(string text) => lines.Add(text);
    }
}
