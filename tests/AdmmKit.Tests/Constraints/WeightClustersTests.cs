using AdmmKit.Baselines;
using AdmmKit.Constraints;

namespace AdmmKit.Tests.Constraints;

public class WeightClustersTests
{
    [Theory]
    [InlineData(30, 1)]
    [InlineData(200, 3)]
    [InlineData(1000, 5)]
    [InlineData(700, 8)]
    public void The_codebook_is_that_of_a_plain_Lloyd_iteration_from_an_even_start(int n, int bits)
    {
        for (ulong seed = 0; seed < 5; seed++)
        {
            float[] w = Gaussian(n, seed);
            WeightClusters found = WeightClusters.Find(w, bits);
            double[] expected = PlainLloyd(w, 1 << bits);
            Assert.Equal(expected.Length, found.Codebook.Length);
            Assert.All(found.Codebook.Zip(expected), p => Assert.Equal(p.Second, p.First, 1e-6));
        }
    }

    [Theory]
    [InlineData(10, 1)]
    [InlineData(12, 2)]
    [InlineData(300, 4)]
    [InlineData(5000, 8)]
    public void Each_survivor_is_at_the_nearest_value_and_each_value_is_the_mean_of_its_members(int n, int bits)
    {
        for (ulong seed = 0; seed < 5; seed++)
        {
            // Heavy tails leave clusters empty.
            float[] w = [.. Gaussian(n, seed).Select((x, i) => i % 3 == 0 ? 0 : x * x * x)];
            WeightClusters found = WeightClusters.Find(w, bits);
            float[] shared = found.ToWeights();
            Assert.InRange(found.Codebook.Length, 1, 1 << bits);
            for (int i = 0; i < n; i++)
            {
                Assert.Equal(w[i] == 0, shared[i] == 0);
                double nearest = found.Codebook.Min(c => Math.Abs((double)c - w[i]));
                Assert.True(w[i] == 0 || Math.Abs((double)shared[i] - w[i]) == nearest);
            }

            Assert.All(found.Codebook, c => Assert.Equal(
                w.Zip(shared).Where(p => p.Second == c).Average(p => (double)p.First), c, 1e-6 * Math.Abs(c)));
            Assert.Equal(found.Codebook.Order(), found.Codebook);
        }
    }

    [Fact]
    public void Groups_that_lie_apart_are_found_and_no_error_is_below_the_least_by_enumeration()
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            float[] loose = Gaussian(9, seed);
            Assert.True(Error(loose, WeightClusters.Find(loose, 2)) >= LeastError(loose, 4) * (1 - 1e-9));

            // Four groups around -3, -1, 1 and 3.
            float[] apart = [.. Gaussian(10, seed).Select((x, i) => (-3 + (2 * (i % 4))) + (0.1f * Math.Clamp(x, -2, 2)))];
            Assert.Equal(LeastError(apart, 4), Error(apart, WeightClusters.Find(apart, 2)), 1e-6);
        }
    }

    [Fact]
    public void Clusters_without_members_are_dropped()
    {
        WeightClusters found = WeightClusters.Find([0.1f, 0f, 0.11f, 5f], 2);
        Assert.Equal([0.105f, 5f], found.Codebook.Select(c => MathF.Round(c, 5)));
        Assert.Equal([0, 2, 3], found.Positions);
        Assert.Equal(new byte[] { 0, 0, 1 }, found.Codes);
        Assert.Equal((3 * 2) + (2 * 32), found.DataBits);
        Assert.Equal([2.5f], WeightClusters.Find([2.5f, 2.5f, 0f, 2.5f], 8).Codebook);
    }

    [Fact]
    public void No_value_is_zero()
    {
        WeightClusters found = WeightClusters.Find([-1f, 1f, 6f, 0f], 1);
        Assert.Equal([float.Epsilon, 6f], found.Codebook);
        Assert.Equal([float.Epsilon, float.Epsilon, 6f, 0f], found.ToWeights());
        Assert.Equal([float.Epsilon, 6f], found.Recentre([-2f, 2f, 6f, 0f]).Codebook);
    }

    [Fact]
    public void Recentring_keeps_the_clusters_and_takes_their_new_means()
    {
        WeightClusters moved = WeightClusters.Find([1f, 0f, 1.5f, -4f, -5f], 1).Recentre([-9f, 7f, -11f, 1f, 2f]);
        Assert.Equal([1.5f, -10f], moved.Codebook);
        Assert.Equal([-10f, 0f, -10f, 1.5f, 1.5f], moved.ToWeights());
        Assert.Throws<ArgumentOutOfRangeException>(() => moved.Recentre([1f]));
    }

    [Fact]
    public void Other_weights_get_the_nearest_value_and_of_two_the_lower()
    {
        WeightClusters found = WeightClusters.Find([-1f, 3f], 1);
        Assert.Equal([-1f, 3f, 0f, -1f, 3f, 3f], found.Assign([1f, 1.01f, 0f, -8f, 2f, 9f]).ToWeights());
    }

    [Fact]
    public void A_layer_without_survivors_has_no_codebook()
    {
        WeightClusters none = WeightClusters.Find(new float[3], 4);
        Assert.Empty(none.Codebook);
        Assert.Equal(new float[3], none.ToWeights());
        Assert.Equal(0, none.DataBits);
        Assert.Equal(new float[3], none.Assign(new float[3]).ToWeights());
        var e = Assert.Throws<AdmmKitException>(() => none.Assign([1f, 0f, 0f]));
        Assert.Contains("without survivors", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_clustered_is_refused()
    {
        Assert.Throws<AdmmKitException>(() => WeightClusters.Find([1f], 0));
        Assert.Throws<AdmmKitException>(() => WeightClusters.Find([1f], 9));
        var e = Assert.Throws<AdmmKitException>(() => WeightClusters.Find([1f, float.NaN], 2));
        Assert.Contains("index 1 ", e.Message, StringComparison.Ordinal);
    }

    private static float[] Gaussian(int n, ulong seed)
    {
        var random = new RandomStream(seed, "clusters");
        return [.. Enumerable.Range(0, n).Select(_ => (float)random.NextGaussian())];
    }

    private static double Error(float[] w, WeightClusters clusters) =>
        w.Zip(clusters.ToWeights(), (a, b) => Math.Pow((double)a - b, 2)).Sum();

    /// <summary>Every weight is compared with every centroid, until nothing changes.</summary>
    private static double[] PlainLloyd(float[] w, int count)
    {
        double[] centroids = [.. Enumerable.Range(0, count).Select(j => w.Min() + (((double)w.Max() - w.Min()) * j / (count - 1)))];
        while (true)
        {
            ILookup<int, float> members = w.ToLookup(x => Enumerable.Range(0, count).MinBy(j => Math.Abs(x - centroids[j])));
            double[] next = [.. centroids.Select((c, j) => members[j].Any() ? members[j].Average(x => (double)x) : c)];
            if (next.Zip(centroids).All(p => Math.Abs(p.First - p.Second) < 1e-12))
            {
                return [.. next.Where((_, j) => members[j].Any())];
            }

            centroids = next;
        }
    }

    /// <summary>Tries every way to cut the sorted weights into so many intervals.</summary>
    private static double LeastError(float[] w, int count)
    {
        float[] sorted = [.. w.Order()];
        double Best(int first, int left)
        {
            double best = double.PositiveInfinity;
            for (int end = left == 1 ? sorted.Length : first + 1; end <= sorted.Length; end++)
            {
                double mean = sorted[first..end].Average(x => (double)x);
                double error = sorted[first..end].Sum(x => (x - mean) * (x - mean));
                best = Math.Min(best, end == sorted.Length ? error : error + Best(end, left - 1));
            }

            return best;
        }

        return Best(0, count);
    }
}
