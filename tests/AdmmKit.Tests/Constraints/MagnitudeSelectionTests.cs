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
                var expected = new bool[n];
                foreach (int i in order.Take(k))
                {
                    expected[i] = true;
                }

                var kept = new bool[n];
                MagnitudeSelection.Mark(v, kept, k);
                Assert.Equal(expected, kept);

                float[] z = [.. v];
                MagnitudeSelection.Keep(z, z, k);
                Assert.Equal(v.Select((x, i) => expected[i] ? x : 0f), z);
            }
        }
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

        // One histogram of 2^16 counts; the array itself has 4 MB.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400_000);
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
