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
    // Bits of the largest finite float.
    private const int Largest = 0x7F7F_FFFF;

    // 16 bits twice are all of a float's. Few values are not worth so large a histogram, nor a sample, nor a second thread.
    private const int FewValues = 1 << 15;
    private const int ManyValues = 1 << 20;
    private const int SampleSize = 1 << 13;
    private const int Chunk = 1 << 16;
    private const int Lanes = 8;

    private readonly bool scaled;
    private readonly long total;
    private readonly long keep;
    private readonly ulong top;
    private readonly int[] bins;
    private readonly List<ulong> sample = [];
    private bool sampling;
    private (ulong Low, ulong High, int Shift) range;
    private long above;
    private long inside;

    /// <param name="total">How many values there are in all parts.</param>
    /// <param name="keep">k, 0 to their number.</param>
    /// <param name="scaled">Whether the key is rho x^2; otherwise it is |x|, and every rho is ignored.</param>
    public RadixSelection(long total, long keep, bool scaled = false)
    {
        (this.total, this.keep, this.scaled) = (total, keep, scaled);
        top = scaled ? BitConverter.DoubleToUInt64Bits(double.MaxValue) : Largest;
        sampling = total >= FewValues && keep > 0;
        sample.Capacity = sampling ? SampleSize + 1 : 0;
        bins = new int[1 << (total < FewValues ? 11 : 16)];
        Narrow(keep > 0 ? 0 : top, top);
    }

    /// <summary>Whether another pass of <see cref="Count"/> over all parts is needed, ended by <see cref="EndPass"/>.</summary>
    public bool NeedsPass { get; private set; } = true;

    /// <summary>Whether no value met so far is infinite or not a number; where one is, nothing else here can be trusted.</summary>
    public bool AllFinite { get; private set; } = true;

    /// <summary>The k-th largest key.</summary>
    public ulong Threshold { get; private set; }

    /// <summary>How many of the keys equal to <see cref="Threshold"/> are still to be kept, those of lower index first.</summary>
    public long TiesLeft { get; private set; }

    /// <summary>Counts the values of a part in this pass.</summary>
    public void Count(ReadOnlySpan<float> values, float rho = 1)
    {
        // The sample has one value of each stretch of equal length, at a place that follows no pattern of the weights.
        long stride = Math.Max(32, (total / SampleSize) + 1);
        long Place(long j) => (j * stride) + (long)(RandomStream.Mix((ulong)j) % (ulong)stride);
        for (long j = 0, at; sampling && (at = Place(j)) < values.Length; j++)
        {
            sample.Add(Key(Magnitude(values[(int)at]), rho));
        }

        (int first, int last, int length) = (Edge(range.Low, rho), Edge(range.High + 1, rho) - 1, sampling ? 0 : values.Length);
        fixed (float* pinned = values)
        {
            float* v = pinned;
            if (length < ManyValues)
            {
                CountChunk(v, length, first, last, rho, bins);
                return;
            }

            Parallel.For(
                0, Chunks(length), () => new int[bins.Length],
                (c, _, mine) => CountChunk(v + (c * Chunk), Math.Min(Chunk, length - (c * Chunk)), first, last, rho, mine), Merge);
        }
    }

    /// <summary>Narrows the range to a part of it, to what lies above or below it, or to the threshold.</summary>
    public void EndPass()
    {
        if (sampling)
        {
            // Four standard deviations of a rank in the sample to either side.
            sample.Sort();
            double rank = sample.Count * (1 - ((double)keep / total));
            double margin = (4 * Math.Sqrt(rank * keep / total)) + 4;
            (int from, int to) = ((int)(rank - margin), (int)(rank + margin) + 1);
            Narrow(from <= 0 ? 0 : Math.Min(top, sample[from]), to >= sample.Count ? top : Math.Min(top, sample[to]));
            sampling = false;
        }
        else if (above >= keep && keep > 0)
        {
            Narrow(range.High + 1, top);
        }
        else if (above + inside < keep)
        {
            Narrow(0, range.Low - 1);
        }
        else
        {
            int bin = range.Low == range.High ? 0 : bins.Length - 1;
            for (; bin > 0 && above + bins[bin] < keep; bin--)
            {
                above += bins[bin];
            }

            // Where k is 0, no key is as large as the threshold.
            ulong start = range.Low + ((ulong)bin << range.Shift);
            (Threshold, TiesLeft, NeedsPass) = (keep > 0 ? start : top + 1, keep - above, range.Shift > 0);
            Narrow(start, Math.Min(range.High, start + (1UL << range.Shift) - 1));
        }
    }

    /// <summary>
    /// Copies what is kept of a part and sets the rest to zero, after the last pass and part by part in order: keys equal to
    /// the threshold are taken until k is reached, so that ties go to the lower index and exactly k are kept.
    /// </summary>
    public void Keep(ReadOnlySpan<float> v, Span<float> z, float rho = 1)
    {
        (int first, int length) = (Edge(Threshold, rho), v.Length);
        int tie = first <= Largest && Key(first, rho) == Threshold ? first : -1;
        var ties = new int[Chunks(length)];
        fixed (float* pinnedV = v, pinnedZ = z)
        {
            float* from = pinnedV, to = pinnedZ;
            Parallel.For(0, ties.Length, Threads(length), c => ties[c] =
                KeepChunk(from + (c * Chunk), to + (c * Chunk), Math.Min(Chunk, length - (c * Chunk)), first, tie));
        }

        // All ties were kept. Few chunks have one too many.
        for (int c = 0; c < ties.Length; c++)
        {
            long left = TiesLeft;
            foreach (ref float x in ties[c] > left ? z.Slice(c * Chunk, Math.Min(Chunk, length - (c * Chunk))) : [])
            {
                x = Magnitude(x) == tie && --left < 0 ? 0 : x;
            }

            TiesLeft = Math.Max(0, TiesLeft - ties[c]);
        }
    }

    private static int Magnitude(float x) => BitConverter.SingleToInt32Bits(x) & int.MaxValue;

    private static int Chunks(int length) => (int)(((long)length + Chunk - 1) / Chunk);

    private static ParallelOptions Threads(int length) => new() { MaxDegreeOfParallelism = length < ManyValues ? 1 : -1 };

    private static Vector256<int> Magnitudes(float* x) => Vector256.Load((int*)x) & Vector256.Create(int.MaxValue);

    private static int KeepChunk(float* v, float* z, int count, int first, int tie)
    {
        Vector256<int> found = default;
        (Vector256<int> firsts, Vector256<int> tied) = (Vector256.Create(first), Vector256.Create(tie));
        for (int i = 0; i <= count - Lanes; i += Lanes)
        {
            Vector256<int> bits = Magnitudes(v + i);
            found -= Vector256.Equals(bits, tied);
            (Vector256.Load((int*)(v + i)) & Vector256.GreaterThanOrEqual(bits, firsts)).Store((int*)(z + i));
        }

        int sum = Vector256.Sum(found);
        for (int i = count - (count % Lanes); i < count; i++)
        {
            sum += Magnitude(v[i]) == tie ? 1 : 0;
            z[i] = Magnitude(v[i]) >= first ? v[i] : 0;
        }

        return sum;
    }

    private int[] CountChunk(float* v, int count, int first, int last, float rho, int[] mine)
    {
        (int within, int rest) = (0, count % Lanes);
        Vector256<int> over = default, most = default;
        (ulong low, _, int shift) = range;
        for (int i = 0; i < count - rest; i += Lanes)
        {
            Vector256<int> bits = Magnitudes(v + i);
            Vector256<int> beyond = Vector256.GreaterThan(bits, Vector256.Create(last));
            most = Vector256.Max(most, bits);
            over -= beyond;
            uint found = Vector256.AndNot(Vector256.GreaterThanOrEqual(bits, Vector256.Create(first)), beyond).ExtractMostSignificantBits();
            within += BitOperations.PopCount(found);
            for (; found != 0; found &= found - 1)
            {
                mine[(int)((Key(Magnitude(v[i + BitOperations.TrailingZeroCount(found)]), rho) - low) >> shift)]++;
            }
        }

        // Sums first, and no lock: what lives on across a call or a lock is kept in memory by the loop, and that is slow.
        (int beyondRange, bool finite) = (Vector256.Sum(over), Vector256.LessThanOrEqualAll(most, Vector256.Create(Largest)));
        Interlocked.Add(ref above, beyondRange);
        Interlocked.Add(ref inside, within);
        if (!finite)
        {
            AllFinite = false;
        }

        // The zeros that fill up a last vector come after all values, so they do not change which is the k-th largest.
        if (rest > 0)
        {
            var tail = new float[Lanes];
            new Span<float>(v + count - rest, rest).CopyTo(tail);
            fixed (float* t = tail)
            {
                CountChunk(t, Lanes, first, last, rho, mine);
            }
        }

        return mine;
    }

    private void Merge(int[] mine)
    {
        lock (bins)
        {
            for (int i = 0; i < bins.Length; i++)
            {
                bins[i] += mine[i];
            }
        }
    }

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

    private void Narrow(ulong low, ulong high)
    {
        range = (low, high, Math.Max(0, 64 - BitOperations.LeadingZeroCount(high - low) - BitOperations.Log2((uint)bins.Length)));
        (above, inside) = (0, 0);
        Array.Clear(bins);
    }
}
