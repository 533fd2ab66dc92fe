using System.CommandLine;
using AdmmKit.Experiments.Report;
using AdmmKit.Experiments.Results;

namespace AdmmKit.Cli;

internal static class ReportCommand
{
    public static Command Create()
    {
        var results = new Option<string>("--results") { Description = "The folder of results.", DefaultValueFactory = _ => "results", HelpName = "DIR" };
        var page = new Option<string>("--out")
        {
            Description = "The page: one file with everything in it.",
            DefaultValueFactory = _ => "out/report.html",
            HelpName = "FILE.html",
        };
        var markdown = new Option<string?>("--markdown")
        {
            Description = "The same tables in Markdown. Without it: README.md in the folder of results.",
            HelpName = "FILE.md",
        };
        var command = new Command("report", "Writes all results as one page that works offline, and as Markdown.") { results, page, markdown };
        command.SetAction(parsed => CommandLineTool.Guarded(_ =>
        {
            string directory = parsed.GetValue(results)!;
            string html = parsed.GetValue(page)!, text = parsed.GetValue(markdown) ?? Path.Combine(directory, "README.md");
            ResultsReport report = ResultsReport.Load(directory);
            report.SaveHtml(html);
            report.SaveMarkdown(text, directory);
            foreach (string problem in report.Problems)
            {
                Console.Error.WriteLine("error: " + problem);
            }

            string[] counts = [.. ResultStatus.All.Where(s => s.Length > 0).Select(s => FormattableString.Invariant($"{report.Count(s)} {s}"))];
            Console.WriteLine(FormattableString.Invariant($"{report.Names.Count} folders: {string.Join(", ", counts)}."));
            Console.WriteLine(html);
            Console.WriteLine(text);
            return report.Problems.Count == 0 ? CommandLineTool.Success : CommandLineTool.Failure;
        }, keeps: false));
        return command;
    }
}
