using System.Security.Cryptography;
using AdmmKit.Engine;
using AdmmKit.Engine.Data;
using AdmmKit.Engine.Kernels;
using AdmmKit.Engine.Layers;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Benchmarks;

/// <summary>
/// Networks and single layers at work on random images: the one place that knows the engine's insides. What a layer costs
/// does not depend on the values in it.
/// </summary>
internal sealed class Workload : IDisposable
{
    private readonly DataSet data;

    /// <summary>A network that is ready to train: one step done, so all its memory has been touched.</summary>
    /// <param name="spec">What it computes.</param>
    /// <param name="batch">Images in a batch; for single layers a multiple of <see cref="KernelSet.MaxBlock"/>.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="images">Images in its data set, at least a batch.</param>
    public Workload(NetworkSpec spec, int batch, int threads, int images)
    {
        data = RandomData(spec.Input, spec.Classes, Math.Max(images, batch));
        Batch = batch;
        Network = new TrainableNetwork(spec, data, new EngineOptions { BatchSize = batch, Threads = threads });
        Network.BeginPhase(new TrainingPhase("timing", int.MaxValue, new LearningRate.Constant(1e-4)));
        Step();
    }

    /// <summary>The network.</summary>
    public TrainableNetwork Network { get; }

    /// <summary>Images in a batch.</summary>
    public int Batch { get; }

    /// <summary>Images to train on or to evaluate.</summary>
    public ImageSet Images => data.Training;

    /// <summary>One training step.</summary>
    public void Step() => Network.Train(1, null, CancellationToken.None);

    /// <summary>A training step without its update: load, forward, loss, backward.</summary>
    public void StepWithoutUpdate()
    {
        Network.Network.Forward(new Batch(data.Training, null, 0, Batch, 0, 0), training: true, randomKey: 0);
        Network.Network.Backward();
    }

    /// <summary>One layer with weights, by name.</summary>
    public LayerWork Layer(string name)
    {
        Layer layer = Network.Network.Layers.First(l => l is IParameterLayer p && p.Parameters.Info.Name == name);
        var pass = new Pass { Images = Batch, Blocks = Batch / KernelSet.MaxBlock, Training = true };
        return new(
            ((IParameterLayer)layer).Parameters.Info, layer.Input, layer.OutputShape.Size,
            () => layer.Forward(pass), layer.Backward);
    }

    public void Dispose() => Network.Dispose();

    /// <summary>Images whose every pixel is drawn.</summary>
    public static ImageSet RandomImages(ImageShape shape, int classes, int count)
    {
        var random = new RandomStream(1, "benchmark images");
        var pixels = new byte[count * shape.Size];
        var labels = new byte[count];
        foreach (ref byte pixel in pixels.AsSpan())
        {
            pixel = (byte)random.NextInt(256);
        }

        foreach (ref byte label in labels.AsSpan())
        {
            label = (byte)random.NextInt(Math.Min(classes, 10));
        }

        return new ImageSet(shape, classes, pixels, labels);
    }

    /// <summary>Normally distributed weights.</summary>
    public static float[] RandomWeights(int count)
    {
        var random = new RandomStream(1, "benchmark weights");
        var weights = new float[count];
        foreach (ref float w in weights.AsSpan())
        {
            w = (float)random.NextGaussian();
        }

        return weights;
    }

    /// <summary>A data set of random images.</summary>
    public static DataSet RandomData(ImageShape shape, int classes, int count)
    {
        ImageSet images = RandomImages(shape, classes, count);
        var checksums = new Dictionary<string, string> { ["pixels"] = Convert.ToHexStringLower(SHA256.HashData(images.Pixels.Span)) };
        return new DataSet(
            "random images", FormattableString.Invariant($"{count} images of {shape}, drawn with seed 1"),
            images, images.Slice(0, 1), images.Slice(0, 1), checksums);
    }
}

/// <summary>One layer of a network.</summary>
/// <param name="Info">Its weights.</param>
/// <param name="Input">Shape of its input.</param>
/// <param name="OutputSize">Numbers in its output, for one image.</param>
/// <param name="Forward">Its forward pass over a batch.</param>
/// <param name="Backward">
/// Its backward pass: the gradient of its weights, and of its input unless it is the first layer of its network.
/// </param>
internal sealed record LayerWork(LayerInfo Info, ImageShape Input, int OutputSize, Action Forward, Action Backward)
{
    /// <summary>A network of this layer alone, the gradient of whose input nobody needs.</summary>
    public NetworkSpec Alone() => new(Info.Name, Input,
    [
        Info.Kind == LayerKind.Convolution
            ? new Node.Convolution(Info.Name, Info.Rows, Info.KernelHeight)
            : new Node.FullyConnected(Info.Name, Info.Rows),
    ]);
}
