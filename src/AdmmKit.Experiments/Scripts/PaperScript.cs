using AdmmKit.Experiments.Accounting;
using AdmmKit.Experiments.Results;
using AdmmKit.Experiments.Runs;
using AdmmKit.Experiments.Tables;
using AdmmKit.Notebooks;
using AdmmKit.Notebooks.Charts;

namespace AdmmKit.Experiments.Scripts;

/// <summary>
/// What the scripts of <c>notebooks/scripts</c> have in common: one table or figure of the paper is printed, and written as CSV and
/// SVG to a folder.
/// </summary>
public sealed class PaperScript
{
    private readonly TextWriter output;

    private PaperScript(string folder, TextWriter output) => (Folder, this.output) = (folder, output);

    /// <summary>Where files are written to.</summary>
    public string Folder { get; }

    /// <summary>Runs a script: errors that its user can act on are printed, not thrown.</summary>
    /// <param name="name">Names it; its files go to <c>out/scripts/NAME</c> where no folder is given.</param>
    /// <param name="arguments">Of the command line: nothing, or the folder.</param>
    /// <param name="work">What it does.</param>
    /// <returns>The exit code: 0 success, 1 failure, 2 wrong usage.</returns>
    public static int Run(string name, IReadOnlyList<string> arguments, Action<PaperScript> work) =>
        Run(name, arguments, work, Console.Out, Console.Error);

    /// <summary>Where a run tells how it goes.</summary>
    public LineObserver Observer => new(output);

    /// <summary>Writes a line.</summary>
    /// <param name="line">The line.</param>
    public void Say(string line) => output.WriteLine(line);

    /// <summary>Prints rows as a table, the paper beside ours, and writes them as CSV.</summary>
    /// <param name="file">The file, ending in .csv.</param>
    /// <param name="title">What it is about.</param>
    /// <param name="rows">The rows.</param>
    /// <exception cref="AdmmKitException">It cannot be written.</exception>
    public void Table(string file, string title, IReadOnlyList<ResultRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        output.WriteLine();
        output.WriteLine(ComparisonTable.Of(rows, title));
        string path = Path.Combine(Folder, file);
        ResultRows.Write(path, rows);
        Wrote(path);
    }

    /// <summary>Prints a table by accounting with its notes, and writes its rows and pictures.</summary>
    /// <param name="table">The table.</param>
    /// <exception cref="AdmmKitException">A file cannot be written.</exception>
    public void Table(AccountingTable table)
    {
        ArgumentNullException.ThrowIfNull(table);
        Table(table.Name + ".csv", table.Title, table.Rows);
        foreach (string note in table.Notes.Concat(table.Lines.Where(l => l.Explanation is not null)
            .Select(l => $"{l.Row.Row}, {l.Row.Quantity}: {l.Explanation}")))
        {
            output.WriteLine("- " + note);
        }

        foreach ((string file, IChart chart) in table.Pictures)
        {
            Chart(file, chart);
        }
    }

    /// <summary>Prints committed results, says how they are made, and writes their rows.</summary>
    /// <param name="results">The results.</param>
    /// <param name="title">What they are about.</param>
    /// <param name="quantities">Which quantities; all without any.</param>
    /// <exception cref="AdmmKitException">A quantity is unknown, or a file cannot be written.</exception>
    public void Table(CommittedResults results, string title, params string[] quantities)
    {
        ArgumentNullException.ThrowIfNull(results);
        ArgumentNullException.ThrowIfNull(quantities);
        ComparisonTable table = ComparisonTable.Of(results.Rows, title);
        Table(results.Name + ".csv", title, quantities.Length == 0 ? results.Rows : table.Only(quantities).Values);
        output.WriteLine($"Read from results/{results.Name}; nothing was trained. To make it again: {results.Manifest.CommandLine}");
    }

    /// <summary>Prints what a run made, and writes its last model and the picture of its training.</summary>
    /// <param name="run">The run.</param>
    /// <param name="file">The model's file, ending in .admm.</param>
    /// <exception cref="AdmmKitException">A file cannot be written.</exception>
    public void Models(RunResult run, string file)
    {
        ArgumentNullException.ThrowIfNull(run);
        ResultRow[] rows = [.. run.Models.SelectMany(m => Rows(m, run.Data.Name))];
        Table("rows.csv", $"{run.Spec.Name} on {run.Data.Name}, decoded from the file again", rows);
        string path = Path.Combine(Folder, file);
        run.Models.Last().Model.Save(path);
        Wrote(path);
        Chart("training.svg", RunChart.Create(run));
    }

    /// <summary>Writes a table as CSV.</summary>
    /// <param name="file">The file, ending in .csv.</param>
    /// <param name="table">The table.</param>
    /// <exception cref="AdmmKitException">It cannot be written.</exception>
    public void Csv(string file, Table table)
    {
        ArgumentNullException.ThrowIfNull(table);
        string path = Path.Combine(Folder, file);
        table.SaveCsv(path);
        Wrote(path);
    }

    /// <summary>Writes a picture, and the Plotly figure beside it.</summary>
    /// <param name="file">The file, ending in .svg.</param>
    /// <param name="chart">What it shows.</param>
    /// <exception cref="AdmmKitException">The chart is not complete, or cannot be written.</exception>
    public void Chart(string file, IChart chart)
    {
        string path = Path.Combine(Folder, file);
        chart.Save(path);
        Wrote(path);
    }

    internal static int Run(string name, IReadOnlyList<string> arguments, Action<PaperScript> work, TextWriter output, TextWriter error)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(work);
        if (arguments.Count > 1 || arguments.Any(a => a.StartsWith('-')))
        {
            error.WriteLine($"Give nothing, or the folder to write to; without it, out/scripts/{name}.");
            return 2;
        }

        try
        {
            work(new PaperScript(arguments.Count == 1 ? arguments[0] : Path.Combine("out", "scripts", name), output));
            return 0;
        }
        catch (AdmmKitException e)
        {
            error.WriteLine(e.Message);
            return 1;
        }
    }

    private static IEnumerable<ResultRow> Rows(ModelResult model, string data)
    {
        ResultRow Row(string quantity, string unit, double value) =>
            new(model.Name, quantity, unit, null, value, null, 1, ResultStatus.Trend, "trained just now on " + data);
        yield return Row("top1", "%", Math.Round(100 * model.Test.Accuracy, 2));
        yield return Row("survivors", "", model.Model.Survivors);
        yield return Row("compressionRatio", "x", Rounded.ToDigits(model.Model.CompressionRatio, 6));
        yield return Row("fileBytes", "B", model.Model.Size.TotalBytes);
    }

    private void Wrote(string path) => output.WriteLine($"Written: {path}");
}
