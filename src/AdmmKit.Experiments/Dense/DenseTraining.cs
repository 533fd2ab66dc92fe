using System.Diagnostics;
using System.Text.Json;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Interop;
using AdmmKit.Networks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Pipeline;
using AdmmKit.Training;

namespace AdmmKit.Experiments.Dense;

/// <summary>A dense network that was trained from scratch.</summary>
/// <param name="Recipe">How.</param>
/// <param name="Spec">The network.</param>
/// <param name="Weights">Its weights.</param>
/// <param name="Validation">Accuracy on the validation images, which it never saw.</param>
/// <param name="Test">Accuracy on the test images; correct images are counted by <see cref="ScalarNetwork"/>.</param>
/// <param name="Epochs">What each epoch gave.</param>
/// <param name="Origins">The programs that trained it, in order.</param>
/// <param name="Seconds">Time spent on it, over all processes.</param>
public sealed record DenseNetwork(
    TrainingRecipe Recipe, NetworkSpec Spec, NetworkWeights Weights, Evaluation Validation, Evaluation Test,
    IReadOnlyList<EpochPoint> Epochs, IReadOnlyList<RunOrigin> Origins, double Seconds);

/// <summary>Trains a dense network from scratch, to be compressed later: checkpointed, and resumed to the same bits.</summary>
public static class DenseTraining
{
    private const string Phase = "training";

    /// <summary>Trains, or goes on where an earlier process stopped.</summary>
    /// <param name="recipe">How.</param>
    /// <param name="data">What to learn from.</param>
    /// <param name="checkpoints">Folder for the states of training; null to keep none.</param>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <param name="force">Whether to begin anew, whatever an earlier process left.</param>
    /// <param name="observer">Told how it goes, or null.</param>
    /// <param name="cancellation">Stops between two steps; the state is saved.</param>
    /// <exception cref="AdmmKitException">The recipe is out of range, or the images do not fit the network.</exception>
    /// <exception cref="DivergedException">The loss is no longer finite.</exception>
    public static DenseNetwork Run(
        TrainingRecipe recipe, DataSet data, string? checkpoints = null, int threads = 0, bool force = false,
        IRunObserver? observer = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(data);
        recipe.Check();
        if (checkpoints is not null)
        {
            Directory.CreateDirectory(checkpoints);
        }

        using FileStream? ours = checkpoints is null ? null : RunStore.Lock(checkpoints);
        if (force && checkpoints is not null)
        {
            // The lock is ours, and stays.
            Directory.EnumerateFiles(checkpoints).Where(f => Path.GetFileName(f)[0] != '.').ToList().ForEach(File.Delete);
        }

        NetworkSpec spec = NetworkSpec.Create(recipe.Architecture, data.Training.Shape, data.Training.Classes);
        using var network = new TrainableNetwork(spec, data, new EngineOptions
        {
            BatchSize = recipe.BatchSize,
            MaxShift = recipe.MaxShift,
            Flip = recipe.Flip,
            Seed = recipe.Seed,
            Threads = threads,
            Optimizer = new Optimizer.Sgd { Decay = recipe.Decay },
        });
        // What evaluates the network at the end must be able to, before hours are spent on it.
        _ = new ScalarNetwork(spec, NetworkWeights.CopyFrom(network));
        var clock = Stopwatch.StartNew();
        var origin = new RunOrigin(RunEnvironment.Checkout.Commit, RunEnvironment.Checkout.Dirty, RunEnvironment.Cpu(), network.Threads);
        IRunObserver? overall = observer is null ? null : new OverallProgress(observer, recipe.Epochs);
        var log = new TrainingLog(checkpoints is null ? null : Path.Combine(checkpoints, "log.json"), origin, overall);
        var history = new History(log, network.StepsPerEpoch, [], 0);
        string run = JsonSerializer.Serialize(new { recipe, data.Checksums, training = data.Training.Count, RunStore.Revision });
        CheckpointFolder? states = checkpoints is null ? null : new CheckpointFolder(checkpoints, run, line => observer?.Milestone(line));
        states?.Start();
        int steps = recipe.Epochs * network.StepsPerEpoch;
        LearningRate rate = new LearningRate.Cosine(recipe.LearningRate);
        if (recipe.WarmUpEpochs > 0)
        {
            rate = new LearningRate.WarmUp(rate, Math.Max(1, (int)(recipe.WarmUpEpochs * network.StepsPerEpoch)));
        }

        history.Begin(Phase, recipe.Epochs, 1);
        TrainedNetwork trained = new CompressionPipeline(network, history, states).Pretrain(new TrainingPhase(Phase, steps, rate), cancellation: cancellation);
        Evaluation test = network.Evaluate(DataSplit.Test);
        test = test with { Correct = new ScalarNetwork(spec, trained.Weights).CountCorrect(data.Test, threads, cancellation) };
        double seconds = (states?.Elapsed ?? clock.Elapsed).TotalSeconds;
        return new DenseNetwork(recipe, spec, trained.Weights, trained.Validation, test, log.Epochs, log.Origins, seconds);
    }

    /// <summary>Writes the weights as safetensors, rows, the picture of the training and the manifest.</summary>
    /// <param name="network">The network.</param>
    /// <param name="data">What it learnt from.</param>
    /// <param name="manifest">The manifest so far.</param>
    /// <param name="folder">The folder.</param>
    /// <returns>The files.</returns>
    /// <exception cref="AdmmKitException">A file cannot be written.</exception>
    public static IReadOnlyList<string> Write(DenseNetwork network, DataSet data, Manifest manifest, string folder)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(manifest);
        Directory.CreateDirectory(folder);
        string file = network.Spec.Name + ".safetensors", row = network.Spec.Name + " dense";
        NetworkTensors tensors = NetworkTensors.Of(network.Spec, network.Weights);
        SafetensorsFile.Write(Path.Combine(folder, file), tensors.Tensors, tensors.Metadata);
        byte[] bytes = File.ReadAllBytes(Path.Combine(folder, file));
        ResultRow Row(string quantity, string unit, double value, int seeds = 1) =>
            new(row, quantity, unit, null, value, null, seeds, ResultStatus.None, manifest.CommandLine);
        ResultRows.Write(Path.Combine(folder, "rows.csv"),
        [
            Row("top1", "%", 100 * network.Test.Accuracy),
            Row("testImages", "", network.Test.Count, 0),
            Row("validationTop1", "%", 100 * network.Validation.Accuracy),
            Row("validationImages", "", network.Validation.Count, 0),
            Row("weights", "", network.Spec.WeightCount, 0),
            Row("epochs", "", network.Recipe.Epochs, 0),
        ]);
        double[] epochs = [.. network.Epochs.Select(p => (double)p.Epoch)];
        LineChart chart = new(
            FormattableString.Invariant($"{network.Spec.Name} on {data.Name}: {100 * network.Validation.Accuracy:f2} % on {network.Validation.Count} images held out"),
            "epochs over the training images",
            [
                new ChartPanel("validation error (%)", [new ChartSeries("validation", epochs, [.. network.Epochs.Select(p => 100 * (1 - p.Validation))])], AxisScale.Logarithmic),
                new ChartPanel("loss", [new ChartSeries("training, augmented", epochs, [.. network.Epochs.Select(p => p.Loss)])], AxisScale.Logarithmic),
            ]);
        chart.Save(Path.Combine(folder, "training.svg"));
        int survivors = network.Weights.Survivors;
        (manifest with
        {
            Runs = [.. network.Origins.Select(o => new RunRecord(
                network.Spec.Name, network.Recipe.Seed, "dense", o.Commit, o.Dirty, o.Cpu, o.Threads,
                (long)network.Recipe.Epochs * data.Training.Count, Math.Round(network.Seconds, 1)))],
            Models = [new ModelRecord(file, row, ModelRecord.Hash(bytes), bytes.Length, survivors, 32L * survivors, network.Test.Correct, network.Test.Count)],
        }).Save(Path.Combine(folder, "manifest.json"));
        return [file, "rows.csv", "training.svg", "training.plotly.json", "manifest.json"];
    }
}
