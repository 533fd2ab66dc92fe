using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace AdmmKit.Engine.Kernels;

/// <summary>
/// The engine's arithmetic for one instruction set. Activations are stored with the images of a block innermost
/// ([feature][image], <see cref="Block"/> images a block), so a vector holds the same value of many images: convolution
/// needs no im2col, no layer needs packing, and one surviving weight of a pruned layer is one multiply-add a vector.
/// </summary>
internal abstract unsafe partial class KernelSet
{
    /// <summary>Images in a block: two AVX-512 vectors, one cache-line pair.</summary>
    public const int Block = 32;

    /// <summary>Rows that the tile kernel computes together; five divides every layer of LeNet-5 and fits 16 registers.</summary>
    public const int TileRows = 5;

    /// <summary>Kernel sets that this machine runs, fastest first. The last one runs on every machine.</summary>
    public static IReadOnlyList<KernelSet> Supported { get; } = FindSupported();

    /// <summary>The fastest kernel set of this machine.</summary>
    public static KernelSet Best => Supported[0];

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
    /// Correlates rows of output gradients with columns of inputs over all images and positions of one block:
    /// c[r cRow + t] += sum over y, x, image of dy[r dyRow + (y width + x) Block] x[xOffset_t + (y xPitch + x) Block].
    /// </summary>
    public abstract void Correlate(in CorrelateGeometry g, float* dy, float* x, float* c, int rows, int columns);

    public abstract void MaxPool(float* x, float* y, int height, int width, int window);

    public abstract void MaxPoolBackward(float* x, float* y, float* dy, float* dx, int height, int width, int window);

    public abstract void AveragePool(float* x, float* y, int height, int width, int window);

    public abstract void AveragePoolBackward(float* dy, float* dx, int height, int width, int window);

    /// <summary>x = max(x, 0).</summary>
    public abstract void Relu(float* x, float* y, int count);

    /// <summary>dx = dy where y > 0, else 0.</summary>
    public abstract void ReluBackward(float* y, float* dy, float* dx, int count);

    /// <summary>The sum of <paramref name="count"/> numbers.</summary>
    public abstract float Sum(float* x, int count);

    /// <summary>y[i] = x[i] factor[i].</summary>
    public abstract void Multiply(float* x, float* factor, float* y, int count);

    /// <summary>One step of an optimizer over <paramref name="count"/> weights, with penalty and mask.</summary>
    public abstract void Adam(in UpdateTerms terms, in AdamStep step, float* w, float* g, float* m, float* v, int count);

    /// <summary>One step of SGD with momentum.</summary>
    public abstract void Momentum(in UpdateTerms terms, float rate, float momentum, float* w, float* g, float* m, int count);

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

/// <summary>Strides of one weight gradient; see <see cref="KernelSet.Correlate"/>.</summary>
internal readonly struct CorrelateGeometry
{
    public required int Height { get; init; }

    public required int Width { get; init; }

    public required nint DyRow { get; init; }

    public required nint XPitch { get; init; }

    public required nint CRow { get; init; }
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
