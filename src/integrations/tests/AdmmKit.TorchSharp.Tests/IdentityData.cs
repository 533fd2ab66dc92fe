using AdmmKit.Training;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp.Tests;

/// <summary>One batch: the unit matrix, so that a linear layer without biases gives its own weights. Its loss is a known parabola.</summary>
internal sealed class IdentityData(int inputs, float h, float[] optimum) : ITorchData
{
    public IReadOnlyList<long> InputShape => [inputs];

    public int StepsPerEpoch => 1;

    /// <summary>h/2 ||W - optimum||^2.</summary>
    public Tensor Loss(Tensor outputs, Tensor targets) => (outputs - targets).pow(2).sum() * (h / 2);

    public TorchBatch TrainingBatch(ulong seed, string phase, int epoch, int index)
    {
        // Outputs are the columns of W, so targets are those of the optimum.
        int rows = optimum.Length / inputs;
        return new TorchBatch(eye(inputs), tensor(optimum).reshape(rows, inputs).t().contiguous());
    }

    public IEnumerable<TorchBatch> EvaluationBatches(DataSplit split) => [TrainingBatch(0, "", 0, 0)];
}
