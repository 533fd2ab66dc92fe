using System.Globalization;
using AdmmKit.Experiments.Runs;

namespace AdmmKit.Experiments.Scripts;

/// <summary>Tells how a run goes, a line an epoch or ADMM iteration: for scripts, whose output may go to a file.</summary>
/// <param name="output">Where to.</param>
public sealed class LineObserver(TextWriter output) : IRunObserver
{
    /// <inheritdoc/>
    public void Progress(RunProgress progress)
    {
    }

    /// <inheritdoc/>
    public void Point(RunProgress progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        string residual = progress.PrimalResidual is { } r ? $", residual {Text(r, "0.000")}" : "";
        string validation = progress.Validation is { } v ? $", validation {Text(100 * v, "0.00")} %" : "";
        output.WriteLine(FormattableString.Invariant($"{progress.Phase} {progress.Epoch} of {progress.PhaseEpochs}: ")
            + $"loss {Text(progress.Loss, "0.0000")}{validation}{residual}");
    }

    /// <inheritdoc/>
    public void Milestone(string text) => output.WriteLine(text);

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
