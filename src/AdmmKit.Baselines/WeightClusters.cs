using AdmmKit.Constraints;
using AdmmKit.Pipeline;
namespace AdmmKit.Baselines;

/// <summary>
/// The survivors of one layer, each sharing one of at most 2^bits values: weight sharing by k-means, sec. 3 in [Han2016],
/// to compare with the equal-distance levels of [Ren2019], which need no codebook. Treat the arrays as read-only.
/// </summary>
/// <remarks>
/// Lloyd's iteration from centroids spread evenly between the smallest and the largest survivor. On sorted weights a
/// cluster is an interval and its sum a difference of prefix sums, so that after one sort an iteration takes k log n. The
/// exact optimum could be had by dynamic programming in O(k n log n), and is not taken: sec. 3.2 in [Han2016] found the
/// even start the best for accuracy because it leaves centroids for the few large weights, which a least squared error
/// gives up. Clusters without a member keep their centroid while the others move, and are dropped at the end.
/// <para>Zero means pruned, so no centroid is 0: a cluster whose mean rounds to 0 gets the smallest positive float.</para>
/// <para>[Han2016] S. Han, H. Mao, W. J. Dally: Deep Compression: Compressing Deep Neural Networks with Pruning, Trained
/// Quantization and Huffman Coding. ICLR 2016, arXiv:1510.00149. [Ren2019]: see <see cref="IConstraint"/>.</para>
/// </remarks>
public sealed class WeightClusters
{
    // Enough for 25,000 weights in 256 clusters to come to rest; 400,000 may not have, but then move by less than 1 % of
    // the distance of two centroids, and the bound keeps the search to a second or two.
    private const int MaximumIterations = 1000;

    private readonly int weightCount;

    private WeightClusters(int bits, float[] codebook, int weightCount, int[] positions, byte[] codes)
    {
        (Bits, Codebook, Positions, Codes) = (bits, codebook, positions, codes);
        this.weightCount = weightCount;
    }

    /// <summary>Bits a code, 1 to 8.</summary>
    public int Bits { get; }

    /// <summary>The shared values, never 0, ascending as found; at most 2^bits, and none for a layer without survivors.</summary>
    public float[] Codebook { get; }

    /// <summary>Where the survivors are in the row-major weight matrix, increasing.</summary>
    public int[] Positions { get; }

    /// <summary>The cluster of each survivor: a position in the codebook.</summary>
    public byte[] Codes { get; }

    /// <summary>Bits of the codes and of the codebook's floats: what takes the place of survivors x bits.</summary>
    public long DataBits => ((long)Codes.Length * Bits) + (32L * Codebook.Length);

    /// <summary>Clusters the survivors of a layer.</summary>
    /// <param name="weights">All weights of the layer, row-major; zeros are pruned ones and stay zero.</param>
    /// <param name="bits">Bits a code, 1 to 8: at most 2^bits clusters.</param>
    /// <exception cref="AdmmKitException">A weight is not finite, or bits is out of range.</exception>
    public static WeightClusters Find(ReadOnlySpan<float> weights, int bits)
    {
        int count = 2 * IntervalSearch.LevelsPerSign(bits);
        int bad = Guard.IndexOfNonFinite(weights);
        if (bad >= 0)
        {
            throw new AdmmKitException(FormattableString.Invariant(
                $"The weight at index {bad} is {weights[bad]}: only finite weights can be clustered."));
        }

        int[] positions = PositionsOf(weights);
        var sorted = new float[positions.Length];
        for (int k = 0; k < sorted.Length; k++)
        {
            sorted[k] = weights[positions[k]];
        }

        Array.Sort(sorted);
        float[] codebook = sorted.Length == 0 ? [] : Lloyd(sorted, count);
        return new WeightClusters(bits, codebook, weights.Length, [], []).Assign(weights);
    }

    /// <summary>Gives each survivor of other weights to the nearest value of this codebook: of two equally near, the lower.</summary>
    /// <param name="weights">All weights of the layer, row-major, finite; zeros stay zero.</param>
    /// <exception cref="AdmmKitException">There are survivors, but the codebook is empty.</exception>
    public WeightClusters Assign(ReadOnlySpan<float> weights)
    {
        int[] positions = PositionsOf(weights);
        if (Codebook.Length == 0 && positions.Length > 0)
        {
            throw new AdmmKitException("A codebook of a layer without survivors has no value to give: find clusters of these weights.");
        }

        var codes = new byte[positions.Length];
        for (int k = 0; k < codes.Length; k++)
        {
            double nearest = double.PositiveInfinity;
            for (int code = 0; code < Codebook.Length; code++)
            {
                double distance = Math.Abs((double)weights[positions[k]] - Codebook[code]);
                (nearest, codes[k]) = distance < nearest ? (distance, (byte)code) : (nearest, codes[k]);
            }
        }

        return new WeightClusters(Bits, Codebook, weights.Length, positions, codes);
    }

    /// <summary>The same clusters, each at the mean of what its members have become; one without members stays.</summary>
    /// <param name="weights">All weights of the layer, row-major.</param>
    public WeightClusters Recentre(ReadOnlySpan<float> weights)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Length, weightCount);
        var sums = new double[Codebook.Length];
        var counts = new int[Codebook.Length];
        for (int k = 0; k < Codes.Length; k++)
        {
            sums[Codes[k]] += weights[Positions[k]];
            counts[Codes[k]]++;
        }

        float[] codebook = [.. Codebook.Select((old, code) => counts[code] == 0 ? old : NotZero(sums[code] / counts[code]))];
        return new WeightClusters(Bits, codebook, weightCount, Positions, Codes);
    }

    /// <summary>All weights of the layer, row-major: each survivor at its cluster's value, zeros elsewhere.</summary>
    public float[] ToWeights()
    {
        var weights = new float[weightCount];
        for (int k = 0; k < Codes.Length; k++)
        {
            weights[Positions[k]] = Codebook[Codes[k]];
        }

        return weights;
    }

    private static float[] Lloyd(float[] sorted, int count)
    {
        int n = sorted.Length;
        var prefix = new double[n + 1];
        for (int i = 0; i < n; i++)
        {
            prefix[i + 1] = prefix[i] + sorted[i];
        }

        double range = (double)sorted[^1] - sorted[0];
        double[] centroids = [.. Enumerable.Range(0, count).Select(j => sorted[0] + (range * j / (count - 1)))];
        // Cluster j holds sorted[starts[j] .. starts[j + 1]).
        var starts = new int[count + 1];
        starts[count] = n;
        bool moved = true;
        for (int iteration = 0; moved && iteration < MaximumIterations; iteration++)
        {
            moved = false;
            for (int j = 1; j < count; j++)
            {
                int start = FirstAbove(sorted, (centroids[j - 1] + centroids[j]) / 2);
                moved |= start != starts[j];
                starts[j] = start;
            }

            for (int j = 0; j < count; j++)
            {
                (int first, int end) = (starts[j], starts[j + 1]);
                // Prefix sums round, and a mean lies among its members.
                centroids[j] = end == first
                    ? centroids[j]
                    : Math.Clamp((prefix[end] - prefix[first]) / (end - first), sorted[first], sorted[end - 1]);
            }
        }

        return [.. Enumerable.Range(0, count).Where(j => starts[j + 1] > starts[j]).Select(j => NotZero(centroids[j]))];
    }

    /// <summary>The first position whose value is above the bound.</summary>
    private static int FirstAbove(float[] sorted, double bound)
    {
        (int low, int high) = (0, sorted.Length);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = sorted[middle] <= bound ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    private static int[] PositionsOf(ReadOnlySpan<float> weights)
    {
        var positions = new List<int>();
        for (int i = 0; i < weights.Length; i++)
        {
            if (weights[i] != 0)
            {
                positions.Add(i);
            }
        }

        return [.. positions];
    }

    private static float NotZero(double mean) => (float)mean == 0 ? float.Epsilon : (float)mean;
}
