using AdmmKit.Experiments.Results;

namespace AdmmKit.Experiments.Report;

/// <summary>Sentences that the page and the Markdown share.</summary>
internal static class ReportWords
{
    /// <summary>What each status says, the misses first.</summary>
    public static IReadOnlyList<(string Status, string Meaning)> Meanings { get; } =
    [
        (ResultStatus.Missed, "worse than printed"),
        (ResultStatus.Matched, "the mean over seeds reaches the printed accuracy, with at most the printed survivors or bytes"),
        (ResultStatus.Beaten, "better than printed by more than the 95 % interval"),
        (ResultStatus.Trend, "measured on a stand-in, which is named"),
        (ResultStatus.Accounting, "recomputed from the architecture; nothing was trained"),
        (ResultStatus.None, "no statement: the paper prints no value, or there is none of ours"),
    ];

    /// <summary>Number of lines of a table as it is laid out.</summary>
    public static int Lines(this ComparisonTable table) => table.Layout switch
    {
        ComparisonLayout.Wide => table.Rows.Count,
        ComparisonLayout.Turned => table.Columns.Count,
        _ => table.Values.Count,
    };

    /// <summary>What is folded away of a folder's values.</summary>
    public static string More(ReportSelection selection)
    {
        int count = selection.More.Columns.Count;
        return FormattableString.Invariant($"{count} more {(count == 1 ? "quantity" : "quantities")}");
    }
}
