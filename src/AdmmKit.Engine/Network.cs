using AdmmKit.Engine.Data;
using AdmmKit.Engine.Kernels;
using AdmmKit.Engine.Layers;
using AdmmKit.Networks;
using AdmmKit.Training;

namespace AdmmKit.Engine;

/// <summary>A network in memory, on the CPU: float32, all cores, every buffer taken when it is built. Not thread-safe.</summary>
public sealed unsafe class Network : IDisposable
{
    // Bytes 0..255 become 0..1.
    private const float PixelScale = 1f / 255;

    private readonly WorkPool pool;
    private readonly bool ownsPool;
    private readonly FloatBuffer input;
    private readonly Pass pass = new();
    private readonly Action<int> loadBlock;
    private readonly float[] losses;
    private readonly int[] predictions;
    private Batch batch;

    /// <summary>Builds a network with all weights zero.</summary>
    /// <param name="spec">What it computes.</param>
    /// <param name="maxBatch">Images that one pass can take.</param>
    /// <param name="threads">Threads to compute with; 0 means all cores.</param>
    public Network(NetworkSpec spec, int maxBatch = 64, int threads = 0)
        : this(spec, maxBatch, new WorkPool(threads > 0 ? threads : Environment.ProcessorCount), KernelSet.Best, forTraining: false)
    {
        ownsPool = true;
    }

    internal Network(NetworkSpec spec, int maxBatch, WorkPool pool, KernelSet kernels, bool forTraining)
    {
        Spec = spec;
        this.pool = pool;
        MaxBlocks = (maxBatch + KernelSet.Block - 1) / KernelSet.Block;
        input = new FloatBuffer(spec.Input.Size * KernelSet.Block * MaxBlocks);
        losses = new float[MaxBlocks * KernelSet.Block];
        predictions = new int[MaxBlocks * KernelSet.Block];
        loadBlock = LoadBlock;
        Layers = Build(spec, new LayerContext(kernels, pool, forTraining));
        Parameters = [.. Layers.OfType<IParameterLayer>().Select(l => l.Parameters)];
        float* x = input.Pointer;
        float* dx = null;
        bool weightsBelow = false;
        foreach (Layer layer in Layers)
        {
            // Nobody reads the gradient of the images, nor of anything below the first weights.
            layer.Connect(x, forTraining && weightsBelow ? dx : null);
            weightsBelow |= layer is IParameterLayer;
            x = layer.Output.Pointer;
            dx = layer.OutputGradient.Pointer;
        }
    }

    /// <summary>What the network computes.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>The instruction set that it computes with.</summary>
    public static string InstructionSet => KernelSet.Best.Name;

    internal IReadOnlyList<Layer> Layers { get; }

    internal IReadOnlyList<Parameters> Parameters { get; }

    internal int MaxBlocks { get; }

    internal int MaxBatch => MaxBlocks * KernelSet.Block;

    /// <summary>Copies weights and biases in.</summary>
    /// <param name="weights">Arrays of the layers' sizes.</param>
    public void SetWeights(NetworkWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        for (int i = 0; i < Parameters.Count; i++)
        {
            weights.Weights[i].CopyTo(Parameters[i].Weights.Span);
            weights.Biases[i].CopyTo(Parameters[i].Biases.Span);
        }
    }

    /// <summary>Evaluates the network on all images of a set.</summary>
    /// <param name="images">Images of the network's input shape.</param>
    /// <exception cref="AdmmKitException">The images or classes do not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public Evaluation Evaluate(ImageSet images)
    {
        CheckFits(Spec, images);
        int correct = 0;
        double loss = 0;
        for (int first = 0; first < images.Count; first += MaxBatch)
        {
            int count = Math.Min(MaxBatch, images.Count - first);
            Forward(new Batch(images, null, first, count, 0, 0), training: false, randomKey: 0);
            for (int i = 0; i < count; i++)
            {
                correct += predictions[i] == images.Labels.Span[first + i] ? 1 : 0;
                loss += losses[i];
            }
        }

        if (!double.IsFinite(loss))
        {
            throw new DivergedException("The network's outputs are not finite numbers: its weights are damaged or training diverged.");
        }

        return new Evaluation(correct, images.Count, loss / Math.Max(1, images.Count));
    }

    /// <summary>The network's outputs before softmax, for all images of a set.</summary>
    /// <param name="images">Images of the network's input shape.</param>
    /// <returns>One row of class scores an image.</returns>
    /// <exception cref="AdmmKitException">The images do not fit the network.</exception>
    public float[][] Predict(ImageSet images)
    {
        CheckFits(Spec, images);
        var rows = new float[images.Count][];
        float* y = Layers[^1].Output.Pointer;
        for (int first = 0; first < images.Count; first += MaxBatch)
        {
            int count = Math.Min(MaxBatch, images.Count - first);
            Forward(new Batch(images, null, first, count, 0, 0), training: false, randomKey: 0);
            for (int i = 0; i < count; i++)
            {
                var row = rows[first + i] = new float[Spec.Classes];
                for (int c = 0; c < row.Length; c++)
                {
                    row[c] = y[Lane(i, c)];
                }
            }
        }

        return rows;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (ownsPool)
        {
            pool.Dispose();
        }
    }

    internal static void CheckFits(NetworkSpec spec, ImageSet images)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(images);
        if (images.Shape != spec.Input || images.Classes > spec.Classes)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The images are {images.Shape} in {images.Classes} classes, but this {spec.Name} reads {spec.Input} and knows {spec.Classes} classes: use the data that it was made for."));
        }
    }

    /// <summary>Loads a batch, runs it forward and returns the sum of its losses; the loss gradient is left in place.</summary>
    internal double Forward(in Batch images, bool training, ulong randomKey)
    {
        batch = images;
        pass.Blocks = (images.Count + KernelSet.Block - 1) / KernelSet.Block;
        pass.Training = training;
        pass.RandomKey = randomKey;
        pool.Run(pass.Blocks, loadBlock);
        foreach (Layer layer in Layers)
        {
            layer.Forward(pass);
        }

        return SoftmaxCrossEntropy(training);
    }

    internal void Backward()
    {
        for (int i = Layers.Count - 1; i >= 0; i--)
        {
            Layers[i].Backward();
        }
    }

    /// <summary>After a change of masks: finds who reads what, from the outputs back, and leaves out what nobody reads.</summary>
    internal void FollowMasks()
    {
        var read = new bool[Layers[^1].OutputShape.Channels];
        Array.Fill(read, true);
        for (int i = Layers.Count - 1; i >= 0; i--)
        {
            Layers[i].SetRead(read);
            read = Layers[i].InputsRead();
        }
    }

    private List<Layer> Build(NetworkSpec spec, LayerContext context)
    {
        var layers = new List<Layer>();
        ImageShape shape = spec.Input;
        foreach (Node node in spec.Nodes)
        {
            ImageShape output = node.OutputShape(shape);
            layers.Add(node switch
            {
                Node.Convolution => new ConvolutionLayer(node.Layer(shape)!, shape, output, MaxBlocks, context),
                Node.FullyConnected => new FullyConnectedLayer(node.Layer(shape)!, shape, output, MaxBlocks, context),
                Node.MaxPool pool => new MaxPoolLayer(pool.Window, shape, output, MaxBlocks, context),
                Node.AveragePool pool => new AveragePoolLayer(pool.Window, shape, output, MaxBlocks, context),
                Node.Relu => new ReluLayer(shape, MaxBlocks, context),
                Node.Dropout dropout => new DropoutLayer(dropout.Rate, shape, MaxBlocks, context),
                _ => throw new AdmmKitException($"The engine cannot compute a {node.GetType().Name} step."),
            });
            shape = output;
        }

        return layers;
    }

    private nint Lane(int image, int feature) =>
        ((((nint)(image / KernelSet.Block) * Spec.Classes) + feature) * KernelSet.Block) + (image % KernelSet.Block);

    /// <summary>Turns 32 images so that they lie side by side, shifted where the batch says so.</summary>
    private void LoadBlock(int block)
    {
        (int channels, int height, int width) = (Spec.Input.Channels, Spec.Input.Height, Spec.Input.Width);
        float* destination = input.Pointer + ((nint)block * Spec.Input.Size * KernelSet.Block);
        ReadOnlySpan<byte> pixels = batch.Images.Pixels.Span;
        for (int lane = 0; lane < KernelSet.Block; lane++)
        {
            int index = (block * KernelSet.Block) + lane;
            if (index >= batch.Count)
            {
                for (int i = 0; i < Spec.Input.Size; i++)
                {
                    destination[(i * KernelSet.Block) + lane] = 0;
                }

                continue;
            }

            ReadOnlySpan<byte> image = pixels.Slice(batch.ImageAt(index) * Spec.Input.Size, Spec.Input.Size);
            (int dx, int dy) = batch.ShiftAt(index);
            for (int c = 0; c < channels; c++)
            {
                for (int y = 0; y < height; y++)
                {
                    int sourceY = y - dy;
                    float* row = destination + (((((c * height) + y) * width) * KernelSet.Block) + lane);
                    ReadOnlySpan<byte> sourceRow = (uint)sourceY < (uint)height ? image.Slice(((c * height) + sourceY) * width, width) : default;
                    for (int x = 0; x < width; x++)
                    {
                        int sourceX = x - dx;
                        row[x * KernelSet.Block] = (uint)sourceX < (uint)sourceRow.Length ? sourceRow[sourceX] * PixelScale : 0;
                    }
                }
            }
        }
    }

    /// <summary>Losses and predictions of the batch; in training also the gradient of the summed loss.</summary>
    private double SoftmaxCrossEntropy(bool training)
    {
        Layer last = Layers[^1];
        float* y = last.Output.Pointer;
        float* dy = last.OutputGradient.Pointer;
        ReadOnlySpan<byte> labels = batch.Images.Labels.Span;
        double total = 0;
        for (int image = 0; image < pass.Blocks * KernelSet.Block; image++)
        {
            if (image >= batch.Count)
            {
                for (int c = 0; training && c < Spec.Classes; c++)
                {
                    dy[Lane(image, c)] = 0;
                }

                continue;
            }

            int best = 0;
            for (int c = 1; c < Spec.Classes; c++)
            {
                best = y[Lane(image, c)] > y[Lane(image, best)] ? c : best;
            }

            float max = y[Lane(image, best)];
            float sum = 0;
            for (int c = 0; c < Spec.Classes; c++)
            {
                sum += MathF.Exp(y[Lane(image, c)] - max);
            }

            int label = labels[batch.ImageAt(image)];
            float loss = MathF.Log(sum) - (y[Lane(image, label)] - max);
            predictions[image] = best;
            losses[image] = loss;
            total += loss;
            for (int c = 0; training && c < Spec.Classes; c++)
            {
                dy[Lane(image, c)] = (MathF.Exp(y[Lane(image, c)] - max) / sum) - (c == label ? 1 : 0);
            }
        }

        return total;
    }
}

/// <summary>Which images a pass takes, in which order, moved by how much.</summary>
/// <param name="Images">The set they come from.</param>
/// <param name="Order">Shuffled positions in the set; null for as they are.</param>
/// <param name="First">The first position.</param>
/// <param name="Count">How many.</param>
/// <param name="MaxShift">Largest shift in pixels, each way; 0 for none.</param>
/// <param name="ShiftKey">What the shifts derive from.</param>
internal readonly record struct Batch(ImageSet Images, int[]? Order, int First, int Count, int MaxShift, ulong ShiftKey)
{
    public int ImageAt(int index) => Order is null ? First + index : Order[First + index];

    public (int X, int Y) ShiftAt(int index)
    {
        if (MaxShift == 0)
        {
            return (0, 0);
        }

        ulong bits = RandomStream.Mix(ShiftKey + (ulong)(First + index));
        uint span = (uint)((2 * MaxShift) + 1);
        return ((int)((uint)bits % span) - MaxShift, (int)((uint)(bits >> 32) % span) - MaxShift);
    }
}
