using AdmmKit.Constraints;

namespace AdmmKit.Tests.Constraints;

public class MagnitudeSelectionTests
{
    public static TheoryData<string> Kinds => ["random", "ties", "all equal", "denormal", "wide", "zeros", "last bits"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Agrees_with_a_stable_sort(string kind)
    {
        var random = new RandomStream(2, kind);
        foreach (int n in new[] { 0, 1, 2, 17, 1000 })
        {
            float[] v = [.. Enumerable.Range(0, n).Select(_ => Value(kind, random))];
            int[] order = [.. Enumerable.Range(0, n).OrderByDescending(i => Math.Abs(v[i])).ThenBy(i => i)];
            foreach (int k in new[] { 0, 1, n / 3, n / 2, n - 1, n }.Where(k => k >= 0 && k <= n))
            {
                Agrees(v, order, k);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Agrees_with_a_stable_sort_where_a_sample_guesses(string kind)
    {
        var random = new RandomStream(3, kind);
        float[] v = [.. Enumerable.Range(0, 70_001).Select(_ => Value(kind, random))];
        int[] order = [.. Enumerable.Range(0, v.Length).OrderByDescending(i => Math.Abs(v[i])).ThenBy(i => i)];
        foreach (int k in new[] { 0, 1, 2000, v.Length / 2, v.Length - 1, v.Length })
        {
            Agrees(v, order, k);
        }
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(1e-6f)]
    public void A_sample_that_misleads_costs_nothing_but_time(float sampled)
    {
        // The sampled values are all above, or all below, the rest, so that the guessed range misses the threshold.
        const int N = 65_536;
        var random = new RandomStream(4, "misleading");
        float[] v = [.. Enumerable.Range(0, N).Select(_ => (float)random.NextDouble(0.001, 0.5))];
        for (int i = 0; i < N / 32; i++)
        {
            v[(i * 32) + (int)(RandomStream.Mix((ulong)i) % 32)] = sampled * (1 + (i / (float)N));
        }

        int[] order = [.. Enumerable.Range(0, N).OrderByDescending(i => Math.Abs(v[i])).ThenBy(i => i)];
        foreach (int k in new[] { 100, N / 2, N - 100 })
        {
            Agrees(v, order, k);
        }
    }

    [Theory]
    [InlineData("random")]
    [InlineData("ties")]
    public void Agrees_with_one_thread_where_many_share_the_work(string kind)
    {
        // Large enough for threads, and no multiple of a vector.
        var random = new RandomStream(5, kind);
        float[] v = [.. Enumerable.Range(0, (1 << 20) + 70_003).Select(_ => Value(kind, random))];
        int[] bits = [.. v.Select(x => BitConverter.SingleToInt32Bits(x) & int.MaxValue)];
        Array.Sort(bits);
        foreach (int k in new[] { 1000, v.Length / 3 })
        {
            int threshold = bits[^k];
            int ties = k - bits.Count(b => b > threshold);
            var expected = new float[v.Length];
            for (int i = 0; i < v.Length; i++)
            {
                int b = BitConverter.SingleToInt32Bits(v[i]) & int.MaxValue;
                expected[i] = b > threshold || (b == threshold && ties-- > 0) ? v[i] : 0;
            }

            var z = new float[v.Length];
            MagnitudeSelection.Keep(v, z, k);
            Assert.True(expected.AsSpan().SequenceEqual(z), $"{kind}, {k}");
            float[] inPlace = [.. v];
            MagnitudeSelection.Keep(inPlace, inPlace, k);
            Assert.True(expected.AsSpan().SequenceEqual(inPlace), $"{kind}, {k}, in place");
        }

        v[777_777] = float.NaN;
        var e = Assert.Throws<AdmmKitException>(() => MagnitudeSelection.Keep(v, v, 5));
        Assert.Contains("index 777777 ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_set_to_zero_is_positive_and_what_is_kept_has_its_sign()
    {
        float[] z = [-0f, -0f, -1f, -0f];
        MagnitudeSelection.Keep(z, z, 2);
        Assert.Equal([int.MinValue, 0, BitConverter.SingleToInt32Bits(-1f), 0], z.Select(BitConverter.SingleToInt32Bits));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Names_the_index_of_what_is_not_finite(float bad)
    {
        var e = Assert.Throws<AdmmKitException>(() => MagnitudeSelection.Keep([1, 2, bad, 3], new float[4], 1));
        Assert.Contains("index 2 ", e.Message, StringComparison.Ordinal);
        Assert.Throws<AdmmKitException>(() => MagnitudeSelection.Mark([1, 2, bad, 3], new bool[4], 0));
    }

    [Fact]
    public void Counts_outside_the_array_and_other_lengths_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => MagnitudeSelection.Keep([1, 2], new float[2], 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => MagnitudeSelection.Keep([1, 2], new float[2], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => MagnitudeSelection.Keep([1, 2], new float[3], 1));
    }

    [Fact]
    public void Memory_does_not_grow_with_the_array()
    {
        var v = new float[1_000_000];
        long before = GC.GetAllocatedBytesForCurrentThread();
        MagnitudeSelection.Keep(v, v, v.Length / 2);

        // One histogram of 2^16 counts a thread and a sample; the array itself has 4 MB.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400_000);
    }

    private static void Agrees(float[] v, int[] order, int k)
    {
        var expected = new bool[v.Length];
        foreach (int i in order.Take(k))
        {
            expected[i] = true;
        }

        var kept = new bool[v.Length];
        MagnitudeSelection.Mark(v, kept, k);
        Assert.Equal(expected, kept);

        float[] z = [.. v];
        MagnitudeSelection.Keep(z, z, k);
        Assert.Equal(v.Select((x, i) => expected[i] ? x : 0f), z);
    }

    private static float Value(string kind, RandomStream random) => kind switch
    {
        "ties" => random.NextInt(5) - 2,
        "all equal" => random.NextInt(2) == 0 ? 0.7f : -0.7f,
        "denormal" => (random.NextInt(40) - 20) * float.Epsilon,
        "wide" => (float)Math.Clamp(Math.Pow(10, random.NextDouble(-45, 39)), float.Epsilon, float.MaxValue),
        "zeros" => random.NextInt(3) == 0 ? (float)random.NextGaussian() : random.NextInt(2) == 0 ? 0f : -0f,
        "last bits" => BitConverter.UInt32BitsToSingle(0x3F80_0000u + (uint)random.NextInt(200_000)),
        _ => (float)random.NextGaussian(),
    };
}
