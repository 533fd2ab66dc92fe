namespace AdmmKit;

/// <summary>Looks names up; an unknown one is an error that suggests the nearest valid one.</summary>
public static class Names
{
    /// <summary>The valid name nearest to <paramref name="name"/> by edit distance, or null where none is near.</summary>
    /// <param name="name">What was written.</param>
    /// <param name="valid">What could have been written.</param>
    public static string? Nearest(string name, IEnumerable<string> valid)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(valid);
        string? best = null;
        int bestDistance = int.MaxValue;
        foreach (string candidate in valid)
        {
            int distance = EditDistance(name.ToUpperInvariant(), candidate.ToUpperInvariant());
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best is not null && bestDistance <= Math.Max(2, Math.Max(name.Length, best.Length) / 2) ? best : null;
    }

    /// <summary>The text of an error about an unknown name, with the nearest valid one and the list of all.</summary>
    /// <param name="what">The kind of thing that is named, such as "layer".</param>
    /// <param name="name">What was written.</param>
    /// <param name="valid">What could have been written.</param>
    public static string Unknown(string what, string name, IReadOnlyCollection<string> valid)
    {
        ArgumentNullException.ThrowIfNull(valid);
        string? near = Nearest(name, valid);
        string hint = near is null ? "" : $" Did you mean '{near}'?";
        return $"There is no {what} '{name}'.{hint} Valid: {string.Join(", ", valid)}.";
    }

    private static int EditDistance(string a, string b)
    {
        var row = new int[b.Length + 1];
        for (int j = 0; j <= b.Length; j++)
        {
            row[j] = j;
        }

        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}
