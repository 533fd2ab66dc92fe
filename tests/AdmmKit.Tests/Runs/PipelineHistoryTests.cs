using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Tables;
using AdmmKit.Networks;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Pipeline;
using AdmmKit.Training;

namespace AdmmKit.Tests.Runs;

/// <summary>The history of steps that are taken one by one, as in the cells of a notebook.</summary>
public class PipelineHistoryTests
{
    private static readonly DataSet Data = SyntheticDigits.Create(1, 400, 50, 100);

    [Fact]
    public void Steps_taken_one_by_one_have_the_history_of_the_recipe_that_takes_them_at_once()
    {
        var recipe = new Recipe
        {
            Pretrain = new() { Epochs = 2 },
            Prune =
            [
                new()
                {
                    Name = "10x",
                    Survivors = new Dictionary<string, int> { ["conv2"] = 2_000, ["fc1"] = 40_000 },
                    Admm = new() { Iterations = 2, EpochsPerIteration = 2, RhoGrowth = 2 },
                    Retrain = new() { Epochs = 1 },
                },
            ],
        };
        RunResult run = new CompressionRun(recipe, Data).Execute();

        using var network = new TrainableNetwork(
            NetworkSpec.LeNet5(NetworkSpec.Mnist, 10), Data, new EngineOptions { BatchSize = recipe.BatchSize, MaxShift = recipe.MaxShift });
        var history = new PipelineHistory(network.StepsPerEpoch);
        var pipeline = new CompressionPipeline(network, history);
        TrainingPhase Phase(string name, int epochs) => new(name, epochs * network.StepsPerEpoch, new LearningRate.Cosine(1e-3));
        TrainedNetwork dense = pipeline.Pretrain(Phase("pretrain", 2));
        var set = new PerLayer(new Dictionary<string, IConstraint> { ["conv2"] = new Cardinality(2_000), ["fc1"] = new Cardinality(40_000) });
        AdmmOutcome Admm() => pipeline.AdmmPrune(dense.Weights, set, new AdmmOptions
        {
            Phase = "ADMM prune 10x",
            Iterations = 2,
            StepsPerIteration = 2 * network.StepsPerEpoch,
            Rho = new RhoSchedule(3e-3f, 2),
        });
        AdmmOutcome outcome = Admm();
        pipeline.Retrain(pipeline.HardPrune(outcome), Phase("retrain 10x", 1));
        AssertSame(run.History, history.Points);

        // The same picture, too, but for its title.
        LineChart chart = RunChart.Create("by hand", run.Spec.Layers, history.Points);
        Assert.Equal(RunChart.Create(run).ToSvg(), (chart with { Title = RunChart.Create(run).Title }).ToSvg());

        // A cell run again takes the place of what it did before, and of what came after it.
        Admm();
        AssertSame([.. run.History.Take(4)], history.Points);
    }

    [Fact]
    public void Steps_are_shown_while_they_are_taken_and_then_how_they_ended()
    {
        using var network = new TrainableNetwork(NetworkSpec.LeNet5(NetworkSpec.Mnist, 10), Data, new EngineOptions());
        var told = new Observer();
        var history = new PipelineHistory(network.StepsPerEpoch, told);
        var pipeline = new CompressionPipeline(network, history);
        TrainingPhase Phase(string name) => new(name, network.StepsPerEpoch, new LearningRate.Cosine(1e-3));
        var shown = new List<ProgressView>();

        TrainedNetwork trained = history.Watch(view => shown.Add((ProgressView)view), () => pipeline.Pretrain(Phase("watched")));
        Assert.Empty(told.Points);
        Assert.True(shown[^1].Ended);
        Assert.Contains("watched", shown[^1].Phase, StringComparison.Ordinal);
        Assert.Contains("epoch 1/1", shown[^1].Phase, StringComparison.Ordinal);

        // Afterwards, and after a failure, the observer given at the beginning is told again.
        Assert.Throws<InvalidOperationException>(() => history.Watch<TrainedNetwork>(_ => { }, () => throw new InvalidOperationException()));
        pipeline.Pretrain(Phase("after"), trained.Weights);
        RunProgress point = Assert.Single(told.Points);
        Assert.Equal(("after", 1, 1, 2.0, 1.0), (point.Phase, point.Epoch, point.PhaseEpochs, point.EpochsDone, point.Fraction));
        Assert.Equal(history.Points[^1].Validation.Accuracy, point.Validation);
        Assert.All(told.Progressed, p => Assert.InRange(p.Fraction, 0, 1));
    }

    private static void AssertSame(IReadOnlyList<HistoryPoint> expected, IReadOnlyList<HistoryPoint> actual)
    {
        Assert.Equal(expected.Select(p => (p.Phase, p.Epoch, p.Loss, p.Validation)), actual.Select(p => (p.Phase, p.Epoch, p.Loss, p.Validation)));
        Assert.Equal(expected.SelectMany(p => p.Residuals), actual.SelectMany(p => p.Residuals));
    }

    private sealed class Observer : IRunObserver
    {
        public List<RunProgress> Points { get; } = [];

        public List<RunProgress> Progressed { get; } = [];

        public void Progress(RunProgress progress) => Progressed.Add(progress);

        public void Point(RunProgress progress) => Points.Add(progress);

        public void Milestone(string text)
        {
        }
    }
}
