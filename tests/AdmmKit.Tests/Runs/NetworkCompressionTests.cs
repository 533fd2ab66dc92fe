using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Runs;

/// <summary>Recipes and accuracy budgets through the seam alone, as another engine has them.</summary>
public sealed class NetworkCompressionTests : IDisposable
{
    private static readonly DataSet Data = TestData.BlobData(new(1, 12, 12), 4, 640);

    private static readonly NetworkSpec Spec = new("small", Data.Training.Shape,
    [
        new Node.Convolution("conv", 8, 3), new Node.Relu(), new Node.MaxPool(2), new Node.FullyConnected("hidden", 20), new Node.Relu(),
        new Node.FullyConnected("out", 4),
    ]);

    private readonly TrainableNetwork network = new(Spec, Data, new EngineOptions { BatchSize = 32, Threads = 2 });

    public void Dispose() => network.Dispose();

    [Fact]
    public void A_recipe_gives_the_bits_that_a_run_of_it_gives()
    {
        DataSet digits = TestData.BlobData(NetworkSpec.Mnist, 10, 256);
        var recipe = new Recipe
        {
            Architecture = "lenet-300-100",
            BatchSize = 32,
            MaxShift = 0,
            Seed = 5,
            Pretrain = new() { Epochs = 1 },
            Prune = [new PruneRecipe { TotalSurvivors = 20_000, Admm = new() { Iterations = 2 }, Retrain = new() { Epochs = 1 } }],
            Quantize = new() { Admm = new() { Iterations = 1 } },
        };
        RunResult run = new CompressionRun(recipe, digits).Execute(2);
        using var other = new TrainableNetwork(run.Spec, digits, new EngineOptions { BatchSize = 32, Seed = 5, Threads = 2 });
        var compressed = NetworkCompression.Run(recipe, other, run.Spec);
        Assert.Equal(run.Models.Select(m => m.Name), compressed.Stages.Select(s => s.Name));
        Assert.Equal(run.Models.Select(m => m.Validation.Correct), compressed.Stages.Select(s => s.Validation.Correct));
        Assert.Equal(run.Models.Select(m => Bytes(m.Model)), compressed.Stages.Select(s => Bytes(s.Model)));
        Assert.Equal(run.History.Count, compressed.History.Count);
        // The network is left with the result.
        Assert.Equal(compressed.Result.Model.Decode().Weights, NetworkWeights.CopyFrom(other).Weights);
    }

    [Fact]
    public void A_budget_is_kept_and_used()
    {
        Train(network);
        var told = new List<string>();
        var compressed = BudgetCompression.Run(network, Spec, Short with { MaxDropPoints = 3 }, new Lines(told.Add));
        string all = string.Join("\n", told);
        Assert.InRange(compressed.DropPoints, -100, 3);
        Assert.True(compressed.Result.Model.CompressionRatio > 4, all);
        Assert.Equal("quantized", compressed.Result.Name);
        Assert.Equal(compressed.Result.Validation, network.Evaluate(DataSplit.Validation));
        Assert.Equal(compressed.Result.Model.Decode().Weights, NetworkWeights.CopyFrom(network).Weights);
        // Zeros stay: each stage's survivors are among those of the one before.
        CompressedNetwork[] models = [.. compressed.Stages.Select(s => s.Model)];
        Assert.All(models.Zip(models.Skip(1)), p => Assert.All(
            p.First.Layers.Zip(p.Second.Layers), l => Assert.Empty(l.Second.Positions.Except(l.First.Positions))));
    }

    [Fact]
    public void Steps_that_lose_too_much_are_dropped_for_the_last_that_did_not()
    {
        Train(network);
        // Steps so large that the first ones must fail, and one bit a weight, which cannot do.
        BudgetOptions bold = Short with
        {
            MaxDropPoints = 2,
            KeepFraction = 0.005,
            BackOffs = 4,
            Admm = new() { Iterations = 1 },
            Retrain = new() { Epochs = 0 },
            Bits = new() { MostBits = 1, FewestBits = 1 },
            Quantize = new() { Admm = new() { Iterations = 1, LearningRate = 1e-9 }, Biases = null },
        };
        var told = new List<string>();
        var compressed = BudgetCompression.Run(network, Spec, bold, new Lines(told.Add));
        Assert.Contains(told, t => t.EndsWith("too little: a milder step", StringComparison.Ordinal));
        Assert.Contains(told, t => t.StartsWith("1 bits are too few", StringComparison.Ordinal));
        Assert.InRange(compressed.DropPoints, -100, 2);
        Assert.EndsWith("survivors", compressed.Result.Name, StringComparison.Ordinal);
        Assert.Equal(compressed.Result.Model.Decode().Weights, NetworkWeights.CopyFrom(network).Weights);
    }

    [Fact]
    public void A_budget_that_nothing_keeps_is_an_error()
    {
        Train(network);
        string message = Assert.Throws<AdmmKitException>(
            () => BudgetCompression.Run(network, Spec, Short with { MaxDropPoints = 0, KeepFraction = 0.001, BackOffs = 0, Quantize = null })).Message;
        Assert.Contains("Nothing smaller than the dense network was found within 0 points", message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_is_told_before_anything_is_trained()
    {
        string Error(Action action) => Assert.Throws<AdmmKitException>(action).Message;
        Assert.Contains("softTargets", Error(() => NetworkCompression.Run(new Recipe { SoftTargets = new() }, network, Spec)), StringComparison.Ordinal);
        NetworkSpec other = NetworkSpec.LeNet300100(Data.Training.Shape, 4);
        Assert.Contains("name the same layers", Error(() => NetworkCompression.Run(new Recipe(), network, other)), StringComparison.Ordinal);
        foreach (BudgetOptions wrong in (BudgetOptions[])[
            Short with { MaxDropPoints = -1 }, Short with { PrunedPart = 2 }, Short with { KeepFraction = 1 }, Short with { BackOffs = -1 }])
        {
            Assert.Contains("The budget cannot be used", Error(() => BudgetCompression.Run(network, Spec, wrong)), StringComparison.Ordinal);
        }

        Assert.Contains("learningRate", Error(() => BudgetCompression.Run(network, Spec, Short with { Retrain = new() { LearningRate = 0 } })), StringComparison.Ordinal);
        Assert.Equal(0, network.StepsDone);
    }

    private static BudgetOptions Short => new()
    {
        KeepFraction = 0.4,
        BackOffs = 1,
        Admm = new() { Iterations = 3, RhoGrowth = 2 },
        Retrain = new() { Epochs = 2 },
        Quantize = new() { Admm = new() { Iterations = 2, FinalLearningRate = 1e-5, RhoGrowth = 2 } },
    };

    private static void Train(TrainableNetwork network)
    {
        network.BeginPhase(new TrainingPhase("dense", 8 * network.StepsPerEpoch, new LearningRate.Cosine(5e-3)));
        network.Train(8 * network.StepsPerEpoch, null, default);
    }

    private static byte[] Bytes(CompressedNetwork model)
    {
        var stream = new MemoryStream();
        model.Write(stream);
        return stream.ToArray();
    }

    private sealed class Lines(Action<string> add) : IRunObserver
    {
        public void Progress(RunProgress progress)
        {
        }

        public void Point(RunProgress progress)
        {
        }

        public void Milestone(string text) => add(text);
    }
}
