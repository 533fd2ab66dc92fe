using AdmmKit.Training;
using static TorchSharp.torch;

namespace AdmmKit.TorchSharp;

/// <summary>Some examples: what goes into the module and what should come out. Disposed by whoever asked for it.</summary>
/// <param name="Inputs">The inputs, one example a row of the first dimension.</param>
/// <param name="Targets">What the loss compares the outputs with; for classes their numbers, int64, one an example.</param>
public sealed record TorchBatch(Tensor Inputs, Tensor Targets) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose()
    {
        Inputs.Dispose();
        Targets.Dispose();
    }
}

/// <summary>
/// Where examples come from; <see cref="ImageData"/> is one for the data sets of AdmmKit. Tensors may be on any device: the network
/// moves them to its own, and disposes them.
/// </summary>
public interface ITorchData
{
    /// <summary>Shape of one example, without the batch: channels, rows, columns for images.</summary>
    IReadOnlyList<long> InputShape { get; }

    /// <summary>Mini-batches in which training sees every example once.</summary>
    int StepsPerEpoch { get; }

    /// <summary>
    /// One mini-batch of training. It must depend on the arguments alone: so training that was cut off goes on to the same bits.
    /// </summary>
    /// <param name="seed">The seed of all random choices.</param>
    /// <param name="phase">The phase of training; part of what a random order is derived from.</param>
    /// <param name="epoch">The pass over the examples within the phase, from 0.</param>
    /// <param name="index">The mini-batch, 0 to <see cref="StepsPerEpoch"/> - 1.</param>
    TorchBatch TrainingBatch(ulong seed, string phase, int epoch, int index);

    /// <summary>All examples of a part, as they are, in mini-batches; each is used before the next is asked for.</summary>
    /// <param name="split">Which part.</param>
    IEnumerable<TorchBatch> EvaluationBatches(DataSplit split);
}
