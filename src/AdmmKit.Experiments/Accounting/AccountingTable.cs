using System.Text;
using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Accounting;

/// <summary>How a recomputed value compares with the printed one.</summary>
public enum Agreement
{
    /// <summary>One of the two is missing: nothing is printed, or nothing can be recomputed.</summary>
    None,

    /// <summary>Rounded as the paper prints it, our value is the printed one.</summary>
    AsPrinted,

    /// <summary>Our value is computed from printed numbers, and the rounding of those leaves room for the printed value.</summary>
    WithinInputs,

    /// <summary>It differs.</summary>
    Different,
}

/// <summary>A row of an accounted table and what there is to say about it.</summary>
/// <param name="Row">The row.</param>
/// <param name="Agreement">How it compares with the print.</param>
/// <param name="Explanation">Why our value is not the printed one; null where it is.</param>
public sealed record AccountedRow(ResultRow Row, Agreement Agreement, string? Explanation);

/// <summary>A table of [Ren2019] recomputed from layer tables, each difference from the print with its reason.</summary>
public sealed class AccountingTable
{
    private readonly List<AccountedRow> lines = [];
    private readonly List<string> notes = [];
    private readonly Dictionary<string, IChart> pictures = new(StringComparer.Ordinal);

    private readonly string basis;

    internal AccountingTable(string name, string title, string basis = "Recomputed from layer tables; nothing was trained.") =>
        (Name, Title, this.basis) = (name, title, basis);

    /// <summary>The table's name: "table2", ..., "section4.3".</summary>
    public string Name { get; }

    /// <summary>What it is about.</summary>
    public string Title { get; }

    /// <summary>All rows with their explanations.</summary>
    public IReadOnlyList<AccountedRow> Lines => lines;

    /// <summary>What holds for the table as a whole.</summary>
    public IReadOnlyList<string> Notes => notes;

    /// <summary>Its pictures, by the name of the file.</summary>
    public IReadOnlyDictionary<string, IChart> Pictures => pictures;

    /// <summary>All rows.</summary>
    public IReadOnlyList<ResultRow> Rows => [.. lines.Select(l => l.Row)];

    /// <summary>Why our value is not the printed one; null where it is, and where there is no such row.</summary>
    /// <param name="row">The table's line.</param>
    /// <param name="quantity">The quantity.</param>
    public string? Explanation(string row, string quantity) =>
        lines.FirstOrDefault(l => l.Row.Row == row && l.Row.Quantity == quantity)?.Explanation;

    /// <summary>The printed numbers that do not come out as printed, each with its reason.</summary>
    public Table Differences() => new(
        FormattableString.Invariant($"{lines.Count(l => l.Agreement == Agreement.AsPrinted)} of ")
            + FormattableString.Invariant($"{lines.Count(l => l.Agreement != Agreement.None)} printed numbers come out as printed; the others:"),
        ["line", "quantity", "printed", "ours", "why"],
        [.. lines.Where(l => l.Explanation is not null).Select(l => new object?[]
        {
            l.Row.Row, QuantityText.Heading(l.Row.Quantity, ""), Text(l.Row.Paper!.Value, l.Row.Unit),
            Text(l.Row.Ours!.Value, l.Row.Unit), l.Explanation,
        })]);

    /// <summary>Writes <c>rows.csv</c>, <c>notes.md</c> and the pictures.</summary>
    /// <param name="folder">Where to; made if missing.</param>
    /// <returns>The files written.</returns>
    /// <exception cref="AdmmKitException">A file cannot be written.</exception>
    public IReadOnlyList<string> Write(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        string rows = Path.Combine(folder, "rows.csv"), text = Path.Combine(folder, "notes.md");
        ResultRows.Write(rows, Rows);
        AtomicFile.Write(text, stream => stream.Write(Encoding.UTF8.GetBytes(Markdown())));
        foreach ((string file, IChart chart) in pictures)
        {
            chart.Save(Path.Combine(folder, file));
        }

        return [rows, text, .. pictures.Keys.Select(f => Path.Combine(folder, f))];
    }

    /// <summary>Adds what only the paper has: an accuracy, or bits that were chosen.</summary>
    internal void PaperOnly(string row, string quantity, string unit, string printed) => lines.Add(new(
        new ResultRow(
            row, quantity, unit, Bounded.Printed(printed).Value, null, null, 0, ResultStatus.None, "[Ren2019] " + Title.Split(':')[0]),
        Agreement.None,
        null));

    /// <summary>Adds a recomputed value.</summary>
    /// <param name="row">The table's line.</param>
    /// <param name="quantity">What is counted.</param>
    /// <param name="unit">Its unit.</param>
    /// <param name="printed">As the paper prints it; null where it does not.</param>
    /// <param name="ours">Our value.</param>
    /// <param name="source">What it is computed from.</param>
    /// <param name="why">Why it is not the printed one, if it is not.</param>
    /// <param name="seeds">1 where it rests on masks that were drawn.</param>
    internal void Add(
        string row, string quantity, string unit, string? printed, Bounded ours, string source, string? why = null, int seeds = 0)
    {
        Bounded? paper = printed is null ? null : Bounded.Printed(printed);
        Agreement agreement = paper is not { } p ? Agreement.None
            : p.Meets(ours.Point) ? Agreement.AsPrinted
            : p.Meets(ours) ? Agreement.WithinInputs : Agreement.Different;
        string? rounding = agreement == Agreement.WithinInputs
            ? $"The printed inputs are rounded: {Text(ours.Low, unit)} to {Text(ours.High, unit)} is what they allow."
            : null;
        // Counts and bytes are whole; six decimals of the rest are more than any print has.
        double value = Math.Round(ours.Value, unit is "" or "B" ? 0 : 6);
        lines.Add(new(
            new ResultRow(row, quantity, unit, paper?.Value, value, null, seeds, ResultStatus.Accounting, source),
            agreement,
            why ?? rounding));
    }

    /// <summary>Adds a picture.</summary>
    /// <param name="file">Its file's name, ending in .svg.</param>
    /// <param name="chart">What it shows.</param>
    internal void Picture(string file, IChart chart) => pictures.Add(file, chart);

    internal void Note(string sentence) => notes.Add(sentence);

    /// <summary>A number for people: four digits, thousands and millions by their letter.</summary>
    internal static string Text(double value, string unit)
    {
        (double scale, string letter) = Math.Abs(value) switch { >= 1e6 => (1e6, "M"), >= 1e4 => (1e3, "K"), _ => (1, "") };
        string digits = FormattableString.Invariant($"{value / scale:0.###}");
        return unit switch { "" => digits + letter, "%" or "x" => digits + letter + unit, _ => $"{digits} {letter}{unit}" };
    }

    private string Markdown()
    {
        var text = new StringBuilder($"# {Title}\n\n{basis} ");
        text.Append("`rows.csv` has every printed number beside ours.\n");
        foreach (string note in notes)
        {
            text.Append($"\n- {note}");
        }

        AccountedRow[] explained = [.. lines.Where(l => l.Explanation is not null)];
        int printed = lines.Count(l => l.Agreement != Agreement.None), same = lines.Count(l => l.Agreement == Agreement.AsPrinted);
        text.Append(FormattableString.Invariant($"\n\n{same} of {printed} printed numbers come out as printed."));
        if (explained.Length > 0)
        {
            text.Append(" The others:\n\n| row | quantity | printed | ours | why |\n|---|---|---|---|---|\n");
            foreach ((ResultRow row, _, string? why) in explained)
            {
                string paper = Text(row.Paper!.Value, row.Unit), ours = Text(row.Ours!.Value, row.Unit);
                text.Append($"| {row.Row} | {row.Quantity} | {paper} | {ours} | {why} |\n");
            }
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }
}
