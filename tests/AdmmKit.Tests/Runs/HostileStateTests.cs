using System.Security.Cryptography;
using System.Text;
using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Experiments.Recipes;
using AdmmKit.Experiments.Runs;
using AdmmKit.Networks;
using AdmmKit.Pipeline;
using AdmmKit.Tests.Data;
using AdmmKit.Tests.Engine;
using AdmmKit.Training;

namespace AdmmKit.Tests.Runs;

/// <summary>Damaged checkpoints and finished runs: an error in words or a state, and never memory on the word of a count.</summary>
public sealed class HostileStateTests : IDisposable
{
    // Ten thousand times the same network must be cheap: 36 weights.
    private static readonly NetworkSpec Spec = new("tiny", new(1, 2, 3), [new Node.FullyConnected("f", 4), new Node.Relu(), new Node.FullyConnected("g", 3)]);

    private readonly DataSet data = TestData.BlobData(Spec.Input, 3, 64);
    private readonly TrainableNetwork network;
    private readonly NetworkWeights clean;
    private readonly TemporaryFolder folder = new();

    public HostileStateTests()
    {
        network = new TrainableNetwork(Spec, data, new EngineOptions { BatchSize = 32, Threads = 1 });
        clean = NetworkWeights.CopyFrom(network);
    }

    private static AdmmOptions Options => new() { Phase = "prune", Iterations = 3, StepsPerIteration = 2, Rho = new(0.1f, Growth: 2) };

    private static TrainingPhase Phase => new("train", 5, new LearningRate.Constant(1e-3));

    [Fact]
    public void Ten_thousand_damaged_checkpoints_are_errors()
    {
        byte[][] sources = [.. new[] { 0, 10, 300 }.Select(n => Checkpoint(n, TimeSpan.FromSeconds(n)))];
        Action Read(byte[] bytes)
        {
            (MemoryStream state, TimeSpan elapsed) = CheckpointFile.Read(bytes, "mutant", "run");
            return () => Assert.True(elapsed >= TimeSpan.Zero && state.Length < bytes.Length);
        }

        Mutants.Outcome raw = Mutants.Check(Mutants.Of("checkpoints", 10_000, sources), Read, allowance: 20_000);
        // Behind the checksum only the state and the time may differ from what was written.
        Mutants.Outcome resealed = Mutants.Check(
            Mutants.Of("checkpoints", 10_000, sources).Concat(Mutants.OfEveryCount(sources[1], Enumerable.Range(0, 60))).Select(Resealed), Read, allowance: 20_000);
        Assert.Equal(10_000, raw.Count);
        Assert.InRange(raw.Valid, 0, 1_000); // spliced from itself, which is no damage
        Assert.Equal(2, raw.Messages.Count);
        Assert.InRange(resealed.Valid, 1_000, 9_000);
        Assert.Equal(4, resealed.Messages.Count);
    }

    [Fact]
    public void Ten_thousand_damaged_states_of_the_network_are_errors_or_states()
    {
        byte[][] sources = [.. Enumerable.Range(0, 6).Select(NetworkState)];
        Mutants.Outcome outcome = Mutants.Check(
            Mutants.Of("network states", 10_000, sources).Concat(sources.SelectMany(s => Mutants.OfEveryCount(s, Enumerable.Range(0, 80)))),
            bytes =>
            {
                network.BeginPhase(Phase);
                network.LoadState(new MemoryStream(bytes));
                return () => Assert.InRange(network.StepsDone, 0, Phase.Steps);
            },
            allowance: 20_000);
        Assert.InRange(outcome.Valid, 1_000, outcome.Count - 1_000);
        Assert.True(outcome.Messages.Count > 7, string.Join("\n", outcome.Messages));
    }

    [Fact]
    public void Ten_thousand_damaged_states_of_admm_are_errors_or_states()
    {
        byte[][] sources = [.. Enumerable.Range(0, 4).Select(AdmmState)];
        Mutants.Outcome outcome = Mutants.Check(
            Mutants.Of("ADMM states", 10_000, sources).Concat(Mutants.OfEveryCount(sources[1], Enumerable.Range(0, 60))),
            bytes =>
            {
                // A mutant before may have left NaN, from which nothing can begin.
                network.Prepare(clean);
                AdmmTrainer trainer = Trainer();
                trainer.LoadState(new MemoryStream(bytes));
                // A weight that is no longer finite is told in words too; nothing else may go wrong in going on.
                return () => Going(() => trainer.Run());
            },
            allowance: 300_000);
        Assert.InRange(outcome.Valid, 500, outcome.Count - 1_000);
        Assert.True(outcome.Messages.Count > 7, string.Join("\n", outcome.Messages));
    }

    [Fact]
    public void Ten_thousand_damaged_states_of_a_phase_are_errors_or_states()
    {
        var saved = new Saved();
        new CompressionPipeline(network, checkpoints: saved).Pretrain(Phase);
        byte[][] sources = [.. saved.States];
        Assert.Equal(3, sources.Length);
        Mutants.Outcome outcome = Mutants.Check(
            Mutants.Of("states of a phase", 10_000, sources).Concat(Mutants.OfEveryCount(sources[1], Enumerable.Range(0, 250))),
            bytes =>
            {
                network.Prepare(clean);
                var pipeline = new CompressionPipeline(network, checkpoints: new Saved { Given = bytes });
                try
                {
                    // Resumes, then stops before the first step.
                    pipeline.Pretrain(Phase, cancellation: new CancellationToken(canceled: true));
                }
                catch (OperationCanceledException)
                {
                }

                return () => Going(() => pipeline.Pretrain(Phase));
            },
            allowance: 300_000);
        Assert.InRange(outcome.Valid, 500, outcome.Count - 1_000);
        Assert.True(outcome.Messages.Count > 7, string.Join("\n", outcome.Messages));
    }

    [Fact]
    public void A_state_whose_history_and_step_disagree_is_refused()
    {
        // The history of one moment before the steps of another.
        byte[] early = AdmmState(0), late = AdmmState(3);
        int Records(byte[] state) => 4 + BitConverter.ToInt32(state);
        foreach (byte[] mixed in new byte[][] { [.. early[..Records(early)], .. late[Records(late)..]], [.. late[..Records(late)], .. early[Records(early)..]] })
        {
            var e = Assert.Throws<BadFileException>(() => Trainer().LoadState(new MemoryStream(mixed)));
            Assert.Contains("another iteration", e.Message, StringComparison.Ordinal);
        }

        var saved = new Saved();
        new CompressionPipeline(network, checkpoints: saved).Pretrain(Phase);
        byte[] first = saved.States[0], last = saved.States[^1];
        foreach (byte[] mixed in new byte[][] { [.. first[..Records(first)], .. last[Records(last)..]], [.. last[..Records(last)], .. first[Records(first)..]] })
        {
            var pipeline = new CompressionPipeline(network, checkpoints: new Saved { Given = mixed });
            var e = Assert.Throws<BadFileException>(() => pipeline.Pretrain(Phase));
            Assert.Contains("another epoch", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Damaged_finished_runs_are_errors_or_runs()
    {
        Recipe recipe = new()
        {
            Architecture = "lenet-300-100",
            BatchSize = 64,
            MaxShift = 0,
            Pretrain = new() { Epochs = 1 },
            Prune =
            [
                new()
                {
                    KeepFraction = new Dictionary<string, double> { ["fc1"] = 0.001, ["fc2"] = 0.0001, ["fc3"] = 0.01 },
                    Admm = new() { Iterations = 1 },
                    Retrain = new() { Epochs = 0 },
                },
            ],
        };
        var small = TestData.BlobData(new(1, 1, 2), 2, 64);
        var store = new RunStore(folder.Path);
        store.Execute(recipe, small, 1);
        string file = Path.Combine(folder.Path, RunStore.Key(recipe, small), "run.json");
        byte[] source = File.ReadAllBytes(file);
        // What a hand would do to it: any value gone, or another in its place.
        string text = Encoding.UTF8.GetString(source);
        var values = System.Text.RegularExpressions.Regex.Matches(text, """(?<=[:\[,])(?:"[^"]*"(?!:)|-?[0-9.eE+-]+|true|false|null)(?=[,\]}])""");
        IEnumerable<byte[]> edited =
            from value in values
            from other in new[] { "null", "-1", "1e999", "1.5", "\"NaN\"", "\"../../x\"", "{}", "[]", "[null]" }
            select Encoding.UTF8.GetBytes(text[..value.Index] + other + text[(value.Index + value.Length)..]);
        Mutants.Outcome outcome = Mutants.Check(
            Mutants.Of("finished runs", 1_000, source).Concat(edited),
            bytes =>
            {
                File.WriteAllBytes(file, bytes);
                RunResult run = store.Execute(recipe, small, 1);
                return () =>
                {
                    Assert.Equal(["dense", "prune"], run.Models.Select(m => m.Name));
                    Assert.All(run.Models, m => Assert.InRange(m.Test.Accuracy, 0, 1));
                    Assert.All(run.History, p => Assert.Equal(p.Residuals.Count, p.Residuals.Count(r => r.Layer.Length >= 0)));
                };
            },
            // The dense model, 31,000 weights that the file does not hold but names.
            allowance: 4_000_000);
        Assert.InRange(outcome.Valid, 100, outcome.Count / 2);
        Assert.True(outcome.Messages.Count > 10, string.Join("\n", outcome.Messages));
    }

    public void Dispose()
    {
        network.Dispose();
        folder.Dispose();
    }

    private static void Going(Action on)
    {
        try
        {
            on();
        }
        catch (AdmmKitException e)
        {
            Assert.False(string.IsNullOrWhiteSpace(e.Message));
        }
    }

    private static byte[] Resealed(byte[] checkpoint)
    {
        if (checkpoint.Length >= 32)
        {
            SHA256.HashData(checkpoint.AsSpan(..^32), checkpoint.AsSpan(^32..));
        }

        return checkpoint;
    }

    private byte[] Checkpoint(int length, TimeSpan elapsed)
    {
        string path = Path.Combine(folder.Path, "source.checkpoint");
        CheckpointFile.Write(path, "run", elapsed, s => s.Write(TemporaryFolder.Ramp(length)));
        return File.ReadAllBytes(path);
    }

    private AdmmTrainer Trainer() => new(network, new PerLayer(new Dictionary<string, IConstraint> { ["f"] = new Cardinality(5) }), Options);

    /// <summary>After so many steps, with all that a state can hold: a mask, a penalty, frozen weights.</summary>
    private byte[] NetworkState(int steps)
    {
        network.SetMask(0, [.. Enumerable.Range(0, 24).Select(i => steps % 2 == 1 && i % 3 == 0)]);
        network.SetFrozen(1, [.. Enumerable.Range(0, 12).Select(i => i % 2 == 0)]);
        network.SetPenalty(0, steps % 3 == 1 ? new Penalty.Quadratic(0.1f, new float[24]) : Penalty.None);
        network.BeginPhase(Phase);
        network.Train(Math.Min(steps, 5), null, CancellationToken.None);
        var state = new MemoryStream();
        network.SaveState(state);
        network.SetMask(0, []);
        network.SetFrozen(1, []);
        network.SetPenalty(0, Penalty.None);
        return state.ToArray();
    }

    private byte[] AdmmState(int iterations)
    {
        AdmmTrainer trainer = Trainer();
        for (int i = 0; i < iterations; i++)
        {
            trainer.Iterate(null, CancellationToken.None);
        }

        var state = new MemoryStream();
        trainer.SaveState(state);
        return state.ToArray();
    }

    /// <summary>Keeps what it is told to save; gives one state to resume from.</summary>
    private sealed class Saved : ICheckpoints
    {
        public List<byte[]> States { get; } = [];

        public byte[]? Given { get; init; }

        public bool IsDue => false;

        public void Resume(string phase, Action<Stream> read)
        {
            if (Given is not null)
            {
                read(new MemoryStream(Given));
            }
        }

        public void Save(string phase, int step, Action<Stream> write)
        {
            var state = new MemoryStream();
            write(state);
            States.Add(state.ToArray());
        }
    }
}
