using System.CommandLine;
using AdmmKit.Experiments.Results;

namespace AdmmKit.Cli;

internal static class VerifyCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("dir") { Description = "A folder of results; all below it are checked too.", HelpName = "DIR" };
        var shared = new SharedOptions();
        // No --synthetic and --seed: the manifests say what was drawn.
        var command = new Command(
            "verify", "Checks results: rows, manifests and models against each other, and every model's count of correct images.")
        {
            folder, shared.Data, shared.Threads,
        };
        command.SetAction(parsed => CommandLineTool.Guarded(cancellation =>
        {
            VerificationReport report = ResultsVerifier.Verify(
                parsed.GetValue(folder)!, name => shared.OpenFiles(parsed, name, cancellation), parsed.GetValue(shared.Threads), Console.WriteLine, cancellation);
            Console.WriteLine(FormattableString.Invariant(
                $"{report.Folders} folders, {report.Models} models, {report.Evaluated} of them evaluated; {report.Skipped.Count} skipped, {report.Problems.Count} problems."));
            return report.Problems.Count == 0 ? CommandLineTool.Success : CommandLineTool.Failure;
        }));
        return command;
    }
}
