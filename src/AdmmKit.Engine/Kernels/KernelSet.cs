using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AdmmKit.Networks;

namespace AdmmKit.Engine.Kernels;

/// <summary>
/// The engine's arithmetic for one instruction set. Activations are stored with the images of a block innermost
/// ([feature][image], <see cref="Block"/> images a block, 32 except for small batches), so a vector holds the same value of many images: convolution
/// needs no im2col, and one surviving weight of a pruned layer is one multiply-add a vector.
/// </summary>
internal abstract unsafe partial class KernelSet
{
    /// <summary>Images in a block, if there are as many: two AVX-512 vectors, one cache-line pair.</summary>
    public const int MaxBlock = 32;

    private const int SmallBlock = 8;

    /// <summary>The most rows of a panel.</summary>
    public const int MaxPanelRows = 10;

    /// <summary>Rows and columns of one tile of a weight gradient.</summary>
    public const int CorrelateTile = 4;

    /// <summary>The most numbers in a vector.</summary>
    public const int MaxLanes = 16;

    /// <summary>Rows that the tile kernel computes together; five divides every layer of LeNet-5 and fits 16 registers.</summary>
    public const int TileRows = 5;

    /// <summary>Kernel sets that this machine runs, fastest first. The last one runs on every machine.</summary>
    public static IReadOnlyList<KernelSet> Supported { get; } = FindSupported();

    /// <summary>The fastest kernel set of this machine.</summary>
    public static KernelSet Best => Supported[0];

    /// <summary>Rows of a panel for a product of so many rows: of 8 and 10 the one that wastes less.</summary>
    public static int PanelRowsFor(int rows) => (rows + 9) / 10 * 10 <= (rows + 7) / 8 * 8 ? 10 : 8;

    /// <summary>Images in a block: 8 for a batch of up to 8, else <see cref="MaxBlock"/>.</summary>
    public int Block { get; private protected init; } = MaxBlock;

    /// <summary>Numbers in a vector.</summary>
    public abstract int Lanes { get; }

    /// <summary>
    /// For batches of so many images at most: this set, or, where a vector would be longer than a block, the widest of the same
    /// machine that fits.
    /// </summary>
    public KernelSet For(int maxBatch)
    {
        int block = maxBatch <= SmallBlock ? SmallBlock : MaxBlock;
        return block == Block ? this : Lanes <= block ? WithBlock(block) : Narrower().WithBlock(block);
    }

    /// <summary>The instruction set's name, for manifests.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// C[r, j] (+)= start[r] + sum over segments s and l &lt; length of A[r aRow + aOffset_s + l aStep] B[bOffset_s + l bStep + j]
    /// for r &lt; rows and j &lt; width. Segments are pairs (aOffset, bOffset).
    /// </summary>
    /// <param name="g">What to compute.</param>
    /// <param name="a">A.</param>
    /// <param name="b">B.</param>
    /// <param name="c">C.</param>
    /// <param name="start">One number a row to start from; null for zero. Not read when accumulating.</param>
    /// <param name="rows">Rows of C.</param>
    /// <param name="accumulate">Whether to add to what C holds.</param>
    public abstract void Multiply(in TileGeometry g, float* a, float* b, float* c, float* start, int rows, bool accumulate);

    /// <summary>
    /// C[r, j] (+)= start[r] + sum over segments s and l &lt; length of A[(aTap_s length + l) panelRows + r] B[bOffset_s + l bStep + j]
    /// for r &lt; panelRows and j &lt; width: one panel of a packed left side. Segments are pairs (aTap, bOffset).
    /// </summary>
    /// <param name="g">What to compute.</param>
    /// <param name="a">The panel; rows that do not exist are there too.</param>
    /// <param name="b">B.</param>
    /// <param name="c">C.</param>
    /// <param name="start">One number a row to start from, for all rows of the panel; null for zero. Not read when accumulating.</param>
    /// <param name="rows">Rows of C that exist.</param>
    /// <param name="accumulate">Whether to add to what C holds.</param>
    public abstract void MultiplyPanel(in PanelGeometry g, float* a, float* b, float* c, float* start, int rows, bool accumulate);

    /// <summary>
    /// Correlates four rows of output gradients with four inputs, a vector of sums each:
    /// sums[r, t] += dy[r dyRow + y dyPitch + n run + i] x[offset_t + y xPitch + n xStep + i], for all y, n, i.
    /// </summary>
    public abstract void Correlate(in CorrelateGeometry g, float* dy, float* x, nint* offsets, float* sums);

    /// <summary>c[r cRow + column_t] = the lanes of sums[r, t] added up, for skip &lt;= r &lt; rows and the columns that exist.</summary>
    public abstract void AddSums(float* sums, int skip, float* c, nint cRow, int* columns, int rows, int count);

    public abstract void MaxPool(float* x, float* y, int height, int width, int window);

    public abstract void MaxPoolBackward(float* x, float* y, float* dy, float* dx, int height, int width, int window);

    /// <summary>The largest value of each window; where windows do not lie side by side.</summary>
    public abstract void MaxPool(in WindowGeometry g, float* x, float* y);

    /// <summary>dx = the sum of dy over the windows of which x is the largest value; of equal ones the first counts.</summary>
    public abstract void MaxPoolBackward(in WindowGeometry g, float* x, float* y, float* dy, float* dx);

    /// <summary>y = x / s^beta with s = bias + factor * the sum of the squares of the channels around.</summary>
    public abstract void LocalResponse(in ResponseGeometry g, float* x, float* y);

    /// <summary>The gradient of <see cref="LocalResponse"/>.</summary>
    /// <param name="g">What was computed.</param>
    /// <param name="x">Its input.</param>
    /// <param name="dy">The gradient of its output.</param>
    /// <param name="dx">The gradient of its input.</param>
    /// <param name="terms">Scratch for the numbers of one run in all channels.</param>
    /// <param name="accumulate">Whether to add to what dx holds.</param>
    public abstract void LocalResponseBackward(in ResponseGeometry g, float* x, float* dy, float* dx, float* terms, bool accumulate);

    public abstract void AveragePool(float* x, float* y, int height, int width, int window);

    public abstract void AveragePoolBackward(float* dy, float* dx, int height, int width, int window);

    /// <summary>Means of windows of any stride and padding.</summary>
    /// <param name="g">How they lie.</param>
    /// <param name="x">The input, one channel.</param>
    /// <param name="y">The output.</param>
    /// <param name="countsPadding">Whether what lies around the input counts, as zeros.</param>
    public abstract void AveragePool(in WindowGeometry g, float* x, float* y, bool countsPadding);

    public abstract void AveragePoolBackward(in WindowGeometry g, float* dy, float* dx, bool countsPadding);

    /// <summary>x = max(x, 0).</summary>
    public abstract void Relu(float* x, float* y, int count);

    /// <summary>dx = dy where y > 0, else 0.</summary>
    public abstract void ReluBackward(float* y, float* dy, float* dx, int count);

    /// <summary>The sums of <paramref name="count"/> numbers and of their squares.</summary>
    public abstract (double Sum, double Squares) Moments(float* x, int count);

    /// <summary>y = x factor + shift, and max(y, 0) where rectified.</summary>
    public abstract void Affine(float* x, float* y, float factor, float shift, bool rectified, int count);

    /// <summary>The sums of dy and of dy (x - mean), where dy counts only where <see cref="Affine"/> let x through.</summary>
    public abstract (double Sum, double Products) AffineSums(float* x, float* dy, float mean, float factor, float shift, bool rectified, int count);

    /// <summary>dx (+)= dy factor + x byX + offset, where dy counts only where <see cref="Affine"/> let x through.</summary>
    public abstract void AffineBackward(
        float* x, float* dy, float* dx, float factor, float shift, bool rectified, float byX, float offset, bool accumulate, int count);

    /// <summary>sum = x + y, and max(sum, 0) where rectified.</summary>
    public abstract void Add(float* x, float* y, float* sum, bool rectified, int count);

    /// <summary>The mean of all positions of a channel, for each image.</summary>
    public abstract void MeanOfPositions(float* x, float* y, int positions, int block);

    public abstract void MeanOfPositionsBackward(float* dy, float* dx, int positions, int block);

    /// <summary>The sum of <paramref name="count"/> numbers.</summary>
    public abstract float Sum(float* x, int count);

    /// <summary>y[i] = x[i] factor[i].</summary>
    public abstract void Multiply(float* x, float* factor, float* y, int count);

    /// <summary>One step of an optimizer over <paramref name="count"/> weights, with penalty and mask.</summary>
    public abstract void Adam(in UpdateTerms terms, in AdamStep step, float* w, float* g, float* m, float* v, int count);

    /// <summary>One step of SGD with momentum.</summary>
    public abstract void Momentum(in UpdateTerms terms, float rate, float momentum, float* w, float* g, float* m, int count);

    private protected abstract KernelSet WithBlock(int block);

    private static KernelSet Narrower() => Supported.First(s => s.Lanes <= SmallBlock);

    private static List<KernelSet> FindSupported()
    {
        var sets = new List<KernelSet>();
        if (Avx512F.IsSupported)
        {
            sets.Add(new KernelSet<Simd512, Vector512<float>>("AVX-512"));
        }

        if (Avx2.IsSupported && Fma.IsSupported)
        {
            sets.Add(new KernelSet<Simd256, Vector256<float>>("AVX2"));
        }

        sets.Add(new KernelSet<Simd128, Vector128<float>>("128-bit"));
        return sets;
    }
}

/// <summary>Strides of one matrix product; see <see cref="KernelSet.Multiply(in TileGeometry, float*, float*, float*, float*, int, bool)"/>.</summary>
internal readonly unsafe struct TileGeometry
{
    public required nint ARow { get; init; }

    public required nint AStep { get; init; }

    public required nint BStep { get; init; }

    public required nint CRow { get; init; }

    public required int Length { get; init; }

    public required int Width { get; init; }

    public required int* Segments { get; init; }

    public required int SegmentCount { get; init; }
}

/// <summary>Strides of one panel's product; see <see cref="KernelSet.MultiplyPanel"/>.</summary>
internal readonly unsafe struct PanelGeometry
{
    public required int PanelRows { get; init; }

    public required nint BStep { get; init; }

    public required nint CRow { get; init; }

    public required int Length { get; init; }

    public required int Width { get; init; }

    public required int* Segments { get; init; }

    public required int SegmentCount { get; init; }
}

/// <summary>Strides of one weight gradient; see <see cref="KernelSet.Correlate"/>.</summary>
internal readonly struct CorrelateGeometry
{
    /// <summary>Rows of positions.</summary>
    public required int Height { get; init; }

    /// <summary>Runs in a row.</summary>
    public required int Runs { get; init; }

    /// <summary>Numbers in a run, side by side in both operands.</summary>
    public required nint Run { get; init; }

    public required nint DyRow { get; init; }

    public required nint DyPitch { get; init; }

    public required nint XPitch { get; init; }

    /// <summary>From a run of x to the next; those of dy follow each other.</summary>
    public required nint XStep { get; init; }
}

/// <summary>Windows over one channel.</summary>
internal readonly struct WindowGeometry
{
    public required int Height { get; init; }

    public required int Width { get; init; }

    public required int OutHeight { get; init; }

    public required int OutWidth { get; init; }

    public required int Window { get; init; }

    /// <summary>Inputs from one window to the next.</summary>
    public required int Step { get; init; }

    /// <summary>Rows and columns around the input; fewer than the window's, so that each window covers some input.</summary>
    public required int Padding { get; init; }

    public static WindowGeometry Of(ImageShape input, ImageShape output, int window, int step, int padding) => new()
    {
        Height = input.Height,
        Width = input.Width,
        OutHeight = output.Height,
        OutWidth = output.Width,
        Window = window,
        Step = step,
        Padding = padding,
    };

    /// <summary>The rows (or columns) of a channel of so many that the window at a position covers; padding is none.</summary>
    public (int First, int End) Covered(int position, int length)
    {
        int start = (position * Step) - Padding;
        return (Math.Max(start, 0), Math.Min(start + Window, length));
    }
}

/// <summary>One run of positions in all channels; see <see cref="KernelSet.LocalResponse"/>.</summary>
internal readonly struct ResponseGeometry
{
    public required int Channels { get; init; }

    /// <summary>Channels on each side that take part.</summary>
    public required int Reach { get; init; }

    /// <summary>From a channel to the next.</summary>
    public required nint Pitch { get; init; }

    /// <summary>Numbers of a run, side by side; a multiple of the vector.</summary>
    public required int Count { get; init; }

    public required float Factor { get; init; }

    public required float Beta { get; init; }

    public required float Bias { get; init; }
}

/// <summary>What is added to a weight's gradient, and where it is held at zero.</summary>
internal readonly unsafe struct UpdateTerms
{
    /// <summary>The gradient's factor, 1 / images in the batch.</summary>
    public required float GradientScale { get; init; }

    /// <summary>Weight decay.</summary>
    public required float Decay { get; init; }

    /// <summary>The ADMM penalty rho, or 0.</summary>
    public required float Rho { get; init; }

    /// <summary>Z - U; not read when rho is 0.</summary>
    public required float* Target { get; init; }

    /// <summary>L1 penalty lambda, or 0.</summary>
    public required float Lambda { get; init; }

    /// <summary>1 where the weight lives, 0 where it is pruned; null when nothing is.</summary>
    public required float* Mask { get; init; }
}

/// <summary>Constants of one Adam step, bias corrections folded in.</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Rate">Learning rate over (1 - beta1^t).</param>
/// <param name="SecondScale">1 / sqrt(1 - beta2^t).</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
internal readonly record struct AdamStep(float Beta1, float Beta2, float Rate, float SecondScale, float Epsilon);
