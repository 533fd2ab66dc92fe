using AdmmKit.Experiments.Results;

namespace AdmmKit.Experiments.Report;

/// <summary>What of a folder's values is shown at once, and what one has to unfold.</summary>
/// <param name="First">The values that the paper prints, in all rows; where it prints none, those that come first.</param>
/// <param name="More">The others.</param>
internal sealed record ReportSelection(ComparisonTable First, ComparisonTable More)
{
    /// <summary>Lines that are shown at once; longer tables are folded.</summary>
    public const int MaxLines = 30;

    private const int Usual = 6;

    /// <summary>Divides the values of a folder.</summary>
    public static ReportSelection Of(ReportFolder folder)
    {
        ComparisonTable all = ComparisonTable.Of(folder.Rows, folder.Title);
        HashSet<ComparisonColumn> first = all.Columns.Count <= ComparisonTable.MaxColumns ? [.. all.Columns]
            : folder.Rows.Any(r => r.Paper is not null) ? [.. folder.Rows.Where(r => r.Paper is not null).Select(Column)]
            : [.. all.Columns.Take(Usual)];
        return new ReportSelection(all.Where(r => first.Contains(Column(r))), all.Where(r => !first.Contains(Column(r))));
    }

    /// <summary>The status that all values of a folder have that have one; null where there are several, or none.</summary>
    public static string? Common(ReportFolder folder)
    {
        string[] statuses = [.. folder.Rows.Select(r => r.Status).Where(s => s.Length > 0).Distinct()];
        return statuses is [var only] ? only : null;
    }

    private static ComparisonColumn Column(ResultRow row) => new(row.Quantity, row.Unit);
}
