namespace AdmmKit.Experiments.Accounting;

/// <summary>Masks with a given number of survivors, each such mask equally likely. Time and memory grow with the survivors only.</summary>
public static class RandomMask
{
    /// <summary>Draws the positions of the survivors, strictly increasing.</summary>
    /// <param name="count">Weights in the layer.</param>
    /// <param name="survivors">How many survive, 0 to <paramref name="count"/>.</param>
    /// <param name="random">Where the randomness comes from.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are more survivors than weights, or fewer than none.</exception>
    public static int[] Draw(int count, int survivors, RandomStream random)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentOutOfRangeException.ThrowIfNegative(survivors);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(survivors, count);
        if (survivors > count / 2)
        {
            return Others(count, Draw(count, count - survivors, random));
        }

        // Points are thrown until so many different ones are hit. Which points they are never decides how many are thrown
        // next, so no subset is favoured. At a density of at most 1/2 each round hits at least half of what is missing.
        int[] hit = [];
        while (hit.Length < survivors)
        {
            hit = Union(hit, Throw(count, survivors - hit.Length, random));
        }

        return hit;
    }

    // Independent uniform points in increasing order, some of them perhaps equal: the gaps of sorted exponential variables are
    // exponential with rates n, n - 1, ..., 1 (Renyi), and 1 - exp(-x) makes the variables uniform.
    private static int[] Throw(int count, int points, RandomStream random)
    {
        var thrown = new int[points];
        double x = 0;
        for (int i = 0; i < points; i++)
        {
            x -= Math.Log(1 - random.NextDouble()) / (points - i);
            thrown[i] = Math.Min(count - 1, (int)(count * (1 - Math.Exp(-x))));
        }

        return thrown;
    }

    private static int[] Union(int[] a, int[] b)
    {
        var union = new int[a.Length + b.Length];
        int i = 0, j = 0, filled = 0;
        while (i < a.Length || j < b.Length)
        {
            int next = j == b.Length || (i < a.Length && a[i] <= b[j]) ? a[i++] : b[j++];
            if (filled == 0 || union[filled - 1] != next)
            {
                union[filled++] = next;
            }
        }

        return union[..filled];
    }

    private static int[] Others(int count, int[] excluded)
    {
        var others = new int[count - excluded.Length];
        int next = 0, filled = 0;
        for (int i = 0; i < count; i++)
        {
            if (next < excluded.Length && excluded[next] == i)
            {
                next++;
            }
            else
            {
                others[filled++] = i;
            }
        }

        return others;
    }
}
