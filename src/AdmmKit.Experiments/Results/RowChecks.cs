namespace AdmmKit.Experiments.Results;

/// <summary>What must hold among the rows of one table, and between rows and models, whatever the experiment.</summary>
internal static class RowChecks
{
    // Accuracies are written with 6 digits behind the point.
    private const double Tolerance = 1e-6;

    /// <summary>What is wrong with the rows themselves.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="standIn">The name of the data if they are not those of the paper, else null.</param>
    public static IEnumerable<string> AmongRows(IReadOnlyList<ResultRow> rows, string? standIn)
    {
        foreach (var group in rows.GroupBy(r => (r.Row, r.Quantity)).Where(g => g.Count() > 1))
        {
            yield return FormattableString.Invariant($"{Name(group.First())} stands there {group.Count()} times");
        }

        foreach (ResultRow row in rows)
        {
            if (row.Ours is not null && row.Source.Length == 0)
            {
                yield return $"{Name(row)} names nothing that reproduces it";
            }

            if (Problem(row, rows, standIn) is { } problem)
            {
                yield return $"{Name(row)} is '{row.Status}', but {problem}";
            }
        }
    }

    /// <summary>What differs between the rows and the models that they are means of.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="models">The models of the manifest.</param>
    public static IEnumerable<string> AgainstModels(IReadOnlyList<ResultRow> rows, IReadOnlyList<ModelRecord> models)
    {
        foreach (IGrouping<string, ModelRecord> group in models.GroupBy(m => m.Row))
        {
            ModelRecord[] own = [.. group];
            if (!rows.Any(r => r.Row == group.Key && r.Ours is not null))
            {
                yield return $"there is no row '{group.Key}', to which {string.Join(", ", own.Select(m => m.File))} should belong";
            }

            foreach (ResultRow row in rows.Where(r => r.Row == group.Key))
            {
                if (Mean(row.Quantity, own) is { } mean && !(Math.Abs(row.Ours.GetValueOrDefault(double.NaN) - mean) <= Tolerance))
                {
                    yield return FormattableString.Invariant(
                        $"{Name(row)} is {(object?)row.Ours ?? "missing"}, but its {own.Length} models give {mean:R}");
                }

                if (row.Quantity == "top1" && row.Seeds != own.Length)
                {
                    yield return FormattableString.Invariant($"{Name(row)} counts {row.Seeds} seeds, but has {own.Length} models");
                }
            }
        }
    }

    /// <summary>Whether a row tells of times alone, which depend on a machine and on no data set.</summary>
    /// <param name="row">The row.</param>
    public static bool IsTime(ResultRow row) =>
        row.Unit is "us" or "images/s" || row.Quantity is "speedup" or "speedupAllSparse" or "breakEvenKeepFraction" or "breakEvenCompressionRatio"
        || row.Quantity.StartsWith("speedup at ", StringComparison.Ordinal) || row.Quantity.StartsWith("speedup of ", StringComparison.Ordinal);

    /// <summary>What differs between rows that rest on no training and the same rows made anew.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="again">Made anew.</param>
    public static IEnumerable<string> AgainstRecomputed(IReadOnlyList<ResultRow> rows, IReadOnlyList<ResultRow> again)
    {
        foreach (ResultRow row in again)
        {
            ResultRow? own = rows.FirstOrDefault(r => r.Row == row.Row && r.Quantity == row.Quantity);
            // A fit differs in its last digits between mathematical libraries.
            bool same = own is not null && own.Paper == row.Paper && own.Ours.HasValue == row.Ours.HasValue
                && !(Math.Abs(own.Ours.GetValueOrDefault() - row.Ours.GetValueOrDefault()) > (1e-4 * Math.Abs(row.Ours.GetValueOrDefault())) + Tolerance);
            if (!same)
            {
                yield return FormattableString.Invariant($"{Name(row)} is {(object?)own?.Ours ?? "missing"}, but comes out as {row.Ours:R} when it is computed again");
            }
        }

        foreach (ResultRow row in rows.Where(r => !again.Any(a => a.Row == r.Row && a.Quantity == r.Quantity)))
        {
            yield return $"{Name(row)} does not come out when the table is computed again";
        }
    }

    private static double? Mean(string quantity, ModelRecord[] models) => quantity switch
    {
        "top1" => models.Average(m => 100.0 * m.Correct / m.Images),
        "survivors" => models.Average(m => (double)m.Survivors),
        "weightDataBytes" => models.Average(m => m.WeightDataBits / 8.0),
        "fileBytes" => models.Average(m => (double)m.Bytes),
        _ => null,
    };

    private static string? Problem(ResultRow row, IReadOnlyList<ResultRow> rows, string? standIn)
    {
        if (row.Status is ResultStatus.None or ResultStatus.Accounting)
        {
            return null;
        }

        if (row.Ours is not { } ours)
        {
            return "has no value of ours";
        }

        if (row.Status == ResultStatus.Trend)
        {
            return null;
        }

        if (standIn is not null)
        {
            return $"was measured on {standIn}, where it can only be '{ResultStatus.Trend}'";
        }

        if (row.Paper is not { } paper)
        {
            return "there is no printed value to compare with";
        }

        double lead = Lead(row);
        ResultRow? survivors = rows.FirstOrDefault(r => r.Row == row.Row && r.Quantity == "survivors");
        string values = FormattableString.Invariant($"ours is {ours:R} and the paper's {paper:R}");
        return row.Status switch
        {
            _ when double.IsNaN(lead) => null,
            ResultStatus.Missed => lead >= 0 && !rows.Any(r => r.Row == row.Row && r.Status == ResultStatus.Missed && Lead(r) < 0)
                ? values + ", and no other quantity of the row is missed" : null,
            ResultStatus.Beaten when row.Seeds > 0 && row.Spread is null => "there is no interval to be better by",
            ResultStatus.Beaten => lead <= row.Spread.GetValueOrDefault() ? values : null,
            _ when lead < -Slack(row) => values,
            _ when row.Quantity == "top1" && survivors is not null && Lead(survivors) < -Slack(survivors) =>
                "it takes more survivors than the paper's",
            _ => null,
        };
    }

    /// <summary>By how much our value is better than the paper's; not a number where it is not known which is better.</summary>
    public static double Lead(ResultRow row) => row switch
    {
        { Paper: null } or { Ours: null } => double.NaN,
        { Quantity: "top1" or "top5" or "speedup" } => row.Ours.Value - row.Paper.Value,
        { Quantity: "survivors" or "accuracyDegradation" } => row.Paper.Value - row.Ours.Value,
        _ when row.Quantity.EndsWith("Bytes", StringComparison.Ordinal) => row.Paper.Value - row.Ours.Value,
        _ when row.Quantity.EndsWith("Ratio", StringComparison.Ordinal) => row.Ours.Value - row.Paper.Value,
        _ => double.NaN,
    };

    /// <summary>
    /// What the paper's rounding may hide: half a unit of the last digit that is not zero, so that 2.57K stands for up to
    /// 2,575, but never more than 1 %. Accuracies are compared as printed.
    /// </summary>
    public static double Slack(ResultRow row)
    {
        double paper = Math.Abs(row.Paper.GetValueOrDefault());
        if (row.Quantity is "top1" or "top5" or "accuracyDegradation" || paper is < 1e-3 or > 1e15)
        {
            return 0;
        }

        decimal printed = decimal.Round((decimal)paper, 6), unit = 1e-6m;
        while (printed % (unit * 10) == 0)
        {
            unit *= 10;
        }

        return Math.Min((double)unit / 2, 0.01 * paper);
    }

    private static string Name(ResultRow row) => $"'{row.Row}', {row.Quantity}";
}
