using AdmmKit.Experiments.Results;
using AdmmKit.Notebooks.Charts;
using AdmmKit.Storage;

namespace AdmmKit.Experiments.Report;

/// <summary>
/// All results of a directory, as one page that works without a network and as Markdown. The same results give the same bytes: neither
/// the time nor the machine is in it.
/// </summary>
public sealed class ResultsReport
{
    // Stores of runs and probes, from which results are made; git does not keep them.
    private static readonly string[] Stores = ["runs", "probes"];

    private ResultsReport(IReadOnlyList<ReportFolder> folders) => Folders = folders;

    /// <summary>The folders: tables, figures, sections, the rest.</summary>
    internal IReadOnlyList<ReportFolder> Folders { get; }

    /// <summary>Names of the folders in the order of the report.</summary>
    public IReadOnlyList<string> Names => [.. Folders.Select(f => f.Name)];

    /// <summary>What could not be read, each with its place; empty if all is well.</summary>
    public IReadOnlyList<string> Problems => [.. Folders.SelectMany(f => f.Problems.Select(p => $"{f.Name}: {p}"))];

    /// <summary>Number of values of a status, over all folders.</summary>
    /// <param name="status">One of <see cref="ResultStatus.All"/>.</param>
    public int Count(string status) => Folders.Sum(f => f.Rows.Count(r => r.Status == status));

    /// <summary>The values that are worse than printed, each with its folder's name.</summary>
    public IReadOnlyList<(string Folder, ResultRow Row)> Missed =>
        [.. Folders.SelectMany(f => f.Rows.Where(r => r.Status == ResultStatus.Missed).Select(r => (f.Name, r)))];

    /// <summary>One picture of Table 1 and the baselines; null where they are not there.</summary>
    public LineChart? Overview => OverviewChart.Create(RowsOf("table1"), RowsOf("baselines"));

    private IReadOnlyList<ResultRow> RowsOf(string name) => Folders.FirstOrDefault(f => f.Name == name)?.Rows ?? [];

    /// <summary>Reads every folder right below a directory; damaged ones are in it, as far as they can be read.</summary>
    /// <param name="directory">The directory, such as <c>results</c>.</param>
    /// <exception cref="AdmmKitException">The directory cannot be read, or there is no folder in it.</exception>
    public static ResultsReport Load(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        try
        {
            // A link may lead anywhere.
            var own = new EnumerationOptions { IgnoreInaccessible = false, AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Hidden };
            ReportFolder[] folders = [.. Directory.EnumerateDirectories(directory, "*", own)
                .Where(f => !Stores.Contains(Path.GetFileName(f)))
                .OrderBy(f => ReportTitles.Order(Path.GetFileName(f)).Kind)
                .ThenBy(f => ReportTitles.Order(Path.GetFileName(f)).Name, StringComparer.Ordinal)
                .Select(ReportFolder.Read)];
            return folders.Length > 0 ? new ResultsReport(folders) : throw new AdmmKitException(
                $"There are no folders of results in '{directory}': give the folder that 'admmkit reproduce' wrote, or run it first.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AdmmKitException(
                $"Could not read the folder '{directory}': {e.Message.TrimEnd('.')}. Check its name and that you may read it and all below.", e);
        }
    }

    /// <summary>The page: HTML, with pictures, styles and script in it, that loads nothing.</summary>
    public string ToHtml() => HtmlReport.Write(this);

    /// <summary>The same tables in Markdown.</summary>
    /// <param name="toResults">The way from the file to the directory of results, such as "results/"; empty where it lies there.</param>
    public string ToMarkdown(string toResults = "") => MarkdownReport.Write(this, toResults);

    /// <summary>Writes the page.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="AdmmKitException">It cannot be written.</exception>
    public void SaveHtml(string path) => AtomicFile.Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(ToHtml())));

    /// <summary>
    /// Writes the tables in Markdown, with links to the directory of results as seen from the file, and the overview into that directory.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="directory">The directory of results.</param>
    /// <exception cref="AdmmKitException">It cannot be written.</exception>
    public void SaveMarkdown(string path, string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string from = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string way = Path.GetRelativePath(from, Path.GetFullPath(directory)).Replace('\\', '/');
        string text = ToMarkdown(way == "." ? "" : way + "/");
        AtomicFile.Write(path, stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(text)));
        Overview?.Save(Path.Combine(directory, OverviewChart.File));
    }
}
