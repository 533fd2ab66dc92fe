using System.Runtime.CompilerServices;

namespace AdmmKit.Engine;

/// <summary>Zeroed floats at a fixed address on a cache-line boundary, so that kernels may keep plain pointers.</summary>
internal sealed unsafe class FloatBuffer
{
    private const int Alignment = 64;

    // Kernels work in whole vectors and may touch this much past the end; nobody looks at it.
    private const int Slack = 64;
    private readonly float[] pinned;

    /// <exception cref="AdmmKitException">No array can be that long.</exception>
    public FloatBuffer(long length)
    {
        if (length > Array.MaxLength - Alignment - Slack)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"A layer would need {length} numbers in one piece, more than an array can hold: take a smaller batch, or smaller images."));
        }

        pinned = GC.AllocateArray<float>((int)length + (Alignment / sizeof(float)) + Slack, pinned: true);
        nint address = (nint)Unsafe.AsPointer(ref pinned[0]);
        Pointer = (float*)((address + Alignment - 1) & ~(nint)(Alignment - 1));
        Length = (int)length;
    }

    public float* Pointer { get; }

    public int Length { get; }

    public Span<float> Span => new(Pointer, Length);
}
