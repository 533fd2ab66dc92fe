using AdmmKit.Engine.Data;
using AdmmKit.Engine.Kernels;
using AdmmKit.Networks;
using AdmmKit.Storage;
using AdmmKit.Training;

namespace AdmmKit.Engine.Sparse;

/// <summary>
/// A pruned network compiled for inference on the CPU: only what survives and somebody reads is computed. Nothing in it changes
/// after it is compiled, so any number of threads may call it at once. A call takes no memory once its thread count has been seen.
/// </summary>
/// <remarks>
/// An image's scores do not depend on how many images are in the call, on their order, or on the number of threads: each output
/// is its bias plus its survivors in one order, in float32. They are those of <see cref="Network"/> up to rounding.
/// </remarks>
/// <example>
/// <code>
/// var network = SparseNetwork.Compile(CompressedNetwork.Load("model.admm"));
/// int digit = network.Classify(pixels);
/// </code>
/// </example>
public sealed unsafe class SparseNetwork
{
    // Bytes 0..255 become 0..1, as in Network.
    private const float PixelScale = 1f / 255;
    private const int NotFinite = -1;

    // A block takes as long whether it is full or not: as long as so many single images (measured; LeNet-5 pruned 85x).
    private const int ImagesThatPay = 10;

    // 16 MB a thread: what is larger lives in no cache, and goes image by image.
    private const long MaxBlockFloats = 4 << 20;

    private readonly int smallestBlock;
    private readonly KernelSet kernels;
    private readonly SparseStep[] steps;
    private readonly int[] scoreAt;
    private readonly float[] constantScores;
    private readonly ObjectPool<Scratch> scratchOfOne;
    private readonly ObjectPool<Scratch> scratchOfBlock;
    private readonly ObjectPool<SparseJob> jobs;

    private SparseNetwork(NetworkSpec spec, NetworkWeights weights, KernelSet kernels)
    {
        var compiled = new SparseCompiler(spec, weights);
        Spec = spec;
        MultiplyAdds = compiled.Macs;
        this.kernels = kernels;
        steps = [.. compiled.Steps];
        long floats = spec.Input.Size + steps.Select(s => (2L * s.Outputs) + s.Workspace).DefaultIfEmpty().Max();
        smallestBlock = floats * SparseStep.Block <= MaxBlockFloats ? ImagesThatPay : int.MaxValue;
        scoreAt = compiled.ScoreAt;
        constantScores = compiled.ConstantScores;
        scratchOfOne = new ObjectPool<Scratch>(() => new Scratch(spec, steps, 1));
        scratchOfBlock = new ObjectPool<Scratch>(() => new Scratch(spec, steps, SparseStep.Block));
        jobs = new ObjectPool<SparseJob>(() => new SparseJob(this));
    }

    /// <summary>What the network computes.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>
    /// Multiply-adds for one image that are left: survivors times their outputs, without those that depend on no image and those
    /// that nobody reads.
    /// </summary>
    public long MultiplyAdds { get; }

    /// <summary>Compiles a stored network.</summary>
    /// <param name="model">The network, such as <see cref="CompressedNetwork.Load"/> reads it.</param>
    /// <exception cref="AdmmKitException">It has a step that cannot be compiled.</exception>
    public static SparseNetwork Compile(CompressedNetwork model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Compile(model.Spec, model.Decode());
    }

    /// <summary>Compiles a network; weights of zero are left out.</summary>
    /// <param name="spec">What it computes.</param>
    /// <param name="weights">Arrays of the layers' sizes.</param>
    /// <exception cref="AdmmKitException">The weights are not those of the network, or a step cannot be compiled.</exception>
    /// <exception cref="DivergedException">A weight is not a finite number.</exception>
    public static SparseNetwork Compile(NetworkSpec spec, NetworkWeights weights) => Compile(spec, weights, KernelSet.Best);

    internal static SparseNetwork Compile(NetworkSpec spec, NetworkWeights weights, KernelSet kernels)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(weights);
        spec.CheckGraph();
        return new SparseNetwork(spec, weights, kernels);
    }

    /// <summary>The network's outputs before softmax, for one or more images of bytes 0..255.</summary>
    /// <param name="pixels">Images one after the other, each channel by channel, row by row.</param>
    /// <param name="scores">Where one row of class scores an image goes.</param>
    /// <param name="threads">Threads for many images; 0 means all cores. The result does not depend on it.</param>
    /// <exception cref="AdmmKitException">A length does not fit the network.</exception>
    public void Run(ReadOnlySpan<byte> pixels, Span<float> scores, int threads = 0)
    {
        int count = CountImages(pixels.Length, scores.Length, Spec.Classes, "scores");
        fixed (byte* p = pixels)
        fixed (float* s = scores)
        {
            Run(new SparseRequest(count, p, null, s, null), threads);
        }
    }

    /// <summary>The network's outputs before softmax, for one or more images of numbers, those of bytes divided by 255.</summary>
    /// <param name="values">Images one after the other, each channel by channel, row by row.</param>
    /// <param name="scores">Where one row of class scores an image goes.</param>
    /// <param name="threads">Threads for many images; 0 means all cores. The result does not depend on it.</param>
    /// <exception cref="AdmmKitException">A length does not fit the network.</exception>
    public void Run(ReadOnlySpan<float> values, Span<float> scores, int threads = 0)
    {
        int count = CountImages(values.Length, scores.Length, Spec.Classes, "scores");
        fixed (float* v = values)
        fixed (float* s = scores)
        {
            Run(new SparseRequest(count, null, v, s, null), threads);
        }
    }

    /// <summary>The class of each image of bytes 0..255: the index of the largest output, the lowest of equal ones.</summary>
    /// <param name="pixels">Images one after the other, each channel by channel, row by row.</param>
    /// <param name="classes">Where one class an image goes.</param>
    /// <param name="threads">Threads for many images; 0 means all cores. The result does not depend on it.</param>
    /// <exception cref="AdmmKitException">A length does not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public void Classify(ReadOnlySpan<byte> pixels, Span<int> classes, int threads = 0)
    {
        int count = CountImages(pixels.Length, classes.Length, 1, "classes");
        fixed (byte* p = pixels)
        fixed (int* c = classes)
        {
            Run(new SparseRequest(count, p, null, null, c), threads);
        }

        CheckFinite(classes);
    }

    /// <summary>The class of each image of numbers: the index of the largest output, the lowest of equal ones.</summary>
    /// <param name="values">Images one after the other, each channel by channel, row by row; those of bytes divided by 255.</param>
    /// <param name="classes">Where one class an image goes.</param>
    /// <param name="threads">Threads for many images; 0 means all cores. The result does not depend on it.</param>
    /// <exception cref="AdmmKitException">A length does not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public void Classify(ReadOnlySpan<float> values, Span<int> classes, int threads = 0)
    {
        int count = CountImages(values.Length, classes.Length, 1, "classes");
        fixed (float* v = values)
        fixed (int* c = classes)
        {
            Run(new SparseRequest(count, null, v, null, c), threads);
        }

        CheckFinite(classes);
    }

    /// <summary>The class of one image of bytes 0..255.</summary>
    /// <param name="pixels">The image, channel by channel, row by row.</param>
    /// <exception cref="AdmmKitException">The length does not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public int Classify(ReadOnlySpan<byte> pixels)
    {
        Span<int> one = stackalloc int[1];
        Classify(pixels, one);
        return one[0];
    }

    /// <summary>The class of one image of numbers.</summary>
    /// <param name="values">The image, channel by channel, row by row; that of bytes divided by 255.</param>
    /// <exception cref="AdmmKitException">The length does not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public int Classify(ReadOnlySpan<float> values)
    {
        Span<int> one = stackalloc int[1];
        Classify(values, one);
        return one[0];
    }

    /// <summary>Counts the images of a set that the network classifies correctly.</summary>
    /// <param name="images">Images of the network's input shape.</param>
    /// <param name="threads">Threads; 0 means all cores. The result does not depend on it.</param>
    /// <exception cref="AdmmKitException">The images or classes do not fit the network.</exception>
    /// <exception cref="DivergedException">An output is not a finite number.</exception>
    public int CountCorrect(ImageSet images, int threads = 0)
    {
        Network.CheckFits(Spec, images);
        var classes = new int[images.Count];
        Classify(images.Pixels.Span, classes, threads);
        int correct = 0;
        for (int i = 0; i < classes.Length; i++)
        {
            correct += classes[i] == images.Labels.Span[i] ? 1 : 0;
        }

        return correct;
    }

    /// <summary>The buffers that a thread needs to work on blocks; give them back with <see cref="Return"/>.</summary>
    internal Scratch Rent() => scratchOfBlock.Rent();

    internal void Return(Scratch scratch) => scratchOfBlock.Return(scratch);

    /// <summary>Computes one block of a request.</summary>
    internal void RunBlock(in SparseRequest request, int block, Scratch scratch)
    {
        int first = block * SparseStep.Block;
        int count = Math.Min(SparseStep.Block, request.Count - first);
        float* x = scratch.Input.Pointer;
        if (count >= smallestBlock)
        {
            LoadBlock(request, first, count, x);
            float* y = RunSteps(scratch, block: true);
            for (int lane = 0; lane < count; lane++)
            {
                Finish(request, first + lane, y + lane, SparseStep.Block);
            }

            return;
        }

        for (int image = first; image < first + count; image++)
        {
            nint at = (nint)image * Spec.Input.Size;
            if (request.Pixels != null)
            {
                kernels.Scale(request.Pixels + at, PixelScale, x, Spec.Input.Size);
            }
            else
            {
                Buffer.MemoryCopy(request.Values + at, x, Spec.Input.Size * sizeof(float), Spec.Input.Size * sizeof(float));
            }

            Finish(request, image, RunSteps(scratch, block: false), 1);
        }
    }

    private void Run(in SparseRequest request, int threads)
    {
        int blocks = (request.Count + SparseStep.Block - 1) / SparseStep.Block;
        threads = Math.Min(threads > 0 ? threads : Environment.ProcessorCount, blocks);
        ObjectPool<Scratch> pool = request.Count < smallestBlock ? scratchOfOne : scratchOfBlock;
        Scratch scratch = pool.Rent();
        if (threads > 1)
        {
            SparseJob job = jobs.Rent();
            job.Run(request, blocks, threads, scratch);
            jobs.Return(job);
        }
        else
        {
            for (int block = 0; block < blocks; block++)
            {
                RunBlock(request, block, scratch);
            }
        }

        pool.Return(scratch);
        // The kernels hold addresses of this object's arrays.
        GC.KeepAlive(this);
    }

    private float* RunSteps(Scratch scratch, bool block)
    {
        float* x = scratch.Input.Pointer;
        for (int i = 0; i < steps.Length; i++)
        {
            float* y = scratch.Outputs[i & 1].Pointer;
            steps[i].Run(kernels, x, scratch.Workspace.Pointer, y, block);
            x = y;
        }

        return x;
    }

    // Lanes without an image compute the last one again, and nobody looks.
    private void LoadBlock(in SparseRequest request, int first, int count, float* x)
    {
        int size = Spec.Input.Size;
        if (request.Pixels != null)
        {
            byte** images = stackalloc byte*[SparseStep.Block];
            for (int lane = 0; lane < SparseStep.Block; lane++)
            {
                images[lane] = request.Pixels + ((nint)(first + Math.Min(lane, count - 1)) * size);
            }

            kernels.ScaleBlock(images, PixelScale, x, size);
            return;
        }

        for (int lane = 0; lane < SparseStep.Block; lane++)
        {
            float* from = request.Values + ((nint)(first + Math.Min(lane, count - 1)) * size);
            for (nint i = 0; i < size; i++)
            {
                x[(i * SparseStep.Block) + lane] = from[i];
            }
        }
    }

    private void Finish(in SparseRequest request, int image, float* y, int stride)
    {
        if (request.Scores != null)
        {
            float* row = request.Scores + ((nint)image * scoreAt.Length);
            for (int c = 0; c < scoreAt.Length; c++)
            {
                row[c] = Score(c, y, stride);
            }

            return;
        }

        int best = 0;
        float largest = float.NegativeInfinity;
        for (int c = 0; c < scoreAt.Length && best != NotFinite; c++)
        {
            float score = Score(c, y, stride);
            (best, largest) = !float.IsFinite(score) ? (NotFinite, score) : score > largest ? (c, score) : (best, largest);
        }

        request.Classes[image] = best;
    }

    private float Score(int c, float* y, int stride) => scoreAt[c] < 0 ? constantScores[c] : y[(nint)scoreAt[c] * stride];

    private int CountImages(int inputs, int outputs, int outputsPerImage, string what)
    {
        (int count, int rest) = Math.DivRem(inputs, Spec.Input.Size);
        if (rest != 0 || inputs == 0)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"{inputs} values were given, but an image of this {Spec.Name} has {Spec.Input.Size} ({Spec.Input}): give one or more whole images."));
        }

        return outputs == (long)count * outputsPerImage ? count : throw new AdmmKitException(FormattableString.Invariant(
            $"There is room for {outputs} {what}, but {count} images of this {Spec.Name} have {(long)count * outputsPerImage}: give just as much."));
    }

    private static void CheckFinite(ReadOnlySpan<int> classes)
    {
        if (classes.IndexOf(NotFinite) is >= 0 and var image)
        {
            throw new DivergedException(FormattableString.Invariant(
                $"The network's outputs for image {image} are not finite numbers: look at the values that were given, or the weights."));
        }
    }

    /// <summary>The buffers of one thread at work.</summary>
    internal sealed class Scratch(NetworkSpec spec, SparseStep[] steps, int images)
    {
        public FloatBuffer Input { get; } = new(spec.Input.Size * images);

        /// <summary>Outputs of the steps in turn.</summary>
        public FloatBuffer[] Outputs { get; } = [Buffer(steps, s => s.Outputs, images), Buffer(steps, s => s.Outputs, images)];

        public FloatBuffer Workspace { get; } = Buffer(steps, s => s.Workspace, images);

        private static FloatBuffer Buffer(SparseStep[] steps, Func<SparseStep, int> size, int images) =>
            new(steps.Select(size).DefaultIfEmpty().Max() * images);
    }
}

/// <summary>What a call asks for: images of bytes or of numbers, and scores or classes.</summary>
internal readonly unsafe struct SparseRequest(int count, byte* pixels, float* values, float* scores, int* classes)
{
    public int Count { get; } = count;

    /// <summary>Null where the images are numbers.</summary>
    public byte* Pixels { get; } = pixels;

    public float* Values { get; } = values;

    /// <summary>Null where classes are asked for.</summary>
    public float* Scores { get; } = scores;

    public int* Classes { get; } = classes;
}
