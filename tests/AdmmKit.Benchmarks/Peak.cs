using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using AdmmKit.Engine.Kernels;

namespace AdmmKit.Benchmarks;

/// <summary>What the machine can do at most with the engine's widest instruction set: multiply-adds and bytes a second.</summary>
internal abstract unsafe class Peak
{
    // Two multiply-adds start in a cycle and each takes four or five: ten chains that do not wait for each other would do.
    private const int Chains = 12, Unrolled = 2;
    private long iterations = 1 << 16;

    /// <summary>The peak of this machine.</summary>
    public static Peak Best { get; } =
        Avx512F.IsSupported ? new Peak<Simd512, Vector512<float>>("AVX-512")
        : Avx2.IsSupported && Fma.IsSupported ? new Peak<Simd256, Vector256<float>>("AVX2")
        : new Peak<Simd128, Vector128<float>>("128-bit");

    protected Peak(string name, int lanes) => (Name, Lanes) = (name, lanes);

    /// <summary>The instruction set.</summary>
    public string Name { get; }

    private int Lanes { get; }

    /// <summary>
    /// Multiply-adds of registers only, in GFLOP/s; a multiply-add is two FLOP. The best of five runs of about ten milliseconds:
    /// in one of them alone the system may have put two threads on one core.
    /// </summary>
    public double Gflops(int threads)
    {
        const int Runs = 5;
        double best = 0;
        for (int run = 0; run < Runs; run++)
        {
            double seconds = Timing.Together(threads, _ => MultiplyAdds(iterations));
            while (seconds <= 0.01)
            {
                iterations *= 2;
                seconds = Timing.Together(threads, _ => MultiplyAdds(iterations));
            }

            best = Math.Max(best, 2.0 * threads * iterations * Chains * Unrolled * Lanes / seconds / 1e9);
        }

        return best;
    }

    /// <summary>
    /// Bytes a second between the cores and wherever arrays of this size lie, in GB/s: read (a sum), copy (b = a) and triad
    /// (c = a + 3 b). Bytes that the code names are counted; that a cache reads a line before it is written is not.
    /// </summary>
    /// <param name="threads">Threads, each with arrays of its own.</param>
    /// <param name="arrayBytes">Bytes of one array of one thread; there are three.</param>
    /// <param name="totalBytes">Bytes that one run touches, over all threads, at least.</param>
    /// <param name="runs">Runs of which the median is taken.</param>
    public (double Read, double Copy, double Triad) Bandwidth(int threads, long arrayBytes, long totalBytes, int runs)
    {
        nint count = (nint)(arrayBytes / sizeof(float)) & ~(nint)255;
        var memory = new nint[threads];
        try
        {
            // Each thread writes its own arrays first: the system gives memory to who touches it.
            Timing.Together(threads, t =>
            {
                memory[t] = (nint)NativeMemory.AlignedAlloc((nuint)(3 * count * sizeof(float)), 4096);
                new Span<float>((float*)memory[t], checked((int)(3 * count))).Fill(1);
            });
            double Rate(int arrays, Action<nint, nint> pass)
            {
                int passes = (int)Math.Max(1, totalBytes / (arrays * count * sizeof(float) * threads));
                double seconds = Timing.Median(runs, () => Timing.Together(threads, t =>
                {
                    for (int i = 0; i < passes; i++)
                    {
                        pass(memory[t], count);
                    }
                }));
                return (double)arrays * count * sizeof(float) * threads * passes / seconds / 1e9;
            }

            return (Rate(1, (a, n) => Read((float*)a, n)),
                Rate(2, (a, n) => Copy((float*)a, (float*)a + n, n)),
                Rate(3, (a, n) => Triad((float*)a, (float*)a + n, (float*)a + (2 * n), n)));
        }
        finally
        {
            foreach (nint block in memory)
            {
                NativeMemory.AlignedFree((void*)block);
            }
        }
    }

    /// <summary>Chains x Unrolled multiply-adds of vectors, as often as said; the result keeps them from being left out.</summary>
    protected abstract float MultiplyAdds(long times);

    protected abstract float Read(float* a, nint count);

    protected abstract void Copy(float* a, float* b, nint count);

    protected abstract void Triad(float* a, float* b, float* c, nint count);
}

/// <inheritdoc/>
internal sealed unsafe class Peak<TSimd, T>(string name) : Peak(name, TSimd.Lanes)
    where TSimd : struct, ISimd<T>
    where T : struct
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override float MultiplyAdds(long times)
    {
        // x = x / 2 + 1 tends to 2: no number grows or becomes so small that the processor is slow with it.
        T m = TSimd.Broadcast(0.5f), c = TSimd.Broadcast(1);
        T a0 = c, a1 = m, a2 = c, a3 = m, a4 = c, a5 = m, a6 = c, a7 = m, a8 = c, a9 = m, a10 = c, a11 = m;
        for (long i = 0; i < times; i++)
        {
            a0 = TSimd.MultiplyAdd(a0, m, c);
            a1 = TSimd.MultiplyAdd(a1, m, c);
            a2 = TSimd.MultiplyAdd(a2, m, c);
            a3 = TSimd.MultiplyAdd(a3, m, c);
            a4 = TSimd.MultiplyAdd(a4, m, c);
            a5 = TSimd.MultiplyAdd(a5, m, c);
            a6 = TSimd.MultiplyAdd(a6, m, c);
            a7 = TSimd.MultiplyAdd(a7, m, c);
            a8 = TSimd.MultiplyAdd(a8, m, c);
            a9 = TSimd.MultiplyAdd(a9, m, c);
            a10 = TSimd.MultiplyAdd(a10, m, c);
            a11 = TSimd.MultiplyAdd(a11, m, c);
            a0 = TSimd.MultiplyAdd(a0, m, c);
            a1 = TSimd.MultiplyAdd(a1, m, c);
            a2 = TSimd.MultiplyAdd(a2, m, c);
            a3 = TSimd.MultiplyAdd(a3, m, c);
            a4 = TSimd.MultiplyAdd(a4, m, c);
            a5 = TSimd.MultiplyAdd(a5, m, c);
            a6 = TSimd.MultiplyAdd(a6, m, c);
            a7 = TSimd.MultiplyAdd(a7, m, c);
            a8 = TSimd.MultiplyAdd(a8, m, c);
            a9 = TSimd.MultiplyAdd(a9, m, c);
            a10 = TSimd.MultiplyAdd(a10, m, c);
            a11 = TSimd.MultiplyAdd(a11, m, c);
        }

        T even = TSimd.Add(TSimd.Add(TSimd.Add(a0, a2), TSimd.Add(a4, a6)), TSimd.Add(a8, a10));
        T odd = TSimd.Add(TSimd.Add(TSimd.Add(a1, a3), TSimd.Add(a5, a7)), TSimd.Add(a9, a11));
        return TSimd.Sum(TSimd.Add(even, odd));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override float Read(float* a, nint count)
    {
        T s0 = TSimd.Zero, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        for (nint i = 0; i < count; i += 8 * TSimd.Lanes)
        {
            s0 = TSimd.Add(s0, TSimd.Load(a + i));
            s1 = TSimd.Add(s1, TSimd.Load(a + i + TSimd.Lanes));
            s2 = TSimd.Add(s2, TSimd.Load(a + i + (2 * TSimd.Lanes)));
            s3 = TSimd.Add(s3, TSimd.Load(a + i + (3 * TSimd.Lanes)));
            s4 = TSimd.Add(s4, TSimd.Load(a + i + (4 * TSimd.Lanes)));
            s5 = TSimd.Add(s5, TSimd.Load(a + i + (5 * TSimd.Lanes)));
            s6 = TSimd.Add(s6, TSimd.Load(a + i + (6 * TSimd.Lanes)));
            s7 = TSimd.Add(s7, TSimd.Load(a + i + (7 * TSimd.Lanes)));
        }

        return TSimd.Sum(TSimd.Add(TSimd.Add(TSimd.Add(s0, s1), TSimd.Add(s2, s3)), TSimd.Add(TSimd.Add(s4, s5), TSimd.Add(s6, s7))));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Copy(float* a, float* b, nint count)
    {
        for (nint i = 0; i < count; i += 2 * TSimd.Lanes)
        {
            TSimd.Store(b + i, TSimd.Load(a + i));
            TSimd.Store(b + i + TSimd.Lanes, TSimd.Load(a + i + TSimd.Lanes));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Triad(float* a, float* b, float* c, nint count)
    {
        T three = TSimd.Broadcast(3);
        for (nint i = 0; i < count; i += 2 * TSimd.Lanes)
        {
            TSimd.Store(c + i, TSimd.MultiplyAdd(three, TSimd.Load(b + i), TSimd.Load(a + i)));
            TSimd.Store(c + i + TSimd.Lanes, TSimd.MultiplyAdd(three, TSimd.Load(b + i + TSimd.Lanes), TSimd.Load(a + i + TSimd.Lanes)));
        }
    }
}
