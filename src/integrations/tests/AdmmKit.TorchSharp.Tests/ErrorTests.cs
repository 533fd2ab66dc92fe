using TorchSharp;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp.Tests;

/// <summary>What a user can get wrong is told with the module's name and what to do.</summary>
public class ErrorTests
{
    [Fact]
    public void A_module_without_layers_is_told_what_it_has_and_needs()
    {
        using var module = nn.Sequential(("embedding", nn.Conv1d(1, 1, 3)), ("relu", nn.ReLU()));
        string message = Error(() => new TorchNetwork(module, TorchNetworkTests.Digits(32)));
        Assert.Contains("no layer that can be compressed", message, StringComparison.Ordinal);
        Assert.Contains("embedding (Conv1d)", message, StringComparison.Ordinal);
        Assert.Contains("Conv2d or Linear", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_layer_that_forward_does_not_reach_is_named()
    {
        using var module = new OddModule(useUnused: false);
        string message = Error(() => new TorchNetwork(module, new ShapeAlone(1, 8)));
        Assert.Contains("Layer 'unused' is not reached", message, StringComparison.Ordinal);
        Assert.Contains("call(x)", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Examples_of_another_shape_are_told()
    {
        using var module = new LeNet5Module();
        string message = Error(() => new TorchNetwork(module, new ShapeAlone(3, 32, 32)));
        Assert.Contains("'lenet5-relu' does not take an example of shape 3x32x32", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_of_another_type_are_told()
    {
        using var module = nn.Sequential(("w", nn.Linear(3, 2))).to(ScalarType.Float64);
        Assert.Contains("'w' is in Float64", Error(() => new TorchNetwork(module, new ShapeAlone(3))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpu", "There is no device 'gpu'")]
    [InlineData("cuda", "finds no CUDA")]
    public void A_device_that_is_not_there_is_told(string device, string expected)
    {
        if (device == "cuda" && cuda.is_available())
        {
            return;
        }

        using var module = nn.Sequential(("w", nn.Linear(3, 2)));
        Assert.Contains(
            expected, Error(() => new TorchNetwork(module, new ShapeAlone(3), new TorchOptions { Device = device })), StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_of_many_numbers_is_told()
    {
        using var module = nn.Sequential(("w", nn.Linear(3, 2, hasBias: false)));
        var data = new IdentityData(3, 1, new float[6]);
        using var network = new TorchNetwork(module, data, new TorchOptions { Loss = (y, t) => y - t });
        Assert.Contains("shape 3x2: it must be one number", Error(() => network.Train(1, null, default)), StringComparison.Ordinal);
    }

    [Fact]
    public void Counts_and_biases_that_do_not_fit_are_told()
    {
        using var module = nn.Sequential(("w", nn.Linear(3, 2, hasBias: false)));
        using var network = new TorchNetwork(module, new ShapeAlone(3));
        Assert.Contains("Layer 'w' (2x3) takes 6 weights, not 5", Error(() => network.SetWeights(0, new float[5])), StringComparison.Ordinal);
        Assert.Contains("6 mask entries, not 1", Error(() => network.SetMask(0, [true])), StringComparison.Ordinal);
        network.SetBiases(0, [0, 0]);
        Assert.Contains("'w' of the module has no biases", Error(() => network.SetBiases(0, [0, 1])), StringComparison.Ordinal);
    }

    private static string Error(Action action) => Assert.ThrowsAny<AdmmKitException>(action).Message;

    private static string Error(Func<object> action) => Error(() => { action(); });

    /// <summary>Data that is only asked for its shape.</summary>
    private sealed class ShapeAlone(params long[] shape) : ITorchData
    {
        public IReadOnlyList<long> InputShape => shape;

        public int StepsPerEpoch => 1;

        public TorchBatch TrainingBatch(ulong seed, string phase, int epoch, int index) => throw new NotSupportedException();

        public IEnumerable<TorchBatch> EvaluationBatches(Training.DataSplit split) => throw new NotSupportedException();
    }
}
