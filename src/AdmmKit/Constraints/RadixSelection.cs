using System.Numerics;
using System.Runtime.Intrinsics;

namespace AdmmKit.Constraints;

/// <summary>
/// Finds the k-th largest magnitude of many by counting: each pass over them narrows a range of keys that holds it, by a
/// histogram of the range. Where they are many, a sample of them guesses the first range so narrowly that one pass or two
/// suffice; a wrong guess costs a pass, never exactness. O(n), both cores, and memory for histograms whatever n is.
/// </summary>
/// <remarks>
/// The bits of non-negative IEEE numbers sort like the numbers. A key is the bits of |x|, or of rho x^2 in double, where
/// the square is exact, nothing overflows or vanishes, and different |x| stay different. So each part of the values has a
/// range of its own in bits of |x|, and a pass compares these alone.
/// <para>All that threads add up are whole numbers, so their number does not matter.</para>
/// </remarks>
internal sealed unsafe class RadixSelection
{
    /// <summary>Bits of the largest finite float.</summary>
    private const int Largest = 0x7F7F_FFFF;

    // 16 bits twice are all of a float's. Few values are not worth so large a histogram, nor a sample, nor a second thread.
    private const int FewValues = 1 << 15;
    private const int ManyValues = 1 << 20;
    private const int LargestSample = 1 << 13;
    private const int SmallestStride = 1 << 5;
    private const int Chunk = 1 << 16;
    private const int MaximumThreads = 16;

    private readonly bool scaled;
    private readonly long total;
    private readonly long keep;
    private readonly ulong top;
    private readonly int binBits;
    private readonly int[]?[] counts = new int[MaximumThreads][];
    private readonly List<ulong> sample = [];
    private bool sampling;
    private ulong low;
    private ulong high;
    private int shift;
    private long above;
    private long inside;
    private long seen;
    private int largestSeen;

    /// <param name="total">How many values there are in all parts.</param>
    /// <param name="keep">k, 0 to their number.</param>
    /// <param name="scaled">Whether the key is rho x^2; otherwise it is |x|, and every rho is ignored.</param>
    public RadixSelection(long total, long keep, bool scaled = false)
    {
        (this.total, this.keep, this.scaled) = (total, keep, scaled);
        top = scaled ? BitConverter.DoubleToUInt64Bits(double.MaxValue) : Largest;
        binBits = total < FewValues ? 11 : 16;
        sampling = total >= FewValues && keep > 0;
        Narrow(keep > 0 ? 0 : top, top);
    }

    /// <summary>Whether another pass of <see cref="Count"/> over all parts is needed, ended by <see cref="EndPass"/>.</summary>
    public bool NeedsPass { get; private set; } = true;

    /// <summary>Whether no value met so far is infinite or not a number; known after the last pass, and trusted by it.</summary>
    public bool AllFinite => largestSeen <= Largest;

    /// <summary>The k-th largest key.</summary>
    public ulong Threshold { get; private set; }

    /// <summary>How many of the keys equal to <see cref="Threshold"/> are still to be kept, those of lower index first.</summary>
    public long TiesLeft { get; private set; }

    /// <summary>Counts the values of a part in this pass.</summary>
    public void Count(ReadOnlySpan<float> values, float rho = 1)
    {
        if (sampling)
        {
            Sample(values, rho);
            return;
        }

        (int first, int last) = (Edge(low, rho), Edge(high + 1, rho) - 1);
        fixed (float* pinned = values)
        {
            float* v = pinned;
            int length = values.Length;
            ForChunks(length, (thread, start) => CountChunk(thread, v + start, Math.Min(Chunk, length - start), first, last, rho));
        }
    }

    /// <summary>Narrows the range to a part of it, to what lies above or below it, or to the threshold.</summary>
    public void EndPass()
    {
        if (sampling)
        {
            Guess();
        }
        else if (above >= keep && keep > 0)
        {
            Narrow(high + 1, top);
        }
        else if (above + inside < keep)
        {
            Narrow(0, low - 1);
        }
        else if (low == high)
        {
            // Nothing is kept where no key is as large as the threshold.
            (Threshold, TiesLeft, NeedsPass) = (keep > 0 ? low : top + 1, keep - above, false);
        }
        else
        {
            int[] sums = Array.Find(counts, c => c is not null)!;
            foreach (int[] others in counts.OfType<int[]>().Where(c => c != sums))
            {
                for (int i = 0; i < sums.Length; i++)
                {
                    sums[i] += others[i];
                }
            }

            int bin = sums.Length - 1;
            for (; above + sums[bin] < keep; bin--)
            {
                above += sums[bin];
            }

            ulong start = low + ((ulong)bin << shift);
            (Threshold, TiesLeft, NeedsPass) = (start, keep - above, shift > 0);
            Narrow(start, Math.Min(high, start + (1UL << shift) - 1));
        }
    }

    /// <summary>
    /// Copies what is kept of a part and sets the rest to zero, after the last pass and part by part in order: keys equal to
    /// the threshold are taken until k is reached, so that ties go to the lower index and exactly k are kept.
    /// </summary>
    public void Keep(ReadOnlySpan<float> v, Span<float> z, float rho = 1)
    {
        int first = Edge(Threshold, rho);
        int tie = first <= Largest && Key(first, rho) == Threshold ? first : -1;
        var ties = new int[((v.Length - 1) / Chunk) + 1];
        fixed (float* pinnedV = v, pinnedZ = z)
        {
            float* from = pinnedV, to = pinnedZ;
            int length = v.Length;
            ForChunks(length, (_, start) =>
                ties[start / Chunk] = KeepChunk(from + start, to + start, Math.Min(Chunk, length - start), first, tie));
        }

        // All ties were kept. Few chunks have one too many.
        for (int c = 0; c < ties.Length; c++)
        {
            if (ties[c] <= TiesLeft)
            {
                TiesLeft -= ties[c];
                continue;
            }

            foreach (ref float x in z.Slice(c * Chunk, Math.Min(Chunk, z.Length - (c * Chunk))))
            {
                if (Magnitude(x) == tie && --TiesLeft < 0)
                {
                    x = 0;
                }
            }

            TiesLeft = 0;
        }
    }

    private static int Magnitude(float x) => BitConverter.SingleToInt32Bits(x) & int.MaxValue;

    private static Vector256<int> Magnitudes(float* x) => Vector256.Load((int*)x) & Vector256.Create(int.MaxValue);

    private static void ForChunks(int length, Action<int, int> body)
    {
        int threads = length < ManyValues ? 1 : Math.Min(Environment.ProcessorCount, MaximumThreads);
        int next = -Chunk;
        void Work(int thread)
        {
            for (int start; (start = Interlocked.Add(ref next, Chunk)) < length && start >= 0;)
            {
                body(thread, start);
            }
        }

        if (threads == 1)
        {
            Work(0);
        }
        else
        {
            Parallel.For(0, threads, Work);
        }
    }

    private static int KeepChunk(float* v, float* z, int count, int first, int tie)
    {
        int i = 0;
        Vector256<int> ties = default;
        for (; i <= count - 8; i += 8)
        {
            Vector256<int> bits = Magnitudes(v + i);
            ties -= Vector256.Equals(bits, Vector256.Create(tie));
            Vector256<int> kept = Vector256.GreaterThanOrEqual(bits, Vector256.Create(first));
            (Vector256.Load((int*)(v + i)) & kept).Store((int*)(z + i));
        }

        int sum = Vector256.Sum(ties);
        for (; i < count; i++)
        {
            int bits = Magnitude(v[i]);
            sum += bits == tie ? 1 : 0;
            z[i] = bits >= first ? v[i] : 0;
        }

        return sum;
    }

    private void CountChunk(int thread, float* v, int count, int first, int last, float rho)
    {
        int[] bins = low == high ? [] : counts[thread] ??= new int[1 << binBits];
        (int i, long inRange) = (0, 0);
        Vector256<int> aboveRange = default, largest = default;
        for (; i <= count - 8; i += 8)
        {
            Vector256<int> bits = Magnitudes(v + i);
            Vector256<int> over = Vector256.GreaterThan(bits, Vector256.Create(last));
            largest = Vector256.Max(largest, bits);
            aboveRange -= over;
            uint found = Vector256.AndNot(Vector256.GreaterThanOrEqual(bits, Vector256.Create(first)), over).ExtractMostSignificantBits();
            inRange += BitOperations.PopCount(found);
            for (; found != 0 && bins.Length > 0; found &= found - 1)
            {
                bins[BinOf(Magnitude(v[i + BitOperations.TrailingZeroCount(found)]), rho)]++;
            }
        }

        (long overRange, int most) = (Vector256.Sum(aboveRange), 0);
        for (int lane = 0; lane < 8; lane++)
        {
            most = Math.Max(most, largest[lane]);
        }

        for (; i < count; i++)
        {
            int bits = Magnitude(v[i]);
            most = Math.Max(most, bits);
            overRange += bits > last ? 1 : 0;
            if (bits >= first && bits <= last)
            {
                inRange++;
                if (bins.Length > 0)
                {
                    bins[BinOf(bits, rho)]++;
                }
            }
        }

        lock (counts)
        {
            (above, inside, largestSeen) = (above + overRange, inside + inRange, Math.Max(largestSeen, most));
        }
    }

    private int BinOf(int bits, float rho) => (int)((Key(bits, rho) - low) >> shift);

    private ulong Key(int bits, float rho)
    {
        double x = BitConverter.Int32BitsToSingle(bits);
        return scaled ? BitConverter.DoubleToUInt64Bits(x * x * rho) : (ulong)bits;
    }

    /// <summary>Bits of the smallest magnitude with at least this key; one more than those of any finite one if none has.</summary>
    private int Edge(ulong key, float rho)
    {
        (int low, int high) = (0, Largest + 1);
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            (low, high) = Key(middle, rho) >= key ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private void Narrow(ulong from, ulong to)
    {
        (low, high, above, inside) = (from, to, 0, 0);
        shift = Math.Max(0, 64 - BitOperations.LeadingZeroCount(to - from) - binBits);
        foreach (int[] c in counts.OfType<int[]>())
        {
            Array.Clear(c);
        }
    }

    /// <summary>One value of each stretch of equal length, at a place that follows no pattern of the weights.</summary>
    private void Sample(ReadOnlySpan<float> values, float rho)
    {
        for (long stride = Math.Max(total / LargestSample, SmallestStride); ;)
        {
            long at = (sample.Count * stride) + (long)(RandomStream.Mix((ulong)sample.Count) % (ulong)stride) - seen;
            if (at >= values.Length)
            {
                break;
            }

            sample.Add(Key(Magnitude(values[(int)at]), rho));
        }

        seen += values.Length;
    }

    /// <summary>The range from the sample: four standard deviations of a rank in it to either side.</summary>
    private void Guess()
    {
        sampling = false;
        sample.Sort();
        double share = (double)keep / total;
        double margin = (4 * Math.Sqrt(sample.Count * share * (1 - share))) + 4;
        double rank = sample.Count * (1 - share);
        int from = (int)Math.Floor(rank - margin), to = (int)Math.Ceiling(rank + margin);
        Narrow(from < 0 ? 0 : Math.Min(top, sample[from]), to >= sample.Count ? top : Math.Min(top, sample[to]));
    }
}
