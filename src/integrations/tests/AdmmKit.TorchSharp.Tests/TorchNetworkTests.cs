using AdmmKit.Admm;
using AdmmKit.Constraints;
using AdmmKit.Engine.Data;
using AdmmKit.Training;
using TorchSharp;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp.Tests;

/// <summary>What an engine owes the library, on modules whose answers are known in closed form.</summary>
public class TorchNetworkTests(ITestOutputHelper output)
{
    // Not so small that a float32 step has no digits left.
    private const float H = 2, Rho = 0.5f, Rate = 0.05f, Lambda = 0.25f;

    private static readonly float[] Optimum = [0.5f, -1, 0.25f, 2, -0.75f, 1.5f];
    private static readonly float[] Start = [1, 1, -1, 0.5f, -0.5f, 0];
    private static readonly float[] Target = [0, 0.5f, -2, 1, 3, -1];

    [Fact]
    public void A_quadratic_penalty_gives_the_step_and_the_minimum_of_the_closed_form()
    {
        using TorchNetwork network = Parabola(new TorchSgd { Momentum = 0 });
        network.SetPenalty(0, new Penalty.Quadratic(Rho, Target));
        Assert.Equal(Loss(Start), network.Train(1, null, default), 1e-5); // the penalty is no part of it
        AssertNear(Start.Select((w, i) => w - (Rate * ((H * (w - Optimum[i])) + (Rho * (w - Target[i]))))), Weights(network), 1e-6);
        network.Train(400, null, default);
        AssertNear(Optimum.Select((a, i) => ((H * a) + (Rho * Target[i])) / (H + Rho)), Weights(network), 1e-5);
        network.SetPenalty(0, Penalty.None);
        network.Train(400, null, default);
        AssertNear(Optimum, Weights(network), 1e-5);
    }

    [Fact]
    public void An_L1_penalty_and_a_decay_give_the_step_of_their_subgradient()
    {
        using TorchNetwork network = Parabola(new TorchSgd { Momentum = 0, Decay = 0.125f });
        network.SetPenalty(0, new Penalty.L1(Lambda));
        network.Train(1, null, default);
        AssertNear(
            Start.Select((w, i) => w - (Rate * ((H * (w - Optimum[i])) + (0.125f * w) + (Lambda * Math.Sign(w))))), Weights(network), 1e-6);
    }

    [Fact]
    public void Admm_goes_to_the_nearest_sparse_network_of_a_quadratic_loss()
    {
        using TorchNetwork network = Parabola(new TorchSgd { Momentum = 0 });
        network.Train(400, null, default);
        var trainer = new AdmmTrainer(
            network, new PerLayer(new Dictionary<string, IConstraint> { ["w"] = new Cardinality(3) }),
            new AdmmOptions
            {
                Iterations = 40,
                StepsPerIteration = 50,
                LearningRate = new LearningRate.Constant(Rate),
                Rho = new(2 * H), // below the curvature of the loss Z wanders
            });
        IReadOnlyList<AdmmIteration> history = trainer.Run();
        Assert.True(history[^1].Layers[0].PrimalResidual < 1e-3, $"{history[^1].Layers[0]}");
        AssertNear([0, -1, 0, 2, 0, 1.5f], trainer.Projected[0], 1e-3);
    }

    [Fact]
    public void Pruned_weights_are_exactly_zero_after_every_step_of_any_optimizer()
    {
        foreach (ITorchOptimizer optimizer in (ITorchOptimizer[])[new TorchAdam(), new TorchSgd(), new Restless()])
        {
            using TorchNetwork network = Parabola(optimizer);
            network.Train(5, null, default); // The optimizer has its moments by now.
            bool[] keep = [true, false, true, false, false, true];
            network.SetMask(0, keep);
            for (int step = 0; step < 20; step++)
            {
                float[] w = Weights(network);
                Assert.All(keep.Index().Where(k => !k.Item), k => Assert.Equal(0, BitConverter.SingleToInt32Bits(w[k.Index])));
                network.Train(1, null, default);
            }

            Assert.All(keep.Index().Where(k => k.Item), k => Assert.NotEqual(0, Weights(network)[k.Index]));
            network.SetMask(0, []);
            network.Train(50, null, default);
            Assert.DoesNotContain(0f, Weights(network));
        }
    }

    [Fact]
    public void Frozen_weights_keep_their_bits_and_the_others_train()
    {
        foreach (ITorchOptimizer optimizer in (ITorchOptimizer[])[new TorchAdam { Decay = 0.1f }, new TorchSgd(), new Restless()])
        {
            using TorchNetwork network = Parabola(optimizer);
            network.Train(5, null, default);
            float[] before = Weights(network);
            bool[] frozen = [true, false, true, false, false, true];
            network.SetFrozen(0, frozen);
            network.SetPenalty(0, new Penalty.Quadratic(Rho, Target));
            network.Train(10, null, default);
            float[] after = Weights(network);
            Assert.All(frozen.Index(), f => Assert.Equal(f.Item, before[f.Index].Equals(after[f.Index])));
            network.SetFrozen(0, [true, true, true, true, true, true]);
            network.Train(10, null, default);
            Assert.Equal(after, Weights(network));
            network.SetWeights(0, Start);
            network.Train(1, null, default);
            Assert.Equal(Start, Weights(network)); // held where they were put
        }
    }

    [Fact]
    public void Layers_are_found_in_the_order_of_their_use_with_their_work()
    {
        using var module = new ResidualModule();
        using var network = new TorchNetwork(module, Digits(64));
        Assert.Equal(["stem", "block.depthwise", "block.grouped", "shortcut", "classifier"], network.Layers.Select(l => l.Name));
        Assert.Equal(["12x1x3x3", "12x1x3x3", "24x4x3x3", "24x12x1x1", "10x1176"], network.Layers.Select(l => l.Shape));
        Assert.Equal(
            [12 * 9 * 196L, 12 * 9 * 196, 24 * 36 * 49, 24 * 12 * 49, 11760], network.Layers.Select(l => l.Macs));
        Assert.Equal([("stemNorm", 12), ("block.norm1", 12), ("block.norm2", 24)], network.Normalizations.Select(n => (n.Name, n.Channels)));
        Assert.Empty(network.Skipped);
        Assert.Equal("residual", network.Spec.Name);
        Assert.False(network.Spec.HasGraph);
    }

    [Fact]
    public void What_is_no_layer_is_named_and_stays_as_it_is()
    {
        using var module = new OddModule();
        module.get_parameter("unused.weight")!.requires_grad = false;
        float[] Others() => [.. new[] { "before.weight", "before.bias", "norm.weight", "norm.bias", "unused.weight" }
            .SelectMany(name => Floats(module.get_parameter(name)!))];
        float[] before = Others(), fc = Floats(module.get_parameter("fc.weight")!);
        using (var network = new TorchNetwork(module, new OddData(), new TorchOptions { Loss = (y, _) => y.pow(2).mean() }))
        {
            Assert.Equal(["fc"], network.Layers.Select(l => l.Name));
            Assert.Equal(["before", "norm", "unused"], network.Skipped);
            network.BeginPhase(new TrainingPhase("train", 10, new LearningRate.Constant(0.1)));
            network.Train(10, null, default);
        }

        Assert.Equal(before, Others());
        Assert.NotEqual(fc, Floats(module.get_parameter("fc.weight")!));
        Assert.True(module.get_parameter("norm.weight")!.requires_grad); // given back
    }

    [Fact]
    public void A_training_that_was_saved_goes_on_to_the_same_bits()
    {
        var data = new ImageData(Digits(640)) { BatchSize = 48, MaxShift = 1, Flip = true };
        var phase = new TrainingPhase("train", 40, new LearningRate.Cosine(3e-3));
        var state = new MemoryStream();
        float[] straight, resumed;
        double meanStraight, meanResumed;
        using (var module = new ResidualModule(1, dropoutRate: 0.3))
        using (var network = new TorchNetwork(module, data, new TorchOptions { Seed = 7 }))
        {
            network.BeginPhase(phase);
            Disturb(network);
            using var cancel = new CancellationTokenSource();
            // Cut off within a call, whose mean loss is then that of both parts.
            Assert.Throws<OperationCanceledException>(() => network.Train(
                30, new Told(p => { if (p.Step >= 20) { cancel.Cancel(); } }), cancel.Token));
            network.SaveState(state);
            Assert.InRange(network.StepsDone, 20, 29);
            meanStraight = network.Train(30 - network.StepsDone, null, default);
            network.Train(10, null, default);
            straight = All(network);
        }

        state.Position = 0;
        using (var module = new ResidualModule(99, dropoutRate: 0.3))
        using (var network = new TorchNetwork(module, data, new TorchOptions { Seed = 7 }))
        {
            network.BeginPhase(phase);
            network.LoadState(state);
            Assert.Equal(state.Length, state.Position);
            meanResumed = network.Train(30 - network.StepsDone, null, default);
            network.Train(10, null, default);
            resumed = All(network);
            Assert.Equal(40, network.StepsDone);
        }

        Assert.Equal(meanStraight, meanResumed);
        Assert.Equal(straight, resumed);
    }

    [Fact]
    public void Damaged_states_are_errors_or_states()
    {
        using TorchNetwork network = Parabola(new TorchAdam());
        var phase = new TrainingPhase("train", 1000, new LearningRate.Constant(Rate));
        byte[] Saved(int steps)
        {
            network.SetMask(0, steps % 2 == 0 ? [] : [true, false, true, true, true, true]);
            network.SetPenalty(0, steps % 3 == 0 ? Penalty.None : new Penalty.Quadratic(Rho, Target));
            network.Train(steps, null, default);
            var stream = new MemoryStream();
            network.SaveState(stream);
            return stream.ToArray();
        }

        byte[][] sources = [.. Enumerable.Range(0, 6).Select(Saved)];
        Mutants.Outcome outcome = Mutants.Check(
            Mutants.Of("torch states", 10_000, sources).Concat(sources.SelectMany(s => Mutants.OfEveryCount(s, Enumerable.Range(0, 60)))),
            bytes =>
            {
                network.BeginPhase(phase);
                network.LoadState(new MemoryStream(bytes));
                return () => Assert.InRange(network.StepsDone, 0, phase.Steps);
            },
            allowance: 40_000);
        Assert.InRange(outcome.Valid, 1_000, outcome.Count - 1_000);
        Assert.True(outcome.Messages.Count > 7, string.Join("\n", outcome.Messages));
    }

    [Fact]
    public void A_state_of_another_network_phase_or_optimizer_is_refused()
    {
        var state = new MemoryStream();
        using TorchNetwork network = Parabola(new TorchAdam());
        network.Train(3, null, default);
        network.SaveState(state);
        string Error(TorchNetwork other)
        {
            state.Position = 0;
            return Assert.Throws<BadFileException>(() => other.LoadState(state)).Message;
        }

        using TorchNetwork sgd = Parabola(new TorchSgd());
        Assert.Contains("another optimizer", Error(sgd), StringComparison.Ordinal);
        network.BeginPhase(new TrainingPhase("other", 5, new LearningRate.Constant(1)));
        Assert.Contains("'other'", Error(network), StringComparison.Ordinal);
        using var digits = new TorchNetwork(new ResidualModule(), Digits(64));
        digits.BeginPhase(new TrainingPhase("train", 1000, new LearningRate.Constant(1)));
        Assert.Contains("number of layers", Error(digits), StringComparison.Ordinal);
    }

    [Fact]
    public void Live_tensors_and_memory_stay_flat_over_a_thousand_steps()
    {
        using var module = new ResidualModule(1, dropoutRate: 0.1);
        using var network = new TorchNetwork(module, new ImageData(Digits(640)) { BatchSize = 16, MaxShift = 1 });
        network.BeginPhase(new TrainingPhase("train", 2000, new LearningRate.Constant(1e-3)));
        for (int i = 0; i < network.Layers.Count; i++)
        {
            network.SetPenalty(i, new Penalty.Quadratic(1e-3f, new float[network.Layers[i].WeightCount]));
            network.SetMask(i, [.. Enumerable.Range(0, network.Layers[i].WeightCount).Select(j => j % 3 != 0)]);
        }

        void Work(int steps)
        {
            network.Train(steps, null, default);
            network.Evaluate(DataSplit.Validation);
            var weights = NetworkWeights.CopyFrom(network);
            weights.CopyTo(network);
            network.SaveState(new MemoryStream());
        }

        Work(200);
        (long tensors, long memory) = Live();
        for (int i = 0; i < 10; i++)
        {
            Work(100);
        }

        (long tensorsAfter, long memoryAfter) = Live();
        output.WriteLine(FormattableString.Invariant(
            $"{tensors} live tensors before a thousand steps, {tensorsAfter} after; {memory / 1e6:f1} MB before, {memoryAfter / 1e6:f1} MB after"));
        Assert.Equal(tensors, tensorsAfter);
        // A leak of one activation of the first convolution a step would be 150 MB, one of the smallest handles 100 KB.
        Assert.InRange(memoryAfter - memory, long.MinValue, 20_000_000);
    }

    [Fact]
    public void A_network_gives_back_all_it_made()
    {
        using var module = new ResidualModule();
        using (var warm = new TorchNetwork(module, Digits(64)))
        {
            warm.Train(1, null, default);
        }

        long before = Tensor.TotalCount;
        using (var network = new TorchNetwork(module, Digits(64)))
        {
            network.BeginPhase(new TrainingPhase("train", 2, new LearningRate.Constant(1e-3)));
            Disturb(network);
            network.Train(2, null, default);
        }

        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void A_loss_that_is_no_number_says_where_and_what_to_change()
    {
        using TorchNetwork network = Parabola(new TorchSgd { Momentum = 0 }, rate: 1e30);
        string message = Assert.Throws<DivergedException>(() => network.Train(10, null, default)).Message;
        Assert.Contains("of phase 'train' (learning rate 1e+30)", message, StringComparison.Ordinal);
    }

    internal static DataSet Digits(int training, int validation = 200) =>
        SyntheticDigits.Create(1, training + validation, 200, validation);

    internal static float[] Floats(Tensor tensor)
    {
        var values = new float[tensor.numel()];
        Tensors.CopyTo(tensor, values);
        return values;
    }

    internal static float[] All(ITrainable network)
    {
        var weights = NetworkWeights.CopyFrom(network);
        return [.. weights.Weights.Concat(weights.Biases).Concat(weights.Normalizations).SelectMany(w => w)];
    }

    private static void Disturb(TorchNetwork network)
    {
        for (int i = 0; i < network.Layers.Count; i++)
        {
            int count = network.Layers[i].WeightCount;
            network.SetPenalty(i, i % 2 == 0 ? new Penalty.Quadratic(0.01f, new float[count]) : new Penalty.L1(1e-4f));
            network.SetMask(i, [.. Enumerable.Range(0, count).Select(j => j % 4 != 0)]);
            network.SetFrozen(i, [.. Enumerable.Range(0, count).Select(j => j % 5 == 0)]);
        }
    }

    private static TorchNetwork Parabola(ITorchOptimizer optimizer, double rate = Rate)
    {
        var data = new IdentityData(3, H, Optimum);
        var network = new TorchNetwork(
            nn.Sequential(("w", nn.Linear(3, 2, hasBias: false))), data,
            new TorchOptions { Optimizer = optimizer, Loss = data.Loss, CountCorrect = (_, _) => 0 });
        network.SetWeights(0, Start);
        network.BeginPhase(new TrainingPhase("train", 1000, new LearningRate.Constant(rate)));
        return network;
    }

    private static double Loss(float[] w) => H / 2 * w.Zip(Optimum, (x, a) => (x - a) * (x - a)).Sum();

    private static float[] Weights(TorchNetwork network)
    {
        var weights = new float[network.Layers[0].WeightCount];
        network.CopyWeights(0, weights);
        return weights;
    }

    private static void AssertNear(IEnumerable<float> expected, IReadOnlyList<float> actual, double tolerance) =>
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, tolerance));

    private static (long Tensors, long Memory) Live()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return (Tensor.TotalCount, process.WorkingSet64);
    }

    /// <summary>An optimizer that does what it should not: it moves every weight, whatever its gradient.</summary>
    private sealed class Restless : ITorchOptimizer
    {
        public int MomentCount => 0;

        public float Decay => 0;

        public void Step(Tensor parameter, Tensor gradient, IReadOnlyList<Tensor> moments, double learningRate, int step) =>
            parameter.add_(0.125f);
    }

    /// <summary>Sequences of eight numbers.</summary>
    private sealed class OddData : ITorchData
    {
        public IReadOnlyList<long> InputShape => [1, 8];

        public int StepsPerEpoch => 1;

        public TorchBatch TrainingBatch(ulong seed, string phase, int epoch, int index) => new(ones(4, 1, 8), zeros(4));

        public IEnumerable<TorchBatch> EvaluationBatches(DataSplit split) => [TrainingBatch(0, "", 0, 0)];
    }

    private sealed class Told(Action<TrainingProgress> tell) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => tell(value);
    }
}
