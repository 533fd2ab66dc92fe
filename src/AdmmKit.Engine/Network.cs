using System.Diagnostics;
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
    private readonly int blockSize;
    private readonly bool ownsPool;
    private readonly FloatBuffer input;
    private readonly Pass pass = new();
    private readonly Action<int> loadBlock;
    private readonly bool isChain;
    private readonly float[] pixelValues;
    private readonly float[] losses;
    private readonly int[] predictions;
    private readonly long[] layerTicks;
    private bool followMasks;
    private Batch batch;
    private byte* pixels;

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
        KernelSet blocked = kernels.For(maxBatch);
        blockSize = blocked.Block;
        MaxBlocks = (maxBatch + blockSize - 1) / blockSize;
        input = new FloatBuffer((long)spec.Input.Size * blockSize * MaxBlocks);
        losses = new float[MaxBlocks * blockSize];
        predictions = new int[MaxBlocks * blockSize];
        loadBlock = LoadBlock;
        pixelValues = PixelValues(spec);
        Layers = new GraphBuilder(spec, input, new LayerContext(blocked, kernels, pool, forTraining, MaxBlocks)).Build();
        Parameters = [.. Layers.OfType<IParameterLayer>().Select(l => l.Parameters)];
        layerTicks = new long[Layers.Count];
        isChain = Layers.All(l => l is ConvolutionLayer or FullyConnectedLayer or MaxPoolLayer or AveragePoolLayer or ReluLayer or DropoutLayer)
            && spec.Inputs.Select((from, i) => from is [var f] && f == i - 1).All(follows => follows);
        Normalizations = [.. Layers.OfType<BatchNormLayer>().Select(l => l.Normalization)];
    }

    /// <summary>What the network computes.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>The instruction set that it computes with.</summary>
    public static string InstructionSet => KernelSet.Best.Name;

    internal IReadOnlyList<Layer> Layers { get; }

    internal IReadOnlyList<Parameters> Parameters { get; }

    internal IReadOnlyList<Normalization> Normalizations { get; }

    internal int MaxBlocks { get; }

    /// <summary>Time that each of <see cref="Layers"/> took in all forward passes so far, in ticks of the stopwatch.</summary>
    internal IReadOnlyList<long> LayerTicks => layerTicks;

    internal int MaxBatch => MaxBlocks * blockSize;

    /// <summary>Copies weights and biases in.</summary>
    /// <param name="weights">Arrays of the layers' sizes.</param>
    public void SetWeights(NetworkWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        if (weights.Weights.Count != Parameters.Count || weights.Normalizations.Count != Normalizations.Count)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"'{Spec.Name}' has {Parameters.Count} layers and {Normalizations.Count} batch normalizations, but weights are given for {weights.Weights.Count} and {weights.Normalizations.Count}."));
        }

        for (int i = 0; i < Parameters.Count; i++)
        {
            weights.Weights[i].CopyTo(Parameters[i].Weights.Span);
            weights.Biases[i].CopyTo(Parameters[i].Biases.Span);
        }

        for (int i = 0; i < Normalizations.Count; i++)
        {
            weights.Normalizations[i].CopyTo(Normalizations[i].Values.Span);
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

    internal static void CheckFits(NetworkSpec spec, NetworkWeights weights)
    {
        if (!spec.Layers.Select(l => (l.WeightCount, l.Rows)).SequenceEqual(weights.Weights.Zip(weights.Biases, (w, b) => (w.Length, b.Length))))
        {
            throw new AdmmKitException($"The weights do not fit '{spec.Name}' for {spec.Input} images: it needs {string.Join(", ", spec.Layers.Select(l => $"{l.Name} {l.Shape}"))}.");
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

    /// <summary>What the loss in training takes beside the labels; null for the labels alone.</summary>
    internal SoftTargetTable? SoftTargets { get; set; }

    /// <summary>Loads a batch, runs it forward and returns the sum of its losses; the loss gradient is left in place.</summary>
    internal double Forward(in Batch images, bool training, ulong randomKey)
    {
        if (followMasks)
        {
            FollowMasks();
        }

        pass.Training = training;
        pass.RandomKey = randomKey;
        fixed (byte* p = images.Images.Pixels.Span)
        {
            Forward(images, p);
        }

        SoftTargetTable? soft = training ? SoftTargets : null;
        soft?.Fill(images);
        return SoftmaxCrossEntropy(training, soft);
    }

    /// <summary>Loads images one after the other and runs them forward; <see cref="Score"/> has the outputs.</summary>
    /// <param name="images">Whole images, as many as one pass can take at most.</param>
    internal void Infer(ReadOnlySpan<byte> images)
    {
        fixed (byte* p = images)
        {
            Forward(default(Batch) with { Count = images.Length / Spec.Input.Size }, p);
        }
    }

    /// <summary>Output of the last pass, before softmax.</summary>
    internal float Score(int image, int output) => Layers[^1].Output.Pointer[Lane(image, output)];

    /// <summary>Layers take or leave their zeros as <see cref="Layers.Parameters.SurvivorsAlone"/> says, from now on.</summary>
    internal void FollowSurvivors() => FollowMasks();

    internal void Backward()
    {
        for (int i = Layers.Count - 1; i >= 0; i--)
        {
            Layers[i].Backward();
        }
    }

    /// <summary>The next pass finds out who reads what, and leaves out what nobody reads.</summary>
    internal void MasksChanged() => followMasks = true;

    private void Forward(in Batch images, byte* first)
    {
        batch = images;
        pixels = first;
        pass.Images = images.Count;
        pass.Blocks = (images.Count + blockSize - 1) / blockSize;
        pool.Run(pass.Blocks, loadBlock);
        long before = Stopwatch.GetTimestamp();
        for (int i = 0; i < Layers.Count; i++)
        {
            Layers[i].Forward(pass);
            long now = Stopwatch.GetTimestamp();
            layerTicks[i] += now - before;
            before = now;
        }
    }

    private void FollowMasks()
    {
        followMasks = false;
        bool[] All(int channels) => [.. Enumerable.Repeat(true, channels)];
        bool[] read = All(Layers[^1].OutputShape.Channels);
        for (int i = Layers.Count - 1; i >= 0; i--)
        {
            // Where one output has several readers, or channels are mixed otherwise than by weights, all are computed.
            Layers[i].SetRead(isChain ? read : All(Layers[i].OutputShape.Channels));
            read = Layers[i].InputsRead();
        }
    }

    /// <summary>What becomes of each byte of each channel: scaled to [0, 1], and standardized where the network begins so.</summary>
    private static float[] PixelValues(NetworkSpec spec)
    {
        var values = new float[spec.Input.Channels * 256];
        for (int i = 0; i < values.Length; i++)
        {
            float scaled = (i % 256) * PixelScale;
            values[i] = spec.Nodes[0] is Node.Standardize s ? (scaled - s.Means[i / 256]) / s.Deviations[i / 256] : scaled;
        }

        return values;
    }

    private nint Lane(int image, int feature) =>
        ((((nint)(image / blockSize) * Spec.Classes) + feature) * blockSize) + (image % blockSize);

    /// <summary>Turns the images of a block so that they lie side by side, shifted and mirrored where the batch says so.</summary>
    private void LoadBlock(int block)
    {
        (int channels, int height, int width) = (Spec.Input.Channels, Spec.Input.Height, Spec.Input.Width);
        float* destination = input.Pointer + ((nint)block * Spec.Input.Size * blockSize);
        for (int lane = 0; lane < blockSize; lane++)
        {
            int index = (block * blockSize) + lane;
            if (index >= batch.Count)
            {
                for (int i = 0; i < Spec.Input.Size; i++)
                {
                    destination[(i * blockSize) + lane] = 0;
                }

                continue;
            }

            var image = new ReadOnlySpan<byte>(pixels + ((nint)batch.ImageAt(index) * Spec.Input.Size), Spec.Input.Size);
            (int dx, int dy) = batch.ShiftAt(index);
            (int origin, int step) = batch.FlipAt(index) ? (width - 1 - dx, -1) : (-dx, 1);
            for (int c = 0; c < channels; c++)
            {
                ReadOnlySpan<float> value = pixelValues.AsSpan(c * 256, 256);
                for (int y = 0; y < height; y++)
                {
                    int sourceY = y - dy;
                    float* row = destination + (((((c * height) + y) * width) * blockSize) + lane);
                    ReadOnlySpan<byte> sourceRow = (uint)sourceY < (uint)height ? image.Slice(((c * height) + sourceY) * width, width) : default;
                    for (int x = 0; x < width; x++)
                    {
                        int sourceX = origin + (step * x);
                        row[x * blockSize] = value[(uint)sourceX < (uint)sourceRow.Length ? sourceRow[sourceX] : 0];
                    }
                }
            }
        }
    }

    /// <summary>Losses and predictions of the batch; in training also the gradient of the summed loss.</summary>
    private double SoftmaxCrossEntropy(bool training, SoftTargetTable? soft)
    {
        Layer last = Layers[^1];
        float* y = last.Output.Pointer;
        float* dy = last.OutputGradient.Pointer;
        ReadOnlySpan<byte> labels = batch.Images.Labels.Span;
        double total = 0;
        for (int image = 0; image < pass.Blocks * blockSize; image++)
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
            for (int c = 0; training && c < Spec.Classes; c++)
            {
                dy[Lane(image, c)] = (MathF.Exp(y[Lane(image, c)] - max) / sum) - (c == label ? 1 : 0);
            }

            if (soft is not null)
            {
                loss = soft.Mix(soft.Of(batch, image), y + Lane(image, 0), dy + Lane(image, 0), blockSize, max, loss);
            }

            predictions[image] = best;
            losses[image] = loss;
            total += loss;
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
/// <param name="FlipKey">What derives which images are mirrored; null for none.</param>
/// <param name="Given">The variant of each image, in place of both keys; null to derive it from them.</param>
internal readonly record struct Batch(
    ImageSet Images, int[]? Order, int First, int Count, int MaxShift, ulong ShiftKey, ulong? FlipKey = null, int[]? Given = null)
{
    private int Span => (2 * MaxShift) + 1;

    /// <summary>In how many ways an image can be moved and mirrored.</summary>
    public static double Variants(int maxShift, bool flip) => Math.Pow((2.0 * maxShift) + 1, 2) * (flip ? 2 : 1);

    /// <summary>Which of the <see cref="Variants"/> an image is: first by row of the shift, then by column, then the mirrored ones.</summary>
    public int VariantAt(int index)
    {
        (int x, int y) = ShiftAt(index);
        return (((FlipAt(index) ? Span : 0) + y + MaxShift) * Span) + x + MaxShift;
    }

    public int ImageAt(int index) => Order is null ? First + index : Order[First + index];

    public bool FlipAt(int index) => Given is not null ? Given[index] >= Span * Span : FlipKey is { } key && (RandomStream.Mix(key + (ulong)(First + index)) & 1) != 0;

    public (int X, int Y) ShiftAt(int index)
    {
        if (MaxShift == 0)
        {
            return (0, 0);
        }

        if (Given is not null)
        {
            return ((Given[index] % Span) - MaxShift, (Given[index] / Span % Span) - MaxShift);
        }

        ulong bits = RandomStream.Mix(ShiftKey + (ulong)(First + index));
        uint span = (uint)Span;
        return ((int)((uint)bits % span) - MaxShift, (int)((uint)(bits >> 32) % span) - MaxShift);
    }
}
