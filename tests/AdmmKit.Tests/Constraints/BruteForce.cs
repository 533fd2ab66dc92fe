namespace AdmmKit.Tests.Constraints;

/// <summary>Squared distances to a set by trying everything; shares no code with the projections.</summary>
internal static class BruteForce
{
    /// <summary>Tries each set of n weights that may stay.</summary>
    public static Func<float[], double> OverSupports(int n, Func<bool[], bool> feasible, double[]? weight = null)
    {
        bool[][] supports = [.. Enumerable.Range(0, 1 << n)
            .Select(mask => Enumerable.Range(0, n).Select(i => (mask >> i & 1) == 1).ToArray())
            .Where(feasible)];
        return v =>
        {
            double[] costs = [.. v.Select((x, i) => (weight?[i] ?? 1) * x * (double)x)];
            double best = double.PositiveInfinity;
            foreach (bool[] kept in supports)
            {
                double sum = 0;
                for (int i = 0; i < n; i++)
                {
                    sum += kept[i] ? 0 : costs[i];
                }

                best = Math.Min(best, sum);
            }

            return best;
        };
    }

    /// <summary>
    /// Tries each level, signed and in units of q, for each weight; with q given, or the best q > 0 for each trial. At most
    /// so many weights may be at another level than 0.
    /// </summary>
    public static double OverLevels(float[] v, int[] levels, double? q, int survivors = int.MaxValue)
    {
        double best = double.PositiveInfinity;
        var digits = new int[v.Length];
        while (true)
        {
            double a = 0, b = 0, c = 0;
            for (int i = 0; i < v.Length; i++)
            {
                double l = levels[digits[i]];
                a += l * v[i];
                b += l * l;
                c += (double)v[i] * v[i];
            }

            double interval = q ?? (b > 0 ? Math.Max(0, a / b) : 0);
            if (survivors >= v.Length || digits.Count(d => levels[d] != 0) <= survivors)
            {
                best = Math.Min(best, c - (2 * interval * a) + (interval * interval * b));
            }

            int at = 0;
            while (at < v.Length && ++digits[at] == levels.Length)
            {
                digits[at++] = 0;
            }

            if (at == v.Length)
            {
                return best;
            }
        }
    }

    /// <summary>
    /// Distance to the space of cropped circulant blocks, spanned by one 0/1 matrix for each free weight: its first row has
    /// a single one, and each row is the one above turned right. They do not overlap, so they are orthogonal.
    /// </summary>
    public static double ToCirculant(float[] v, int rows, int columns, int k)
    {
        double distance = v.Sum(x => (double)x * x);
        for (int top = 0; top < rows; top += k)
        {
            for (int left = 0; left < columns; left += k)
            {
                for (int one = 0; one < k; one++)
                {
                    var line = new List<int>(Enumerable.Range(0, k).Select(j => j == one ? 1 : 0));
                    double dot = 0, square = 0;
                    for (int r = top; r < Math.Min(rows, top + k); r++)
                    {
                        for (int c = left; c < Math.Min(columns, left + k); c++)
                        {
                            dot += line[c - left] * (double)v[(r * columns) + c];
                            square += line[c - left];
                        }

                        line.Insert(0, line[^1]);
                        line.RemoveAt(k);
                    }

                    distance -= square > 0 ? dot * dot / square : 0;
                }
            }
        }

        return distance;
    }
}
