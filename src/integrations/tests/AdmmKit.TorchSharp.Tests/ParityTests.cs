using AdmmKit.Engine;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.TorchSharp.Tests;

/// <summary>The same network on AdmmKit's own engine and on TorchSharp: same data in the same order, same steps.</summary>
public class ParityTests
{
    [Fact]
    public void Both_engines_evaluate_and_train_alike()
    {
        var data = TorchNetworkTests.Digits(400);
        NetworkSpec spec = NetworkSpec.Create("lenet5-relu", data.Training.Shape, data.Training.Classes);
        using var engine = new TrainableNetwork(
            spec, data, new EngineOptions { BatchSize = 50, MaxShift = 2, Flip = true, Seed = 3, Optimizer = new Optimizer.Sgd { Decay = 1e-3f } });
        using var module = new LeNet5Module();
        using var network = new TorchNetwork(
            module, new ImageData(data) { BatchSize = 50, MaxShift = 2, Flip = true },
            new TorchOptions { Seed = 3, Spec = spec, Optimizer = new TorchSgd { Decay = 1e-3f } });
        Assert.Equal(spec.Layers, network.Layers);
        NetworkWeights.CopyFrom(engine).CopyTo(network);
        Near(engine.Evaluate(DataSplit.Test), network.Evaluate(DataSplit.Test));

        var phase = new TrainingPhase("train", 24, new LearningRate.Cosine(0.02));
        foreach (ITrainable trainable in (ITrainable[])[engine, network])
        {
            trainable.BeginPhase(phase);
            trainable.SetPenalty(2, new Penalty.Quadratic(0.01f, new float[400_000]));
            trainable.SetMask(1, [.. Enumerable.Range(0, 25_000).Select(i => i % 2 == 0)]);
        }

        Assert.Equal(engine.Train(24, null, default), network.Train(24, null, default), 1e-4);
        Near(engine.Evaluate(DataSplit.Test), network.Evaluate(DataSplit.Test));
        // Sums are in another order, so only roundings differ, and these after 24 steps.
        Assert.All(TorchNetworkTests.All(engine).Zip(TorchNetworkTests.All(network)), p => Assert.Equal(p.First, p.Second, 2e-4));
    }

    private static void Near(Evaluation expected, Evaluation actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        Assert.InRange(actual.Correct - expected.Correct, -1, 1);
        Assert.Equal(expected.Loss, actual.Loss, 1e-3);
    }
}
