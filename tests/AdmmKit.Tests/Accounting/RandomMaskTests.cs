using AdmmKit.Experiments.Accounting;

namespace AdmmKit.Tests.Accounting;

public class RandomMaskTests
{
    [Theory]
    [InlineData(10, 0)]
    [InlineData(10, 10)]
    [InlineData(1000, 1)]
    [InlineData(1000, 500)]
    [InlineData(1000, 501)]
    [InlineData(1000, 999)]
    [InlineData(102_760_448, 5_000)]
    public void Exactly_so_many_different_positions_come_in_order(int count, int survivors)
    {
        int[] mask = RandomMask.Draw(count, survivors, new RandomStream(1, "mask"));
        Assert.Equal(survivors, mask.Length);
        Assert.All(mask.Zip(mask.Skip(1)), pair => Assert.True(pair.First < pair.Second));
        Assert.All(mask, position => Assert.InRange(position, 0, count - 1));
        Assert.Equal(mask, RandomMask.Draw(count, survivors, new RandomStream(1, "mask")));
    }

    [Theory]
    [InlineData(6, 3)]
    [InlineData(6, 2)]
    [InlineData(5, 4)]
    public void Every_mask_is_equally_likely(int count, int survivors)
    {
        const int draws = 40_000;
        var random = new RandomStream(1, "uniform");
        var seen = new Dictionary<int, int>();
        for (int i = 0; i < draws; i++)
        {
            int mask = RandomMask.Draw(count, survivors, random).Sum(p => 1 << p);
            seen[mask] = seen.GetValueOrDefault(mask) + 1;
        }

        double masks = Enumerable.Range(0, survivors).Aggregate(1.0, (c, i) => c * (count - i) / (i + 1));
        Assert.Equal(masks, seen.Count);
        double expected = draws / masks;
        // Five standard deviations of a binomial count: one stray in a million.
        Assert.All(seen.Values, n => Assert.InRange(n, expected - (5 * Math.Sqrt(expected)), expected + (5 * Math.Sqrt(expected))));
    }

    [Fact]
    public void Impossible_masks_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => RandomMask.Draw(5, 6, new RandomStream(1, "mask")));
        Assert.Throws<ArgumentOutOfRangeException>(() => RandomMask.Draw(5, -1, new RandomStream(1, "mask")));
    }
}
